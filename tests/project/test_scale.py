"""The cost of a project grows with its size and no faster."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest

from dbt_t2s import sql
from dbt_t2s.corpus.patterns import mining
from dbt_t2s.duck import Execute
from dbt_t2s.project import metrics
from dbt_t2s.project.dbt import DbtProject
from dbt_t2s.project.distill import distill
from dbt_t2s.project.memory import Memory
from dbt_t2s.project.schema import ProjectSchema
from dbt_t2s.project.statements import Trees
from tests.tools import company_project
from tests.tools.company_project import Size


def project(folder: Path, models: int) -> DbtProject:
    company_project.write(folder, Size(models, 4 * models))
    return DbtProject(
        name="company", root=folder, target_path=folder, profiles_dir=folder, profile="",
        target="", adapter="duckdb", dialect="duckdb",
    )  # fmt: skip


@pytest.fixture
def parsed(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """How often each text is parsed."""
    count: Counter[str] = Counter()
    parse = sql.parse

    def counting(code: str, dialect: str, longest: int) -> tuple[sql.exp.Expr, ...]:
        count[code] += 1
        return parse(code, dialect, longest)

    monkeypatch.setattr(sql, "parse", counting)
    return count


def distilled(folder: Path, models: int) -> ProjectSchema:
    return distill(project(folder, models))


def test_each_statement_is_parsed_once(tmp_path: Path, parsed: Counter[str]) -> None:
    schema = distilled(tmp_path, 20)
    assert {parsed[code] for _, _, code in schema.statements} == {1}


def test_twice_the_models_cost_twice_the_parsing(tmp_path: Path, parsed: Counter[str]) -> None:
    distilled(tmp_path / "small", 50)
    small = parsed.total()
    parsed.clear()
    distilled(tmp_path / "large", 100)
    assert parsed.total() < 2.3 * small


def test_the_generated_project_is_read_in_full(tmp_path: Path) -> None:
    schema = distilled(tmp_path, 30)
    mined = mining(schema)
    assert len(schema.statements) == 30
    assert {table.name[:4] for table in schema.tables} == {"dim_", "fct_"}
    assert all(column.sources for table in schema.tables for column in table.columns)
    assert mined.resolved == mined.scopes > 60


def test_mining_takes_over_what_distilling_parsed(tmp_path: Path, parsed: Counter[str]) -> None:
    trees = Trees()
    schema = distill(project(tmp_path, 20), trees=trees)
    parsed.clear()
    shared = mining(schema, trees=trees)
    assert parsed.total() == 0
    assert shared == mining(schema)
    assert trees.take(schema.statements[0][2], "duckdb") is None


def test_a_second_run_reads_only_what_changed(tmp_path: Path, parsed: Counter[str]) -> None:
    made, memory = project(tmp_path, 20), Memory()
    first = mining(distill(made, memory=memory))
    company_project.change_one(tmp_path)
    parsed.clear()
    changed = distill(made, trees=(trees := Trees()), memory=memory)
    mined = mining(changed, (), first.readings, trees)
    statements = {code for _, _, code in changed.statements}
    assert sum(parsed[code] for code in statements) == 1
    fresh = distill(made)
    assert changed == fresh
    assert mined.patterns == mining(fresh).patterns


def test_what_is_read_again_follows_the_columns_above(tmp_path: Path, parsed: Counter[str]) -> None:
    """Without a catalog a model's columns come from the SQL above it."""
    made, memory = project(tmp_path, 20), Memory()
    (tmp_path / "catalog.json").unlink()
    first = distill(made, memory=memory)
    manifest = json.loads((tmp_path / "manifest.json").read_text())
    above = next(
        node
        for node in manifest["nodes"].values()
        if any(node["unique_id"] in n["depends_on"]["nodes"] for n in manifest["nodes"].values())
    )
    above["compiled_code"] = f"select s.*, 1 as extra from ({above['compiled_code']}) as s"
    (tmp_path / "manifest.json").write_text(json.dumps(manifest))
    parsed.clear()
    changed = distill(made, memory=memory)
    assert changed == distill(made)
    assert changed != first
    assert parsed[above["compiled_code"]] >= 1


def test_metricflow_is_not_asked_again(
    kennel: DbtProject, execute: Execute, monkeypatch: pytest.MonkeyPatch
) -> None:
    memory = Memory()
    first = distill(kennel, execute=execute, memory=memory)
    assert memory.answers
    monkeypatch.setattr(metrics, "_open", None)  # opening it would fail
    assert distill(kennel, execute=execute, memory=memory) == first
    manifest: dict[str, list[object]] = {"semantic_models": [], "metrics": []}
    with pytest.raises(TypeError):
        metrics.MetricFlow(manifest, "duckdb", memory.answers)
