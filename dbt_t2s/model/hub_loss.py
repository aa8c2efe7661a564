"""The loss on the answers alone, over rows that are packed one behind the other or padded."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch.nn import functional

from dbt_t2s.model.hub_encoder import Encoded

_IGNORED = -100

Loss = Callable[[Sequence[Encoded]], torch.Tensor]


class AnswerLoss:
    """The summed negative log-likelihood of the answers' tokens.

    Logits are asked for the answers alone: over a whole prompt and a large vocabulary they would
    take gigabytes. Packed rows do not see each other: positions that start again at zero mark
    where the next one begins, and the attention mask follows from them.
    """

    def __init__(self, model: Any, device: torch.device, *, packing: bool | None = None) -> None:
        self._model, self._device = model, device
        inner = model.get_base_model() if hasattr(model, "get_base_model") else model
        self._reads_apart = bool(inner.config.is_encoder_decoder)
        self._known = frozenset(inspect.signature(inner.forward).parameters)
        wanted = device.type == "cuda" if packing is None else packing
        self.packs = wanted and can_pack(inner)

    def __call__(self, rows: Sequence[Encoded]) -> torch.Tensor:
        if self._reads_apart:
            return self._apart(rows)
        return self._packed(rows) if self.packs else self._padded(rows)

    def size(self, count: int, longest: int, total: int) -> int:
        """The tokens that ``count`` rows take in memory; ``total`` are their own."""
        return total if self.packs else count * longest

    def _packed(self, rows: Sequence[Encoded]) -> torch.Tensor:
        ids: list[int] = []
        positions: list[int] = []
        keep: list[int] = []
        targets: list[int] = []
        for row in rows:
            # Each token of an answer is predicted at the place before it.
            first = len(ids) + len(row.prompt) - 1
            keep.extend(range(first, first + len(row.answer)))
            ids.extend((*row.prompt, *row.answer))
            positions.extend(range(len(row)))
            targets.extend(row.answer)
        logits = self._model(
            input_ids=self._tensor([ids]),
            position_ids=self._tensor([positions]),
            logits_to_keep=self._tensor(keep),
            use_cache=False,
        ).logits
        return _sum(logits[0], self._tensor(targets))

    def _padded(self, rows: Sequence[Encoded]) -> torch.Tensor:
        ids, mask = pad_left([(*row.prompt, *row.answer) for row in rows], 0, self._device)
        keep = max(len(row.answer) for row in rows) + 1
        options: dict[str, Any] = {
            # Left padding must not shift the positions of models that count them from zero.
            "position_ids": (mask.cumsum(1) - 1).clamp(min=0),
            "logits_to_keep": keep,
            "use_cache": False,
        }
        options = {name: value for name, value in options.items() if name in self._known}
        logits = self._model(input_ids=ids, attention_mask=mask, **options).logits
        targets = ids[:, 1 - keep :].clone()
        for place, row in enumerate(rows):
            targets[place, : keep - 1 - len(row.answer)] = _IGNORED
        return _sum(logits[:, -keep:-1].flatten(0, 1), targets.flatten())

    def _apart(self, rows: Sequence[Encoded]) -> torch.Tensor:
        ids, mask = pad_left([row.prompt for row in rows], 0, self._device)
        width = max(len(row.answer) for row in rows)
        labels = [[*row.answer, *[_IGNORED] * (width - len(row.answer))] for row in rows]
        targets = self._tensor(labels)
        logits = self._model(
            input_ids=ids, attention_mask=mask, labels=targets, use_cache=False
        ).logits
        return _sum(logits.flatten(0, 1), targets.flatten())

    def _tensor(self, values: Sequence[Any]) -> torch.Tensor:
        return torch.tensor(values, device=self._device)


def can_pack(model: Any) -> bool:
    """Whether the model's attention keeps packed rows apart, tried on this very model."""
    known = inspect.signature(model.forward).parameters
    if model.config.is_encoder_decoder or not {"position_ids", "logits_to_keep"} <= set(known):
        return False
    device = next(model.parameters()).device
    rows = ([1, 2, 3, 4], [5, 6, 7])
    was_training = model.training
    model.eval()
    with torch.no_grad():
        together = model(
            input_ids=torch.tensor([[*rows[0], *rows[1]]], device=device),
            position_ids=torch.tensor([[0, 1, 2, 3, 0, 1, 2]], device=device),
            use_cache=False,
        ).logits[0]
        alone = [
            model(input_ids=torch.tensor([row], device=device), use_cache=False).logits[0]
            for row in rows
        ]
    model.train(was_training)
    scale = float(together.float().abs().max())
    close = 1e-4 if together.dtype == torch.float32 else 5e-2
    return bool((together - torch.cat(alone)).float().abs().max() <= close * max(scale, 1e-6))


def pad_left(
    rows: Sequence[Sequence[int]], filler: int, device: torch.device
) -> tuple[torch.Tensor, torch.Tensor]:
    """(ids, attention mask), padded on the left so that every answer ends at the right edge."""
    width = max(map(len, rows))
    ids = [[filler] * (width - len(row)) + list(row) for row in rows]
    mask = [[0] * (width - len(row)) + [1] * len(row) for row in rows]
    return torch.tensor(ids, device=device), torch.tensor(mask, device=device)


def _sum(logits: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    return functional.cross_entropy(logits.float(), targets, ignore_index=_IGNORED, reduction="sum")


def micro_batches(batch: Sequence[Encoded], limit: int, loss: AnswerLoss) -> list[list[Encoded]]:
    """``batch`` in parts of like length that stay under ``limit`` tokens in memory."""
    parts: list[list[Encoded]] = []
    total = 0
    for row in sorted(batch, key=len):
        # Rows come in rising length, so the newcomer sets the width of the whole part.
        if parts and loss.size(len(parts[-1]) + 1, len(row), total + len(row)) <= limit:
            parts[-1].append(row)
            total += len(row)
        else:
            parts.append([row])
            total = len(row)
    return parts


def mean_loss(model: Any, rows: Sequence[Encoded], loss: AnswerLoss, limit: int) -> float:
    """The mean negative log-likelihood of an answer token over ``rows``; NaN if there are none."""
    tokens = sum(len(row.answer) for row in rows)
    if not tokens:
        return math.nan
    model.eval()
    with torch.no_grad():
        total = sum(loss(part).item() for part in micro_batches(rows, limit, loss))
    model.train()
    return total / tokens
