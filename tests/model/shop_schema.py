"""A shop as a distilled schema and as a DuckDB file, for tests that need no dbt."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from dbt_t2s import duck
from dbt_t2s.judge.sandbox import Sandbox
from dbt_t2s.project.schema import (
    Column,
    Join,
    Kind,
    Measure,
    Metric,
    MetricFilter,
    MetricInput,
    ProjectSchema,
    Role,
    Rule,
    Table,
)

AS_OF = "2025-12-31"
COUNTRIES = ("Germany", "France", "Netherlands", "New Zealand")
SEGMENTS = ("loyal", "at risk", "new")
STATUSES = ("delivered", "returned", "cancelled")
CHANNELS = ("web", "app", "store")
CATEGORIES = ("coffee", "tea", "equipment")
PRODUCTS = ("Espresso Roast", "Morning Blend", "Green Leaf", "Hand Grinder", "Filter Kettle")

SCRIPT = f"""
create table customers as
  select range + 1 as customer_id, 'Customer ' || (range + 1) as customer_name,
         (list_value{COUNTRIES})[1 + range % 4] as country,
         (list_value{SEGMENTS})[1 + range % 3] as segment,
         date '2024-01-01' + (range * 9)::int as signed_up_on,
         range % 4 = 0 as is_business,
         case when range % 5 > 0 then 'c' || range || '@example.com' end as email
  from range(80);
