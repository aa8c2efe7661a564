"""What a plan names must exist, and its numbers and days must be such, before any SQL is made."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from datetime import date

from dbt_t2s.errors import QueryPlanError
from dbt_t2s.project.schema import Kind, Table
from dbt_t2s.query.plan import (
    DAYS_OF_WEEK,
    Agg,
    Col,
    Compare,
    Count,
    Diff,
    Has,
    Peers,
    Plan,
    Product,
    Range,
    Rolling,
    Value,
    Weekdays,
)

_NUMBER = re.compile(r"-?\d{1,30}(?:\.\d{1,30})?\Z", re.ASCII)
_LIMIT = re.compile(r"\d{1,9}\Z", re.ASCII)
_MOST_PERIODS = 400
_NUMERIC = ("SUM", "AVG", "MEDIAN")
_NUMBERS = frozenset((Kind.NUMBER,))
_TIMES = frozenset((Kind.DATE, Kind.TIMESTAMP))


def check(plan: Plan, tables: Mapping[str, Table]) -> None:
    """QueryPlanError where the plan cannot be meant of these tables."""
    if not plan.select:
        raise QueryPlanError("the plan selects nothing")
    if plan.limit is not None and not _LIMIT.match(plan.limit):
        raise QueryPlanError(f"{plan.limit!r} is no number of rows")
    if plan.skip is not None and (plan.limit is None or not _LIMIT.match(plan.skip)):
        raise QueryPlanError(f"{plan.skip!r} is no number of rows before others")
    for part in parts_of(plan):
        _check_part(part, tables)


def parts_of(value: object) -> Iterator[object]:
    """Every dataclass inside a plan, itself included."""
    if isinstance(value, tuple):
        for each in value:
            yield from parts_of(each)
    elif is_dataclass(value):
        yield value
        for field in fields(value):
            yield from parts_of(getattr(value, field.name))


def _check_part(part: object, tables: Mapping[str, Table]) -> None:
    match part:
        case Col(table, column) | Value(table, column, _):
            kind = _kind(tables, table, column)
            if isinstance(part, Value) and not _is_literal(kind, part.value):
                raise QueryPlanError(f"{part.value!r} is no value of {table}.{column}")
        case Count(table) | Has(table, _):
            if table not in tables:
                raise QueryPlanError(f"no table is called {table!r}")
        case Agg(function, Col(table, column)):
            if function in _NUMERIC and _kind(tables, table, column) is not Kind.NUMBER:
                raise QueryPlanError(f"{table}.{column} is no number")
        case Diff(left, right) | Compare(_, Col() as left, Col() as right):
            kinds = {_kind(tables, each.table, each.column) for each in (left, right)}
            if left.table != right.table or not (kinds <= _NUMBERS or kinds <= _TIMES):
                raise QueryPlanError(f"{left.column} and {right.column} cannot be compared")
        case Product(left, right):
            kinds = {_kind(tables, each.table, each.column) for each in (left, right)}
            if left.table != right.table or kinds != _NUMBERS:
                raise QueryPlanError(f"{left.column} and {right.column} cannot be multiplied")
        case Compare(_, left, Peers(of)):
            if not isinstance(left, Col | Diff) or left.table != of.table:
                raise QueryPlanError(f"nothing is compared among the rows alike in {of.column}")
        case Compare(_, _, str(number)):
            if not _NUMBER.match(number):
                raise QueryPlanError(f"{number!r} is no number")
        case Rolling(_, periods, _):
            if not periods.isdecimal() or not 2 <= int(periods) <= _MOST_PERIODS:
                raise QueryPlanError(f"{periods!r} is no number of periods")
        case Weekdays(_, days):
            if not days or not set(days) <= set(DAYS_OF_WEEK):
                raise QueryPlanError(f"{days} are no days of the week")
        case Range(start, end):
            if not (_is_day(start) and _is_day(end)):
                raise QueryPlanError(f"{start}/{end} is no range of days")


def _kind(tables: Mapping[str, Table], table: str, column: str) -> Kind:
    if table not in tables:
        raise QueryPlanError(f"no table is called {table!r}")
    try:
        return tables[table].column(column).kind
    except KeyError as error:
        raise QueryPlanError(f"{table!r} has no column {column!r}") from error


def _is_literal(kind: Kind, text: str) -> bool:
    if kind is Kind.NUMBER:
        return bool(_NUMBER.match(text))
    if kind is Kind.BOOLEAN:
        return text.lower() in ("true", "false")
    return True


def _is_day(text: str) -> bool:
    try:
        return not text or bool(date.fromisoformat(text))
    except ValueError:
        return False
