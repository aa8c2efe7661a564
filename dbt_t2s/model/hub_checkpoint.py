"""A training run's state on disk, whole or not at all: weights, optimizer, randomness, place."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from dbt_t2s.errors import ModelError

_FILE = "checkpoint.safetensors"


@dataclass(frozen=True)
class Place:
    """Where a run stands. ``run`` identifies its data and settings, ``cursors`` how many rows each
    pool of the curriculum has given, ``loss`` is the running mean that is shown."""

    run: str
    step: int
    elapsed: float
    loss: float
    cursors: tuple[tuple[str, int], ...]


def save_checkpoint(
    folder: Path,
    place: Place,
    weights: dict[str, torch.nn.Parameter],
    optimizer: torch.optim.Optimizer,
) -> None:
    """Write under a temporary name, then rename: a kill leaves the former checkpoint whole."""
    tensors = {f"weights/{name}": value.detach() for name, value in weights.items()}
    for number, state in optimizer.state_dict()["state"].items():
        for key, value in state.items():
            tensors[f"optimizer/{number}/{key}"] = value
    tensors["random/cpu"] = torch.get_rng_state()
    if torch.cuda.is_available():
        tensors["random/cuda"] = torch.cuda.get_rng_state()
    ready = {name: value.to("cpu").contiguous() for name, value in tensors.items()}
    folder.mkdir(parents=True, exist_ok=True)
    waiting = folder / f".{_FILE}.tmp"
    save_file(ready, waiting, metadata={"place": json.dumps(asdict(place))})
    with waiting.open("rb") as written:
        os.fsync(written.fileno())
    waiting.replace(folder / _FILE)


def load_checkpoint(
    folder: Path,
    run: str,
    weights: dict[str, torch.nn.Parameter],
    optimizer: torch.optim.Optimizer,
) -> Place | None:
    """Put a checkpoint of the same run back in place; None when there is none of this run."""
    path = folder / _FILE
    if not path.is_file():
        return None
    try:
        with safe_open(path, framework="pt") as stored:
            place = _place((stored.metadata() or {})["place"])
            if place.run != run:
                return None
            tensors = {name: stored.get_tensor(name) for name in stored.keys()}  # noqa: SIM118
    except (SafetensorError, ValueError, KeyError, TypeError) as error:
        raise ModelError(
            "the training checkpoint cannot be read",
            where=str(path),
            hint="delete it and train again",
        ) from error
    with torch.no_grad():
        for name, value in weights.items():
            value.copy_(tensors[f"weights/{name}"])
    state: dict[int, dict[str, torch.Tensor]] = {}
    for name, tensor in tensors.items():
        kind, _, rest = name.partition("/")
        if kind == "optimizer":
            number, _, key = rest.partition("/")
            state.setdefault(int(number), {})[key] = tensor
    optimizer.load_state_dict({**optimizer.state_dict(), "state": state})
    torch.set_rng_state(tensors["random/cpu"])
    if torch.cuda.is_available() and "random/cuda" in tensors:
        torch.cuda.set_rng_state(tensors["random/cuda"])
    return place


def drop_checkpoint(folder: Path) -> None:
    """The run is finished: nothing is left to resume."""
    (folder / _FILE).unlink(missing_ok=True)


def _place(text: str) -> Place:
    raw = json.loads(text)
    cursors = tuple((str(name), int(count)) for name, count in raw["cursors"])
    return Place(
        str(raw["run"]), int(raw["step"]), float(raw["elapsed"]), float(raw["loss"]), cursors
    )
