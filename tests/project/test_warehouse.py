"""A project's data asked through its own connection: PostgreSQL says what DuckDB says."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from dbt_t2s import store
from dbt_t2s.duck import QueryError, Rows
from dbt_t2s.project import artifacts
from dbt_t2s.project.data import Data
from dbt_t2s.project.dbt import DbtProject, open_project
from dbt_t2s.project.operations import Operations
from dbt_t2s.project.schema import Issue, Kind, Level, ProjectSchema
from dbt_t2s.project.values import Wanted
from dbt_t2s.project.warehouse import Warehouse, is_unread, open_data
from tests.conftest import t2s
from tests.project import clinic as clinic_project
from tests.project.postgres import Server, needs_postgres


@pytest.fixture(scope="module")
def warehouse(clinic: DbtProject) -> Iterator[Warehouse]:
    with Operations(clinic) as operations:
        yield Warehouse(operations)


def distilled(root: Path, target: str) -> ProjectSchema:
    """What the command line makes of the project."""
    done = t2s("distill", "--target", target, cwd=root)
    assert done.returncode == 0, done.stdout + done.stderr
    return store.read_json(root / "target" / "t2s" / "schema.json", ProjectSchema)


def said(schema: ProjectSchema) -> dict[str, Any]:
    """What the data says, without what each warehouse calls its types."""

    def number(text: str | None, kind: Kind) -> object:
        return float(text) if text is not None and kind is Kind.NUMBER else text

    columns = {
        f"{table.name}.{each.name}": (
            each.kind, each.distinct, each.null_share, each.unique, each.personal, each.format,
            number(each.minimum, each.kind), number(each.maximum, each.kind),
            set(each.values), each.values_complete,
        )
        for table in schema.tables
        for each in table.columns
    }  # fmt: skip
    return {
        "columns": columns,
        "tables": {table.name: (table.rows, table.primary_key) for table in schema.tables},
        "joins": [(each.columns, each.cardinality, each.orphan_share) for each in schema.joins],
        "rules": [(each.name, each.predicate) for each in schema.rules],
    }


@needs_postgres
def test_distill_says_of_postgres_what_it_says_of_duckdb(
    clinic: DbtProject, clinic_copy: Path
) -> None:
    schema = distilled(clinic.root, "pg")
    assert schema.dialect == "postgres"
    assert schema.issues == ()
    assert said(schema) == said(distilled(clinic_copy, "duck"))
    columns = {each.name: each for table in schema.tables for each in table.columns}
    assert columns["tag"].format == "AA-999"
    assert set(columns["name"].values) == {"Ada", "Ben", "Cléo", "O'Neil"}
    assert columns["paid"].minimum == "-20.00"
    assert columns["seen_at"].maximum == "2024-03-09 17:00:00"
    assert columns["note"].null_share == pytest.approx(4 / 6, abs=1e-6)
    assert columns["owner_email"].distinct == 3
    assert schema.joins[0].orphan_share == 0.2
    assert "@example" not in (clinic.target_path / "t2s" / "schema.json").read_text()


@needs_postgres
def test_a_query_log_in_the_warehouse_is_mined(clinic: DbtProject) -> None:
    env = {"DBT_T2S_QUERY_LOG": '"Vet".raw_log:sql'}
    done = t2s("mine", "--target", "pg", cwd=clinic.root, env=env)
    assert done.returncode == 0, done.stderr
    assert "2 statements of the query log" in done.stderr
    done = t2s("mine", "--target", "pg", cwd=clinic.root, env={"DBT_T2S_QUERY_LOG": "nothing:sql"})
    assert done.returncode == 1
    assert 'relation "nothing" does not exist' in done.stderr


@needs_postgres
def test_a_warehouse_that_is_down_is_a_warning_and_is_asked_again(
    clinic: DbtProject, server: Server
) -> None:
    shutil.rmtree(clinic.target_path / "t2s", ignore_errors=True)
    server.stop()
    try:
        schema = distilled(clinic.root, "pg")
    finally:
        server.start()
    (issue,) = (each for each in schema.issues if each.where == "warehouse")
    assert issue.level is Level.WARNING
    assert "cannot be reached" in issue.message
    assert issue.hint.startswith("dbt debug")
    assert is_unread(schema.issues)
    assert [table.rows for table in schema.tables] == [None, None]
    assert [table.rows for table in distilled(clinic.root, "pg").tables] == [4, 6]


@needs_postgres
def test_what_goes_silent_is_given_up(clinic: DbtProject, server: Server) -> None:
    with open_data(clinic) as data:
        assert isinstance(data, Data)
        assert data.execute("select 1 as x") == Rows(("x",), ("",), ((1,),))
        server.stop()
        try:
            told = [data.execute("select 1 as x") for _ in range(4)]
        finally:
            server.start()
        assert all(isinstance(each, QueryError) for each in told)
        last = data.execute("select 1 as x")
        assert isinstance(last, QueryError)
        assert last.message.startswith("the warehouse no longer answers")


@needs_postgres
def test_nothing_is_written(warehouse: Warehouse) -> None:
    """What the macro's words let through, the transaction stops."""
    found = warehouse.execute("select nextval('public.made') as made")
    assert isinstance(found, QueryError)
    assert "read-only transaction" in found.message


