"""What real projects do to a tool that reads them, each quirk in a small form of our own."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from dbt_t2s.project import artifacts
from dbt_t2s.project.dbt import DbtProject
from dbt_t2s.project.distill import distill
from dbt_t2s.project.evidence import Evidence, Fact
from dbt_t2s.project.metrics import MetricFlow, MetricFlowError
from dbt_t2s.project.schema import Level


def model(name: str, **parts: Any) -> dict[str, Any]:
    return {
        "unique_id": f"model.mill.{name}",
        "resource_type": "model",
        "name": name,
        "schema": "main",
        "relation_name": f'"mill"."main"."{name}"',
        "fqn": ["mill", "marts", name],
        "config": {"materialized": "table"},
        **parts,
    }


def semantic_model(name: str, *entities: dict[str, str]) -> dict[str, Any]:
    return {
        "name": name,
        "node_relation": {"relation_name": f'"mill"."main"."{name}"'},
        "entities": list(entities),
        "measures": [{"name": f"count_of_{name}", "agg": "count", "expr": "1"}],
    }


def project(folder: Path, *nodes: dict[str, Any], version: str = "v12") -> DbtProject:
    """A project of which only a manifest with these nodes is there."""
    schema = f"https://schemas.getdbt.com/dbt/manifest/{version}.json"
    manifest = {
        "metadata": {"dbt_schema_version": schema},
        "nodes": {node["unique_id"]: node for node in nodes},
    }
    (folder / "manifest.json").write_text(json.dumps(manifest))
    return DbtProject("mill", folder, folder, folder, "mill", "dev", "duckdb", "duckdb")


def test_the_sql_of_manifests_before_v7_is_read_under_its_old_key(tmp_path: Path) -> None:
    old = model("flour", compiled_sql="select 1 as sacks", raw_sql="select 1 as sacks")
    schema = distill(project(tmp_path, old, version="v4"))
    assert [column.name for column in schema.table("flour").columns] == ["sacks"]
    assert schema.statements == (("model.mill.flour", "model", "select 1 as sacks"),)
    assert any("v4" in issue.message for issue in schema.issues)


def test_models_that_were_only_parsed_are_counted(tmp_path: Path) -> None:
    parsed = [model("flour", columns={"sacks": {"name": "sacks"}}), model("bread")]
    baked = model("oven", compiled_code="select 1 as heat")
    python = model("yeast", language="python")
    found = artifacts.read(project(tmp_path, *parsed, baked, python).target_path)
    (issue,) = [each for each in found.issues if each.hint == "dbt compile"]
    assert issue.level is Level.WARNING
    assert issue.message.startswith("2 of 3 models are not compiled")


def test_compiled_projects_are_not_told_to_compile(tmp_path: Path) -> None:
    found = artifacts.read(project(tmp_path, model("oven", compiled_code="select 1")).target_path)
    assert not [each for each in found.issues if each.hint == "dbt compile"]


@pytest.mark.parametrize("type_params", [{"expr": {}}, [], {"measure": 3}, {"metrics": [None]}])
def test_a_semantic_manifest_of_wrong_types_is_one_clear_error(type_params: Any) -> None:
    metric = {"name": {}, "type": {"a": 1}, "type_params": type_params}
    manifest = {"semantic_models": [], "metrics": [metric], "project_configuration": {}}
    with pytest.raises(MetricFlowError):
        MetricFlow(manifest, "duckdb")


def test_facts_are_found_by_subject_kind_and_column() -> None:
    facts = (
        Fact("unique", "model.mill.flour", ("Sack_ID",), "test.a"),
        Fact("unique", "model.mill.flour", ("mill", "day"), "test.b"),
        Fact("not_null", "model.mill.flour", ("sack_id",), "test.c"),
        Fact("unique", "model.mill.bread", ("sack_id",), "test.d"),
    )
    evidence = Evidence(facts)
    assert evidence.of("model.mill.flour", "unique") == facts[:2]
    assert evidence.about("model.mill.flour", "unique", "sack_id") == facts[:1]
    assert evidence.of("model.mill.none", "unique") == ()


def test_a_semantic_model_over_a_table_without_columns_joins_nothing(tmp_path: Path) -> None:
    """Parsed only and undeclared: the table is left out, what its semantic model says goes on."""
    orders = model("orders", columns={"order_id": {"name": "order_id"}, "mill": {"name": "mill"}})
    of_orders = semantic_model(
        "orders", {"name": "order", "type": "primary", "expr": "order_id"},
        {"name": "mill", "type": "foreign"},
    )  # fmt: skip
    of_mills = semantic_model("mills", {"name": "mill", "type": "primary"})
    metric = {
        "name": "mills",
        "type": "simple",
        "type_params": {"measure": {"name": "count_of_mills"}},
    }
    given = project(tmp_path, orders, model("mills"))
    content = {"semantic_models": [of_orders, of_mills], "metrics": [metric]}
    (tmp_path / "semantic_manifest.json").write_text(json.dumps(content))
    schema = distill(given)
    assert [table.name for table in schema.tables] == ["orders"]
    assert schema.joins == ()
    assert any(i.where == "model.mill.mills" and "left out" in i.message for i in schema.issues)
    assert any(i.where == "metric mills" and "not queryable" in i.message for i in schema.issues)
