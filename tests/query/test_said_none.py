"""None of something: a missing value or a nought, as the column is known to hold."""

from __future__ import annotations

from dataclasses import replace

import pytest

from dbt_t2s.project.schema import Column, ProjectSchema
from dbt_t2s.query.linear import from_tokens, to_tokens
from dbt_t2s.query.said_none import none_as_known
from tests.query.shop import shop_schema

NOUGHT = "c:products.product_name WHERE EQ c:products.price n:0 END"
MISSING = "c:products.product_name WHERE NULL c:products.price END"


Bounds = tuple[str, str]


def shop_where(missing: float | None = None, bounds: Bounds | None = None) -> ProjectSchema:
    """The shop, with the share of its products that have no price, and the least and largest."""
    least, most = bounds or (None, None)

    def looked_at(column: Column) -> Column:
        if column.name != "price":
            return column
        return replace(column, null_share=missing, minimum=least, maximum=most)

    schema = shop_schema()
    tables = tuple(
        replace(t, columns=tuple(map(looked_at, t.columns))) if t.name == "products" else t
        for t in schema.tables
    )
    return replace(schema, tables=tables)


LACKING = shop_where(0.02, ("1.5", "80"))
WHOLE = shop_where(0.0, ("0", "80"))


def put_right(tokens: str, text: str, schema: ProjectSchema) -> str:
    plan = from_tokens(tokens.split())
    assert plan is not None
    return " ".join(to_tokens(none_as_known(plan, text, schema)))


def test_none_is_missing_where_there_is_no_nought() -> None:
    assert put_right(NOUGHT, "products without a price", LACKING) == MISSING
    negated = NOUGHT.replace("EQ", "NOT EQ")
    assert put_right(negated, "products with a price", LACKING) == MISSING.replace(
        "NULL", "NOT NULL"
    )
    either = NOUGHT.replace("EQ", "OR GT c:products.price n:70 EQ")
    assert "NULL c:products.price" in put_right(either, "no price, or over 70", LACKING)
    within = "COUNT t:orders WHERE HAS t:order_items EQ c:products.price n:0 CLOSE END"
    assert "HAS t:order_items NULL c:products.price" in put_right(within, "no price", LACKING)


def test_none_is_a_nought_where_nothing_is_missing() -> None:
    assert put_right(MISSING, "products without a price", WHOLE) == NOUGHT


@pytest.mark.parametrize("text", ["price is 0", "a price of zero", "price 0, please"])
def test_a_number_that_is_said_stays(text: str) -> None:
    assert put_right(NOUGHT, text, LACKING) == NOUGHT


@pytest.mark.parametrize("text", ["10 products without a price", "since 2020, 0.5 off, no price"])
def test_other_numbers_are_no_nought(text: str) -> None:
    assert put_right(NOUGHT, text, LACKING) == MISSING


@pytest.mark.parametrize(
    ("missing", "bounds"),
    [
        (None, None),  # nobody has looked
        (0.02, None),
        (0.02, ("0", "80")),  # both are there
        (0.0, ("1", "80")),  # neither is
    ],
)
def test_what_is_not_known_stays(missing: float | None, bounds: Bounds | None) -> None:
    schema = shop_where(missing, bounds)
    for tokens in (NOUGHT, MISSING):
        assert put_right(tokens, "products without a price", schema) == tokens


def test_of_days_and_texts_nothing_is_a_nought() -> None:
    for column in ("c:orders.due_on", "c:orders.status"):
        tokens = f"COUNT t:orders WHERE NULL {column} END"
        assert put_right(tokens, "orders with none", WHOLE) == tokens