@needs_postgres
def test_the_warehouse_ends_a_long_query_itself(clinic: DbtProject) -> None:
    with Operations(clinic) as operations:
        found = Warehouse(operations, query_s=1).execute(
            "select count(*) as n from generate_series(1, 10000000000) as a"
        )
    assert isinstance(found, QueryError)
    assert "statement timeout" in found.message


@needs_postgres
def test_odd_values_come_through(warehouse: Warehouse) -> None:
    found = warehouse.execute(
        "select '-Infinity'::float8 as a, 'NaN'::numeric as b, 1e300::float8 as c,"
        " 12345678901234567890123::numeric as d, '{\"k\": 1}'::jsonb as e, array[1, 2] as f,"
        " interval '1 day' as g, '2024-01-01 10:00:00+02'::timestamptz at time zone 'UTC' as h"
    )
    assert isinstance(found, Rows), found
    row = dict(zip(found.columns, found.rows[0], strict=True))
    assert (row["a"], row["b"], row["c"]) == ("-Infinity", "NaN", 1e300)
    assert row["d"] == 12345678901234567890123
    assert (row["e"], row["f"], row["g"]) == ('{"k": 1}', "[1, 2]", "1 day, 0:00:00")
    assert row["h"] == "2024-01-01 08:00:00"


@needs_postgres
def test_columns_are_asked_for_where_the_catalog_has_none(
    warehouse: Warehouse, clinic: DbtProject
) -> None:
    node = artifacts.read(clinic.target_path).node("model.clinic.visits")
    found = warehouse.columns(node, ())
    assert not isinstance(found, QueryError)
    assert [each.name for each in found][:4] == ["visit_id", "pet_id", "seen_at", "Seen On"]
    assert {each.origin for each in found} == {"warehouse"}
    assert found[4].type == "numeric(10,2)"
    assert warehouse.columns(node, found[:1]) == found[:1]


@needs_postgres
def test_a_sample_is_told(warehouse: Warehouse) -> None:
    wanted = (Wanted("visit_id", Kind.NUMBER, key=True), Wanted("note", Kind.TEXT))
    profile, (issue,) = warehouse.look("model.clinic.visits", "", wanted, 3)
    assert (profile.rows, profile.seen) == (6, 3)
    assert "6 rows" in issue.message
    profile, issues = warehouse.look("model.clinic.visits", "", wanted, 6)
    assert (profile.seen, issues) == (6, ())


@needs_postgres
@pytest.mark.parametrize("name", ['x" from pets; drop table pets; --', "pets'", "{{ 1 }}", "💥"])
def test_a_hostile_column_is_an_issue(warehouse: Warehouse, name: str) -> None:
    profile, (issue,) = warehouse.look("model.clinic.pets", "", [Wanted(name, Kind.TEXT)], 10)
    assert profile.rows is None
    assert issue.level is Level.WARNING
    assert "does not exist" in issue.message


def test_without_the_macros_the_lines_to_add_are_told(built_shop: Path) -> None:
    with open_data(open_project(built_shop)) as missing:
        assert isinstance(missing, Issue)
    assert (missing.level, missing.where) == (Level.WARNING, "packages.yml")
    assert missing.hint.startswith("dbt deps && ")
    lines = missing.message.partition("packages.yml:\n")[2]
    # The clinic has these lines, and in it dbt finds the macros.
    assert yaml.safe_load(lines) == yaml.safe_load(clinic_project.FILES["packages.yml"])


def test_macros_of_another_time_are_told(clinic_copy: Path) -> None:
    path = clinic_copy / "target" / "manifest.json"
    manifest = json.loads(path.read_text())
    del manifest["macros"]["macro.dbt_t2s.t2s_profile"]
    path.write_text(json.dumps(manifest))
    with open_data(open_project(clinic_copy)) as missing:
        assert isinstance(missing, Issue)
    assert "older than dbt-t2s" in missing.message
    assert missing.hint == "dbt deps --upgrade"


def test_a_project_whose_packages_are_not_installed_is_a_warning(clinic_copy: Path) -> None:
    (clinic_copy / "dbt_packages" / "dbt_t2s").unlink()
    with open_data(open_project(clinic_copy)) as missing:
        assert isinstance(missing, Issue)
    assert (missing.level, missing.where) == (Level.WARNING, "warehouse")
    assert "dbt could not read the project" in missing.message
    assert missing.hint == "dbt deps"


def test_a_table_that_is_not_built_is_told(clinic_copy: Path) -> None:
    """On DuckDB, which answers by the same macros."""
    project = open_project(clinic_copy)
    (clinic_copy / "clinic.duckdb").unlink()
    with open_data(project) as data:
        assert isinstance(data, Data)
        profile, (issue,) = data.look("model.clinic.pets", "", [Wanted("pet_id", Kind.NUMBER)], 9)
        node = artifacts.read(project.target_path).node("model.clinic.pets")
        assert data.columns(node, ()) == ()
    assert profile.rows is None
    assert "is not in the warehouse" in issue.message
    assert issue.hint == "dbt build --select pets"
