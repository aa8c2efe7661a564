"""What each part of the corpus is worth: trainings with one part left out in turn, judged by EX.

    python -m tests.benchmarks.ablation WORK --project example_project --seeds 0 1 2
    python -m tests.benchmarks.ablation WORK --data DATA --databases climbing party_host

A project is one that ``dbt build`` has built, asked the questions that people wrote for it; DATA
and its databases are those of ``unseen``. WORK keeps ablation.jsonl: a run that was ended goes on.

Phases, rules and refusals are left out by the examples' provenance. Without wording the questions
stay as the shapes put them: one form each, official names alone. Without patterns the shapes come
as often in every project. Each arm takes as many steps. Recovery and SQL variation are learned by
hub models alone, which start from nothing here: they are not in the table.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from random import Random
from typing import Any
from unittest import mock

from dbt_t2s import pipeline, store
from dbt_t2s.answers import candidates
from dbt_t2s.console import Console
from dbt_t2s.corpus.examples import Example
from dbt_t2s.corpus.generate import collect, day_of
from dbt_t2s.corpus.names import OtherNames
from dbt_t2s.corpus.shapes import ShapeRoom
from dbt_t2s.corpus.speech import tidy
from dbt_t2s.drawing import Drawing, Task
from dbt_t2s.instances import instances_of, readable, witnessed
from dbt_t2s.judge.outcomes import Prediction
from dbt_t2s.judge.sandbox import Limits, Sandbox, execute_all
from dbt_t2s.judge.share import Share
from dbt_t2s.judge.suite import TestItem, read_suite
from dbt_t2s.judge.validate import validate
from dbt_t2s.model.generate import load
from dbt_t2s.model.train import train
from dbt_t2s.predicting import prediction_of
from dbt_t2s.project.schema import ProjectSchema
from dbt_t2s.serve.ask import answer
from dbt_t2s.workspace import Workspace, open_workspace
from tests.benchmarks.unseen import NOT_ENGLISH, made_from, read_results
from tests.benchmarks.wrapped import wrap
from tests.tools.pretrain.rows import read_schemas
from tests.tools.pretrain.split import HELD_OUT

WHOLE = "nothing"
# What stays when a part is left out, by the examples' provenance.
FILTERS: Mapping[str, Callable[[Example], bool]] = {
    WHOLE: lambda row: True,
    "phase 1": lambda row: row.phase != 1,
    "phase 2": lambda row: row.phase != 2,
    "phase 3": lambda row: row.phase != 3,
    "rules": lambda row: not row.rules,
    "refusals": lambda row: row.type != "refusal",
}
DRAWN_ANEW = ("wording", "patterns")
UNTRAINED = "all of it (the shipped weights)"
PARTS = (*FILTERS, *DRAWN_ANEW, UNTRAINED)


@dataclass(frozen=True)
class Ground:
    """A project and its questions, each with the files that it is judged on (the first answers)."""

    name: str
    folder: Path
    questions: Callable[[Workspace, ProjectSchema], tuple[tuple[TestItem, tuple[Path, ...]], ...]]


@dataclass(frozen=True)
class Arm:
    """One training: what is left out, where."""

    ground: str
    left_out: str
    seed: int
    minutes: float
    examples: int
    made_from: str

    def is_done(self, results: Sequence[Mapping[str, Any]]) -> bool:
        return any(all(r.get(k) == v for k, v in vars(self).items()) for r in results)


def of_project(folder: Path) -> Ground:
    def questions(
        workspace: Workspace, schema: ProjectSchema
    ) -> tuple[tuple[TestItem, tuple[Path, ...]], ...]:
        assert workspace.questions_path is not None, "the project has no test questions"
        items, _ = read_suite(workspace.questions_path, schema.dialect)
        golds = [gold for item in items for gold in item.golds]
        instances = witnessed(workspace, schema, instances_of(workspace, schema), golds)
        files = tuple(workspace.warehouse_dir / file for file in instances.files)
        return tuple((item, files) for item in items)

    return Ground(folder.resolve().name, folder.resolve(), questions)


def of_database(schema: ProjectSchema, data: Path, work: Path) -> Ground:
    wrapped = wrap(schema, data, work)
    asked = tuple(
        (
            TestItem(q.id, q.question, (q.gold,), q.type),
            tuple(wrapped.files[n] for n in q.instances),
        )
        for q in wrapped.questions
        if q.wording == "own"
    )
    return Ground(wrapped.name, wrapped.folder, lambda workspace, schema: asked)


def workspace_of(ground: Ground, arm: Arm) -> Workspace:
    flags = {"seed": arm.seed, "minutes": arm.minutes, "max_examples": arm.examples}
    return open_workspace(
        Console(quiet=True), project_dir=ground.folder, profiles_dir=ground.folder, flags=flags
    )


@contextmanager
def plainly() -> Iterator[None]:
    """Questions as their shapes put them, of official names alone."""

    def finish(_: ShapeRoom, __: Random, text: str, ___: Sequence[str], **_more: bool) -> str:
        return tidy(text)

    def none(*_: object) -> tuple[str, ...]:
        return ()

    with ExitStack() as stack:
        stack.enter_context(mock.patch.object(ShapeRoom, "finish", finish))
        for name in ("of_table", "of_column", "of_metric"):
            stack.enter_context(mock.patch.object(OtherNames, name, none))
        yield


def drawn(workspace: Workspace, schema: ProjectSchema, left_out: str) -> tuple[Example, ...]:
    """The corpus, drawn in this process alone, so that what is left out is left out."""
    patterns = () if left_out == "patterns" else pipeline.mine(workspace)
    instances, settings = instances_of(workspace, schema), workspace.settings
    task = Task(
        schema,
        patterns,
        workspace.warehouse_dir / instances.files[0],
        readable(schema, instances),
        day_of(schema, settings.as_of),
        settings.seed,
    )
    folder = workspace.folder / "ablation" / "chunks"
    stamp = {"left_out": left_out, "seed": str(settings.seed)}
    with ExitStack() as stack:
        if left_out == "wording":
            stack.enter_context(plainly())
        drawing = stack.enter_context(Drawing(task, folder, stamp))
        corpus = collect(schema, patterns, drawing.draw, max_examples=settings.max_examples)
        drawing.forget()
    return corpus.examples


def ablated(arm: Arm, ground: Ground) -> dict[str, Any] | None:
    """One training without the part; None where the project's corpus has nothing of it."""
    workspace = workspace_of(ground, arm)
    schema = pipeline.distill(workspace)
    rows = drawn(workspace, schema, arm.left_out)
    kept = [row for row in rows if FILTERS.get(arm.left_out, FILTERS[WHOLE])(row)]
    if arm.left_out in FILTERS and arm.left_out != WHOLE and len(kept) == len(rows):
        return None
    folder = workspace.folder / "ablation"
    for split in ("train", "dev"):
        part = [row for row in kept if row.split == split]
        store.write_rows(folder / "dataset" / f"{split}.parquet", part, Example)
    train(
        folder / "dataset",
        schema,
        folder / "model",
        base="embedded",
        seed=arm.seed,
        minutes=0.0 if arm.left_out == UNTRAINED else arm.minutes,
        resume=False,
    )
    return {**vars(arm), "rows": len(rows) - len(kept), **judged(workspace, schema, ground)}


