"""Perturbed instances differ where SQL may be lucky and hold what the tests promise."""

from __future__ import annotations

from pathlib import Path

import pytest

from dbt_t2s import duck
from dbt_t2s.duck import QueryError, Rows
from dbt_t2s.judge.instances import make_instances
from dbt_t2s.judge.sandbox import Sandbox
from dbt_t2s.project.schema import Column, Join, Kind, ProjectSchema, Role, Table
from tests.judge.shop import make_shop


def column(name: str, role: Role, kind: Kind, type: str, nullable: bool = False) -> Column:
    return Column(name, type, kind, role, nullable=nullable, unique=role == Role.KEY)


CUSTOMERS = Table(
    name="customers",
    relation='"shop"."marts"."customers"',
    unique_id="model.shop.customers",
    path="",
    primary_key=("customer_id",),
    columns=(
        column("customer_id", Role.KEY, Kind.NUMBER, "BIGINT"),
        column("name", Role.TEXT, Kind.TEXT, "VARCHAR"),
        column("kind", Role.CATEGORY, Kind.TEXT, "VARCHAR", nullable=True),
        column("signed_up_on", Role.TIME, Kind.DATE, "DATE"),
    ),
)
ORDERS = Table(
    name="orders",
    relation="marts.orders",
    unique_id="model.shop.orders",
    path="",
    primary_key=("order_id",),
    columns=(
        column("order_id", Role.KEY, Kind.NUMBER, "BIGINT"),
        column("customer_id", Role.FOREIGN_KEY, Kind.NUMBER, "BIGINT", nullable=True),
        column("ordered_on", Role.TIME, Kind.DATE, "DATE"),
        column("gross", Role.MEASURE, Kind.NUMBER, "DECIMAL(10,2)"),
        column("discount", Role.MEASURE, Kind.NUMBER, "DECIMAL(10,2)"),
        column("net", Role.MEASURE, Kind.NUMBER, "DECIMAL(10,2)"),
        column("channel", Role.CATEGORY, Kind.TEXT, "VARCHAR", nullable=True),
    ),
)
LINES = Table(
    name="order_lines",
    relation="shop.marts.order_lines",
    unique_id="model.shop.order_lines",
    path="",
    primary_key=("line_id",),
    columns=(
        column("line_id", Role.KEY, Kind.NUMBER, "BIGINT"),
        column("order_id", Role.FOREIGN_KEY, Kind.NUMBER, "BIGINT"),
        column("quantity", Role.MEASURE, Kind.NUMBER, "BIGINT"),
    ),
)
BIG = Table(
    name="big_orders",
    relation="shop.marts.big_orders",
    unique_id="model.shop.big_orders",
    path="",
    columns=ORDERS.columns,
    primary_key=("order_id",),
)
JOINS = (
    Join("orders", ("customer_id",), "customers", ("customer_id",)),
    Join("order_lines", ("order_id",), "orders", ("order_id",)),
)


def schema(*tables: Table, joins: tuple[Join, ...] = JOINS) -> ProjectSchema:
    return ProjectSchema("shop", "duckdb", tables, joins)


def rows(path: Path, sql: str) -> tuple[tuple[object, ...], ...]:
    connection = duck.open_read_only(path)
    try:
        found = duck.run(connection, sql, 100_000)
    finally:
        connection.close()
    assert isinstance(found, Rows), found
    return found.rows


def one(path: Path, sql: str) -> int:
    found = rows(path, sql)[0][0]
    assert isinstance(found, int)
    return found


@pytest.fixture(scope="module")
def instances(warehouse: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, ...]:
    directory = tmp_path_factory.mktemp("instances")
    return make_instances(warehouse, directory, schema(CUSTOMERS, ORDERS, LINES, BIG))


def test_the_name_stays_and_the_source_is_not_touched(
    warehouse: Path, instances: tuple[Path, ...]
) -> None:
    assert len(instances) == 2
    assert {path.name for path in instances} == {"shop.duckdb"}
    assert len({*instances, warehouse}) == 3  # big_orders is a view, so even the first is a copy
    assert one(warehouse, "select count(*) from marts.orders") == 600


def test_views_become_tables(instances: tuple[Path, ...]) -> None:
    for path in instances:
        kinds = {(name, kind) for _, _, name, kind in duck.relations_of(path)}
        assert ("big_orders", "table") in kinds
        assert not any(name.startswith("__t2s") for name, _ in kinds)
    first = instances[0]
    assert rows(first, "select count(*) from marts.big_orders") == rows(
        first, "select count(*) from marts.orders where net > 20"
    )


def test_fact_tables_lose_rows_and_others_do_not(instances: tuple[Path, ...]) -> None:
    second = instances[1]
    assert one(second, "select count(*) from marts.customers") == 60
    assert 300 < one(second, "select count(*) from marts.orders") < 420
    assert 400 < one(second, "select count(*) from marts.order_lines") < 700


