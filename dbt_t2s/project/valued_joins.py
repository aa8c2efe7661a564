"""Joins that values alone suggest: codes of one shape, all of which are another table's key."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

from dbt_t2s.duck import Execute
from dbt_t2s.project.join_checks import Uniqueness, with_orphans
from dbt_t2s.project.schema import Column, Issue, Join, Kind, Table

# Fewer distinct codes than these may be among a key's by chance.
_FEWEST = 5
# A column whose codes more keys than these may hold is not asked: they would hardly tell.
_MOST_KEYS = 4


def find(
    tables: Sequence[Table],
    taken: Collection[tuple[str, str]],
    unique: Uniqueness,
    execute: Execute | None,
    dialect: str,
) -> tuple[tuple[Join, ...], tuple[Issue, ...]]:
    """A join for each column of codes, not in ``taken``, whose values exactly one key holds all.

    Numbers are left alone: where keys count from one, any small number is among them. So are
    personal data and texts without a shape.
    """
    codes = [(table, each) for table in tables for each in table.columns if _is_code(each)]
    keys = [(table, each) for table, each in codes if unique.measured(table, (each.name,))]
    placed = {*taken, *((table.name, each.name) for table, each in keys)}
    asked: list[Join] = []
    for table, column in codes:
        if (table.name, column.name) not in placed:
            near = [key for key in keys if key[0] is not table and _may_hold(key[1], column)]
            asked += [_join(table, column, *key) for key in near if len(near) <= _MOST_KEYS]
    if execute is None or not asked:
        return (), ()
    measured, issues = with_orphans(
        asked, {table.name: table for table in tables}, execute, dialect
    )
    return tuple(_sole([join for join in measured if join.orphan_share == 0.0])), issues


def _is_code(column: Column) -> bool:
    return column.kind is Kind.TEXT and bool(column.format) and not column.personal


def _may_hold(key: Column, column: Column) -> bool:
    return key.format == column.format and _FEWEST <= (column.distinct or 0) <= (key.distinct or 0)


def _join(table: Table, column: Column, to_table: Table, key: Column) -> Join:
    values = f"all {column.distinct} of {table.name}.{column.name} in {to_table.name}.{key.name}"
    return Join(
        table.name,
        (column.name,),
        to_table.name,
        (key.name,),
        evidence=(f"values: {values}",),
        proven=False,
    )


def _sole(joins: Sequence[Join]) -> Iterator[Join]:
    """Those of columns that only one key holds."""
    places = [(join.table, join.columns) for join in joins]
    return (join for join, place in zip(joins, places, strict=True) if places.count(place) == 1)
