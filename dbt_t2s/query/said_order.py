"""The order that a question's own words settle: months "in order", and who is slow.

The slowest agent is the one with the most hours, the fastest the one with the fewest: what runs
against "most" and "least" is the column, and its name says so.
"""

from __future__ import annotations

import re
from dataclasses import replace

from dbt_t2s.query.plan import (
    GRAINS,
    Agg,
    Bucket,
    Col,
    Diff,
    Expr,
    MetricRef,
    Order,
    Plan,
    is_measure,
)
from dbt_t2s.query.text import stem, stems

_IN_TIME = re.compile(
    r"\bchronological(?:ly)?\b|\bin\s+(?:chronological|time|date|calendar)\s+order\b"
    r"|\b(?:oldest|earliest)\s+(?:month|week|day|year|quarter|one)?\s*first\b"
    r"|\bjanuary\s+(?:to|through|till|until)\s+december\b",
    re.IGNORECASE,
)
_SLOW = re.compile(r"\bslow(?:est|ly)\b", re.IGNORECASE)
_FAST = re.compile(r"\b(?:fastest|quickest|swiftest|speediest)\b", re.IGNORECASE)
# What takes long is counted in these; of what is fast there is much.
_LASTS = frozenset(map(stem, (
    "second", "seconds", "minute", "minutes", "hour", "hours", "day", "days", "duration", "delay",
    "latency", "wait", "waiting",
)))  # fmt: skip


def in_order(plan: Plan, text: str) -> Plan:
    """``plan`` in the order that ``text`` names."""
    if plan.order is None:
        return plan
    if plan.limit is None and _IN_TIME.search(text):
        times = [e for e in plan.select if isinstance(e, Bucket) and e.grain in GRAINS]
        ordered = is_measure(plan.order.by)
        return replace(plan, order=Order(times[0], False)) if len(times) == 1 and ordered else plan
    slow, fast = _SLOW.search(text), _FAST.search(text)
    if bool(slow) == bool(fast) or not _lasting(plan.order.by):
        return plan
    return replace(plan, order=replace(plan.order, descending=bool(slow)))


def _lasting(by: Expr) -> bool:
    """Whether it is an amount of time: more of it is slower."""
    match by:
        case Agg(_, of):
            return _lasting(of)
        case Diff():
            return True
        case Col(_, column):
            return not _LASTS.isdisjoint(stems(column))
        case MetricRef(name):
            return not _LASTS.isdisjoint(stems(name))
    return False
