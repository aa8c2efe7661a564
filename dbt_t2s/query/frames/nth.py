"""The second, third or fourth of an order: "the second best product"."""

from __future__ import annotations

import re
from dataclasses import replace
from functools import partial

from dbt_t2s.query.frames.frame import Frame
from dbt_t2s.query.plan import Plan

_ORDINALS = ("second", "third", "fourth", "fifth")
_SHORT = ("2nd", "3rd", "4th", "5th")
_FORM = re.compile(
    rf"\b(?P<n>{'|'.join((*_ORDINALS, *_SHORT))})[\s-]+"
    r"(?=(?:best|worst|most|least|fewest|top|(?:high|larg|bigg|low|small|long|short|cheap|old|new|young|busi|"
    r"strong|weak|fast|slow|great|heavi|light|rich|late|earli)est)\b)",
    re.IGNORECASE,
)


def nth(text: str) -> Frame | None:
    """The one that comes so many after the first."""
    found = list(_FORM.finditer(text))
    if len(found) != 1:
        return None
    said = found[0]["n"].lower()
    before = (_ORDINALS if said in _ORDINALS else _SHORT).index(said) + 1
    core = text[: found[0].start()] + text[found[0].end() :]
    return Frame(core, partial(_around, before=str(before)))


def _around(plan: Plan, before: str) -> Plan | None:
    if plan.limit != "1" or plan.order is None or plan.per or plan.skip:
        return None
    return replace(plan, skip=before)
