"""The log in the warehouse: a real delivery by a process of its own, and the report from there."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from pathlib import Path

import pytest

from dbt_t2s import reporting
from dbt_t2s.config import IN_PROJECT, IN_WAREHOUSE, load_settings
from dbt_t2s.console import Console
from dbt_t2s.delivering import FAILURE, Courier, deliver, outbox_of
from dbt_t2s.errors import ProjectError, UsageError
from dbt_t2s.project.schema import ProjectSchema
from dbt_t2s.serve.ask import Answer
from dbt_t2s.serve.cases import Window
from dbt_t2s.serve.keeping import Keeper
from dbt_t2s.serve.log import QuestionLog
from dbt_t2s.serve.masking import Masker
from dbt_t2s.workspace import Workspace, open_workspace
from tests.conftest import ROOT


def workspace_of(project: Path) -> Workspace:
    console = Console(out=io.StringIO(), err=io.StringIO())
    return open_workspace(console, project_dir=project, flags={"log": "warehouse"})


def keeper(workspace: Workspace) -> Keeper:
    masker = Masker(ProjectSchema("shop", "duckdb", ()))
    return Keeper(QuestionLog(workspace.project.root), masker, "m1", "dev", outbox_of(workspace))


def test_what_is_asked_comes_into_the_warehouse_and_is_reported_from_there(shop: Path) -> None:
    (shop / "packages.yml").write_text(f"packages:\n  - local: {json.dumps(str(ROOT))}\n")
    (shop / "dbt_packages").mkdir()
    (shop / "dbt_packages" / "dbt_t2s").symlink_to(ROOT)
    workspace = workspace_of(shop)
    kept = keeper(workspace)
    answers = [
        kept.keep(Answer(f"How many? {n}", "ok", "select 1", latency_ms=9.0)) for n in (1, 2)
    ]
    kept.say(kept.said_of(kept.log.find(answers[0].id)[0], "right"))
    outbox = outbox_of(workspace)
    assert outbox is not None and not outbox.is_empty()
    courier = Courier(workspace)
    courier.nudge(now=True)
    assert courier._running is not None
    assert courier._running.wait(timeout=120) == 0 and outbox.is_empty()
    # This machine's own log is gone, and what it asked is not.
    kept.log.path.unlink()
    found = reporting.report(workspace, Window())
    assert found.source == "t2s_log in the warehouse, target dev"
    assert (found.figures.asked, found.figures.right.n) == (2, 1)
    assert found.versions[0].model == "m1"


def test_where_dbt_is_not_to_be_had_it_waits_and_the_report_says_so(
    shop: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    workspace = workspace_of(shop)
    keeper(workspace).keep(Answer("How many?", "ok", "select 1"))
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    found = reporting.report(workspace, Window())
    assert found.figures.asked == 1 and found.source == ".t2s/log.duckdb"
    told = workspace.console.err
    assert isinstance(told, io.StringIO)
    assert "only what was asked on this machine" in told.getvalue()
    outbox = outbox_of(workspace)
    assert outbox is not None and not outbox.is_empty()
    # After a failure nobody tries again at once.
    with pytest.raises(ProjectError, match="dbt is not installed"):
        deliver(workspace.project)
    assert "dbt is not installed" in (outbox.folder / FAILURE).read_text()
    courier = Courier(workspace)
    courier.nudge(now=True)
    assert courier._running is None


def test_elsewhere_nothing_waits(shop: Path) -> None:
    workspace = workspace_of(shop)
    here = replace(workspace, settings=replace(workspace.settings, log=IN_PROJECT))
    assert outbox_of(here) is None
    keeper(here).keep(Answer("How many?", "ok", "select 1"))
    Courier(here).nudge(now=True)
    assert sorted(each.name for each in (shop / ".t2s").iterdir() if each.is_dir()) == []


@pytest.mark.parametrize(
    ("written", "meant"),
    [(True, IN_PROJECT), ("false", ""), ("warehouse", IN_WAREHOUSE), ("project", IN_PROJECT)],
)
def test_where_questions_are_kept(written: object, meant: str, shop: Path) -> None:
    assert load_settings(shop, {}, {"log": written}).log == meant
    with pytest.raises(UsageError, match="true, false or warehouse"):
        load_settings(shop, {}, {"log": "cloud"})
