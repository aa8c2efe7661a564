"""Manifests of every known version give one schema.

v10, v11 and v12 are what dbt 1.6, 1.7 and 1.11 wrote of ``tests/tools/shelter.py``. v20 was
written by Fusion's previews alone (Fusion has since written v12); it is made of v12 here by what
their public source and bug reports say of it.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from dbt_t2s.project import artifacts
from dbt_t2s.project.dbt import DbtProject
from dbt_t2s.project.distill import distill
from dbt_t2s.project.metrics import MetricFlow
from dbt_t2s.project.schema import Exposure, Level, ProjectSchema
from tests.tools.shelter import DATA

FILES = ("manifest", "catalog", "semantic_manifest")


def project(target: Path) -> DbtProject:
    root = target.parent
    return DbtProject("shelter", root, target, root, "shelter", "dev", "duckdb", "duckdb")


def as_fusion(manifest: dict[str, Any]) -> dict[str, Any]:
    """A v12 manifest as Fusion's previews wrote it, under v20.

    Keys without a value are left out, but for an empty meta, which is null. The code as written is
    a placeholder; of seeds and tests there is no compiled code, and nodes have keys of their own.
    """
    found: dict[str, Any] = filled(manifest)
    version = "https://schemas.getdbt.com/dbt/manifest/v20.json"
    found["metadata"] |= {"dbt_schema_version": version, "dbt_version": "2.0.0-preview.76"}
    del found["metadata"]["quoting"]
    for node in found["nodes"].values():
        node["raw_code"] = "--placeholder--"
        node["config"] = {"meta": None, "static_analysis": "on", **node["config"]}
        for key in ("created_at", "doc_blocks", "build_path", "compiled_path", "extra_ctes"):
            node.pop(key, None)
        if node["resource_type"] in ("seed", "test"):
            node.pop("compiled_code", None)
            node["generated_sql_file"] = f"generic_tests/{node['name']}.sql"
        for column in node.get("columns", {}).values():
            column["meta"] = column.get("meta") or None
            column["config"] = {"meta": None, **column.get("config", {})}
    return found


def filled(value: Any) -> Any:
    """The value without keys that hold nothing."""
    if isinstance(value, list):
        return [filled(each) for each in value]
    if not isinstance(value, dict):
        return value
    empty: tuple[Any, ...] = (None, {}, [])
    kept = {k: filled(v) for k, v in value.items() if k != "meta" or v}
    return {k: v for k, v in kept.items() if v not in empty}


def without_arguments(manifest: dict[str, Any]) -> dict[str, Any]:
    """As Fusion's previews wrote tests for a while: their column and their model alone."""
    found = as_fusion(manifest)
    for node in found["nodes"].values():
        if "test_metadata" in node:
            kwargs = node["test_metadata"]["kwargs"]
            kept = {key: kwargs[key] for key in ("column_name", "model") if key in kwargs}
            node["test_metadata"]["kwargs"] = kept
    return found


def distilled(
    version: str, folder: Path, change: Callable[[dict[str, Any]], dict[str, Any]] | None = None
) -> ProjectSchema:
    target = folder / "target"
    target.mkdir()
    for name in FILES:
        content = json.loads((DATA / version / f"{name}.json").read_text())
        if change is not None and name == "manifest":
            content = change(content)
        (target / f"{name}.json").write_text(json.dumps(content))
    return distill(project(target))


@pytest.fixture(scope="module")
def schema(tmp_path_factory: pytest.TempPathFactory) -> ProjectSchema:
    return distilled("v12", tmp_path_factory.mktemp("v12"))


def test_what_there_is_to_agree_on(schema: ProjectSchema) -> None:
    assert [table.name for table in schema.tables] == ["dogs", "walks"]
    walks = schema.table("walks")
    assert (walks.primary_key, walks.synonyms) == (("walk_id",), ("outings",))
    assert walks.column("status").values == ("done", "missed")
    assert walks.column("minutes").synonyms == ("length",)
    assert (walks.group, walks.owner) == ("walking", "Walkers (walk@example.org)")
    assert schema.table("dogs").group == ""
    assert schema.table("dogs").column("dog_name").personal
    assert [(join.columns, join.to_table, join.proven) for join in schema.joins] == [
        (("dog_id",), "dogs", True)
    ]
    metrics = {metric.name: metric for metric in schema.metrics}
    assert metrics["walks"].label == "Walks"
    assert metrics["walks"].synonyms == ("strolls",)
    assert [each.predicate for each in metrics["walks"].filters] == ["walks.status = 'done'"]
    assert metrics["minutes_per_walk"].expression
    assert ("dogs", "breed") in metrics["walks"].dimensions
    assert "real_walk" in {rule.name for rule in schema.rules}
    assert "analysis.shelter.by_breed" in {name for name, _, _ in schema.statements}
    assert schema.exposures == (
        Exposure(
            "walk_board",
            "dashboard",
            "exposure.shelter.walk_board",
            description="How much the dogs walk.",
            owner="Ada",
            contact="ada@example.org",
            tables=("walks",),
        ),
    )
    assert not [issue for issue in schema.issues if issue.level is not Level.INFO]


@pytest.mark.parametrize("version", ["v10", "v11", "v20"])
def test_every_version_gives_the_same_schema(
    schema: ProjectSchema, tmp_path: Path, version: str
) -> None:
    if version == "v20":
        found = distilled("v12", tmp_path, as_fusion)
    else:
        found = distilled(version, tmp_path)
    assert found.manifest_version == version
    versions = {"manifest_version": version, "dbt_version": found.dbt_version}
    assert found == replace(schema, **versions)  # type: ignore[arg-type]


@pytest.mark.parametrize("version", ["v10", "v11", "v12"])
def test_metricflow_reads_every_version(version: str) -> None:
    manifest = artifacts.read(DATA / version).semantic_manifest
    written = MetricFlow(manifest, "duckdb").sql(["walks"], ["dog__breed"])
    assert "walk__status = 'done'" in written


def test_tests_without_their_arguments_are_said_to_be(tmp_path: Path) -> None:
    found = distilled("v12", tmp_path, without_arguments)
    assert found.table("walks").primary_key == ("walk_id",)
    (issue,) = [each for each in found.issues if "arguments of 2 tests" in each.message]
    assert (issue.level, issue.where) == (Level.WARNING, "manifest.json")
    assert issue.hint.startswith("dbt ")