def judged(workspace: Workspace, schema: ProjectSchema, ground: Ground) -> dict[str, int]:
    """Right answers, and refusals right and wrong."""
    generate = candidates(workspace, load(workspace.folder / "ablation" / "model", schema), schema)
    counts = {"n": 0, "correct": 0, "refused": 0, "unanswerable": 0, "refused_rightly": 0}
    asked = ground.questions(workspace, schema)
    relations = readable(schema, instances_of(workspace, schema))
    with ExitStack() as stack:
        limits = Limits(max_rows=pipeline.COMPARED_ROWS)
        boxes = {
            file: stack.enter_context(Sandbox(file, relations, schema.dialect, limits))
            for file in dict.fromkeys(file for _, files in asked for file in files)
        }
        for files in dict.fromkeys(files for _, files in asked):
            chosen = [boxes[file] for file in files]

            def predict(
                texts: Sequence[str], chosen: Sequence[Sandbox] = chosen
            ) -> list[Prediction]:
                given = [answer(text, generate, chosen[0].execute) for text in texts]
                return [prediction_of(each, each.latency_ms) for each in given]

            items = [item for item, own in asked if own == files]
            run = partial(execute_all, chosen)
            report = validate(items, predict, run, len(chosen), schema.dialect, name=ground.name)
            for outcome in report.outcomes:
                refused = outcome.prediction.status == "refused"
                if outcome.item.golds:
                    counts["n"] += 1
                    counts["correct"] += outcome.correct
                    counts["refused"] += refused
                else:
                    counts["unanswerable"] += 1
                    counts["refused_rightly"] += refused
    return counts


