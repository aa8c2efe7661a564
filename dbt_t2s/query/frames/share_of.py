"""The share of some rows that something holds for: "what share of our buyers ordered twice"?

Two questions stand inside: how many buyers there are, and how many of them ordered twice.
"""

from __future__ import annotations

import re
from dataclasses import replace

from dbt_t2s.query.frames.frame import PERCENT, Frame, tidy
from dbt_t2s.query.plan import (
    Arithmetic,
    Compare,
    Count,
    Dim,
    During,
    Has,
    Measure,
    MetricRef,
    Only,
    Plan,
    Rate,
)

_SHARE = re.compile(
    rf"\b(?:(?P<asks>(?:what|which|how\s+many)\s+)?(?:(?:is|was)\s+)?(?:the\s+)?"
    rf"(?:share|{PERCENT}|proportion|fraction)|(?P<many>how\s+many))\s+of\s+(?P<rest>[^?]+?)\s*\??\s*$",
    re.IGNORECASE,
)
# What is said of the rows begins with one of these; a past may be part of what the rows are.
_OWN = r"(?<!\bthat)(?<!\bwho)(?<!\bwhich)\s+"
_VERBS = tuple(
    re.compile(rf"{_OWN}(?=(?:{words})\b)", re.IGNORECASE)
    for words in (
        "have|has|had|are|is|were|was|do|does|did|never|would|could|contain(?:s|ed)?|include[sd]?",
        "got|gets?|went|go|goes|came|comes?|use[sd]?|took|takes?|ended|made|paid|pay|bought|ordered|"
        "returned|cancelled|left|stayed",
    )
)
# A share is one, the rows are many.
_PLURAL = {"was": "were", "is": "are", "has": "have", "does": "do"}
_SINGULAR = re.compile(r"^(?:was|is|has|does)\b", re.IGNORECASE)
_CLAUSE = re.compile(r"\s+(?:(?:that|who|which)\s+|(?=(?:with|without)\s+))", re.IGNORECASE)
_ALL = re.compile(r"^(?:(?:all|the|our|my|your|of|these|those)\s+)+", re.IGNORECASE)
# A share for each of several things or times is no single one.
_GROUPED = re.compile(
    r"\b(?:for\s+each|for\s+every|per|by|each|and\s+in|vs|versus|compared)\b", re.IGNORECASE
)
_PARTS = re.compile(r"\b(?:comes?|came|coming)\s+from\b|\bmade\s+(?:by|with|up)\b", re.IGNORECASE)


def share_of(text: str) -> Frame | None:
    """The share of what is counted for which the rest of the question holds."""
    found = _SHARE.search(text)
    if found is None or found["many"] or _PARTS.search(text) or _GROUPED.search(text):
        return None
    rest = found["rest"]
    verbs = (verb.search(rest) for verb in _VERBS) if found["asks"] else ()
    clause = next((verb for verb in verbs if verb), None) or _CLAUSE.search(rest)
    if clause is None:
        return None
    rows = _ALL.sub("", tidy(rest[: clause.start()]))
    said = _SINGULAR.sub(lambda found: _PLURAL[found[0].lower()], tidy(rest[clause.end() :]))
    if not rows or not said:
        return None
    return Frame(
        f"how many {rows} {said}", _nothing, beside=f"how many {rows}", of=_of, surely=True
    )


def _nothing(_: Plan) -> None:
    """A part alone is no share."""


def _of(part: Plan, whole: Plan) -> Plan | None:
    """The plan that counts a part of the rows, as a share of the one that counts all of them."""
    counted = _counted(part)
    if counted is None or counted != _counted(whole) or _dims(part) or _dims(whole):
        return None
    more = [each for each in part.where if each not in whole.where]
    # A time is that of all rows, wherever it is said: "went through the shop in 2025".
    times = tuple(each for each in more if isinstance(each, During))
    more = [each for each in more if each not in times]
    if not more or part.having or whole.having or part.limit or whole.limit:
        return None
    narrowed: Measure = counted
    for each in more:
        narrowed = Only(narrowed, each)
    share: Measure = Arithmetic("DIV", narrowed, counted)
    if isinstance(counted, Count) and len(more) == 1 and not isinstance(more[0], Compare | Has):
        share = Rate(more[0])  # as the network says it of its own table's rows
    return replace(whole, select=(share,), where=(*whole.where, *times), order=None)


def _counted(plan: Plan) -> Count | MetricRef | None:
    """What the plan counts, where that is all it does."""
    one = plan.select[0] if len(plan.select) == 1 else None
    return one if isinstance(one, Count | MetricRef) else None


def _dims(plan: Plan) -> bool:
    return any(isinstance(each, Dim) for each in plan.select)
