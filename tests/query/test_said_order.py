"""Months "in order" and who is slow settle how an answer is ordered."""

from __future__ import annotations

from dataclasses import replace

import pytest

from dbt_t2s.query.linear import from_tokens
from dbt_t2s.query.plan import (
    Agg,
    Bucket,
    Col,
    Expr,
    MetricRef,
    Order,
    Plan,
    Rate,
    Time,
    Value,
)
from dbt_t2s.query.said_order import by_worth, in_order

_MONTH = Bucket("MONTH", Time())
_REVENUE = MetricRef("revenue")
_HOURS = Agg("AVG", Col("tickets", "resolution_hours"))
_AGENT = Col("tickets", "agent")
MONTHLY = Plan((_MONTH, _REVENUE), order=Order(_REVENUE, descending=True))


def slowest(by: Expr, *, descending: bool) -> Plan:
    return Plan((_AGENT,), order=Order(by, descending), limit="1")


@pytest.mark.parametrize(
    "text",
    [
        "turnover for 2025, January to December in order",
        "monthly turnover in chronological order",
        "monthly turnover, oldest first",
    ],
)
def test_months_in_order_are_ordered_by_month(text: str) -> None:
    assert in_order(MONTHLY, text) == replace(MONTHLY, order=Order(_MONTH, descending=False))


@pytest.mark.parametrize(
    ("text", "plan"),
    [
        ("best months of 2025, in order of turnover", MONTHLY),
        ("the three best months, chronologically", replace(MONTHLY, limit="3")),
        ("monthly turnover, January to December", replace(MONTHLY, order=None)),
        ("turnover by agent in chronological order", replace(MONTHLY, select=(_AGENT, _REVENUE))),
    ],
)
def test_other_orders_stay(text: str, plan: Plan) -> None:
    assert in_order(plan, text) == plan


@pytest.mark.parametrize("descending", [True, False])
@pytest.mark.parametrize(
    "by", [_HOURS, Col("orders", "delivery_days"), MetricRef("average_waiting_time")]
)
def test_the_slowest_have_the_most_hours(by: Expr, descending: bool) -> None:
    plan = slowest(by, descending=descending)
    assert in_order(plan, "Which agent is slowest?") == slowest(by, descending=True)
    assert in_order(plan, "who answers fastest") == slowest(by, descending=False)
    assert in_order(plan, "agents from slowest to fastest") == plan
    assert in_order(plan, "which agent has most") == plan


def test_of_what_is_no_time_the_fastest_may_have_the_most() -> None:
    speed = slowest(Col("cars", "top_speed"), descending=True)
    assert in_order(speed, "which is the fastest car") == speed


@pytest.mark.parametrize("descending", [True, False])
def test_the_worst_have_most_of_what_is_bad_and_least_of_what_is_good(descending: bool) -> None:
    good, text = Agg("SUM", Col("orders", "margin_amount")), "worst at the top"
    cancelled = Rate(Value("orders", "status", "cancelled"))
    for bad in (MetricRef("cancellation_rate"), cancelled, _HOURS):
        assert in_order(slowest(bad, descending=descending), text) == slowest(bad, descending=True)
    assert in_order(slowest(good, descending=descending), text) == slowest(good, descending=False)


@pytest.mark.parametrize("text", ["the two lowest", "which agent has the fewest tickets?"])
def test_the_lowest_come_first(text: str) -> None:
    assert in_order(slowest(_REVENUE, descending=True), text) == slowest(_REVENUE, descending=False)


@pytest.mark.parametrize(
    ("by", "text"),
    [
        (MetricRef("clicks"), "the worst three"),  # nobody can say
        (MetricRef("lost_revenue"), "the worst three"),
        (MetricRef("metres_per_hour"), "the worst three"),
        (_REVENUE, "from best to worst"),
        (_REVENUE, "highest first, of those with the lowest margin"),
    ],
)
def test_what_words_leave_open_stays(by: Expr, text: str) -> None:
    for descending in (True, False):
        plan = slowest(by, descending=descending)
        assert in_order(plan, text) == plan


@pytest.mark.parametrize(
    ("measure", "text", "operator"),
    [
        ("m:cancellation_rate", "cities with a cancellation rate worse than the average", "GT"),
        ("m:cancellation_rate", "cities that do better than the average in cancellations", "LT"),
        ("m:margin", "cities with a margin worse than the average", "LT"),
        ("m:hourly_pay", "cities that pay worse than the average", "LT"),
    ],
)
def test_what_is_worse_lies_on_the_side_of_what_is_bad(
    measure: str, text: str, operator: str
) -> None:
    other = {"GT": "LT", "LT": "GT"}[operator]
    kept = by_worth(_plan(f"c:stores.city HAVING {operator} {measure} AVERAGE END"), text)
    assert kept == _plan(f"c:stores.city HAVING {operator} {measure} AVERAGE END")
    if "cancellation" in measure:
        turned = by_worth(_plan(f"c:stores.city HAVING {other} {measure} AVERAGE END"), text)
        assert turned == kept


def test_a_number_is_no_average() -> None:
    plan = _plan("c:stores.city HAVING LT m:cancellation_rate n:5 END")
    assert by_worth(plan, "cancellation rates worse than 5") == plan
    assert by_worth(plan, "cities with cancellation rates under 5") == plan


def _plan(tokens: str) -> Plan:
    plan = from_tokens(tokens.split())
    assert plan is not None
    return plan