def told(results: Sequence[Mapping[str, Any]]) -> str:
    """The table; a difference is against nothing left out, on the same projects and seeds."""

    def key(each: Mapping[str, Any]) -> tuple[object, ...]:
        return each["ground"], each["seed"], each["minutes"], each["examples"]

    whole = {key(r): r for r in results if r["left_out"] == WHOLE}
    lines = [
        "| left out | runs | right, each run | n | EX | 95% | points against the whole "
        "| refused rightly | wrongly | rows left out |",
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    for part in PARTS:
        found = [r for r in results if r["left_out"] == part and key(r) in whole]
        if not found:
            continue
        share = Share(sum(r["correct"] for r in found), sum(r["n"] for r in found))
        low, high = share.interval or (0.0, 0.0)
        base = sum(whole[key(r)]["correct"] for r in found)
        change = 100 * (share.correct - base) / max(share.n, 1)
        right = ", ".join(str(r["correct"]) for r in found)
        able, rightly = (sum(r[k] for r in found) for k in ("unanswerable", "refused_rightly"))
        wrongly = sum(r["refused"] for r in found)
        lost = sum(r["rows"] for r in found) / len(found)
        lines.append(
            f"| {part} | {len(found)} | {right} | {share.n} | {share.correct / max(share.n, 1):.1%}"
            f" | {low:.1%} to {high:.1%} | {change:+.1f} | {rightly}/{able} | {wrongly}"
            f" | {lost:.0f} |"
        )
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("work", type=Path)
    parser.add_argument("--project", type=Path)
    parser.add_argument("--data", type=Path)
    usual = sorted(HELD_OUT - NOT_ENGLISH)
    parser.add_argument("--databases", nargs="+", choices=usual, default=[])
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=PARTS)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    parser.add_argument("--minutes", type=float, default=1.0)
    parser.add_argument("--examples", type=int, default=2500)
    given = parser.parse_args()
    given.work.mkdir(parents=True, exist_ok=True)
    path = given.work / "ablation.jsonl"
    grounds = [of_project(given.project)] if given.project else []
    if given.databases:
        schemas, _ = read_schemas(given.data)
        grounds += [of_database(schemas[name], given.data, given.work) for name in given.databases]
    for seed in given.seeds:
        for ground in grounds:
            for part in given.parts:
                arm = Arm(ground.name, part, seed, given.minutes, given.examples, made_from())
                if arm.is_done(read_results(path)):
                    continue
                made = ablated(arm, ground)
                if made is None:
                    print(f"{ground.name}: its corpus has nothing of {part}", flush=True)
                    continue
                with path.open("a", encoding="utf-8") as file:
                    file.write(json.dumps(made) + "\n")
                print(
                    f"{ground.name}, {seed}, without {part}: {made['correct']}/{made['n']}",
                    flush=True,
                )
    print("\n" + told(read_results(path)))


if __name__ == "__main__":
    main()
