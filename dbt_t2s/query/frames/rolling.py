"""Averages and sums of the last few periods: "three month rolling average of revenue"."""

from __future__ import annotations

import re
from dataclasses import replace
from functools import partial

from dbt_t2s.query.frames.frame import NUMBER, Frame, number_of, tidy
from dbt_t2s.query.plan import Bucket, Dim, Plan, Rolling

_UNIT = r"(?:day|week|month|quarter)"
_ROLLS = r"(?:rolling|moving|trailing)"
_FORM = re.compile(
    rf"\b(?:(?P<n>{NUMBER})[\s-]*(?P<u>{_UNIT})s?[\s-]+{_ROLLS}|{_ROLLS}\s+(?P<n2>{NUMBER})[\s-]*(?P<u2>{_UNIT})s?)"
    r"[\s-]+(?:(?P<sum>sum|total)|average|avg|mean)\s*(?:of|for)?\b",
    re.IGNORECASE,
)
_BY_UNIT = r"\b(?:by|per|each|every|for\s+(?:each|every))\s+{}\b|\b(?:{}ly|daily)\b"


def rolling(text: str) -> Frame | None:
    """A figure of each period, averaged or added up over the last few of them."""
    found = _FORM.search(text)
    if found is None:
        return None
    unit, number = (found["u"] or found["u2"]).lower(), number_of(found["n"] or found["n2"])
    inside = tidy(re.sub(r"\s*,[\s,]*", " ", text[: found.start()] + text[found.end() :]))
    inside = tidy(re.sub(_BY_UNIT.format(unit, unit), " ", inside, flags=re.IGNORECASE))
    function = "ROLLING_SUM" if found["sum"] else "ROLLING_AVG"
    core = f"{inside} by {unit}"
    return Frame(core, partial(_around, unit=unit.upper(), function=function, periods=str(number)))


def _around(plan: Plan, unit: str, function: str, periods: str) -> Plan | None:
    by = [each.grain for each in plan.select if isinstance(each, Bucket)]
    if by != [unit] or plan.having or plan.limit or int(periods) < 2:
        return None
    select = tuple(
        each if isinstance(each, Dim) else Rolling(function, periods, each) for each in plan.select
    )
    return None if select == plan.select else replace(plan, select=select)
