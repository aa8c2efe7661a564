"""The embedded model's training recipe, from dataset rows to a model folder.

The encoder is frozen and read once; each step then costs the joint layers and the decoder alone.
Phases come in curriculum order with replay: an epoch's first part draws mostly from phase 1, its
end from all phases alike. Batches are small, the learning rate is high early and decays (cosine).
"""

from __future__ import annotations

import math
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import torch
from safetensors import SafetensorError

from dbt_t2s.errors import ModelError
from dbt_t2s.model import known_vectors, quantized
from dbt_t2s.model.encoder import Encoder
from dbt_t2s.model.freed import give_back
from dbt_t2s.model.linking import (
    ITEM_RELATIONS,
    QUESTION_FEATURES,
    RELATIONS,
    stack,
)
from dbt_t2s.model.network import Batch, PlanConfig, PlanNetwork
from dbt_t2s.model.packed import has_bf16
from dbt_t2s.model.record import NETWORK, replace_folder, write_items
from dbt_t2s.model.rows import Progress, Row
from dbt_t2s.model.schema_index import ITEM_FEATURES, SchemaIndex, today_of
from dbt_t2s.model.training_state import (
    identity_of,
    load_state,
    optimizer_of,
    save_state,
    set_rate,
)
from dbt_t2s.project.schema import ProjectSchema
from dbt_t2s.query.linear import KEYWORDS

T = TypeVar("T")
# What is left when name matches are hidden: mentions and meaning.
_MEANING_ONLY = torch.tensor([0.0, 0.0, 1.0, 1.0, 0.0, 0.0])
_MEANING_FEATURES = torch.ones(ITEM_FEATURES)
_MEANING_FEATURES[[-9, -8, -7, -4, -3]] = 0.0
WEIGHTS = Path(__file__).parent / "weights" / "plan" / "model.safetensors"
# Steps whose rows are sorted by length among themselves.
_ALIKE = 16
_EXAMPLES_A_MINUTE = 2700
_GIVE_BACK_EVERY = 20


@dataclass(frozen=True)
class Recipe:
    """Settings of one training run.

    ``unmarked`` is the share of questions whose name matches are hidden, so that meaning is
    learned beside spelling; ``deaf`` the share of words hidden; ``fewer`` the largest share of
    items hidden that the plan does not need, so that the same question is met among others.
    ``refusals`` is the share of machine-made refusals that is learned: pretraining has taught when
    to refuse, and a machine's unknown words make people's look unknown.
    ``settled`` joint layers stay as pretraining left them; ``kept`` is the share of the pretrained
    weights in the final ones.
    """

    batch: int = 16
    rate: float = 3e-4
    warmup: int = 100
    weight_decay: float = 0.01
    epochs: float = 4.0
    minutes: float = 2.0
    checkpoint_every: int = 200
    clip: float = 1.0
    unmarked: float = 0.25
    deaf: float = 0.06
    fewer: float = 0.0
    settled: int = 4
    kept: float = 0.75
    refusals: float = 0.25

    @property
    def afforded(self) -> int:
        """How many examples the budget is enough for.

        It counts work, not seconds, so that the same settings give the same model on any machine:
        a minute stands for what two slow cores do in one.
        """
        return max(int(self.minutes * _EXAMPLES_A_MINUTE), 1)

    def steps(self, rows: int) -> int:
        """Steps for this many rows."""
        return max(int(min(rows * self.epochs, self.afforded) / self.batch), 1)


def fewer_refusals(
    rows: Sequence[Mapping[str, object]], recipe: Recipe
) -> list[Mapping[str, object]]:
    """The rows, with the recipe's share of those that the data cannot answer."""
    kept: list[Mapping[str, object]] = []
    refused = 0
    for row in rows:
        if row["type"] == "refusal":
            refused += 1
            if int(refused * recipe.refusals) == int((refused - 1) * recipe.refusals):
                continue
        kept.append(row)
    return kept


