"""Pretrains the embedded model's network across schemas; resumable in pieces.

    python -m tests.tools.pretrain DATA WORK          # human questions → plans, once
    python -m tests.tools.pretrain.run WORK PROJECTS OUT --examples 300000 --minutes 9

Each call goes on from the last checkpoint and stops after ``--minutes``. WORK holds the linked
rows and the checkpoint, PROJECTS the invented projects (``invented``), OUT the network once all
examples are seen. The databases and projects of ``split`` are held out: the loss and the share of
plans written exactly right on them are printed.
"""

from __future__ import annotations

import argparse
import json
import pickle
import time
from collections.abc import Callable, Iterator
from datetime import date
from functools import partial
from pathlib import Path

import torch

from dbt_t2s import store
from dbt_t2s.errors import CorpusError
from dbt_t2s.model.encoder import Encoder
from dbt_t2s.model.linking import Linked, SchemaIndex
from dbt_t2s.model.network import PlanNetwork
from dbt_t2s.model.recipe import Recipe, Row, Run, mean_loss, new_network, prepare, tensors
from dbt_t2s.project.schema import ProjectSchema
from dbt_t2s.query.linear import from_tokens, to_tokens
from dbt_t2s.query.plan import canonical
from tests.tools.pretrain.invented import Asked, Checker, read_project, read_questions
from tests.tools.pretrain.machine import believed, machine_rows
from tests.tools.pretrain.split import HELD_OUT, HELD_OUT_PROJECTS

TODAY = date(2020, 1, 1)
WRITTEN_TIMES = 3  # how often a written question counts for one made by machine
Rows = list[dict[str, object]]
Linked2 = tuple[list[Row], list[Row]]
Held = dict[str, list[Row]]


def link_all(work: Path, projects: Path, per_schema: int) -> tuple[list[Row], Held]:
    """All rows linked, (training, held out); each source kept in WORK: linking takes minutes."""
    encoder = Encoder()
    human, held_human = _kept(work / "linked_human.pickle", lambda: _human(work, encoder))
    made = work / f"linked_machine_{per_schema}.pickle"
    machine, _ = _kept(made, lambda: _machines(work, per_schema, encoder))
    train, held_written = [*human, *machine], list[Row]()
    for number, path in enumerate(sorted(projects.glob("*.yml"))):
        make = partial(_invented, path, per_schema * 4, number, encoder)
        written, held = _kept(work / f"linked_invented_{path.stem}.pickle", make)
        train += written
        held_written += held
    return train, {"human": held_human, "invented": held_written}


def _kept(ready: Path, make: Callable[[], Linked2]) -> Linked2:
    if ready.is_file():
        # Our own file from an earlier piece of this run, never one from elsewhere.
        found: Linked2 = pickle.loads(ready.read_bytes())
        return found
    made = make()
    ready.write_bytes(pickle.dumps(made))
    return made


def _human(work: Path, encoder: Encoder) -> Linked2:
    """Human questions, (training, held out)."""
    asked: dict[str, Rows] = {}
    for line in (work / "rows.jsonl").read_text("utf-8").splitlines():
        row = json.loads(line)
        made = _given(row["question"], tuple(row["plan"]), 2)
        asked.setdefault(row["db_id"], []).append(made)
    train, held = list[Row](), list[Row]()
    for number, (name, schema) in enumerate(_schemas(work)):
        rows = _linked(asked.get(name, []), SchemaIndex(schema, encoder, TODAY))
        (held if name in HELD_OUT else train).extend(rows)
        print(f"human {number} {name}: {len(train)} rows", flush=True)
    return train, held


def _machines(work: Path, per_schema: int, encoder: Encoder) -> Linked2:
    """Machine-made questions over the schemas of the human ones."""
    train = list[Row]()
    for number, (name, schema) in enumerate(_schemas(work)):
        if name not in HELD_OUT:
            try:
                made, rows = machine_rows(schema, per_schema, number)
            except CorpusError:
                continue
            given = [_given(q, p, f) for q, p, f in rows]
            train += _linked(given, SchemaIndex(made, encoder, TODAY))
            print(f"machine {number} {name}: {len(train)} rows", flush=True)
    return train, []


