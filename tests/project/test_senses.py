"""Definitions that mean the same are one text; those that are one text mean the same."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from itertools import product
from pathlib import Path

import pytest

from dbt_t2s.duck import Rows, open_writable, run
from dbt_t2s.project.renames import Renames
from dbt_t2s.project.schema import CompiledMetric, Metric, MetricFilter, Rule
from dbt_t2s.project.senses import Senses
from tests.model.shop_schema import shop_schema

SHOP = shop_schema()
SENSES = Senses(SHOP)
ATOMS = (
    "f", "not f", "f = true", "f = false", "a = 1", "1 = a", "a <> 1", "a < b", "b > a",
    "a <= b", "b >= a", "a in (1, 2)", "a in (2, 1)", "a is null", "a - b = 1", "b - a = 1",
)  # fmt: skip


def sense(condition: str, table: str = "orders", senses: Senses = SENSES) -> str:
    return senses.of_rule(Rule("rule", "", table, condition))[0]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("status <> 'x' and not is_test", "(NOT is_test) AND STATUS != 'x'"),
        ("a and b and c", "c and (b and a)"),
        ("a or b", "b or a or b"),
        ("not (a < b)", "b <= a"),
        ("not not a", "a"),
        ("not (a = b)", "b <> a"),
        ("(is_test) = false", "not is_test"),
        ("orders.amount > 3", "3 < amount"),
    ],
)
def test_the_same_condition_is_the_same_text(one: str, other: str) -> None:
    assert sense(one) == sense(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("(a or b) and c", "a or (b and c)"),
        ("not (a and b)", "not a and b"),
        ("a - (b - c) = 1", "a - b - c = 1"),
        ("a < b", "a <= b"),
        ("status = 'x'", "status = 'X'"),
        ("status = '1'", "status = 1"),
        ("customers.country = 'x'", "products.country = 'x'"),
        ("a like 'x'", "a ilike 'x'"),
        ("cast(a as date) = b", "cast(a as timestamp) = b"),
    ],
)
def test_another_condition_is_another_text(one: str, other: str) -> None:
    assert sense(one) != sense(other)


def test_conditions_of_one_text_hold_for_the_same_rows(tmp_path: Path) -> None:
    """Each of some thousand, over every combination of a few values and NULL."""
    pairs = [f"({x}) {op} ({y})" for x, y in product(ATOMS, ATOMS) for op in ("and", "or")]
    nested = [f"not ({each})" for each in (*ATOMS, *pairs)]
    more = [f"({x}) and (({y}) or ({z}))" for x, y, z in product(ATOMS[:6], ATOMS[4:10], ATOMS[:4])]
    conditions = [*ATOMS, *pairs, *nested, *more]
    rows = product(("null", "true", "false"), ("null", "1", "2"), ("null", "1", "2"))
    values = ", ".join(f"({f}, {a}, {b})" for f, a, b in rows)
    selected = ", ".join(f"({each})" for each in conditions)
    with open_writable(tmp_path / "rows.duckdb") as connection:
        found = run(connection, f"select {selected} from (values {values}) as rows (f, a, b)")
    assert isinstance(found, Rows)
    answers = list(zip(*found.rows, strict=True))
    told: dict[str, set[tuple[object, ...]]] = defaultdict(set)
    for condition, answer in zip(conditions, answers, strict=True):
        told[sense(condition)].add(answer)
    assert all(len(each) == 1 for each in told.values())
    assert len(told) < len(conditions) * 0.7


def test_new_names_are_no_new_sense() -> None:
    renames = Renames({"orders": "sales"}, {"sales": {"status": "state"}})
    old = Senses(SHOP, renames)
    assert sense("status = 'paid'", senses=old) == sense("state = 'paid'", "sales")
    assert sense("orders.status = 'paid'", "customers", old) == sense(
        "sales.state = 'paid'", "customers"
    )
    assert sense("status = 'paid'", "customers", old) != sense("state = 'paid'", "customers")


def test_a_list_of_filters_is_their_conjunction() -> None:
    one = MetricFilter("orders.status <> 'x' and orders.channel = 'web'", ("orders",))
    two = tuple(
        MetricFilter(each, ("orders",))
        for each in ("orders.channel = 'web'", "not orders.status = 'x'")
    )
    metric = Metric("m", "simple")
    listed, joined = replace(metric, filters=two), replace(metric, filters=(one,))
    assert SENSES.of_metric(joined) == SENSES.of_metric(listed)
    assert SENSES.of_metric(joined) != SENSES.of_metric(replace(metric, filters=two[:1]))


CUMULATIVE = """
with sma_1_cte as (
  select date_trunc('day', ordered_at) as metric_time__day, status as order__status,
    net_amount as __revenue
  from {orders} orders_src_1
)
select sum(revenue) as total from (
  select order__status, __revenue as revenue from sma_1_cte
) subq_2 where order__status <> 'cancelled'
"""


def test_a_compiled_metric_may_call_its_subqueries_as_it_likes() -> None:
    orders = SHOP.table("orders").relation

    def of(text: str, senses: Senses = SENSES) -> tuple[str, ...]:
        return senses.of_metric(
            Metric("m", "cumulative", compiled=(CompiledMetric("", text, "m"),))
        )

    text = CUMULATIVE.format(orders=orders)
    other = text.replace("subq_2", "subq_9").replace("revenue", "income").replace("sma_1", "sma_7")
    assert of(text) == of(other.replace("<>", "!="))
    assert of(text) != of(text.replace("net_amount", "quantity"))
    assert of(text) != of(text.replace("cancelled", "returned"))
    renamed = Senses(SHOP, Renames({}, {"orders": {"net_amount": "value", "status": "state"}}))
    now = text.replace("net_amount", "value").replace(" status", " state")
    assert of(text, renamed) == of(now)
    assert of(text) != of(now)


def test_what_cannot_be_read_is_compared_as_it_is() -> None:
    assert sense("a = = 1") == sense("a  =\n= 1")
    assert sense("a = = 1") != sense("a = = 2")
