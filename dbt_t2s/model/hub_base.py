"""A causal language model from a folder or a model hub, and how prompts become its tokens.

Weights are read from safetensors alone and no code that comes with a model is run.
"""

from __future__ import annotations

import inspect
import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from peft import PeftModel
from safetensors import SafetensorError
from torch.nn import functional
from transformers import AutoModelForCausalLM, AutoTokenizer

from dbt_t2s.errors import ModelError
from dbt_t2s.model.prompt import (
    SchemaReader,
    Wrong,
    answer_text,
    build_prompt,
    build_reading,
    plain_prompt,
)

RECORD = "hub.json"
ADAPTER = "adapter"
TOKENIZER = "tokenizer"
_SMALLEST_SLICE = 300
_IGNORED = -100
_LOAD_ERRORS = (OSError, ValueError, RuntimeError, ImportError, KeyError, SafetensorError)


@dataclass(frozen=True)
class Base:
    """A loaded base model. ``name`` is what can load it again, ``adapter`` an adapter found on it
    (to go on from), empty when there is none."""

    name: str
    model: Any
    tokenizer: Any
    device: torch.device
    adapter: str = ""


@dataclass(frozen=True)
class Encoded:
    """One example in tokens; ``answer`` ends with the end-of-sequence token."""

    prompt: tuple[int, ...]
    answer: tuple[int, ...]

    def __len__(self) -> int:
        return len(self.prompt) + len(self.answer)


def load_base(base: str) -> Base:
    """Load a model folder, a hub id, or the base of a trained adapter; ModelError with the way out
    when it is missing, not in safetensors, or not a causal language model."""
    name, adapter, words = _resolve(base)
    folder = Path(name).expanduser()
    if folder.is_dir():
        if not any(folder.glob("*.safetensors")):
            raise ModelError(
                "the base model has no .safetensors weights; other formats can run code and are "
                "not loaded",
                where=name,
                hint="save it again with save_pretrained() of transformers 5, or pass another "
                "--base",
            )
    elif name.startswith((".", "/", "~")) or name.count("/") > 1 or "\\" in name:
        raise ModelError(
            "the base model's folder does not exist", where=name, hint=_how_to_get("<model id>")
        )
    device = _device()
    # bfloat16 has the range that training needs; elsewhere than on CUDA it is slow or missing.
    half = device.type == "cuda" and torch.cuda.is_bf16_supported()
    options: dict[str, Any] = {"trust_remote_code": False}
    try:
        tokenizer = AutoTokenizer.from_pretrained(words or name, **options)
        found: Any = AutoModelForCausalLM.from_pretrained(
            name,
            use_safetensors=True,
            dtype=torch.bfloat16 if half else torch.float32,
            output_loading_info=True,
            **options,
        )
    except _LOAD_ERRORS as error:
        summary = str(error).strip().split("\n")[0][:300]
        raise ModelError(
            f"the base model could not be loaded: {summary}", where=name, hint=_how_to_get(name)
        ) from error
    model, info = found
    _check(name, model, tokenizer, info)
    model.to(device)
    return Base(name, model, tokenizer, device, adapter)


def _resolve(base: str) -> tuple[str, str, str]:
    """(base model, adapter folder, tokenizer folder): a model trained here, or a peft adapter,
    names its own base. Empty where the base model itself is meant."""
    folder = Path(base).expanduser()
    ours, theirs = folder / RECORD, folder / "adapter_config.json"
    try:
        if ours.is_file():
            name = str(json.loads(ours.read_text("utf-8"))["base"])
            return name, str(folder / ADAPTER), str(folder / TOKENIZER)
        if theirs.is_file():
            record = json.loads(theirs.read_text("utf-8"))
            return str(record["base_model_name_or_path"]), str(folder), ""
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ModelError(
            "the adapter does not say which base model it belongs to",
            where=base,
            hint="train again with --base <model folder or hub id>",
        ) from error
    return (str(folder.resolve()) if folder.is_dir() else base), "", ""


