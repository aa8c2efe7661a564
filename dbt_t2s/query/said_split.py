"""Figures that a question wants apart: "split by open and overdue", "how many A and how many B".

A network that hears two values of one column may hold the rows to both and give one figure. Of the
written questions with two values of a column and one of these words none wants their sum.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from dbt_t2s.query.plan import Col, Or, Plan, Pred, Value, is_measure

_APART = re.compile(
    r"\bsplit\b|\bseparately\b|\brespectively\b|\bvs\b|\bversus\b|\bcompared?\b|"
    r"\b(?P<many>how\s+(?:many|much))\b.+\b(?P=many)\b",
    re.IGNORECASE,
)


def apart(plan: Plan, text: str) -> Plan:
    """``plan`` with a figure for each value of a column, where ``text`` wants them apart."""
    if not plan.select or not all(map(is_measure, plan.select)) or not _APART.search(text):
        return plan
    columns = {column for each in plan.where if (column := _of_one_column(each))}
    if len(columns) != 1:
        return plan
    return replace(plan, select=(*columns, *plan.select))


def _of_one_column(pred: Pred) -> Col | None:
    """The column that several values are of; None where it is one value or none."""
    if not isinstance(pred, Or):
        return None
    parts = list(_values(pred))
    columns = {Col(p.table, p.column) for p in parts if isinstance(p, Value)}
    alike = len(columns) == 1 and all(isinstance(p, Value) for p in parts)
    return columns.pop() if alike else None


def _values(pred: Pred) -> Iterator[Pred]:
    if isinstance(pred, Or):
        yield from _values(pred.left)
        yield from _values(pred.right)
    else:
        yield pred
