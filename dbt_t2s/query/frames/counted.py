"""How many groups there are of a kind: "how many weeks had sales over 500?" counts such weeks."""

from __future__ import annotations

import re
from dataclasses import replace

from dbt_t2s.query.frames.frame import Frame, tidy
from dbt_t2s.query.plan import Dim, Plan

_COUNT = re.compile(
    r"^(?:on\s+|in\s+)?(?:how\s+many|(?:the\s+)?(?:number|count)\s+of)\s+(?:different\s+)?(?P<rest>[^?]+?)\s*\??\s*$",
    re.IGNORECASE,
)
_OVER = re.compile(
    r"\b(?:more|fewer|less|greater|higher|lower)\s+than\b|\b(?:over|above|under|below|at\s+least|at\s+most|"
    r"exceed\w*|no\s+more|or\s+more|or\s+fewer)\b",
    re.IGNORECASE,
)


def counted(text: str) -> Frame | None:
    """The number of groups that something measured picks."""
    found = _COUNT.search(text)
    if found is None or not _OVER.search(found["rest"]):
        return None
    return Frame(f"which {tidy(found['rest'])}", _around, surely=True, yields=True)


def _around(plan: Plan) -> Plan | None:
    """The plan that lists the groups, as their number."""
    dims = tuple(each for each in plan.select if isinstance(each, Dim))
    if len(dims) != 1 or not plan.having or plan.limit or plan.per:
        return None
    return replace(plan, select=dims, order=None, distinct=False, counted=True)
