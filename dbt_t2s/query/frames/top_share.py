"""What share of the whole the first few have: "of our revenue, from the ten largest customers"."""

from __future__ import annotations

import re
from dataclasses import replace
from functools import partial

from dbt_t2s.query.frames.frame import NUMBER, PERCENT, Frame, number_of, tidy
from dbt_t2s.query.plan import Plan, Wrapped

_SHARE = rf"(?:share|{PERCENT}|proportion|fraction|part)"
_MOST = r"(?:largest|biggest|best|top|highest|strongest|most\s+\w+)"
_TOP = (
    rf"(?:our\s+|the\s+)?(?:(?:top|best)\s+(?P<n>{NUMBER})\s+(?P<g>[^?]+?)"
    rf"|(?P<n2>{NUMBER})\s+{_MOST}(?:[\s-](?:selling|earning|spending|paying))?\s+(?P<g2>[^?]+?)"
    rf"|(?P<n3>{NUMBER})\s+(?P<g3>[^?]+?\s+with\s+the\s+(?:highest|most|largest|biggest)\s+[^?]+?))"
)
_FROM = (
    r"(?:(?:comes?|came|coming|is|was|are|were|stems?|derives?)\s+)?(?:(?:made|generated|brought\s+in|earned|"
    r"accounted\s+for|contributed|held|placed|bought)\s+)?(?:from|by|with|due\s+to)"
)
_DO = r"(?:do|does|did|is|are|was|were|have|has)"
_MAKE = (
    r"(?:account(?:ed)?\s+for|make\s+up|made\s+up|bring\s+in|brought\s+in|generate|represent|"
    r"contribute|have|make|stand\s+for)"
)
_FORMS = tuple(
    re.compile(form + r"\s*\??\s*$", re.IGNORECASE)
    for form in (
        rf"\b(?:{_SHARE}|how\s+much)\s+of\s+(?P<m>[^?]+?)\s+{_FROM}\s+{_TOP}",
        rf"\b{_SHARE}\s+of\s+(?P<m>[^?]+?)\s+{_DO}\s+{_TOP}\s+{_MAKE}(?P<rest>\s+[^?]+?)?",
        rf"\bhow\s+much\s+of\s+(?P<m>[^?]+?)\s+{_DO}\s+{_TOP}\s+{_MAKE}(?P<rest>\s+[^?]+?)?",
        rf"\b{_SHARE}\s+of\s+{_TOP}\s+(?:in|of)\s+(?P<m>[^?]+?)",
        rf"{_TOP}(?:['’]s?)?\s+{_SHARE}\s+of\s+(?P<m>[^?]+?)",
    )
)
_POINTS_BACK = re.compile(
    r"\s+(?:of|in|for)\s+(?:that|the\s+same)\s+(?:year|month|quarter|period)\b", re.I
)
_WHOLE = re.compile(r"^(?:(?:our|the|all|total|overall|whole)\s+)+", re.IGNORECASE)
_UNFINISHED = re.compile(r"\b(?:by|with|in|of|for)$", re.IGNORECASE)
_WITH = re.compile(r"\bwith\s+the\b|\bby\b", re.IGNORECASE)


def top_share(text: str) -> Frame | None:
    """A share that the first few rows have of all."""
    for form in _FORMS:
        if found := form.search(text):
            said = found.groupdict()
            number = number_of(said["n"] or said["n2"] or said["n3"])
            group = _POINTS_BACK.sub("", tidy(said["g"] or said["g2"] or said["g3"]))
            if _UNFINISHED.search(group):
                continue
            measured = tidy(
                _WHOLE.sub("", _POINTS_BACK.sub("", said["m"])) + (said.get("rest") or "")
            )
            told = f"top {number} {group}"
            core = told if _WITH.search(group) else f"{told} by {measured}"
            return Frame(core, partial(_around, number=str(number)))
    return None


def _around(plan: Plan, number: str) -> Plan | None:
    """The plan that lists the first few, as what they have of all."""
    order = plan.order
    if order is None or plan.limit != number or plan.per or not order.descending:
        return None
    by = order.by.of if isinstance(order.by, Wrapped) else order.by
    select = tuple(each for each in plan.select if not isinstance(each, Wrapped))
    return replace(plan, select=select, order=replace(order, by=by), distinct=False, of_total=True)
