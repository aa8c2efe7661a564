from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dbt_t2s.query.bounded import bounded
from dbt_t2s.query.plan import Agg, Col, Compare, Count, Has, Not, Only, Or, Plan, Pred, Value
from dbt_t2s.query.said_bounds import SaidBounds, said_bounds

PRICE, WEIGHT, ORDERS = Col("products", "price"), Col("products", "weight"), Count("orders")


@pytest.mark.parametrize(
    ("text", "number", "operator"),
    [
        ("products dearer than that, more than 10", "10", "GT"),
        ("spent over $1,000", "1000", "GT"),
        ("at least 5 orders", "5", "GE"),
        ("5 or more orders", "5", "GE"),
        ("orders of 20+ items", "20", "GE"),
        ("no fewer than 7", "7", "GE"),
        ("age is greater than or equal to 20", "20", "GE"),
        ("price >= 20", "20", "GE"),
        ("fewer than three times", "3", "LT"),
        ("below 8 kg", "8", "LT"),
        ("up to 5 items", "5", "LE"),
        ("not more than 3 returns", "3", "LE"),
        ("customers who don't have more than 4", "4", "LE"),
        ("not older than 20", "20", "LE"),
        ("5 orders or fewer", "5", "LE"),
        ("exactly 2 children", "2", "EQ"),
        ("built after 2017", "2017", "GT"),
        ("built since 2017", "2017", "GE"),
        ("delivered after 3 days", "3", ""),
        ("balance of less than -5", "-5", "LT"),
        ("margin below minus five", "-5", "LT"),
        ("over 1 500 orders", "1500", "GT"),
        ("price higher than 1000 or lower than 500", "1000", "GT"),
        ("price higher than 1000 or lower than 500", "500", "LT"),
        ("the top 5 of them", "5", ""),
        ("more than 10 shops or less than 10 staff", "10", ""),
    ],
)
def test_what_is_said_of_a_number(text: str, number: str, operator: str) -> None:
    assert said_bounds(text).operator(number) == operator


def test_between_is_a_range_and_says_nothing_else_of_its_ends() -> None:
    said = said_bounds("between 9 and 5 items, and more than 3 returns")
    assert said.ranges == (("5", "9"),)
    assert said.operators == (("3", "GT"),)
    assert not said_bounds("from 5 to 9").ranges


def where(*conditions: Pred) -> Plan:
    return Plan((PRICE,), where=conditions)


@pytest.mark.parametrize(
    ("text", "before", "after"),
    [
        (
            "between 5 and 9",
            [Or(Compare("EQ", PRICE, "5"), Value("products", "price", "9"))],
            [Compare("GE", PRICE, "5"), Compare("LE", PRICE, "9")],
        ),
        (
            "between 5 and 9",
            [Compare("LT", PRICE, "9"), Compare("LT", PRICE, "5")],
            [Compare("LE", PRICE, "9"), Compare("GE", PRICE, "5")],
        ),
        # Two columns are no range.
        (
            "between 5 and 9",
            [Compare("GE", PRICE, "5"), Compare("LT", WEIGHT, "9")],
            [Compare("GE", PRICE, "5"), Compare("LT", WEIGHT, "9")],
        ),
        ("at least 5", [Compare("GT", PRICE, "5")], [Compare("GE", PRICE, "5")]),
        ("more than 5", [Value("products", "price", "5")], [Compare("GT", PRICE, "5")]),
        # "Not over 5" may be written as a negation, which is left as it is.
        ("not over 5", [Not(Compare("GT", PRICE, "5"))], [Not(Compare("GT", PRICE, "5"))]),
        (
            "with at least 5 orders",
            [Has("orders", (Compare("GT", WEIGHT, "5"),)), Compare("GT", ORDERS, "5")],
            [Has("orders", (Compare("GE", WEIGHT, "5"),)), Compare("GE", ORDERS, "5")],
        ),
        ("over the average", [Compare("LT", PRICE, None)], [Compare("LT", PRICE, None)]),
    ],
)
def test_conditions_become_what_is_said(text: str, before: list[Pred], after: list[Pred]) -> None:
    assert bounded(where(*before), said_bounds(text)) == where(*after)


def test_a_measure_of_some_rows_counts_those_that_are_meant() -> None:
    few, many = Compare("LT", PRICE, "5"), Compare("GE", PRICE, "5")
    plan = Plan((Only(Agg("SUM", PRICE), few),))
    assert bounded(plan, said_bounds("5 or more")) == Plan((Only(Agg("SUM", PRICE), many),))


@given(st.text(alphabet="between and 0123456789 or more than,.<>=+%", max_size=60))
def test_any_text_is_read_and_what_is_said_once_stays_said(text: str) -> None:
    said = said_bounds(text)
    plan = where(*(Compare(op, PRICE, number) for number, op in said.operators))
    assert bounded(plan, said) == plan
    assert all(float(low) < float(high) for low, high in said.ranges)


def test_nothing_said_changes_nothing() -> None:
    plan = where(Compare("GT", PRICE, "5"))
    assert bounded(plan, SaidBounds()) is plan
