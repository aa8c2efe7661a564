"""artifacts: dbt's JSON files, read without trusting them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from dbt_t2s.errors import ProjectError
from dbt_t2s.project import artifacts
from dbt_t2s.project.schema import Level


def write(folder: Path, version: str = "v12", **parts: object) -> Path:
    schema = f"https://schemas.getdbt.com/dbt/manifest/{version}.json"
    manifest = {"metadata": {"dbt_schema_version": schema}, "nodes": {}, **parts}
    (folder / "manifest.json").write_text(json.dumps(manifest))
    return folder


@pytest.mark.parametrize("version", ["v10", "v11", "v12", "v20"])
def test_known_versions_are_read_without_a_word(tmp_path: Path, version: str) -> None:
    found = artifacts.read(write(tmp_path, version))
    assert found.manifest_version == version
    assert not [issue for issue in found.issues if issue.level is Level.WARNING]


def test_an_unknown_version_is_read_with_a_warning(tmp_path: Path) -> None:
    found = artifacts.read(write(tmp_path, "v99"))
    assert "v99" in next(i.message for i in found.issues if i.level is Level.WARNING)


def test_no_manifest_is_an_error_and_no_catalog_is_not(tmp_path: Path) -> None:
    with pytest.raises(ProjectError, match="no manifest"):
        artifacts.read(tmp_path)
    assert any(i.where == "catalog.json" for i in artifacts.read(write(tmp_path)).issues)
    (tmp_path / "manifest.json").write_text("{}")
    with pytest.raises(ProjectError, match="an empty object"):
        artifacts.read(tmp_path)


def test_a_catalog_of_another_project_is_said_to_be(tmp_path: Path) -> None:
    write(tmp_path, nodes={"model.kennel.a": {}})
    catalog: dict[str, object] = {"nodes": {"model.cattery.a": {}}, "sources": {}}
    (tmp_path / "catalog.json").write_text(json.dumps(catalog))
    (issue,) = artifacts.read(tmp_path).issues
    assert (issue.where, issue.hint) == ("catalog.json", "dbt docs generate")
    assert "another project" in issue.message
    (tmp_path / "catalog.json").write_text(json.dumps(catalog).replace("cattery", "kennel"))
    assert artifacts.read(tmp_path).issues == ()


def test_odd_shapes_read_as_empty(tmp_path: Path) -> None:
    nodes = {"a": None, "b": {"resource_type": "model", "config": None}, "c": "text"}
    found = artifacts.read(write(tmp_path, nodes=nodes, metrics=None))
    assert [node["resource_type"] for node in found.nodes("model")] == ["model"]
    assert found.node("metric.x") == {}


def test_disabled_nodes_are_left_out(tmp_path: Path) -> None:
    nodes = {"m": {"resource_type": "model", "config": {"enabled": False}}}
    assert not list(artifacts.read(write(tmp_path, nodes=nodes)).nodes("model"))
