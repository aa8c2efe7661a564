"""Combined keys and what people call a reference, as tests and constraints write them."""

from __future__ import annotations

from typing import Any

import pytest

from dbt_t2s.project import evidence, joins
from dbt_t2s.project.artifacts import Artifacts
from dbt_t2s.project.assertions import facts
from dbt_t2s.project.schema import Column, Join, Kind, Role, Table

ORDERS, PARTS = "model.p.orders", "model.p.parts"


def generic(name: str, column: str = "", **kwargs: Any) -> dict[str, Any]:
    return {
        "resource_type": "test",
        "unique_id": f"test.p.{name}.{column}",
        "name": f"{name}_orders_{column}",
        "attached_node": ORDERS,
        "depends_on": {"nodes": [PARTS, ORDERS]},
        "test_metadata": {"name": name, "kwargs": {"column_name": column, **kwargs}},
    }


@pytest.mark.parametrize(
    ("test", "kind", "columns"),
    [
        # dbt's own way to test a combined key: what is unique of them makes them unique together
        (generic("unique", "(country || '-' || order_id)"), "unique", ("country", "order_id")),
        (generic("unique", "concat(a, b)", where="c"), "maybe_unique", ("a", "b")),
        (generic("unique", "order no"), "unique", ("order no",)),
        # dbt_utils
        (generic("unique_where", "id", where="not gone"), "maybe_unique", ("id",)),
        (generic("sequential_values", "n", group_by_columns=["a", "b"]), "unique", ("a", "b", "n")),
        (
            generic(
                "mutually_exclusive_ranges", lower_bound_column="start", partition_by="a || b"
            ),
            "unique",
            ("a", "b", "start"),
        ),
        # dbt_expectations
        (
            generic("expect_compound_columns_to_be_unique", column_list=["a", "b"],
                    row_condition="a > 1"),
            "maybe_unique",
            ("a", "b"),
        ),
        (
            generic("expect_column_proportion_of_unique_values_to_be_between", "n", min_value=1,
                    group_by=["a"]),
            "unique",
            ("a", "n"),
        ),
        (generic("expect_column_values_to_be_increasing", "n"), "unique", ("n",)),
        # dbt_constraints
        (generic("primary_key", column_names=["a", "b"]), "unique", ("a", "b")),
        (generic("primary_key", column_names=["a", "b"], where="c"), "maybe_unique", ("a", "b")),
        (generic("unique_key", column_names=['"a"', "b"]), "unique", ("a", "b")),
    ],
)  # fmt: skip
def test_combined_keys(test: dict[str, Any], kind: str, columns: tuple[str, ...]) -> None:
    first = facts(test)[0]
    assert (first.kind, first.columns) == (kind, columns)


@pytest.mark.parametrize(
    "test",
    [
        generic("unique", "(a || '-' || )"),
        generic("expect_column_proportion_of_unique_values_to_be_between", "n", min_value=0.9),
        generic("expect_column_values_to_be_increasing", "n", strictly=False),
        generic("expect_column_values_to_be_increasing", "n", sort_column="day"),
        generic("sequential_values", "n", interval=0),
        generic(
            "mutually_exclusive_ranges",
            lower_bound_column="start",
            zero_length_range_allowed=True,
        ),
        generic("foreign_key", fk_column_names=["a", "b"], pk_column_names=["a"]),
        generic("relationships", "a || b", field="id"),
    ],
)
def test_what_proves_no_key(test: dict[str, Any]) -> None:
    assert facts(test) == ()


@pytest.mark.parametrize(
    "test",
    [
        generic("foreign_key", fk_column_names=["a", "b"], pk_column_names=["x", "y"],
                pk_table_name="ref('parts')"),
        generic("relationships", "a || '-' || b", field="x || '-' || y"),
    ],
)  # fmt: skip
def test_combined_references(test: dict[str, Any]) -> None:
    (fact,) = facts(test)
    assert (fact.kind, fact.columns, fact.target, fact.target_columns) == (
        "points_at", ("a", "b"), PARTS, ("x", "y"),
    )  # fmt: skip


