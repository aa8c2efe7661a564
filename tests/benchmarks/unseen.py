"""Execution accuracy on databases that the shipped weights never met, asked in people's words.

    python -m tests.benchmarks.unseen DATA WORK --modes zero_shot trained nearest --minutes 0.5

DATA is the folder of the question sets, WORK keeps the projects (made once) and results.jsonl, to
which each database's outcomes are appended: a run that was ended goes on. ``zero_shot`` are the
shipped weights as they are, ``trained`` is ``dbt-t2s train`` on machine-made questions alone,
``nearest`` answers with the SQL of the corpus' question nearest by the same encoder,
``no_pretraining`` trains from random weights; ``no_grammar`` and ``no_repair`` are ``zero_shot``
without the grammar, and with the first candidate as it is. Nothing may be tuned to these questions.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import statistics
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

from dbt_t2s import pipeline, store
from dbt_t2s.answers import candidates, let_agree, load_model, mending
from dbt_t2s.console import Console
from dbt_t2s.judge.outcomes import Outcome, Prediction
from dbt_t2s.judge.sandbox import Limits, Sandbox, execute_all
from dbt_t2s.judge.share import Share
from dbt_t2s.judge.suite import TestItem
from dbt_t2s.judge.validate import validate
from dbt_t2s.model import recipe, shipped
from dbt_t2s.model.encoder import Encoder
from dbt_t2s.model.generate import Generator, load
from dbt_t2s.model.ranking import WEIGHTS as RANKING
from dbt_t2s.model.record import ModelRecord, write_record
from dbt_t2s.predicting import prediction_of
from dbt_t2s.project.schema import ProjectSchema
from dbt_t2s.serve.ask import Generate, answer
from dbt_t2s.workspace import Workspace, open_workspace
from tests.benchmarks.baselines import Ungrammatical, first_alone, nearest, nothing_pretrained
from tests.benchmarks.wrapped import Question, Wrapped, wrap
from tests.tools.pretrain.rows import read_schemas
from tests.tools.pretrain.split import HELD_OUT

# Its questions are in romanised Hindi.
NOT_ENGLISH = frozenset(("restaurants",))
MODES = ("zero_shot", "trained", "nearest", "no_pretraining", "no_grammar", "no_repair")
_TRAINED = ("trained", "no_pretraining")
COVERED = 0.8
Result = Mapping[str, Any]


@dataclass(frozen=True)
class Job:
    """One line of results: what answers which database; ``made_from`` tells weights apart."""

    database: str
    mode: str
    seed: int
    minutes: float
    questions: int
    made_from: str

    def is_done(self, results: Iterable[Result]) -> bool:
        return any({k: r.get(k) for k in asdict(self)} == asdict(self) for r in results)


def workspace_of(wrapped: Wrapped, job: Job) -> Workspace:
    return open_workspace(
        Console(quiet=True),
        project_dir=wrapped.folder,
        profiles_dir=wrapped.folder,
        flags={"seed": job.seed, "minutes": job.minutes or None},
    )


def untrained(workspace: Workspace, schema: ProjectSchema, seed: int) -> Path:
    """A model folder: the shipped weights, with nothing learned of the project."""
    folder = workspace.folder / "zero_shot"
    folder.mkdir(parents=True, exist_ok=True)
    items = len(recipe.index_of(schema, Encoder()).items)
    recipe.new_network(items, seed).save_pretrained(folder / "network")
    kept, reader = store.fingerprint(schema), shipped.stamp(shipped.READER)
    record = ModelRecord("embedded", "embedded", kept, "", seed, 0, 0, 0.0, reader=reader)
    write_record(folder, record)
    return folder


@dataclass(frozen=True)
class Asked:
    """What answers; ``model`` has its answers agree and mends them, None where nothing does."""

    generate: Generate
    schema: ProjectSchema
    model: Generator | None = None


def asked(job: Job, workspace: Workspace) -> Asked:
    if job.mode == "nearest":
        pipeline.generate(workspace)
        return Asked(nearest(workspace), pipeline.distill(workspace))
    if job.mode == "no_pretraining":
        with nothing_pretrained():
            schema = pipeline.train(workspace, resume=False)
            model = load_model(workspace, schema)
    elif job.mode == "trained":
        schema = pipeline.train(workspace)
        model = load_model(workspace, schema)
    else:
        schema = pipeline.distill(workspace)
        folder = untrained(workspace, schema, job.seed)
        bound = job.mode != "no_grammar"
        model = load(folder, schema) if bound else Ungrammatical(folder, schema)
    generate = candidates(workspace, model, schema)
    if job.mode in ("no_grammar", "no_repair"):
        return Asked(first_alone(generate), schema)
    return Asked(generate, schema, model)


def judged(
    questions: Sequence[Question], given: Asked, wrapped: Wrapped
) -> list[tuple[Question, Outcome]]:
    """Each question's outcome on its own instances; candidates are chosen on the project's."""
    relations = tuple(table.relation for table in given.schema.tables)
    mend = None if given.model is None else mending(given.model)
    found: list[tuple[Question, Outcome]] = []
    with ExitStack() as stack:
        limits = Limits(max_rows=pipeline.COMPARED_ROWS)
        boxes = [
            stack.enter_context(Sandbox(file, relations, "duckdb", limits))
            for file in wrapped.files
        ]

        if given.model is not None:
            let_agree(given.model, boxes[0].execute)

        def predict(texts: Sequence[str]) -> list[Prediction]:
            said = [answer(text, given.generate, boxes[0].execute, mend) for text in texts]
            return [prediction_of(each, each.latency_ms) for each in said]

        for question in questions:
            chosen = [boxes[n] for n in question.instances]
            item = TestItem(question.id, question.question, (question.gold,), question.type)
            run = partial(execute_all, chosen)
            report = validate([item], predict, run, len(chosen), "duckdb", name=wrapped.name)
            found += [(question, outcome) for outcome in report.outcomes]
    return found


def measured(job: Job, wrapped: Wrapped) -> dict[str, Any]:
    """One database's results; times are of this machine."""
    began = time.monotonic()
    workspace = workspace_of(wrapped, job)
    answers = asked(job, workspace)
    ready = time.monotonic() - began
    questions = [
        each
        for wording in ("own", "synonyms")
        for each in [q for q in wrapped.questions if q.wording == wording][: job.questions or None]
    ]
    outcomes = judged(questions, answers, wrapped)
    return {
        **asdict(job),
        "seconds": round(ready, 1),
        "left_out": wrapped.left_out,
        "outcomes": [_told(question, outcome) for question, outcome in outcomes],
    }


