"""dbt: the project, its profile, and dbt itself run where artifacts are missing."""

from __future__ import annotations

import json
import os
import shutil
import time
from pathlib import Path

import pytest

from dbt_t2s.errors import ProjectError, UsageError
from dbt_t2s.project import dbt
from dbt_t2s.project.dbt import open_project, select_nodes
from tests.project import tiny


@pytest.fixture(autouse=True)
def _no_settings_of_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in os.environ:
        if name.startswith(("DBT_", "KENNEL_")):
            monkeypatch.delenv(name)


def test_outside_a_project(tmp_path: Path) -> None:
    with pytest.raises(ProjectError, match="not inside a dbt project"):
        dbt.open_project(tmp_path)


def test_what_a_project_is(tmp_path: Path) -> None:
    project = dbt.open_project(tiny.write(tmp_path), variables={"as_of": "2020-01-01"})
    assert (project.name, project.profile, project.target) == ("kennel", "kennel", "dev")
    assert (project.adapter, project.dialect) == ("duckdb", "duckdb")
    assert project.target_path == tmp_path / "target"
    assert project.database == tmp_path / "kennel.duckdb"
    assert project.vars() == {"as_of": "2020-01-01"}
    hash(project)


def test_the_nearest_project_upwards(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tiny.write(tmp_path)
    monkeypatch.chdir(tmp_path / "models")
    assert dbt.open_project().root == tmp_path


def test_flags_go_before_the_environment_before_the_project(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tiny.write(tmp_path / "p")
    other = tmp_path / "other"
    other.mkdir()
    output = {"type": "snowflake", "account": "x"}
    profiles = {"kennel": {"target": "x", "outputs": {"x": output, "y": output}}}
    (other / "profiles.yml").write_text(json.dumps(profiles))
    monkeypatch.setenv("DBT_PROFILES_DIR", str(other))
    monkeypatch.setenv("DBT_TARGET", "y")
    monkeypatch.setenv("DBT_TARGET_PATH", "elsewhere")
    project = dbt.open_project(tmp_path / "p")
    assert (project.target, project.dialect, project.database) == ("y", "snowflake", None)
    assert project.target_path == tmp_path / "p" / "elsewhere"
    flagged = dbt.open_project(tmp_path / "p", profiles_dir=tmp_path / "p", target="dev")
    assert (flagged.target, flagged.dialect) == ("dev", "duckdb")


def test_env_var_in_the_profile(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tiny.write(tmp_path)
    monkeypatch.setenv("KENNEL_DB", "/data/other.duckdb")
    assert dbt.open_project(tmp_path).database == Path("/data/other.duckdb")
    path = tmp_path / "profiles.yml"
    path.write_text(path.read_text().replace("'KENNEL_DB', 'kennel.duckdb'", "'KENNEL_MUST'"))
    monkeypatch.delenv("KENNEL_DB")
    with pytest.raises(ProjectError, match="KENNEL_MUST is required"):
        dbt.open_project(tmp_path)


def test_unknown_names_are_answered_with_the_known_ones(tmp_path: Path) -> None:
    tiny.write(tmp_path)
    with pytest.raises(ProjectError, match="there is: kennel"):
        dbt.open_project(tmp_path, profile="cattery")
    with pytest.raises(ProjectError, match="it has: dev"):
        dbt.open_project(tmp_path, target="prod")


def test_broken_yaml(tmp_path: Path) -> None:
    tiny.write(tmp_path)
    (tmp_path / "dbt_project.yml").write_text("name: [")
    with pytest.raises(ProjectError, match="cannot be read"):
        dbt.open_project(tmp_path)


def test_artifacts_are_made_when_missing_or_old(
    kennel_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = Path(shutil.copytree(kennel_folder, tmp_path / "copy"))
    monkeypatch.setenv("KENNEL_API_TOKEN", "another-token")
    project = dbt.open_project(root)
    said: list[str] = []
    results = (root / "target" / "run_results.json").read_bytes()
    assert dbt.ensure_artifacts(project, said.append) == ()
    assert said == []
    manifest = root / "target" / "manifest.json"
    manifest.write_text(manifest.read_text()[:1000])
    assert dbt.ensure_artifacts(project, said.append) == ()
    assert len(said) == 1
    assert "broken (manifest.json: it is cut short" in said[0]
    content = json.loads(manifest.read_text())
    assert content["metadata"]["project_name"] == "kennel"
    assert (root / "target" / "run_results.json").read_bytes() == results
    content["metadata"]["project_name"] = "cattery"
    manifest.write_text(json.dumps(content))
    assert dbt.ensure_artifacts(project, said.append) == ()
    assert "those of another project, cattery" in said[1]
    assert json.loads(manifest.read_text())["metadata"]["project_name"] == "kennel"


def test_selection_is_dbts_own_and_leaves_the_manifest_alone(
    kennel_folder: Path, kennel: dbt.DbtProject
) -> None:
    before = (kennel_folder / "target" / "manifest.json").read_bytes()
    found = dbt.select_nodes(kennel, ["+bookings"], ["stg_bookings"])
    assert "model.kennel.bookings" in found
    assert "model.kennel.stg_bookings" not in found
    assert (kennel_folder / "target" / "manifest.json").read_bytes() == before
    with pytest.raises(ProjectError, match="not a valid method name"):
        dbt.select_nodes(kennel, ["nonsense:x"])


def test_a_project_that_dbt_cannot_read_gives_dbts_message(tmp_path: Path) -> None:
    root = tiny.write(tmp_path)
    (root / "models" / "broken.sql").write_text("select * from {{ ref('nowhere') }}")
    with pytest.raises(ProjectError, match="nowhere"):
        dbt.ensure_artifacts(dbt.open_project(root))


@pytest.mark.parametrize("selector", ["--full-refresh", "-x", " --vars={a: 1}", ""])
def test_a_selector_is_no_option(built_shop: Path, selector: str) -> None:
    project = open_project(built_shop)
    for select, exclude in (([selector], []), (["orders"], [selector])):
        with pytest.raises(UsageError, match="no selector"):
            select_nodes(project, select, exclude)
    assert select_nodes(project, ["orders"]) == {"model.shop.orders"}


def test_reports_and_kept_states_in_the_project_are_no_source_of_it(
    built_shop: Path, tmp_path: Path
) -> None:
    copy = Path(shutil.copytree(built_shop, tmp_path / "shop"))
    project = open_project(copy)
    said: list[str] = []
    dbt.ensure_artifacts(project, said.append)
    later = time.time() + 60
    shutil.copytree(copy / "target", copy / "prod-target")
    for name in ("t2s-check.md", "review.csv", "prod-target/compiled/orders.sql"):
        (copy / name).parent.mkdir(parents=True, exist_ok=True)
        (copy / name).write_text("")
        os.utime(copy / name, (later, later))
    dbt.ensure_artifacts(project, said.append)
    assert said == []
    os.utime(copy / "models/orders.sql", (later, later))
    dbt.ensure_artifacts(project, said.append)
    assert said == ["dbt artifacts are older than the project: running dbt docs generate"]
