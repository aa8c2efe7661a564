"""A rate that is compared with that of the whole."""

from __future__ import annotations

import pytest

from dbt_t2s.query.bind import Binder
from dbt_t2s.query.linear import from_tokens, to_tokens
from dbt_t2s.query.said_overall import with_the_whole
from tests.query.shop import shop_schema

_BINDER = Binder(shop_schema())
_RATE = "c:stores.city HAVING LT m:average_order_value"


def put_right(tokens: str, text: str) -> str:
    plan = from_tokens(tokens.split())
    assert plan is not None
    return " ".join(to_tokens(with_the_whole(plan, text, _BINDER)))


@pytest.mark.parametrize(
    "text",
    [
        "cities with an order value below the overall one",
        "cities whose order value is below that of the company as a whole",
        "order value by city, under company level",
        "cities under the company's average order value",
        "cities below the order value over all stores",
    ],
)
def test_the_whole_is_no_average_of_its_parts(text: str) -> None:
    assert put_right(f"{_RATE} AVERAGE END", text) == f"{_RATE} OVERALL END"


@pytest.mark.parametrize(
    ("tokens", "text"),
    [
        (f"{_RATE} AVERAGE END", "cities below the average order value"),
        (f"{_RATE} n:100 END", "cities below an order value of 100 overall"),
        ("c:stores.city HAVING LT m:revenue AVERAGE END", "cities below the overall average"),
        ("c:stores.city m:average_order_value END", "order value by city and overall"),
        ("c:stores.city HAVING LT m:nothing AVERAGE END", "cities below the overall nothing"),
    ],
)
def test_all_else_stays(tokens: str, text: str) -> None:
    assert put_right(tokens, text) == tokens
