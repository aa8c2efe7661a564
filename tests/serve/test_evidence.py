"""What an answer rests on and takes for granted, read off its SQL; what can be asked instead."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dbt_t2s.answers import Answerer
from dbt_t2s.project.schema import FiscalYear, ProjectSchema
from dbt_t2s.serve.assumed import assumed
from dbt_t2s.serve.evidence import Basis, basis_of, days
from dbt_t2s.serve.nearest import Known, Nearest
from tests.model.shop_schema import shop_schema

SCHEMA = shop_schema()
REVENUE = "select sum(net_amount) as revenue from shop.main.orders where status <> 'cancelled'"


def rests_on(sql: str, *items: str, schema: ProjectSchema = SCHEMA) -> dict[str, list[Basis]]:
    found: dict[str, list[Basis]] = {}
    for each in basis_of(sql, items, schema, lambda unique_id: f"at {unique_id}"):
        found.setdefault(each.kind, []).append(each)
    return found


def test_a_metric_is_told_by_its_aggregate_and_filters() -> None:
    found = rests_on(f"{REVENUE} and ordered_at >= '2025-01-01' and ordered_at < '2025-04-01'")
    (metric,) = found["metric"]
    assert metric.name == "revenue"
    assert metric.sentence == (
        "What customers paid for orders that were not cancelled."
        " It is the sum of net_amount in orders."
    )
    # What the metric brings with it is no filter of the question.
    assert [each.sentence for each in found["filter"]] == ["orders.ordered_at is in Q1 2025."]
    (table,) = found["table"]
    assert (table.name, table.place) == ("orders", "models/orders.sql")
    assert "join" not in found and "rule" not in found


def test_without_its_filter_it_is_another_number() -> None:
    found = rests_on("select sum(net_amount) from orders where status = 'returned'")
    assert "metric" not in found
    assert [each.sentence for each in found["filter"]] == ["orders.status is 'returned'."]


def test_what_the_model_names_goes_before_what_the_sql_shows() -> None:
    sql = "select sum(net_amount) / count(order_id) from orders where status <> 'cancelled'"
    assert [each.name for each in rests_on(sql, "m:basket_value")["metric"]] == ["basket_value"]
    assert [each.name for each in rests_on(sql)["metric"]] == ["revenue", "order_count"]


def test_joins_and_the_proof_of_them() -> None:
    sql = (
        "select c.country, count(*) from shop.main.orders as o join shop.main.customers as c"
        " on o.customer_id = c.customer_id where c.is_business and o.quantity > 2 group by 1"
    )
    proven = tuple(replace(join, evidence=("test.shop.r",)) for join in SCHEMA.joins)
    found = rests_on(sql, schema=replace(SCHEMA, joins=proven))
    assert [(each.sentence, each.place) for each in found["join"]] == [
        ("orders.customer_id = customers.customer_id, as a dbt test proves.", "at test.shop.r")
    ]
    guessed = tuple(replace(join, proven=False) for join in SCHEMA.joins)
    (only,) = rests_on(sql, schema=replace(SCHEMA, joins=guessed))["join"]
    assert "nothing proves" in only.sentence
    assert [each.sentence for each in found["filter"]] == [
        "It holds that is_business.",
        "orders.quantity is over 2.",
    ]


def test_rules_that_always_hold_and_those_that_were_asked_for() -> None:
    always = replace(
        SCHEMA.rules[0],
        name="kept",
        sentence="Cancelled orders never count",
        predicate="status <> 'cancelled'",
        always=True,
        evidence=("model.shop.orders", "models/orders.yml:7"),
    )
    schema = replace(SCHEMA, rules=(*SCHEMA.rules, always))
    (rule,) = rests_on(REVENUE, schema=schema)["rule"]
    assert (rule.name, rule.place) == ("kept", "models/orders.yml:7")
    assert rule.sentence == "Cancelled orders never count. It always holds."
    both = rests_on(f"{REVENUE} and quantity >= 5", "r:bulk_order", schema=schema)
    assert [each.name for each in both["rule"]] == ["bulk_order", "kept"] and "filter" not in both


@pytest.mark.parametrize(
    ("start", "after", "said"),
    [
        ("2025-05-01", "2025-06-01", "in May 2025"),
        ("2025-01-01", "2026-01-01", "in 2025"),
        ("2025-10-01", "2026-01-01", "in Q4 2025"),
        ("2025-05-01", "2025-05-02", "2025-05-01"),
        ("2025-05-01", "2025-05-03", "from 2025-05-01 to 2025-05-02"),
        ("2025-02-01", "2025-05-01", "from 2025-02-01 to 2025-04-30"),
        ("", "2025-05-03", "before 2025-05-03"),
        ("2025-05-01", "", "on or after 2025-05-01"),
    ],
)
def test_ranges_of_days_in_words(start: str, after: str, said: str) -> None:
    assert days(start, after) == said


def test_what_was_taken_for_granted_is_said() -> None:
    sql = f"{REVENUE} and ordered_at >= date '2025-11-01' and ordered_at < date '2025-12-01'"
    assert assumed("revenue last month", sql, SCHEMA) == (
        "“last month” is November 2025, today being 2025-12-31.",
        "Dates are those of orders.ordered_at.",
    )
    # What the question says itself needs no saying.
    assert assumed("revenue ordered in November 2025", sql, SCHEMA) == ()
    named = "select count(*) from shop.main.customers where country in ('Germany', 'France')"
    assert assumed("germans and people in France", named, SCHEMA) == (
        "customers.country 'Germany' is meant.",
    )
    assert assumed("revenue last month", "select nope(", SCHEMA) == ()


def test_what_a_question_counts_in_is_said() -> None:
    all_orders = "select count(*) from orders"
    (said,) = assumed("how many orders, cancelled ones included?", all_orders, SCHEMA)
    assert said.startswith("orders.status 'cancelled' counts here, as the question says")
    kept = f"{all_orders} where status <> 'cancelled'"
    assert assumed("how many orders, cancelled ones included?", kept, SCHEMA) == ()
    customers = "select count(*) from customers"
    assert assumed("how many customers, cancelled ones included?", customers, SCHEMA) == ()


def test_the_days_of_a_fiscal_year_are_said() -> None:
    sql = f"{REVENUE} and ordered_at >= date '2023-02-01' and ordered_at < date '2024-02-01'"
    known = replace(SCHEMA, fiscal_year=FiscalYear(2))
    (said,) = assumed("revenue ordered in FY24", sql, known)
    assert "“FY24” is from 2023-02-01 to 2024-01-31" in said


def test_the_reading_that_was_not_taken_is_said() -> None:
    sql = "select count(*) from orders where ordered_at >= '2025-06-01' and status is null"
    assert assumed("orders from June", sql, SCHEMA) == (
        "“from June” is on or after 2025-06-01, and not June 2025, today being 2025-12-31.",
    )


SQL = st.lists(
    st.sampled_from(
        "select sum ( ) net_amount from orders customers o where status <> = 'x' join on and or"
        " group by 1 country , * in null not date '2025-01-01' having count union".split()
    ),
    max_size=25,
).map(" ".join)


@settings(max_examples=60)
@given(SQL)
def test_any_sql_is_read_or_left_alone(sql: str) -> None:
    kinds = {each.kind for each in basis_of(sql, ("m:revenue",), SCHEMA, lambda unique_id: "")}
    assert kinds <= {"metric", "rule", "filter", "join", "table"}
    assumed("orders last month", sql, SCHEMA)


KNOWN = Nearest(
    [
        Known("revenue by store in 2025", "a"),
        Known("revenue by country in 2024", "a"),
        Known("revenue by store and country in 2024 and 2025", "b"),
        Known("orders by country in 2025", "c"),
        Known("orders by country and store in 2024", "d"),
        Known("orders by stroe", "e"),
    ]
)


def test_the_nearest_questions_share_words_and_differ_in_kind() -> None:
    assert KNOWN.find("revenue of each store manager") == (
        "revenue by store in 2025",
        "revenue by store and country in 2024 and 2025",
        "orders by country and store in 2024",
    )
    # One that is misspelt for training comes last, however near.
    assert KNOWN.find("orders stroe", 1) == ("orders by country in 2025",)
    # Nothing in common: something that can be asked at all.
    assert KNOWN.find("the weather?", 1) == ("orders by country and store in 2024",)
    assert Nearest(()).find("the weather?") == ()


def test_a_trained_projects_answer_names_its_places(answerer: Answerer) -> None:
    found = answerer.ask("how many paid orders did customers from NL make in March 2025?")
    assert found.status == "ok", found.reason
    shown = found.as_dict()
    assert found.built.startswith("20") and shown["built"] == found.built
    places = {each.kind: each.place for each in found.rests_on}
    assert places["table"].startswith("models/")
    for each in found.rests_on:
        if each.kind == "join":
            assert each.place == "models/schema.yml:8"


def test_a_refusal_offers_what_can_be_asked(answerer: Answerer) -> None:
    found = answerer.ask("what is the weather in the salaries of our baristas?")
    assert found.status == "refused" and found.rests_on == ()
    assert len(found.nearest) == 3
    assert answerer.ask(found.nearest[0]).status == "ok"
