"""How far 20 corrections help: ``python -m tests.benchmarks.improving PROJECT SET REWORDINGS``.

PROJECT is a trained example project (it is copied), SET a test set whose errors are
corrected, REWORDINGS a JSONL file of ``{of: id, question}`` by other people's words: those are
asked before and after, and never taught. Also told are the questions that were right before.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from dbt_t2s import answers, validation
from dbt_t2s.console import Console
from dbt_t2s.judge.outcomes import Outcome, SuiteReport
from dbt_t2s.judge.suite import TestItem, read_suite
from dbt_t2s.serve.questions import Question
from dbt_t2s.suites import Suite
from dbt_t2s.workspace import open_workspace

MOST = 20


def judged(project: Path, suites: dict[str, tuple[TestItem, ...]]) -> dict[str, SuiteReport]:
    """What becomes of each test set with the model that is in use there."""
    workspace = open_workspace(Console(quiet=True), project_dir=project)
    given = [Suite(name, items) for name, items in suites.items() if items]
    report = validation.judge_apart(workspace, None, given, people=False)
    return {suite.name: suite for suite in report.suites}


def rewordings_of(path: Path, items: Sequence[TestItem]) -> tuple[TestItem, ...]:
    """The rewordings as test questions with the golds of what they reword."""
    by_id = {item.id: item for item in items}
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    return tuple(
        replace(by_id[row["of"]], id=f"{row['of']}-{number}", question=row["question"])
        for number, row in enumerate(rows)
        if row["of"] in by_id
    )


def _told(name: str, before: Sequence[Outcome], now: SuiteReport) -> None:
    was = {o.item.question: o.correct for o in before}
    lost = [o.item.question for o in now.outcomes if was[o.item.question] and not o.correct]
    right = [sum(o.correct for o in found) for found in (before, now.outcomes)]
    print(f"{name}: {right[0]} of {len(now.outcomes)} right before, {right[1]} now")
    for each in lost:
        print(f"  lost: {each}")


def _feedback(item: TestItem) -> dict[str, str]:
    if not item.golds:
        return {"question": item.question, "verdict": "should_refuse"}
    return {"question": item.question, "verdict": "wrong", "sql": item.golds[0]}


def _say(project: Path, command: Sequence[str], wrong: Sequence[TestItem]) -> None:
    """Corrections from a file; what the project's own rows do not show to be wrong is left out."""
    said = project / "feedback.jsonl"
    said.write_text("".join(json.dumps(_feedback(item)) + "\n" for item in wrong))
    subprocess.run(
        [*command, "feedback", "--file", str(said), "--skip-refused"], cwd=project, check=True
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("project", "set", "rewordings"):
        parser.add_argument(name, type=Path)
    parser.add_argument("--keep", type=Path, help="copy the project there, and leave it")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        project = given.keep or Path(folder) / "project"
        # With the times of its files: they tell whether the last validation is of this model.
        shutil.copytree(
            given.project, project, symlinks=True, ignore=shutil.ignore_patterns(".t2s")
        )
        run(project, given.set, given.rewordings)


def run(project: Path, questions: Path, rewordings: Path) -> None:
    items, _ = read_suite(questions, "duckdb")
    worded = rewordings_of(rewordings, items)
    first = judged(project, {"questions": items, "rewordings": worded})
    known = {item.id.rpartition("-")[0] for item in worded}
    outcomes = first["questions"].outcomes
    wrong = [o.item for o in outcomes if not o.correct and o.item.id in known][:MOST]
    chosen = {item.id for item in wrong}
    before = {
        "corrected": tuple(o for o in outcomes if o.item.id in chosen),
        "rewordings of these": tuple(
            o for o in first["rewordings"].outcomes if o.item.id.rpartition("-")[0] in chosen
        ),
        "all others": tuple(o for o in outcomes if o.item.id not in chosen),
    }
    sets = {name: tuple(o.item for o in found) for name, found in before.items()}
    workspace = open_workspace(Console(quiet=True), project_dir=project)
    for _ in answers.ask(workspace, [Question(item.question) for item in wrong]):
        pass  # feedback is given on what was asked
    command = [sys.executable, "-m", "dbt_t2s"]
    _say(project, command, wrong)
    began = time.monotonic()
    done = subprocess.run([*command, "improve"], cwd=project, check=False)
    print(f"improve: {time.monotonic() - began:.0f} s, exit {done.returncode}", flush=True)
    now = judged(project, sets)
    for name, report in now.items():
        _told(name, before[name], report)
    for outcome in now["rewordings of these"].outcomes:
        if not outcome.correct:
            print(f"  still wrong: {outcome.item.question} ({outcome.cause})")


if __name__ == "__main__":
    main()
