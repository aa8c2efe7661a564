"""What was opened need not be open."""

from __future__ import annotations

from dataclasses import replace

import pytest

from dbt_t2s.project.schema import ProjectSchema
from dbt_t2s.query.linear import from_tokens, to_tokens
from dbt_t2s.query.said_past import as_happened
from tests.query.shop import shop_schema


@pytest.fixture(scope="module")
def schema() -> ProjectSchema:
    """The shop with a count of open orders and a sum of them."""
    shop = shop_schema()
    count = next(m for m in shop.metrics if m.measure and m.measure.aggregation == "count")
    total = next(m for m in shop.metrics if m.measure and m.measure.aggregation == "sum")
    made = (replace(count, name="open_orders"), replace(total, name="open_amount"))
    return replace(shop, metrics=(*shop.metrics, *made))


def put_right(tokens: str, text: str, schema: ProjectSchema) -> str:
    plan = from_tokens(tokens.split())
    assert plan is not None
    return " ".join(to_tokens(as_happened(plan, text, schema)))


@pytest.mark.parametrize(
    "text",
    [
        "orders opened by city, most first",
        "by city: how many orders did people open in 2025",
    ],
)
def test_what_was_opened_is_all_there_is(text: str, schema: ProjectSchema) -> None:
    plan = "c:stores.city m:open_orders DESC m:open_orders END"
    assert put_right(plan, text, schema) == "c:stores.city COUNT t:orders DESC COUNT t:orders END"


@pytest.mark.parametrize(
    ("plan", "text"),
    [
        ("m:open_orders END", "open orders"),
        ("m:open_orders END", "open orders opened in May"),
        ("m:open_orders END", "how many orders did we have open by city"),
        ("m:open_orders END", "did we have open orders in May"),
        ("m:open_amount END", "what orders opened in May were worth"),
        ("m:revenue END", "revenue of orders opened in May"),
    ],
)
def test_what_is_open_stays(plan: str, text: str, schema: ProjectSchema) -> None:
    assert put_right(plan, text, schema) == plan