def _told(question: Question, outcome: Outcome) -> dict[str, Any]:
    given = outcome.prediction
    return {
        "id": question.id,
        "wording": question.wording,
        "type": question.type,
        "status": given.status,
        "sql": given.sql,
        "correct": outcome.correct,
        "executes": outcome.parses and outcome.binds and outcome.executes,
        "confidence": given.confidence,
        "ms": round(given.latency_ms or 0.0, 1),
        "cause": outcome.cause,
        "detail": outcome.detail,
    }


# ---- the tables


def told(results: Sequence[Result]) -> str:
    """A row for each mode and training time, seeds together; then EX by query type."""
    lines = [
        "| mode | minutes | databases | seeds | n | EX | 95% | mean of databases "
        "| with synonyms (n) | executes | refused wrongly | right at 80% coverage |",
        "|---|---|---|---|---|---|---|---|---|---|---|---|",
    ]
    groups: dict[tuple[str, float], list[Result]] = {}
    for result in results:
        groups.setdefault((result["mode"], result["minutes"]), []).append(result)
    lines += [_row(mode, minutes, group) for (mode, minutes), group in sorted(groups.items())]
    for (mode, minutes), group in sorted(groups.items()):
        lines += ["", f"{mode}, {minutes:g} minutes: {_by_type(group)}"]
    lines += ["", f"left out: {_left_out(results)}"]
    return "\n".join(lines)


