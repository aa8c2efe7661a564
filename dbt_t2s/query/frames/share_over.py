"""Groups picked by their share of the whole: "which brands make up more than 10% of revenue"."""

from __future__ import annotations

import re
from dataclasses import replace
from decimal import Decimal
from functools import partial

from dbt_t2s.query.frames.frame import PERCENT, Frame, the_measure, tidy
from dbt_t2s.query.plan import Bucket, Col, Compare, Plan, Wrapped

_OPERATORS = {
    "GT": r"more\s+than|over|above",
    "GE": r"at\s+least|no\s+less\s+than",
    "LT": r"less\s+than|under|below|fewer\s+than",
    "LE": r"at\s+most|no\s+more\s+than",
}
_COMPARED = "|".join(f"(?P<{name}>{words})" for name, words in _OPERATORS.items())
_FORM = re.compile(
    r"\b(?:which|what)\s+(?P<g>[^?]+?)\s+(?:(?:each|alone)\s+)?"
    r"(?:mak(?:e|es|ing)\s+up|made\s+up|account(?:s|ed)?\s+for|contribut(?:e|es|ed)|represent(?:s|ed)?|"
    r"br(?:ing|ings|ought)\s+in|generat(?:e|es|ed)|ha(?:ve|s|d)(?:\s+a\s+share\s+of)?|stand(?:s)?\s+for)\s+"
    rf"(?:{_COMPARED})\s+(?P<n>\d+(?:\.\d+)?)\s*{PERCENT}\s+of\s+(?P<m>[^?]+?)\s*\??\s*$",
    re.IGNORECASE,
)
_WHOLE = re.compile(r"^(?:(?:our|the|all|total|overall|whole)\s+)+", re.IGNORECASE)


def share_over(text: str) -> Frame | None:
    """Groups whose share of the whole is over or under so much."""
    found = _FORM.search(text)
    if found is None:
        return None
    operator = next(name for name in _OPERATORS if found[name])
    share = Decimal(found["n"]) / 100
    core = f"{tidy(_WHOLE.sub('', found['m']))} by {tidy(found['g'])}"
    return Frame(core, partial(_around, operator=operator, share=format(share.normalize(), "f")))


def _around(plan: Plan, operator: str, share: str) -> Plan | None:
    """The plan that gives each group's figure, as the groups themselves."""
    measure = the_measure(plan)
    groups = tuple(each for each in plan.select if isinstance(each, Col | Bucket))
    if measure is None or not groups or plan.having or plan.limit or plan.per:
        return None
    of = measure.of if isinstance(measure, Wrapped) else measure
    picked = Compare(operator, Wrapped("SHARE", of), share)
    return replace(plan, select=groups, having=(picked,), order=None)
