"""Dropout for a CPU, where drawing random numbers one by one costs a seventh of a training step."""

from __future__ import annotations

import torch
from torch import Tensor, nn

_DRAWN = 1 << 24


class DrawnDropout(nn.Dropout):
    """Dropout whose masks are cut at random places out of numbers drawn once."""

    def __init__(self, chance: float, seed: int) -> None:
        super().__init__(chance)
        drawn = torch.rand(_DRAWN, generator=torch.Generator().manual_seed(seed))
        # What stays is scaled as bfloat16 can, and stays as often as keeps the mean.
        scale = torch.tensor(1 / (1 - chance)).bfloat16()
        self._masks = torch.where(drawn < 1 / scale.float(), scale, 0)

    def forward(self, input: Tensor) -> Tensor:
        if not self.training:
            return input
        first = int(torch.randint(_DRAWN - input.numel(), ()))
        mask = self._masks[first : first + input.numel()].view(input.shape)
        return input * mask.to(input.dtype)


def draw_once(module: nn.Module, seed: int) -> None:
    """Put such dropout in place of torch's everywhere in ``module``."""
    made: dict[float, DrawnDropout] = {}
    for parent in list(module.modules()):
        for name, child in list(parent.named_children()):
            if isinstance(child, nn.Dropout) and child.p > 0:
                kind = made.setdefault(child.p, DrawnDropout(child.p, seed))
                setattr(parent, name, kind)
