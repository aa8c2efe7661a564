"""A channel that is called as a table's rows are is meant by where something happened."""

from __future__ import annotations

from dataclasses import replace

import pytest

from dbt_t2s.project.schema import Column, Kind, ProjectSchema, Role
from dbt_t2s.query.bind import Binder
from dbt_t2s.query.linear import from_tokens, to_tokens
from dbt_t2s.query.said_places import in_named_places
from tests.query.shop import shop_schema

COUNTED = "COUNT t:orders END"
HELD = "COUNT t:orders WHERE v:orders.channel=store END"


@pytest.fixture(scope="module")
def schema() -> ProjectSchema:
    """The shop with orders from stores and the web, and customers' favourite of these."""
    shop = shop_schema()
    channel = Column("channel", "varchar", Kind.TEXT, Role.CATEGORY, values=("store", "web"))
    tables = tuple(
        replace(t, columns=(*t.columns, channel))
        if t.name == "orders"
        else replace(t, synonyms=("shops",))
        if t.name == "stores"
        else t
        for t in shop.tables
    )
    return replace(shop, tables=tables)


def put_right(tokens: str, text: str, schema: ProjectSchema) -> str:
    plan = from_tokens(tokens.split())
    assert plan is not None
    return " ".join(to_tokens(in_named_places(plan, text, schema, Binder(schema))))


@pytest.mark.parametrize(
    "text",
    [
        "how many orders in stores",
        "orders placed in one of our physical stores in May",
        "how many orders were taken at the shops?",
        "orders from our stores",
        "how many orders did the shops take",
    ],
)
def test_where_it_happened_is_the_channel(text: str, schema: ProjectSchema) -> None:
    assert put_right(COUNTED, text, schema) == HELD


@pytest.mark.parametrize(
    ("plan", "text"),
    [
        (COUNTED, "orders by store"),
        (COUNTED, "orders in each store"),
        (COUNTED, "in which stores do people order"),
        (COUNTED, "orders in store 12"),
        (COUNTED, "orders on the web"),
        (COUNTED, "orders in storage"),
        ("c:stores.city COUNT t:orders END", "orders in our stores by city"),
        ("COUNT t:orders WHERE v:stores.city=Berlin END", "orders in the store in Berlin"),
        ("c:orders.channel COUNT t:orders END", "orders in the stores and on the web"),
        ("COUNT t:customers END", "customers in our stores"),
        ("c:orders.order_id END", "ids of orders in our stores"),
    ],
)
def test_what_asks_for_the_stores_stays(plan: str, text: str, schema: ProjectSchema) -> None:
    assert put_right(plan, text, schema) == plan


def test_a_state_is_no_place(schema: ProjectSchema) -> None:
    orders = schema.table("orders")
    columns = tuple(
        replace(c, name="place_state") if c.name == "channel" else c for c in orders.columns
    )
    tables = tuple(replace(t, columns=columns) if t == orders else t for t in schema.tables)
    assert put_right(COUNTED, "orders in stores", replace(schema, tables=tables)) == COUNTED
