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
import time
from collections.abc import Sequence
from pathlib import Path

import torch
from safetensors.torch import load_file

from dbt_t2s.model.encoder import READER, Encoder
from dbt_t2s.model.recipe import Recipe, Row, Run, mean_loss, new_network
from tests.tools.pretrain.linked import link_all
from tests.tools.pretrain.reading import ReadingNetwork, lay_out


def begun(folder: Path | None) -> ReadingNetwork:
    """A network from nothing, or from the weights in ``folder``, which may know fewer keywords."""
    reader = Encoder(reader=_file(folder, READER.name)).reader
    network = new_network(0, 0, None)
    weights = _file(folder, "model.safetensors")
    if weights is not None:
        known = {k: v.float() for k, v in load_file(weights).items() if "residual" not in k}
        state = network.state_dict()
        for name, value in known.items():
            state[name][: len(value)] = value
    return ReadingNetwork(reader, network)


def _file(folder: Path | None, name: str) -> Path | None:
    return folder / name if folder is not None and (folder / name).is_file() else None


@torch.inference_mode()
def exact(network: ReadingNetwork, rows: Sequence[Row]) -> float:
    """The share of plans of which every token is the likeliest, given those before."""
    network.train(False)
    right = 0
    for at in range(0, len(rows), 32):
        batch, targets = lay_out(rows[at : at + 32])
        memory = network.encode(batch)
        guessed = network.network.decode(memory, targets[:, :-1]).argmax(-1)
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
    parser.add_argument("--begin-with", type=Path, help="a folder with weights to go on from")
    given = parser.parse_args()
    began = time.monotonic()
    rows, held = link_all(given.work, given.projects, given.per_schema)
    counts = ", ".join(f"{len(v)} {k}" for k, v in held.items())
    print(f"{len(rows)} rows, held out {counts}, {time.monotonic() - began:.0f} s", flush=True)
    network = begun(given.begin_with)
    recipe = Recipe(batch=given.batch, rate=given.rate, warmup=300, fewer=0.4, settled=0)
    steps = given.examples // given.batch
    slow = tuple(network.reader.parameters())
    run = Run(network, rows, recipe, 0, steps, lay_out, slow)
    # Rows may be added between pieces: only the schedule must stay.
    checkpoint, identity = given.work / "pretrain.safetensors", f"{given.examples}"
    run.resume(checkpoint, identity)
    while run.step < run.steps and time.monotonic() - began < given.minutes * 60:
        run.advance()
        if run.step % 500 == 0:
            run.save(checkpoint, identity)
            loss = sum(run.losses[-200:]) / len(run.losses[-200:])
            unseen = " ".join(
                f"{k} {mean_loss(network, v[::3], lay_out=lay_out):.3f} "
                f"exact {exact(network, v[::3]):.3f}"
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
        given.out.mkdir(parents=True, exist_ok=True)
        network.reader.save(given.out / READER.name)
        network.network.half().save_pretrained(given.out)  # type: ignore[no-untyped-call]


if __name__ == "__main__":
    main()