def load_adapter(base: Base, adapter: Path, *, trainable: bool) -> PeftModel:
    """The base model under a saved adapter."""
    if not (adapter / "adapter_model.safetensors").is_file():
        raise ModelError(
            "the adapter has no .safetensors weights",
            where=str(adapter),
            hint="dbt-t2s train --base <model>",
        )
    try:
        return PeftModel.from_pretrained(base.model, str(adapter), is_trainable=trainable)
    except _LOAD_ERRORS as error:
        raise ModelError(
            f"the adapter could not be loaded: {str(error).strip().splitlines()[0][:300]}",
            where=str(adapter),
            hint="dbt-t2s train --base <model>",
        ) from error


def _how_to_get(name: str) -> str:
    return (
        f"run `hf download {name}` where there is a network and pass the folder it prints as "
        "--base, or train the model that comes with this package: --base embedded"
    )


def _check(name: str, model: Any, tokenizer: Any, info: Mapping[str, Any]) -> None:
    missing = sorted(info["missing_keys"])
    if missing:
        raise ModelError(
            f"the base model lacks {len(missing)} of a causal language model's weights "
            f"({missing[0]}, ...)",
            where=name,
            hint="pass a text-generation model as --base",
        )
    if tokenizer.eos_token_id is None:
        raise ModelError(
            "the base model's tokenizer has no end-of-sequence token, so answers would not end",
            where=name,
            hint="set eos_token in its tokenizer_config.json",
        )
    rows = model.get_input_embeddings().weight.shape[0]
    # Special tokens that a tokenizer adds on its own may lie beyond; no prompt holds them.
    if tokenizer.vocab_size > rows:
        raise ModelError(
            f"the tokenizer has ids beyond the model's {rows} embeddings",
            where=name,
            hint="use the tokenizer that the model was trained with",
        )


def _device() -> torch.device:
    if torch.cuda.is_available():
        return torch.device("cuda")
    if torch.backends.mps.is_available():
        return torch.device("mps")
    return torch.device("cpu")


_Build = Callable[[Sequence[str]], tuple[dict[str, str], ...]]


