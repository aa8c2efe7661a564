"""artifacts: dbt's JSON files, read without trusting them."""

from __future__ import annotations

import json
import os
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


@pytest.mark.parametrize("name", ["manifest", "catalog", "semantic_manifest", "run_results"])
@pytest.mark.parametrize(
    "content", [b"", b'{"nodes": {"a', b"[1, 2]", b"\xff\xfe\x00", b"[" * 9999]
)
def test_a_broken_file_names_itself_and_the_next_command(
    tmp_path: Path, name: str, content: bytes
) -> None:
    write(tmp_path)
    (tmp_path / f"{name}.json").write_bytes(content)
    with pytest.raises(ProjectError) as caught:
        artifacts.read(tmp_path)
    assert f"{name}.json" in caught.value.where
    assert caught.value.hint.startswith("dbt ")


def test_no_manifest_is_an_error_and_no_catalog_is_not(tmp_path: Path) -> None:
    with pytest.raises(ProjectError, match="no manifest"):
        artifacts.read(tmp_path)
    assert any(i.where == "catalog.json" for i in artifacts.read(write(tmp_path)).issues)


def test_what_is_no_file_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "manifest.json")
    with pytest.raises(ProjectError, match="no regular file"):
        artifacts.read(tmp_path)
    (tmp_path / "manifest.json").unlink()
    (tmp_path / "manifest.json").mkdir()
    with pytest.raises(ProjectError, match="no regular file"):
        artifacts.read(tmp_path)


def test_odd_shapes_read_as_empty(tmp_path: Path) -> None:
    nodes = {"a": None, "b": {"resource_type": "model", "config": None}, "c": "text"}
    found = artifacts.read(write(tmp_path, nodes=nodes, metrics=None))
    assert [node["resource_type"] for node in found.nodes("model")] == ["model"]
    assert found.node("metric.x") == {}


def test_disabled_nodes_are_left_out(tmp_path: Path) -> None:
    nodes = {"m": {"resource_type": "model", "config": {"enabled": False}}}
    assert not list(artifacts.read(write(tmp_path, nodes=nodes)).nodes("model"))
