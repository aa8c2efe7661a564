"""A period beside something else that a question divides by."""

from __future__ import annotations

from dataclasses import replace

import pytest

from dbt_t2s.query.linear import from_tokens, to_tokens
from dbt_t2s.query.said_grain import by_grain, divided, said_grain
from tests.query.shop import shop_schema


@pytest.mark.parametrize(
    ("text", "grain"),
    [
        ("Recurring revenue by month and plan.", "MONTH"),
        ("spend and clicks by quarter & channel", "QUARTER"),
        ("revenue per channel and week", "WEEK"),
        ("orders by customer segment and by year", "YEAR"),
        ("orders by year and by country", "YEAR"),
        ("revenue by month", ""),
        ("orders by channel and country", ""),
        ("what do they pay us per month, all together", ""),
        ("orders by store and day of the week", ""),
        ("revenue by month and year", ""),
    ],
)
def test_what_a_question_divides_by(text: str, grain: str) -> None:
    assert said_grain(text) == grain


@pytest.mark.parametrize(
    ("tokens", "made"),
    [
        ("c:orders.channel m:revenue END", "MONTH TIME c:orders.channel m:revenue END"),
        ("MONTH TIME m:revenue END", None),
        ("YEAR TIME c:orders.channel m:revenue END", None),
        ("c:plans.month_start m:revenue END", None),
        ("c:orders.channel c:orders.order_id END", None),
    ],
)
def test_a_plan_that_lacks_the_period_has_it(tokens: str, made: str | None) -> None:
    plan = from_tokens(tokens.split())
    assert plan is not None
    assert " ".join(to_tokens(divided(plan, "MONTH"))) == (made or tokens)
    assert divided(plan, "") == plan


@pytest.mark.parametrize(
    ("text", "added"),
    [
        ("monthly revenue by status", "MONTH TIME "),
        ("Weekly order count per status", ""),  # of another measure
        ("revenue by quarter and status", "QUARTER TIME "),
        ("average monthly revenue by status", ""),
        ("revenue of monthly plans by status", ""),
        ("average revenue per day and status", ""),
    ],
)
def test_a_pace_before_a_metrics_name_divides_by_it(text: str, added: str) -> None:
    tokens = "c:orders.status m:revenue END"
    plan = from_tokens(tokens.split())
    assert plan is not None
    assert " ".join(to_tokens(by_grain(plan, text, shop_schema()))) == added + tokens


def test_a_pace_that_is_part_of_what_is_measured_divides_by_nothing() -> None:
    shop = shop_schema()
    paid = tuple(replace(m, description="Monthly fees.") for m in shop.metrics)
    plan = from_tokens("c:orders.status m:revenue END".split())
    assert plan is not None
    assert by_grain(plan, "monthly revenue by status", replace(shop, metrics=paid)) == plan
    assert by_grain(plan, "monthly revenue by status", shop) != plan
