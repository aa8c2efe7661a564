"""Rows of one table that nobody has: they meet its bounds and are the same for the same seed."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from decimal import Decimal

from dbt_t2s.judge import json_paths, plausible
from dbt_t2s.judge.bounds import MOST_ROWS
from dbt_t2s.judge.column_values import (
    allowed,
    cast,
    day_of,
    holds,
    is_whole,
    meeting,
    nearest,
    null_share,
    unknown_shape,
)
from dbt_t2s.judge.query_columns import Place
from dbt_t2s.judge.table_bounds import ColumnBounds, Pointer, Scenario, TableBounds
from dbt_t2s.project.schema import Kind

Value = object
Row = tuple[Value, ...]

# How many rows are drawn for one that is kept, before a table is left shorter than it might be.
_TRIES = 20
# So many rows in ten are made for the conditions that models put on them.
_FOR_SCENARIOS = 6
_PERIODS = ("day", "date", "week", "month", "quarter", "year")
_STARTS = (
    "created", "ordered", "order_date", "opened", "start", "from", "signed", "first", "birth",
    "enrolled", "issued", "hire", "joined", "registered", "placed", "requested", "submitted",
    "launched", "begin",
)  # fmt: skip


@dataclass(frozen=True)
class Pools:
    """What columns draw from.

    ``fixed`` are the values that a domain has for good (those of a seed), ``sizes`` how many keys
    of a domain exist otherwise; ``held`` gives the filled rows of a node's columns as they stand.
    """

    held: Callable[[str, tuple[str, ...]], Sequence[Row]]
    fixed: Mapping[Place, Sequence[Value]] = field(default_factory=dict)
    sizes: Mapping[Place, int] = field(default_factory=dict)


def rows(table: TableBounds, pools: Pools, seed: int, as_of: date) -> tuple[Row, ...]:
    """The rows, values in the order of ``table.columns``; fewer than asked for where uniqueness
    leaves no more. Every value meets the bounds of its column; ``expressions`` are not looked at.
    """
    if not table.columns:
        return ()
    maker = _Maker(table, pools, seed, as_of)
    found: list[Row] = []
    wanted = min(table.rows, *(_distinct(each, pools) for each in table.columns))
    for _ in range(wanted * _TRIES):
        if len(found) == wanted:
            break
        row = maker.row(len(found))
        if row is not None:
            found.append(row)
    return tuple(found)


def _distinct(column: ColumnBounds, pools: Pools) -> int:
    """How many rows a column leaves room for: as many as there are values, if it is unique."""
    if not column.unique:
        return MOST_ROWS
    if column.closed:
        return len(column.values)
    fixed = pools.fixed.get(column.domain)
    if fixed:
        return len(fixed)
    return pools.sizes.get(column.domain, MOST_ROWS) if column.is_key else MOST_ROWS


class _Maker:
    def __init__(self, table: TableBounds, pools: Pools, seed: int, as_of: date) -> None:
        self._table = table
        self._pools = pools
        # Each column has its own, so that what becomes of one leaves the others as they are.
        self._chances = {
            each.name: random.Random(f"{seed}/{table.node}/{each.name.lower()}")
            for each in table.columns
        }
        self._days = random.Random(f"{seed}/{table.node}")
        self._pointing = random.Random(f"{seed}/{table.node} points")
        self._as_of = as_of
        self._at = {each.name.lower(): n for n, each in enumerate(table.columns)}
        self._taken: tuple[set[Row], ...] = tuple(set() for _ in table.unique)
        self._pointed = [
            (each, found) for each in table.pointers if (found := self._held(each)) is not None
        ]

    def _chance(self, column: ColumnBounds) -> random.Random:
        return self._chances[column.name]

    def row(self, number: int) -> Row | None:
        """The next row; None where the one drawn repeats what must be unique."""
        base = plausible.day(self._days.random, self._as_of)
        values = [self._value(each, number, base) for each in self._table.columns]
        scenarios = self._table.scenarios
        if scenarios and number % 10 < _FOR_SCENARIOS:
            made = number // 10 * _FOR_SCENARIOS + number % 10
            self._suit(values, scenarios[made % len(scenarios)], number, base)
        for pointer, held in self._pointed:
            self._point(values, pointer, held)
        return self._if_new(tuple(values))

    def _if_new(self, row: Row) -> Row | None:
        keys = [tuple(row[self._at[name]] for name in names) for names in self._table.unique]
        for key, taken in zip(keys, self._taken, strict=True):
            # A single key may be NULL any number of times; dbt counts NULLs among several.
            if key in taken and key != (None,):
                return None
        for key, taken in zip(keys, self._taken, strict=True):
            taken.add(key)
        return row

    # --- one value -----------------------------------------------------------------------------

    def _value(self, column: ColumnBounds, number: int, base: date) -> Value:
        if (
            column.nullable
            and not column.unique
            and self._chance(column).random() < null_share(column)
        ):
            return None
        return self._filled(column, number, base)

    def _filled(self, column: ColumnBounds, number: int, base: date) -> Value:
        for _ in range(_TRIES):
            value = self._drawn(column, number, base)
            if allowed(column, value):
                return value
        return nearest(column, self._as_of)

    def _drawn(self, column: ColumnBounds, number: int, base: date) -> Value:
        fixed = self._pools.fixed.get(column.domain, ())
        if fixed and not column.closed and column.kind is not Kind.BOOLEAN:
            return (
                fixed[number % len(fixed)] if column.unique else self._chance(column).choice(fixed)
            )
        if column.closed:
            typed = tuple(cast(column, each) for each in column.values)
            return typed[number % len(typed)] if column.unique else self._ranked(column, typed)
        if column.is_key:
            return self._key(column, number)
        if column.format:
            return _moment_text(column, base, number if column.unique else base.toordinal())
        asked = [v for each in column.asked for v in meeting(column, each)]
        if asked and not column.unique and self._chance(column).random() < 0.5:
            return self._chance(column).choice(asked)
        if column.values and not column.unique and self._chance(column).random() < 0.8:
            return self._ranked(column, tuple(cast(column, each) for each in column.values))
        return self._plausible(column, number, base)

    def _key(self, column: ColumnBounds, number: int) -> Value:
        size = self._pools.sizes.get(column.domain, self._table.rows)
        # Some things have no others that point at them.
        index = number if column.unique else int(self._chance(column).random() * size * 0.9)
        return plausible.key(column.domain_name, column.kind, index, column.plain_key)

    def _ranked(self, column: ColumnBounds, values: Sequence[Value]) -> Value:
        """One of the values, the first ones more often; each now and then."""
        chance = self._chance(column)
        draw = chance.random() * (1 if chance.random() < 0.5 else chance.random())
        return values[int(draw * len(values))]

    def _plausible(self, column: ColumnBounds, number: int, base: date) -> Value:
        if column.kind is Kind.BOOLEAN:
            return self._chance(column).random() < 0.5
        if column.kind in (Kind.DATE, Kind.TIMESTAMP):
            return self._moment(column, base)
        if column.kind is Kind.NUMBER:
            return self._number(column, number)
        if column.paths:
            return json_paths.example(column.paths, self._chance(column), self._as_of)
        if column.kind is Kind.OTHER:
            return unknown_shape(column.type)
        index = number if column.unique else int(self._chance(column).random() * self._table.rows)
        if column.unique:
            return f"{plausible.text(column.domain_name, index)} {index}"
        return plausible.text(column.domain_name, index)

    def _number(self, column: ColumnBounds, number: int) -> Value:
        whole = is_whole(column.type)
        if column.unique:
            return number + 1
        low, high = cast(column, column.minimum), cast(column, column.maximum)
        if low is None and high is None:
            drawn = plausible.number(column.name, whole, self._chance(column).random, self._as_of)
            return drawn if whole else Decimal(str(drawn))
        first = float(str(low)) if low is not None else min(0.0, float(str(high)) - 100)
        last = float(str(high)) if high is not None else first + 100
        drawn = first + self._chance(column).random() * (last - first)
        return round(drawn) if whole else Decimal(str(round(drawn, 2)))

    def _moment(self, column: ColumnBounds, base: date) -> Value:
        low, high = cast(column, column.minimum), cast(column, column.maximum)
        if isinstance(low, date) or isinstance(high, date):
            base = self._within(column, low, high)
        elif any(each in column.name.lower() for each in _STARTS):
            # Not always on one day, or a query that takes one for the other comes out the same.
            base -= timedelta(days=int(self._chance(column).random() * 4))
        else:
            # What ends or follows comes after what starts.
            later = timedelta(days=int(self._chance(column).random() * 20))
            base = min(base + later, self._as_of)
        if "month" in column.name.lower():
            base = base.replace(day=1)
        elif "week" in column.name.lower():
            base -= timedelta(days=base.weekday())
        if column.kind is Kind.DATE:
            return base
        if any(each in column.name.lower() for each in _PERIODS):
            return datetime.combine(base, time())
        return datetime.combine(base, time(int(self._chance(column).random() * 24), 30))

    def _within(self, column: ColumnBounds, low: Value, high: Value) -> date:
        last = day_of(high) or self._as_of
        first = day_of(low) or last - timedelta(days=730)
        return first + timedelta(
            days=int(self._chance(column).random() * (max((last - first).days, 0) + 1))
        )

    # --- several values ------------------------------------------------------------------------

    def _suit(self, values: list[Value], scenario: Scenario, number: int, base: date) -> None:
        """Makes the row meet the conditions that some model puts on it, as far as bounds let it."""
        for name, condition in scenario:
            at = self._at.get(name)
            if at is None:
                continue
            column = self._table.columns[at]
            if column.unique or (column.is_key and condition.values):
                continue
            if condition.operator == "null":
                values[at] = None if column.nullable else values[at]
            elif values[at] is None and condition.operator == "not null":
                values[at] = self._filled(column, number, base)
            elif not holds(condition, values[at]):
                suits = [each for each in meeting(column, condition) if allowed(column, each)]
                values[at] = self._chance(column).choice(suits) if suits else values[at]

    def _held(self, pointer: Pointer) -> Sequence[Row] | None:
        """The rows to point at, of the nearest node that exists; None where none does."""
        for node, columns in pointer.targets:
            held = self._pools.held(node, columns)
            if held:
                return held
        return None

    def _point(self, values: list[Value], pointer: Pointer, held: Sequence[Row]) -> None:
        places = [self._at[name] for name in pointer.columns]
        if any(values[at] is None for at in places):
            return
        current = tuple(values[at] for at in places)
        if any(self._table.columns[at].unique for at in places) and current in held:
            return
        for at, value in zip(places, self._pointing.choice(held), strict=True):
            values[at] = value


def _moment_text(column: ColumnBounds, base: date, number: int) -> str:
    moment = datetime.combine(base, time(number % 24, number % 60))
    return moment.strftime(column.format)
