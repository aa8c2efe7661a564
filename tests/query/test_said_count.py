"""Rows named with a time alone are counted."""

from __future__ import annotations

from datetime import date

import pytest

from dbt_t2s.query.linear import from_tokens, to_tokens
from dbt_t2s.query.said_count import counted_rows
from tests.query.shop import shop_schema

_LISTED = "c:orders.order_id WHERE d:2025-03-01/2025-04-01 END"
_COUNTED = "COUNT t:orders WHERE d:2025-03-01/2025-04-01 END"


def put_right(tokens: str, text: str) -> str:
    plan = from_tokens(tokens.split())
    assert plan is not None
    return " ".join(to_tokens(counted_rows(plan, text, shop_schema(), date(2025, 3, 31))))


@pytest.mark.parametrize(
    "text", ["orders in March", "orders last 30 days?", "the orders this month"]
)
def test_rows_of_some_time_are_counted(text: str) -> None:
    assert put_right(_LISTED, text) == _COUNTED


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("which orders in March", _LISTED),
        ("list orders in March", _LISTED),
        ("orders today", _LISTED),
        ("orders since March", _LISTED),
        ("large orders in March", _LISTED),
        ("orders", _LISTED),
        ("orders in March", "c:orders.order_id WHERE r:large END"),
        ("orders in March", "c:orders.order_id WHERE d:2025-03-01/2025-04-01 r:large END"),
        ("orders in March", "m:revenue WHERE d:2025-03-01/2025-04-01 END"),
        ("orders in March", f"{_LISTED.removesuffix(' END')} DESC c:orders.amount LIMIT n:5 END"),
    ],
)
def test_all_else_stays(text: str, tokens: str) -> None:
    assert put_right(tokens, text) == tokens
