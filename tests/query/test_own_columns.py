"""Differences that the project has a column for are asked of that column."""

from __future__ import annotations

from dataclasses import replace

import pytest

from dbt_t2s.project.schema import Column, Kind, ProjectSchema, Role, Table
from dbt_t2s.query.bind import Binder
from dbt_t2s.query.linear import from_tokens
from dbt_t2s.query.own_columns import differences
from dbt_t2s.query.plan import Col, Diff
from tests.query.shop import shop_schema

_FROM = "model.shop.stg_orders"
_DAYS = f"CAST(DATE_DIFF('DAY', {_FROM}.due_on, CAST({_FROM}.paid_on AS DATE)) AS INT)"
_LATE = Diff(Col("orders", "paid_on"), Col("orders", "due_on"))
_NET = Diff(Col("orders", "amount"), Col("orders", "refund"))


def made(name: str, kind: Kind, expression: str, *sources: str) -> Column:
    told = tuple(f"{_FROM}.{source}" for source in sources)
    return Column(name, "int", kind, Role.MEASURE, sources=told, expression=expression)


def orders(*more: Column, at_home: bool = True) -> Table:
    """The orders, whose own columns come from their staging model as they are."""
    table = shop_schema().table("orders")
    passed = tuple(replace(c, sources=(f"{_FROM}.{c.name}",)) for c in table.columns)
    return replace(table, columns=(*(passed if at_home else table.columns), *more))


def with_orders(table: Table) -> ProjectSchema:
    schema = shop_schema()
    others = tuple(t for t in schema.tables if t.name != "orders")
    return replace(schema, tables=(*others, table))


@pytest.mark.parametrize(
    ("column", "pair"),
    [
        (made("days_late", Kind.NUMBER, _DAYS, "due_on", "paid_on"), _LATE),
        (
            made("net", Kind.NUMBER, f"{_FROM}.amount - {_FROM}.refund", "amount", "refund"),
            _NET,
        ),
    ],
)
def test_a_column_made_of_two_others_is_their_difference(column: Column, pair: Diff) -> None:
    assert differences(orders(column), "duckdb") == {pair: Col("orders", column.name)}


def test_the_day_of_a_timestamp_is_as_good_as_itself() -> None:
    day = made("paid_day", Kind.DATE, f"CAST({_FROM}.paid_on AS DATE)", "paid_on")
    days = made("days_late", Kind.NUMBER, _DAYS, "due_on", "paid_on")
    found = differences(orders(day, days), "duckdb")
    assert set(found) == {_LATE, replace(_LATE, left=Col("orders", "paid_day"))}


def test_another_time_of_the_same_event_means_the_same_difference() -> None:
    paid, planned = (
        Column(name, "timestamp", Kind.TIMESTAMP, Role.TIME) for name in ("pay_time", "planned_at")
    )
    days = made("days_late", Kind.NUMBER, _DAYS, "due_on", "paid_on")
    found = differences(orders(paid, planned, days), "duckdb")
    assert set(found) == {_LATE, replace(_LATE, left=Col("orders", "pay_time"))}


@pytest.mark.parametrize(
    "expression",
    [
        f"DATE_DIFF('MONTH', {_FROM}.due_on, {_FROM}.paid_on)",
        f"DATE_DIFF('DAY', {_FROM}.due_on, COALESCE({_FROM}.paid_on, DATE '2026-06-30'))",
        f"GREATEST({_FROM}.paid_on - {_FROM}.due_on, 0)",
        f"DATE_DIFF('DAY', {_FROM}.due_on, {_FROM}.pa…",  # cut short
        "",
    ],
)
def test_a_column_that_is_something_else_is_no_difference(expression: str) -> None:
    column = made("days_late", Kind.NUMBER, expression, "due_on", "paid_on")
    assert not differences(orders(column), "duckdb")


def test_an_interval_is_no_difference() -> None:
    column = made("waited", Kind.OTHER, f"{_FROM}.paid_on - {_FROM}.due_on", "due_on", "paid_on")
    assert not differences(orders(column), "duckdb")
    assert differences(orders(replace(column, kind=Kind.NUMBER)), "duckdb")


def test_columns_that_are_made_of_others_do_not_count() -> None:
    column = made("days_late", Kind.NUMBER, _DAYS, "due_on", "paid_on")
    assert not differences(orders(column, at_home=False), "duckdb")


@pytest.mark.parametrize(
    ("said", "asked_of"),
    [
        ("AVG DIFF c:orders.paid_on c:orders.due_on END", "avg(days_late)"),
        ("c:orders.order_id WHERE GT DIFF c:orders.paid_on c:orders.due_on n:3 END",
         "days_late > 3"),
        ("c:orders.order_id DESC DIFF c:orders.paid_on c:orders.due_on LIMIT ONE END",
         "order by days_late desc"),
    ],
)  # fmt: skip
def test_plans_are_bound_to_the_projects_column(said: str, asked_of: str) -> None:
    column = made("days_late", Kind.NUMBER, _DAYS, "due_on", "paid_on")
    plan = from_tokens(said.split())
    assert plan is not None
    assert asked_of in Binder(with_orders(orders(column))).sql(plan)
    assert "days_late" not in Binder(with_orders(orders())).sql(plan)
