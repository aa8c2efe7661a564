"""Linear layers laid out for the few rows of one question.

A question has some fifteen words and its search six plans. For so few rows a matrix product spends
most of its time fetching and rearranging the weights, so they are rearranged once, after loading
(oneDNN's blocked layout); twice as fast for six rows, and no slower for fifty. Sums come in another
order, so results differ in the last digits of float32.
"""

from __future__ import annotations

import torch
from torch import nn

# The layout chosen for this many rows is a good one from one row to two hundred.
_ROWS = 16


class PackedLinear(nn.Module):
    """A ``nn.Linear`` that can no longer be trained or saved: (…, in) to (…, out)."""

    def __init__(self, linear: nn.Linear) -> None:
        super().__init__()
        weight = linear.weight.detach()
        self._weight = torch.ops.mkldnn._reorder_linear_weight(weight, _ROWS)
        self._bias = None if linear.bias is None else linear.bias.detach()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        made: torch.Tensor = torch.ops.mkldnn._linear_pointwise(
            x, self._weight, self._bias, "none", [], ""
        )
        return made


def pack(module: nn.Module) -> None:
    """Packs all linear layers below ``module``, in place; nothing where oneDNN has no such layout.

    ``module`` must be on the CPU, in float32 and done with training.
    """
    if not _can_pack():
        return
    for name, child in module.named_children():
        if type(child) is nn.Linear:
            setattr(module, name, PackedLinear(child))
        else:
            pack(child)


def _can_pack() -> bool:
    """Whether this build of torch has the layout: not those for ARM without oneDNN."""
    names = ("_reorder_linear_weight", "_linear_pointwise")
    built = bool(torch.backends.mkldnn.is_available())  # type: ignore[no-untyped-call]
    return built and all(hasattr(torch.ops.mkldnn, name) for name in names)
