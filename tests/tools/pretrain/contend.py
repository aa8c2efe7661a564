"""Teaches a network to put the right plan first among those that its own search finds.

    python -m tests.tools.pretrain.contend WORK PROJECTS WEIGHTS OUT --questions 6000

WEIGHTS is a folder as ``run`` writes it. Questions of schemas that are not held out are searched
as in use; a plan is right where its SQL is the gold plan's. The network then learns to give the
right ones the largest share of what the ranking makes of the plans, and REFUSE its share beside
them, with the usual loss beside (Edunov et al. 2018, "Classical Structured Prediction Losses for
Sequence to Sequence Learning"). The reader stays as it is.
"""

from __future__ import annotations

import argparse
import shutil
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from datetime import date
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from random import Random

import numpy as np
import torch
from safetensors.numpy import load_file
from torch import Tensor, nn

from dbt_t2s.model import quantized
from dbt_t2s.model.encoder import READER, Encoder
from dbt_t2s.model.linking import Linked, Linker, stack
from dbt_t2s.model.network import Batch, PlanNetwork
from dbt_t2s.model.packed import has_bf16
from dbt_t2s.model.ranking import WEIGHTS, Explained
from dbt_t2s.model.recipe import Recipe, new_network, rate_at
from dbt_t2s.model.rows import target_of
from dbt_t2s.model.schema_index import SchemaIndex
from dbt_t2s.model.search import Found
from dbt_t2s.model.training_state import optimizer_of, set_rate
from dbt_t2s.query.bind import Binder
from dbt_t2s.query.grammar import Grammar
from dbt_t2s.query.linear import REFUSAL
from dbt_t2s.query.preamble import asked
from tests.tools.pretrain.ranking import searched, sql_of
from tests.tools.pretrain.sources import sources
from tests.tools.pretrain.split import LATER_PROJECTS

_ALIKE = 16  # batches whose questions are sorted by size among themselves
_LONGEST = 64  # tokens of a plan
_EVERY = 50


@dataclass(frozen=True)
class Contest:
    """The plans of one question, REFUSE the last: their ids, which are ``right``, and what the
    ranking makes of each, its probability left out."""

    linked: Linked
    plans: tuple[tuple[int, ...], ...]
    right: tuple[bool, ...]
    ranked: tuple[float, ...]


@dataclass(frozen=True)
class Settings:
    """``usual`` weighs the cross-entropy of the right plans' tokens."""

    examples: int
    batch: int
    rate: float
    usual: float
    seed: int

    @property
    def steps(self) -> int:
        return self.examples // self.batch


