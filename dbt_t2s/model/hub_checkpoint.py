"""A training run's state on disk, whole or not at all: weights, optimizer, randomness, place."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save_file

from dbt_t2s.errors import ModelError
from dbt_t2s.model.hub_shard import like

CHECKPOINT = "checkpoint.safetensors"
BEST = "best.safetensors"
SMALLER = "micro_tokens.json"

Weights = Mapping[str, torch.nn.Parameter]


@dataclass(frozen=True)
class Place:
    """Where a run stands.

    ``run`` identifies its data and settings, ``cursors`` how many rows each pool of the curriculum
    has given, ``loss`` is the running mean that is shown, ``micro_tokens`` what was found to fit
    into memory. The dev rows were answered ``evaluations`` times, the last ``worse`` of them no
    better than ``best`` (share right, negative loss), empty before the first.
    """

    run: str
    step: int = 0
    elapsed: float = 0.0
    loss: float = 0.0
    cursors: tuple[tuple[str, int], ...] = ()
    micro_tokens: int = 0
    evaluations: int = 0
    worse: int = 0
    best: tuple[float, ...] = ()


def tensors_of(weights: Weights, optimizer: torch.optim.Optimizer) -> dict[str, torch.Tensor]:
    """What a checkpoint holds of a run, beside its randomness."""
    tensors = {f"weights/{name}": value.detach() for name, value in weights.items()}
    for number, state in optimizer.state_dict()["state"].items():
        for key, value in state.items():
            tensors[f"optimizer/{number}/{key}"] = value
    return tensors


def save_checkpoint(
    folder: Path,
    place: Place,
    tensors: Mapping[str, torch.Tensor],
    randomness: Sequence[torch.Tensor],
) -> None:
    """Write under a temporary name, then rename: a kill leaves the former checkpoint whole.

    ``tensors`` are those of ``tensors_of``, ``randomness`` the random states of all processes, in
    their order.
    """
    random = {f"random/{rank}": state for rank, state in enumerate(randomness)}
    _write(folder / CHECKPOINT, {**tensors, **random}, {"place": json.dumps(asdict(place))})


def save_best(folder: Path, weights: Mapping[str, torch.Tensor]) -> None:
    """The weights that answered the dev rows best so far."""
    _write(folder / BEST, weights, {})


def load_best(folder: Path, weights: Weights) -> None:
    """Put the best weights back in place."""
    try:
        _put(weights, load_file(folder / BEST))
    except (OSError, SafetensorError, KeyError, RuntimeError) as error:
        raise _unreadable(folder / BEST) from error


def load_checkpoint(
    folder: Path, run: str, weights: Weights, optimizer: torch.optim.Optimizer, rank: int = 0
) -> Place | None:
    """Put a checkpoint of the same run back in place; None when there is none of this run."""
    path = folder / CHECKPOINT
    if not path.is_file():
        return None
    try:
        with safe_open(path, framework="pt") as stored:
            place = _place((stored.metadata() or {})["place"])
            if place.run != run:
                return None
            tensors = {name: stored.get_tensor(name) for name in stored.keys()}  # noqa: SIM118
        _put(weights, {name: tensors[f"weights/{name}"] for name in weights})
    except (SafetensorError, ValueError, KeyError, TypeError, RuntimeError) as error:
        raise _unreadable(path) from error
    state: dict[int, dict[str, torch.Tensor]] = {}
    held = list(weights.values())
    for name, tensor in tensors.items():
        kind, _, rest = name.partition("/")
        if kind == "optimizer":
            number, _, key = rest.partition("/")
            state.setdefault(int(number), {})[key] = like(tensor, held[int(number)])
    optimizer.load_state_dict({**optimizer.state_dict(), "state": state})
    own = tensors.get(f"random/{rank}")
    if own is not None:
        set_random_state(own)
    return place


def note_smaller(folder: Path, run: str, micro_tokens: int) -> None:
    """What may fit into memory when this run is started again, where it cannot go on itself."""
    folder.mkdir(parents=True, exist_ok=True)
    waiting = folder / f".{SMALLER}.{os.getpid()}.tmp"  # several processes may write at once
    waiting.write_text(json.dumps({"run": run, "micro_tokens": micro_tokens}), "utf-8")
    waiting.replace(folder / SMALLER)


def noted_smaller(folder: Path, run: str) -> int | None:
    """What was noted for this run, if anything."""
    try:
        raw = json.loads((folder / SMALLER).read_text("utf-8"))
        return int(raw["micro_tokens"]) if raw["run"] == run else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def drop_checkpoint(folder: Path) -> None:
    """The run is finished: nothing is left to resume."""
    for name in (CHECKPOINT, BEST, SMALLER):
        (folder / name).unlink(missing_ok=True)


def random_state() -> torch.Tensor:
    """This process's random state: the CPU's, and behind it the GPU's where there is one."""
    state = torch.get_rng_state()
    return torch.cat([state, torch.cuda.get_rng_state()]) if torch.cuda.is_available() else state


def set_random_state(state: torch.Tensor) -> None:
    """What ``random_state`` gave, put back; a GPU's part where there is a GPU."""
    size = torch.get_rng_state().numel()
    torch.set_rng_state(state[:size])
    if torch.cuda.is_available() and state.numel() > size:
        torch.cuda.set_rng_state(state[size:])


def _put(weights: Weights, tensors: Mapping[str, torch.Tensor]) -> None:
    with torch.no_grad():
        for name, value in weights.items():
            value.copy_(like(tensors[name], value))


def _write(path: Path, tensors: Mapping[str, torch.Tensor], metadata: dict[str, str]) -> None:
    ready = {name: value.detach().to("cpu").contiguous() for name, value in tensors.items()}
    path.parent.mkdir(parents=True, exist_ok=True)
    waiting = path.with_name(f".{path.name}.tmp")
    save_file(ready, waiting, metadata=metadata)
    with waiting.open("rb") as written:
        os.fsync(written.fileno())
    waiting.replace(path)


def _unreadable(path: Path) -> ModelError:
    return ModelError(
        "the training checkpoint cannot be read",
        where=str(path),
        hint="delete it and train again",
    )


def _place(text: str) -> Place:
    raw = json.loads(text)
    return Place(
        run=str(raw["run"]),
        step=int(raw["step"]),
        elapsed=float(raw["elapsed"]),
        loss=float(raw["loss"]),
        cursors=tuple((str(name), int(count)) for name, count in raw["cursors"]),
        micro_tokens=int(raw["micro_tokens"]),
        evaluations=int(raw["evaluations"]),
        worse=int(raw["worse"]),
        best=tuple(float(each) for each in raw["best"]),
    )
