"""Copies of rows with other values, together with all the rows that must change with them.

A copy gets keys of its own, so what is unique stays so. What follows from a changed value in its
row follows in the copy (``row_ties``); a row that names a changed row names its copy; what a row
repeats of the row it names, or of its twin in another table, changes there too.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal

from dbt_t2s.duck import Connection, quoted
from dbt_t2s.judge.instances import is_jittered
from dbt_t2s.judge.row_changes import RowChanges
from dbt_t2s.judge.row_reader import RowReader, TornError
from dbt_t2s.judge.row_ties import Link, Ties
from dbt_t2s.judge.wanted_values import Same, Times, Value

# Rows that hang together are followed this far before a copy is given up.
_MOST_COPIES = 12
# Whole numbers below this fit every column of whole numbers that is not a small one.
_LARGE = 2**31
Place = tuple[str, int]


@dataclass(frozen=True)
class Copied:
    """A row of ``table`` to be written: that of ``rowid`` but for ``changes``."""

    table: str
    rowid: int
    changes: tuple[tuple[str, object], ...]


@dataclass
class _Row:
    table: str
    rowid: int
    old: Mapping[str, object]
    new: dict[str, object] = field(default_factory=dict)
    copied: bool = False

    def value(self, column: str) -> object:
        return self.new.get(column, self.old[column])


class Copier(RowReader):
    """Makes copies over one file; keys go on from the largest that is there."""

    def __init__(self, connection: Connection, ties: Ties) -> None:
        super().__init__(connection, ties)
        self._next: dict[str, int] = {}
        self._counted = 0

    def count(self) -> int:
        """How often it was asked, from 1: what is named by it has a name of its own."""
        self._counted += 1
        return self._counted

    def copy(
        self,
        rows: Sequence[Place],
        changes: Mapping[tuple[Place, str], Value],
        factor: int = 1,
    ) -> tuple[Copied, ...]:
        """Copies of ``rows``, the first in any case; TornError where that cannot be.

        ``factor``: of the amounts of the first, and of its twins, that a sum and a maximum show it.
        """
        family = _Family(self, self.ties)
        for table, rowid in rows:
            family.add(table, rowid)
        wanted: dict[Place, dict[str, object]] = {}
        for (place, column), value in changes.items():
            given: object = value
            if isinstance(value, Same):
                given = family.rows[place].old[value.column]
            elif isinstance(value, Times):
                number = family.rows[place].old[value.column]
                if not isinstance(number, int | Decimal):
                    raise TornError(f"{place[0]}.{value.column} is no number in row {place[1]}")
                given = number * value.factor + value.more
            wanted.setdefault(place, {})[column] = given
            if isinstance(value, Same):
                # It stays: dates of a row move together otherwise.
                wanted[place].setdefault(value.column, given)
        for place, values in wanted.items():
            family.change(family.rows[place], values)
        family.renew(family.rows[rows[0]])
        if factor > 1:
            family.scale(family.rows[rows[0]], factor)
        family.settle()
        copies = family.copies()
        for copied in copies:
            self._check_types(copied)
        return copies

    def _check_types(self, copied: Copied) -> None:
        """TornError where a column cannot hold its new value."""
        types = self.ties.types(copied.table)
        asked = [(types[name], value) for name, value in copied.changes if value is not None]
        asked = [(kind, value) for kind, value in asked if not _fits(kind, value)]
        if asked:
            casts = ", ".join(f"?::{kind}" for kind, _ in asked)
            self.ask(f"select {casts}", [value for _, value in asked])

    def fresh(self, table: str, column: str, old: object) -> object:
        """A value that no row of the column has, nor a key of that name in another table."""
        kind = self.ties.types(table)[column]
        if kind == "VARCHAR":
            return f"{old} {self._number(column)}"
        if kind == "UUID":
            return uuid.uuid5(uuid.NAMESPACE_OID, f"{column} {self._number(column)}")
        if kind.endswith(("INT", "INTEGER")) or kind.startswith(("DECIMAL", "DOUBLE", "FLOAT")):
            return self._number(column)
        raise TornError(f"{table}.{column} is unique, and a {kind}")

    def _number(self, column: str) -> int:
        if column not in self._next:
            largest = [0]
            for table, target in self.ties.targets.items():
                if column in self.ties.unique(table):
                    number = f"coalesce(max(try_cast({quoted(column)}::varchar as hugeint)), 0)"
                    found = self.ask(f"select {number} from {target.name}")
                    largest.append(int(str(found)))
            self._next[column] = max(largest)
        self._next[column] += 1
        return self._next[column]


class _Family:
    """The rows that one change concerns."""

    def __init__(self, copier: Copier, ties: Ties) -> None:
        self._copier = copier
        self._ties = ties
        self._changes = RowChanges(copier)
        self.rows: dict[Place, _Row] = {}

    def add(self, table: str, rowid: int) -> _Row:
        place = (table, rowid)
        if place not in self.rows:
            if len(self.rows) >= _MOST_COPIES:
                raise TornError("too many rows hang together")
            self.rows[place] = _Row(table, rowid, self._copier.row(table, rowid))
        return self.rows[place]

    def copies(self) -> tuple[Copied, ...]:
        return tuple(
            Copied(row.table, row.rowid, tuple(row.new.items()))
            for row in self.rows.values()
            if row.copied
        )

    def scale(self, first: _Row, factor: int) -> None:
        """One whole factor a row, as in perturbed instances: what adds up still does."""
        scaled = self._scale(first, factor, {})
        for link in self._ties.links(first.table):
            for twin in self.rows.values():
                if link.twins and twin.copied and twin.table == link.other:
                    repeated = {
                        mirror: column in scaled
                        for column in self._ties.types(first.table)
                        for mirror in self._ties.mirrors(link, column)
                    }
                    self._scale(twin, factor, repeated)

    def _scale(self, row: _Row, factor: int, told: Mapping[str, bool]) -> set[str]:
        """The columns that were: ``told`` says of some whether they are to be."""
        target = self._ties.targets[row.table]
        scaled: set[str] = set()
        for column in target.table.columns:
            name = column.name.lower()
            kind = self._ties.types(row.table).get(name)
            if kind is None or name in row.new or name in self._ties.joined(row.table):
                continue
            value = row.old[name]
            if not isinstance(value, int | float | Decimal):
                continue
            if told.get(name, is_jittered(target, column, kind)):
                row.new[name] = value * factor
                scaled.add(name)
        return scaled

    def change(self, row: _Row, values: Mapping[str, object]) -> None:
        """Gives ``row`` other values, and all else what follows from them."""
        settled = self._changes.followed(row.table, row.old, values)
        changed = {column: value for column, value in settled.items() if value != row.value(column)}
        for column, value in changed.items():
            if column in row.new:
                raise TornError(f"{row.table}.{column} would have two values")
            self._check(row, column, value)
        if not changed:
            return
        # Which rows are named must be known before a key changes.
        named = self._named(row, changed)
        naming = self._naming(row)
        row.new.update(changed)
        self.renew(row)
        for link, other in named:
            for column, value in changed.items():
                for mirror in self._ties.mirrors(link, column):
                    if mirror not in link.other_columns:
                        self._spread(other, mirror, value)
        for link, other in naming:
            for column, value in changed.items():
                if column in link.other_columns:
                    continue
                for mirror in self._ties.mirrors(link, column, True):
                    self._spread(other, mirror, value)

    def settle(self) -> None:
        """What rows that came in late repeat of those that had changed before."""
        for _ in range(_MOST_COPIES):
            before = sum(len(row.new) for row in self.rows.values())
            for row in [each for each in self.rows.values() if each.copied]:
                for link in self._ties.links(row.table):
                    self._settle(row, link)
            if before == sum(len(row.new) for row in self.rows.values()):
                return
        raise TornError("changes go round in a circle")

    def _settle(self, row: _Row, link: Link) -> None:
        key = [row.value(column) for column in link.columns]
        for other in list(self.rows.values()):
            if other.table != link.other or other is row:
                continue
            if key != [other.value(column) for column in link.other_columns]:
                continue
            for column in [each for each in other.new if each not in link.other_columns]:
                for mirror in self._ties.mirrors(link, column, True):
                    self._spread(row, mirror, other.new[column])
            for column in [each for each in row.new if each not in link.columns]:
                for mirror in self._ties.mirrors(link, column):
                    self._spread(other, mirror, row.new[column])

    def _spread(self, other: _Row, column: str, value: object) -> None:
        if other.value(column) != value:
            self.change(other, {column: value})

    def renew(self, row: _Row) -> None:
        """Makes ``row`` a copy with keys of its own, once; its twins and what names it too."""
        if row.copied:
            return
        row.copied = True
        naming = self._naming(row)
        named = [(link, self._target(row, link)) for link in self._ties.links(row.table)]
        for column in sorted(self._ties.unique(row.table)):
            if column in row.new or row.old[column] is None:
                continue
            if self._ties.is_time(row.table, column):
                raise TornError(f"{row.table}.{column} is unique, and a date")
            value = self._copier.fresh(row.table, column, row.old[column])
            row.new[column] = value
            for link, other in named:
                # A key that points elsewhere: the row there is this row's other half.
                if other is not None and link.columns == (column,):
                    self._rename(other, link.other_columns[0], value)
            for link, other in naming:
                if link.other_columns == (column,):
                    self._rename(other, link.columns[0], value)

    def _rename(self, row: _Row, column: str, value: object) -> None:
        if row.value(column) == value:
            return
        if column in row.new:
            raise TornError(f"{row.table}.{column} would have two values")
        table = self._ties.targets[row.table].table
        if column in {each.lower() for each in table.primary_key}:
            row.new[column] = value
            self.renew(row)
            for link, other in self._naming(row, row.old):
                if link.other_columns == (column,):
                    self._rename(other, link.columns[0], value)
            return
        self.change(row, {column: value})

    def _named(self, row: _Row, changed: Mapping[str, object]) -> list[tuple[Link, _Row]]:
        """What the row names, where a changed column is repeated there and not the reference."""
        found: list[tuple[Link, _Row]] = []
        for link in self._ties.links(row.table):
            if any(column in changed for column in link.columns):
                continue
            repeated = any(self._ties.mirrors(link, column) for column in changed)
            target = self._target(row, link) if repeated else None
            if target is not None:
                found.append((link, target))
        return found

    def _target(self, row: _Row, link: Link) -> _Row | None:
        """The row that ``row`` names: one of the family, by its new key or its old one."""
        values = [row.value(column) for column in link.columns]
        for other in self.rows.values():
            if other.table == link.other and values in (
                [other.value(column) for column in link.other_columns],
                [other.old[column] for column in link.other_columns],
            ):
                return other
        old = [row.old[column] for column in link.columns]
        if None in old:
            return None
        condition = " and ".join(f"{quoted(column)} = ?" for column in link.other_columns)
        found = self._copier.rows(link.other, condition, old)
        return self.add(link.other, found[0][0]) if found else None

    def _naming(
        self, row: _Row, values: Mapping[str, object] | None = None
    ) -> list[tuple[Link, _Row]]:
        """The rows of the family that name ``row``, by its key as it was."""
        known = values or row.old
        found: list[tuple[Link, _Row]] = []
        for other in self.rows.values():
            for link in self._ties.links(other.table):
                if link.other == row.table and other is not row:
                    own = [known[column] for column in link.other_columns]
                    if own == [other.old[column] for column in link.columns] and None not in own:
                        found.append((link, other))
        return found

    def _check(self, row: _Row, column: str, value: object) -> None:
        """What the tests promise of a column alone."""
        table = self._ties.targets[row.table].table
        known = next((each for each in table.columns if each.name.lower() == column), None)
        if known is None:
            return
        if value is None and not known.nullable:
            raise TornError(f"{row.table}.{column} is never null")
        listed = self._ties.listed.get((row.table, column), ())
        if listed and isinstance(value, str) and value not in listed:
            raise TornError(f"{row.table}.{column} has no value {value}")


def _fits(kind: str, value: object) -> bool:
    """Whether a column surely holds a value; the database is asked of others."""
    if isinstance(value, str):
        return kind == "VARCHAR"
    if isinstance(value, datetime):
        return kind == "TIMESTAMP"
    if isinstance(value, date):
        return kind == "DATE"
    if isinstance(value, bool):
        return kind == "BOOLEAN"
    return isinstance(value, int) and kind in ("INTEGER", "BIGINT") and abs(value) < _LARGE
