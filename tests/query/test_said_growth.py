"""A metric of growth is meant where growth is asked for."""

from __future__ import annotations

from dataclasses import replace

import pytest

from dbt_t2s.project.schema import Metric
from dbt_t2s.query.linear import from_tokens, to_tokens
from dbt_t2s.query.said_growth import without_growth
from tests.query.shop import shop_schema

_SHOP = shop_schema()
SCHEMA = replace(
    _SHOP,
    metrics=(
        *_SHOP.metrics,
        Metric("revenue_growth", "derived"),
        Metric("monthly_revenue_change_pct", "derived"),
        Metric("growth", "derived"),
    ),
)


def put_right(tokens: str, text: str) -> str:
    plan = from_tokens(tokens.split())
    assert plan is not None
    return " ".join(to_tokens(without_growth(plan, text, SCHEMA)))


@pytest.mark.parametrize("metric", ["revenue_growth", "monthly_revenue_change_pct"])
@pytest.mark.parametrize("text", ["what did we turn over in May", "months above the average"])
def test_what_nobody_asks_to_grow_is_the_metric_itself(metric: str, text: str) -> None:
    assert put_right(f"MONTH TIME m:{metric} END", text) == "MONTH TIME m:revenue END"


@pytest.mark.parametrize(
    ("tokens", "text"),
    [
        ("m:revenue_growth END", "revenue growth in May"),
        ("m:revenue_growth END", "how did revenue develop"),
        ("m:revenue_growth END", "May vs April"),
        ("m:revenue_growth END", "revenue yoy"),
        ("m:growth END", "what did we turn over"),
        ("m:revenue END", "what did we turn over"),
    ],
)
def test_growth_that_is_asked_for_stays(tokens: str, text: str) -> None:
    assert put_right(tokens, text) == tokens
