"""Differences that the project has a column for: that column says them.

Days between an order and its delivery may stand in ``delivery_days``, with the project's own idea
of what counts. Which column that is, its lineage tells: the SQL it is made by. Where the project
counts from ``order_date``, days from ``ordered_at`` mean the same.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass, replace
from typing import Any, cast

from dbt_t2s import sql
from dbt_t2s.project.schema import Column, Kind, Table
from dbt_t2s.query.checked import parts_of
from dbt_t2s.query.plan import Col, Diff, Plan
from dbt_t2s.query.text import stem, stems
from dbt_t2s.sql import exp

Differences = Mapping[Diff, Col]
_TIMES = (Kind.DATE, Kind.TIMESTAMP)
# Words of a column's name that say how its times are told.
_WHEN = frozenset(map(stem, (
    "at", "on", "date", "datetime", "day", "time", "timestamp", "ts", "utc", "local", "tz",
)))  # fmt: skip


def differences(table: Table, dialect: str) -> dict[Diff, Col]:
    """The differences within a row of ``table`` that one of its columns is."""
    found: dict[Diff, Col] = {}
    for column in table.columns:
        sides = _sides(column, dialect)
        if sides is None:
            continue
        for left in _holding(table, sides[0], dialect):
            for right in _holding(table, sides[1], dialect):
                pair = Diff(Col(table.name, left), Col(table.name, right))
                found.setdefault(pair, Col(table.name, column.name))
    for pair, of in tuple(found.items()):
        for left in _of_the_same(table, pair.left.column):
            for right in _of_the_same(table, pair.right.column):
                found.setdefault(Diff(Col(table.name, left), Col(table.name, right)), of)
    return found


def _of_the_same(table: Table, name: str) -> Iterator[str]:
    """The column and, of a time, all that tell when the same happened, by their names."""
    yield name
    event = _event(name)
    if not event or table.column(name).kind not in _TIMES:
        return
    for column in table.columns:
        if column.name != name and column.kind in _TIMES and _event(column.name) == event:
            yield column.name


def _event(name: str) -> tuple[str, ...]:
    """What a column of times is about: ``order`` for ``ordered_at`` and ``order_date``."""
    return tuple(each for each in stems(name) if each not in _WHEN)


def in_own_columns(plan: Plan, known: Differences) -> Plan:
    """The plan with the project's columns for the differences that they are."""
    differs = known and any(isinstance(part, Diff) for part in parts_of(plan))
    return cast(Plan, _put(plan, known)) if differs else plan


def _put(part: Any, known: Differences) -> Any:
    if isinstance(part, Diff):
        return known.get(part, part)
    if isinstance(part, tuple):
        return tuple(_put(each, known) for each in part)
    if is_dataclass(part) and not isinstance(part, type):
        now = {f.name: _put(getattr(part, f.name), known) for f in fields(part)}
        return replace(part, **now)
    return part


def _sides(column: Column, dialect: str) -> tuple[str, str] | None:
    """What is taken from what, as names of lineage; None where the column is no difference."""
    written = column.expression
    if column.kind is not Kind.NUMBER or len(column.sources) != 2:  # an interval is no number
        return None
    if not ("-" in written or "DIFF" in written.upper()):
        return None
    node = _uncast(_parsed(written, dialect))
    days = isinstance(node, exp.DateDiff) and node.text("unit").upper() in ("DAY", "")
    if not (days or isinstance(node, exp.Sub)):
        return None
    left, right = (_uncast(each) for each in (node.this, node.expression))
    if not (isinstance(left, exp.Column) and isinstance(right, exp.Column)):
        return None
    return left.sql(dialect), right.sql(dialect)


def _holding(table: Table, source: str, dialect: str) -> Iterator[str]:
    """The columns of ``table`` that hold ``source``: as it is, or its day."""
    for column in table.columns:
        whole = not column.expression
        if column.sources == (source,) and (
            whole or isinstance(_uncast(_parsed(column.expression, dialect)), exp.Column)
        ):
            yield column.name


def _parsed(expression: str, dialect: str) -> exp.Expr:
    """The expression; one that is cut short, or that cannot be read, as plain text."""
    try:
        return sql.parse_one(expression, dialect)
    except sql.SqlError:
        return exp.Literal.string(expression)


def _uncast(node: exp.Expr) -> exp.Expr:
    node = node.unnest()
    while isinstance(node, exp.Cast):
        node = node.this.unnest()
    return node
