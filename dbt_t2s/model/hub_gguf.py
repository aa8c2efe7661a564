"""GGUF files, as llama.cpp and Ollama read them, of the architectures that are usual."""

from __future__ import annotations

import json
import math
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import torch

from dbt_t2s.errors import ModelError

ARCHITECTURES = {"llama": "llama", "qwen2": "qwen2", "qwen3": "qwen3"}
_NORMAL, _CONTROL, _ADDED, _UNUSED = 1, 3, 4, 5


def write_gguf(model: Any, tokenizer: Any, path: Path, name: str) -> None:
    """Matrices in half precision, everything else in full; ModelError where the model's shape or
    tokenizer has no such form."""
    if find_spec("gguf") is None:
        raise ModelError(
            "GGUF files need the package gguf, which is not installed",
            where=str(path),
            hint='pip install "dbt-t2s[gguf]"',
        )
    from gguf import GGUFWriter, LlamaFileType

    config = model.config
    architecture = ARCHITECTURES.get(config.model_type)
    if architecture is None:
        raise ModelError(
            f"{config.model_type} models are not written as GGUF here",
            where=str(path),
            hint=f"--format merged; GGUF knows {', '.join(ARCHITECTURES)}",
        )
    writer = GGUFWriter(path, architecture)
    writer.add_name(name)
    writer.add_file_type(LlamaFileType.MOSTLY_F16)
    _add_shape(writer, config)
    _add_words(writer, tokenizer, int(model.get_input_embeddings().weight.shape[0]), str(path))
    _add_weights(writer, model, architecture)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def _add_shape(writer: Any, config: Any) -> None:
    heads = int(config.num_attention_heads)
    width = int(getattr(config, "head_dim", None) or config.hidden_size // heads)
    writer.add_context_length(config.max_position_embeddings)
    writer.add_embedding_length(config.hidden_size)
    writer.add_block_count(config.num_hidden_layers)
    writer.add_feed_forward_length(config.intermediate_size)
    writer.add_head_count(heads)
    writer.add_head_count_kv(config.num_key_value_heads)
    writer.add_key_length(width)
    writer.add_value_length(width)
    writer.add_rope_dimension_count(width)
    writer.add_layer_norm_rms_eps(config.rms_norm_eps)
    writer.add_vocab_size(config.vocab_size)
    rope = config.rope_parameters
    writer.add_rope_freq_base(float(rope["rope_theta"]))
    kind = rope.get("rope_type", "default")
    if kind == "llama3":
        writer.add_tensor("rope_freqs.weight", _llama3_factors(rope, width))
    elif kind != "default":
        raise ModelError(
            f"positions that are scaled by {kind} are not written as GGUF here",
            where=str(config.model_type),
            hint="dbt-t2s export --format merged",
        )


def _llama3_factors(rope: dict[str, Any], width: int) -> np.ndarray:
    """How much slower each pair of dimensions turns, (width / 2,), in Llama 3's long contexts."""
    theta, factor = float(rope["rope_theta"]), float(rope["factor"])
    low, high = float(rope["low_freq_factor"]), float(rope["high_freq_factor"])
    context = float(rope["original_max_position_embeddings"])
    factors = []
    for place in range(0, width, 2):
        length = 2 * math.pi * theta ** (place / width)
        if length < context / high:
            factors.append(1.0)
        elif length > context / low:
            factors.append(factor)
        else:
            smooth = (context / length - low) / (high - low)
            factors.append(1 / ((1 - smooth) / factor + smooth))
    return np.array(factors, dtype=np.float32)


def _add_words(writer: Any, tokenizer: Any, rows: int, where: str) -> None:
    raw = json.loads(tokenizer.backend_tokenizer.to_str())
    if raw["model"]["type"] != "BPE" or "ByteLevel" not in json.dumps(raw["pre_tokenizer"]):
        raise ModelError(
            "only byte-level BPE tokenizers are written as GGUF here",
            where=where,
            hint="dbt-t2s export --format merged",
        )
    words = {place: word for word, place in tokenizer.get_vocab().items()}
    added = {int(place): token for place, token in tokenizer.added_tokens_decoder.items()}
    tokens, types = [], []
    for place in range(rows):
        tokens.append(words.get(place, f"[PAD{place}]"))
        special = added.get(place)
        if special is not None:
            types.append(_CONTROL if special.special else _ADDED)
        else:
            types.append(_NORMAL if place in words else _UNUSED)
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre(_splits(json.dumps(raw["pre_tokenizer"])))
    writer.add_token_list(tokens)
    writer.add_token_types(types)
    merges = raw["model"]["merges"]
    writer.add_token_merges([m if isinstance(m, str) else " ".join(m) for m in merges])
    writer.add_eos_token_id(int(tokenizer.eos_token_id))
    writer.add_pad_token_id(int(tokenizer.eos_token_id))
    if tokenizer.bos_token_id is not None:
        writer.add_bos_token_id(int(tokenizer.bos_token_id))
    # A prompt begins with it only where training's did.
    begins = [int(token) for token in tokenizer("a").input_ids[:1]]
    writer.add_add_bos_token(begins == [tokenizer.bos_token_id])
    if tokenizer.chat_template:
        writer.add_chat_template(tokenizer.chat_template)


def _splits(text: str) -> str:
    """llama.cpp's name for the way in which a tokenizer splits text into words."""
    if r"\\p{N}{1,3}" in text:
        return "llama-bpe"
    if r"\\p{N}|" in text or r"|\\p{N}" in text:
        return "qwen2"
    return "smollm" if "Digits" in text else "gpt-2"


def _add_weights(writer: Any, model: Any, architecture: str) -> None:
    from gguf import MODEL_ARCH, MODEL_ARCH_NAMES, get_tensor_name_map

    config = model.config
    arch = next(kind for kind in MODEL_ARCH if MODEL_ARCH_NAMES[kind] == architecture)
    names = get_tensor_name_map(arch, config.num_hidden_layers)
    tied = bool(config.tie_word_embeddings)
    for name, weight in model.state_dict().items():
        if tied and name == "lm_head.weight":
            continue
        written = names.get_name(name, try_suffixes=(".weight", ".bias"))
        if written is None:
            raise ModelError(
                f"the weight {name} has no name in GGUF",
                where=architecture,
                hint="dbt-t2s export --format merged",
            )
        value = weight.detach().to("cpu", torch.float32)
        if architecture == "llama" and ".q_proj." in name:
            value = _interleaved(value, config.num_attention_heads)
        if architecture == "llama" and ".k_proj." in name:
            value = _interleaved(value, config.num_key_value_heads)
        half = value.dim() > 1
        writer.add_tensor(written, value.to(torch.float16 if half else torch.float32).numpy())


def _interleaved(value: torch.Tensor, heads: int) -> torch.Tensor:
    """Rows as llama.cpp turns them: pairs side by side, not in halves of a head."""
    shape = (heads, 2, value.shape[0] // heads // 2, *value.shape[1:])
    return value.reshape(shape).swapaxes(1, 2).reshape(value.shape).contiguous()
