"""The processes that train one model together, as `accelerate launch` or `torchrun` starts them."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import torch
import torch.distributed as dist

from dbt_t2s.errors import ModelError

_LOST = ("connection closed by peer", "connection reset", "broken pipe", "socket", "gloo", "nccl")
_WAIT = timedelta(hours=12)  # the others wait while the first makes the corpus


class Crew:
    """This process among those that train together; alone where nothing launched several."""

    def __init__(self) -> None:
        self.size = size_here()
        self.rank = rank_here()
        self.shards = shards_here()
        if self.shards:
            # Else transformers leaves all but the first process without the base's weights, to be
            # sent by accelerate's own wrapper, which is not used here.
            os.environ["FSDP_CPU_RAM_EFFICIENT_LOADING"] = "false"
        if self.size > 1 and not dist.is_initialized():
            cuda = torch.cuda.is_available()
            if cuda:
                torch.cuda.set_device(int(os.environ.get("LOCAL_RANK", "0")))
            # gloo beside NCCL: what is sent between the steps lies on the CPU.
            dist.init_process_group("cpu:gloo,cuda:nccl" if cuda else "gloo", timeout=_WAIT)

    @property
    def leads(self) -> bool:
        """Whether this process writes, speaks and answers for all."""
        return self.rank == 0

    @property
    def parts(self) -> int:
        """Among how many processes the weights are shared out."""
        return self.size if self.shards else 1

    def share(self, rows: list[Any]) -> list[Any]:
        """This process's part of a batch."""
        return rows[self.rank :: self.size]

    def add_up(self, gradients: Iterable[torch.Tensor]) -> None:
        """Each gradient becomes the sum of all processes'."""
        if self.size > 1:
            for gradient in gradients:
                dist.all_reduce(gradient)

    def total(self, number: float) -> float:
        """The sum of all processes' numbers."""
        if self.size == 1:
            return number
        held = torch.tensor(number, dtype=torch.float64)
        dist.all_reduce(held)
        return float(held)

    def most(self, number: int) -> int:
        """The largest of all processes' numbers."""
        if self.size == 1:
            return number
        held = torch.tensor(number)
        dist.all_reduce(held, dist.ReduceOp.MAX)
        return int(held)

    def said(self, value: Any) -> Any:
        """The first process's value, in all of them."""
        if self.size == 1:
            return value
        held = [value if self.leads else None]
        dist.broadcast_object_list(held, src=0)
        return held[0]

    def gathered(self, value: torch.Tensor) -> list[torch.Tensor]:
        """Every process's value, in their order."""
        if self.size == 1:
            return [value]
        held: list[Any] = [None] * self.size
        dist.all_gather_object(held, value)
        return held


@contextmanager
def together() -> Iterator[None]:
    """Where another process ended amid this, says so instead of what the talk with it broke off
    with."""
    try:
        yield
    except RuntimeError as error:
        lost = isinstance(error, dist.DistError) or any(
            word in str(error).lower() for word in _LOST
        )
        if size_here() == 1 or not lost or isinstance(error, torch.OutOfMemoryError):
            raise
        raise ModelError(
            "another of the processes that train together has ended",
            where=f"process {rank_here()} of {size_here()}",
            hint="its own message says why and what to change; then run the same command again",
        ) from error


_calls: list[bool] = []


def call(task: dict[str, Any]) -> None:
    """Tells the processes that wait what there is to train."""
    if size_here() > 1:
        Crew().said(task)
        _calls.append(True)


def called() -> dict[str, Any] | None:
    """Waits for what the first process has to train; None where it needs nobody."""
    found: dict[str, Any] | None = Crew().said(None)
    return found


def dismiss() -> None:
    """Lets the others go, who still wait where nothing was trained, and ends the talk."""
    if size_here() > 1:
        if not _calls:
            Crew().said(None)
        dist.destroy_process_group()


def size_here() -> int:
    """How many processes were launched."""
    return int(os.environ.get("WORLD_SIZE", "1"))


def rank_here() -> int:
    """Which of them this one is."""
    return int(os.environ.get("RANK", "0")) if size_here() > 1 else 0


def shards_here() -> bool:
    """Whether each process is to hold only a part of the weights: `accelerate launch --use_fsdp`,
    of either version."""
    return size_here() > 1 and os.environ.get("ACCELERATE_USE_FSDP", "").lower() in ("true", "1")
