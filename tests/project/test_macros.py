"""The dbt package's macros, run by the real dbt: they say what this package's own reading says."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from dbt_t2s import sql
from dbt_t2s.duck import QueryError, Rows, open_read_only, run
from dbt_t2s.project import values
from dbt_t2s.project.dbt import open_project
from dbt_t2s.project.formats import common
from dbt_t2s.project.operations import Operations
from dbt_t2s.project.schema import Kind
from dbt_t2s.project.values import Wanted, look
from tests.conftest import copy_project


@pytest.fixture(scope="module")
def example(built_example: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the example project, which has this repository as a dbt package."""
    return copy_project(built_example, tmp_path_factory.mktemp("macros") / "example")


@pytest.fixture(scope="module")
def operations(example: Path) -> Iterator[Operations]:
    """One dbt process for all calls of this file."""
    with Operations(open_project(example)) as opened:
        yield opened


def call(operations: Operations, macro: str, **arguments: object) -> tuple[Any, ...]:
    answers = operations.call(macro, **arguments)
    assert not isinstance(answers, QueryError), answers
    return answers


def expected(table: dict[str, Any], relation: str, database: Path) -> values.Profile:
    """What ``look`` says of the table, asked for the same."""
    wanted = [
        Wanted(each["name"], Kind(each["kind"]), each["look"] == "counts", each["look"] == "shapes")
        for each in table["columns"]
    ]
    with open_read_only(database) as connection:

        def execute(statement: str) -> Rows | QueryError:
            return run(connection, statement)

        profile, issues = look(relation, wanted, execute, table["table"], "duckdb")
    assert issues == ()
    return profile


# Of each layer and kind, with keys, codes, prose, money, flags, dates, personal data and NULLs.
LOOKED_AT = (
    "model.fernhill.campaigns",
    "model.fernhill.customers",
    "model.fernhill.orders",
    "model.fernhill.products",
    "model.fernhill.stg_orders",
    "seed.fernhill.raw_customers",
    "seed.fernhill.raw_support_tickets",
    "snapshot.fernhill.product_prices",
)


def test_a_profile_by_macro_is_the_profile_by_look(
    operations: Operations, example: Path, tmp_path: Path
) -> None:
    tables = call(operations, "t2s_profile", tables=LOOKED_AT)
    # dbt holds the file itself as long as it is warm.
    copy = Path(shutil.copy(example / "fernhill.duckdb", tmp_path))
    manifest = json.loads((example / "target" / "manifest.json").read_text())
    built = {
        name: sql.relation(manifest["nodes"][name]["relation_name"], "duckdb") for name in LOOKED_AT
    }
    assert [table["table"] for table in tables] == list(LOOKED_AT)
    for table in tables:
        profile = expected(table, built[table["table"]], copy)
        assert (table["rows"], table["seen"]) == (profile.rows, profile.seen)
        assert [each["name"] for each in table["columns"]] == [c.name for c in profile.columns]
        for given, seen in zip(table["columns"], profile.columns, strict=True):
            counts = (given["filled"], given["distinct"], given["minimum"], given["maximum"])
            assert counts == (seen.filled, seen.distinct, seen.minimum, seen.maximum), given
            assert tuple(value for value, _ in given["values"]) == seen.values, given
            assert common(dict(given["shapes"])) == seen.format, given


def test_of_personal_data_only_counts_come_out(operations: Operations) -> None:
    (table,) = call(
        operations, "t2s_profile", tables="customers", personal={"customers": ["country"]}
    )
    columns = {each["name"]: each for each in table["columns"]}
    for name in ("full_name", "email", "country"):
        assert columns[name]["look"] == "counts"
        assert (columns[name]["values"], columns[name]["shapes"]) == ([], [])
    assert "@" not in str(table)
    assert "Germany" not in str(table)


def test_the_snapshot_is_what_the_warehouse_has(operations: Operations) -> None:
    (orders,) = call(operations, "t2s_schema_snapshot", tables=["orders"])
    (found,) = call(
        operations,
        "t2s_query",
        sql="select column_name, data_type from information_schema.columns"
        " where table_name = 'orders' and table_schema = 'main_marts' order by ordinal_position",
    )
    assert [name for name, _ in orders["columns"]] == [name for name, _ in found["rows"]]
    assert orders["columns"][0][0] == "order_id"
    every = call(operations, "t2s_schema_snapshot")
    assert len(every) > 40
    assert all(each["columns"] for each in every)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ({"tables": ["orders", "no_such_table"]}, "there is no built model"),
        ({"tables": "--full-refresh"}, "this is no name of a table"),
        ({"tables": 'orders"; drop table orders; --'}, "there is no built model"),
        ({"tables": "{{ target.name }}"}, "there is no built model"),
        ({"tables": {"orders": 1}}, "tables should be a name or a list"),
        ({"rows": "1; drop table orders"}, "rows should be a whole number"),
        ({"rows": 0}, "rows should be a whole number"),
        ({"timeout": "-1"}, "timeout should be a whole number"),
        ({"tables": "orders", "personal": {"gone": ["x"]}}, "there is no built model"),
        ({"tables": "orders", "columns": {"orders": [{"name": "x"}]}}, "a column should be"),
    ],
)
def test_a_hostile_argument_is_told_and_nothing_is_run(
    operations: Operations, arguments: dict[str, object], told: str
) -> None:
    failed = operations.call("t2s_profile", **arguments)
    assert isinstance(failed, QueryError)
    assert told in failed.message


def test_a_hostile_column_stays_one_name(operations: Operations) -> None:
    name = 'x" from orders; drop table orders; --'
    columns = {"orders": [{"name": name, "kind": "text", "look": "values"}]}
    failed = operations.call("t2s_profile", tables="orders", columns=columns)
    assert isinstance(failed, QueryError)
    assert 'x" from orders; drop' in failed.message or 'x"" from orders' in failed.message
    (table,) = call(operations, "t2s_profile", tables="orders")
    assert table["rows"] > 0


@pytest.mark.parametrize("limit", ["0", "1; drop table orders", -1, True])
def test_a_limit_is_a_number(operations: Operations, limit: object) -> None:
    failed = operations.call("t2s_query", sql="select 1 as x", limit=limit)
    assert isinstance(failed, QueryError)
    assert "limit should be a whole number" in failed.message
