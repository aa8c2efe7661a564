"""What a check writes for code hosts holds what they ask for, whatever was found."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dbt_t2s.check.findings import Effect, Findings, Harm
from dbt_t2s.check.forms import to_junit
from dbt_t2s.check.sarif import MOST_RESULTS, TITLES, to_github, to_sarif
from dbt_t2s.console import Console
from dbt_t2s.project.diff import CODES, Change, Weight
from dbt_t2s.workspace import open_workspace
from tests.conftest import write_shop

TEXTS = st.text(min_size=1, max_size=40)
CHANGES = st.builds(
    Change, st.sampled_from(sorted(CODES)), TEXTS, TEXTS, TEXTS, TEXTS, st.just("a b/c.sql")
)
EFFECTS = st.builds(
    Effect, st.sampled_from(Harm), TEXTS, st.sampled_from(("example", "test question")), TEXTS
)
FINDINGS = st.builds(
    Findings,
    project=TEXTS,
    changes=st.lists(CHANGES, max_size=8).map(tuple),
    effects=st.lists(EFFECTS, max_size=8).map(tuple),
    stale=st.sampled_from((None, False, True)),
)


def sarif_faults(text: str) -> list[str]:
    """Where a SARIF file lacks what GitHub's code scanning requires; no value may be empty."""
    log = json.loads(text)
    wanted: list[tuple[str, object]] = [("$schema", log["$schema"])]
    assert log["version"] == "2.1.0"
    assert len(log["runs"]) == 1
    (run,) = log["runs"]
    driver = run["tool"]["driver"]
    wanted.append(("driver.name", driver["name"]))
    for rule in driver["rules"]:
        short, full = rule["shortDescription"]["text"], rule["fullDescription"]["text"]
        assert len(short) <= 1024 and len(full) <= 1024 and len(rule["name"]) <= 255
        assert rule["defaultConfiguration"]["level"] in ("note", "warning", "error")
        wanted += [("rule", each) for each in (rule["id"], short, full, rule["help"]["text"])]
    ids = [rule["id"] for rule in driver["rules"]]
    assert len(set(ids)) == len(ids)
    for result in run["results"]:
        assert result["ruleId"] in ids
        place = result["locations"][0]["physicalLocation"]
        uri, region = place["artifactLocation"]["uri"], place["region"]
        assert not uri.startswith("/") and " " not in uri and "\\" not in uri
        edges = [region[f"{end}{of}"] for of in ("Line", "Column") for end in ("start", "end")]
        assert all(isinstance(edge, int) and edge >= 1 for edge in edges)
        assert region["endColumn"] > region["startColumn"]
        print_of = result["partialFingerprints"]["primaryLocationLineHash"]
        wanted += [("result", each) for each in (result["message"]["text"], uri, print_of)]
    return [name for name, value in wanted if not (isinstance(value, str) and value)]


@given(FINDINGS)
def test_sarif_has_what_github_requires(found: Findings) -> None:
    assert not sarif_faults(to_sarif(found))


def test_every_code_has_a_title() -> None:
    assert TITLES.keys() == CODES.keys()


def test_findings_in_one_file_are_told_apart_and_stay_the_same() -> None:
    one, other = (Change("T2S201", f"orders.{name}", "gone", path="o.sql") for name in "ab")
    moved = replace(one, message="said otherwise", path="elsewhere.sql")

    def prints(*changes: Change) -> list[Any]:
        results = json.loads(to_sarif(Findings("shop", changes)))["runs"][0]["results"]
        return [each["partialFingerprints"]["primaryLocationLineHash"] for each in results]

    first, second = prints(one, other)
    assert first != second
    assert prints(moved) == [first]


def test_paths_are_told_from_the_root_of_the_repository() -> None:
    found = Findings("shop", (Change("T2S101", "orders", "gone", path="models\\my orders.sql"),))
    assert '"uri": "dbt/shop/models/my%20orders.sql"' in to_sarif(found, "dbt/shop")
    (line,) = to_github(found, "dbt/shop")
    assert line == "::error file=dbt/shop/models/my orders.sql,title=T2S101::gone"


def test_a_project_knows_its_place_in_its_repository(tmp_path: Path) -> None:
    project = tmp_path / "dbt/shop"
    project.mkdir(parents=True)
    write_shop(project)
    workspace = open_workspace(Console(quiet=True), project_dir=project, profiles_dir=project)
    (tmp_path / ".git").mkdir()
    assert workspace.place == "dbt/shop"
    (project / ".git").touch()  # a worktree's is a file
    assert workspace.place == ""


def test_a_host_is_not_given_more_than_it_takes() -> None:
    changes = tuple(Change("T2S201", f"t.c{n}", "gone") for n in range(MOST_RESULTS + 1))
    sarif = json.loads(to_sarif(Findings("shop", changes)))
    assert len(sarif["runs"][0]["results"]) == MOST_RESULTS


@given(FINDINGS, st.sets(st.sampled_from(("breaking", "degrading", "stale"))))
def test_junit_fails_exactly_where_the_check_does(found: Findings, fail_on: set[str]) -> None:
    root = ElementTree.fromstring(to_junit(found, tuple(fail_on)).encode())
    failed = root.findall(".//failure")
    assert bool(failed) == bool(found.failures(tuple(fail_on)))
    assert all((each.text or "").strip() for each in failed)
    for suite in root:
        assert suite.get("tests") == str(len(suite.findall("testcase")))
        assert suite.get("failures") == str(len(suite.findall("testcase/failure")))


def test_broken_test_questions_are_annotated() -> None:
    broken = Effect(Harm.BROKEN, "how many?", "test question", "no table orders")
    asked = replace(broken, source="example")
    lines = list(to_github(Findings("shop", effects=(broken, asked))))
    assert lines == ["::error title=test question broken::how many?: no table orders"]


@pytest.mark.parametrize("weight", list(Weight))
def test_only_what_harms_is_annotated(weight: Weight) -> None:
    code = next(code for code, each in CODES.items() if each is weight)
    harms = weight in (Weight.BREAKING, Weight.DEGRADING)
    assert bool(list(to_github(Findings("shop", (Change(code, "x", "m"),))))) == harms