def constrained(**constraint: Any) -> Artifacts:
    orders = {
        "resource_type": "model", "unique_id": ORDERS, "name": "orders",
        "contract": {"enforced": True},
        "constraints": [{"type": "foreign_key", "columns": ["a", "b"], **constraint}],
    }  # fmt: skip
    parts = {
        "resource_type": "model", "unique_id": PARTS, "name": "parts",
        "relation_name": '"db"."s"."parts"',
    }  # fmt: skip
    return Artifacts({"nodes": {"a": orders, "b": parts}})


@pytest.mark.parametrize(
    "constraint",
    [
        {"to": '"db"."s"."parts"', "to_columns": ["x", "y"]},
        {"expression": '"db"."s"."parts" ("x", y)'},
        {"expression": "references db.s.parts (x, y) on delete cascade"},
    ],
)
def test_combined_foreign_keys_of_every_dbt_version(constraint: dict[str, Any]) -> None:
    (fact,) = evidence.gather(constrained(**constraint)).of(ORDERS, "points_at")
    assert (fact.columns, fact.target, fact.target_columns) == (("a", "b"), PARTS, ("x", "y"))


@pytest.mark.parametrize("expression", ["db.s.parts", "db.s.other (x, y)", "db.s.parts (x)", "("])
def test_a_foreign_key_that_names_no_columns_or_no_node_says_nothing(expression: str) -> None:
    assert evidence.gather(constrained(expression=expression)).of(ORDERS, "points_at") == ()


# ---- what people call a reference


def called(**test: Any) -> str:
    (fact,) = facts({**generic("relationships", "day", field="id"), **test})
    return fact.role


def test_a_reference_is_called_by_meta_a_short_description_or_the_tests_own_name() -> None:
    assert called(config={"meta": {"t2s": {"meaning": "day of dispatch"}}}) == "day of dispatch"
    assert called(meta={"meaning": "ship date"}, description="other") == "ship date"
    assert called(description="The day it was sent.") == "The day it was sent"
    assert called(description="x" * 80, name="orders_ship_date_fk") == "ship date"
    assert called(name="fk_order_billed_to_customer") == "billed to customer"
    assert called() == ""
    assert called(name="source_relationships_orders_day__id") == ""
    foreign = {"to": '"db"."s"."parts"', "to_columns": ["x", "y"], "name": "fk_orders_spare_part"}
    (fact,) = evidence.gather(constrained(**foreign)).of(ORDERS, "points_at")
    assert fact.role == "spare part"


def edges(**names: str) -> dict[str, Join]:
    """The joins of orders' days with the calendar, by column; each test under its given name."""
    days = Table(
        "days", "days", PARTS, "", (Column("id", "", Kind.NUMBER, Role.KEY),), primary_key=("id",)
    )
    columns = tuple(Column(name, "", Kind.NUMBER, Role.FOREIGN_KEY) for name in names)
    orders = Table("orders", "orders", ORDERS, "", columns)
    tests = {
        column: {**generic("relationships", column, field="id"), "name": name}
        for column, name in names.items()
    }
    found, _ = joins.find(
        (days, orders), evidence.gather(Artifacts({"nodes": tests})), (), None, "duckdb"
    )
    return {join.columns[0]: join for join in found}


def test_ambiguous_paths_are_called_as_people_call_them_else_by_their_columns() -> None:
    found = edges(ordered_on="fk_orders_order_date", sent_id="fk_orders_ship_date")
    assert found["ordered_on"].meaning == "order date"
    assert found["sent_id"].meaning == "ship date"
    found = edges(ordered_id="checked", sent_id="checked")
    assert {join.meaning for join in found.values()} == {"ordered", "sent"}
    found = edges(ordered_id="fk_orders_day", sent_id="fk_orders_ship_date")
    assert found["ordered_id"].meaning == "ordered"
    assert edges(sent_id="fk_orders_ship_date")["sent_id"].meaning == ""
