"""Rows that a SELECT finds, and the changes after which rows that it nearly finds are found."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal

from dbt_t2s.duck import Connection, QueryError, Rows, quoted, run
from dbt_t2s.judge.copied_rows import Copier, Place
from dbt_t2s.judge.selected import Selected
from dbt_t2s.judge.wanted_values import Same, Value, Wanted, shifted

# Dates are made so long before the first one that a column has.
_LONGEST_BEFORE = timedelta(days=1830)


@dataclass(frozen=True)
class New:
    """A value that no row of a column has yet."""

    value: str | int


Changes = dict[tuple[Place, str], Value | New]


@dataclass(frozen=True)
class Reach:
    """The days that rows may be of: from ``first``, that of the calendars, to ``last``, today.

    Columns that have earlier or later ones go on from those.
    """

    first: date | None = None
    last: date | None = None


@dataclass(frozen=True)
class Base:
    """Rows by the tables' names in the query, and ``beside`` them those of its subqueries.

    ``anchor`` are the changes after which all conditions hold of them that can.
    """

    places: Mapping[str, Place]
    anchor: Changes
    beside: tuple[Place, ...] = ()

    @property
    def rows(self) -> tuple[Place, ...]:
        return (*self.places.values(), *self.beside)


class Bases:
    """The rows of one file that SELECTs find."""

    def __init__(self, connection: Connection, copier: Copier, reach: Reach) -> None:
        self._connection = connection
        self._copier = copier
        self._ties = copier.ties
        self._reach = reach

    def base(self, select: Selected, first: str = "") -> Base | None:
        """Rows that fulfil as many of the conditions as any do; ``first`` in an order if asked."""
        ids = [f"{quoted(name)}.rowid" for name, _ in select.tables]
        flags = [f"coalesce(({sql}), false)" for _, _, sql in select.simple]
        scores = [f"{flag}::integer" for flag in flags]
        if select.lent:
            scores.append(f"coalesce(({select.lent}), false)::integer * {len(flags) + 1}")
        shown = [f"{each}::integer" for each in select.shown]
        order = [f"{' + '.join(each)} desc" for each in (scores, shown) if each] + ids
        for others in dict.fromkeys((select.others, ())):
            where = f" where {' and '.join(f'({each})' for each in others)}" if others else ""
            found = run(
                self._connection,
                f"select {', '.join((*ids, *flags))} from {select.joined}{where}"
                f" order by {', '.join(([first] if first else []) + order)} limit 1",
            )
            if isinstance(found, QueryError) or not found.rows:
                continue
            row = found.rows[0]
            places = {
                name: (table.name, int(str(rowid)))
                for (name, table), rowid in zip(select.tables, row, strict=False)
                if rowid is not None
            }
            if select.tables[0][0] in places:
                fits = tuple(bool(each) for each in row[len(ids) :])
                return Base(places, self._anchor(select, places, fits))
        return self._tied(select) if len(select.tables) > 1 and not first else None

    def _tied(self, select: Selected) -> Base | None:
        """Rows of each table for itself, made to name each other, where no rows join."""
        places: dict[str, Place] = {}
        fits: list[bool] = [False] * len(select.simple)
        for name, table in select.tables:
            own = [at for at, (source, _, _) in enumerate(select.simple) if source == name]
            flags = [f"coalesce(({select.simple[at][2]}), false)" for at in own]
            order = [f"{' + '.join(f'{each}::integer' for each in flags)} desc"] if flags else []
            found = run(
                self._connection,
                f"select {', '.join(('rowid', *flags))}"
                f" from {self._ties.targets[table.name].name} as {quoted(name)}"
                f" order by {', '.join((*order, 'rowid'))} limit 1",
            )
            if isinstance(found, QueryError) or not found.rows:
                return None
            places[name] = (table.name, int(str(found.rows[0][0])))
            for at, flag in zip(own, found.rows[0][1:], strict=True):
                fits[at] = bool(flag)
        anchor = self._anchor(select, places, fits)
        for child in places.values():
            for link in self._ties.links(child[0]):
                for parent in places.values():
                    if parent[0] != link.other or link.twins or len(link.columns) != 1:
                        continue
                    key = self._copier.row(*parent)[link.other_columns[0]]
                    if isinstance(key, str | int | Decimal):
                        anchor[child, link.columns[0]] = key
        return Base(places, anchor)

    def inside(self, select: Selected, base: Base) -> Iterator[Place]:
        """Rows of the subqueries by which the base's are found, and which name those."""
        for each in select.inside:
            place = base.places.get(each.source)
            known = place is not None and each.table.name in self._ties.targets
            if not known or place is None or each.column not in self._ties.unique(place[0]):
                continue
            if each.own in self._ties.unique(each.table.name):
                continue
            found = run(
                self._connection,
                f"select rowid from {self._ties.targets[each.table.name].name}"
                f" where {quoted(each.own)} = ? and ({each.where}) order by rowid limit 1",
                values=[self._copier.row(*place)[each.column]],
            )
            if isinstance(found, Rows) and found.rows:
                yield each.table.name, int(str(found.rows[0][0]))

    def around(self, select: Selected, base: Base) -> tuple[Place, ...] | None:
        """A row of the query around that goes with the base's, where a key ties the two."""
        around = select.around
        place = base.places.get(around.own[0]) if around is not None else None
        if around is None or place is None or around.table.name not in self._ties.targets:
            return None
        table, own = around.table.name, around.own[1]
        key = around.column in self._ties.unique(table)
        if key == (own in self._ties.unique(place[0])) or place[0] == table:
            return None
        value = self._copier.row(*place)[own]
        if value is None:
            return None
        score = " + ".join(f"coalesce(({each}), false)::integer" for each in around.conditions)
        order = f"{score} desc, rowid" if score else "rowid"
        found = run(
            self._connection,
            f"select rowid from {self._ties.targets[table].name}"
            f" where {quoted(around.column)} = ? order by {order} limit 1",
            values=[value],
        )
        if isinstance(found, QueryError) or not found.rows:
            return None
        other = (table, int(str(found.rows[0][0])))
        # The row with the key first: what names it follows when it gets a key of its own.
        return (other,) if key else (place, other)

    def _anchor(
        self, select: Selected, places: Mapping[str, Place], fits: Sequence[bool]
    ) -> Changes:
        """The changes after which the rows fulfil the conditions that they do not."""
        changes: Changes = {}
        wanted = {(each.source, each.column): each for each in select.wanted}
        missed = {
            (source, column)
            for (source, column, _), fit in zip(select.simple, fits, strict=True)
            if not fit
        }
        for source, column in sorted(missed):
            place, values = places.get(source), wanted.get((source, column))
            if place is None or values is None:
                continue
            allowed = self.allowed(place[0], values)
            holds = self.holds(select, place, values, allowed)
            fitting = (
                value
                for value, held in zip(allowed, holds, strict=True)
                if held and not isinstance(value, Same)
            )
            value = next(fitting, None)
            if value is not None:
                changes[place, column.lower()] = value
        for place, column in list(changes):
            kept = self.pinned(select, places, place, column)
            changes = {**kept, **changes}
        return changes

    def pinned(
        self, select: Selected, places: Mapping[str, Place], place: Place, column: str
    ) -> Changes:
        """The other dates of a row that the SELECT compares: they do not move with ``column``."""
        if not self._ties.is_time(place[0], column):
            return {}
        made = {name for name, _ in self._ties.made_from_time(place[0], column)}
        row = self._copier.row(*place)
        found: Changes = {}
        for wanted in select.wanted:
            name = wanted.column.lower()
            if places.get(wanted.source) != place or name == column or name in made:
                continue
            if not self._ties.is_time(place[0], name):
                continue
            if column in {each for each, _ in self._ties.made_from_time(place[0], name)}:
                continue
            value = row[name]
            if isinstance(value, date):
                found[place, name] = value
        return found

    def holds(
        self, select: Selected, place: Place, wanted: Wanted, values: Sequence[Value]
    ) -> list[bool]:
        """Of each value, whether the conditions on it and its row's other columns hold then."""
        own = wanted.column.lower()
        simple = [
            sql
            for source, name, sql in select.simple
            if source == wanted.source and name.lower() == own
        ]
        joint = [
            sql
            for source, names, sql in select.same_row
            if source == wanted.source and own in names
        ]
        if not values or (not simple and not joint):
            return [True] * len(values)
        said = " and ".join(f"({each})" for each in (*simple, *joint))
        kind, name = self._ties.types(place[0])[own], quoted(wanted.column)
        if joint:
            table = self._ties.targets[place[0]].name
            row = f"select * replace (?::{kind} as {name}) from {table} where rowid = {place[1]}"
        else:
            row = f"select ?::{kind} as {name}"
        held: list[bool] = []
        for value in values:
            given = self._copier.row(*place)[value.column] if isinstance(value, Same) else value
            found = run(
                self._connection,
                f"select {said} from ({row}) as {quoted(wanted.source)}",
                values=[given],
            )
            held.append(isinstance(found, Rows) and bool(found.rows and found.rows[0][0]))
        return held

    def allowed(self, table: str, wanted: Wanted) -> tuple[Value, ...]:
        """The wanted values as the column can hold them: dates of its time, at its periods'
        starts."""
        ties, copier, column = self._ties, self._copier, wanted.column.lower()
        if column in ties.unique(table):
            return ()
        named = tuple(each for each in wanted.values if copier.may_name(table, column, each))
        if not ties.is_time(table, column):
            return named
        unit = ties.period(table, column)
        low, _ = ties.span(table, column)
        first, last = self.days(table, column)
        found: dict[Value, None] = {}
        for value in named:
            if not isinstance(value, date) or first is None or last is None:
                found[value] = None
                continue
            if unit:
                begun = copier.calendar(f"date_trunc('{unit}', {{}})", value, "TIMESTAMP")
                if not isinstance(begun, datetime):
                    continue
                value = begun if isinstance(low, datetime) else begun.date()
            if first <= moment(value) <= last:
                found[value] = None
        return tuple(found)

    def days(self, table: str, column: str) -> tuple[datetime | None, datetime | None]:
        """The days that a column of dates may be given."""
        low, high = self._ties.span(table, column)
        if not isinstance(low, date) or not isinstance(high, date):
            return None, None
        first, last = moment(low), moment(high)
        earliest = shifted(first, -_LONGEST_BEFORE)
        begun = self._reach.first
        if begun is not None and moment(begun) <= first:
            earliest = max(earliest, moment(begun))
        ends = [each for each in (self._ties.last_day, self._reach.last) if each is not None]
        return earliest, max([last, *map(moment, ends)])


def moment(value: date) -> datetime:
    if isinstance(value, datetime):
        return value.replace(tzinfo=None)
    return datetime(value.year, value.month, value.day)
