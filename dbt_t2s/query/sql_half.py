"""A SELECT, read but not yet placed, and what edges and conditions are about."""

from __future__ import annotations

from dataclasses import dataclass

from dbt_t2s.project.schema import Join
from dbt_t2s.query.plan import Bucket, Col, Compare, Diff, Dim, Expr, Has, Not, Or, Order, Pred
from dbt_t2s.query.sql_source import Source


@dataclass(frozen=True)
class Half:
    """One SELECT read, its conditions not yet placed. ``finest`` is the table of its rows."""

    source: Source
    finest: str
    select: tuple[Expr, ...]
    preds: tuple[Pred, ...]
    group: tuple[Dim, ...]
    having: tuple[Compare, ...] = ()
    order: Order | None = None
    limit: str | None = None
    distinct: bool = False
    per: Dim | None = None


def points(join: Join, of: Col) -> bool:
    return join.table == of.table and join.columns == (of.column,)


def joins(join: Join, left: Col, right: Col) -> bool:
    return (
        points(join, left) and join.to_table == right.table and (join.to_columns == (right.column,))
    )


def tables_of(pred: Pred) -> set[str]:
    if isinstance(pred, Not):
        return tables_of(pred.of)
    if isinstance(pred, Or):
        return tables_of(pred.left) | tables_of(pred.right)
    if isinstance(pred, Has):
        return set()
    if isinstance(pred, Compare):
        return {pred.left.table} if isinstance(pred.left, Col | Diff) else set()
    table = getattr(pred, "table", "") or getattr(getattr(pred, "of", None), "table", "")
    return {table} if table else set()


def table_of(dim: Dim) -> str:
    """The table whose rows a dimension is of."""
    if isinstance(dim, Bucket):
        return dim.of.table if isinstance(dim.of, Col) else ""
    return dim.table
