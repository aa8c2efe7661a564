"""Which of two columns is the greater."""

from __future__ import annotations

import pytest

from dbt_t2s.query.linear import from_tokens, to_tokens
from dbt_t2s.query.said_sides import on_the_side_said

_STOCK, _POINT = "c:products.stock", "c:products.reorder_point"


def put_right(compared: str, text: str) -> str:
    plan = from_tokens(f"c:products.name WHERE {compared} END".split())
    assert plan is not None
    return " ".join(to_tokens(on_the_side_said(plan, text))[2:-1])


@pytest.mark.parametrize(
    ("compared", "text", "right"),
    [
        (f"LT {_POINT} {_STOCK}", "products below reorder point", f"GT {_POINT} {_STOCK}"),
        (f"GE {_STOCK} {_POINT}", "under their reorder point", f"LE {_STOCK} {_POINT}"),
        (f"LT {_STOCK} {_POINT}", "products above the reorder point", f"GT {_STOCK} {_POINT}"),
        (f"GT {_POINT} {_STOCK}", "with more than the reorder point", f"LT {_POINT} {_STOCK}"),
    ],
)
def test_the_words_say_the_side(compared: str, text: str, right: str) -> None:
    assert put_right(compared, text) == right
    assert put_right(right, text) == right


@pytest.mark.parametrize(
    ("compared", "text"),
    [
        (f"GE {_STOCK} {_POINT}", "not below the reorder point"),
        (f"GE {_STOCK} {_POINT}", "products that reach the reorder point"),
        (f"GT {_STOCK} n:5", "products below the reorder point"),
        (f"EQ {_STOCK} {_POINT}", "products below the reorder point"),
        (f"GT {_STOCK} {_POINT}", "products below the line"),
    ],
)
def test_all_else_stays(compared: str, text: str) -> None:
    assert put_right(compared, text) == compared
