"""Averages over rows of the same kind, as questions name what these are alike in."""

from __future__ import annotations

from dataclasses import replace

import pytest

from dbt_t2s.project.schema import ProjectSchema
from dbt_t2s.query.linear import from_tokens, to_tokens
from dbt_t2s.query.said_peers import among_peers, said_peers
from tests.query.shop import shop_schema

ABOVE = "c:products.product_name WHERE GT c:products.price AVERAGE END"


@pytest.mark.parametrize(
    ("question", "said"),
    [
        ("products priced above the average of their own category", "category"),
        ("count products above the average list price of their own category", "category"),
        ("which ones cost more than the average in the same category?", "category"),
        ("products that are dearer than the average for its brand", "brand"),
        ("which products cost more than their category average", "category"),
        ("customers who beat their country's average", "country"),
        ("tickets slower than the mean of the respective team", "team"),
        ("customers worth more than our average customer", ""),
        ("products above the average price", ""),
        ("average price of each category", ""),
        ("the average of their prices", "prices"),
        ("its category, and what is average?", ""),
    ],
)
def test_a_question_names_what_rows_are_alike_in(question: str, said: str) -> None:
    assert said_peers(question) == said


def put_right(text: str, said: str, schema: ProjectSchema) -> str:
    plan = from_tokens(text.split())
    assert plan is not None
    return " ".join(to_tokens(among_peers(plan, said, schema)))


def test_the_average_is_taken_over_rows_of_the_same_kind() -> None:
    wanted = ABOVE.replace("AVERAGE", "AVG_EACH c:products.category")
    schema = shop_schema()
    assert put_right(ABOVE, "category", schema) == wanted
    assert put_right(ABOVE, "category now", schema) == wanted
    assert put_right(ABOVE, "categories", schema) == wanted
    negated = ABOVE.replace("GT", "NOT GT")
    assert put_right(negated, "category", schema) == wanted.replace("GT", "NOT GT")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (ABOVE, ""),
        (ABOVE, "brand"),  # no column is called so
        (ABOVE, "price"),  # nothing is alike in a number
        ("c:products.product_name WHERE GT c:products.price n:5 END", "category"),
        ("c:customers.country m:revenue HAVING GT m:revenue AVERAGE END", "country"),
    ],
)
def test_all_else_stays_as_it_was(text: str, said: str) -> None:
    assert put_right(text, said, shop_schema()) == text


def test_what_two_columns_are_called_is_neither() -> None:
    schema = shop_schema()
    tables = tuple(
        replace(
            table,
            columns=tuple(
                replace(c, label="kind") if c.name in ("product_name", "category") else c
                for c in table.columns
            ),
        )
        for table in schema.tables
    )
    assert put_right(ABOVE, "kind", replace(schema, tables=tables)) == ABOVE
