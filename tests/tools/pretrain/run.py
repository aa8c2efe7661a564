"""Pretrains the embedded model's network across schemas; resumable in pieces.

    python -m tests.tools.pretrain DATA WORK          # human questions → plans, once
    python -m tests.tools.pretrain.run WORK OUT --examples 300000 --minutes 9

Each call goes on from the last checkpoint and stops after ``--minutes``. WORK holds the linked
rows and the checkpoint, OUT the network once all examples are seen. Databases of ``split`` are
held out: the loss and the share of plans written exactly right on them are printed.
"""

from __future__ import annotations

import argparse
import json
import pickle
import time
from datetime import date
from pathlib import Path

import torch

from dbt_t2s import store
from dbt_t2s.errors import CorpusError
from dbt_t2s.model.encoder import Encoder
from dbt_t2s.model.linking import (
    ITEM_FEATURES,
    ITEM_RELATIONS,
    QUESTION_FEATURES,
    RELATIONS,
    Linked,
    SchemaIndex,
)
from dbt_t2s.model.network import PlanConfig, PlanNetwork
from dbt_t2s.model.recipe import Recipe, Row, Run, mean_loss, prepare, tensors
from dbt_t2s.project.schema import ProjectSchema
from tests.tools.pretrain.machine import machine_rows
from tests.tools.pretrain.split import HELD_OUT

TODAY = date(2020, 1, 1)
Rows = list[dict[str, object]]


def link_all(work: Path, per_schema: int) -> tuple[list[Row], list[Row]]:
    """All rows linked, (training, held out); kept in WORK because linking takes minutes."""
    ready = work / f"linked_{per_schema}.pickle"
    if ready.is_file():
        # Our own file from an earlier piece of this run, never one from elsewhere.
        found: tuple[list[Row], list[Row]] = pickle.loads(ready.read_bytes())
        return found
    human: dict[str, Rows] = {}
    for line in (work / "rows.jsonl").read_text("utf-8").splitlines():
        row = json.loads(line)
        made = {"question": row["question"], "plan": json.dumps(row["plan"]), "phase": 2}
        human.setdefault(row["db_id"], []).append(made)
    encoder, train, held = Encoder(), list[Row](), list[Row]()
    for number, path in enumerate(sorted((work / "schemas").glob("*.json"))):
        schema = store.read_json(path, ProjectSchema)
        index = SchemaIndex(schema, encoder, TODAY)
        rows = _linked(human.get(path.stem, []), index)
        if path.stem in HELD_OUT:
            held += rows
            continue
        train += rows
        train += _machine(schema, per_schema, number, encoder)
        print(f"{number} {path.stem}: {len(train)} rows", flush=True)
    ready.write_bytes(pickle.dumps((train, held)))
    return train, held


def _machine(schema: ProjectSchema, count: int, seed: int, encoder: Encoder) -> list[Row]:
    try:
        made, rows = machine_rows(schema, count, seed)
    except CorpusError:
        return []
    given: Rows = [{"question": q, "plan": json.dumps(p), "phase": f} for q, p, f in rows]
    return _linked(given, SchemaIndex(made, encoder, TODAY))


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
    parser.add_argument("out", type=Path)
    parser.add_argument("--examples", type=int, default=300_000)
    parser.add_argument("--per-schema", type=int, default=120)
    parser.add_argument("--minutes", type=float, default=9.0)
    parser.add_argument("--batch", type=int, default=32)
    given = parser.parse_args()
    began = time.monotonic()
    rows, held = link_all(given.work, given.per_schema)
    print(f"{len(rows)} rows, {len(held)} held out, {time.monotonic() - began:.0f} s")
    torch.manual_seed(0)
    network = PlanNetwork(
        PlanConfig(
            word_item_relations=RELATIONS,
            item_item_relations=ITEM_RELATIONS,
            item_features=ITEM_FEATURES,
            question_features=QUESTION_FEATURES,
        )
    )
    recipe = Recipe(batch=given.batch, rate=1.2e-3, warmup=300)
    run = Run(network, rows, recipe, 0, given.examples // given.batch)
    checkpoint, identity = given.work / "pretrain.safetensors", f"{len(rows)} {given.examples}"
    run.resume(checkpoint, identity)
    while run.step < run.steps and time.monotonic() - began < given.minutes * 60:
        run.advance()
        if run.step % 500 == 0:
            loss = sum(run.losses[-200:]) / len(run.losses[-200:])
            seconds = time.monotonic() - began
            unseen = f"held-out {mean_loss(network, held):.3f} exact {exact(network, held):.3f}"
            print(
                f"step {run.step}/{run.steps} loss {loss:.3f} {unseen} {seconds:.0f} s", flush=True
            )
    run.save(checkpoint, identity)
    if run.step >= run.steps:
        print(f"held-out exact plans {exact(network, held):.3f}")
        network.half().save_pretrained(given.out)  # type: ignore[no-untyped-call]


if __name__ == "__main__":
    main()
