"""Pretrains the embedded model's network across schemas, on a GPU or a CPU; resumable in pieces.

    python -m tests.tools.pretrain.run PACKED OUT --examples 3000000 --minutes 8

PACKED is what ``pack`` made. Each call goes on from OUT's checkpoint, stops after ``--minutes`` and
writes the network as it then is to OUT. On what ``split`` holds out it prints the loss and the
share of plans written exactly right, each token chosen with the gold's before it.
"""

from __future__ import annotations

import argparse
import copy
import json
import math
import time
from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from rich.progress import track
from torch import Tensor, nn

from dbt_t2s.model import quantized
from dbt_t2s.model.encoder import READER, Encoder, QuestionReader
from dbt_t2s.model.network import Batch, Memory, PlanConfig, PlanNetwork
from dbt_t2s.model.recipe import Recipe, blur, new_network, rate_at
from dbt_t2s.model.training_state import (
    identity_of,
    load_state,
    optimizer_of,
    save_state,
    set_rate,
)
from dbt_t2s.query.linear import KEYWORDS
from tests.tools.pretrain.bereave import bereave
from tests.tools.pretrain.dropping import draw_once
from tests.tools.pretrain.misses import Misses, approximate, narrow
from tests.tools.pretrain.resident import ReadBatch, Resident

_ALIKE = 16  # batches whose rows are sorted by length among themselves
_WIDTHS = 4  # into so many by their items, then by their word pieces
_EVERY = 500
_SURVEYED = 256
MISSED = "missed.npy"
_INPUTS = 0.05  # dropout of what the layers are given
# Steps of a trial, before it is timed and then: all widths of batches, and on a CPU no more.
_TRIAL, _TRIAL_CPU = (40, 64), (4, _ALIKE)
_LEARNING = 0.94
# The share of questions whose name matches are hidden, of words, and, at most, of items.
_UNMARKED, _DEAF, _FEWER = 0.12, 0.02, 0.3


class ReadingNetwork(nn.Module):
    """A plan network under the reader of its questions, and a second task: which items are used."""

    def __init__(self, reader: QuestionReader, network: PlanNetwork) -> None:
        super().__init__()
        self.reader = reader
        self.network = network
        self.used = nn.Linear(network.config.hidden, 1)

    def encode(self, batch: Batch) -> Memory:
        if isinstance(batch, ReadBatch):
            read = self.reader(batch.embedded, batch.piece_mask)
            batch.words = torch.bmm(batch.shares.to(read.dtype), read)
        return self.network.encode(batch)

    @torch.no_grad()
    def missed(self, batch: Batch, tokens: Tensor) -> Tensor:
        """The cross-entropy of each plan (B)."""
        return _crossed(self.network.decode(self.encode(batch), tokens[:, :-1]), tokens)

    def losses(self, batch: Batch, tokens: Tensor) -> tuple[Tensor, Tensor]:
        """The cross-entropy of each plan (B) of ``tokens`` (B, T), and that of which items they
        point at, a mean."""
        memory = self.encode(batch)
        written = _crossed(self.network.decode(memory, tokens[:, :-1]), tokens)
        pointed = (tokens - len(KEYWORDS)).clamp(min=-1) + 1
        wanted = torch.zeros(len(tokens), memory.items.shape[1] + 1, device=tokens.device).scatter_(
            1, pointed, 1.0
        )[:, 1:]
        found = self.used(memory.items)[..., 0].float()
        chosen = nn.functional.binary_cross_entropy_with_logits(found, wanted, reduction="none")
        shown = memory.item_mask.float()
        return written, (chosen * shown).sum() / shown.sum()


def _crossed(scores: Tensor, tokens: Tensor) -> Tensor:
    """The cross-entropy (B) of plans' tokens (B, T) that were given ``scores`` (B, T - 1, C)."""
    each = nn.functional.cross_entropy(
        scores.transpose(1, 2).float(), tokens[:, 1:], ignore_index=0, reduction="none"
    )
    return each.sum(1)


@dataclass(frozen=True)
class Settings:
    """``second`` weighs the second task; ``reader_rate`` scales the reader's learning rate.

    ``bereaved`` is the share of questions whose answer is hidden. A batch is read in ``parts``,
    each padded to its own widest row. Of ``tried`` rows the one that is missed most is met.
    """

    examples: int
    batch: int
    rate: float
    second: float
    reader_rate: float
    seed: int
    bereaved: float = 0.0
    parts: int = 1
    tried: int = 1

    @property
    def steps(self) -> int:
        return self.examples // self.batch


