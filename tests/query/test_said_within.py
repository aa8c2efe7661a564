"""What is said within a name of something else is no condition."""

from __future__ import annotations

from dataclasses import replace

import pytest

from dbt_t2s.project.schema import ProjectSchema, Rule
from dbt_t2s.query.linear import from_tokens, to_tokens
from dbt_t2s.query.said_within import without_parts
from tests.query.shop import shop_schema


@pytest.fixture(scope="module")
def schema() -> ProjectSchema:
    """The shop with a rate of returned orders, and tents as customers."""
    shop = shop_schema()
    revenue = next(each for each in shop.metrics if each.name == "revenue")
    rate = replace(revenue, name="late_share", synonyms=("returned order rate", "late order share"))
    late = Rule("late_order", "paid after it was due", "orders", "paid_on > due_on")
    customers = shop.table("customers")
    called = replace(customers, synonyms=("tents", "returned"))
    tables = tuple(called if each == customers else each for each in shop.tables)
    return replace(shop, metrics=(*shop.metrics, rate), rules=(*shop.rules, late), tables=tables)


def put_right(tokens: str, text: str, schema: ProjectSchema) -> str:
    plan = from_tokens(tokens.split())
    assert plan is not None
    return " ".join(to_tokens(without_parts(plan, text, schema)))


@pytest.mark.parametrize(
    ("condition", "text"),
    [
        ("v:orders.status=returned", "returned order rate by store"),
        ("v:orders.status=returned", "by store, the RETURNED ORDERS' RATE"),
        ("v:orders.status=returned", "returned orders by store"),
        ("r:late_order", "late order share by store"),
    ],
)
def test_what_is_said_within_a_metrics_name_is_no_condition(
    condition: str, text: str, schema: ProjectSchema
) -> None:
    plan = f"c:stores.store_name m:late_share WHERE {condition} c:orders.is_gift END"
    without = "c:stores.store_name m:late_share WHERE c:orders.is_gift END"
    assert put_right(plan, text, schema) == without


def test_what_is_said_besides_stays(schema: ProjectSchema) -> None:
    plan = "m:late_share WHERE v:orders.status=returned END"
    for text in (
        "returned order rate of returned orders",
        "order rate of what was returned",
        "late share",
        "rate of orders",
    ):
        assert put_right(plan, text, schema) == plan
    other = "m:revenue WHERE v:orders.status=returned END"
    assert put_right(other, "returned order rate", schema) == other


def test_a_tables_name_means_the_table(schema: ProjectSchema) -> None:
    plan = "MIN c:customers.signed_up_on WHERE v:products.category=tents END"
    assert put_right(plan, "first day of tents", schema) == "MIN c:customers.signed_up_on END"


def test_a_tables_name_may_mean_a_value_of_what_is_asked_for(schema: ProjectSchema) -> None:
    named = "COUNT t:orders c:customers.country WHERE v:orders.status=returned END"
    assert put_right(named, "returned by country", schema) == named
    spoken = "COUNT t:customers WHERE v:products.category=tents c:products.price END"
    assert put_right(spoken, "tents with a price", schema) == spoken


def test_plans_without_such_conditions_are_as_they_were(schema: ProjectSchema) -> None:
    plan = "m:late_share WHERE c:orders.is_gift END"
    assert put_right(plan, "returned order rate", schema) == plan
