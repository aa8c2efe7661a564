"""Metric and saved-query questions, in the SQL of the real MetricFlow over the example project."""

from __future__ import annotations

from pathlib import Path

import pytest

from dbt_t2s.duck import Rows, copy_warehouse
from dbt_t2s.judge.oracle import metric_items, saved_query_items
from dbt_t2s.judge.sandbox import Sandbox
from dbt_t2s.project.json_file import SEMANTIC_MANIFEST, load
from dbt_t2s.project.metrics import MetricFlow, with_ratio_aliases
from dbt_t2s.project.schema import Measure, Metric, ProjectSchema, SavedQuery


def schema(*metrics: Metric, saved: tuple[SavedQuery, ...] = ()) -> ProjectSchema:
    return ProjectSchema("fernhill", "duckdb", (), metrics=metrics, saved_queries=saved)


def test_metrics_are_asked_for_in_words_and_metricflow_writes_the_gold(built_example: Path) -> None:
    found, _ = load(built_example / "target", SEMANTIC_MANIFEST)
    flow = MetricFlow(with_ratio_aliases(found)[0], "duckdb")
    count = Measure("orders_placed", "orders", "count", "order_id", "order_date")
    orders = Metric("order_count", "simple", "Orders", synonyms=("order volume",), measure=count)
    rolling = Metric("net_revenue_last_90_days", "cumulative", "Revenue of 90 days")
    unknown = Metric("no_such_metric", "simple", "Nothing")
    items, issues = metric_items(schema(orders, rolling, unknown), flow)
    assert [each.question for each in items] == [
        "How many orders?",
        "What is the order volume by month?",
        "What is the revenue of 90 days by month?",
    ]
    assert all(
        each.golds == (flow.sql(each.metrics, group),)
        for each, group in zip(
            items, ((), ("metric_time__month",), ("metric_time__month",)), strict=True
        )
    )
    assert [each.where for each in issues] == ["metric no_such_metric"]


@pytest.mark.parametrize("group_by", [(), ("metric_time__month",), ("customer__country",)])
def test_a_conversion_metric_runs_in_the_sandbox(
    built_example: Path, tmp_path: Path, group_by: tuple[str, ...]
) -> None:
    """MetricFlow tells its rows apart by random keys, which the sandbox refuses."""
    found, _ = load(built_example / "target", SEMANTIC_MANIFEST)
    sql = MetricFlow(found, "duckdb").sql(["sign_up_to_order_rate"], group_by)
    warehouse = copy_warehouse(built_example / "fernhill.duckdb", tmp_path)
    marts = ("fernhill.main_marts.customers", "fernhill.main_marts.orders")
    with Sandbox(warehouse, marts) as sandbox:
        rows = sandbox.execute(sql)
    assert isinstance(rows, Rows) and any(row[-1] for row in rows.rows), rows


def test_a_saved_query_without_sql_or_words_is_an_issue() -> None:
    good = SavedQuery("good", "", "Revenue by month.", ("revenue",), (), (), "select 1")
    no_sql = SavedQuery("no_sql", "Label", "", ("revenue",), (), ())
    no_words = SavedQuery("no_words", "", "", ("revenue",), (), (), "select 1")
    items, issues = saved_query_items(schema(saved=(good, no_sql, no_words)))
    assert [(each.question, each.golds) for each in items] == [("Revenue by month.", ("select 1",))]
    assert [each.where for each in issues] == ["saved query no_sql", "saved query no_words"]
