"""What mends a stale model after a check: it goes on from the last one, and is judged again."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from dbt_t2s import pipeline, store, validation
from dbt_t2s.check.findings import Findings
from dbt_t2s.errors import StoreError
from dbt_t2s.judge.report import Report
from dbt_t2s.judge.share import Share
from dbt_t2s.project.diff import Change
from dbt_t2s.suites import PEOPLE
from dbt_t2s.workspace import Workspace


def fix(workspace: Workspace, found: Findings) -> tuple[Findings, str]:
    """What is found once the model fits again, and a line on what came of it.

    The accuracies before and now are of the same test questions: those that both could be judged
    on. The one before is the last validation's.
    """
    if found.stale is False:
        return found, "the model fits: nothing to mend"
    before = _last_answers(workspace)
    began = "went on" if pipeline.go_on(workspace, renamed(found.changes)) else "trained"
    judged = validation.judge_people(workspace)
    mended = replace(found, stale=False, unknown=(), gone=())
    if judged is None:
        return mended, f"the model {began}; there are no test questions to judge it on"
    now = {each.item.question: each.correct for each in judged.answerable}
    both = before.keys() & now.keys()
    told = _percent(Share(sum(now[each] for each in both or now), len(both or now)))
    was = _percent(Share(sum(before[each] for each in both), len(both))) if both else ""
    line = f"the model {began}: execution accuracy {f'{was} before, ' if was else ''}{told} now"
    lost = len(before.keys() - now.keys())
    return mended, f"{line}; {lost:,} test questions have no SQL that runs" if lost else line


def renamed(changes: Iterable[Change]) -> Mapping[str, str]:
    """New names of tables and columns (``orders.status``) by their old ones; tables first."""
    found = [each for each in changes if each.code in ("T2S103", "T2S203")]
    names: dict[str, str] = {}
    for each in sorted(found, key=lambda change: change.code):
        if each.code == "T2S103":
            names[each.before] = each.after
        else:
            table = each.what.partition(".")[0]
            names[f"{table}.{each.before}"] = f"{table}.{each.after}"
    return names


def _last_answers(workspace: Workspace) -> dict[str, bool]:
    """Whether each test question was answered right when the model was last validated."""
    try:
        last = store.read_json(workspace.validation_path, Report)
    except StoreError:
        return {}
    people = [suite for suite in last.suites if suite.name == PEOPLE]
    return {o.item.question: o.correct for suite in people for o in suite.answerable}


def _percent(share: Share) -> str:
    return "of no question" if share.value is None else f"{share.value:.1%}"
