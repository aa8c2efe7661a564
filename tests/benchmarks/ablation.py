"""What each part of the corpus is worth: trainings with one part left out in turn, judged by EX.

    python -m tests.benchmarks.ablation DATA WORK --databases climbing party_host --minutes 0.25

DATA and WORK are those of ``unseen``, whose projects it shares. A part is left out by the examples'
provenance. What has none cannot be left out here: mined patterns only weigh the shapes, the wording
of a row is not kept beside it, and recovery and SQL variation are learned by hub models alone.
"""

from __future__ import annotations

import argparse
import json
import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from dbt_t2s import pipeline, store
from dbt_t2s.answers import candidates
from dbt_t2s.corpus.examples import Example
from dbt_t2s.model.generate import load
from dbt_t2s.model.train import train
from tests.benchmarks.unseen import (
    NOT_ENGLISH,
    Job,
    judged,
    made_from,
    read_results,
    workspace_of,
)
from tests.benchmarks.wrapped import Wrapped, wrap
from tests.tools.pretrain.rows import read_schemas
from tests.tools.pretrain.split import HELD_OUT

# What stays when a part is left out.
PARTS: Mapping[str, Callable[[Example], bool]] = {
    "nothing": lambda row: True,
    "phase 1": lambda row: row.phase != 1,
    "phase 2": lambda row: row.phase != 2,
    "phase 3": lambda row: row.phase != 3,
    "rules": lambda row: not any(t.startswith("r:") for t in json.loads(row.plan)),
    "refusals": lambda row: row.type != "refusal",
}


def ablated(job: Job, part: str, wrapped: Wrapped) -> dict[str, Any] | None:
    """One training without the part; None where the project's corpus has nothing of it."""
    workspace = workspace_of(wrapped, job)
    pipeline.generate(workspace)
    schema = pipeline.distill(workspace)
    folder = workspace.folder / "ablation"
    rows = {
        split: store.read_rows(workspace.dataset_dir / f"{split}.parquet", Example)
        for split in ("train", "dev")
    }
    kept = {split: [row for row in each if PARTS[part](row)] for split, each in rows.items()}
    lost = len(rows["train"]) - len(kept["train"])
    if part != "nothing" and not lost:
        return None
    for split, each in kept.items():
        store.write_rows(folder / "dataset" / f"{split}.parquet", each, Example)
    train(
        folder / "dataset",
        schema,
        folder / "model",
        base="embedded",
        seed=job.seed,
        minutes=job.minutes,
        resume=False,
    )
    generate = candidates(workspace, load(folder / "model", schema))
    asked = [q for q in wrapped.questions if q.wording == "own"][: job.questions or None]
    outcomes = judged(asked, generate, schema, wrapped)
    right = sum(outcome.correct for _, outcome in outcomes)
    return {**asdict(job), "left_out": part, "rows": lost, "correct": right, "n": len(outcomes)}


def told(results: Sequence[Mapping[str, Any]]) -> str:
    """The table; a difference is against nothing left out, on the same databases and seeds."""
    whole = {
        (r["database"], r["seed"], r["minutes"]): r for r in results if r["left_out"] == "nothing"
    }
    lines = [
        "| left out | databases × seeds | n | EX | points against the whole | rows left out |",
        "|---|---|---|---|---|---|",
    ]
    for part in PARTS:
        found = [r for r in results if r["left_out"] == part]
        if not found:
            lines.append(f"| {part} | 0 | 0 | nothing of it in these corpora | - | - |")
            continue
        n, right = sum(r["n"] for r in found), sum(r["correct"] for r in found)
        base = [whole[r["database"], r["seed"], r["minutes"]] for r in found]
        change = 100 * (right - sum(r["correct"] for r in base)) / max(n, 1)
        lost = statistics.mean(r["rows"] for r in found)
        lines.append(
            f"| {part} | {len(found)} | {n} | {right / max(n, 1):.1%} | {change:+.1f}"
            f" | {lost:.0f} |"
        )
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("work", type=Path)
    usual = sorted(HELD_OUT - NOT_ENGLISH)
    parser.add_argument("--databases", nargs="+", choices=usual, default=usual[:4])
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    parser.add_argument("--minutes", type=float, default=0.25)
    parser.add_argument("--questions", type=int, default=0, help="so many a database")
    given = parser.parse_args()
    schemas, _ = read_schemas(given.data)
    given.work.mkdir(parents=True, exist_ok=True)
    path = given.work / "ablation.jsonl"
    for database in given.databases:
        wrapped = wrap(schemas[database], given.data, given.work)
        for seed in given.seeds:
            job = Job(database, "ablation", seed, given.minutes, given.questions, made_from())
            for part in PARTS:
                done = [r for r in read_results(path) if job.is_done([r]) and r["left_out"] == part]
                made = None if done else ablated(job, part, wrapped)
                if made is not None:
                    with path.open("a", encoding="utf-8") as file:
                        file.write(json.dumps(made) + "\n")
                    print(f"{database} without {part}: {made['correct']}/{made['n']}", flush=True)
    minutes = [r for r in read_results(path) if r["minutes"] == given.minutes]
    print("\n" + told(minutes))


if __name__ == "__main__":
    main()