def _invented(path: Path, machine: int, seed: int, encoder: Encoder) -> Linked2:
    """Questions written for an invented project, thrice, and ``machine`` ones over the same."""
    schema = read_project(path)
    checker = Checker(schema)
    index = SchemaIndex(schema, encoder, date.fromisoformat(schema.as_of))
    asked = [a for a in read_questions(path.with_suffix(".txt")) if isinstance(a, Asked)]
    good = [a for a in asked if not checker.problem(a)]
    rows = _linked([_given(a.question, a.tokens, 3) for a in good], index)
    print(f"invented {path.stem}: {len(rows)} rows", flush=True)
    if path.stem in HELD_OUT_PROJECTS:
        return [], rows
    made = _linked([_given(q, p, f) for q, p, f in believed(schema, machine, seed)], index)
    return rows * WRITTEN_TIMES + made, []


def _schemas(work: Path) -> Iterator[tuple[str, ProjectSchema]]:
    for path in sorted((work / "schemas").glob("*.json")):
        yield path.stem, store.read_json(path, ProjectSchema)


def _given(question: str, tokens: tuple[str, ...], phase: int) -> dict[str, object]:
    plan = from_tokens(tokens)
    written = tokens if plan is None else to_tokens(canonical(plan))
    return {"question": question, "plan": json.dumps(written), "phase": phase}


def _linked(rows: Rows, index: SchemaIndex) -> list[Row]:
    """Rows without the schema's residuals: what is learned must hold for other schemas."""
    made, _ = prepare(rows, index, None, "")
    return [
        Row(Linked(**{**vars(r.linked), "ids": r.linked.ids * 0}), r.target, r.phase) for r in made
    ]


@torch.inference_mode()
def exact(network: PlanNetwork, rows: list[Row]) -> float:
    """The share of plans of which every token is the likeliest, given those before."""
    network.train(False)
    right = 0
    for at in range(0, len(rows), 32):
        batch, targets = tensors(rows[at : at + 32])
        guessed = network.decode(network.encode(batch), targets[:, :-1]).argmax(-1)
        wanted = targets[:, 1:]
        right += int(((guessed == wanted) | (wanted == 0)).all(1).sum())
    return right / max(len(rows), 1)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("work", type=Path)
    parser.add_argument("projects", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--examples", type=int, default=300_000)
    parser.add_argument("--per-schema", type=int, default=60)
    parser.add_argument("--minutes", type=float, default=9.0)
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--rate", type=float, default=1.2e-3)
    parser.add_argument("--begin-with", type=Path, help="weights to go on from")
    given = parser.parse_args()
    began = time.monotonic()
    rows, held = link_all(given.work, given.projects, given.per_schema)
    counts = ", ".join(f"{len(v)} {k}" for k, v in held.items())
    print(f"{len(rows)} rows, held out {counts}, {time.monotonic() - began:.0f} s", flush=True)
    network = new_network(0, 0, given.begin_with)
    recipe = Recipe(batch=given.batch, rate=given.rate, warmup=300, fewer=0.4, settled=0)
    run = Run(network, rows, recipe, 0, given.examples // given.batch)
    # Rows may be added between pieces: only the schedule must stay.
    checkpoint, identity = given.work / "pretrain.safetensors", f"{given.examples}"
    run.resume(checkpoint, identity)
    while run.step < run.steps and time.monotonic() - began < given.minutes * 60:
        run.advance()
        if run.step % 500 == 0:
            run.save(checkpoint, identity)
            loss = sum(run.losses[-200:]) / len(run.losses[-200:])
            unseen = " ".join(
                f"{k} {mean_loss(network, v[::3]):.3f} exact {exact(network, v[::3]):.3f}"
                for k, v in held.items()
            )
            seconds = time.monotonic() - began
            print(
                f"step {run.step}/{run.steps} loss {loss:.3f} {unseen} {seconds:.0f} s", flush=True
            )
    run.save(checkpoint, identity)
    if run.step >= run.steps:
        for name, each in held.items():
            print(f"held-out exact plans, {name}: {exact(network, each):.3f}")
        network.half().save_pretrained(given.out)  # type: ignore[no-untyped-call]


if __name__ == "__main__":
    main()