def _row(mode: str, minutes: float, group: Sequence[Result]) -> str:
    own = _outcomes(group, "own")
    same = _outcomes(group, "synonyms")
    share, other = _ex(own), _ex(same)
    shares = [_ex(_outcomes([each], "own")).value for each in group]
    macro = statistics.mean(each for each in shares if each is not None)
    answered = [each for each in own if each["status"] != "refused"]
    ran = Share(sum(each["executes"] for each in answered), len(answered))
    refused = Share(len(own) - len(answered), len(own))
    surest = sorted(own, key=lambda o: -o["confidence"] if o["status"] == "ok" else 1.0)
    covered = _ex(surest[: round(len(surest) * COVERED)])
    low, high = share.interval or (0.0, 0.0)
    databases, seeds = {g["database"] for g in group}, {g["seed"] for g in group}
    return (
        f"| {mode} | {minutes:g} | {len(databases)} | {len(seeds)} | {share.n} | {_percent(share)}"
        f" | {low:.1%} to {high:.1%} | {macro:.1%} | {_percent(other)} ({other.n})"
        f" | {_percent(ran)} | {_percent(refused)} | {_percent(covered)} |"
    )


def _outcomes(group: Sequence[Result], wording: str) -> list[Mapping[str, Any]]:
    return [o for result in group for o in result["outcomes"] if o["wording"] == wording]


def _ex(outcomes: Sequence[Mapping[str, Any]]) -> Share:
    return Share(sum(each["correct"] for each in outcomes), len(outcomes))


def _percent(share: Share) -> str:
    return "-" if share.value is None else f"{share.value:.1%}"


def _by_type(group: Sequence[Result]) -> str:
    own = _outcomes(group, "own")
    kinds = sorted({each["type"] for each in own})
    shares = [(kind, _ex([each for each in own if each["type"] == kind])) for kind in kinds]
    return ", ".join(f"{kind} {_percent(share)} ({share.n})" for kind, share in shares)


def _left_out(results: Sequence[Result]) -> str:
    by_database = {result["database"]: result["left_out"] for result in results}
    reasons: dict[str, int] = {}
    for each in by_database.values():
        for reason, count in each.items():
            reasons[reason] = reasons.get(reason, 0) + count
    return ", ".join(f"{count} {reason}" for reason, count in sorted(reasons.items())) or "none"


def read_results(path: Path) -> list[Result]:
    """The whole lines; the last one is torn where a run was ended while it wrote."""
    if not path.is_file():
        return []
    lines = path.read_text("utf-8").split("\n")[:-1]
    return [json.loads(line) for line in lines if line]


def run_all(jobs: Sequence[Job], path: Path, wrapped: Callable[[str], Wrapped]) -> list[Result]:
    for job in jobs:
        results = read_results(path)
        if job.is_done(results):
            continue
        made = measured(job, wrapped(job.database))
        with path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(made) + "\n")
        own = _ex(_outcomes([made], "own"))
        print(f"{job.database} {job.mode} seed {job.seed}: {own.correct}/{own.n}", flush=True)
    return read_results(path)


def made_from() -> str:
    """The same for the same shipped weights."""
    files = (recipe.WEIGHTS, RANKING)
    return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()[:12]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("work", type=Path)
    usual = sorted(HELD_OUT - NOT_ENGLISH)
    parser.add_argument("--databases", nargs="+", choices=sorted(HELD_OUT), default=usual)
    parser.add_argument("--modes", nargs="+", choices=MODES, default=["zero_shot"])
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    parser.add_argument("--minutes", type=float, default=0.5)
    parser.add_argument(
        "--questions", type=int, default=0, help="of each wording, so many a database"
    )
    given = parser.parse_args()
    os.environ.pop("DBT_PROJECT_DIR", None)
    schemas, _ = read_schemas(given.data)
    given.work.mkdir(parents=True, exist_ok=True)
    stamp = made_from()
    jobs = [
        Job(
            database,
            mode,
            seed,
            given.minutes if mode in _TRAINED else 0.0,
            given.questions,
            stamp,
        )
        for mode in given.modes
        for database in given.databases
        for seed in given.seeds
    ]
    path = given.work / "results.jsonl"

    def wrapped(name: str) -> Wrapped:
        return wrap(schemas[name], given.data, given.work)

    print("\n" + told(run_all(jobs, path, wrapped)))


if __name__ == "__main__":
    main()
