"""Which nodes people may query."""

from __future__ import annotations

from dbt_t2s.project import tables
from dbt_t2s.project.artifacts import Artifacts
from tests.tools import big_project


def test_sources_come_only_when_selected() -> None:
    artifacts = Artifacts(big_project.manifest(10))
    assert len(tables.choose(artifacts)[0]) == 10
    chosen, _ = tables.choose(artifacts, frozenset({"source.shop.raw.raw_0"}))
    assert [each.name for each in chosen] == ["raw_0"]


def test_private_models_are_queryable_only_when_selected() -> None:
    content = big_project.manifest(2)
    content["nodes"]["model.shop.m_1"]["access"] = "private"
    artifacts = Artifacts(content)
    assert [each.name for each in tables.choose(artifacts)[0]] == ["m_0"]
    chosen, _ = tables.choose(artifacts, frozenset({"model.shop.m_1"}))
    assert [each.name for each in chosen] == ["m_1"]


def test_disabled_nodes_are_counted() -> None:
    content = {**big_project.manifest(2), "disabled": {"model.shop.old": [{}]}}
    (issue,) = tables.choose(Artifacts(content))[1]
    assert issue.message == "nodes left out because they are disabled in the project: 1"
