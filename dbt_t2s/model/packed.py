"""Linear layers laid out for the few rows of one question.

A question has some fifteen words and its search six plans. For so few rows a matrix product spends
most of its time fetching and rearranging the weights, so they are rearranged once, after loading
(oneDNN's blocked layout); twice as fast for six rows, and no slower for fifty. Sums come in another
order, so results differ in the last digits of float32.

A network that was trained in bfloat16 loses nothing when it answers so, and takes half the time
where the processor multiplies that itself.
"""

from __future__ import annotations

import torch
from torch import nn

# The layout chosen for this many rows is a good one from one row to two hundred.
_ROWS = 16
_INPUTS = 16  # a layer of fewer has hardly any weights to fetch


class PackedLinear(nn.Module):
    """A ``nn.Linear`` that can no longer be trained or saved: (…, in) to (…, out), in float32.

    ``kind`` is what it multiplies.
    """

    def __init__(self, linear: nn.Linear, kind: torch.dtype = torch.float32) -> None:
        super().__init__()
        weight = linear.weight.detach().to(kind)
        self._kind = kind
        self._weight = torch.ops.mkldnn._reorder_linear_weight(weight, _ROWS)
        self._bias = None if linear.bias is None else linear.bias.detach().to(kind)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        flat = x.reshape(-1, x.shape[-1]).to(self._kind)
        rows = len(flat)
        if spare := -rows % _rounded(rows):
            flat = nn.functional.pad(flat, (0, 0, 0, spare))
        made = torch.ops.mkldnn._linear_pointwise(flat, self._weight, self._bias, "none", [], "")
        given: torch.Tensor = made[:rows].float().view(*x.shape[:-1], made.shape[-1])
        return given


def _rounded(rows: int) -> int:
    """What the number of rows is rounded up to a multiple of.

    oneDNN makes a product ready for each number of rows that it meets, which takes a millisecond
    and up to half a megabyte that it keeps: with a thousand of them as much as all else.
    """
    return 1 if rows <= 8 else 8 if rows <= 128 else 32


def has_bf16() -> bool:
    """Whether this processor multiplies bfloat16 itself; one that does not is 15 times slower."""
    able: dict[str, bool] = getattr(torch.cpu, "get_capabilities", dict)()  # torch 2.10 and later
    return bool(able.get("avx512_bf16") or able.get("amx_bf16"))


def pack(module: nn.Module, kind: torch.dtype = torch.float32) -> None:
    """Packs all linear layers of some inputs below ``module``, in place.

    Nothing is changed where oneDNN has no such layout.

    ``module`` must be on the CPU, in float32 and done with training; its products are of ``kind``.
    """
    if not _can_pack():
        return
    for name, child in module.named_children():
        if type(child) is nn.Linear:
            if child.in_features >= _INPUTS:
                setattr(module, name, PackedLinear(child, kind))
        else:
            pack(child, kind)


def _can_pack() -> bool:
    """Whether this build of torch has the layout: not those for ARM without oneDNN."""
    names = ("_reorder_linear_weight", "_linear_pointwise")
    built = bool(torch.backends.mkldnn.is_available())  # type: ignore[no-untyped-call]
    return built and all(hasattr(torch.ops.mkldnn, name) for name in names)
