"""dbt unit tests give in DuckDB the verdict that dbt itself gives."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from dbt_t2s.judge import unit_runs, unit_sql, unit_tests
from dbt_t2s.judge.duck_types import duck_type, type_of
from dbt_t2s.judge.unit_runs import UnitResult
from dbt_t2s.project import artifacts as artifact_files
from dbt_t2s.project.artifacts import Artifacts
from dbt_t2s.project.dbt import open_project
from dbt_t2s.project.found import Found
from dbt_t2s.project.lineage import Lineage
from dbt_t2s.project.overlay import Overrides, compile_models

MODEL = "model.shop.orders"


def manifest(code: str, *tests: Mapping[str, Any], **model: Any) -> Artifacts:
    """A model ``orders`` over ``stg`` and an ephemeral model, with its unit tests."""
    place = {"database": "shop", "schema": "main"}
    nodes = {
        MODEL: {
            **place, "name": "orders", "alias": "orders", "resource_type": "model",
            "unique_id": MODEL, "relation_name": "shop.main.orders", "compiled_code": code,
            "depends_on": {"nodes": ["model.shop.stg", "model.shop.eph"]}, **model,
        },
        "model.shop.stg": {
            **place, "name": "stg", "alias": "stg", "resource_type": "model",
            "unique_id": "model.shop.stg", "relation_name": "shop.main.stg",
        },
        "model.shop.eph": {
            "name": "eph", "alias": "eph", "resource_type": "model",
            "unique_id": "model.shop.eph", "config": {"materialized": "ephemeral"},
        },
    }  # fmt: skip
    units = {
        f"unit_test.shop.orders.t{n}": {
            "name": f"t{n}", "model": "orders", "depends_on": {"nodes": [MODEL]}, **each,
        }
        for n, each in enumerate(tests)
    }  # fmt: skip
    return Artifacts({"nodes": nodes, "unit_tests": units})


COLUMNS = {
    "model.shop.stg": (
        Found("id", "INTEGER", "catalog"),
        Found("note", "VARCHAR", "catalog"),
        Found("paid", "DECIMAL(9,2)", "catalog"),
    )
}


def verdict(artifacts: Artifacts, dialect: str = "duckdb") -> UnitResult:
    tests, issues = unit_tests.read(artifacts)
    assert issues == ()
    code, problems = unit_sql.code_of_tests(tests, artifacts, None)
    assert problems == ()
    (result,) = unit_runs.run_unit_tests(
        tests,
        artifacts,
        dialect,
        lambda unique_id: COLUMNS.get(unique_id, ()),
        lambda test: code.get(test.unique_id, ""),
    )
    return result


STG = "ref('stg')"
SUMS = "select id, sum(paid) as paid from shop.main.stg group by id"
ROWS = [{"id": 1, "paid": 2.5}, {"id": 1, "paid": 2.5}]


@pytest.mark.parametrize(
    ("code", "given", "expect", "status", "says"),
    [
        (SUMS, {"rows": ROWS}, {"rows": [{"id": 1, "paid": 5}]}, "pass", ""),
        (SUMS, {"rows": ROWS}, {"rows": [{"paid": "5.00"}]}, "pass", ""),
        (SUMS, {"rows": ROWS}, {"rows": [{"id": 1, "paid": 6}]}, "fail", ""),
        (SUMS, {"rows": []}, {"rows": []}, "pass", ""),
        (SUMS, {"rows": ROWS}, {"rows": []}, "fail", "1 rows instead of 0"),
        # Columns are told apart by name: these hold each other's values.
        (
            "select id as a, id + 1 as b from shop.main.stg",
            {"rows": [{"id": 1}]},
            {"rows": [{"a": 2, "b": 1}]},
            "fail",
            "",
        ),
        # Rows count as often as they stand there.
        ("select id from shop.main.stg", {"rows": ROWS}, {"rows": [{"id": 1}]}, "fail", "2 rows"),
        (
            SUMS,
            {"rows": [{"id": "1", "paid": "4"}], "format": "csv"},
            {"rows": [{"id": "1", "paid": "4"}], "format": "csv"},
            "pass",
            "",
        ),
        (
            SUMS,
            {"rows": "id,paid\n1,4\n1,\n", "format": "csv"},
            {"rows": "select 1 as id, 4 as paid", "format": "sql"},
            "pass",
            "",
        ),
        # A quote in a value, a NULL, and columns that no row names.
        (
            "select note, paid from shop.main.stg",
            {"rows": [{"note": "it's"}, {"note": None}]},
            {"rows": [{"note": "it's", "paid": None}, {"note": None, "paid": None}]},
            "pass",
            "",
        ),
        (SUMS, {"rows": [{"nothing": 1}]}, {"rows": []}, "error", "no column nothing"),
        (SUMS, {"rows": []}, {"rows": [{"nothing": 1}]}, "error", "no column nothing"),
        ("select * from shop.main.other", {"rows": []}, {"rows": []}, "error", "not given"),
        ("select no_such(id) from shop.main.stg", {"rows": []}, {"rows": []}, "error", "DuckDB"),
        ("select from where", {"rows": []}, {"rows": []}, "error", "cannot be read"),
        ("", {"rows": []}, {"rows": []}, "error", "not compiled"),
    ],
)
def test_verdicts(
    code: str, given: dict[str, Any], expect: dict[str, Any], status: str, says: str
) -> None:
    test = {"given": [{"input": STG, **given}], "expect": expect}
    result = verdict(manifest(code, test))
    assert result.status == status, result.reason
    assert says in result.reason


def test_another_warehouse_s_sql_is_transpiled() -> None:
    code = "select id, iff(paid > 2, 'much', 'little') as much from shop.main.stg"
    test = {"given": [{"input": STG, "rows": ROWS[:1]}], "expect": {"rows": [{"much": "much"}]}}
    assert verdict(manifest(code, test), "snowflake").status == "pass"


def test_given_rows_stand_for_an_ephemeral_model_and_what_it_reads() -> None:
    code = (
        "with __dbt__cte__deep as (select * from shop.main.raw),"
        " __dbt__cte__eph as (select * from __dbt__cte__deep), mine as (select 1 as one)"
        " select e.id + one as id from __dbt__cte__eph as e cross join mine"
    )
    given = [{"input": "ref('eph')", "format": "sql", "rows": "select 1 as id"}]
    result = verdict(manifest(code, {"given": given, "expect": {"rows": [{"id": 2}]}}))
    assert result.status == "pass", result.reason


def test_an_unknown_input_is_reported() -> None:
    test = {"given": [{"input": "ref('gone')", "rows": []}], "expect": {"rows": []}}
    tests, issues = unit_tests.read(manifest(SUMS, test))
    assert tests == ()
    assert "ref('gone')" in issues[0].message


def test_sql_is_not_taken_from_a_run_before_the_model_changed() -> None:
    test = {
        "given": [{"input": STG, "rows": []}],
        "expect": {"rows": []},
        "overrides": {"vars": {"day": "2024-01-01"}},
        "created_at": 1_000.0,
    }
    read = manifest(SUMS, test, created_at=1_000.0)
    for written, found in (("1970-01-01T00:20:00Z", "select 1"), ("1970-01-01T00:10:00Z", "")):
        results = [{"unique_id": "unit_test.shop.orders.t0", "compiled_code": "select 1"}]
        run = {"metadata": {"generated_at": written}, "results": results}
        changed = Artifacts(read.manifest, run_results=run)
        tests, _ = unit_tests.read(changed)
        code, _ = unit_sql.code_of_tests(tests, changed, None)
        assert code.get("unit_test.shop.orders.t0", "") == found


@pytest.mark.parametrize(
    ("values", "is_text", "kind"),
    [
        ([1, None], False, "BIGINT"),
        ([1, 2.5], False, "DOUBLE"),
        ([True, None], False, "BOOLEAN"),
        (["1", "2"], False, "VARCHAR"),
        (["1", "2"], True, "BIGINT"),
        (["007"], True, "DOUBLE"),
        (["2024-01-01"], False, "DATE"),
        (["2016-09-01T00:00:00", "2079-10-27T23:59:59.9999"], False, "TIMESTAMP"),
        ([None], False, "VARCHAR"),
        ([1, "a"], False, "VARCHAR"),
    ],
)
def test_types_of_values(values: list[object], is_text: bool, kind: str) -> None:
    assert type_of(values, is_text) == kind


@pytest.mark.parametrize(
    ("name", "dialect", "kind"),
    [
        ("NUMBER(38,2)", "snowflake", "DECIMAL(38, 2)"),
        ("TIMESTAMP_NTZ", "snowflake", "TIMESTAMP"),
        ("INT64", "bigquery", "BIGINT"),
        ("INTEGER[]", "duckdb", "INTEGER[]"),
        ("no such type", "duckdb", "VARCHAR"),
        ("", "duckdb", "VARCHAR"),
    ],
)
def test_types_of_warehouses(name: str, dialect: str, kind: str) -> None:
    assert duck_type(name, dialect) == kind


def test_the_example_s_unit_tests_give_dbt_s_verdicts(built_example: Path) -> None:
    read = artifact_files.read(built_example / "target")
    said = {
        each["unique_id"]: each["status"]
        for each in read.run_results["results"]
        if each["unique_id"].startswith("unit_test.")
    }
    tests, issues = unit_tests.read(read)
    assert len(tests) == len(said) == 13
    assert issues == ()
    code, problems = unit_sql.code_of_tests(tests, read, None)
    assert problems == ()
    lineage = Lineage(read, "duckdb", built_example)
    results = unit_runs.run_unit_tests(
        tests, read, "duckdb", lineage.columns, lambda test: code.get(test.unique_id, "")
    )
    found = {each.test.unique_id: (each.status, each.reason) for each in results}
    assert found == {unique_id: (status, "") for unique_id, status in said.items()}


def test_vars_and_macros_are_overridden_without_touching_the_project(shop: Path) -> None:
    (shop / "models/days.sql").write_text(
        "select '{{ var('day', 'today') }}' as day, {{ is_incremental() }} as more\n"
    )
    before = sorted(path.name for path in shop.rglob("*"))
    project = open_project(shop, profiles_dir=shop)
    compiled = partial(compile_models, project, ["model.shop.days"])
    plain = compiled(Overrides(macros=(("is_incremental", "false"),)))
    other = compiled(Overrides((("day", json.dumps("2024-02-29")),), (("is_incremental", "true"),)))
    assert "'today' as day, False as more" in plain["model.shop.days"]
    assert "'2024-02-29' as day, True as more" in other["model.shop.days"]
    assert sorted(path.name for path in shop.rglob("*")) == before