def test_keys_and_joins_hold(instances: tuple[Path, ...]) -> None:
    second = instances[1]
    assert one(second, "select count(order_id) - count(distinct order_id) from marts.orders") == 0
    orphans = "select count(*) from {} a where {k} not in (select {k} from {})"
    assert one(second, orphans.format("marts.orders", "marts.customers", k="customer_id")) == 0
    assert one(second, orphans.format("marts.order_lines", "marts.orders", k="order_id")) == 0


def test_nulls_go_where_nothing_forbids_them(instances: tuple[Path, ...]) -> None:
    first, second = instances
    nulls = "select count(*) from marts.orders where {} is null"
    assert one(second, nulls.format("net")) == 0
    assert one(second, nulls.format("customer_id")) == 0
    share = "select (100 * count(*) filter (where channel is null) / count(*))::int from marts.{}"
    assert one(second, share.format("orders")) > one(first, share.format("orders"))


def test_amounts_change_together(instances: tuple[Path, ...]) -> None:
    first, second = instances
    assert one(second, "select count(*) from marts.orders where net <> gross - discount") == 0
    changed = "select sum(net) / count(*) from marts.orders"
    assert rows(first, changed) != rows(second, changed)
    types = "select typeof(net), typeof(order_id) from marts.orders limit 1"
    assert rows(first, types) == rows(second, types)


def test_the_same_seed_gives_the_same_rows(
    warehouse: Path, instances: tuple[Path, ...], tmp_path: Path
) -> None:
    again = make_instances(warehouse, tmp_path / "a", schema(CUSTOMERS, ORDERS, LINES, BIG))
    other = make_instances(
        warehouse, tmp_path / "b", schema(CUSTOMERS, ORDERS, LINES, BIG), n=3, seed=7
    )
    content = "select * from marts.orders"
    assert rows(again[1], content) == rows(instances[1], content)
    assert rows(other[1], content) != rows(instances[1], content)
    assert rows(other[2], content) != rows(other[1], content)


def test_cycles_and_self_joins_are_kept_whole(tmp_path: Path) -> None:
    path = make_shop(tmp_path / "shop.duckdb")
    loop = (*JOINS, Join("customers", ("customer_id",), "orders", ("order_id",)))
    made = make_instances(path, tmp_path / "x", schema(CUSTOMERS, ORDERS, LINES, joins=loop))
    assert made[0] == path  # no views, so the copy itself
    assert one(made[1], "select count(*) from marts.orders") == 600
    assert one(made[1], "select count(*) from marts.order_lines") < 1200


def test_what_points_at_a_cycle_waits_for_what_it_points_at(tmp_path: Path) -> None:
    path = make_shop(tmp_path / "shop.duckdb")
    joins = (
        *JOINS,
        Join("customers", ("customer_id",), "orders", ("order_id",)),
        Join("big_orders", ("order_id",), "order_lines", ("line_id",)),
    )
    found = schema(BIG, LINES, ORDERS, CUSTOMERS, joins=joins)
    (_, other) = make_instances(path, tmp_path / "x", found)
    orphans = "select count(*) from marts.big_orders as b where not exists"
    orphans += " (select 1 from marts.order_lines as l where l.line_id = b.order_id)"
    assert one(other, orphans) == 0


def test_lucky_sql_is_told_apart(instances: tuple[Path, ...]) -> None:
    """Right on the first instance alone: every order has lines there, in the second not all do."""
    inner = (
        "select count(distinct order_id) from marts.orders join marts.order_lines using (order_id)"
    )
    plain = "select count(*) from marts.orders"
    results = []
    for path in instances:
        with Sandbox(path, ["marts.orders", "marts.order_lines"]) as sandbox:
            one_result, other = sandbox.execute(inner), sandbox.execute(plain)
        assert not isinstance(one_result, QueryError)
        assert not isinstance(other, QueryError)
        results.append(one_result.rows == other.rows)
    assert results == [True, False]


@pytest.mark.parametrize("texts_are_left", [True, False])
def test_a_text_that_points_at_a_number_is_compared_as_text(
    tmp_path: Path, texts_are_left: bool
) -> None:
    """Of two tables one may call a charger ``CH-1``, the other 1: no orphan stops the making."""
    sides = ("'CH-' || i", "i") if texts_are_left else ("i", "'CH-' || i")
    source = tmp_path / "source" / "shop.duckdb"
    source.parent.mkdir()
    with duck.open_writable(source) as connection:
        for name, side in zip(("visits", "chargers"), sides, strict=True):
            connection.execute(
                f"create table {name} as select i as id, {side} as charger_id,"
                " date '2025-01-01' + i::int as day from range(100) as t(i)"
            )
    keys = (
        column("id", Role.KEY, Kind.NUMBER, "BIGINT"),
        column("charger_id", Role.FOREIGN_KEY, Kind.TEXT, "VARCHAR"),
        column("day", Role.TIME, Kind.DATE, "DATE"),
    )
    tables = tuple(
        Table(
            name, f"shop.main.{name}", f"model.shop.{name}", "", primary_key=("id",), columns=keys
        )
        for name in ("visits", "chargers")
    )
    join = Join("visits", ("charger_id",), "chargers", ("charger_id",))
    made = make_instances(source, tmp_path, schema(*tables, joins=(join,)), n=2)
    assert one(made[1], "select count(*) from visits") < 100