def evenly(rows: Sequence[T], most: int) -> Sequence[T]:
    """At the most so many of the rows, from all parts of them: others would be read in vain."""
    if len(rows) <= most:
        return rows
    return [rows[at * len(rows) // most] for at in range(most)]


def curriculum(rows: Sequence[Row], steps: int, batch: int, seed: int) -> list[list[int]]:
    """Row numbers for every step: earlier phases weigh more at first, all the same at the end."""
    generator = torch.Generator().manual_seed(seed)
    by_phase: dict[int, list[int]] = {}
    for i, row in enumerate(rows):
        by_phase.setdefault(row.phase, []).append(i)
    decks = {p: _Deck(members, generator) for p, members in sorted(by_phase.items())}
    sizes = torch.tensor([float(len(by_phase[p])) for p in decks])
    phases = list(decks)
    drawn: list[list[int]] = []
    for step in range(steps):
        done = min(step / max(0.3 * steps, 1), 1.0)
        tilt = torch.tensor([math.exp(-(1 - done) * 1.2 * (p - 1)) for p in phases])
        picks = torch.multinomial(sizes * tilt, batch, replacement=True, generator=generator)
        drawn.append([decks[phases[int(i)]].draw() for i in picks])
    order: list[list[int]] = []
    for at in range(0, steps, _ALIKE):
        order.extend(_alike(drawn[at : at + _ALIKE], rows, batch, generator))
    return order


def _alike(
    drawn: list[list[int]], rows: Sequence[Row], batch: int, generator: torch.Generator
) -> list[list[int]]:
    """The same rows in the same number of batches, those of like length together.

    A batch is padded to its longest row: mixed lengths would spend half the work on padding.
    """
    together = sorted((i for part in drawn for i in part), key=lambda i: _length(rows[i]))
    parts = [together[at : at + batch] for at in range(0, len(together), batch)]
    return [parts[int(i)] for i in torch.randperm(len(parts), generator=generator)]


def _length(row: Row) -> int:
    """What a row costs, roughly: joint layers over words and items, the decoder over tokens."""
    return len(row.linked.items) + len(row.linked.states) + 2 * len(row.target)


class _Deck:
    """Rows of one phase, each drawn once before any is drawn again."""

    def __init__(self, members: list[int], generator: torch.Generator) -> None:
        self._members = members
        self._generator = generator
        self._left: list[int] = []

    def draw(self) -> int:
        if not self._left:
            order = torch.randperm(len(self._members), generator=self._generator)
            self._left = [self._members[int(i)] for i in order]
        return self._left.pop()


def tensors(rows: Sequence[Row]) -> tuple[Batch, torch.Tensor]:
    longest = max(len(r.target) for r in rows)
    targets = torch.zeros(len(rows), longest, dtype=torch.long)
    for i, row in enumerate(rows):
        targets[i, : len(row.target)] = torch.tensor(row.target)
    return Batch(**stack([r.linked for r in rows])), targets


def blur(batch: Batch, targets: torch.Tensor, recipe: Recipe) -> None:
    """Hide name matches of some questions and some words of all, in place."""
    device = targets.device
    unmarked = torch.rand(len(batch.words), device=device) < recipe.unmarked
    batch.word_item = torch.where(
        unmarked[:, None, None, None],
        batch.word_item * _MEANING_ONLY.to(device),
        batch.word_item,
    )
    batch.item_features = torch.where(
        unmarked[:, None, None],
        batch.item_features * _MEANING_FEATURES.to(device),
        batch.item_features,
    )
    heard = torch.rand(batch.word_mask.shape, device=device) >= recipe.deaf
    heard[:, 0] = True
    batch.word_mask &= heard
    if recipe.fewer:
        share = torch.rand(len(targets), 1, device=device) * recipe.fewer
        shown = torch.rand(batch.item_mask.shape, device=device) >= share
        pointed = (targets - len(KEYWORDS)).clamp(min=-1) + 1
        needed = torch.zeros(len(shown), shown.shape[1] + 1, dtype=torch.bool, device=device)
        needed.scatter_(1, pointed, True)
        needed.scatter_(1, (batch.before - len(KEYWORDS)).clamp(min=-1) + 1, True)
        batch.item_mask &= shown | needed[:, 1:]


def new_network(
    items: int, seed: int, weights: Path | None = WEIGHTS, sizes: PlanConfig | None = None
) -> PlanNetwork:
    """A network for a schema of ``items`` items, from ``weights``, or from chance with None.

    The residual vectors, which are the schema's own, start small and random.
    """
    torch.manual_seed(seed)
    config = sizes or PlanConfig()
    config.word_item_relations = RELATIONS
    config.item_item_relations = ITEM_RELATIONS
    config.item_features = ITEM_FEATURES
    config.question_features = QUESTION_FEATURES
    config.schema_items = items
    network = PlanNetwork(config)
    if weights is not None:
        if not weights.is_file():
            raise _wanting("the shipped weights are missing", weights)
        shipped = {k: v for k, v in quantized.read(weights).items() if "residual" not in k}
        left = network.load_state_dict(shipped, strict=False)
        new = {"residual.weight", "before.weight"}  # what earlier weights do not have
        if left.unexpected_keys or set(left.missing_keys) - new:
            raise _wanting("the shipped weights are of another version", weights)
    return network


def _wanting(what: str, weights: Path) -> ModelError:
    return ModelError(what, where=str(weights), hint="pip install --force-reinstall dbt-t2s")


def settle(network: PlanNetwork, layers: int) -> None:
    """Keep the inputs and the first joint ``layers`` as pretraining left them.

    They say how words and names match, which holds for any schema; leaving them alone makes a step
    a third cheaper.
    """
    if not layers:
        return
    inputs = (network.word_in, network.item_in, network.feature_in, network.question_in)
    for module in (*inputs, network.sides, *network.joint[:layers]):
        module.requires_grad_(False)


def reads_before(weights: Path | None = WEIGHTS) -> bool:
    """Whether networks that start from ``weights`` are told the plan before a follow-up."""
    return new_network(0, 0, weights).reads_before


@torch.no_grad()
def blend(network: PlanNetwork, before: Mapping[str, torch.Tensor], kept: float) -> None:
    """Average the trained weights with earlier ones (WiSE-FT, Wortsman et al. 2022).

    A project's corpus teaches its names in a machine's wording; the pretrained weights know that
    of people. Residual vectors are the schema's own and stay as they are.
    """
    for name, value in network.state_dict().items():
        if name in before and "residual" not in name:
            value.mul_(1 - kept).add_(before[name].to(value.dtype), alpha=kept)


def rate_at(step: int, steps: int, recipe: Recipe) -> float:
    """Linear warm-up, then cosine decay to a fiftieth."""
    if step < recipe.warmup:
        return recipe.rate * (step + 1) / recipe.warmup
    done = (step - recipe.warmup) / max(steps - recipe.warmup, 1)
    return recipe.rate * (0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * min(done, 1.0))))