class Pretraining:
    """One run that can be stopped and gone on with."""

    def __init__(self, network: ReadingNetwork, rows: Resident, settings: Settings) -> None:
        self.network = network
        self.rows = rows
        self.settings = settings
        self.step = 0
        self.losses: list[Tensor] = []
        self.misses = Misses(len(rows.weight))
        self._met: list[tuple[np.ndarray, Tensor]] = []
        self._recipe = Recipe(
            rate=settings.rate,
            warmup=min(1000, settings.steps // 20),
            unmarked=_UNMARKED,
            deaf=_DEAF,
            fewer=_FEWER,
            settled=0,
        )
        self.optimizer = optimizer_of(
            network,
            settings.rate,
            self._recipe.weight_decay,
            slow=network.reader.parameters(),
            slowly=settings.reader_rate,
        )
        self._order = self._batches()

    def _batches(self) -> Iterator[list[np.ndarray]]:
        """Rows for every step from the present one on, by weight, in parts of like length."""
        rows, settings = self.rows.sets[""], self.settings
        chance = self.rows.weight[rows] / self.rows.weight[rows].sum()
        size = settings.batch // settings.parts
        count = size * settings.parts * _ALIKE
        at = self.step - self.step % _ALIKE
        while True:
            rng = np.random.default_rng((settings.seed, at))
            drawn = rng.choice(rows, (count, settings.tried), p=chance)
            met = self.misses.hardest(drawn)
            alike = np.concatenate(self._sorted(met)).reshape(-1, size)
            steps = rng.permutation(len(alike)).reshape(_ALIKE, -1)
            for numbers in steps[max(self.step - at, 0) :]:
                yield [alike[number] for number in numbers]
            self._note()
            self.misses.settle()
            at += _ALIKE

    def _sorted(self, drawn: np.ndarray) -> list[np.ndarray]:
        """Rows from the fewest items to the most, each of the widths by word pieces."""
        lengths = self.rows.lengths
        wide = drawn[np.argsort(lengths.items[drawn], kind="stable")]
        return [
            width[np.argsort(lengths.pieces[width], kind="stable")]
            for width in np.array_split(wide, _WIDTHS)
        ]

    def survey(self) -> None:
        """Look at every row to learn from once, before learning."""
        device = next(self.network.parameters()).device.type
        network = self.network.train(False)
        if device == "cpu":
            network = approximate(network)
        parts = np.concatenate(self._sorted(self.rows.sets[""]))
        for at in track(range(0, len(parts), _SURVEYED), "Looking at all rows"):
            part = parts[at : at + _SURVEYED]
            # Products in bytes take float32 alone.
            with nullcontext() if device == "cpu" else narrow(device):
                missed = network.missed(*self.rows.batch(part))
            self.misses.see(part, missed.cpu().numpy())
        self.misses.settle()

    def advance(self) -> None:
        network, settings = self.network, self.settings
        torch.manual_seed(settings.seed * 1_000_003 + self.step)
        network.train(True)
        parts = next(self._order)
        set_rate(self.optimizer, rate_at(self.step, settings.steps, self._recipe))
        self.optimizer.zero_grad(set_to_none=True)
        met = [self.rows.batch(part) for part in parts]
        whole = torch.cat([self._hide(batch, targets) for batch, targets in met])
        # Left on the device, as the losses are: reading them would make every step wait.
        tokens = torch.stack([(targets[:, 1:] > 0).sum() for _, targets in met]).sum()
        learned = torch.cat([self._learn(batch, targets, tokens) for batch, targets in met])
        self.losses.append(learned.sum() / tokens)
        self._met.append((np.concatenate(parts), learned.masked_fill(~whole, math.nan)))
        nn.utils.clip_grad_norm_(network.parameters(), self._recipe.clip)
        self.optimizer.step()
        self.step += 1

    def _note(self) -> None:
        """Let ``misses`` have what was learned of rows since the last time."""
        for rows, losses in self._met:
            self.misses.see(rows, losses.float().cpu().numpy())
            self.misses.meet(rows)
        self._met.clear()

    def _hide(self, batch: ReadBatch, targets: Tensor) -> Tensor:
        """Hide some of what rows show, in place; which (B) have their plans still."""
        before = targets.clone()
        bereave(batch, targets, self.settings.bereaved)
        blur(batch, targets, self._recipe)
        return (targets == before).all(1)

    def _learn(self, batch: ReadBatch, targets: Tensor, tokens: Tensor) -> Tensor:
        """The gradients of some of a step's rows, ``tokens`` in all; each plan's loss (B)."""
        with narrow(targets.device.type):
            written, chosen = self.network.losses(batch, targets)
        share = (targets[:, 1:] > 0).sum() / tokens
        total: Tensor = written.sum() / tokens + self.settings.second * chosen * share
        total.backward()  # type: ignore[no-untyped-call]
        return written.detach()

    @torch.inference_mode()
    def held_out(self, name: str, most: int = 10_000) -> tuple[float, float]:
        """Mean loss and share of exact plans on a held-out set."""
        self.network.train(False)
        rows = np.concatenate(self._sorted(self.rows.sets[name][:most]))
        loss, right = 0.0, 0
        for at in range(0, len(rows), 512):
            part = rows[at : at + 512]
            batch, targets = self.rows.batch(part)
            memory = self.network.encode(batch)
            scores = self.network.network.decode(memory, targets[:, :-1])
            wanted = targets[:, 1:]
            missed = nn.functional.cross_entropy(
                scores.flatten(0, 1), wanted.flatten(), ignore_index=0
            )
            loss += float(missed) * len(part)
            right += int(((scores.argmax(-1) == wanted) | (wanted == 0)).all(1).sum())
        return loss / max(len(rows), 1), right / max(len(rows), 1)

    def save(self, path: Path) -> None:
        identity = json.dumps(asdict(self.settings))
        self._note()
        self.misses.save(path.with_name(MISSED))
        save_state(path, self.network, self.optimizer, self.step, identity)

    def resume(self, path: Path) -> None:
        """Go on from ``path``; ValueError where that is another run's."""
        found = settings_of(path)
        if found != self.settings:
            raise ValueError(f"{path} belongs to a run with {found}")
        self.step = load_state(path, self.network, self.optimizer)
        self.misses.load(path.with_name(MISSED))
        self._order = self._batches()

    def told(self, seconds: float) -> str:
        recent = torch.stack(self.losses[-200:]).mean() if self.losses else torch.tensor(math.nan)
        unseen = ""
        for name in self.rows.sets:
            if name:
                loss, right = self.held_out(name)
                unseen += f" {name} {loss:.3f} exact {right:.3f}"
        at = f"step {self.step}/{self.settings.steps}"
        return f"{at} loss {float(recent):.3f}{unseen} {seconds:.0f} s"


def settings_of(checkpoint: Path) -> Settings:
    """Those of the run that a checkpoint belongs to."""
    return Settings(**json.loads(identity_of(checkpoint)))


def write(network: ReadingNetwork, out: Path) -> None:
    """The weights as a project's training starts from them."""
    out.mkdir(parents=True, exist_ok=True)
    network.reader.save(out / READER.name)
    quantized.write(out / "model.safetensors", network.network.state_dict())


def _network(encoder: Encoder, given: argparse.Namespace) -> ReadingNetwork:
    sizes = PlanConfig(
        hidden=given.hidden,
        heads=given.heads,
        joint_layers=given.joint,
        decoder_layers=given.decoder,
        inner=given.inner,
        dropout=_INPUTS,
        layer_dropout=given.dropout,
    )
    torch.manual_seed(given.seed)
    before: Path | None = given.begin_with
    if before is not None:
        encoder.reader.load_state_dict(quantized.read(before / READER.name))
    weights = None if before is None else before / "model.safetensors"
    made = ReadingNetwork(encoder.reader, new_network(0, given.seed, weights, sizes))
    if given.device == "cpu":
        draw_once(made, given.seed)
    return made


def _settings(examples: int, given: argparse.Namespace) -> Settings:
    return Settings(
        examples, given.batch, given.rate, given.second, given.reader_rate, given.seed,
        given.bereaved, given.parts, given.tried,
    )  # fmt: skip


def _examples_in(
    seconds: float, network: ReadingNetwork, rows: Resident, given: argparse.Namespace
) -> int:
    """How many examples a copy of the network learns from in that time, measuring included."""
    began = time.monotonic()
    trial = Pretraining(copy.deepcopy(network), rows, _settings(given.batch * 10_000, given))
    warm, timed = _TRIAL_CPU if given.device == "cpu" else _TRIAL
    for _ in range(warm):
        trial.advance()
    float(trial.losses[-1])
    start = time.monotonic()
    for _ in range(timed):
        trial.advance()
    float(trial.losses[-1])
    each = (time.monotonic() - start) / timed
    left = seconds - (time.monotonic() - began)
    print(f"{given.batch / each:.0f} examples a second", flush=True)
    # Looking at what is held out takes its time too.
    batch: int = given.batch
    return max(int(_LEARNING * left / each), 1) * batch


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("packed", type=Path)
    parser.add_argument("--also", type=Path, nargs="*", default=(), help="more of what pack made")
    parser.add_argument("--favour", type=float, default=1.0, help="how much oftener these are met")
    parser.add_argument("--alone", type=float, default=1.0, help="and what follows up nothing")
    parser.add_argument("out", type=Path)
    parser.add_argument("--examples", type=int, help="as many as fit into --minutes without it")
    parser.add_argument("--minutes", type=float, default=9.0)
    parser.add_argument("--batch", type=int, default=256)
    parser.add_argument("--parts", type=int, default=1 if torch.cuda.is_available() else 4)
    parser.add_argument("--tried", type=int, default=1, help="how many for one learned from")
    parser.add_argument("--missed", type=Path, help=f"{MISSED} of a run on the same rows before")
    parser.add_argument("--rate", type=float, default=6e-4)
    parser.add_argument("--reader-rate", type=float, default=0.1)
    parser.add_argument("--second", type=float, default=0.0)
    parser.add_argument("--bereaved", type=float, default=0.0, help="whose answer is hidden")
    # Few rows are met twice in an hour on a CPU.
    parser.add_argument("--dropout", type=float, default=0.0, help="inside the layers")
    parser.add_argument("--begin-with", type=Path, help="a folder with weights to go on from")
    parser.add_argument("--seed", type=int, default=0)
    usual = PlanConfig()
    for name in ("hidden", "heads", "inner"):
        parser.add_argument(f"--{name}", type=int, default=getattr(usual, name))
    parser.add_argument("--joint", type=int, default=usual.joint_layers)
    parser.add_argument("--decoder", type=int, default=usual.decoder_layers)
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    given = parser.parse_args()
    began = time.monotonic()
    device = torch.device(given.device)
    encoder = Encoder(reader=None, device=given.device)
    rows = Resident((given.packed, *given.also), encoder, device, given.favour, given.alone)
    counts = ", ".join(f"{len(v)} {k or 'to learn from'}" for k, v in rows.sets.items())
    print(f"{counts}, {time.monotonic() - began:.0f} s", flush=True)
    network = _network(encoder, given).to(device)
    print(f"{sum(p.numel() for p in network.network.parameters()):,} parameters", flush=True)
    checkpoint = given.out / "pretraining.safetensors"
    given.out.mkdir(parents=True, exist_ok=True)
    examples: int | None = given.examples
    if examples is None and checkpoint.is_file():
        examples = settings_of(checkpoint).examples
    run = Pretraining(network, rows, _settings(examples or given.batch, given))
    if checkpoint.is_file():
        run.resume(checkpoint)
    elif given.missed is not None:
        run.misses.load(given.missed)
    elif given.tried > 1:
        run.survey()
    if examples is None:
        # Looking at all rows takes its time too: what is left then is for learning.
        left = given.minutes * 60 - (time.monotonic() - began)
        misses = run.misses
        run = Pretraining(network, rows, _settings(_examples_in(left, network, rows, given), given))
        run.misses = misses
    while run.step < run.settings.steps and time.monotonic() - began < given.minutes * 60:
        run.advance()
        if run.step % _EVERY == 0:
            print(run.told(time.monotonic() - began), flush=True)
    run.save(checkpoint)
    print(run.told(time.monotonic() - began), flush=True)
    write(network, given.out)


if __name__ == "__main__":
    main()
