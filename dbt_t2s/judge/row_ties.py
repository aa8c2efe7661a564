"""What holds among the columns of a row, and between rows that a key ties, in a file's data.

No test states that an order's month is that of its date, or that a line names its order's
customer; yet two right answers may rest on it. Everything here is measured by SQL on the rows.
"""

from __future__ import annotations

import functools
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from types import MappingProxyType

from dbt_t2s.duck import Connection, QueryError, quoted, run
from dbt_t2s.judge.instances import Target
from dbt_t2s.judge.presence import Presence, presences
from dbt_t2s.judge.sources import PROOFS
from dbt_t2s.project.schema import Join

# Ties are looked for in this many rows of a table: fewer rows show ties that others break, which
# only makes copies more careful.
_MOST_ROWS = 600
_MOST_LINKED = 400
_MOST_ADDED = 500
# Names of keys that do not say whose they are: tables that share them are no twins.
_ANYONES = ("id", "key", "uuid", "pk")
_TIME = ("DATE", "TIMESTAMP")
_WHOLE = ("INT", "INTEGER")
_NUMBERS = ("DECIMAL", "DOUBLE", "FLOAT", "BIG", "INT", "HUGE")
# x is the column asked about; what holds in all rows is 0 but for rounding.
_ADDED: tuple[Callable[[float, float, float], float], ...] = (
    lambda x, a, b: x - (a + b),
    lambda x, a, b: x - a * b,
    lambda x, a, b: a - (x + b),
    lambda x, a, b: a - x * b,
)
_ONE_WAY = _ADDED[2:]
_ROUNDED = 0.006
_UNITS = ("week", "month", "quarter", "year")
_PARTS = tuple(
    f"{part}({{}})" for part in ("year", "quarter", "month", "day", "dayofweek", "isodow", "hour")
)
# What columns are made from a date by; ``{}`` is the date. By the first letters of their types.
_OF_TIME = {
    "DATE": ("{}", *(f"date_trunc('{unit}', {{}})" for unit in _UNITS)),
    "TIME": tuple(f"date_trunc('{unit}', {{}})" for unit in ("day", *_UNITS)),
    "VARC": (
        "dayname({})",
        "monthname({})",
        "left(dayname({}), 3)",
        "strftime({}, '%Y-%m')",
        "year({}) || '-Q' || quarter({})",
    ),
    "INTE": _PARTS,
    "BIGI": _PARTS,
}


@dataclass(frozen=True)
class Link:
    """``table.columns`` names a row of ``other`` by ``other_columns``; twins share their key.

    ``proven`` where a test or a constraint says that it is always found.
    """

    table: str
    columns: tuple[str, ...]
    other: str
    other_columns: tuple[str, ...]
    twins: bool = False
    proven: bool = False


@dataclass(frozen=True)
class Settled:
    """A column that goes with another: ``settles`` where the other settles it, ``settled`` where
    it settles the other; ``empty`` where it does so when it is NULL alone, all else differs.
    """

    name: str
    settles: bool
    settled: bool
    empty: bool


