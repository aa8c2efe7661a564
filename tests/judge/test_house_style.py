"""House style and rules that always hold, told from the statement alone."""

from __future__ import annotations

import pytest

from dbt_t2s.judge.broken_rules import broken_rules
from dbt_t2s.judge.house_style import house_style
from dbt_t2s.judge.read_tables import read_tables
from dbt_t2s.judge.style_rules import StyleRules, read_style
from dbt_t2s.project.schema import Rule, Table

ORDERS = Table("orders", "shop.marts.orders", "model.shop.orders", "orders.sql", (), layer="marts")
STAGED = Table("stg_orders", "shop.staging.stg_orders", "m", "s.sql", (), layer="staging")
TABLES = (ORDERS, STAGED)
RULE = Rule(
    "no test orders",
    "",
    "orders",
    "is_test_order = FALSE AND order_status <> 'cancelled'",
    always=True,
)


def style(sql: str, rules: StyleRules | None = None, gold: tuple[str, ...] = ()) -> tuple[str, ...]:
    read = read_tables(sql, TABLES, "duckdb")
    return house_style(sql, rules or StyleRules(), read, "duckdb", gold)


@pytest.mark.parametrize(
    ("sql", "found"),
    [
        ("select net, count(*) from marts.orders group by 1", ()),
        ("select * from marts.orders", ("SELECT *",)),
        ("select o.* from marts.orders o", ("SELECT *",)),
        ("select a from marts.orders, marts.lines", ("cross join with lines",)),
        ("select a from marts.orders cross join marts.lines as l", ("cross join with l",)),
        ("select a from marts.orders join marts.lines using (k)", ()),
        ("select a from marts.orders natural join marts.lines", ()),
        ("select a / total from marts.orders cross join (select sum(a) as total from b)", ()),
        ("with t as (select sum(a) as s from b) select a / s from marts.orders, t", ()),
        ("select a from marts.orders, (select b from c group by b) as t", ("cross join with t",)),
        ('select net as "Net Sales" from orders', ("the column Net Sales is not in snake_case",)),
        ("select a from staging.stg_orders", ("reads stg_orders of the staging layer",)),
    ],
)
def test_style_is_told(sql: str, found: tuple[str, ...]) -> None:
    assert style(sql) == found


def test_a_gold_that_reads_staging_allows_it() -> None:
    assert style("select a from staging.stg_orders", gold=("stg_orders",)) == ()


def test_a_partition_must_be_filtered_where_that_is_asked() -> None:
    rules = read_style({"partition_filter": "orders.order_date"})
    wanted = ("reads orders without a filter on order_date",)
    assert style("select count(*) from marts.orders", rules) == wanted
    assert style("select count(*) from marts.orders o where net > 5", rules) == wanted
    assert style("select count(*) from orders o where o.order_date > '2025-01-01'", rules) == ()
    assert style("select count(*) from staging.stg_orders", rules)[:1] != wanted


def test_rules_can_be_turned_off_and_layout_asked_for() -> None:
    loose = read_style({"select_star": False, "cross_join": False, "naming": False})
    assert style('select *, a as "A" from marts.orders, lines', loose) == ()
    assert style("select a from stg_orders", read_style({"marts": False})) == ()
    strict = read_style({"format": True})
    assert style("select a from orders", strict) == ("is not laid out as sqlglot does",)
    assert style("SELECT\n  a\nFROM orders", strict) == ()


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (5, "should be a mapping"),
        ({"select_stars": False}, "did you mean select_star"),
        ({"naming": "yes"}, "true or false for naming"),
        ({"partition_filter": 3}, "list of table.column"),
        ({"partition_filter": ["orders"]}, "table.column for each"),
    ],
)
def test_settings_that_mean_nothing_are_told(value: object, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        read_style(value)


@pytest.mark.parametrize(
    ("condition", "kept"),
    [
        ("not o.is_test_order and o.order_status <> 'cancelled'", True),
        ("is_test_order = false and order_status != 'cancelled' and net > 5", True),
        ("not (is_test_order) and (\"order_status\" <> 'cancelled')", True),
        ("order_status <> 'cancelled'", False),
        ("is_test_order and order_status <> 'cancelled'", False),
        ("not is_test_order and order_status = 'cancelled'", False),
    ],
)
def test_rules_are_found_however_they_are_spelled(condition: str, kept: bool) -> None:
    sql = f"select count(*) from marts.orders as o where {condition}"
    broken = broken_rules(sql, [RULE], ["orders"], "duckdb")
    assert broken == (set() if kept else {"no test orders"})


def test_a_rule_may_be_kept_in_a_case_or_a_filter() -> None:
    case = (
        "select sum(case when order_status <> 'cancelled' and not is_test_order then 1 end) from o"
    )
    filtered = (
        "select count(*) filter (where not is_test_order and order_status <> 'cancelled') from o"
    )
    for sql in (case, filtered):
        assert broken_rules(sql, [RULE], ["orders"], "duckdb") == set()


def test_only_rules_that_always_hold_on_what_is_read_are_asked_for() -> None:
    sql = "select count(*) from marts.orders"
    sometimes = Rule("sometimes", "", "orders", "net > 5")
    elsewhere = Rule("elsewhere", "", "customers", "active", always=True)
    assert broken_rules(sql, [sometimes, elsewhere], ["orders"], "duckdb") == set()


@pytest.mark.parametrize("name", ["orders", "marts.orders", '"shop"."MARTS"."Orders"'])
def test_tables_are_known_by_any_part_of_their_name(name: str) -> None:
    assert read_tables(f"select 1 from {name}", TABLES, "duckdb") == (ORDERS,)


@pytest.mark.parametrize("name", ["orders_b", "other.orders", "with_orders.marts.orders"])
def test_another_table_is_not_taken_for_one_of_the_schema(name: str) -> None:
    assert read_tables(f"select 1 from {name}", TABLES, "duckdb") == ()
    assert read_tables("with orders as (select 1) select 1 from orders", TABLES, "duckdb") == ()
