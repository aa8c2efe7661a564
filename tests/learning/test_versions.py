"""Models are kept as versions: listed, compared, gone back to, and never too many."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dbt_t2s import store
from dbt_t2s.answers import answering
from dbt_t2s.console import Console
from dbt_t2s.errors import LearnError
from dbt_t2s.judge.paired import LEVEL, is_significant_loss, loss_by_chance
from dbt_t2s.learning import versions
from dbt_t2s.model.record import read_record, write_record
from dbt_t2s.pipeline import Trained
from dbt_t2s.workspace import Workspace, open_workspace
from tests.conftest import Cli


@pytest.fixture
def workspace(trained_shop_copy: Path) -> Iterator[Workspace]:
    console = Console(out=io.StringIO(), err=io.StringIO())
    yield open_workspace(console, project_dir=trained_shop_copy)


def trained_again(workspace: Workspace, seed: int) -> str:
    """As if another training had put its model there; its id."""
    record = read_record(workspace.model_dir)
    write_record(workspace.model_dir, replace(record, seed=seed))
    return versions.keep(workspace, "improve", versions.current_id(workspace))


def test_a_training_keeps_its_model_with_digests_and_figures(
    workspace: Workspace, t2s: Cli
) -> None:
    done = t2s("models", "--json", cwd=workspace.project.root)
    assert done.returncode == 0, done.stderr
    (told,) = json.loads(done.stdout)
    assert told["current"] and told["how"] == "train" and told["parent"] == ""
    assert told["schema"] and told["data"] and told["metrics"]
    assert {each["suite"] for each in told["figures"]} == {"generated"}
    table = t2s("models", cwd=workspace.project.root).stdout
    assert told["id"] in table and "generated" in table


def test_going_back_brings_the_very_model_and_what_it_was_trained_with(
    workspace: Workspace, t2s: Cli
) -> None:
    first = versions.keep_current(workspace)
    weights = workspace.model_dir / "network" / "model.safetensors"
    before = weights.read_bytes()
    with answering(workspace) as running:
        second = trained_again(workspace, 77)
        weights.unlink()
        weights.write_bytes(b"other weights")
        assert versions.find(workspace, "current").id == second
        done = t2s("models", "use", first[:6], cwd=workspace.project.root)
        assert done.returncode == 0 and first in done.stdout, done.stderr
        assert running.ask("how many orders were there?").status == "ok"
    assert versions.current_id(workspace) == first
    assert weights.read_bytes() == before
    assert store.read_json(workspace.trained_path, Trained)
    with answering(workspace) as answerer:
        assert answerer.ask("how many orders were there?").status == "ok"


def test_no_more_are_kept_than_the_setting_says_and_never_without_the_one_in_use(
    workspace: Workspace,
) -> None:
    few = replace(workspace, settings=replace(workspace.settings, keep_models=3))
    made = [versions.keep(few, "train"), *(trained_again(few, seed) for seed in range(50, 55))]
    kept = [each.id for each in versions.listed(few)]
    assert len(kept) == 3 and made[-1] in kept
    one = replace(workspace, settings=replace(workspace.settings, keep_models=1))
    last = trained_again(one, 99)
    assert last in [each.id for each in versions.listed(one)]


def test_a_version_of_another_schema_is_not_put_into_use(workspace: Workspace) -> None:
    version = versions.find(workspace, versions.keep_current(workspace))
    path = versions.folder_of(workspace, version.id) / "trained.json"
    trained = store.read_json(path, Trained)
    store.write_json(path, replace(trained, schema="another"))
    with pytest.raises(LearnError) as raised:
        versions.use(workspace, version)
    assert "another schema" in raised.value.what and "train --from" in raised.value.hint


def test_what_is_asked_wrongly_is_told(workspace: Workspace, t2s: Cli) -> None:
    root = workspace.project.root
    assert t2s("models", "use", cwd=root).returncode == 2
    wrong = t2s("models", "use", "zzz", cwd=root)
    assert wrong.returncode == 1 and "no version begins with 'zzz'" in wrong.stderr
    torn = versions.folder_of(workspace, "torn") / versions.FILE
    torn.parent.mkdir(parents=True)
    torn.write_text("{")
    listed = t2s("models", cwd=root)
    assert listed.returncode == 0 and "torn" in listed.stderr


def test_two_versions_are_compared_question_by_question(workspace: Workspace, t2s: Cli) -> None:
    first = versions.keep_current(workspace)
    report = versions.judgement(workspace, versions.find(workspace, first))
    assert report is not None
    second = trained_again(workspace, 7)
    turned = tuple(
        replace(
            suite,
            outcomes=tuple(replace(o, correct=not o.correct, cause="") for o in suite.outcomes),
        )
        for suite in report.suites
    )
    versions.judged(workspace, replace(report, suites=turned))
    done = t2s("models", "compare", first, second, "--json", cwd=workspace.project.root)
    told = json.loads(done.stdout)
    right = sum(o.correct for suite in report.suites for o in suite.outcomes)
    assert told["before"] == right == len(told["regressions"])
    assert told["significant_loss"] is (loss_by_chance(right, told["now"]) < LEVEL)
    shown = t2s("models", "compare", first, second, cwd=workspace.project.root).stdout
    assert told["regressions"][0]["question"] in shown and "McNemar" in shown


@given(st.integers(0, 40), st.integers(0, 40))
def test_the_loss_by_chance_is_a_probability_that_falls_with_losses(lost: int, gained: int) -> None:
    assert 0 < loss_by_chance(lost, gained) <= 1
    assert loss_by_chance(lost + 1, gained) < loss_by_chance(lost, gained + 1)


def test_five_losses_of_five_are_significant_and_four_of_four_are_not() -> None:
    assert is_significant_loss(5, 0) and not is_significant_loss(4, 0)
    assert not is_significant_loss(0, 9)
