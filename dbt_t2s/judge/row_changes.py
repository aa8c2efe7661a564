"""What follows in a row from other values in it: the calendar, and columns that go together."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal

from dbt_t2s.duck import quoted
from dbt_t2s.judge.presence import Presence
from dbt_t2s.judge.row_reader import RowReader, TornError
from dbt_t2s.judge.row_ties import Settled
from dbt_t2s.judge.wanted_values import shifted

# Among fewer rows a date that goes with another column says nothing.
_FEW_ROWS = 10
# So many columns of a row, at most, are emptied or filled after another one.
_ROUNDS = 20


class RowChanges:
    """Over the rows that ``reader`` reads; TornError where something cannot follow."""

    def __init__(self, reader: RowReader) -> None:
        self._reader = reader
        self._ties = reader.ties

    def followed(
        self, table: str, old: Mapping[str, object], values: Mapping[str, object]
    ) -> dict[str, object]:
        """``values`` with all that follows from them in the row itself."""
        found: dict[str, object] = {}
        for column, value in values.items():
            for name, other in self._of_one(table, old, column, value):
                if name not in values:
                    found.setdefault(name, other)
        return self._present(table, old, {**found, **values}, frozenset(values))

    def _present(
        self,
        table: str,
        old: Mapping[str, object],
        changed: dict[str, object],
        wanted: frozenset[str],
    ) -> dict[str, object]:
        """``changed`` with what must now be empty, or filled; TornError where that is ``wanted``
        otherwise."""
        row = {**old, **changed}
        for _ in range(_ROUNDS):
            torn = [
                (each, says)
                for each in self._ties.presences(table)
                if each.column in changed or each.other in changed
                for says in (each.says(row[each.column]),)
                if says not in (None, row[each.other] is not None)
            ]
            if not torn:
                return changed
            for each, says in torn:
                if each.column in changed and each.other not in wanted:
                    value = self._beside(table, each, row[each.column]) if says else None
                    changed[each.other] = row[each.other] = value
                    break
            else:
                each, _ = torn[0]
                if each.column in wanted:
                    raise TornError(f"{table}.{each.column} says whether {each.other} is filled")
                changed[each.column] = row[each.column] = self._instead(table, each, row, changed)
        raise TornError(f"too much of {table} hangs on whether other columns are filled")

    def _beside(self, table: str, tie: Presence, value: object) -> object:
        """What the first row whose column says so, too, has in the column that is filled."""
        same, state = _says_so(tie, value)
        return self._first(table, tie.other, f"{same} and {quoted(tie.other)} is not null", [state])

    def _instead(
        self,
        table: str,
        tie: Presence,
        row: Mapping[str, object],
        changed: Mapping[str, object],
    ) -> object:
        """What a column that says otherwise holds where the other is as it is now, and where what
        made it so is."""
        conditions = [f"{quoted(tie.other)} is {'null' if row[tie.other] is None else 'not null'}"]
        values: list[object] = []
        for each in self._ties.presences(table):
            if each.other == tie.other and each.column in changed:
                same, state = _says_so(each, row[each.column])
                conditions.append(same)
                values.append(state)
        return self._first(table, tie.column, " and ".join(conditions), values)

    def _first(self, table: str, column: str, condition: str, values: Sequence[object]) -> object:
        """The value of the first such row; TornError where there is none, or it is a reference."""
        found = self._reader.rows(table, condition, values)
        if not found or any(column in link.columns for link in self._ties.links(table)):
            raise TornError(f"{table}.{column} cannot follow")
        return found[0][1][column]

    def _of_one(
        self, table: str, old: Mapping[str, object], column: str, value: object
    ) -> Iterator[tuple[str, object]]:
        ties = self._ties
        dated: set[str] = set()
        if ties.is_time(table, column):
            for name, other in self._calendar(table, old, column, value):
                dated.add(name)
                yield name, other
        reference = {each for link in ties.links(table) for each in link.columns}
        if column in reference:
            return
        tied = [
            each
            for each in ties.settled_with(table, column)
            if each.name not in dated and not self._is_elsewhere(table, each.name, column)
        ]
        if tied:
            condition = f"{quoted(column)} is not distinct from ?"
            found = self._reader.rows(table, condition, [value])
            if found:
                yield from ((each.name, found[0][1][each.name]) for each in tied)
            else:
                yield from self._of_new(table, old, column, value, tied)
        elif _is_number(value) and ties.adds_up(table, column):
            raise TornError(f"{table}.{column} adds up with others")

    def _is_elsewhere(self, table: str, name: str, column: str) -> bool:
        """Whether ``name`` is a reference to a row that repeats ``column``, or the row's key."""
        key = self._ties.targets[table].table.primary_key
        if name in self._ties.unique(table) or name in {each.lower() for each in key}:
            return True
        return any(
            name in link.columns and self._ties.mirrors(link, column)
            for link in self._ties.links(table)
        )

    def _of_new(
        self,
        table: str,
        old: Mapping[str, object],
        column: str,
        value: object,
        tied: Sequence[Settled],
    ) -> Iterator[tuple[str, object]]:
        """What goes with a value that no row has: what goes with those just below and above it."""
        ties, before = self._ties, old[column]
        days = {each.name: ties.counts_days(table, column, each.name) for each in tied}
        if isinstance(value, int) and isinstance(before, int):
            for name, way in days.items():
                day = old[name]
                if way and isinstance(day, date):
                    yield name, shifted(day, timedelta(days=way * (value - before)))
            tied = [each for each in tied if not days[each.name]]
        few = ties.targets[table].rows < _FEW_ROWS
        if before is not None and few and ties.is_time(table, column):
            return  # dates of few rows go with anything
        # What has one value goes with all; a new one keeps where it is NULL.
        constant = before is not None and ties.is_constant(table, column)
        for each in tied:
            if each.settled and not constant and (not each.empty or old[each.name] is None):
                raise TornError(f"{table}.{each.name} says that {column} is not {value}")
        settling = [each.name for each in tied if each.settles]
        if not settling:
            return
        if isinstance(value, str):
            if old[column] is None:
                raise TornError(f"no row of {table} has {column} = {value}")
            return
        name = quoted(column)
        sides = [
            self._reader.rows(
                table, f"{name} = (select {way}({name}) from {{}} where {name} {sign} ?)", [value]
            )
            for way, sign in (("max", "<"), ("min", ">"))
        ]
        beside = [rows[0][1] for rows in sides if rows]
        if len(beside) < 2 and not (beside and _is_next(beside[0][column], value)):
            raise TornError(f"no row of {table} has {column} = {value}")
        for tied_name in settling:
            if len({str(each[tied_name]) for each in beside}) > 1:
                raise TornError(f"no row of {table} has {column} = {value}")
            yield tied_name, beside[0][tied_name]

    def _calendar(
        self, table: str, old: Mapping[str, object], column: str, value: object
    ) -> Iterator[tuple[str, object]]:
        """What the calendar makes of the new date, and the row's other dates as far from it."""
        ties = self._ties
        types = ties.types(table)
        settled = dict(ties.made_from_time(table, column))
        for name, form in settled.items():
            yield name, None if value is None else self._reader.calendar(form, value, types[name])
        days = _days_between(old[column], value)
        for name, kind in types.items():
            if name in settled or name == column or not kind.startswith(("DATE", "TIMESTAMP")):
                continue
            finer = dict(ties.made_from_time(table, name))
            if column not in finer and self._is_repeated(table, name):
                continue
            day = old[name]
            if not days or not isinstance(day, date):
                continue
            moved: object = shifted(day, timedelta(days=days))
            if column in finer:
                # The date that this one is made from: it must still make it.
                again = self._reader.calendar(finer[column], moved, types[column])
                if again != value:
                    moved = _as_moment(value, day)
                for other, form in finer.items():
                    if other != column:
                        yield other, self._reader.calendar(form, moved, types[other])
            yield name, moved

    def _is_repeated(self, table: str, column: str) -> bool:
        return any(
            self._ties.mirrors(link, column) for link in self._ties.links(table) if not link.twins
        )


def _says_so(tie: Presence, value: object) -> tuple[str, object]:
    """The condition on rows whose column says what ``value`` does, and what it is asked with."""
    own = quoted(tie.column)
    if tie.by_value:
        return f"{own} is not distinct from ?", value
    return f"({own} is not null) = ?", value is not None


def _is_next(one: object, other: object) -> bool:
    """Whether two values are a day or a number apart at most."""
    if isinstance(one, date) and isinstance(other, date):
        return abs(_days_between(one, other)) <= 1
    if isinstance(one, int | Decimal) and isinstance(other, int | Decimal):
        return abs(Decimal(one) - Decimal(other)) <= 1
    return False


def _is_number(value: object) -> bool:
    return isinstance(value, int | float | Decimal) and not isinstance(value, bool)


def _days_between(old: object, new: object) -> int:
    if isinstance(old, date) and isinstance(new, date):
        return (_day(new) - _day(old)).days
    return 0


def _day(value: date) -> date:
    return value.date() if isinstance(value, datetime) else value


def _as_moment(value: object, like: date) -> object:
    """The new date itself, as the finer column holds it."""
    if isinstance(like, datetime) and isinstance(value, date):
        return datetime.combine(_day(value), like.time())
    return value