class Ties:
    """The ties in one file, each looked for when it is asked for. Names are in lower case."""

    def __init__(
        self,
        connection: Connection,
        targets: Sequence[Target],
        joins: Sequence[Join],
        listed: Mapping[tuple[str, str], tuple[str, ...]] = MappingProxyType({}),
    ) -> None:
        """``listed`` are the values that tests allow columns, by (table, column)."""
        self.targets = {target.table.name: target for target in targets}
        self.listed = listed
        self._connection = connection
        self._links: dict[str, list[Link]] = {name: [] for name in self.targets}
        for link in self._found_links(joins):
            known = [replace(each, proven=False) for each in self._links[link.table]]
            if replace(link, proven=False) not in known:
                self._links[link.table].append(link)

    def links(self, table: str) -> Sequence[Link]:
        """What the rows of ``table`` name, and their twins."""
        return self._links[table]

    @functools.cache  # noqa: B019
    def joined(self, table: str) -> frozenset[str]:
        """The columns of a table by which its rows name others or are named."""
        own = {each for link in self._links[table] for each in link.columns}
        named = {
            each
            for links in self._links.values()
            for link in links
            if link.other == table
            for each in link.other_columns
        }
        return frozenset(own | named)

    def types(self, table: str) -> Mapping[str, str]:
        return {name.lower(): kind for name, kind in self.targets[table].columns}

    def unique(self, table: str) -> frozenset[str]:
        """The columns that tell the rows of a table apart, each alone."""
        described = self.targets[table].table
        key = described.primary_key if len(described.primary_key) == 1 else ()
        names = (*key, *(each.name for each in described.columns if each.unique))
        return frozenset(each.lower() for each in names) & set(self.types(table))

    def is_time(self, table: str, column: str) -> bool:
        return self.types(table)[column].startswith(_TIME)

    @functools.cache  # noqa: B019 - lives as long as one planting
    def made_from_time(self, table: str, column: str) -> tuple[tuple[str, str], ...]:
        """(another column, its SQL over ``{}``) of what a date settles by the calendar."""
        if not self.is_time(table, column):
            return ()
        asked = [
            (name, form, f"try_cast({form.replace('{}', self._of(column))} as {kind})")
            for name, kind in self.types(table).items()
            if name != column
            for form in _OF_TIME.get(kind[:4], ())
        ]
        holds = self._all_hold(table, [(self._of(name), sql) for name, _, sql in asked], column)
        found: dict[str, str] = {}
        for (name, form, _), held in zip(asked, holds, strict=True):
            if held:
                found.setdefault(name, form)
        return tuple(found.items())

    @functools.cache  # noqa: B019
    def period(self, table: str, column: str) -> str:
        """week, month, quarter or year where all dates of a column begin one; else empty."""
        if not self.is_time(table, column):
            return ""
        units = ("year", "quarter", "month", "week")
        own = self._of(column)
        holds = self._all_hold(table, [(own, f"date_trunc('{each}', {own})") for each in units])
        return next((unit for unit, held in zip(units, holds, strict=True) if held), "")

    @functools.cache  # noqa: B019
    def span(self, table: str, column: str) -> tuple[object, object]:
        """The least and the greatest value of a column."""
        own = self._of(column)
        found = self._ask(f"select min({own}), max({own}) from {self.targets[table].name}")
        return (found[0][0], found[0][1]) if found else (None, None)

    @functools.cached_property
    def last_day(self) -> date | None:
        """The day on which most columns of dates end, if two do: where the data ends."""
        ends = Counter(
            date(high.year, high.month, high.day)
            for name in self.targets
            for column in self.types(name)
            if self.is_time(name, column)
            for _, high in (self.span(name, column),)
            if isinstance(high, date)
        )
        day, columns = max(ends.items(), key=lambda each: (each[1], each[0]), default=(None, 0))
        return day if columns > 1 else None

    @functools.cache  # noqa: B019
    def settled_with(self, table: str, column: str) -> tuple[Settled, ...]:
        """Columns that ``column`` settles, or that settle it: one value of one, one of the other.

        Where all rows differ in a column that says nothing: at least two rows must share a value.
        """
        texts = self._texts(table)
        own = texts[column]
        own_count, rows = len(set(own)), len(own)
        tied: list[Settled] = []
        for name, others in texts.items():
            if name == column:
                continue
            other_count, both = len(set(others)), len(set(zip(own, others, strict=True)))
            settles = both == own_count and own_count <= rows / 2 and other_count > 1
            settled = both == other_count and other_count <= rows / 2 and own_count > 1
            if settles or settled:
                filled = [each for each in others if each is not None]
                empty = settled and len(set(filled)) > len(filled) / 2
                tied.append(Settled(name, settles, settled, empty))
        return tuple(tied)

    @functools.cache  # noqa: B019
    def _texts(self, table: str) -> Mapping[str, tuple[str | None, ...]]:
        """The values of some rows of a table as text, by column."""
        names = list(self.types(table))
        casts = ", ".join(f"{self._of(name)}::varchar" for name in names)
        found = self._ask(f"select {casts} from {self._sample(table)}")
        columns = zip(*found, strict=True) if found else ((),) * len(names)
        return {
            name: tuple(None if each is None else str(each) for each in column)
            for name, column in zip(names, columns, strict=True)
        }

    @functools.cache  # noqa: B019
    def counts_days(self, table: str, column: str, day: str) -> int:
        """1 where a number of days goes up as ``day`` does in all rows, -1 where it goes down as
        far, 0 elsewhere.
        """
        if not self.is_time(table, day) or not self.types(table)[column].endswith(_WHOLE):
            return 0
        days = f"epoch(date_trunc('day', {self._of(day)}))::bigint // 86400"
        found = self._ask(
            f"select count(distinct {days} - {self._of(column)}),"
            f" count(distinct {days} + {self._of(column)}), count(distinct {self._of(column)})"
            f" from {self.targets[table].name}"
        )
        up, down, values = (int(str(each)) for each in found[0]) if found else (0, 0, 0)
        return 0 if values < 2 else 1 if up == 1 else -1 if down == 1 else 0

    @functools.cache  # noqa: B019
    def is_constant(self, table: str, column: str) -> bool:
        """Whether a column has one value, or NULL, in all rows."""
        found = self._ask(
            f"select count(distinct {self._of(column)}) from {self.targets[table].name}"
        )
        return bool(found) and int(str(found[0][0])) <= 1

    @functools.cache  # noqa: B019
    def adds_up(self, table: str, column: str) -> bool:
        """Whether a number is the sum, difference or product of two others in every row, or a
        factor of another."""
        names = [
            name
            for name, kind in self.types(table).items()
            if name != column and kind.startswith(_NUMBERS)
        ]
        rows = self._numbers(table)
        if len({row[column] for row in rows if row[column] is not None}) <= 2:
            return False
        return any(
            _all_hold(rows, column, a, b, form)
            for a in names
            for b in names
            if a != b
            for form in _ADDED
            if a < b or form in _ONE_WAY
        )

    @functools.cache  # noqa: B019
    def _numbers(self, table: str) -> tuple[dict[str, float | None], ...]:
        """The numbers of some rows of a table, others as NULL."""
        casts = ", ".join(
            f"try_cast({self._of(name)} as double)" if kind.startswith(_NUMBERS) else "null"
            for name, kind in self.types(table).items()
        )
        found = self._ask(f"select {casts} from {self._sample(table, _MOST_ADDED)}")
        names = list(self.types(table))
        return tuple(
            {
                name: value if isinstance(value, float) else None
                for name, value in zip(names, row, strict=True)
            }
            for row in found
        )

    @functools.cache  # noqa: B019
    def presences(self, table: str) -> tuple[Presence, ...]:
        """Which columns of a table say that another is filled or empty."""
        target = self.targets[table]
        return presences(self._connection, target.name, target.columns)

    def mirrors(self, link: Link, column: str, back: bool = False) -> tuple[str, ...]:
        """Columns of the row that a link names which equal ``column`` of the row it starts at.

        ``back``: ``column`` is one of the named row's, and its equals are those of the other.
        """
        pairs = self._equal(link)
        if back:
            return tuple(own for own, other in pairs if other == column)
        return tuple(other for own, other in pairs if own == column)

    @functools.cache  # noqa: B019
    def _equal(self, link: Link) -> tuple[tuple[str, str], ...]:
        """(a column of the row a link starts at, one of the row it names) equal in all rows."""
        pairs = [
            (own, other)
            for own, kind in self.types(link.table).items()
            for other, other_kind in self.types(link.other).items()
            if kind == other_kind
        ]
        on = " and ".join(
            f"t.{quoted(a)} = p.{quoted(b)}"
            for a, b in zip(link.columns, link.other_columns, strict=True)
        )
        flags = ", ".join(
            f"coalesce(bool_and(t.{quoted(a)} is not distinct from p.{quoted(b)}), false)"
            for a, b in pairs
        )
        found = self._ask(
            f"select {flags} from {self._sample(link.table, _MOST_LINKED)} as t"
            f" join {self.targets[link.other].name} as p on {on}"
        )
        return tuple(p for p, flag in zip(pairs, found[0], strict=True) if flag) if found else ()

    def _found_links(self, joins: Sequence[Join]) -> Iterator[Link]:
        for join in joins:
            if join.table in self.targets and join.to_table in self.targets:
                own = tuple(each.lower() for each in join.columns)
                to = tuple(each.lower() for each in join.to_columns)
                there = set(own) <= set(self.types(join.table))
                if there and set(to) <= set(self.types(join.to_table)):
                    proven = any(each.startswith(PROOFS) for each in join.evidence)
                    yield Link(join.table, own, join.to_table, to, proven=proven)
        keys = {
            name: tuple(each.lower() for each in target.table.primary_key)
            for name, target in self.targets.items()
        }
        for one, key in keys.items():
            for other, other_key in keys.items():
                if one == other or len(key) != 1 or key != other_key or key[0] in _ANYONES:
                    continue
                if self._all_found(one, other, key[0]):
                    yield Link(one, key, other, key, twins=True)

    def _all_found(self, one: str, other: str, key: str) -> bool:
        """Whether every row of ``one`` has one of the same key in ``other``."""
        found = self._ask(
            f"select count(*) from {self.targets[one].name} as t anti join"
            f" {self.targets[other].name} as p on t.{quoted(key)} = p.{quoted(key)}"
        )
        return bool(found) and found[0][0] == 0

    def _all_hold(
        self, table: str, pairs: Sequence[tuple[str, str]], filled: str = ""
    ) -> tuple[bool, ...]:
        """Whether the sides of each pair are equal wherever ``filled`` is, in two rows at least."""
        if not pairs:
            return ()
        flags = ", ".join(
            f"coalesce(bool_and({a} is not distinct from {b}) and count({a}) > 1, false)"
            for a, b in pairs
        )
        where = f" where {self._of(filled)} is not null" if filled else ""
        found = self._ask(f"select {flags} from {self._sample(table)}{where}")
        return tuple(bool(each) for each in found[0]) if found else (False,) * len(pairs)

    def _of(self, column: str) -> str:
        return quoted(column)

    def _sample(self, table: str, rows: int = _MOST_ROWS) -> str:
        return f"(select * from {self.targets[table].name} limit {rows})"

    def _ask(self, sql: str) -> tuple[tuple[object, ...], ...]:
        found = run(self._connection, sql)
        return () if isinstance(found, QueryError) else found.rows


def _all_hold(
    rows: Sequence[Mapping[str, float | None]],
    x: str,
    a: str,
    b: str,
    form: Callable[[float, float, float], float],
) -> bool:
    """Whether ``form`` of three columns is 0 in every row that has all three, one at least."""
    some = False
    for row in rows:
        own, one, other = row[x], row[a], row[b]
        if own is None or one is None or other is None:
            continue
        if abs(form(own, one, other)) > _ROUNDED:
            return False
        some = True
    return some
