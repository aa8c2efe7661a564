"""Fits the plans' ranking, the refusing and the confidence on held-out questions.

    python -m tests.tools.pretrain.ranking WORK PROJECTS WEIGHTS OUT --processes 2

Every held-out question is searched with the weights in the folder WEIGHTS, linked as in use; a plan
is right where its SQL is the gold plan's.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from datetime import date
from functools import partial
from pathlib import Path

import numpy as np
import torch
from safetensors.numpy import save_file

from dbt_t2s.errors import QueryPlanError
from dbt_t2s.model.embedded import WIDTH
from dbt_t2s.model.encoder import READER, Encoder
from dbt_t2s.model.linking import Linked, Linker, stack
from dbt_t2s.model.network import Batch, PlanNetwork
from dbt_t2s.model.ranking import (
    CONFIDENCE_FEATURES,
    REFUSAL_FEATURES,
    Explained,
    Ranking,
    confidence_features,
    refusal_features,
)
from dbt_t2s.model.recipe import new_network
from dbt_t2s.model.schema_index import SchemaIndex
from dbt_t2s.model.search import Searched, search
from dbt_t2s.project.schema import ProjectSchema
from dbt_t2s.query.bind import Binder
from dbt_t2s.query.grammar import Grammar
from dbt_t2s.query.linear import REFUSAL, from_tokens
from dbt_t2s.query.plan import Has, Not, Or, Plan, Pred, is_measure
from dbt_t2s.query.preamble import asked
from tests.tools.pretrain.sources import Asking, held_out

_MOST_PER_SCHEMA = 40
# Another team's questions differ more from these than these from each other: at 7% here, 11% of the
# answerable questions about the example project were refused.
_WRONGLY_REFUSED = 0.025
_PARTS = (30, 50, 80, 100)
_AT_ONCE = 16
_HELD_BACK = 1e-3
Beams = tuple[np.ndarray, np.ndarray]  # features (plans, columns), right (plans,)


@dataclass(frozen=True)
class Tried:
    """One question searched: which of the plans ``found`` are the gold's; None where it is to be
    refused. ``group`` is its schema's number, ``invented`` whether its project is this team's.
    """

    group: int
    invented: bool
    linked: Linked
    found: Searched
    right: tuple[bool, ...] | None


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("work", type=Path)
    parser.add_argument("projects", type=Path)
    parser.add_argument("weights", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--processes", type=int, default=2)
    given = parser.parse_args()
    tried = _tried(given.work, given.projects, given.weights, given.processes)
    beams = [(t.group, *_features(t)) for t in tried if t.right and any(t.right)]
    for fold in (0, 1):
        fitted = fit([(f, r) for g, f, r in beams if g % 2 != fold])
        _report([(f, r) for g, f, r in beams if g % 2 == fold], fitted, len(tried))
    ranked = fit([(f, r) for _, f, r in beams])
    print(np.round(ranked, 2))
    none = np.zeros(REFUSAL_FEATURES, dtype=np.float32)
    unsure = np.zeros(CONFIDENCE_FEATURES, dtype=np.float32)
    save_file({"weights": ranked, "refusing": none, "confidence": unsure}, given.out)
    ranking = Ranking(given.out)
    refusing = fit_refusal([t for t in tried if t.invented], ranking)
    sure = fit_confidence([t for t in tried if t.right and t.found.plans], ranking)
    save_file({"weights": ranked, "refusing": refusing, "confidence": sure}, given.out)


def _tried(work: Path, projects: Path, weights: Path, processes: int) -> list[Tried]:
    """Held-out questions, each searched by the network as in use."""
    groups = list(enumerate(held_out(work, projects)))
    # The largest first, so that no process ends long before the others.
    groups.sort(key=lambda group: -sum(len(rows) for _, rows in group[1]))
    with ProcessPoolExecutor(processes) as pool:
        found = pool.map(partial(_of_group, weights=weights), groups)
        return [each for part in found for each in part]


def _of_group(
    group: tuple[int, tuple[tuple[ProjectSchema, list[Asking]], ...]], weights: Path
) -> list[Tried]:
    """One schema's, and those that are asked of it among more."""
    torch.set_num_threads(1)
    network = new_network(0, 0, weights / "model.safetensors")
    network.train(False)
    encoder = Encoder(reader=weights / READER.name)
    number, told = group
    made: list[Tried] = []
    for wide, (schema, rows) in enumerate(told):
        most = _MOST_PER_SCHEMA * (4 if schema.as_of else 1) // (wide + 1)
        rows = rows[:: max(1, len(rows) // most)]
        made += _of_schema(number, schema, rows, network, encoder)
        print(f"{schema.project}: {len(rows)} questions", flush=True)
    return made


def _of_schema(
    group: int,
    schema: ProjectSchema,
    rows: Sequence[Asking],
    network: PlanNetwork,
    encoder: Encoder,
) -> Iterator[Tried]:
    index = SchemaIndex(schema, encoder, date.fromisoformat(schema.as_of or "2020-01-01"))
    grammar = Grammar(schema, index.binder.graph)
    linked = Linker(index).link([asked(q) for q, _ in rows])
    found = searched(network, linked, grammar)
    for (_, gold), each, plans in zip(rows, linked, found, strict=True):
        wanted = sql_of(index.binder, gold)
        right = tuple(sql_of(index.binder, p.tokens) == wanted for p in plans.plans)
        yield Tried(group, bool(schema.as_of), each, plans, None if gold == REFUSAL else right)


def _features(tried: Tried) -> Beams:
    explained = Explained(tried.linked)
    features = np.stack([explained.features(plan) for plan in tried.found.plans])
    return features, np.array(tried.right)


def fit_refusal(tried: Sequence[Tried], ranking: Ranking) -> np.ndarray:
    """Weights (REFUSAL_FEATURES,), shifted so that few answerable questions are refused."""
    rows = []
    for each in tried:
        explained = Explained(each.linked)
        ordered = ranking.order(each.found.plans, explained)
        rows.append(refusal_features(each.found.refusal, ordered, explained))
    x = np.stack(rows)
    y = np.array([t.right is None for t in tried])
    made = logistic(x, y)
    scores = x @ made
    # The last feature is constant: its weight moves the threshold.
    threshold = float(np.quantile(scores[~y], 1 - _WRONGLY_REFUSED))
    alone = x[:, 0]
    plain = float((alone[y] > np.quantile(alone[~y], 1 - _WRONGLY_REFUSED)).mean())
    caught = float((scores[y] > threshold).mean())
    print(
        f"refused at {_WRONGLY_REFUSED:.1%} wrongly: {caught:.3f}, by the network alone {plain:.3f}"
    )
    made[-1] -= threshold
    return made


def fit_confidence(tried: Sequence[Tried], ranking: Ranking) -> np.ndarray:
    """Weights (CONFIDENCE_FEATURES,): the chance that the first plan is right."""
    rows, right = [], []
    for each in tried:
        ordered = ranking.order(each.found.plans, Explained(each.linked))
        rows.append(confidence_features(each.found.refusal, ordered))
        right.append((each.right or ())[each.found.plans.index(ordered[0][1])])
    x, y = np.stack(rows), np.array(right)
    made = logistic(x, y)
    surest = np.argsort(-(x @ made), kind="stable")
    shares = {part: round(float(y[surest[: len(y) * part // 100]].mean()), 3) for part in _PARTS}
    print(f"right among the surest, by per cent of answers: {shares}")
    return made


def logistic(rows: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Weights (columns,) of a logistic regression, lightly held back."""
    x, y = torch.from_numpy(rows), torch.from_numpy(labels.astype(np.float32))
    weights = torch.zeros(x.shape[1], requires_grad=True)
    optimizer = torch.optim.LBFGS([weights], max_iter=200, line_search_fn="strong_wolfe")

    def loss() -> torch.Tensor:
        optimizer.zero_grad()
        missed = torch.nn.functional.binary_cross_entropy_with_logits(x @ weights, y)
        total: torch.Tensor = missed + 1e-3 * weights.square().sum()
        total.backward()  # type: ignore[no-untyped-call]
        return total

    optimizer.step(loss)  # type: ignore[no-untyped-call]
    made: np.ndarray = weights.detach().numpy()
    return made


@torch.inference_mode()
def searched(network: PlanNetwork, linked: Sequence[Linked], grammar: Grammar) -> list[Searched]:
    """What is found for each question; those of like width are searched together."""
    found: dict[int, Searched] = {}
    order = sorted(range(len(linked)), key=lambda at: len(linked[at].items))
    for start in range(0, len(order), _AT_ONCE):
        numbers = order[start : start + _AT_ONCE]
        part = [linked[at] for at in numbers]
        batch = Batch(**stack(part))
        batch.item_ids.zero_()  # this network knows no schema's own items
        found |= zip(
            numbers, search(network, network.encode(batch), part, grammar, WIDTH), strict=True
        )
    return [found[at] for at in range(len(linked))]


def sql_of(binder: Binder, tokens: Sequence[str]) -> str:
    """The plan's SQL, the same for plans that differ in the order of columns or conditions alone;
    empty where it has none."""
    try:
        plan = from_tokens(tokens)
        return binder.sql(_unordered(plan)) if plan else ""
    except QueryPlanError:
        return ""


def _unordered(plan: Plan) -> Plan:
    select = tuple(sorted(plan.select, key=lambda each: (is_measure(each), repr(each))))
    return replace(plan, select=select, where=_each(plan.where), having=_each(plan.having))


def _each(conditions: Sequence[Pred]) -> tuple[Pred, ...]:
    """The conditions in one order; neither of two is not the one and not the other."""
    found = (part for condition in conditions for part in _parts(condition))
    return tuple(sorted(found, key=repr))


def _parts(condition: Pred) -> Iterator[Pred]:
    if isinstance(condition, Not) and isinstance(condition.of, Or):
        for side in (condition.of.left, condition.of.right):
            yield from _parts(Not(side))
    elif isinstance(condition, Or):
        first, *others = sorted(_alternatives(condition), key=repr)
        made: Pred = first
        for other in others:
            made = Or(made, other)
        yield made
    elif isinstance(condition, Has):
        yield replace(condition, where=_each(condition.where))
    else:
        yield condition


def _alternatives(condition: Pred) -> Iterator[Pred]:
    if isinstance(condition, Or):
        yield from _alternatives(condition.left)
        yield from _alternatives(condition.right)
    else:
        yield condition


def fit(given: Sequence[Beams]) -> np.ndarray:
    """Weights (columns,) under which the right rows of each have the largest share, held back."""
    counts = torch.tensor([len(f) for f, _ in given])
    x = torch.from_numpy(np.concatenate([f for f, _ in given]))
    right = torch.from_numpy(np.concatenate([r for _, r in given]))
    which = torch.repeat_interleave(torch.arange(len(given)), counts)
    weights = torch.zeros(x.shape[1])
    weights[0] = 1.0
    weights.requires_grad_(True)
    optimizer = torch.optim.LBFGS([weights], max_iter=300, line_search_fn="strong_wolfe")

    def sums(scores: torch.Tensor, counted: torch.Tensor) -> torch.Tensor:
        """Log of the summed exponentials of each one's scores that are counted."""
        scores = scores.masked_fill(~counted, -1e9)
        most = torch.full((len(given),), -1e9).scatter_reduce(0, which, scores, "amax")
        shares = torch.exp(scores - most[which]) * counted
        return most + torch.log(torch.zeros(len(given)).scatter_add(0, which, shares))

    def loss() -> torch.Tensor:
        optimizer.zero_grad()
        scores = x @ weights
        missed = (sums(scores, torch.ones_like(right)) - sums(scores, right)).mean()
        total: torch.Tensor = missed + _HELD_BACK * weights[1:].square().sum()
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
    main()
