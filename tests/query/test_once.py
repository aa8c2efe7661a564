"""A number that a metric gives is not given again."""

from __future__ import annotations

import pytest

from dbt_t2s.query.linear import from_tokens, to_tokens
from dbt_t2s.query.once import given_once
from tests.query.shop import shop_schema

COUNTED_TWICE = "c:orders.status m:order_count COUNT t:orders END"


def put_right(tokens: str, text: str = "orders by status") -> str:
    plan = from_tokens(tokens.split())
    assert plan is not None
    return " ".join(to_tokens(given_once(plan, text, shop_schema())))


def test_rows_are_not_counted_beside_a_metric_that_counts_them() -> None:
    assert put_right(COUNTED_TWICE) == "c:orders.status m:order_count END"
    ordered = "c:orders.status COUNT t:orders m:order_count DESC m:order_count END"
    assert put_right(ordered) == "c:orders.status m:order_count DESC m:order_count END"


def test_a_column_is_not_added_up_beside_a_metric_that_does() -> None:
    asked = "m:completed_revenue SUM c:orders.amount WHERE v:orders.is_gift=true END"
    assert put_right(asked) == "m:completed_revenue WHERE v:orders.is_gift=true END"


def test_one_thing_said_twice_is_said_once() -> None:
    assert put_right("m:revenue m:revenue END") == "m:revenue END"


@pytest.mark.parametrize(
    "tokens",
    [
        "COUNT t:customers m:order_count END",  # other rows
        "COUNT t:orders m:revenue END",  # no count
        "AVG c:orders.amount m:revenue END",  # another aggregate
        "SUM c:order_items.quantity m:revenue END",  # another column
        "COUNT t:orders m:average_order_value END",  # of two metrics
        "DIV COUNT t:orders m:order_count END",  # one number of two
        "m:order_count COUNT t:orders DESC COUNT t:orders END",  # ordered by it
        "COUNT t:orders END",
    ],
)
def test_what_is_another_number_stays(tokens: str) -> None:
    assert put_right(tokens) == tokens


def test_all_of_them_may_be_another_number() -> None:
    text = "completed orders beside all orders, by status"
    assert put_right(COUNTED_TWICE, text) == COUNTED_TWICE
