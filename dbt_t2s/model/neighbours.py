"""Plans one step from the last one that a follow-up may mean without naming anything of it.

"Who are they", "the other way round", "and what is that in all": the rows behind a number, another
order, the sum of what is listed. The network says how likely each is.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from dbt_t2s.project.schema import Kind, Role, Table
from dbt_t2s.query import edits
from dbt_t2s.query.plan import (
    GRAINS,
    MEASURES,
    Agg,
    Arithmetic,
    Bucket,
    Col,
    Count,
    During,
    Expr,
    Not,
    Order,
    Plan,
    Pred,
    Value,
    Wrapped,
    canonical,
)

_KEYS = (Role.KEY, Role.FOREIGN_KEY)
_TIMES = (Kind.DATE, Kind.TIMESTAMP)
_PLAIN = tuple(m for m in MEASURES if m not in (Wrapped, Arithmetic))


def neighbours(
    plan: Plan, root: str, shown: Col | None, tables: dict[str, Table], values: Sequence[Value]
) -> tuple[Plan, ...]:
    """``root`` is the table whose rows the plan is about, ``shown`` the column that names them to
    a person; ``values`` are those that the follow-up names."""
    found = dict.fromkeys(
        canonical(each)
        for each in (
            *_denied(plan, values),
            *_listed(plan, shown),
            *_ordered(plan, tables),
            *_measured(plan, root, tables),
        )
    )
    return tuple(each for each in found if each != plan)


def _denied(plan: Plan, values: Sequence[Value]) -> Iterator[Plan]:
    """A condition turned round, and rows without what is named or beside it."""
    for pred in plan.where:
        if not isinstance(pred, During):
            other: Pred = pred.of if isinstance(pred, Not) else Not(pred)
            yield replace(plan, where=tuple(other if p == pred else p for p in plan.where))
    for value in values:
        if value not in plan.where and Not(value) not in plan.where:
            yield edits.with_pred(plan, Not(value))
            yield edits.or_value(plan, value)


def _listed(plan: Plan, shown: Col | None) -> Iterator[Plan]:
    """The rows that are counted or measured."""
    if shown is not None and edits.measures(plan):
        yield edits.listed(plan, (shown,))


def _ordered(plan: Plan, tables: dict[str, Table]) -> Iterator[Plan]:
    """Another order of what is shown, or another end of it."""
    if plan.order is not None:
        yield edits.flipped(plan)
        yield replace(plan, order=None, limit=None, per=None)
    if not edits.dims(plan):
        return
    by: list[Expr] = list(edits.measures(plan))
    by += [d for d in edits.dims(plan) if _amounts(d, tables) or isinstance(d, Bucket)]
    for each in by:
        for descending in (True, False):
            if plan.order != Order(each, descending):
                yield edits.ordered(plan, each, descending)


def _amounts(of: Expr, tables: dict[str, Table]) -> bool:
    if not isinstance(of, Col):
        return False
    column = tables[of.table].column(of.column)
    return column.role not in _KEYS and column.kind in (Kind.NUMBER, *_TIMES)


def _measured(plan: Plan, root: str, tables: dict[str, Table]) -> Iterator[Plan]:
    """The same in another way: shares, running totals, sums of what is listed, one by another."""
    measured, groups = edits.measures(plan), edits.dims(plan)
    if not measured:
        if root:
            yield edits.counted(plan, root)
        for of in groups:
            numeric = isinstance(of, Col) and tables[of.table].column(of.column).kind is Kind.NUMBER
            if isinstance(of, Col) and numeric and _amounts(of, tables):
                for function in ("SUM", "AVG"):
                    yield Plan((Agg(function, of),), plan.where)
        return
    if root and not any(isinstance(m, Count) for m in measured):
        yield edits.with_measure(plan, Count(root))
    if len(measured) == 1 and groups and isinstance(measured[0], _PLAIN):
        yield edits.wrapped(plan, "SHARE")
        if any(isinstance(g, Bucket) and g.grain in GRAINS for g in groups):
            yield edits.wrapped(plan, "RUNNING")
            yield edits.wrapped(plan, "CHANGE")
    if len(measured) == 2 and all(isinstance(m, _PLAIN) for m in measured):
        for left, right in (measured, measured[::-1]):
            for operator in ("DIV", "SUB"):
                yield Plan((*groups, Arithmetic(operator, left, right)), plan.where)
