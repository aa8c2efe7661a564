"""Fits the plans' ranking on held-out questions.

    python -m tests.tools.pretrain.ranking WORK PROJECTS NETWORK OUT

Every held-out question is searched with NETWORK's weights, linked as in use; a plan is right where
its SQL is the gold plan's.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from datetime import date
from pathlib import Path

import numpy as np
import torch
from safetensors.numpy import save_file

from dbt_t2s.errors import QueryPlanError
from dbt_t2s.model.embedded import WIDTH
from dbt_t2s.model.encoder import Encoder
from dbt_t2s.model.linking import Linked, Linker, SchemaIndex, stack
from dbt_t2s.model.network import Batch, PlanNetwork
from dbt_t2s.model.ranking import (
    FEATURES,
    REFUSAL_FEATURES,
    Explained,
    Ranking,
    refusal_features,
)
from dbt_t2s.model.recipe import new_network
from dbt_t2s.model.search import Searched, search
from dbt_t2s.query.bind import Binder
from dbt_t2s.query.grammar import Grammar
from dbt_t2s.query.linear import REFUSAL, from_tokens
from dbt_t2s.query.plan import canonical
from tests.tools.pretrain.ranker import sources

_MOST_PER_SCHEMA = 40
# Another team's questions differ more from these than these from each other: at 7% here, 11% of the
# answerable questions about the example project were refused.
_WRONGLY_REFUSED = 0.02
Beams = tuple[np.ndarray, np.ndarray]  # features (plans, FEATURES), right (plans,)


def main(work: Path, projects: Path, weights: Path, out: Path) -> None:
    network = new_network(0, 0, weights)
    network.train(False)
    encoder = Encoder()
    beams: list[Beams] = []
    groups: list[int] = []
    searched: list[tuple[Searched, Linked, bool]] = []
    asked = 0
    held = [
        (schema, rows)
        for schema, rows, is_held in sources(work, projects, refusals=True)
        if is_held
    ]
    for group, (schema, rows) in enumerate(held):
        most = _MOST_PER_SCHEMA * (4 if schema.as_of else 1)
        rows = rows[:: max(1, len(rows) // most)]
        index = SchemaIndex(schema, encoder, date.fromisoformat(schema.as_of or "2020-01-01"))
        grammar = Grammar(schema, index.binder.graph)
        linked = Linker(index).link([q for q, _ in rows])
        for (_, gold), each in zip(rows, linked, strict=True):
            asked += 1
            found = _searched(network, Batch(**stack([each])), each, grammar)
            if schema.as_of:
                searched.append((found, each, gold == REFUSAL))
            if gold == REFUSAL:
                continue
            wanted = _sql(index.binder, gold)
            right = np.array([_sql(index.binder, p.tokens) == wanted for p in found.plans])
            if right.any():
                explained = Explained(each)
                features = np.stack([explained.features(p) for p in found.plans])
                beams.append((features, right))
                groups.append(group)
        print(f"{schema.project}: {len(beams)} of {asked}", flush=True)
    folds = np.array(groups) % 2
    for fold in (0, 1):
        fitted = fit([b for b, f in zip(beams, folds, strict=True) if f != fold])
        _report([b for b, f in zip(beams, folds, strict=True) if f == fold], fitted, asked)
    whole = fit(beams)
    print(np.round(whole, 2))
    save_file({"weights": whole, "refusing": np.zeros(REFUSAL_FEATURES, dtype=np.float32)}, out)
    save_file({"weights": whole, "refusing": fit_refusal(searched, Ranking(out))}, out)


def fit_refusal(searched: Sequence[tuple[Searched, Linked, bool]], ranking: Ranking) -> np.ndarray:
    """Weights (REFUSAL_FEATURES,), shifted so that few answerable questions are refused."""
    rows = [
        refusal_features(found.refusal, ranking.order(found.plans, linked), linked)
        for found, linked, _ in searched
    ]
    x = torch.from_numpy(np.stack(rows))
    y = torch.tensor([float(refused) for _, _, refused in searched])
    weights = torch.zeros(REFUSAL_FEATURES, requires_grad=True)
    optimizer = torch.optim.LBFGS([weights], max_iter=200, line_search_fn="strong_wolfe")

    def loss() -> torch.Tensor:
        optimizer.zero_grad()
        missed = torch.nn.functional.binary_cross_entropy_with_logits(x @ weights, y)
        total: torch.Tensor = missed + 1e-3 * weights.square().sum()
        total.backward()  # type: ignore[no-untyped-call]
        return total

    optimizer.step(loss)  # type: ignore[no-untyped-call]
    scores = (x @ weights).detach()
    # The last feature is constant: its weight moves the threshold.
    threshold = float(torch.quantile(scores[y == 0], 1 - _WRONGLY_REFUSED))
    caught = float((scores[y == 1] > threshold).float().mean())
    alone = x[:, 0]
    plain = float(
        (alone[y == 1] > torch.quantile(alone[y == 0], 1 - _WRONGLY_REFUSED)).float().mean()
    )
    print(
        f"refused at {_WRONGLY_REFUSED:.0%} wrongly: {caught:.3f}, by the network alone {plain:.3f}"
    )
    made: np.ndarray = weights.detach().numpy()
    made[-1] -= threshold
    return made


def _searched(network: PlanNetwork, batch: Batch, linked: Linked, grammar: Grammar) -> Searched:
    batch.item_ids.zero_()  # this network knows no schema's own items
    with torch.inference_mode():
        return search(network, network.encode(batch), linked, grammar, WIDTH)


def _sql(binder: Binder, tokens: Sequence[str]) -> str:
    try:
        plan = from_tokens(tokens)
        return binder.sql(canonical(plan)) if plan else ""
    except QueryPlanError:
        return ""


def fit(beams: Sequence[Beams]) -> np.ndarray:
    """Weights (FEATURES,) under which the right plans have the largest share."""
    weights = torch.zeros(FEATURES)
    weights[0] = 1.0
    weights.requires_grad_(True)
    optimizer = torch.optim.LBFGS([weights], max_iter=200, line_search_fn="strong_wolfe")
    given = [(torch.from_numpy(f), torch.from_numpy(r)) for f, r in beams]

    def loss() -> torch.Tensor:
        optimizer.zero_grad()
        parts = [
            torch.logsumexp(f @ weights, 0) - torch.logsumexp((f @ weights)[r], 0) for f, r in given
        ]
        total = torch.stack(parts).mean() + 1e-3 * weights[1:].square().sum()
        total.backward()  # type: ignore[no-untyped-call]
        return total

    optimizer.step(loss)  # type: ignore[no-untyped-call]
    made: np.ndarray = weights.detach().numpy()
    return made


def _report(beams: Sequence[Beams], weights: np.ndarray, asked: int) -> None:
    likely = np.mean([bool(r[f[:, 0].argmax()]) for f, r in beams])
    ranked = np.mean([bool(r[(f @ weights).argmax()]) for f, r in beams])
    print(f"{len(beams)} beams with a right plan, of {asked}")
    print(f"right first: by probability {likely:.3f}, ranked {ranked:.3f}")


if __name__ == "__main__":
    main(*(Path(each) for each in sys.argv[1:5]))
