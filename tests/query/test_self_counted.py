"""Nothing is counted by itself."""

from __future__ import annotations

from dataclasses import replace

import pytest

from dbt_t2s.project.schema import Column, Measure, Metric, ProjectSchema
from dbt_t2s.query.linear import from_tokens
from dbt_t2s.query.self_counted import counts_itself
from tests.query.shop import shop_schema


@pytest.fixture(scope="module")
def schema() -> ProjectSchema:
    """The shop with a metric that counts the products sold, whose names are their own."""
    shop = shop_schema()
    tables = tuple(replace(t, columns=tuple(map(_as_tested, t.columns))) for t in shop.tables)
    sold = Measure("sold", "order_items", "count_distinct", "product_id", "shipped_on")
    metric = Metric("products_sold", "simple", measure=sold)
    return replace(shop, tables=tables, metrics=(*shop.metrics, metric))


def _as_tested(column: Column) -> Column:
    return replace(column, unique=column.unique or column.name == "product_name")


@pytest.mark.parametrize(
    ("tokens", "itself"),
    [
        ("c:products.product_name m:products_sold END", True),
        ("c:products.product_name DESC m:products_sold LIMIT n:5 END", True),
        ("c:products.product_id COUNT t:products END", True),
        ("c:products.product_name COUNT_DISTINCT c:order_items.product_id END", True),
        ("c:products.category m:products_sold END", False),
        ("c:customers.customer_name m:products_sold END", False),
        ("c:products.product_name COUNT t:order_items END", False),
        ("c:products.product_name COUNT_DISTINCT c:order_items.order_id END", False),
        ("c:products.product_name c:products.price END", False),
    ],
)
def test_what_each_group_is_one_of_is_no_count(
    tokens: str, itself: bool, schema: ProjectSchema
) -> None:
    plan = from_tokens(tokens.split())
    assert plan is not None
    assert counts_itself(plan, schema) == itself
