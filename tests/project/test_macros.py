"""The dbt package's macros, run by the real dbt: they say what this package's own reading says."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from dbt_t2s import sql
from dbt_t2s.duck import QueryError, Rows, open_read_only, run
from dbt_t2s.project import values
from dbt_t2s.project.formats import common
from dbt_t2s.project.schema import Kind
from dbt_t2s.project.values import Wanted, look
from tests.conftest import ROOT
from tests.conftest import run as run_command


@pytest.fixture(scope="module")
def example(built_example: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The example project with this repository as a dbt package."""
    folder = tmp_path_factory.mktemp("macros") / "example"
    shutil.copytree(built_example, folder)
    (folder / "packages.yml").write_text(f"packages:\n  - local: {json.dumps(str(ROOT))}\n")
    done = run_command(["dbt", "deps", "--profiles-dir", "."], folder)
    assert done.returncode == 0, done.stdout
    return folder


def operation(folder: Path, macro: str, **arguments: object) -> tuple[int, str, list[Any]]:
    """The exit status, what was shown, and the answers behind the marker."""
    done = run_command(
        ["dbt", "--no-write-json", "run-operation", macro, "--args", json.dumps(arguments),
         "--profiles-dir", "."],
        folder,
    )  # fmt: skip
    marked = (line.partition("T2S_JSON ") for line in done.stdout.splitlines())
    return done.returncode, done.stdout, [json.loads(after) for _, mark, after in marked if mark]


def expected(table: dict[str, Any], relation: str, folder: Path) -> values.Profile:
    """What ``look`` says of the table, asked for the same."""
    wanted = [
        Wanted(each["name"], Kind(each["kind"]), each["look"] == "counts", each["look"] == "shapes")
        for each in table["columns"]
    ]
    with open_read_only(folder / "fernhill.duckdb") as connection:

        def execute(statement: str) -> Rows | QueryError:
            return run(connection, statement)

        profile, issues = look(relation, wanted, execute, table["table"], "duckdb")
    assert issues == ()
    return profile


def test_a_profile_by_macro_is_the_profile_by_look_on_every_table(example: Path) -> None:
    status, shown, tables = operation(example, "t2s_profile")
    assert status == 0, shown
    manifest = json.loads((example / "target" / "manifest.json").read_text())
    kinds = ("model", "seed", "snapshot")
    built = {
        name: sql.relation(node["relation_name"], "duckdb")
        for name, node in manifest["nodes"].items()
        if node["resource_type"] in kinds and node["config"]["materialized"] != "ephemeral"
    }
    assert {table["table"] for table in tables} == set(built)
    for table in tables:
        profile = expected(table, built[table["table"]], example)
        assert (table["rows"], table["seen"]) == (profile.rows, profile.seen)
        assert [each["name"] for each in table["columns"]] == [c.name for c in profile.columns]
        for given, seen in zip(table["columns"], profile.columns, strict=True):
            counts = (given["filled"], given["distinct"], given["minimum"], given["maximum"])
            assert counts == (seen.filled, seen.distinct, seen.minimum, seen.maximum), given
            assert tuple(value for value, _ in given["values"]) == seen.values, given
            assert common(dict(given["shapes"])) == seen.format, given


def test_of_personal_data_only_counts_come_out(example: Path) -> None:
    _, shown, (table,) = operation(
        example, "t2s_profile", tables="customers", personal={"customers": ["country"]}
    )
    columns = {each["name"]: each for each in table["columns"]}
    for name in ("full_name", "email", "country"):
        assert columns[name]["look"] == "counts"
        assert (columns[name]["values"], columns[name]["shapes"]) == ([], [])
    assert "@" not in shown
    assert "Germany" not in shown


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
    example: Path, arguments: dict[str, object], told: str
) -> None:
    status, shown, answers = operation(example, "t2s_profile", **arguments)
    assert status == 1
    assert told in shown
    assert answers == []


def test_a_hostile_column_stays_one_name(example: Path) -> None:
    name = 'x" from orders; drop table orders; --'
    columns = {"orders": [{"name": name, "kind": "text", "look": "values"}]}
    status, shown, answers = operation(example, "t2s_profile", tables="orders", columns=columns)
    assert (status, answers) == (1, [])
    assert 'x" from orders; drop' in shown or 'x"" from orders' in shown
    _, _, (table,) = operation(example, "t2s_profile", tables="orders")
    assert table["rows"] > 0
