"""What plain words ask of a plan's form, and what a plan has unasked."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dbt_t2s.model.cues import CUES, cue_features

_NAME = "c:customers.customer_name"


def complaints(question: str, plan: str) -> int:
    """How many of the paired cues speak against the plan."""
    return int(cue_features(question, plan.split())[: CUES - 9].sum())


@pytest.mark.parametrize(
    ("question", "right", "wrong"),
    [
        ("best customer by revenue", f"{_NAME} m:revenue DESC m:revenue LIMIT ONE END",
         f"{_NAME} m:revenue END"),
        ("how many orders", "COUNT t:orders END", "c:orders.order_id END"),
        ("customers who never ordered", f"{_NAME} WHERE NOT HAS t:orders CLOSE END",
         f"{_NAME} WHERE HAS t:orders CLOSE END"),
        ("average amount", "AVG c:orders.amount END", "SUM c:orders.amount END"),
        ("what percentage of orders was returned", "RATE v:orders.status=returned END",
         "COUNT t:orders WHERE v:orders.status=returned END"),
        ("orders per country", "c:customers.country COUNT t:orders END", "COUNT t:orders END"),
    ],
)  # fmt: skip
def test_the_right_form_is_complained_of_less(question: str, right: str, wrong: str) -> None:
    assert complaints(question, right) < complaints(question, wrong)


@pytest.mark.parametrize(
    ("question", "plan", "expected"),
    [
        ("five best products, just the names", f"{_NAME} m:revenue END", (1, 0)),
        ("customers without an order. Names.", f"{_NAME} c:customers.country END", (1, 0)),
        ("five best products, just the names", f"{_NAME} END", (0, 0)),
        ("names and revenue of products", f"{_NAME} m:revenue END", (0, 0)),
        ("orders per country", "c:customers.country m:order_count COUNT t:orders END", (0, 1)),
        ("orders per country", "c:customers.country DIV m:revenue COUNT t:orders END", (0, 0)),
    ],
)
def test_nothing_is_shown_beside_names_and_nothing_counted_twice(
    question: str, plan: str, expected: tuple[int, int]
) -> None:
    beside, twice = cue_features(question, plan.split())[-3:-1]
    assert (beside, twice) == expected


def test_two_values_of_one_column_hold_for_no_row() -> None:
    both = "COUNT t:orders WHERE v:orders.status=returned v:orders.status=completed END"
    either = "COUNT t:orders WHERE OR v:orders.status=returned v:orders.status=completed END"
    assert cue_features("returned or completed", both.split())[CUES - 9] == 1
    assert cue_features("returned or completed", either.split())[CUES - 9] == 0


@given(
    st.text(max_size=80), st.lists(st.sampled_from(["COUNT", "t:orders", "WHERE", "END", _NAME]))
)
def test_any_question_and_plan_have_numbers(question: str, tokens: list[str]) -> None:
    found = cue_features(question, tokens)
    assert found.shape == (CUES,)
    assert np.isfinite(found).all()
