"""dbt unit tests as a suite of the validation: dbt's verdicts, told model by model."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

from dbt_t2s.judge.unit_suite import UnitSuite, UnitVerdict, lines, run_unit_suite, to_json
from dbt_t2s.project.dbt import open_project
from dbt_t2s.project.schema import Level
from tests.conftest import copy_project, dbt, run

STATUSES = {"pass": "passed", "fail": "failed", "error": "not run"}


def dbts_verdicts(root: Path) -> dict[str, str]:
    """What the last run of dbt said."""
    results = json.loads((root / "target" / "run_results.json").read_text())["results"]
    return {
        each["unique_id"]: STATUSES[each["status"]]
        for each in results
        if each["unique_id"].startswith("unit_test.")
    }


def verdicts(suite: UnitSuite) -> dict[str, str]:
    return {each.unique_id: each.status for each in suite.verdicts}


def test_the_example_s_unit_tests_pass_as_dbt_says(built_example: Path) -> None:
    suite = run_unit_suite(open_project(built_example))
    assert len(suite.verdicts) == suite.count("passed") == 13
    assert verdicts(suite) == dbts_verdicts(built_example)
    assert suite.issues == ()
    assert lines(suite) == ("unit tests: 13 of 13 pass in DuckDB",)
    found: dict[str, Any] = json.loads(json.dumps(to_json(suite)))
    assert (found["n"], found["passed"], found["failed"], found["not_run"]) == (13, 13, 0, 0)
    assert sum(each["passed"] for each in found["by_model"].values()) == 13


def test_broken_models_fail_here_where_they_fail_in_dbt(
    built_example: Path, tmp_path: Path
) -> None:
    root = copy_project(built_example, tmp_path / "example")
    for name, old, new in (
        ("staging/stg_orders.sql", "loaded_at desc", "loaded_at asc"),
        ("marts/stores.sql", "select", "select no_such_column,"),
    ):
        path = root / "models" / name
        before = path.read_text()
        assert old in before
        path.write_text(before.replace(old, new))
    run(["dbt", "--quiet", "test", "--select", "test_type:unit", "--profiles-dir", "."], root)
    said = dbts_verdicts(root)
    assert sorted(said.values()) == ["failed", "not run", *["passed"] * 11]
    dbt("docs", "generate", cwd=root)
    suite = run_unit_suite(open_project(root))
    assert verdicts(suite) == said
    broken = [each for each in suite.verdicts if each.status != "passed"]
    assert [each.model for each in broken] == ["model.fernhill.stg_orders", "model.fernhill.stores"]
    for issue, verdict in zip(suite.issues, broken, strict=True):
        assert (issue.level, issue.where) == (Level.WARNING, verdict.unique_id)
        assert verdict.reason in issue.message
        assert issue.hint == f"dbt test --select {verdict.name}"


def test_what_cannot_be_read_or_compiled_is_a_verdict_with_its_reason(
    built_example: Path, tmp_path: Path
) -> None:
    root = tmp_path / "example"
    kept_out = shutil.ignore_patterns("*.duckdb", "t2s")
    copy_project(built_example, root, kept_out)
    path = root / "target" / "manifest.json"
    manifest = json.loads(path.read_text())
    unread, uncompiled = sorted(manifest["unit_tests"])[:2]
    manifest["unit_tests"][unread]["given"][0]["input"] = "ref('gone')"
    manifest["unit_tests"][uncompiled]["overrides"] = {"env_vars": {"DAY": "1"}}
    manifest["unit_tests"][uncompiled]["created_at"] = 1e12
    path.write_text(json.dumps(manifest))
    suite = run_unit_suite(open_project(root))
    reasons = {each.unique_id: each.reason for each in suite.verdicts if each.status == "not run"}
    assert set(reasons) == {unread, uncompiled}
    assert "ref('gone')" in reasons[unread]
    assert "environment variables" in reasons[uncompiled]
    assert len(suite.verdicts) == 13
    first, *others = lines(suite)
    assert first == "unit tests: 11 of 13 pass in DuckDB; 2 not run"
    assert len(others) == len(suite.issues) == 2


def test_a_project_without_unit_tests_has_no_lines(built_shop: Path) -> None:
    suite = run_unit_suite(open_project(built_shop))
    assert suite == UnitSuite()
    assert lines(suite) == ()
    assert to_json(suite)["n"] == 0


def test_verdicts_are_told_model_by_model() -> None:
    suite = UnitSuite(
        (
            UnitVerdict("unit_test.shop.a.x", "x", "model.shop.a", "passed"),
            UnitVerdict("unit_test.shop.a.y", "y", "model.shop.a", "failed", "2 rows instead of 1"),
            UnitVerdict("unit_test.shop.b.z", "z", "model.shop.b", "not run", "no SQL"),
        )
    )
    assert lines(suite) == (
        "unit tests: 1 of 3 pass in DuckDB; 1 failed, 1 not run",
        "  failed: a.y: 2 rows instead of 1",
        "  not run: b.z: no SQL",
    )
    assert to_json(suite)["by_model"] == {
        "model.shop.a": {"passed": 1, "failed": 1},
        "model.shop.b": {"not run": 1},
    }
