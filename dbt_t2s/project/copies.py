"""Tables that repeat what others hold: wide marts and aggregates that people seldom mean."""

from __future__ import annotations

from collections.abc import Iterable

from dbt_t2s.project.schema import ProjectSchema, Role, Table

_MOSTLY = 0.6
_FEWEST_TABLES = 3


def copies(schema: ProjectSchema) -> frozenset[str]:
    """Tables most of whose columns stand, by name, in the tables that are none of them.

    The table that repeats most is set aside first: a wide mart repeats the orders' columns, but
    then the orders repeat nobody's.
    """
    left = {table.name: table for table in schema.tables}
    while len(left) >= _FEWEST_TABLES:
        repeated = {name: _repeated(table, left.values()) for name, table in left.items()}
        able = [n for n, count in repeated.items() if count >= _MOSTLY * max(len(_own(left[n])), 1)]
        if not able:
            break
        del left[max(able, key=lambda name: repeated[name])]
    return frozenset(table.name for table in schema.tables) - left.keys()


def _is_wider(other: Table, table: Table) -> bool:
    held = {column.name for column in other.columns}
    keyed = bool(table.primary_key) and held.issuperset(table.primary_key)
    return keyed and len(other.columns) > len(table.columns)


def _own(table: Table) -> frozenset[str]:
    keys = (Role.KEY, Role.FOREIGN_KEY)
    return frozenset(c.name for c in table.columns if c.role not in keys)


def _repeated(table: Table, others: Iterable[Table]) -> int:
    """How many of the table's columns stand in one of the others, under its entity's name too.

    A wider table that holds this one's key repeats it, not the other way round.
    """
    known = {
        name
        for other in others
        if other is not table and not _is_wider(other, table)
        for column in _own(other)
        for name in (column, f"{other.entity}_{column}")
    }
    return len(_own(table) & known)
