"""Who asks for the names alone gets no other column."""

from __future__ import annotations

import pytest

from dbt_t2s.project.schema import ProjectSchema
from dbt_t2s.query.linear import from_tokens, to_tokens
from dbt_t2s.query.said_names import names_alone
from tests.query.shop import shop_schema

PRICED = "c:products.product_name c:products.price DESC c:products.price LIMIT n:3 END"


@pytest.fixture(scope="module")
def schema() -> ProjectSchema:
    return shop_schema()


def put_right(tokens: str, text: str, schema: ProjectSchema) -> str:
    plan = from_tokens(tokens.split())
    assert plan is not None
    return " ".join(to_tokens(names_alone(plan, text, schema)))


@pytest.mark.parametrize(
    "text",
    [
        "three dearest products. Names.",
        "the three dearest products? names please",
        "just the names of the three dearest products",
        "the dearest three, only their names",
        "The names suffice: three dearest products",
        "three dearest products, name only",
    ],
)
def test_names_are_given_alone(text: str, schema: ProjectSchema) -> None:
    assert put_right(PRICED, text, schema) == PRICED.replace(" c:products.price DESC", " DESC")


@pytest.mark.parametrize(
    ("plan", "text"),
    [
        (PRICED, "three dearest products, price and name"),
        (PRICED, "three dearest products: just the name and the price"),
        (PRICED, "three dearest products: only the names, prices"),
        (PRICED, "the three dearest products by name"),
        ("c:products.price c:products.category END", "price and category, just the names"),
        ("c:stores.store_name m:revenue END", "revenue of stores, just the names"),
        ("c:customers.customer_name c:stores.store_name END", "who bought where? names."),
    ],
)
def test_what_else_is_asked_for_stays(plan: str, text: str, schema: ProjectSchema) -> None:
    assert put_right(plan, text, schema) == plan