create table products as
  select range + 1 as product_id, (list_value{PRODUCTS})[1 + range] as product_name,
         (list_value{CATEGORIES})[1 + range // 2] as category,
         (range * 30 + 5)::decimal(10, 2) as list_price
  from range(5);
create table orders as
  select range + 1 as order_id, 1 + range * 7 % 70 as customer_id,
         1 + range * 3 % 5 as product_id, (list_value{STATUSES})[1 + range % 3] as status,
         (list_value{CHANNELS})[1 + range // 3 % 3] as channel, 1 + range % 6 as quantity,
         (range % 41 * 12 + 3)::decimal(10, 2) as net_amount,
         timestamp '2024-01-01' + to_hours((range * 29)::int) as ordered_at,
         case when range % 4 > 0
           then date '2024-01-03' + (range * 29 // 24)::int end as shipped_on
  from range(600);
"""


def key(name: str, role: Role = Role.KEY, rows: int = 100) -> Column:
    unique = role is Role.KEY
    return Column(name, "BIGINT", Kind.NUMBER, role, unique=unique, minimum="1", maximum=str(rows))


def category(name: str, values: tuple[str, ...], synonyms: tuple[str, ...] = ()) -> Column:
    return Column(
        name,
        "VARCHAR",
        Kind.TEXT,
        Role.CATEGORY,
        values=values,
        values_complete=True,
        synonyms=synonyms,
        distinct=len(values),
    )


def amount(name: str, maximum: str, synonyms: tuple[str, ...] = ()) -> Column:
    return Column(
        name,
        "DECIMAL(10,2)",
        Kind.NUMBER,
        Role.MEASURE,
        minimum="1",
        maximum=maximum,
        synonyms=synonyms,
    )


def day(name: str, first: str, last: str, kind: Kind = Kind.DATE, nulls: float = 0.0) -> Column:
    return Column(
        name, kind.value.upper(), kind, Role.TIME, minimum=first, maximum=last, null_share=nulls
    )


CUSTOMERS = Table(
    "customers",
    "shop.main.customers",
    "model.shop.customers",
    "models/customers.sql",
    (
        key("customer_id", rows=80),
        Column("customer_name", "VARCHAR", Kind.TEXT, Role.TEXT, description="Full name."),
        category("country", COUNTRIES, ("market",)),
        category("segment", SEGMENTS),
        day("signed_up_on", "2024-01-01", "2025-12-12"),
        Column("is_business", "BOOLEAN", Kind.BOOLEAN, Role.FLAG, synonyms=("commercial",)),
        Column("email", "VARCHAR", Kind.TEXT, Role.TEXT, personal=True, null_share=0.2),
    ),
    description="One row per customer.",
    synonyms=("clients",),
    primary_key=("customer_id",),
    entity="customer",
    time_column="signed_up_on",
)
PRODUCTS_TABLE = Table(
    "products",
    "shop.main.products",
    "model.shop.products",
    "models/products.sql",
    (
        key("product_id", rows=5),
        Column("product_name", "VARCHAR", Kind.TEXT, Role.CATEGORY, values=PRODUCTS),
        category("category", CATEGORIES),
        amount("list_price", "125"),
    ),
    description="One row per product.",
    primary_key=("product_id",),
    entity="product",
)
ORDERS = Table(
    "orders",
    "shop.main.orders",
    "model.shop.orders",
    "models/orders.sql",
    (
        key("order_id", rows=600),
        key("customer_id", Role.FOREIGN_KEY),
        key("product_id", Role.FOREIGN_KEY),
        category("status", STATUSES),
        category("channel", CHANNELS),
        amount("quantity", "6"),
        amount("net_amount", "483", ("net value",)),
        day("ordered_at", "2024-01-01", "2025-12-24", Kind.TIMESTAMP),
        day("shipped_on", "2024-01-03", "2025-12-26", nulls=0.25),
    ),
    description="One row per order, cancelled ones included.",
    synonyms=("purchases",),
    primary_key=("order_id",),
    entity="order",
    time_column="ordered_at",
)
_KEPT = (MetricFilter("orders.status <> 'cancelled'", ("orders",)),)
REVENUE = Metric(
    "revenue",
    "simple",
    label="Revenue",
    description="What customers paid for orders that were not cancelled.",
    synonyms=("income",),
    measure=Measure("revenue", "orders", "sum", "net_amount", "ordered_at"),
    filters=_KEPT,
    tables=("orders",),
    time_table="orders",
    time_column="ordered_at",
)
ORDER_COUNT = Metric(
    "order_count",
    "simple",
    label="Order count",
    measure=Measure("order_count", "orders", "count", "order_id", "ordered_at"),
    tables=("orders",),
    time_table="orders",
    time_column="ordered_at",
)
BASKET = Metric(
    "basket_value",
    "ratio",
    label="Basket value",
    description="Revenue per order.",
    expression="revenue / order_count",
    inputs=(MetricInput("revenue", "revenue"), MetricInput("order_count", "order_count")),
    tables=("orders",),
    time_table="orders",
    time_column="ordered_at",
)


def shop_schema() -> ProjectSchema:
    """Three tables, two joins, three metrics and a rule."""
    return ProjectSchema(
        "shop",
        "duckdb",
        (CUSTOMERS, ORDERS, PRODUCTS_TABLE),
        joins=(
            Join("orders", ("customer_id",), "customers", ("customer_id",)),
            Join("orders", ("product_id",), "products", ("product_id",)),
        ),
        metrics=(REVENUE, ORDER_COUNT, BASKET),
        rules=(Rule("bulk_order", "An order of five pieces or more.", "orders", "quantity >= 5"),),
        as_of=AS_OF,
    )


def one_table(*columns: Column, name: str = "orders", time: str = "") -> ProjectSchema:
    """A project with one table and nothing else."""
    relation = f'shop.main."{name}"'
    keys = tuple(c.name for c in columns if c.role is Role.KEY)
    table = Table(
        name, relation, f"model.shop.{name}", "", columns, primary_key=keys, time_column=time
    )
    return ProjectSchema("shop", "duckdb", (table,), as_of=AS_OF)


@contextmanager
def warehouse(
    folder: Path, schema: ProjectSchema | None = None, script: str = SCRIPT
) -> Iterator[Sandbox]:
    """The real sandbox over a DuckDB file that ``script`` fills."""
    path = folder / "shop.duckdb"
    with duck.open_writable(path) as connection:
        connection.execute(script)
    tables = (schema or shop_schema()).tables
    with Sandbox(path, [t.relation for t in tables]) as sandbox:
        yield sandbox