class Run:
    """One training run that can be stopped and gone on with exactly."""

    def __init__(
        self,
        network: PlanNetwork,
        rows: Sequence[Row],
        recipe: Recipe,
        seed: int,
        steps: int,
    ) -> None:
        self.network = network
        self.rows = rows
        self.recipe = recipe
        self.steps = steps
        self.step = 0
        self.losses: list[float] = []
        self.order = curriculum(rows, steps, recipe.batch, seed)
        # The next batch is laid out while this one is learned from.
        self._ahead = ThreadPoolExecutor(max_workers=1)
        self._coming: tuple[int, Future[tuple[Batch, torch.Tensor]]] | None = None
        self.optimizer = optimizer_of(network, recipe.rate, recipe.weight_decay)

    def advance(self) -> float:
        """One step; its loss. ModelError when the loss is no number."""
        # Dropout is drawn from the step's own seed, so that a resumed run draws the same.
        torch.manual_seed(self.step + 1)
        self.network.train(True)
        batch, targets = self._batch()
        set_rate(self.optimizer, rate_at(self.step, self.steps, self.recipe))
        blur(batch, targets, self.recipe)
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=has_bf16()):
            loss = self.network(batch, targets)
        value = float(loss.detach())
        if not math.isfinite(value):
            raise ModelError(
                f"the loss is {value} at step {self.step}", hint="dbt-t2s train --fresh --seed 1"
            )
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.network.parameters(), self.recipe.clip)
        self.optimizer.step()
        self.step += 1
        self.losses.append(value)
        return value

    def _laid_out(self, step: int) -> tuple[int, Future[tuple[Batch, torch.Tensor]]]:
        rows = [self.rows[i] for i in self.order[step]]
        return step, self._ahead.submit(tensors, rows)

    def _batch(self) -> tuple[Batch, torch.Tensor]:
        coming = self._coming
        if coming is None or coming[0] != self.step:
            coming = self._laid_out(self.step)
        made = coming[1].result()
        last = self.step + 1 >= self.steps
        self._coming = None if last else self._laid_out(self.step + 1)
        return made

    def save(self, path: Path, identity: str) -> None:
        save_state(path, self.network, self.optimizer, self.step, identity)

    def resume(self, path: Path, identity: str) -> bool:
        """Go on from ``path`` if it belongs to this very run."""
        if not path.is_file():
            return False
        try:
            if identity_of(path) != identity:
                return False
            self.step = load_state(path, self.network, self.optimizer)
        except (SafetensorError, OSError):
            return False
        return True


