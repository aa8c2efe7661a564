"""A column that several tables have is that of the nearest."""

from __future__ import annotations

from dataclasses import replace

import pytest

from dbt_t2s.project.schema import Column, Kind, ProjectSchema, Role
from dbt_t2s.query.bind import Binder
from dbt_t2s.query.linear import from_tokens, to_tokens
from dbt_t2s.query.said_nearest import of_the_nearest
from tests.query.shop import shop_schema

FAR = "c:stores.currency SUM c:order_items.quantity DESC SUM c:order_items.quantity END"


@pytest.fixture(scope="module")
def schema() -> ProjectSchema:
    """The shop with currencies of orders, stores and customers."""
    shop = shop_schema()
    currency = Column("currency", "varchar", Kind.TEXT, Role.CATEGORY, synonyms=("money",))
    paid = {"orders", "stores", "customers"}
    tables = tuple(
        replace(t, columns=(*t.columns, currency)) if t.name in paid else t for t in shop.tables
    )
    return replace(shop, tables=tables)


def put_right(tokens: str, text: str, schema: ProjectSchema) -> str:
    plan = from_tokens(tokens.split())
    assert plan is not None
    return " ".join(to_tokens(of_the_nearest(plan, text, schema, Binder(schema))))


@pytest.mark.parametrize("text", ["quantity by currency", "pieces per MONEY, most first"])
def test_the_nearest_is_meant(text: str, schema: ProjectSchema) -> None:
    assert put_right(FAR, text, schema) == FAR.replace("stores", "orders")


@pytest.mark.parametrize(
    "text",
    ["quantity by currency of the shop", "quantity by the stores' currency", "quantity by euros"],
)
def test_another_may_be_said(text: str, schema: ProjectSchema) -> None:
    assert put_right(FAR, text, schema) == FAR


def test_two_that_are_as_near_are_left(schema: ProjectSchema) -> None:
    tables = tuple(
        replace(t, columns=tuple(c for c in t.columns if c.name != "currency"))
        if t.name == "orders"
        else t
        for t in schema.tables
    )
    assert put_right(FAR, "quantity by currency", replace(schema, tables=tables)) == FAR


def test_plans_that_divide_by_no_such_column_stay(schema: ProjectSchema) -> None:
    for plan in ("c:stores.city COUNT t:orders END", "c:orders.currency c:orders.amount END"):
        assert put_right(plan, "by currency", schema) == plan
    nearest = FAR.replace("stores", "orders")
    assert put_right(nearest, "quantity by currency", schema) == nearest
