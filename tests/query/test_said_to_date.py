"""Periods that have begun, over columns with days to come."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from dbt_t2s.project.schema import ProjectSchema
from dbt_t2s.query.bind import Binder
from dbt_t2s.query.linear import from_tokens, to_tokens
from dbt_t2s.query.said_to_date import to_date
from tests.query.shop import shop_schema

_TODAY = date(2025, 6, 30)
_YEAR, _SO_FAR = "d:2025-01-01/2026-01-01", "d:2025-01-01/2025-07-01"


def schema_until(last: str) -> ProjectSchema:
    """The shop with days up to ``last`` in all of its columns of orders."""
    schema = shop_schema()
    orders = schema.table("orders")
    columns = tuple(
        replace(c, maximum=last) if c.name.endswith(("_at", "_on")) else c for c in orders.columns
    )
    tables = (replace(orders, columns=columns) if t is orders else t for t in schema.tables)
    return replace(schema, tables=tuple(tables))


def put_right(tokens: str, text: str, last: str = "2025-09-30 08:00:00") -> str:
    plan = from_tokens(tokens.split())
    assert plan is not None
    return " ".join(to_tokens(to_date(plan, text, Binder(schema_until(last)), _TODAY)))


@pytest.mark.parametrize(
    ("tokens", "text"),
    [
        (f"m:revenue WHERE {_YEAR} END", "revenue this year"),
        (f"COUNT t:orders WHERE {_YEAR} END", "how many orders so far in 2025"),
        (f"c:customers.customer_name m:revenue WHERE {_YEAR} END", "revenue by customer, ytd"),
        (f"COUNT t:customers WHERE HAS t:orders {_YEAR} CLOSE END", "who ordered this year"),
        (f"COUNT t:orders WHERE ON c:orders.paid_on {_YEAR} END", "orders paid this year"),
    ],
)
def test_what_has_begun_ends_today(tokens: str, text: str) -> None:
    assert put_right(tokens, text) == tokens.replace(_YEAR, _SO_FAR)


@pytest.mark.parametrize(
    ("tokens", "text"),
    [
        (f"m:revenue WHERE {_YEAR} END", "revenue in 2025"),
        (f"COUNT t:orders WHERE {_YEAR} END", "orders planned this year"),
        (f"COUNT t:orders WHERE ON c:orders.due_on {_YEAR} END", "orders this year by due day"),
        (f"COUNT t:orders WHERE ON c:orders.due_on {_YEAR} END", "orders this year"),
        ("m:revenue WHERE d:2024-01-01/2025-01-01 END", "revenue last year, this year's is no use"),
        (f"COUNT t:customers WHERE {_YEAR} END", "customers who signed up this year"),
        (f"m:nothing WHERE {_YEAR} END", "nothing this year"),
    ],
)
def test_all_else_stays(tokens: str, text: str) -> None:
    assert put_right(tokens, text) == tokens


def test_nothing_lies_ahead() -> None:
    tokens = f"m:revenue WHERE {_YEAR} END"
    assert put_right(tokens, "revenue this year", last="2025-06-29 23:00:00") == tokens