@torch.inference_mode()
def mean_loss(network: PlanNetwork, rows: Sequence[Row], batch: int = 32) -> float:
    """Mean token loss over rows; nan when there are none."""
    if not rows:
        return float("nan")
    network.train(False)
    total = 0.0
    for at in range(0, len(rows), batch):
        part = rows[at : at + batch]
        total += float(network(*tensors(part))) * len(part)
    return total / len(rows)


def train_network(
    rows: Sequence[Row],
    index: SchemaIndex,
    *,
    recipe: Recipe,
    seed: int,
    checkpoint: Path,
    identity: str,
    resume: bool,
    progress: Progress | None,
    weights: Path | None = WEIGHTS,
) -> tuple[Run, float]:
    """Train to the planned number of steps; the run and its seconds."""
    network = new_network(len(index.items), seed, weights)
    pretrained = weights is not None and weights.is_file()
    if pretrained:
        settle(network, recipe.settled)
    steps = recipe.steps(len(rows))
    run = Run(network, rows, recipe, seed, steps)
    if resume:
        run.resume(checkpoint, identity)
    began = time.monotonic()
    while run.step < steps:
        run.advance()
        if run.step % recipe.checkpoint_every == 0:
            run.save(checkpoint, identity)
        if run.step % _GIVE_BACK_EVERY == 0:
            give_back()
        if progress and (run.step % 10 == 0 or run.step == steps):
            recent = run.losses[-50:]
            progress(f"train (loss {sum(recent) / len(recent):.2f})", run.step, steps)
    if pretrained and weights is not None:
        blend(network, quantized.read(weights), recipe.kept)
    return run, time.monotonic() - began


def run_on(
    network: PlanNetwork,
    rows: Sequence[Row],
    recipe: Recipe,
    seed: int,
    progress: Progress | None,
) -> Run:
    """Train a network that is trained already a little further, and keep most of what it was."""
    before = {name: value.clone() for name, value in network.state_dict().items()}
    settle(network, recipe.settled)
    run = Run(network, rows, recipe, seed, recipe.steps(len(rows)))
    while run.step < run.steps:
        loss = run.advance()
        if progress and (run.step % 10 == 0 or run.step == run.steps):
            progress(f"train (loss {loss:.2f})", run.step, run.steps)
    blend(network, before, recipe.kept)
    return run


def save(run: Run, index: SchemaIndex, model_dir: Path) -> None:
    """The network, what its residual vectors are of, and the words that it was taught with."""
    replace_folder(model_dir / NETWORK, run.network.save_pretrained)
    write_items(model_dir, [item.token for item in index.items])
    known_vectors.write(model_dir, index.known())


def index_of(schema: ProjectSchema, encoder: Encoder) -> SchemaIndex:
    """The schema's items read by the encoder, with "today" as the project has it."""
    return SchemaIndex(schema, encoder, today_of(schema))
