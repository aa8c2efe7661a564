"""What a metric's own name says is no condition and no order."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from dbt_t2s.project.schema import ProjectSchema
from dbt_t2s.query.linear import from_tokens, to_tokens
from dbt_t2s.query.named import without_named
from tests.query.shop import shop_schema

TODAY = date(2026, 6, 30)
LAST_YEAR = "WHERE d:2025-01-01/2026-01-01"


@pytest.fixture(scope="module")
def schema() -> ProjectSchema:
    """The shop with a growth to last year and a largest order."""
    shop = shop_schema()
    revenue = next(each for each in shop.metrics if each.name == "revenue")
    growth = replace(revenue, name="growth_to_last_year", synonyms=("last year's growth",))
    largest = replace(revenue, name="max_amount", label="Largest order")
    return replace(shop, metrics=(*shop.metrics, growth, largest))


def put_right(tokens: str, text: str, schema: ProjectSchema) -> str:
    plan = from_tokens(tokens.split())
    assert plan is not None
    return " ".join(to_tokens(without_named(plan, text, schema, TODAY)))


def test_days_in_a_metrics_name_are_no_condition(schema: ProjectSchema) -> None:
    dated = f"MONTH TIME m:growth_to_last_year {LAST_YEAR} END"
    undated = "MONTH TIME m:growth_to_last_year END"
    assert put_right(dated, "growth to last year by month", schema) == undated
    of_gifts = f"MONTH TIME m:growth_to_last_year {LAST_YEAR} c:orders.is_gift END"
    assert "c:orders.is_gift" in put_right(of_gifts, "growth to last year, gifts", schema)
    label = f"m:growth_to_last_year {LAST_YEAR} END"
    assert put_right(label, "last year's growth", schema) == "m:growth_to_last_year END"


@pytest.mark.parametrize(
    ("metric", "text"),
    [
        ("growth_to_last_year", "growth to last year, for last year"),
        ("growth_to_last_year", "growth in last year"),
        ("revenue", "growth to last year"),
    ],
)
def test_days_that_are_said_besides_stay(metric: str, text: str, schema: ProjectSchema) -> None:
    dated = f"m:{metric} {LAST_YEAR} END"
    assert put_right(dated, text, schema) == dated


def test_the_largest_by_month_has_a_line_for_each(schema: ProjectSchema) -> None:
    first = "MONTH TIME m:max_amount DESC m:max_amount LIMIT ONE END"
    every = "MONTH TIME m:max_amount END"
    assert put_right(first, "largest order by month", schema) == every
    assert put_right(first, "which month had the largest order", schema) == first
    assert put_right(first, "best month by month for the largest order", schema) == first
    few = first.replace("ONE", "n:3")
    assert put_right(few, "largest order by month", schema) == few
