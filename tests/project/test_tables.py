"""Which nodes people may query."""

from __future__ import annotations

import pytest

from dbt_t2s.errors import UsageError
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


def two_packages() -> Artifacts:
    """Three models of which the last comes from an installed package."""
    content = big_project.manifest(3)
    content["metadata"]["project_name"] = "shop"
    content["nodes"]["model.shop.m_2"]["package_name"] = "fivetran_log"
    return Artifacts(content)


@pytest.mark.parametrize(
    ("packages", "names"),
    [
        (("all",), ["m_0", "m_1", "m_2"]),
        (("own",), ["m_0", "m_1"]),
        (("shop",), ["m_0", "m_1"]),
        (("fivetran_log",), ["m_2"]),
        (("own", "fivetran_log"), ["m_0", "m_1", "m_2"]),
    ],
)
def test_the_packages_that_may_be_queried_are_chosen(
    packages: tuple[str, ...], names: list[str]
) -> None:
    chosen, issues = tables.choose(two_packages(), None, packages)
    assert [each.name for each in chosen] == names
    said = [each.message for each in issues if "package" in each.message]
    assert [each.rpartition(": ")[2] for each in said] == [str(3 - len(names))] * (len(names) < 3)


def test_a_selection_wins_over_the_packages() -> None:
    chosen, _ = tables.choose(two_packages(), frozenset({"model.shop.m_2"}), ("own",))
    assert [each.name for each in chosen] == ["m_2"]


def test_a_package_that_is_not_there_is_an_error() -> None:
    with pytest.raises(UsageError, match="no package fivetran_lag") as caught:
        tables.choose(two_packages(), None, ("own", "fivetran_lag"))
    assert "fivetran_log" in caught.value.hint