def contests(
    work: Path, projects: Path, weights: Path, most: int, part: tuple[int, int] = (0, 1)
) -> list[Contest]:
    """Some ``most`` questions, as many of each schema; of ``part`` (k, n) every n-th schema."""
    torch.set_num_threads(1)
    rng = Random(5)
    network = new_network(0, 0, weights / "model.safetensors").train(False)
    encoder = Encoder(reader=weights / READER.name)
    open_to_all = [
        (schema, rows)
        for schema, rows, held in sources(work, projects, refusals=True)
        if not held and schema.project not in LATER_PROJECTS and rows
    ]
    made: list[Contest] = []
    for schema, rows in open_to_all[part[0] :: part[1]]:
        chosen = rng.sample(rows, min(max(1, most // len(open_to_all)), len(rows)))
        index = SchemaIndex(schema, encoder, date.fromisoformat(schema.as_of or "2020-01-01"))
        grammar = Grammar(schema, index.binder.graph)
        linked = Linker(index).link([asked(question) for question, _ in chosen])
        each_found = searched(network, linked, grammar)
        for (_, gold), each, found in zip(chosen, linked, each_found, strict=True):
            made.extend(_contest(found.plans, gold, each, index.binder))
    return made


def _contest(
    found: Sequence[Found], gold: tuple[str, ...], linked: Linked, binder: Binder
) -> Iterator[Contest]:
    """None where nothing that is right can be written."""
    wanted = sql_of(binder, gold)
    right = {p.tokens: gold != REFUSAL and sql_of(binder, p.tokens) == wanted for p in found}
    if gold != REFUSAL:
        right.setdefault(gold, True)
    explained, weights = Explained(linked), ranking_weights()
    ranked = [float(explained.features(Found(tokens, 1.0)) @ weights) for tokens in right]
    rows = [
        (target, is_right, beside)
        for (tokens, is_right), beside in zip(right.items(), ranked, strict=True)
        if (target := target_of(tokens, linked)) is not None and len(target) < _LONGEST
    ]
    refuse = target_of(REFUSAL, linked)
    assert refuse is not None
    rows.append((refuse, gold == REFUSAL, 0.0))
    if any(is_right for _, is_right, _ in rows):
        yield Contest(linked, *(tuple(column) for column in zip(*rows, strict=True)))


def ranking_weights() -> np.ndarray:
    """(FEATURES,), that of the log probability first."""
    fitted: np.ndarray = load_file(WEIGHTS)["weights"]
    return fitted


class Contending:
    """One run over contests."""

    def __init__(self, network: PlanNetwork, given: Sequence[Contest], settings: Settings) -> None:
        self.network = network
        self.contests = given
        self.settings = settings
        self.step = 0
        warm = min(50, settings.steps // 5)
        self._recipe = Recipe(rate=settings.rate, warmup=warm, fewer=0.4, settled=0)
        self._trust = float(ranking_weights()[0])  # in the log probability
        self._optimizer = optimizer_of(network, settings.rate, self._recipe.weight_decay)
        self._order = self._batches()

    def _batches(self) -> Iterator[list[Contest]]:
        rng = np.random.default_rng(self.settings.seed)
        size = self.settings.batch
        sizes = np.array([len(c.linked.items) * 100 + len(c.linked.states) for c in self.contests])
        left = np.array([], dtype=int)
        while True:
            while len(left) < size * _ALIKE:
                left = np.concatenate((left, rng.permutation(len(self.contests))))
            pool, left = left[: size * _ALIKE], left[size * _ALIKE :]
            alike = pool[np.argsort(sizes[pool], kind="stable")].reshape(_ALIKE, size)
            for number in rng.permutation(_ALIKE):
                yield [self.contests[at] for at in alike[number]]

    def advance(self) -> float:
        """One step; the loss."""
        self.network.train(True)
        torch.manual_seed(self.settings.seed * 1_000_003 + self.step)
        set_rate(self._optimizer, rate_at(self.step, self.settings.steps, self._recipe))
        self._optimizer.zero_grad(set_to_none=True)
        chosen = next(self._order)
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=has_bf16()):
            likely, of, place = log_likelihoods(self.network, chosen)
        lost = contest_loss(likely, of, place, chosen, self._trust, self.settings.usual)
        lost.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(self.network.parameters(), self._recipe.clip)
        self._optimizer.step()
        self.step += 1
        return float(lost.detach())


def log_likelihoods(
    network: PlanNetwork, chosen: Sequence[Contest]
) -> tuple[Tensor, Tensor, Tensor]:
    """Of every plan (N): its log probability, whose it is, and which of that contest's plans."""
    batch = Batch(**stack([c.linked for c in chosen]))
    batch.item_ids.zero_()  # this network knows no schema's own items
    memory = network.encode(batch)
    plans = [
        (at, number, plan) for at, c in enumerate(chosen) for number, plan in enumerate(c.plans)
    ]
    of = torch.tensor([at for at, _, _ in plans])
    place = torch.tensor([number for _, number, _ in plans])
    tokens = torch.zeros(len(plans), max(len(plan) for _, _, plan in plans), dtype=torch.long)
    for row, (_, _, plan) in enumerate(plans):
        tokens[row, : len(plan)] = torch.tensor(plan)
    scores = network.decode(memory.of(of), tokens[:, :-1]).float()
    missed = nn.functional.cross_entropy(
        scores.transpose(1, 2), tokens[:, 1:], ignore_index=0, reduction="none"
    )
    return -missed.sum(1), of, place


def contest_loss(
    likely: Tensor,
    of: Tensor,
    place: Tensor,
    chosen: Sequence[Contest],
    trust: float,
    usual: float,
) -> Tensor:
    """The right plans' share under the ranking, REFUSE's by probability, and the usual loss."""
    widest = int(place.max()) + 1
    shape = (len(chosen), widest)

    def laid_out(values: Tensor, none: float) -> Tensor:
        return torch.full(shape, none, dtype=values.dtype).index_put((of, place), values)

    never = -1e9
    logs = laid_out(likely, never)
    right = laid_out(torch.tensor([r for c in chosen for r in c.right]), False)
    beside = laid_out(torch.tensor([b for c in chosen for b in c.ranked]), 0.0)
    last = torch.tensor([len(c.plans) - 1 for c in chosen])
    is_plan = torch.arange(widest)[None] < last[:, None]
    refuse = logs.gather(1, last[:, None])[:, 0]
    any_plan = torch.logsumexp(logs.masked_fill(~is_plan, never), 1)
    refused = right.gather(1, last[:, None])[:, 0]
    answered = torch.where(refused, any_plan - refuse, refuse - any_plan)
    lost = nn.functional.softplus(answered).mean()
    ranked = (trust * logs + beside).masked_fill(~is_plan, never)
    best = torch.logsumexp(ranked.masked_fill(~right, never), 1)
    able = ~refused
    lost = lost + (torch.logsumexp(ranked, 1) - best)[able].sum() / len(chosen)
    written = torch.logsumexp(logs.masked_fill(~right, never), 1)
    lengths = [max(len(p) for p, r in zip(c.plans, c.right, strict=True) if r) for c in chosen]
    return lost - usual * written.sum() / sum(lengths)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("work", "projects", "weights", "out"):
        parser.add_argument(name, type=Path)
    parser.add_argument("--questions", type=int, default=6000)
    parser.add_argument("--examples", type=int, default=6000, help="how many are learned from")
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--rate", type=float, default=3e-5)
    parser.add_argument("--usual", type=float, default=0.3, help="weight of the usual loss")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--processes", type=int, default=2)
    given = parser.parse_args()
    began = time.monotonic()
    count: int = given.processes
    each = partial(contests, given.work, given.projects, given.weights, given.questions)
    with ProcessPoolExecutor(count, mp_context=get_context("spawn")) as pool:
        made = [c for part in pool.map(each, [(k, count) for k in range(count)]) for c in part]
    print(f"{len(made)} questions searched, {time.monotonic() - began:.0f} s", flush=True)
    network = new_network(0, given.seed, given.weights / "model.safetensors")
    settings = Settings(given.examples, given.batch, given.rate, given.usual, given.seed)
    run = Contending(network, made, settings)
    losses: list[float] = []
    while run.step < settings.steps:
        losses.append(run.advance())
        if run.step % _EVERY == 0:
            spent = time.monotonic() - began
            at = f"step {run.step}/{settings.steps}"
            print(f"{at} loss {np.mean(losses[-_EVERY:]):.3f} {spent:.0f} s", flush=True)
    given.out.mkdir(parents=True, exist_ok=True)
    shutil.copy(given.weights / READER.name, given.out / READER.name)
    quantized.write(given.out / "model.safetensors", network.state_dict())


if __name__ == "__main__":
    main()
