"""The order that a question's own words settle: months "in order", who is slow, what is worst.

The slowest agent is the one with the most hours, the fastest the one with the fewest: what runs
against "most" and "least" is the column, and its name says so. Likewise the worst cancellation rate
is the highest, the worst margin the lowest, and a refund rate worse than the average is above it.
"""

from __future__ import annotations

import re
from dataclasses import replace

from dbt_t2s.query.plan import (
    GRAINS,
    Agg,
    Bucket,
    Col,
    Compare,
    Diff,
    Expr,
    Flag,
    MetricRef,
    Order,
    Plan,
    Pred,
    Rate,
    RuleRef,
    Value,
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
_WORST = re.compile(r"\bworst\b", re.IGNORECASE)
_WORTH = re.compile(r"\b(?P<worse>worse)\s+than\b|\bbetter\s+than\b", re.IGNORECASE)
_FEWEST = re.compile(r"\b(?:lowest|smallest|fewest|poorest|weakest|cheapest)\b", re.IGNORECASE)
# What may ask for the other end, or for another order.
_OTHERWISE = re.compile(
    r"\b(?:best|most|highest|largest|biggest|dearest|least|last|end|bottom|to)\b",
    re.IGNORECASE,
)
# Of these less is better.
_BAD = frozenset(map(stem, (
    "cancel", "cancelled", "cancellation", "refund", "complaint", "churn", "churned", "error",
    "failed", "failure", "defect", "bounce", "late", "damage", "loss", "lost", "scrap", "waste",
    "rejected", "rejection", "incident", "downtime", "outage", "overdue", "unpaid", "accident",
    "theft", "fault", "breakage", "shrinkage", "absence", "shortage", "spoilage", "crash",
    "dropout",
)))  # fmt: skip
_GOOD = frozenset(map(stem, (
    "revenue", "sales", "turnover", "margin", "profit", "income", "growth", "score",
    "satisfaction", "conversion",
)))  # fmt: skip


def in_order(plan: Plan, text: str) -> Plan:
    """``plan`` in the order that ``text`` names."""
    if plan.order is None:
        return plan
    if plan.limit is None and _IN_TIME.search(text):
        times = [e for e in plan.select if isinstance(e, Bucket) and e.grain in GRAINS]
        ordered = is_measure(plan.order.by)
        return replace(plan, order=Order(times[0], False)) if len(times) == 1 and ordered else plan
    descending = _descending(plan.order.by, text)
    if descending is None:
        return plan
    return replace(plan, order=replace(plan.order, descending=descending))


def by_worth(plan: Plan, text: str) -> Plan:
    """``plan`` with what is better or worse than something on the side that its name says."""
    found = [m["worse"] is not None for m in _WORTH.finditer(text)]
    if len(found) != 1:
        return plan
    where = tuple(_on_its_side(each, found[0]) for each in plan.where)
    having = tuple(_on_its_side(each, found[0]) for each in plan.having)
    return replace(plan, where=where, having=having)


def _on_its_side(pred: Pred, worse: bool) -> Pred:
    """The comparison with an average turned over where less of it is better."""
    if not isinstance(pred, Compare) or isinstance(pred.right, str):
        return pred
    if not _called(pred.left, _BAD) or _called(pred.left, _GOOD):
        return pred
    return replace(pred, operator="GT" if worse else "LT")


def _descending(by: Expr, text: str) -> bool | None:
    """Whether the most of ``by`` comes first; None where the words leave that open."""
    slow, fast = _SLOW.search(text), _FAST.search(text)
    if bool(slow) != bool(fast) and _called(by, _LASTS):
        return bool(slow)
    if _OTHERWISE.search(text):
        return None
    if _FEWEST.search(text):
        return False
    if not _WORST.search(text):
        return None
    bad = _called(by, _BAD | _LASTS)
    return bad if bad != _called(by, _GOOD) else None


def _called(by: Expr, names: frozenset[str]) -> bool:
    """Whether its name holds one of ``names``; what lasts as long as a span of days does."""
    match by:
        case Agg(_, (Col() | Diff()) as of):
            return _called(of, names)
        case Diff():
            return names >= _LASTS
        case Rate(Value(_, _, name)) | Rate(RuleRef(name)) | Rate(Flag(Col(_, name))):
            return not names.isdisjoint(stems(name))
        case Col(_, name) | MetricRef(name):
            spoken = frozenset(stems(name))
            return "per" not in spoken and not names.isdisjoint(spoken)  # "metres per hour"
    return False
