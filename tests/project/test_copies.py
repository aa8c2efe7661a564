"""Which tables repeat what others hold."""

from __future__ import annotations

from dataclasses import replace

from dbt_t2s.project.copies import copies
from dbt_t2s.project.schema import Column, Kind, ProjectSchema, Role, Table
from tests.query.shop import shop_schema


def wide(schema: ProjectSchema, *extra: str) -> Table:
    """A mart of orders with the customers' and stores' columns beside their own."""
    found = list(schema.table("orders").columns)
    for name in ("customers", "stores"):
        table = schema.table(name)
        found += [replace(c, name=f"{table.entity}_{c.name}") for c in table.columns[2:]]
    found += [Column(name, "varchar", Kind.TEXT, Role.TEXT) for name in extra]
    return replace(schema.table("orders"), name="order_details", columns=tuple(found))


def test_a_wide_mart_is_a_copy_and_the_orders_are_none() -> None:
    schema = shop_schema()
    whole = replace(schema, tables=(*schema.tables, wide(schema)))
    assert copies(whole) == {"order_details"}


def test_a_table_with_much_of_its_own_is_none() -> None:
    schema = shop_schema()
    own = tuple(f"note_{i}" for i in range(12))
    assert not copies(replace(schema, tables=(*schema.tables, wide(schema, *own))))


def test_without_copies_there_are_none() -> None:
    assert not copies(shop_schema())
    assert not copies(ProjectSchema("empty", "duckdb", ()))
