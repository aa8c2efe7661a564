"""Figures that a question wants apart."""

from __future__ import annotations

import pytest

from dbt_t2s.query.linear import from_tokens, to_tokens
from dbt_t2s.query.said_split import apart

_TWO = "OR v:orders.status=completed v:orders.status=returned"


def put_right(tokens: str, text: str) -> str:
    plan = from_tokens(tokens.split())
    assert plan is not None
    return " ".join(to_tokens(apart(plan, text)))


@pytest.mark.parametrize(
    "text",
    [
        "orders split by completed and returned, how many",
        "how many were completed and how many were returned?",
        "completed vs returned orders",
        "completed and returned orders, separately",
    ],
)
def test_each_value_has_a_figure(text: str) -> None:
    wanted = f"c:orders.status COUNT t:orders WHERE {_TWO} END"
    assert put_right(f"COUNT t:orders WHERE {_TWO} END", text) == wanted


@pytest.mark.parametrize(
    ("tokens", "text"),
    [
        (f"COUNT t:orders WHERE {_TWO} END", "how many orders were completed or returned"),
        (f"c:orders.order_id WHERE {_TWO} END", "orders that were completed vs returned"),
        (f"c:orders.status COUNT t:orders WHERE {_TWO} END", "completed vs returned orders"),
        ("COUNT t:orders WHERE v:orders.status=completed END", "completed orders, separately"),
        (
            "COUNT t:orders WHERE OR v:orders.status=completed c:orders.is_gift END",
            "completed ones or gifts, compared with last year",
        ),
    ],
)
def test_all_else_stays(tokens: str, text: str) -> None:
    assert put_right(tokens, text) == tokens
