"""Whose average is meant, and how many times."""

from __future__ import annotations

import pytest

from dbt_t2s.duck import Execute, Rows
from dbt_t2s.query.bind import Binder
from dbt_t2s.query.linear import from_tokens, to_tokens
from dbt_t2s.query.said_average import over_those
from tests.query.shop import shop_schema

_SCHEMA = shop_schema()
_DEAR = "GT c:products.price AVERAGE"
_TENTS = "v:products.category=tents"


def put_right(tokens: str, text: str) -> str:
    plan = from_tokens(tokens.split())
    assert plan is not None
    return " ".join(to_tokens(over_those(plan, text, _SCHEMA)))


@pytest.mark.parametrize(
    ("where", "text", "wanted"),
    [
        (
            f"{_TENTS} {_DEAR}",
            "tents dearer than the average tent",
            f"{_TENTS} GT c:products.price AVERAGE_OVER n:1 {_TENTS} CLOSE",
        ),
        (
            _DEAR,
            "products that cost more than twice the average",
            "GT c:products.price AVERAGE_OVER n:2 CLOSE",
        ),
        (
            "GT c:products.price n:2",
            "products that cost more than twice the usual average price",
            "GT c:products.price AVERAGE_OVER n:2 CLOSE",
        ),
        (
            "LT c:products.price AVERAGE",
            "products at less than half the average price",
            "LT c:products.price AVERAGE_OVER n:0.5 CLOSE",
        ),
        (
            f"{_TENTS} GT c:products.price AVG_EACH c:products.category",
            "tents above the average of their category",
            f"{_TENTS} GT c:products.price AVERAGE_OVER n:1 AVG_EACH c:products.category "
            f"{_TENTS} CLOSE",
        ),
    ],
)
def test_the_average_is_that_of_the_rows_asked_for(where: str, text: str, wanted: str) -> None:
    begun = "c:products.product_name WHERE "
    assert put_right(f"{begun}{where} END", text) == f"{begun}{wanted} END"


@pytest.mark.parametrize(
    ("where", "text"),
    [
        (f"{_TENTS} {_DEAR}", "tents above the overall average price"),
        (f"{_TENTS} {_DEAR}", "tents above the average price of all products"),
        (_DEAR, "products above the average price"),
        (f"{_TENTS} {_DEAR}", "tents dearer than the average product"),
        (f"{_TENTS} {_DEAR}", "tents above average"),
        (f"HAS t:order_items CLOSE {_DEAR}", "products sold, above the average price"),
        (f"{_TENTS} GT c:products.price n:2", "tents above 2 euros"),
    ],
)
def test_all_else_stays(where: str, text: str) -> None:
    tokens = f"c:products.product_name WHERE {where} END"
    assert put_right(tokens, text) == tokens


def test_groups_are_compared_with_a_multiple() -> None:
    tokens = "c:stores.city HAVING GT m:revenue {} END"
    made = put_right(tokens.format("AVERAGE"), "cities with twice the average revenue")
    assert made == tokens.format("AVERAGE_OVER n:2 CLOSE")


@pytest.mark.parametrize(
    ("tokens", "rows"),
    [
        (
            "c:products.product_name WHERE v:products.category=coffee~beans "
            "GT c:products.price AVERAGE_OVER n:1 v:products.category=coffee~beans CLOSE END",
            [("Night Hike",)],
        ),
        ("c:products.product_name WHERE LT c:products.price AVERAGE_OVER n:0.1 CLOSE END",
         [("Fog Filter",)]),
        (
            "c:products.product_name WHERE GT c:products.price AVERAGE_OVER n:1 "
            "AVG_EACH c:products.category GT c:products.price n:5 CLOSE END",
            [("Night Hike",)],
        ),
        ("c:stores.city HAVING GT m:revenue AVERAGE_OVER n:100 CLOSE END", []),
    ],
)  # fmt: skip
def test_it_runs(execute: Execute, tokens: str, rows: list[tuple[str]]) -> None:
    plan = from_tokens([token.replace("~", " ") for token in tokens.split()])
    assert plan is not None
    found = execute(Binder(_SCHEMA).sql(plan))
    assert isinstance(found, Rows)
    assert [tuple(row) for row in found.rows] == rows


_ORDERS = "c:orders.order_id WHERE {} END"
_SPAN = "d:2025-01-01/2026-01-01"


def test_a_time_by_the_average_is_that_of_the_rows() -> None:
    begun = _ORDERS.format(f"GT c:orders.amount AVERAGE {_SPAN}")
    made = put_right(begun, "orders of this year over this year's average")
    assert made == _ORDERS.format(f"GT c:orders.amount AVERAGE_OVER n:1 {_SPAN} CLOSE {_SPAN}")
    assert put_right(begun, "orders of this year over the average order") == begun


def test_a_rule_by_the_average_is_that_of_the_rows() -> None:
    begun = _ORDERS.format("GT c:orders.amount AVERAGE")
    made = put_right(begun, "orders with more than the average large order")
    assert made == _ORDERS.format("GT c:orders.amount AVERAGE_OVER n:1 r:large CLOSE")
