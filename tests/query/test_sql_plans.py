"""SQL as plans: what comes back asks for the same rows, and what no plan says is refused."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dbt_t2s.duck import Execute, Rows
from dbt_t2s.errors import QueryPlanError
from dbt_t2s.query.bind import Binder
from dbt_t2s.query.linear import from_tokens, to_tokens
from dbt_t2s.query.simplest import Simplest
from dbt_t2s.query.sql_plans import Converter
from dbt_t2s.query.sql_source import NotConvertedError
from dbt_t2s.sql import transpile
from tests.query.shop import shop_schema, with_gaps
from tests.query.test_bind import CASES, GOLDEN

SCHEMAS = {always: shop_schema(always=always) for always in (False, True)}
CONVERTERS = {always: Converter(schema) for always, schema in SCHEMAS.items()}

# What the binder writes and no reader of SQL takes back yet.
NOT_READ = {
    "metric_of_two_tables": "a CTE",
    "metric_compiled": "a subquery in FROM",
    "metric_compiled_by_month": "a subquery in FROM",
    "metric_compiled_in_a_month": "a subquery in FROM",
    "above_average_days": "a comparison with something other than a number",
    "distinct_through_bridge": "an outer join",
    "two_tables_by_group": "a CTE",
    "two_tables_by_month": "a CTE",
    "change": "a window function",
    "change_from_before": "a window function",
    "change_over_months": "a window function",
    "rolling_average": "a window function",
    "rolling_sum_from_before": "a window function",
    "weekends": "an expression that is no measure",
    "days_of_the_week": "an expression where a column is needed",
    "share_of_the_first": "no FROM",
    "share_of_the_first_rows": "no FROM",
    "share_over": "an expression that is no measure",
    "under_the_whole": "a comparison with a subquery",
    "second_best": "an OFFSET",
    "running": "a window function",
    "running_by_group": "a window function",
    "or_of_a_partner": "an outer join",
    "partner_unknown": "an outer join",
    "tables_with_gaps": "a CTE",
    "part_as_share": "an outer join",
    "count_of_many_in_time": "IN over groups",
    "always_beside_metric": "rows that a rule of the project leaves out",
    "always_in_the_average": "a comparison with a subquery",
    "always_in_the_average_of_its_kind": "a comparison with a subquery",
}


def _golden(name: str) -> str:
    return (GOLDEN / f"{name}.sql").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", sorted(CASES.keys() - NOT_READ.keys()))
def test_what_the_binder_writes_comes_back_as_a_plan_for_the_same_rows(
    name: str, execute: Execute
) -> None:
    always = name.startswith("always")
    plan = CONVERTERS[always].plan(_golden(name))
    said, again = execute(_golden(name)), execute(Binder(SCHEMAS[always]).sql(plan))
    assert isinstance(said, Rows) and isinstance(again, Rows)
    assert sorted(map(repr, said.rows)) == sorted(map(repr, again.rows))
    assert len(to_tokens(plan)) <= len(CASES[name][0].split()) + 4


@pytest.mark.parametrize("name", NOT_READ)
def test_what_no_plan_is_found_for_says_why(name: str) -> None:
    with pytest.raises(NotConvertedError) as raised:
        CONVERTERS[name.startswith("always")].plan(_golden(name))
    assert raised.value.what == NOT_READ[name]


PEOPLES = {
    # By position, by alias, by ALL; with USING, a LEFT JOIN that is none, a tie broken.
    "select c.country, sum(o.amount) as total from orders o join customers c using (customer_id)"
    " group by c.country order by total desc, 1": "c:customers.country m:revenue DESC m:revenue",
    "select status, count(*) from orders group by all": "c:orders.status m:order_count",
    "select date_trunc('month', ordered_at)::date as m, sum(amount) from orders group by m"
    " order by m": "MONTH TIME m:revenue",
    # Conditions of all kinds.
    "select count(*) from orders where ordered_at >= '2025-01-01' and ordered_at < '2026-01-01'": (
        "m:order_count WHERE d:2025-01-01/2026-01-01"
    ),
    "select count(*) from orders where year(ordered_at) = 2025": (
        "m:order_count WHERE d:2025-01-01/2026-01-01"
    ),
    "select count(*) from orders where date_trunc('month', ordered_at) = date '2025-02-01'": (
        "m:order_count WHERE d:2025-02-01/2025-03-01"
    ),
    "select count(*) from orders where due_on between '2025-02-01' and '2025-02-28'": (
        "m:order_count WHERE ON c:orders.due_on d:2025-02-01/2025-03-01"
    ),
    "select count(*) from orders where is_gift is true and refund is not null": (
        "m:order_count WHERE c:orders.is_gift NOT NULL c:orders.refund"
    ),
    "select count(*) from orders where paid_on > due_on": (
        "m:order_count WHERE GT c:orders.paid_on c:orders.due_on"
    ),
    "select customer_name from customers c where not exists"
    " (select 1 from orders o where o.customer_id = c.customer_id)": (
        "c:customers.customer_name WHERE NOT HAS t:orders CLOSE"
    ),
    # The key of a row that conditions find.
    "select count(*) from orders where customer_id ="
    " (select customer_id from customers where customer_name = 'Ann')": (
        "m:order_count WHERE LIKE c:customers.customer_name s:Ann"
    ),
    # Rows that count alone, and their share.
    "select count(*) filter (where is_gift), sum(case when status = 'returned' then amount end)"
    " from orders": "ONLY m:order_count c:orders.is_gift ONLY m:revenue v:orders.status=returned",
    "select 1.0 * count(*) filter (where is_gift) / count(*) from orders": "RATE c:orders.is_gift",
    "select avg(case when is_gift then 1 else 0 end) from orders": "RATE c:orders.is_gift",
}


@pytest.mark.parametrize("text", PEOPLES)
def test_what_people_write_becomes_the_plan_that_models_write(text: str) -> None:
    found = " ".join(to_tokens(CONVERTERS[False].plan(text)))
    assert found.removesuffix(" END") == (PEOPLES[text])


REFUSED = {
    "with a as (select 1) select * from a": "a CTE",
    "select * from orders": "SELECT *",
    "select 100 * count(*) from orders": "an expression that is no measure",
    "select round(avg(amount), 2) from orders": "an expression that is no measure",
    "select count(*) from orders where ordered_at <= '2025-01-31'": (
        "a range that ends within a day"
    ),
    "select count(*) from orders where ordered_at > now()": (
        "a date compared with something other than a day"
    ),
    "select count(*) from orders o left join customers c on o.customer_id = c.customer_id": (
        "an outer join"
    ),
    "select count(*) from elsewhere": "a table that the schema lacks",
    "drop table orders": "a statement of another kind",
    "select (": "SQL that cannot be read",
}


@pytest.mark.parametrize("text", REFUSED)
def test_what_a_plan_cannot_say_is_refused_with_its_reason(text: str) -> None:
    with pytest.raises(NotConvertedError) as raised:
        CONVERTERS[False].plan(text)
    assert raised.value.what == REFUSED[text]


NEAREST = {
    "select 100 * count(*) from orders": "m:order_count",
    "select country, round(100.0 * avg(case when is_gift then 1 else 0 end), 1) from orders o"
    " join customers c on o.customer_id = c.customer_id group by 1": (
        "c:customers.country RATE c:orders.is_gift"
    ),
    "select round(sum(amount) * 100 / count(*), 2) from orders": "m:average_order_value",
}


@pytest.mark.parametrize("text", NEAREST)
def test_the_nearest_plan_says_shares_for_percentages(text: str) -> None:
    with pytest.raises(NotConvertedError):
        CONVERTERS[False].plan(text)
    found = " ".join(to_tokens(CONVERTERS[False].nearest(text)))
    assert found.removesuffix(" END") == NEAREST[text]


def test_the_nearest_plan_keeps_to_rules_that_the_sql_leaves_out() -> None:
    found = CONVERTERS[True].nearest("select count(*) from orders")
    assert to_tokens(found) == ("COUNT", "t:orders", "END")


def test_a_rule_that_always_holds_must_be_stated() -> None:
    with pytest.raises(NotConvertedError) as raised:
        CONVERTERS[True].plan("select count(*) from orders")
    assert raised.value.what == "rows that a rule of the project leaves out"
    plan = CONVERTERS[True].plan("select count(*) from orders where status <> 'cancelled'")
    assert to_tokens(plan) == ("COUNT", "t:orders", "END")


def test_groups_without_a_name_must_be_left_out_of_an_average() -> None:
    converter = Converter(with_gaps("customer_id"))
    inner = "select customer_id, count(*) as n from marts.orders{} group by 1"
    averaged = f"select avg(n) from ({inner}) as per_group"
    with pytest.raises(NotConvertedError):
        converter.plan(averaged.format(""))
    stated = converter.plan(averaged.format(" where customer_id is not null"))
    assert to_tokens(stated)[:3] == ("AVG_EACH", "COUNT", "t:orders")


def test_sql_of_another_dialect_is_read_in_its_own_words() -> None:
    schema = replace(SCHEMAS[False], dialect="bigquery")
    text = transpile(_golden("metric_filter_joined"), "duckdb", "bigquery")
    assert "m:german_revenue" in to_tokens(Converter(schema).plan(text))


def test_metrics_are_found_by_their_rows_where_their_sql_is_another(execute: Execute) -> None:
    def alike(left: str, right: str) -> bool:
        said, other = execute(left), execute(right)
        return isinstance(said, Rows) and isinstance(other, Rows) and said.rows == other.rows

    schema, tokens = SCHEMAS[False], ("ONLY", "COUNT", "t:orders", "c:orders.is_gift", "END")
    plan = from_tokens(tokens)
    assert plan is not None
    assert to_tokens(Simplest(schema, Binder(schema)).of(plan)) != ("m:gifts", "END")
    assert to_tokens(Simplest(schema, Binder(schema), alike).of(plan)) == ("m:gifts", "END")


@given(st.data())
def test_any_text_is_a_plan_or_a_reason(data: st.DataObject) -> None:
    words = "select count ( * ) distinct from orders o customers join on using where and or not in"
    words += " is null status amount ordered_at '2025-01-01' 5 group by order limit 1 , . = < case"
    words += " when then else end sum avg date_trunc 'month' exists over qualify having except"
    text = " ".join(data.draw(st.lists(st.sampled_from(words.split()), max_size=14)))
    try:
        plan = CONVERTERS[False].plan(f"select {text}")
    except QueryPlanError:
        return
    assert Binder(SCHEMAS[False]).sql(plan)


@given(st.sampled_from(sorted(CASES)), st.integers(0, 400), st.integers(1, 12))
def test_damaged_sql_is_a_plan_or_a_reason(name: str, at: int, length: int) -> None:
    text = _golden(name)
    try:
        plan = CONVERTERS[False].plan(text[:at] + text[at + length :])
    except QueryPlanError:
        return
    assert Binder(SCHEMAS[False]).sql(plan)
