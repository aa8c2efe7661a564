"""How much memory a training will take, before it starts; and what would fit where it does not.

The weights are counted exactly, the activations by the layers' shapes. Sizes are in bytes.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from transformers import AutoModelForCausalLM, AutoModelForSeq2SeqLM

from dbt_t2s.errors import ModelError
from dbt_t2s.model.hub_settings import HubSettings

GIB = 1 << 30
LARGEST = 3.5e9
_ADAM = 8  # two moments of four bytes
_USABLE = 0.92  # the rest is the allocator's, the libraries' and other programs'
_ANSWER_SHARE = 0.3  # of a prompt with its answer, the part that has logits
_SMALLEST_MICRO = 512


@dataclass(frozen=True)
class Shape:
    """What memory depends on; ``feed`` is the width between the halves of a layer, ``words`` the
    parameters that stand for words, which are never kept in four bits."""

    parameters: int
    layers: int
    hidden: int
    feed: int
    vocabulary: int
    words: int = 0


@dataclass(frozen=True)
class Need:
    """``weights`` as they are loaded, ``state`` the gradients and moments of what is trained,
    ``activations`` what one micro-batch keeps for the way back."""

    weights: int
    state: int
    activations: int

    @property
    def total(self) -> int:
        return self.weights + self.state + self.activations

    def __str__(self) -> str:
        return (
            f"{self.total / GIB:.1f} GiB ({self.weights / GIB:.1f} weights, "
            f"{self.state / GIB:.1f} gradients and optimizer, "
            f"{self.activations / GIB:.1f} activations)"
        )


@dataclass(frozen=True)
class Plan:
    """Settings that fit, what they need, and what was changed to make them fit."""

    settings: HubSettings
    need: Need
    changes: tuple[str, ...] = ()


def shape_of(config: Any) -> Shape:
    """The shape of a model that is not loaded: its layers are made without memory."""
    kind: Any = AutoModelForSeq2SeqLM if config.is_encoder_decoder else AutoModelForCausalLM
    with torch.device("meta"):
        model = kind.from_config(config)
    layers = _first(config, "num_hidden_layers", "num_layers", "n_layer")
    hidden = _first(config, "hidden_size", "d_model", "n_embd")
    feed = _first(config, "intermediate_size", "d_ff", "n_inner") or 4 * hidden
    return Shape(
        sum(weight.numel() for weight in model.parameters()),
        layers * (2 if config.is_encoder_decoder else 1),
        hidden,
        feed,
        int(config.vocab_size),
        sum({id(each): each.numel() for each in _word_weights(model)}.values()),
    )


def _word_weights(model: Any) -> list[torch.Tensor]:
    ends = (model.get_input_embeddings(), model.get_output_embeddings())
    return [each.weight for each in ends if each is not None]


def _first(config: Any, *names: str) -> int:
    return next((int(v) for n in names if (v := getattr(config, n, None))), 0)


def need_of(shape: Shape, settings: HubSettings, width: int, shards: int = 1) -> Need:
    """What training takes; ``width`` is the bytes of a number that is computed with. Of ``shards``
    processes each holds all the weights at times, but always only its part of the rest."""
    # Weights that are trained themselves are held in full precision: steps are too small for less.
    held = 4 if settings.method == "full" else width
    weights = shape.parameters * held
    if settings.method == "qlora":
        # Four bits with their scales; words in full precision.
        weights = int((shape.parameters - shape.words) * 0.53) + 4 * shape.words
    # A low-rank pair beside each of the some seven matrices of a layer.
    low = shape.layers * settings.rank * (8 * shape.hidden + 3 * (shape.hidden + shape.feed))
    trained = shape.parameters if settings.method == "full" else low
    own = 0 if settings.method == "full" else 4  # an adapter's own weights
    state = trained * (_ADAM + 4 + own) // shards
    tokens = settings.micro_tokens
    layer = tokens * (10 * shape.hidden + 4 * shape.feed) * width
    kept = tokens * shape.hidden * width
    activations = shape.layers * layer
    if settings.checkpointing:
        activations = shape.layers * kept + layer
    # Logits, their softmax in full precision and its gradient.
    activations += int(tokens * _ANSWER_SHARE) * shape.vocabulary * (width + 8)
    return Need(weights, state, activations)


def free_memory(device: torch.device) -> int:
    """What the device has left."""
    if device.type == "cuda":
        return int(torch.cuda.mem_get_info(device)[0])
    if device.type == "mps":
        most = torch.mps.recommended_max_memory() - torch.mps.driver_allocated_memory()
        return int(most)
    try:
        lines = Path("/proc/meminfo").read_text("ascii").splitlines()
        known = {line.split(":")[0]: int(line.split()[1]) << 10 for line in lines if line}
        return known["MemAvailable"]
    except (OSError, ValueError, KeyError, IndexError):
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def fitted(
    shape: Shape, settings: HubSettings, device: torch.device, base: str, shards: int = 1
) -> Plan:
    """The settings as they fit into the device's memory, with smaller micro-batches and
    checkpointed activations where they must; ModelError, with what would fit, where nothing
    helps."""
    width = _width(device)
    room = int(free_memory(device) * _USABLE)
    for tried, changes in _ways(settings):
        need = need_of(shape, tried, width, shards)
        if need.total <= room:
            return Plan(tried, need, changes)
    least = need_of(shape, _smallest(settings), width, shards)
    raise ModelError(
        f"the base model is too large to train here: it takes {least} at the least, and "
        f"{room / GIB:.1f} GiB of the {device.type} device's memory can be used",
        where=base,
        hint=_what_fits(shape, settings, device, width, room),
    )


def _ways(settings: HubSettings) -> list[tuple[HubSettings, tuple[str, ...]]]:
    """The settings as they are, then ones that take less memory and more time."""
    ways: list[tuple[HubSettings, tuple[str, ...]]] = []
    checkpointing = bool(settings.checkpointing)
    settings = replace(settings, checkpointing=checkpointing)
    ways.append((settings, ()))
    micro = settings.micro_tokens
    while micro // 2 >= _SMALLEST_MICRO:
        micro //= 2
        ways.append((replace(settings, micro_tokens=micro), (f"micro-batches of {micro} tokens",)))
    if not checkpointing:
        smallest = replace(settings, micro_tokens=micro, checkpointing=True)
        told = (f"micro-batches of {micro} tokens", "activations computed twice")
        ways.append((smallest, told if micro != settings.micro_tokens else told[1:]))
    return ways


def _smallest(settings: HubSettings) -> HubSettings:
    return _ways(settings)[-1][0]


def instead_of_four_bits(shape: Shape, settings: HubSettings, device: torch.device) -> str:
    """What fits here where ``qlora`` cannot be had, and what it takes."""
    width, room = _width(device), int(free_memory(device) * _USABLE)
    plain = replace(settings, method="lora")
    need = need_of(shape, _smallest(plain), width)
    if need.total <= room:
        return f"--method lora fits here, in {need.total / GIB:.1f} of {room / GIB:.1f} GiB"
    return _what_fits(shape, plain, device, width, room)


def _width(device: torch.device) -> int:
    return 2 if device.type == "cuda" else 4


def _what_fits(
    shape: Shape, settings: HubSettings, device: torch.device, width: int, room: int
) -> str:
    others = ["lora"] if settings.method == "full" else []
    if device.type == "cuda" and settings.method != "qlora":
        others.append("qlora")
    for method in others:
        tried = _smallest(replace(settings, method=method))
        if need_of(shape, tried, width).total <= room:
            return f"--method {method} fits"
    per_weight = need_of(shape, _smallest(settings), width).total / shape.parameters
    return (
        f"a --base of up to {room / per_weight / 1e9:.2g} billion parameters fits with "
        f"--method {settings.method}; or --base embedded"
    )
