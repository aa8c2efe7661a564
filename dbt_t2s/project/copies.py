"""Tables that repeat what others hold: wide marts and aggregates that people seldom mean."""

from __future__ import annotations

from collections import Counter

from dbt_t2s.project.schema import ProjectSchema, Role, Table

_MOSTLY = 0.6
_FEWEST_TABLES = 3


def copies(schema: ProjectSchema) -> frozenset[str]:
    """Tables most of whose columns stand, by name, in the tables that are none of them.

    The table that repeats most is set aside first: a wide mart repeats the orders' columns, but
    then the orders repeat nobody's.
    """
    left = {table.name: _Standing(table) for table in schema.tables}
    for each in left.values():
        each.offers.update(name for other in left.values() for name in each.known_from(other))
    while len(left) >= _FEWEST_TABLES:
        able = [n for n, each in left.items() if each.repeated >= _MOSTLY * max(len(each.own), 1)]
        if not able:
            break
        gone = left.pop(max(able, key=lambda name: left[name].repeated))
        for each in left.values():
            each.offers.subtract(each.known_from(gone))
    return frozenset(table.name for table in schema.tables) - left.keys()


class _Standing:
    """A table's own columns, and how many of the tables left have each of them too."""

    def __init__(self, table: Table) -> None:
        self.table = table
        self.columns = frozenset(column.name for column in table.columns)
        keys = (Role.KEY, Role.FOREIGN_KEY)
        self.own = frozenset(c.name for c in table.columns if c.role not in keys)
        self.offered = self.own | {f"{table.entity}_{column}" for column in self.own}
        self.offers: Counter[str] = Counter()

    @property
    def repeated(self) -> int:
        return sum(count > 0 for count in self.offers.values())

    def known_from(self, other: _Standing) -> frozenset[str]:
        """The own columns that stand in another table, under its entity's name too.

        A wider table that holds this one's key repeats it, not the other way round.
        """
        if other is self or self._is_held_by(other):
            return frozenset()
        return self.own & other.offered

    def _is_held_by(self, other: _Standing) -> bool:
        keyed = bool(self.table.primary_key) and other.columns.issuperset(self.table.primary_key)
        return keyed and len(other.table.columns) > len(self.table.columns)
