"""What a question counts in, though rules and metrics leave it out."""

from __future__ import annotations

from dataclasses import replace

import pytest

from dbt_t2s.project.schema import MetricFilter, ProjectSchema, Rule
from dbt_t2s.query.bind import Binder
from dbt_t2s.query.linear import from_tokens, to_tokens
from dbt_t2s.query.said_included import CountedIn, LeftOut, counting_in, uncounted
from tests.query.shop import shop_schema

CANCELLED = LeftOut("orders", "status", "cancelled")
RETURNED = LeftOut("orders", "status", "returned")
GIFT = LeftOut("orders", "is_gift", "true", flag=True)


@pytest.fixture(scope="module")
def schema() -> ProjectSchema:
    """The shop, where cancelled orders never count, gifts and returns are no revenue."""
    shop = shop_schema()
    rule = Rule("counted", "cancelled do not count", "orders", "status <> 'cancelled'", always=True)
    left_out = "orders.status NOT IN ('cancelled', 'returned') AND orders.is_gift = FALSE"
    revenue = next(m for m in shop.metrics if m.name == "revenue")
    usual = replace(revenue, name="usual", filters=(MetricFilter(left_out, ("orders",)),))
    return replace(shop, rules=(rule,), metrics=(*shop.metrics, usual))


@pytest.mark.parametrize(
    ("text", "counted"),
    [
        ("orders by city, cancelled ones included", {CANCELLED}),
        ("How many orders did we get in May, cancelled and returned ones too?",
         {CANCELLED, RETURNED}),
        ("revenue in May including cancelled orders", {CANCELLED}),
        ("usual revenue, gifts included", {GIFT}),
        ("orders by city, regardless of their status", {CANCELLED, RETURNED}),
        ("orders by city, whatever the status", {CANCELLED, RETURNED}),
        ("orders by city, cancelled or not", {CANCELLED}),
        ("completed orders, cancelled ones too", set()),
        ("cancelled orders by city", set()),
        ("orders by city, cancelled ones left out", set()),
        ("orders by city, even Berlin", set()),
        ("orders by city", set()),
    ],
)  # fmt: skip
def test_what_is_counted_in(text: str, counted: set[LeftOut], schema: ProjectSchema) -> None:
    assert CountedIn(schema).said(text) == counted


def test_rules_and_metrics_do_not_leave_it_out(schema: ProjectSchema) -> None:
    made = counting_in(schema, frozenset((CANCELLED, GIFT)))
    assert made.rules == ()
    usual = next(m for m in made.metrics if m.name == "usual")
    assert [f.predicate for f in usual.filters] == ["NOT orders.status IN ('returned')"]
    everything = counting_in(schema, frozenset((CANCELLED, RETURNED, GIFT)))
    assert next(m for m in everything.metrics if m.name == "usual").filters == ()


def test_the_sql_counts_it(schema: ProjectSchema) -> None:
    plan = from_tokens("COUNT t:orders END".split())
    assert plan is not None
    binder = Binder(schema)
    assert "cancelled" in binder.asked("how many orders?").sql(plan)
    counting = binder.asked("how many orders, cancelled ones included?")
    assert "cancelled" not in counting.sql(plan)
    assert binder.asked("how many orders, cancelled ones included?") is counting
    assert "cancelled" in binder.sql(plan)


def test_a_schema_that_leaves_nothing_out_counts_nothing_in() -> None:
    shop = replace(shop_schema(), rules=(), metrics=())
    assert CountedIn(shop).said("orders by city, cancelled ones included") == frozenset()


def test_what_is_counted_in_is_no_condition(schema: ProjectSchema) -> None:
    plan = from_tokens(
        "COUNT t:orders WHERE v:orders.status=cancelled c:orders.is_gift END".split()
    )
    assert plan is not None
    without = " ".join(to_tokens(uncounted(plan, frozenset((CANCELLED,)))))
    assert without == "COUNT t:orders WHERE c:orders.is_gift END"
    assert uncounted(plan, frozenset((CANCELLED, GIFT))).where == ()
    assert uncounted(plan, frozenset((RETURNED,))) == plan
