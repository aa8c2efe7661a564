"""Keys and joins: what tests, constraints, SQL, names and data say of them."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dbt_t2s.duck import Execute, QueryError, Rows, open_writable, run
from dbt_t2s.project import evidence, joins, mined_joins, named_joins
from dbt_t2s.project.artifacts import Artifacts
from dbt_t2s.project.asked import Asking
from dbt_t2s.project.assertions import Fact, facts
from dbt_t2s.project.evidence import Evidence
from dbt_t2s.project.lineage import Lineage
from dbt_t2s.project.schema import Cardinality, Column, Join, Kind, Role, Table
from dbt_t2s.sql import uncollected


def table(name: str, *columns: str, key: str = "", rows: int | None = None) -> Table:
    """A table of integer columns, or ``name:text``, ``name:date``; ``key`` is its primary key."""
    kinds = {"": Kind.NUMBER, "text": Kind.TEXT, "date": Kind.DATE}
    built = []
    for each in columns:
        column, _, kind = each.partition(":")
        built.append(Column(column, "", kinds[kind], Role.TEXT, unique=column == key))
    found = (key,) if key else ()
    return Table(name, name, f"model.p.{name}", "", tuple(built), primary_key=found, rows=rows)


def points_at(of: str, column: str, to: str, field: str) -> Fact:
    node = f"test.p.{of}_{column}"
    return Fact(
        "points_at", f"model.p.{of}", (column,), node, target=f"model.p.{to}",
        target_columns=(field,),
    )  # fmt: skip


def found(
    *tables: Table,
    facts: tuple[Fact, ...] = (),
    execute: Execute | None = None,
    mined: tuple[mined_joins.Mined, ...] = (),
) -> dict[str, Join]:
    """The joins by ``a.x -> b.y``."""
    edges, _ = joins.find(tables, Evidence(facts), (), execute, "duckdb", mined)
    return {
        f"{j.table}.{'+'.join(j.columns)} -> {j.to_table}.{'+'.join(j.to_columns)}": j
        for j in edges
    }


# ---- what tests say


def generic(name: str, column: str = "", **kwargs: Any) -> dict[str, Any]:
    return {
        "resource_type": "test",
        "unique_id": f"test.p.{name}",
        "name": name,
        "attached_node": "model.p.orders",
        "column_name": column,
        "depends_on": {"nodes": ["model.p.customers", "model.p.orders"]},
        "test_metadata": {"name": name, "kwargs": {"column_name": column, **kwargs}},
    }


@pytest.mark.parametrize(
    ("test", "kind", "columns"),
    [
        (generic("unique", "id"), "unique", ("id",)),
        (generic("unique", '"id"'), "unique", ("id",)),
        (generic("unique", "id", where="x > 1"), "maybe_unique", ("id",)),
        (generic("not_null", "id"), "not_null", ("id",)),
        (generic("not_null_proportion", "id", at_least=1.0), "not_null", ("id",)),
        (
            generic("unique_combination_of_columns", combination_of_columns=["a", "b"]),
            "unique",
            ("a", "b"),
        ),
        (generic("expect_column_values_to_be_unique", "id"), "unique", ("id",)),
        (
            generic("expect_column_values_to_be_unique", "id", row_condition="x > 1"),
            "maybe_unique",
            ("id",),
        ),
        (generic("expect_column_values_to_not_be_null", "id"), "not_null", ("id",)),
        (
            generic("expect_compound_columns_to_be_unique", column_list=["a", "b"]),
            "unique",
            ("a", "b"),
        ),
        (generic("primary_key", "id"), "unique", ("id",)),
        (generic("unique_key", column_names=["a", "b"]), "unique", ("a", "b")),
    ],
    ids=lambda each: each["name"] if isinstance(each, dict) else None,
)
def test_keys_are_read_as_each_package_writes_them(
    test: dict[str, Any], kind: str, columns: tuple[str, ...]
) -> None:
    first = facts(test)[0]
    assert (first.kind, first.columns, first.subject) == (kind, columns, "model.p.orders")


@pytest.mark.parametrize(
    "test",
    [
        generic("relationships", "customer_id", to="ref('customers')", field="id"),
        generic(
            "relationships", "customer_id", arguments={"to": "ref('customers')", "field": "id"}
        ),
        generic("relationships_where", "customer_id", field="id", from_condition="not gone"),
        generic("foreign_key", "customer_id", pk_table_name="ref('c')", pk_column_name="id"),
        generic("foreign_key", fk_column_names=["customer_id"], pk_column_names=["id"]),
    ],
)
def test_references_are_read_as_each_package_writes_them(test: dict[str, Any]) -> None:
    (fact,) = facts(test)
    assert (fact.kind, fact.columns, fact.target_columns) == (
        "points_at",
        ("customer_id",),
        ("id",),
    )
    assert fact.target == "model.p.customers"


def test_equal_values_of_two_columns_are_a_hint_alone() -> None:
    (fact,) = facts(generic("cardinality_equality", "customer_id", field="id"))
    assert fact.kind == "maybe_points_at"


def test_values_ranges_and_expressions() -> None:
    (said,) = facts(generic("accepted_values", "s", arguments={"values": ["a", True, 3]}))
    assert said.values == ("a", "true", "3")
    (said,) = facts(generic("expect_column_values_to_be_in_set", "s", value_set=["a"]))
    assert (said.kind, said.values) == ("accepted_values", ("a",))
    (said,) = facts(generic("expect_column_values_to_be_between", "n", min_value=0, max_value=1))
    assert (said.minimum, said.maximum) == ("0", "1")
    (said,) = facts(generic("accepted_range", "n", min_value="'2024-01-01'", max_value="now()"))
    assert (said.minimum, said.maximum) == ("2024-01-01", "")
    (said,) = facts(generic("expression_is_true", "n", expression=">= 0"))
    assert said.expression == "n >= 0"


@pytest.mark.parametrize("name", ["volume_anomalies", "equal_rowcount", "my_own_test"])
def test_other_tests_say_nothing_of_keys(name: str) -> None:
    assert facts(generic(name, "id", field="id", combination_of_columns=["a"])) == ()


def test_the_tested_node_is_found_where_old_manifests_do_not_say_it() -> None:
    test = generic("relationships", "customer_id", field="id", model="{{ ref('orders') }}")
    test |= {"attached_node": None, "depends_on": {"nodes": ["model.p.orders", "model.p.c"]}}
    (fact,) = facts(test)
    assert (fact.subject, fact.target) == ("model.p.orders", "model.p.c")


@given(
    st.dictionaries(
        st.sampled_from(
            ("column_name", "field", "values", "combination_of_columns", "min_value", "where")
        ),
        st.none() | st.booleans() | st.integers() | st.text() | st.lists(st.text() | st.none()),
    ),
    st.sampled_from(
        ("unique", "relationships", "accepted_values", "accepted_range", "foreign_key")
    ),
)
def test_odd_arguments_are_no_crash(kwargs: dict[str, Any], name: str) -> None:
    test = generic(name)
    test["test_metadata"]["kwargs"] = kwargs
    assert all(each.subject == "model.p.orders" for each in facts(test))


def manifest(**node: Any) -> Artifacts:
    built = {"resource_type": "model", "unique_id": "model.p.orders", "name": "orders", **node}
    other = {
        "resource_type": "model",
        "unique_id": "model.p.customers",
        "name": "customers",
        "relation_name": '"db"."s"."customers"',
    }
    return Artifacts({"nodes": {"a": built, "b": other}})


@pytest.mark.parametrize("enforced", [True, False])
def test_constraints_are_weaker_where_nobody_checks_them(enforced: bool) -> None:
    foreign = {"type": "foreign_key", "to": '"db"."s"."customers"', "to_columns": ["id"]}
    read = manifest(
        contract={"enforced": enforced},
        constraints=[{"type": "primary_key", "columns": ["a", "b"]}],
        columns={"customer_id": {"constraints": [foreign]}},
    )
    proof = evidence.gather(read)
    prefix = "" if enforced else "maybe_"
    (key,) = proof.of("model.p.orders", f"{prefix}unique")
    (reference,) = proof.of("model.p.orders", f"{prefix}points_at")
    assert (key.columns, reference.target) == (("a", "b"), "model.p.customers")
    assert bool(proof.of("model.p.orders", "not_null")) is enforced


def test_keys_that_models_are_merged_on_are_hints() -> None:
    proof = evidence.gather(
        manifest(config={"materialized": "incremental", "unique_key": ["a", "b"]})
    )
    assert [f.columns for f in proof.of("model.p.orders", "maybe_unique")] == [("a", "b")]
    proof = evidence.gather(manifest(config={"materialized": "table", "unique_key": "a"}))
    assert proof.facts == ()


def test_a_snapshots_key_repeats_with_each_version() -> None:
    proof = evidence.gather(manifest(resource_type="snapshot", config={"unique_key": "id"}))
    assert [f.columns for f in proof.of("model.p.orders", "unique")] == [("dbt_scd_id",)]
    assert [f.columns for f in proof.of("model.p.orders", "maybe_unique")] == [
        ("id", "dbt_valid_from")
    ]


@pytest.mark.parametrize("status", ["fail", "warn"])
def test_a_failed_test_proves_no_key_but_still_names_a_join(status: str) -> None:
    tests = (generic("unique", "id"), generic("relationships", "customer_id", field="id"))
    results = [{"unique_id": each["unique_id"], "status": status} for each in tests]
    read = Artifacts(
        {"nodes": {each["name"]: each for each in tests}}, run_results={"results": results}
    )
    proof = evidence.gather(read)
    assert [fact.kind for fact in proof.facts] == ["points_at"]
    assert len(proof.issues) == 2


# ---- what SQL says

ORDERS = table("orders", "order_id", "customer_id", key="order_id")
CUSTOMERS = table("customers", "customer_id", "country", key="customer_id")
RELATIONS = {
    "orders": "model.p.orders",
    "customers": "model.p.customers",
    "stg_orders": "model.p.stg_orders",
    "stg_customers": "model.p.stg_customers",
}


def mined(*statements: tuple[str, str]) -> tuple[mined_joins.Mined, ...]:
    code = dict(statements)
    nodes = {
        node: {
            "unique_id": node, "resource_type": "model", "name": name, "relation_name": name,
            "compiled_code": code.get(node, ""),
        }
        for name, node in RELATIONS.items()
    }  # fmt: skip
    asked = Asking((ORDERS, CUSTOMERS), (), "duckdb").of(
        [(node, "model", text) for node, text in statements]
    )
    lineage = Lineage(Artifacts({"nodes": nodes}), "duckdb")
    return mined_joins.find(asked, (ORDERS, CUSTOMERS), RELATIONS, lineage)


@pytest.mark.parametrize(
    "code",
    [
        "select 1 from orders o join customers c on o.customer_id = c.customer_id",
        "select 1 from orders o join customers c using (customer_id)",
        "select 1 from orders o, customers c where c.customer_id = o.customer_id and order_id > 1",
        "select 1 from orders o join customers c on cast(o.customer_id as int) = c.customer_id",
        "select 1 from orders natural join customers",
        "select 1 from orders where customer_id in (select customer_id from customers)",
        "select 1 from orders o where not exists"
        " (select 1 from customers c where c.customer_id = o.customer_id)",
        """with o as (select * from orders), c as (select customer_id as id from customers)
           select 1 from o join (select id from c) as d on o.customer_id = d.id""",
    ],
)
def test_a_join_is_followed_to_the_relations(code: str) -> None:
    edges = found(ORDERS, CUSTOMERS, mined=mined(("analysis.p.a", code), ("analysis.p.b", code)))
    join = edges["orders.customer_id -> customers.customer_id"]
    assert (join.support, join.proven) == (2, True)
    assert join.evidence == ("analysis.p.a", "analysis.p.b")


def test_joins_of_staging_models_are_told_of_the_marts_that_pass_the_columns_on() -> None:
    edges = mined(
        ("model.p.orders", "select id as order_id, cust as customer_id from stg_orders"),
        (
            "model.p.customers",
            "with c as (select * from stg_customers) select no as customer_id from c",
        ),
        ("model.p.other", "select 1 from stg_orders a join stg_customers b on a.cust = b.no"),
    )
    (join,) = edges
    assert (join.table, join.columns) == ("orders", ("customer_id",))
    assert (join.to_table, join.to_columns, join.nodes) == (
        "customers", ("customer_id",), ("model.p.other",),
    )  # fmt: skip


def test_a_join_without_a_key_is_left_out_and_said() -> None:
    edges, issues = joins.find(
        (ORDERS, CUSTOMERS), Evidence(()), (), None, "duckdb",
        mined(("a", "select 1 from orders o join customers c on o.order_id = c.country")),
    )  # fmt: skip
    # Of the two sides orders.order_id is the key: many customers point at one order.
    assert [(j.table, j.to_table) for j in edges if j.proven] == [("customers", "orders")]
    edges, issues = joins.find(
        (ORDERS, CUSTOMERS), Evidence(()), (), None, "duckdb",
        mined(("a", "select 1 from orders o join customers c on o.customer_id = c.country")),
    )  # fmt: skip
    assert not [join for join in edges if join.proven]
    assert "orders.customer_id" in issues[0].message


@pytest.mark.parametrize("code", ["not sql at all (", "select 1", "select * from a join b on true"])
def test_sql_that_cannot_be_read_or_joins_nothing_gives_nothing(code: str) -> None:
    assert mined(("a", code + " -- join")) == ()


# ---- what names say


@pytest.mark.parametrize(
    ("column", "target"),
    [
        ("customer_id", table("customers", "customer_id", key="customer_id")),
        ("customer_id", table("dim_customers", "id", key="id")),
        ("customer", table("customers", "id", key="id")),
        ("customerId", table("Customers", "CustomerID", key="CustomerID")),
        ("cust_no", table("customers", "id", key="id")),
        ("billing_customer_id", table("customers", "customer_id", key="customer_id")),
        ("city_id", table("cities", "id", key="id")),
        ("campus_code", table("campuses", "code", key="code")),
        ("customer_id", table("customers", "name", "customer_id")),
    ],
)
def test_names_that_point(column: str, target: Table) -> None:
    (guess,) = named_joins.find((table("visits", "visit_id", column, key="visit_id"), target))
    assert (guess.column, guess.to_table) == (column, target.name)


@pytest.mark.parametrize(
    ("column", "target"),
    [
        ("id", table("customers", "id", key="id")),
        ("customers", table("customers", "id", key="id")),
        ("total_customers", table("customers", "id", key="id")),
        ("customer_id:text", table("customers", "customer_id", key="customer_id")),
        ("opened:date", table("openings", "opened:date", key="opened")),
        ("price", table("products", "product_id", "price", key="product_id")),
        ("year", table("budgets", "year", key="year")),
    ],
)
def test_names_that_do_not_point(column: str, target: Table) -> None:
    source = table("visits", "visit_id", column, key="visit_id")
    assert list(named_joins.find((source, target))) == []


def test_of_two_keys_called_alike_the_one_called_after_its_table_wins() -> None:
    visits = table("visits", "visit_id", "customer_id", key="visit_id")
    loyalty = table("loyalty_cards", "customer_id", key="customer_id")
    customers = table("customers", "customer_id", key="customer_id")
    guesses = {(g.table, g.to_table) for g in named_joins.find((visits, loyalty, customers))}
    assert guesses == {("visits", "customers"), ("loyalty_cards", "customers")}


@given(st.lists(st.text(max_size=8), max_size=6), st.lists(st.text(max_size=8), max_size=6))
def test_any_names_can_be_read(one: list[str], two: list[str]) -> None:
    def plain(name: str, columns: list[str]) -> Table:
        built = tuple(Column(c, "", Kind.NUMBER, Role.TEXT) for c in dict.fromkeys(columns))
        return Table(name, name, name, "", built)

    tables = (plain("a", one), plain("".join(two), two))
    guesses = list(named_joins.find(tables))
    assert len({(g.table, g.column) for g in guesses}) == len(guesses)
    assert all(g.table != g.to_table for g in guesses)


# ---- what the data says


@pytest.fixture
def execute(tmp_path: Path) -> Iterator[Execute]:
    with open_writable(tmp_path / "a.duckdb") as connection:
        for each in (
            "create table customers as select range + 1 as customer_id, 1 as country from range(3)",
            "create table orders as select * from (values (1, 1), (2, 1), (3, 9), (4, null))"
            " as v (order_id, customer_id)",
            "create table lines as select * from (values (1, 1), (1, 2)) as v (order_id, line_no)",
        ):
            connection.execute(each)

        def ask(query: str) -> Rows | QueryError:
            return run(connection, query)

        yield ask


def test_orphans_are_measured_and_a_stated_join_stands(execute: Execute) -> None:
    facts = (points_at("orders", "customer_id", "customers", "customer_id"),)
    edges = found(ORDERS, CUSTOMERS, facts=facts, execute=execute)
    assert edges["orders.customer_id -> customers.customer_id"].orphan_share == pytest.approx(1 / 3)


def test_a_name_alone_is_no_join_where_values_do_not_fit(execute: Execute) -> None:
    assert found(ORDERS, CUSTOMERS, execute=execute) == {}
    (join,) = found(ORDERS, CUSTOMERS).values()
    assert not join.proven


def test_of_keys_that_names_fit_alike_the_values_choose(tmp_path: Path) -> None:
    with open_writable(tmp_path / "a.duckdb") as connection:
        connection.execute("create table north as select range + 1 as shop_code from range(3)")
        connection.execute("create table south as select range + 7 as shop_code from range(3)")
        connection.execute("create table visits as select * from (values (8), (9)) v (shop_code)")
        north, south = (table(name, "shop_code", key="shop_code") for name in ("north", "south"))
        visits = table("visits", "shop_code")
        edges = found(north, south, visits, execute=lambda query: run(connection, query))
        assert list(edges) == ["visits.shop_code -> south.shop_code"]
        assert not any(each.startswith("visits") for each in found(north, south, visits))
        connection.execute("insert into north values (8), (9)")
        assert not found(visits, north, south, execute=lambda query: run(connection, query))


def coded(name: str, *columns: str, rows: int, distinct: int) -> Table:
    """A table of three-letter codes, ``name:personal`` for personal data, with their profile."""
    built = tuple(
        Column(
            column.partition(":")[0], "varchar", Kind.TEXT, Role.TEXT, format="AAA",
            distinct=distinct, null_share=0.0, personal=column.endswith(":personal"),
        )
        for column in columns
    )  # fmt: skip
    return Table(name, name, f"model.p.{name}", "", built, rows=rows)


def test_codes_that_one_key_holds_all_are_a_join_where_names_say_nothing(tmp_path: Path) -> None:
    codes = ", ".join(f"('A{letter}X')" for letter in "ABCDEFGH")
    with open_writable(tmp_path / "a.duckdb") as connection:
        connection.execute(f"create table airports as select * from (values {codes}) v (faa)")
        connection.execute(
            "create table flights as select faa as origin, faa as dest, faa as pilot,"
            " faa as carrier from airports, range(2) where faa < 'AG'"
        )
        connection.execute("update flights set carrier = 'ZZZ' where carrier = 'AAX'")
        connection.execute("create table others as select faa from airports")

        def asked(*tables: Table) -> set[str]:
            return set(found(*tables, execute=lambda query: run(connection, query)))

        airports = coded("airports", "faa", rows=8, distinct=8)
        flights = coded(
            "flights", "origin", "dest", "pilot:personal", "carrier", rows=12, distinct=6
        )
        assert asked(airports, flights) == {
            "flights.origin -> airports.faa",
            "flights.dest -> airports.faa",
        }
        # Two keys that hold them, too few codes to tell, another shape: nothing to say.
        others = replace(airports, name="others", relation="others", unique_id="model.p.others")
        assert not {each for each in asked(airports, others, flights) if "flights" in each}
        few = replace(flights, columns=tuple(replace(each, distinct=4) for each in flights.columns))
        assert asked(airports, few) == set()
        shaped = replace(
            flights, columns=tuple(replace(each, format="AA9") for each in flights.columns)
        )
        assert asked(airports, shaped) == set()
        assert found(airports, flights) == {}


def test_a_copied_attribute_is_no_second_join() -> None:
    stores = table("stores", "store_id", "store_name:text", key="store_id")
    unique = tuple(replace(column, unique=True) for column in stores.columns)
    wide = table("order_details", "line_no", "store_id", "store_name:text")
    assert list(found(replace(stores, columns=unique), wide)) == [
        "order_details.store_id -> stores.store_id"
    ]
    without = table("order_details", "line_no", "store_name:text")
    assert list(found(replace(stores, columns=unique), without)) == [
        "order_details.store_name -> stores.store_name"
    ]


def test_combined_keys_are_measured(execute: Execute) -> None:
    lines = table("lines", "order_id", "line_no")
    other = table("parts", "order_id", "line_no")
    both = Fact(
        "points_at", "model.p.parts", ("order_id", "line_no"), "t", target="model.p.lines",
        target_columns=("order_id", "line_no"),
    )  # fmt: skip
    edges, _ = joins.find((lines, other), Evidence((both,)), (), execute, "duckdb")
    assert [join.columns for join in edges if join.proven] == [("order_id", "line_no")]
    assert edges[0].orphan_share is None  # parts is not in the warehouse


def test_a_one_side_that_repeats_is_an_issue() -> None:
    facts = (points_at("customers", "country", "orders", "customer_id"),)
    edges, issues = joins.find((ORDERS, CUSTOMERS), Evidence(facts), (), None, "duckdb")
    assert not [join for join in edges if join.proven]
    assert "not proven unique" in issues[0].message


def test_two_ways_to_one_table_keep_their_meaning() -> None:
    orders = table(
        "orders", "order_id", "billing_address_id", "shipping_address_id", key="order_id"
    )
    addresses = table("addresses", "address_id", key="address_id")
    facts = (points_at("orders", "billing_address_id", "addresses", "address_id"),)
    edges = found(orders, addresses, facts=facts)
    assert [(join.meaning, join.proven) for join in edges.values()] == [
        ("billing address", True),
        ("shipping address", False),
    ]


def test_keys_on_both_sides_are_one_to_one_and_told_once() -> None:
    profiles = table("profiles", "customer_id", key="customer_id")
    facts = (
        points_at("profiles", "customer_id", "customers", "customer_id"),
        points_at("customers", "customer_id", "profiles", "customer_id"),
    )
    (join,) = found(profiles, CUSTOMERS, facts=facts).values()
    assert join.cardinality is Cardinality.ONE_TO_ONE


def seconds_for(count: int) -> float:
    """The CPU time that as many tables take, each of which points at another and at one of all."""
    tables = [
        table(f"thing{n}s", f"thing{n}_id", f"thing{(n + 1) % count}_id", "customer_id",
              *"abcdefgh", key=f"thing{n}_id")
        for n in range(count)
    ]  # fmt: skip
    with uncollected():  # what other tests left behind is not this one's to look through
        started = time.process_time()
        edges, _ = joins.find([*tables, CUSTOMERS], Evidence(()), (), None, "duckdb")
        taken = time.process_time() - started
    assert len(edges) == 2 * count
    return taken


def test_a_thousand_tables_take_four_times_as_long_as_a_quarter_of_them() -> None:
    """And not sixteen times, as if each were compared with all others."""
    few, many = (min(seconds_for(count) for _ in range(2)) for count in (250, 1000))
    assert many < 8 * few
