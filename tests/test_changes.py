"""Scripted changes to the example project: each can be made, and of many at once all is said.

`python -m tests.benchmarks.changes` checks every one of them alone.
"""

from __future__ import annotations

import json
import shutil
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from dbt_t2s.project.diff import CODES, Weight
from tests.benchmarks.changes import build, check
from tests.conftest import EXAMPLE, copy_project, t2s
from tests.tools.scripted_changes import KINDS, Edit, Scripted, make, read, wrong

CHANGES = read()
BY_NAME = {change.name: change for change in CHANGES}
# One or two of each kind that leave each other's files and findings alone.
HARMLESS = (
    "model-moved-to-another-folder", "models-split-into-a-helper", "select-list-reordered",
    "intermediate-column-renamed", "cte-renamed", "column-spelled-in-capitals",
    "integer-widened", "types-declared",
    "one-of-two-proofs-of-a-join-dropped", "join-proven", "unique-test-added",
    "singular-test-added", "values-listed-in-another-order", "metric-filter-written-otherwise",
    "measure-renamed", "dimension-added", "rule-conditions-swapped", "rule-written-otherwise",
    "synonym-added", "description-moved-to-a-doc-block", "incremental-becomes-a-table",
    "key-made-otherwise", "new-table", "new-metric", "case-written-as-a-lookup", "comments-added",
)  # fmt: skip
HARMFUL = (
    "table-no-longer-public", "column-dropped", "two-columns-renamed-at-once",
    "flag-becomes-text", "nothing-says-any-more-where-a-key-points", "unique-test-dropped",
    "value-spelled-otherwise", "age-bands-moved",
    "ratio-over-something-else", "metric-dropped", "rule-dropped",
    "synonyms-of-a-column-dropped", "column-description-dropped", "one-row-a-day",
)  # fmt: skip


def together(names: tuple[str, ...]) -> Scripted:
    """Many changes as one."""
    chosen = [BY_NAME[name] for name in names]
    return Scripted(
        name="together",
        kind="rows",
        harmful=any(each.harmful for each in chosen),
        expect=tuple(line for each in chosen for line in each.expect),
        questions=(),
        fails=any(each.fails for each in chosen),
        edits=tuple(edit for each in chosen for edit in each.edits),
    )


@pytest.fixture(scope="module")
def built(built_example: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The example with examples of what can be asked about it."""
    folder = copy_project(built_example, tmp_path_factory.mktemp("changes") / "example")
    done = t2s("generate", "--max-examples", "1000", cwd=folder)
    assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture(scope="module")
def state(built: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("state") / "target"
    return Path(shutil.copytree(built / "target", folder, symlinks=True))


def test_there_are_five_of_each_kind() -> None:
    assert len(BY_NAME) == len(CHANGES) >= 60
    assert all(count >= 5 for count in Counter(each.kind for each in CHANGES).values())
    both = {kind for kind in KINDS if kind != "new"}
    assert {each.kind for each in CHANGES} == set(KINDS)
    for harmful in (True, False):
        assert both <= {each.kind for each in CHANGES if each.harmful is harmful}


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.name)
def test_a_change_can_be_made(change: Scripted, tmp_path: Path) -> None:
    files = sorted({edit.file for edit in change.edits if (EXAMPLE / edit.file).is_file()})
    for name in files:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(EXAMPLE / name, tmp_path / name)
    make(change, tmp_path)
    left = {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.is_file()}
    same = [n for n in files if n in left and (tmp_path / n).read_text() == _of_example(n)]
    assert not same


def _of_example(name: str) -> str:
    return (EXAMPLE / name).read_text()


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.name)
def test_what_is_expected_agrees_with_itself(change: Scripted) -> None:
    weights = {CODES[line.split()[0]] for line in change.expect}
    assert change.fails is (Weight.BREAKING in weights)
    if change.harmful:
        assert bool(change.questions) is not bool(change.why)
        assert change.kind == "rows" or weights & {Weight.BREAKING, Weight.DEGRADING}
    else:
        assert not change.questions
        assert not weights & {Weight.BREAKING, Weight.DEGRADING}


def test_an_edit_fits_once_or_not_at_all(tmp_path: Path) -> None:
    (tmp_path / "a.sql").write_text("select 1, 1")

    def after(find: str = "", until: str = "", replaced: str = "") -> str:
        edit = Edit("a.sql", find=find, until=until, replace=replaced)
        make(replace(CHANGES[0], edits=(edit,)), tmp_path)
        return (tmp_path / "a.sql").read_text()

    for edit in ({"find": "1"}, {"find": "2"}, {"find": "select", "until": "from"}, {}):
        with pytest.raises(ValueError, match=r"a\.sql"):
            after(**edit)
    assert after(find="select ", until="1", replaced="select 2, ") == "select 2, 1, 1"


def test_what_is_said_wrongly_is_found() -> None:
    change = BY_NAME["column-dropped"]
    found = {"code": "T2S201", "what": "products.weight_grams", "class": "breaking"}
    asked = {"question": "What is the average weight?"}
    assert wrong(change, 1, {"changes": [found], "questions": [asked]}) == ()
    assert wrong(change, 0, {"changes": [found], "questions": [asked]}) == ("exit 0, not 1",)
    assert len(wrong(change, 1, {"changes": [], "questions": []})) == 2
    other = {**found, "what": "orders.total"}
    assert wrong(change, 1, {"changes": [found, other], "questions": [asked]})
    assert wrong(change, 1, {"changes": [{**found, "class": "neutral"}], "questions": [asked]})
    harmless = BY_NAME["cte-renamed"]
    assert wrong(harmless, 0, {"changes": [], "questions": []}) == ()
    assert wrong(harmless, 0, {"changes": [], "questions": [asked]}) == ("1 questions named",)


def test_of_harmless_changes_nothing_bad_is_said(built: Path, state: Path, tmp_path: Path) -> None:
    change = together(HARMLESS)
    assert {BY_NAME[name].kind for name in HARMLESS} == set(KINDS)
    failed = build([change], built, tmp_path / "example", state, tests=False)
    assert not failed
    status, found = check(tmp_path / "example", state)
    assert wrong(change, status, found) == (), found["questions"]
    assert found["examples"] > 500


def test_each_of_many_harmful_changes_is_said(built: Path, state: Path, tmp_path: Path) -> None:
    change = together(HARMFUL)
    assert not build([change], built, tmp_path / "example", state, tests=False)
    status, found = check(tmp_path / "example", state)
    assert wrong(change, status, found) == (), json.dumps(found["changes"], indent=1)
    for name in HARMFUL:
        alone = replace(BY_NAME[name], expect=change.expect, fails=True)
        assert wrong(alone, status, found) == (), name