class Encoder:
    """Questions and answers as tokens, the same for training and for asking."""

    def __init__(
        self, base: Base, reader: SchemaReader, *, budget: int, max_tokens: int, max_answer: int
    ) -> None:
        self._tokenizer = base.tokenizer
        self._reader = reader
        self._budget = budget
        longest = getattr(base.model.config, "max_position_embeddings", None) or max_tokens
        self._max_answer = max_answer
        self._max_prompt = min(max_tokens, int(longest)) - max_answer
        added = self._tokenizer.added_tokens_decoder.values()
        self._special = tuple(token.content for token in added if token.special)
        bos = self._tokenizer.bos_token_id
        starts = bos is not None and list(self._tokenizer("a").input_ids[:1]) == [bos]
        self._start = (int(bos),) if starts else ()

    def prompt(self, question: str, wrong: Wrong | None = None) -> tuple[int, ...] | None:
        """The prompt's tokens, with a smaller slice of the schema where they are too many; None
        when the question, with the wrong answer to it if any, is too long alone."""
        return self._fitting(question, lambda lines: build_prompt(question, lines, wrong))

    def example(
        self, question: str, sql: str, missing: str, wrong: Wrong | None = None
    ) -> Encoded | None:
        """A training example, or None when the question or the answer is too long."""
        return self._encoded(self.prompt(question, wrong), answer_text(sql, missing))

    def reading(self, sql: str, question: str) -> Encoded | None:
        """A training example that reads SQL; None where it is too long."""
        prompt = self._fitting(sql, lambda lines: build_reading(sql, lines))
        return self._encoded(prompt, question)

    def _fitting(self, about: str, build: _Build) -> tuple[int, ...] | None:
        budget = self._budget
        while True:
            ids = self._ids(build(self._reader.slice(about, budget)))
            if len(ids) <= self._max_prompt:
                return ids
            if budget <= _SMALLEST_SLICE:
                return None
            budget = max(budget // 2, _SMALLEST_SLICE)

    def _encoded(self, prompt: tuple[int, ...] | None, text: str) -> Encoded | None:
        ids = self._tokenizer(text, add_special_tokens=False).input_ids
        answer = (*map(int, ids), int(self._tokenizer.eos_token_id))
        if prompt is None or len(answer) > self._max_answer:
            return None
        return Encoded(prompt, answer)

    def _ids(self, chat: Sequence[Mapping[str, str]]) -> tuple[int, ...]:
        messages = [{**message, "content": self._scrub(message["content"])} for message in chat]
        if not self._tokenizer.chat_template:
            ids = self._tokenizer(plain_prompt(messages), add_special_tokens=False).input_ids
            return (*self._start, *map(int, ids))
        # Some templates print today's date or open a chain of thought unless told otherwise.
        text = self._tokenizer.apply_chat_template(
            messages,
            tokenize=False,
            add_generation_prompt=True,
            enable_thinking=False,
            date_string="01 Jan 2025",
        )
        return tuple(map(int, self._tokenizer(text, add_special_tokens=False).input_ids))

    def _scrub(self, text: str) -> str:
        """Docs and questions are data: they may not end a chat turn or open one."""
        for token in self._special:
            text = text.replace(token, " ")
        return text


def pad_left(
    rows: Sequence[Sequence[int]], filler: int, device: torch.device
) -> tuple[torch.Tensor, torch.Tensor]:
    """(ids, attention mask), padded on the left so that every answer ends at the right edge."""
    width = max(map(len, rows))
    ids = [[filler] * (width - len(row)) + list(row) for row in rows]
    mask = [[0] * (width - len(row)) + [1] * len(row) for row in rows]
    return torch.tensor(ids, device=device), torch.tensor(mask, device=device)


def answer_loss(model: Any, batch: Sequence[Encoded], device: torch.device) -> torch.Tensor:
    """The summed negative log-likelihood of the answers' tokens.

    Logits are asked for the answers alone: over a whole prompt and a large vocabulary they would
    take gigabytes.
    """
    ids, mask = pad_left([(*row.prompt, *row.answer) for row in batch], 0, device)
    keep = max(len(row.answer) for row in batch) + 1
    known = inspect.signature(model.get_base_model().forward).parameters
    options: dict[str, Any] = {
        # Left padding must not shift the positions of models that count them from zero.
        "position_ids": (mask.cumsum(1) - 1).clamp(min=0),
        "logits_to_keep": keep,
        "use_cache": False,
    }
    options = {name: value for name, value in options.items() if name in known}
    logits = model(input_ids=ids, attention_mask=mask, **options).logits
    targets = ids[:, 1 - keep :].clone()
    for place, row in enumerate(batch):
        targets[place, : keep - 1 - len(row.answer)] = _IGNORED
    scores = logits[:, -keep:-1].float()
    return functional.cross_entropy(
        scores.flatten(0, 1), targets.flatten(), ignore_index=_IGNORED, reduction="sum"
    )


def micro_batches(batch: Sequence[Encoded], limit: int) -> list[list[Encoded]]:
    """``batch`` in parts of like length whose padded size stays under ``limit`` tokens."""
    parts: list[list[Encoded]] = []
    for row in sorted(batch, key=len):
        # Rows come in rising length, so the newcomer sets the width of the whole part.
        if parts and (len(parts[-1]) + 1) * len(row) <= limit:
            parts[-1].append(row)
        else:
            parts.append([row])
    return parts


def mean_loss(model: Any, rows: Sequence[Encoded], device: torch.device, limit: int) -> float:
    """The mean negative log-likelihood of an answer token over ``rows``; NaN if there are none."""
    tokens = sum(len(row.answer) for row in rows)
    if not tokens:
        return math.nan
    model.eval()
    with torch.no_grad():
        parts = micro_batches(rows, limit)
        total = sum(answer_loss(model, part, device).item() for part in parts)
    model.train()
    return total / tokens
