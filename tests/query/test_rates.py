"""Quotients that nobody asks for: of what is itself a rate."""

from __future__ import annotations

import pytest

from dbt_t2s.query.bind import Binder
from dbt_t2s.query.linear import from_tokens
from dbt_t2s.query.rates import divides_a_rate
from tests.query.shop import shop_schema

_BINDER = Binder(shop_schema())


@pytest.mark.parametrize(
    ("tokens", "odd"),
    [
        ("DIV m:average_order_value m:average_order_value END", True),
        ("c:stores.city DIV m:revenue m:average_order_value END", True),
        ("c:stores.city DESC DIV m:average_order_value m:revenue LIMIT ONE END", True),
        ("DIV m:revenue COUNT t:orders END", False),
        ("SUB m:average_order_value m:revenue END", False),
        ("m:average_order_value END", False),
        ("DIV m:nothing m:revenue END", False),
    ],
)
def test_a_rate_is_divided_by_nothing(tokens: str, odd: bool) -> None:
    plan = from_tokens(tokens.split())
    assert plan is not None
    assert divides_a_rate(plan, _BINDER) is odd
