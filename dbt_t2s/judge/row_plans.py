"""Which rows to copy, and with which changes, so that a SELECT is told from its near misses."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import IntEnum

from dbt_t2s.duck import Connection, Rows, quoted, run
from dbt_t2s.judge.copied_rows import Copier, Place
from dbt_t2s.judge.instances import is_jittered
from dbt_t2s.judge.row_bases import Base, Bases, Changes, New, Reach, moment
from dbt_t2s.judge.row_ties import Link
from dbt_t2s.judge.selected import Selected
from dbt_t2s.judge.wanted_values import Value, least_step, shifted

# Groups of more rows than this, and more groups than this, are not made.
_LARGEST_GROUP = 6
_MOST_GROUPS = 20
_DAY = timedelta(days=1)


@dataclass(frozen=True)
class Lost:
    """The ``value`` of a reference that finds no row."""

    value: str | int | None


class Amounts(IntEnum):
    """How large the amounts of a copy are beside those of its row."""

    SAME = 0
    LARGER = 1
    LARGEST = 2


@dataclass(frozen=True)
class Plan:
    """So many ``times`` copies of ``rows``, the first in any case, with ``changes``."""

    rows: tuple[Place, ...]
    changes: Changes
    amounts: Amounts = Amounts.LARGER
    times: int = 1


class Planner:
    """Plans for the SELECTs over one file."""

    def __init__(self, connection: Connection, copier: Copier, reach: Reach) -> None:
        self._connection = connection
        self._copier = copier
        self._ties = copier.ties
        self._bases = Bases(connection, copier, reach)
        self._periods: dict[tuple[str, str], int] = {}
        self._made: dict[tuple[str, str], tuple[object, object]] = {}

    def plans(self, select: Selected) -> Iterator[Plan]:
        """First what the SELECT finds, then others."""
        if any(table.name not in self._ties.targets for _, table in select.tables):
            return
        base = self._bases.base(select)
        if base is None:
            return
        base = replace(base, beside=tuple(self._bases.inside(select, base)))
        found = [*self._main(select, base)]
        yield from found
        yield from self._grouped(select, base)
        parent = self._bases.around(select, base)
        if parent is not None:
            # The same with a row of the query around, which no other row goes with.
            yield from (replace(each, rows=(*parent, *each.rows)) for each in found)

    def ends(self, select: Selected) -> Iterator[Plan]:
        """Rows that a lost or changed condition lets in, with what MIN, MAX or LIMIT looks for.

        They are to be made when all others are, whose ends they must be beyond.
        """
        if all(table.name in self._ties.targets for _, table in select.tables):
            yield from self._ends(select)

    def note(self, table: str, column: str, value: object) -> None:
        """That a row with ``value`` is made."""
        if isinstance(value, int | Decimal | date) and not isinstance(value, bool):
            low, high = self._made.get((table, column), (value, value))
            self._made[table, column] = min(low, value, key=_order), max(high, value, key=_order)

    def _main(self, select: Selected, base: Base) -> Iterator[Plan]:
        yield Plan(base.rows, base.anchor)
        fresh = self._fresh(select, base)
        if base.beside:
            new = self._new_group([each for each in fresh if each not in base.anchor], ())
            yield Plan(tuple(base.places.values()), {**base.anchor, **new})
        yield from self._alone(base)
        for wanted in select.wanted:
            place = base.places.get(wanted.source)
            if place is None:
                continue
            values = self._bases.allowed(place[0], wanted)
            for value, holds in zip(
                values, self._bases.holds(select, place, wanted, values), strict=True
            ):
                column = wanted.column.lower()
                pinned = self._bases.pinned(select, base.places, place, column)
                same: Changes = {**pinned, **base.anchor, (place, column): value}
                changes = dict(same)
                if fresh and select.limit:
                    # In a group that is there, too: LIMIT may leave new ones out.
                    yield Plan(base.rows, same, Amounts.LARGER if holds else Amounts.LARGEST)
                for each in fresh:
                    if each not in changes:
                        changes[each] = self._new(each)
                if fresh and 0 < select.counted <= _LARGEST_GROUP:
                    yield from self._counted(select, base, changes)
                if holds:
                    yield Plan(base.rows, changes)
                else:
                    # Twice where single values are: as many of each would count alike.
                    times = 2 if wanted.single else 1
                    yield Plan(base.rows, changes, Amounts.LARGEST, times)

    def _counted(self, select: Selected, base: Base, changes: Changes) -> Iterator[Plan]:
        """New groups that have as many rows as HAVING asks for with one of ``changes`` alone."""
        for more in (select.counted - 1, select.counted):
            group: Changes = {
                at: New(f"{value.value} of {more}") if isinstance(value.value, str) else value
                for at, value in changes.items()
                if isinstance(value, New)
            }
            for _ in range(more):
                yield Plan(base.rows, {**base.anchor, **group})
            yield Plan(base.rows, {**changes, **group})

    def _fresh(self, select: Selected, base: Base) -> list[tuple[Place, str]]:
        """The columns whose new values make new groups: no test lists theirs."""
        return [
            (base.places[source], column)
            for source, column in select.told
            if source in base.places and self._is_open(base.places[source][0], column)
        ]

    def _is_open(self, table: str, column: str) -> bool:
        """Whether a column of texts or whole numbers may have values that no row has."""
        kind = self._ties.types(table)[column]
        return (table, column) not in self._ties.listed and (
            kind == "VARCHAR" or kind.endswith("INT") or kind == "INTEGER"
        )

    def _unseen(self, select: Selected, base: Base) -> dict[tuple[Place, str], list[str]]:
        """The values that a test lists and that no row has, of what the SELECT groups by."""
        found: dict[tuple[Place, str], list[str]] = {}
        for source, column in select.told:
            place = base.places.get(source)
            listed = () if place is None else self._ties.listed.get((place[0], column), ())
            if place is None or not listed or (place, column) in base.anchor:
                continue
            there = run(
                self._connection,
                f"select distinct {quoted(column)} from {self._ties.targets[place[0]].name}",
            )
            seen = {row[0] for row in there.rows} if isinstance(there, Rows) else set(listed)
            left = [each for each in listed if each not in seen]
            if left:
                found[place, column] = left
        return found

    def _new(self, at: tuple[Place, str]) -> New:
        count = self._copier.count()
        (table, _), column = at
        if self._ties.types(table)[column] == "VARCHAR":
            return New(f"New {count}")
        _, high = self._ties.span(table, column)
        return New(int(high) + count if isinstance(high, int) else count)

    def _grouped(self, select: Selected, base: Base) -> Iterator[Plan]:
        """New groups: of as many rows as HAVING asks for, one less and one more; of one row with
        the amounts that it asks for; more of them than LIMIT takes.
        """
        for at, values in self._unseen(select, base).items():
            for number, text in enumerate(values):
                yield Plan(base.rows, {**base.anchor, at: text}, times=1 + number)
        fresh = self._fresh(select, base)
        periods = [] if fresh else self._few_periods(select, base)
        if (not fresh and not periods) or any(each in base.anchor for each in fresh):
            return
        for size in _group_sizes(select):
            changes = {**base.anchor, **self._new_group(fresh, periods)}
            for _ in range(size):
                yield Plan(base.rows, changes)
        for wanted in select.groups:
            place = base.places.get(wanted.source)
            # Two rows tell a sum from an average.
            for value, size in itertools.product(wanted.values, (1, 2)):
                if place is None:
                    continue
                changes = {**base.anchor, **self._new_group(fresh, periods)}
                changes[place, wanted.column.lower()] = value
                for _ in range(size):
                    yield Plan(base.rows, changes, Amounts.SAME)

    def _new_group(
        self, fresh: Sequence[tuple[Place, str]], periods: Sequence[tuple[Place, str, str]]
    ) -> Changes:
        found: Changes = {each: self._new(each) for each in fresh}
        for place, column, unit in periods:
            day = self._new_period(place[0], column, unit)
            if day is not None:
                found[place, column] = day
        return found

    def _few_periods(self, select: Selected, base: Base) -> list[tuple[Place, str, str]]:
        """The dates that it groups by, where the data has hardly more groups than it shows."""
        found: list[tuple[Place, str, str]] = []
        for source, column, unit in select.periods:
            place = base.places.get(source)
            if place is None or (place, column) in base.anchor:
                continue
            name = self._ties.targets[place[0]].name
            counted = self._copier.ask(
                f"select count(distinct date_trunc('{unit}', {quoted(column)})) from {name}"
            )
            if select.groups or int(str(counted)) <= max(2, select.limit):
                found.append((place, column, unit))
        return found

    def _new_period(self, table: str, column: str, unit: str) -> date | None:
        """The start of the period before the first one that is there or made."""
        low, _ = self._ties.span(table, column)
        if not isinstance(low, date):
            return None
        count = self._periods.get((table, column), 0) + 1
        self._periods[table, column] = count
        kind = self._ties.types(table)[column]
        form = f"(date_trunc('{unit}', {{}}) - interval {count} {unit})"
        begun = self._ties.period(table, column)
        if begun:
            # The first week, say, that begins in it.
            form = f"date_trunc('{begun}', {form} + interval {6 if begun == 'week' else 0} day)"
        made = self._copier.calendar(form, low, "TIMESTAMP" if kind[:4] == "TIME" else "DATE")
        first, _ = self._bases.days(table, column)
        if not isinstance(made, date) or first is None or moment(made) < first:
            return None
        return made

    def _ends(self, select: Selected) -> Iterator[Plan]:
        """Rows that a lost or changed condition lets in, with what MIN, MAX or LIMIT looks for."""
        for source, column, which in select.ends[:2]:
            way = "asc" if which < 0 else "desc"
            ordered = f"{quoted(source)}.{quoted(column)}"
            base = self._bases.base(select, f"{ordered} {way} nulls last")
            place = base.places.get(source) if base is not None else None
            if base is None or place is None:
                continue
            amounts = Amounts.SAME if which < 0 else Amounts.LARGEST
            end = self._beyond(place[0], column, which)
            if not select.wanted and end is not None:
                yield Plan(base.rows, {(place, column): end}, amounts)
            for wanted in select.wanted:
                own = base.places.get(wanted.source)
                if own is None or (own, wanted.column.lower()) == (place, column):
                    continue
                values = self._bases.allowed(own[0], wanted)
                holds = self._bases.holds(select, own, wanted, values)
                lost = [value for value, held in zip(values, holds, strict=True) if not held]
                kept = [value for value, held in zip(values, holds, strict=True) if held]
                for value in lost[:3]:
                    changes: Changes = {**base.anchor, (own, wanted.column.lower()): value}
                    if end is not None and (place, column) not in changes:
                        changes[place, column] = end
                    yield Plan(base.rows, changes, amounts)
                # What LIMIT takes must be there for a condition that takes too little.
                for value in kept[:2] if select.cut else ():
                    changes = {**base.anchor, (own, wanted.column.lower()): value}
                    yield Plan(base.rows, changes, min(amounts, Amounts.LARGER))

    def _beyond(self, table: str, column: str, which: int) -> Value:
        """A value beyond the end of a column that nothing else goes with; None where none may be.

        Amounts are multiplied, and so not given single values.
        """
        ties = self._ties
        target = ties.targets[table]
        described = next((c for c in target.table.columns if c.name.lower() == column), None)
        kind = ties.types(table)[column]
        if described is None or column in ties.unique(table):
            return None
        spans = (ties.span(table, column), self._made.get((table, column), (None, None)))
        known = [each[which > 0] for each in spans if each[which > 0] is not None]
        if not known:
            return None
        end = min(known, key=_order) if which < 0 else max(known, key=_order)
        if isinstance(end, date):
            moved = shifted(end, which * _DAY)
            first, last = self._bases.days(table, column)
            inside = first is not None and last is not None and first <= moment(moved) <= last
            return moved if inside and not ties.period(table, column) else None
        if isinstance(end, bool) or not isinstance(end, int | Decimal):
            return None
        step = least_step(kind) if "(" in kind else 1
        if ties.adds_up(table, column) or (which < 0 and 0 <= end < step):
            return None
        if which > 0 and is_jittered(target, described, kind):
            return None
        return end + which * step

    def _alone(self, base: Base) -> Iterator[Plan]:
        """For each join a row that nothing names, and one that names nothing, where that may be."""
        for place in base.places.values():
            for link in self._ties.links(place[0]):
                others = [each for each in base.places.values() if each[0] == link.other]
                if link.twins or not others or len(link.columns) != 1:
                    continue
                rest = [each for each in base.places.values() if each not in (place, *others)]
                kept = {at: value for at, value in base.anchor.items() if at[0] not in others}
                gone = self._no_reference(place, link)
                if gone is not None:
                    yield Plan((place, *rest), {**kept, (place, link.columns[0]): gone.value})
                for other in others:
                    kept = {at: value for at, value in base.anchor.items() if at[0] == other}
                    yield Plan((other,), kept)
                    if rest:
                        kept = {at: each for at, each in base.anchor.items() if at[0] != place}
                        yield Plan((other, *rest), kept)

    def _no_reference(self, place: Place, link: Link) -> Lost | None:
        """What a reference that finds nothing holds: NULL, or a key that no row has."""
        column = link.columns[0]
        target = self._ties.targets[place[0]]
        described = next((c for c in target.table.columns if c.name.lower() == column), None)
        if described is None or described.nullable:
            return Lost(None)
        if link.proven or column in self._ties.unique(place[0]):
            return None
        old = self._copier.row(*place)[column]
        value = self._copier.fresh(link.other, link.other_columns[0], old)
        return Lost(value) if isinstance(value, str | int) else None


def _group_sizes(select: Selected) -> Iterator[int]:
    """Groups of as many rows as HAVING asks for, one less and one more; more than LIMIT takes."""
    if 0 < select.counted <= _LARGEST_GROUP:
        yield from (select.counted - 1, select.counted, select.counted + 1)
    elif 0 < select.limit <= _MOST_GROUPS:
        yield from (1 for _ in range(select.limit + 1))
    else:
        yield from (1, 2)


def _order(value: object) -> tuple[datetime, Decimal]:
    """A place in the order of dates, or of numbers."""
    if isinstance(value, date):
        return moment(value), Decimal(0)
    return datetime.min, Decimal(str(value))
