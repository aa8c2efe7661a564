"""One training run: high learning rate early, cosine decay, gradients summed over a whole batch."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch

from dbt_t2s.errors import ModelError
from dbt_t2s.model.hub_base import Base, Say, computes_in_half
from dbt_t2s.model.hub_checkpoint import (
    CHECKPOINT,
    Place,
    load_best,
    load_checkpoint,
    note_smaller,
    noted_smaller,
    random_state,
    save_best,
    save_checkpoint,
    set_random_state,
    tensors_of,
)
from dbt_t2s.model.hub_crew import Crew, rank_here, together
from dbt_t2s.model.hub_encoder import Encoded
from dbt_t2s.model.hub_loss import AnswerLoss, micro_batches
from dbt_t2s.model.hub_reporting import Reporter
from dbt_t2s.model.hub_schedule import Curriculum, rate
from dbt_t2s.model.hub_settings import HubSettings
from dbt_t2s.model.hub_shard import gathered, shard, whole_model

Progress = Callable[[int, int, float], None]
"""Called after each step with (steps done, steps planned, running loss)."""

_SMALLEST_MICRO = 64
_CLIP = 1.0


@dataclass(frozen=True)
class Dev:
    """How the dev rows were answered: the share that was right, and the loss on their answers."""

    right: float
    loss: float

    @property
    def score(self) -> tuple[float, ...]:
        return (self.right, -self.loss)


@dataclass(frozen=True)
class Bounds:
    """When a run ends: ``steps`` at the most, ``minutes`` if any."""

    steps: int
    minutes: float | None = None

    def share(self, place: Place) -> float:
        """How much of the run is done, by steps or by time, whichever is further."""
        limit = self.minutes * 60 if self.minutes else math.inf
        return max(place.step / self.steps, place.elapsed / limit)


class Trainer:
    """Trains one model on encoded rows; ``questions`` name them where something goes wrong.

    ``judge`` answers the dev rows with the model as it is; None where there are none.
    """

    def __init__(
        self,
        base: Base,
        model: Any,
        rows: Sequence[Encoded],
        questions: Sequence[str],
        curriculum: Curriculum,
        settings: HubSettings,
        crew: Crew,
        say: Say,
        judge: Callable[[], Dev] | None = None,
    ) -> None:
        self._model, self._rows, self._questions = model, rows, questions
        self._curriculum, self._settings = curriculum, settings
        self._crew, self._say, self._judge = crew, say, judge
        self.loss = AnswerLoss(model, base.device, packing=settings.packing)
        if crew.shards:
            shard(model, crew.size, base.device)
        self.weights = {n: p for n, p in model.named_parameters() if p.requires_grad}
        # Every weight in full precision is computed with in half, where the device can.
        self._half = computes_in_half(base.device) and settings.method == "full"
        self._kind = base.device.type
        self._optimizer = torch.optim.AdamW(
            self.weights.values(),
            lr=settings.peak_rate,
            weight_decay=0.0,
            fused=base.device.type == "cuda",
        )
        if settings.checkpointing:
            model.gradient_checkpointing_enable({"use_reentrant": False})
            if settings.trains_adapter:
                model.enable_input_require_grads()

    @together()
    def run(
        self,
        folder: Path,
        run: str,
        bounds: Bounds,
        progress: Progress | None,
        reporter: Reporter,
    ) -> Place:
        """Trains to the end, from the run's checkpoint if it has one, and leaves the weights that
        answered the dev rows best."""
        self._model.train()
        found = load_checkpoint(folder, run, self.weights, self._optimizer, self._crew.rank)
        place = found or Place(run, micro_tokens=self._settings.micro_tokens)
        place = self._smaller(place, folder)
        self._curriculum.cursors = dict(place.cursors)
        began = time.monotonic() - place.elapsed
        saved = time.monotonic()
        while (share := bounds.share(place)) < 1:
            place = self._next(place, share, folder, began)
            reporter.log(place.step, {"loss": place.loss, "learning_rate": self._rate(share)})
            if progress and self._crew.leads:
                progress(place.step, bounds.steps, place.loss)
            place = self._evaluated(place, bounds.share(place), folder, began, reporter)
            due = place.step % self._settings.checkpoint_steps == 0
            due = due or time.monotonic() - saved > self._settings.checkpoint_seconds
            if self._crew.said(due):
                self._save(folder, place)
                saved = time.monotonic()
            if place.worse >= self._settings.patience:
                self._say(f"stopped early at step {place.step}: the dev answers got no better")
                break
        if place.best and place.worse:
            load_best(folder, self.weights)
        return place

    def _smaller(self, place: Place, folder: Path) -> Place:
        """The place with micro-batches that may fit where those before did not."""
        noted = noted_smaller(folder, place.run) or place.micro_tokens
        # The process that ran out of memory may have written on another machine than the first.
        micro = -self._crew.most(-min(noted, place.micro_tokens))
        if micro < place.micro_tokens:
            self._say(
                f"micro-batches of {micro} tokens, as memory ran out before; the batch stays "
                f"{self._settings.batch} rows"
            )
        return replace(place, micro_tokens=micro)

    def _next(self, place: Place, share: float, folder: Path, began: float) -> Place:
        """The place after one more step."""
        chosen = self._curriculum.batch(share, self._settings.batch)
        for group in self._optimizer.param_groups:
            group["lr"] = self._rate(share)
        loss, micro = self._gradients(chosen, place, folder)
        if not math.isfinite(loss):
            # The weights are still those of the step before: they are the last good ones.
            self._save(folder, place)
            raise self._no_number(chosen, place, folder)
        torch.nn.utils.clip_grad_norm_(self.weights.values(), _CLIP)
        self._optimizer.step()
        self._optimizer.zero_grad(set_to_none=True)
        return replace(
            place,
            step=place.step + 1,
            elapsed=self._crew.said(time.monotonic() - began),
            loss=loss if place.step == 0 else 0.9 * place.loss + 0.1 * loss,
            cursors=tuple(sorted(self._curriculum.cursors.items())),
            micro_tokens=micro,
        )

    def _gradients(self, chosen: Sequence[int], place: Place, folder: Path) -> tuple[float, int]:
        """(the batch's mean loss, the micro-batch that fitted); the gradients are in place."""
        batch = [self._rows[i] for i in chosen]
        tokens = sum(len(row.answer) for row in batch)
        own = self._crew.share(batch)
        micro = place.micro_tokens
        before = random_state()
        while True:
            try:
                total = self._backward(own, tokens, micro)
                break
            except torch.OutOfMemoryError as error:
                self._optimizer.zero_grad(set_to_none=True)
                # Parts of a single row each cannot be cut further.
                longest = max(map(len, own), default=0)
                halves = micro // 2 >= _SMALLEST_MICRO and micro >= longest
                if self._crew.shards:
                    # The others wait for this process amid the model and cannot begin again.
                    if halves:
                        note_smaller(folder, place.run, micro // 2)
                    raise _no_memory_in_parts(place.step + 1, micro, halves, folder) from error
                if not halves:
                    raise _no_memory(place.step + 1, micro) from error
                micro //= 2
            if torch.cuda.is_available():
                torch.cuda.empty_cache()
            set_random_state(before)  # the same dropout as in the try that failed
            self._say(
                f"out of memory at step {place.step + 1}: micro-batches of {micro} tokens from "
                f"here on; the batch stays {self._settings.batch} rows"
            )
        if not self._crew.shards:
            self._crew.add_up(self._filled())
        return self._crew.total(total), micro

    def _backward(self, rows: Sequence[Encoded], tokens: int, micro: int) -> float:
        total = 0.0
        for part, counts in self._parts(rows, micro):
            with self._precision():
                # Divided by the whole batch's tokens, so that how it is cut changes nothing.
                loss = self.loss(part) * (counts / tokens)
            # Where the weights lie in parts, gradients are averaged over the processes.
            summed = loss * self._crew.size if self._crew.shards else loss
            summed.backward()  # type: ignore[no-untyped-call]
            total += float(loss.detach())
        return total

    def _parts(self, rows: Sequence[Encoded], micro: int) -> list[tuple[list[Encoded], float]]:
        """The micro-batches, and whether each counts (1 or 0): processes that hold the weights
        together go through the model equally often."""
        parts = [(part, 1.0) for part in micro_batches(rows, micro, self.loss)]
        if self._crew.shards:
            filler = min(self._rows, key=len)
            parts += [([filler], 0.0)] * (self._crew.most(len(parts)) - len(parts))
        return parts

    def whole(self) -> AbstractContextManager[None]:
        """While this is open, the first process may use the model alone."""
        return whole_model(self._model) if self._crew.shards else nullcontext()

    def _filled(self) -> list[torch.Tensor]:
        """All gradients, zeros where this process had no row for a weight."""
        for weight in self.weights.values():
            if weight.grad is None:
                weight.grad = torch.zeros_like(weight)
        return [weight.grad for weight in self.weights.values() if weight.grad is not None]

    def _precision(self) -> AbstractContextManager[object]:
        if self._half:
            return torch.autocast(self._kind, dtype=torch.bfloat16)
        return nullcontext()

    def _evaluated(
        self, place: Place, share: float, folder: Path, began: float, reporter: Reporter
    ) -> Place:
        """The place with the dev rows answered once more, where that is due."""
        due = min(int(share * self._settings.evaluations), self._settings.evaluations)
        if self._judge is None or due <= place.evaluations:
            return place
        with self.whole():
            dev: Dev = self._crew.said(self._judge() if self._crew.leads else None)
        better = not place.best or dev.score > place.best
        if better:
            weights = gathered(self.weights, keep=self._crew.leads)
            if self._crew.leads:
                save_best(folder, weights)
        reporter.log(place.step, {"dev_right": dev.right, "dev_loss": dev.loss})
        self._say(f"step {place.step}: {dev.right:.1%} of the dev answers right")
        return replace(
            place,
            elapsed=self._crew.said(time.monotonic() - began),
            evaluations=due,
            worse=0 if better else place.worse + 1,
            best=dev.score if better else place.best,
        )

    def _save(self, folder: Path, place: Place) -> None:
        states = self._crew.gathered(random_state())
        tensors = tensors_of(self.weights, self._optimizer)
        tensors = gathered(tensors, keep=self._crew.leads)
        if self._crew.leads:
            save_checkpoint(folder, place, tensors, states)

    def _rate(self, share: float) -> float:
        return self._settings.peak_rate * rate(share)

    def _no_number(self, chosen: Sequence[int], place: Place, folder: Path) -> ModelError:
        asked = "; ".join(self._questions[i] for i in chosen[:3])
        return ModelError(
            f"the training loss is no longer a number at step {place.step + 1}, in the batch of "
            f"{len(chosen)} rows that begins with: {asked[:300]}",
            where=str(folder / CHECKPOINT),
            hint=f"the weights after step {place.step} are kept there; train again with other "
            "batches (--seed N), with --method lora, or with another --base",
        )


def _no_memory_in_parts(step: int, micro: int, halves: bool, folder: Path) -> ModelError:
    """Where a process that holds a part of the weights ran out of memory: all have to end."""
    again = (
        f"run the same command again: it goes on from the last checkpoint with micro-batches of "
        f"{micro // 2} tokens; or "
    )
    return ModelError(
        f"process {rank_here()} ran out of memory at step {step}, with micro-batches of {micro} "
        "tokens; with FSDP none of the processes can go on without it",
        where=str(folder),
        hint=f"{again if halves else ''}launch more processes (--num_processes), a smaller --base, "
        "--method lora, or --schema-context none",
    )


def _no_memory(step: int, micro: int) -> ModelError:
    return ModelError(
        f"the device ran out of memory at step {step}, with micro-batches of {micro} tokens",
        where="train",
        hint="a smaller --base, --schema-context none, or --method qlora",
    )
