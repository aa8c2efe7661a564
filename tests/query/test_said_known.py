"""Rows left out for what is not known of them."""

from __future__ import annotations

import pytest

from dbt_t2s.query.linear import from_tokens, to_tokens
from dbt_t2s.query.said_known import where_known
from tests.query.shop import shop_schema

_BY_DAY = "c:orders.paid_on COUNT t:orders"


def put_right(tokens: str, text: str) -> str:
    plan = from_tokens(tokens.split())
    assert plan is not None
    return " ".join(to_tokens(where_known(plan, text, shop_schema())))


@pytest.mark.parametrize(
    "text",
    [
        "orders per day of payment, those without one left out",
        "orders per day of payment, leave out the ones with no day",
        "orders per day of payment, skip the blanks",
        "payment days and how often, only those who told us",
    ],
)
def test_a_group_without_a_name_is_left_out(text: str) -> None:
    assert put_right(f"{_BY_DAY} END", text) == f"{_BY_DAY} WHERE NOT NULL c:orders.paid_on END"


def test_what_we_have_is_filled() -> None:
    listed = "c:customers.customer_name c:customers.country"
    made = put_right(f"{listed} END", "customers whose country we know, with their country")
    assert made == f"{listed} WHERE NOT NULL c:customers.country END"


@pytest.mark.parametrize(
    ("tokens", "text"),
    [
        (f"{_BY_DAY} END", "orders per day of payment, cancelled ones left out"),
        (f"{_BY_DAY} END", "orders per day of payment without tents"),
        ("c:orders.order_id c:orders.paid_on END", "orders, those without a day left out"),
        (f"{_BY_DAY} WHERE NULL c:orders.paid_on END", "the ones without a day, all else left out"),
        ("COUNT t:orders END", "orders, the ones with no day left out"),
    ],
)
def test_all_else_stays(tokens: str, text: str) -> None:
    assert put_right(tokens, text) == tokens
