"""A small shop, made by hand: its schema, its few rows, and a warehouse that holds them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from dbt_t2s.duck import open_writable
from dbt_t2s.project.schema import (
    Column,
    CompiledMetric,
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

_KINDS = {
    "integer": Kind.NUMBER,
    "double": Kind.NUMBER,
    "varchar": Kind.TEXT,
    "date": Kind.DATE,
    "timestamp": Kind.TIMESTAMP,
    "boolean": Kind.BOOLEAN,
}

# Each table's columns as "name type", its entity, and the column that dates a row.
_TABLES: dict[str, tuple[tuple[str, ...], str, str]] = {
    "customers": (
        ("customer_id integer", "customer_name varchar", "country varchar", "signed_up_on date",
         "is_member boolean"),
        "customer",
        "signed_up_on",
    ),
    "stores": (("store_id integer", "store_name varchar", "city varchar"), "store", ""),
    "products": (
        ("product_id integer", "product_name varchar", "category varchar", "price double"),
        "product",
        "",
    ),
    "orders": (
        ("order_id integer", "customer_id integer", "store_id integer", "status varchar",
         "ordered_at timestamp", "amount double", "is_gift boolean", "refund double",
         "due_on date", "paid_on date"),
        "order",
        "ordered_at",
    ),
    "order_items": (
        ("item_id integer", "order_id integer", "product_id integer", "quantity integer",
         "shipped_on date"),
        "order_item",
        "shipped_on",
    ),
}  # fmt: skip
_VALUES = {
    "customers.country": ("DE", "FR", "GB"),
    "customers.customer_name": ("Ada", "Ben", "Cleo", "Dan"),
    "stores.city": ("Berlin", "New York", "York"),
    "stores.store_name": ("Mitte", "Soho"),
    "products.category": ("coffee beans", "tents"),
    "products.product_name": ("Fog Filter", "Larch Tent", "Night Hike"),
    "orders.status": ("completed", "cancelled", "returned"),
}
_JOINS = (
    ("orders", "customer_id", "customers"),
    ("orders", "store_id", "stores"),
    ("order_items", "order_id", "orders"),
    ("order_items", "product_id", "products"),
)

ROWS: dict[str, tuple[tuple[object, ...], ...]] = {
    "customers": (
        (1, "Ada", "DE", "2024-01-10", True),
        (2, "Ben", "DE", "2024-02-20", False),
        (3, "Cleo", "FR", "2025-01-05", True),
        (4, "Dan", "GB", "2025-03-01", None),
    ),
    "stores": ((1, "Mitte", "Berlin"), (2, "Soho", "York")),
    "products": (
        (1, "Fog Filter", "coffee beans", 10.0),
        (2, "Larch Tent", "tents", 300.0),
        (3, "Night Hike", "coffee beans", 20.0),
    ),
    "orders": (
        (
            1,
            1,
            1,
            "completed",
            "2025-01-15 10:00:00",
            100.0,
            False,
            0.0,
            "2025-01-20",
            "2025-01-18",
        ),
        (
            2,
            1,
            None,
            "completed",
            "2025-01-31 23:30:00",
            50.0,
            True,
            0.0,
            "2025-02-05",
            "2025-02-10",
        ),
        (
            3,
            2,
            1,
            "returned",
            "2025-02-10 09:00:00",
            300.0,
            False,
            300.0,
            "2025-02-15",
            "2025-02-14",
        ),
        (4, 3, 2, "completed", "2025-02-20 12:00:00", 20.0, False, 5.0, "2025-02-25", None),
        (5, 3, None, "cancelled", "2025-03-05 12:00:00", 80.0, False, 80.0, "2025-03-10", None),
        (
            6,
            None,
            2,
            "completed",
            "2025-03-31 08:00:00",
            30.0,
            False,
            0.0,
            "2025-04-05",
            "2025-04-05",
        ),
    ),
    "order_items": (
        (1, 1, 1, 2, "2025-01-16"),
        (2, 1, 3, 4, "2025-01-17"),
        (3, 2, 1, 5, "2025-02-01"),
        (4, 3, 2, 1, "2025-02-12"),
        (5, 4, 3, 1, "2025-02-21"),
        (6, 6, 1, 3, None),
    ),
}


def _column(table: str, said: str, key: str, entity: str) -> Column:
    name, type_ = said.split()
    kind = _KINDS[type_]
    role = {
        Kind.DATE: Role.TIME,
        Kind.TIMESTAMP: Role.TIME,
        Kind.BOOLEAN: Role.FLAG,
        Kind.NUMBER: Role.MEASURE,
    }.get(kind, Role.CATEGORY)
    if name.endswith("_id"):
        role = Role.KEY if name == key else Role.FOREIGN_KEY
    values = _VALUES.get(f"{table}.{name}", ())
    return Column(name, type_, kind, role, unique=name == key, values=values)


def _table(name: str) -> Table:
    columns, entity, time = _TABLES[name]
    key = columns[0].split()[0]
    return Table(
        name=name,
        relation=f"marts.{name}",
        unique_id=f"model.shop.{name}",
        path=f"models/{name}.sql",
        columns=tuple(_column(name, said, key, entity) for said in columns),
        primary_key=(key,),
        entity=entity,
        time_column=time,
    )


def _simple(name: str, measure: Measure, *filters: MetricFilter) -> Metric:
    tables = (measure.table,)
    return Metric(name, "simple", measure=measure, filters=filters, tables=tables)


_REVENUE = Measure("revenue", "orders", "sum", "amount", "ordered_at")
_ORDERS = Measure("order_count", "orders", "count", "1", "ordered_at")
_UNITS = Measure("units", "order_items", "sum", "quantity", "shipped_on")
_GIFTS = Measure("gifts", "orders", "sum_boolean", "is_gift", "ordered_at")
_COMPLETED = MetricFilter("orders.status = 'completed'", ("orders",))
_GERMAN = MetricFilter("customers.country = 'DE'", ("customers",))
_CUMULATIVE = """select date_trunc('month', ordered_at)::date as metric_time__month,
  sum(sum(amount)) over (order by date_trunc('month', ordered_at)) as cumulative_revenue
