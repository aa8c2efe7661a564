"""What a training run of the embedded network carries from step to step, in memory and on disk."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import torch
from safetensors import safe_open
from safetensors.torch import save_file


def optimizer_of(
    network: torch.nn.Module,
    rate: float,
    weight_decay: float,
    slow: Iterable[torch.nn.Parameter] = (),
    slowly: float = 1.0,
) -> torch.optim.AdamW:
    """AdamW over what learns: matrices decay, and ``slow`` parameters learn ``slowly`` (a share).

    Each group's ``scale`` is what a schedule's rate is to be multiplied by.
    """
    careful = {id(parameter) for parameter in slow}
    groups: dict[tuple[float, float], list[torch.nn.Parameter]] = {}
    for parameter in network.parameters():
        if parameter.requires_grad:
            decay = weight_decay if parameter.dim() > 1 else 0.0
            scale = slowly if id(parameter) in careful else 1.0
            groups.setdefault((scale, decay), []).append(parameter)
    return torch.optim.AdamW(
        [{"params": p, "weight_decay": d, "scale": s} for (s, d), p in groups.items()],
        lr=rate,
        betas=(0.9, 0.98),
        fused=True,
    )


def set_rate(optimizer: torch.optim.Optimizer, rate: float) -> None:
    for group in optimizer.param_groups:
        group["lr"] = group["scale"] * rate


def save_state(
    path: Path,
    network: torch.nn.Module,
    optimizer: torch.optim.Optimizer,
    step: int,
    identity: str,
) -> None:
    """Write the whole state to a temporary name, then rename; ``identity`` names the run."""
    state = {f"net.{k}": v.contiguous() for k, v in network.state_dict().items()}
    for number, parameter in enumerate(_parameters(optimizer)):
        for key, value in optimizer.state[parameter].items():
            state[f"opt.{number}.{key}"] = value.detach().clone().contiguous()
    temporary = path.with_suffix(".tmp")
    save_file(state, temporary, metadata={"step": str(step), "identity": identity})
    temporary.replace(path)


def identity_of(path: Path) -> str:
    """Which run a state belongs to; what ``safetensors`` raises where the file is no such file."""
    with safe_open(path, framework="pt") as saved:
        found: dict[str, str] = saved.metadata() or {}
    return found.get("identity", "")


def load_state(path: Path, network: torch.nn.Module, optimizer: torch.optim.Optimizer) -> int:
    """Put the state back in place; the step that it was saved after."""
    with safe_open(path, framework="pt") as saved:
        step = int((saved.metadata() or {})["step"])
        values = {name: saved.get_tensor(name) for name in saved.keys()}  # noqa: SIM118
    network.load_state_dict({k[4:]: v for k, v in values.items() if k.startswith("net.")})
    for number, parameter in enumerate(_parameters(optimizer)):
        prefix = f"opt.{number}."
        found = {k.removeprefix(prefix): v for k, v in values.items() if k.startswith(prefix)}
        if found:
            optimizer.state[parameter] = {k: v.to(parameter.device) for k, v in found.items()}
    return step


def _parameters(optimizer: torch.optim.Optimizer) -> list[torch.Tensor]:
    return [parameter for group in optimizer.param_groups for parameter in group["params"]]
