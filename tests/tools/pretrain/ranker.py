"""Fits the candidate ranker: ``python -m tests.tools.pretrain.ranker WORK PROJECTS OUT``.

WORK holds the human rows and schemas, PROJECTS the invented projects. The databases and projects
of ``split`` measure: the share of questions whose items are all among the candidates.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.numpy import save_file

from dbt_t2s import store
from dbt_t2s.model import candidates, linking
from dbt_t2s.model.encoder import Encoder
from dbt_t2s.model.schema_index import SchemaIndex
from dbt_t2s.project.schema import ProjectSchema
from tests.tools.pretrain.invented import Asked, read_project, read_questions
from tests.tools.pretrain.split import HELD_OUT, HELD_OUT_PROJECTS

_MOST_PER_SCHEMA = 60
Asking = tuple[str, tuple[str, ...]]


def sources(
    work: Path, projects: Path, refusals: bool = False
) -> Iterator[tuple[ProjectSchema, list[Asking], bool]]:
    """Each schema, its questions with plans, and whether it is held out."""
    human: dict[str, list[Asking]] = {}
    for line in (work / "rows.jsonl").read_text("utf-8").splitlines():
        row = json.loads(line)
        human.setdefault(row["db_id"], []).append((row["question"], tuple(row["plan"])))
    for path in sorted((work / "schemas").glob("*.json")):
        rows = human.get(path.stem, [])
        yield store.read_json(path, ProjectSchema), rows, path.stem in HELD_OUT
    for path in sorted(projects.glob("*.yml")):
        files = [path.with_suffix(suffix) for suffix in (".txt", ".meant")]
        asked = [a for f in files if f.is_file() for a in read_questions(f) if isinstance(a, Asked)]
        rows = [(a.question, a.tokens) for a in asked if refusals or a.tokens[0] != "REFUSE"]
        yield read_project(path), rows, path.stem in HELD_OUT_PROJECTS


class _Watched(linking.Linker):
    """A linker that keeps the ranker's numbers instead of linking."""

    def __init__(self, index: SchemaIndex) -> None:
        self.index = index  # no ranker yet: this fits it
        self.kept: list[np.ndarray] = []

    def _chosen(self, features: np.ndarray, passed_over: np.ndarray, gold: Any) -> list[int]:
        self.kept.append(features)
        return [0]


def main(work: Path, projects: Path, out: Path) -> None:
    encoder = Encoder()
    train: list[tuple[np.ndarray, np.ndarray, np.ndarray]] = []
    held: list[tuple[np.ndarray, np.ndarray, candidates.Places, str]] = []
    for schema, rows, is_held in sources(work, projects):
        today = date.fromisoformat(schema.as_of or "2020-01-01")
        index = SchemaIndex(schema, encoder, today)
        rows = rows[:: max(1, len(rows) // _MOST_PER_SCHEMA)]
        watched = _Watched(index)
        watched.link([q for q, _ in rows])
        for (_, tokens), features in zip(rows, watched.kept, strict=True):
            gold = np.array([item.token in tokens for item in index.items])
            if is_held:
                held.append((features, gold, index.places, "invented" if schema.as_of else "human"))
            else:
                train.append((features, gold, index.places.sort))
    weights, bias = fit(train)
    save_file({"weights": weights, "bias": bias}, out)
    ranker = candidates.Ranker(out)
    for most in (18, 22, 26, 30, 36):
        candidates.MOST = most
        for name in ("human", "invented"):
            whole, sizes = [], []
            for features, gold, places, of in held:
                if of == name:
                    found = candidates.chosen(places, ranker.scores(places, features), ())
                    whole.append(set(np.flatnonzero(gold)) <= set(found))
                    sizes.append(len(found))
            print(
                f"{most} {name}: {np.mean(whole):.3f} of {len(whole)}, {np.mean(sizes):.1f} items"
            )


def fit(train: list[tuple[np.ndarray, np.ndarray, np.ndarray]]) -> tuple[np.ndarray, np.ndarray]:
    """Weights (sorts, F) and bias (sorts,) of the logistic model, by L-BFGS with a little decay."""
    x = torch.from_numpy(np.concatenate([f for f, _, _ in train])).float()
    y = torch.from_numpy(np.concatenate([g for _, g, _ in train])).float()
    sort = torch.from_numpy(np.concatenate([s for _, _, s in train]))
    scale = x.abs().amax(0).clamp(min=1e-6)
    weights = torch.zeros(len(candidates.RANKED_SORTS), x.shape[1], requires_grad=True)
    bias = torch.zeros(len(candidates.RANKED_SORTS), requires_grad=True)
    optimizer = torch.optim.LBFGS([weights, bias], max_iter=150, line_search_fn="strong_wolfe")

    def loss() -> torch.Tensor:
        optimizer.zero_grad()
        scores = ((x / scale) * weights[sort]).sum(-1) + bias[sort]
        missed = torch.nn.functional.binary_cross_entropy_with_logits(
            scores, y, pos_weight=torch.tensor(4.0)
        )
        total: torch.Tensor = missed + 1e-5 * weights.square().sum()
        total.backward()  # type: ignore[no-untyped-call]
        return total

    optimizer.step(loss)  # type: ignore[no-untyped-call]
    print(f"{len(y)} items, loss {float(loss().detach()):.4f}")
    return (weights.detach() / scale).numpy(), bias.detach().numpy()


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), Path(sys.argv[3]))