from marts.orders group by 1, date_trunc('month', ordered_at)"""


def shop_schema(*, always: bool = False) -> ProjectSchema:
    """The shop; with ``always`` cancelled orders never count unless asked for."""
    month = CompiledMetric(
        "metric_time__month", _CUMULATIVE, "cumulative_revenue", "metric_time__month", grain="MONTH"
    )
    total = "select sum(amount) as cumulative_revenue from marts.orders"
    metrics = (
        _simple("revenue", _REVENUE),
        _simple("order_count", _ORDERS),
        _simple("completed_revenue", _REVENUE, _COMPLETED),
        _simple("german_revenue", _REVENUE, _GERMAN),
        _simple("units", _UNITS),
        _simple("gifts", _GIFTS),
        Metric(
            "average_order_value",
            "ratio",
            expression="revenue / nullif(order_count, 0)",
            inputs=(MetricInput("revenue", "revenue"), MetricInput("order_count", "order_count")),
            tables=("orders",),
        ),
        Metric(
            "open_revenue",
            "derived",
            expression="everything - completed",
            inputs=(
                MetricInput("everything", "revenue"),
                MetricInput("completed", "completed_revenue"),
            ),
            tables=("orders",),
        ),
        Metric(
            "units_per_order",
            "ratio",
            expression="units / nullif(order_count, 0)",
            inputs=(MetricInput("units", "units"), MetricInput("order_count", "order_count")),
            tables=("order_items", "orders"),
        ),
        Metric(
            "cumulative_revenue",
            "cumulative",
            tables=("orders",),
            time_table="orders",
            time_column="ordered_at",
            compiled=(CompiledMetric("", total, "cumulative_revenue"), month),
        ),
    )
    rules = [Rule("large", "A large order is over 60.", "orders", "amount > 60")]
    if always:
        sentence = "Cancelled orders do not count."
        rules.append(Rule("valid", sentence, "orders", "status <> 'cancelled'", always=True))
    return ProjectSchema(
        project="shop",
        dialect="duckdb",
        tables=tuple(_table(name) for name in _TABLES),
        joins=tuple(Join(one, (key,), other, (key,)) for one, key, other in _JOINS),
        metrics=metrics,
        rules=tuple(rules),
        as_of="2026-06-30",
    )


def with_gaps(name: str) -> ProjectSchema:
    """The shop, of whose orders a column is known to be empty now and then."""
    schema = shop_schema()
    orders = schema.table("orders")
    columns = tuple(replace(c, null_share=0.2) if c.name == name else c for c in orders.columns)
    gaps = replace(orders, columns=columns)
    return replace(schema, tables=tuple(gaps if t is orders else t for t in schema.tables))


def _literal(value: object) -> str:
    if value is None:
        return "null"
    return f"'{value}'" if isinstance(value, str) else str(value)


def build(path: Path) -> Path:
    """A DuckDB file with the shop's rows."""
    with open_writable(path) as connection:
        connection.execute("create schema marts")
        for name, rows in ROWS.items():
            connection.execute(f"create table marts.{name} ({', '.join(_TABLES[name][0])})")
            listed = ", ".join(f"({', '.join(map(_literal, row))})" for row in rows)
            connection.execute(f"insert into marts.{name} values {listed}")
    return path
