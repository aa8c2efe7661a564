"""Weights as they are shipped: matrices as bytes with a scale a row, everything else as fp16.

Symmetric round-to-nearest per row (Jacob et al. 2018, weights alone); they are read back as
float32, so that no arithmetic changes.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

SCALE = ".scale"
_SMALLEST = 4096  # values under which bytes save nothing worth having


def write(path: Path, weights: Mapping[str, Tensor]) -> None:
    """Large matrices (R, C) become int8 (R, C) and ``NAME.scale`` (R, 1)."""
    made: dict[str, Tensor] = {}
    for name, value in weights.items():
        value = value.detach().float().cpu()
        if value.dim() == 2 and value.numel() >= _SMALLEST:
            made[name], made[name + SCALE] = as_bytes(value)
        else:
            made[name] = value.half().contiguous()
    save_file(made, path)


def as_bytes(value: Tensor) -> tuple[Tensor, Tensor]:
    """A matrix (R, C) as int8 (R, C) and its rows' scales (R, 1)."""
    scale = value.abs().amax(1, keepdim=True).clamp(min=1e-8) / 127
    return torch.round(value / scale).to(torch.int8), scale


def read(path: Path) -> dict[str, Tensor]:
    """Every weight as float32; what ``safetensors`` raises where the file is no such file."""
    held = load_file(path)
    return {
        name: value.float() * held[name + SCALE] if name + SCALE in held else value.float()
        for name, value in held.items()
        if not name.endswith(SCALE)
    }
