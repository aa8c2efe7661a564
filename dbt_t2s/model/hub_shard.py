"""A model whose weights lie in parts, one in each process (FSDP), and whole where that is needed.

`accelerate launch --use_fsdp` asks for it. What is gathered is gathered by all processes at once:
each function here that says so must be called in every one of them. torch's part for it is loaded
where it is used alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import torch


def shard(model: Any, size: int, device: torch.device) -> None:
    """Leaves each of ``size`` processes its part of every weight, layer by layer."""
    from torch.distributed.device_mesh import init_device_mesh
    from torch.distributed.fsdp import fully_shard

    inner = model.get_base_model() if hasattr(model, "get_base_model") else model
    mesh = init_device_mesh(device.type, (size,))
    layers = set(getattr(inner, "_no_split_modules", None) or ())
    for module in list(inner.modules()):
        if type(module).__name__ in layers:
            fully_shard(module, mesh=mesh)
    # Around the model itself and not peft's, which is not always what is called.
    fully_shard(inner, mesh=mesh)


@contextmanager
def whole_model(model: Any) -> Iterator[None]:
    """The weights whole in every process while this is open (it gathers), so that one of them may
    use the model as if it were alone."""
    from torch.distributed.fsdp import FSDPModule

    parts = [module for module in model.modules() if isinstance(module, FSDPModule)]
    for part in parts:
        part.reshard()  # what may be whole still is older than the last step
        part.set_reshard_after_forward(False, recurse=False)
        part.unshard()
    try:
        yield
    finally:
        for part in parts:
            part.reshard()
            part.set_reshard_after_forward(True, recurse=False)


def state_of(model: Any) -> dict[str, torch.Tensor]:
    """All that is saved of a model, weights that are tied to others once."""
    once = {name for name, _ in model.named_parameters()}
    once |= {name for name, _ in model.named_buffers()}
    return {name: value for name, value in model.state_dict().items() if name in once}


def gathered(tensors: Mapping[str, torch.Tensor], keep: bool) -> dict[str, torch.Tensor]:
    """The tensors, each put together from its parts (it gathers), where they are to be kept."""
    found: dict[str, torch.Tensor] = {}
    for name, value in tensors.items():
        # One at a time, and on to the CPU: a device need not hold all of them at once.
        held: Any = value.detach()
        whole = held.full_tensor().cpu() if _in_parts(value) else held
        if keep:
            found[name] = whole
    return found


def like(value: torch.Tensor, other: torch.Tensor) -> torch.Tensor:
    """A whole tensor in parts where ``other`` of the same shape is."""
    if not _in_parts(other) or value.dim() == 0:
        return value
    from torch.distributed.tensor import distribute_tensor

    held: Any = other
    # Every process has all of it: nothing needs to be sent.
    made: torch.Tensor = distribute_tensor(
        value.to(other.device), held.device_mesh, held.placements, src_data_rank=None
    )
    return made


def _in_parts(value: torch.Tensor) -> bool:
    return hasattr(value, "full_tensor")
