"""A language model from a folder or a model hub, ready to be trained or asked.

Weights are read from safetensors alone and no code that comes with a model is run.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import torch
from huggingface_hub.errors import StrictDataclassError
from peft import (
    LoraConfig,
    PeftModel,
    get_peft_model,
    get_peft_model_state_dict,
    prepare_model_for_kbit_training,
)
from safetensors import SafetensorError, safe_open
from transformers import (
    AutoConfig,
    AutoModelForCausalLM,
    AutoModelForSeq2SeqLM,
    AutoTokenizer,
)
from transformers.utils.hub import cached_file, extract_commit_hash

from dbt_t2s.errors import ModelError
from dbt_t2s.model.hub_found import Found, find_base, unloadable, weights_stamp
from dbt_t2s.model.hub_memory import (
    LARGEST,
    Plan,
    Shape,
    fitted,
    instead_of_four_bits,
    shape_of,
)
from dbt_t2s.model.hub_settings import HubSettings

Say = Callable[[str], None]
"""What a person should be told while it goes on."""

ADAPTER_FILE = "adapter_model.safetensors"
# What other packages raise over files that are broken, at odds or unknown to them.
_ERRORS = (
    OSError, ValueError, RuntimeError, ImportError, KeyError, TypeError, AttributeError,
    AssertionError, SafetensorError, StrictDataclassError,
)  # fmt: skip


@dataclass(frozen=True)
class Base:
    """A loaded base model.

    ``name`` and ``revision`` are what can load it again, ``stamp`` tells its weights from others,
    ``adapter`` is an adapter found on it (to go on from), empty when there is none.
    """

    name: str
    model: Any
    tokenizer: Any
    device: torch.device
    adapter: str = ""
    revision: str = ""
    stamp: str = ""

    @property
    def reads_apart(self) -> bool:
        """Whether an encoder reads the prompt and a decoder writes the answer (T5)."""
        return bool(self.model.config.is_encoder_decoder)


def load_base(base: str, method: str = "lora") -> Base:
    """Load a model folder, a hub id, or the base of a trained adapter; ModelError with the way out
    when it is missing, not in safetensors, or no language model."""
    found = find_base(base)
    return _loaded(found, _config(found), method)


def check_base(base: str, settings: HubSettings, shards: int = 1) -> tuple[Found, Any, Shape]:
    """The base's place, configuration and sizes; ModelError where no such model can be trained
    here. Its weights are not read."""
    found = find_base(base)
    config = _config(found)
    try:
        shape = shape_of(config)
    except _ERRORS as error:
        raise unloadable(error, found) from error
    if settings.method == "qlora":
        _check_four_bits(shape, settings, device_here(), shards)
    return found, config, shape


def load_to_train(
    base: str, settings: HubSettings, say: Say, shards: int = 1
) -> tuple[Base, HubSettings]:
    """The base, and the settings as they fit into this machine's memory, where ``shards`` processes
    hold a part of the weights each; nothing large is read before that is known."""
    found, config, shape = check_base(base, settings, shards)
    device = device_here()
    if shape.parameters > LARGEST:
        say(
            f"the base model has {shape.parameters / 1e9:.1f} billion parameters; this was made "
            "for up to 3"
        )
    plan: Plan = fitted(shape, settings, device, found.name, shards)
    say(f"{shape.parameters / 1e6:,.0f} million parameters; training takes about {plan.need}")
    if plan.changes:
        say(f"to fit into memory: {' and '.join(plan.changes)}")
    return _loaded(found, config, settings.method), plan.settings


def device_here() -> torch.device:
    """The best device there is: CUDA, then MPS, then the CPU."""
    if torch.cuda.is_available():
        return torch.device("cuda", torch.cuda.current_device())
    if torch.backends.mps.is_available():
        return torch.device("mps")
    return torch.device("cpu")


def computes_in_half(device: torch.device) -> bool:
    """bfloat16 has the range that training needs; elsewhere than on CUDA it is slow or missing."""
    return device.type == "cuda" and torch.cuda.is_bf16_supported()


def _options(found: Found) -> dict[str, Any]:
    options: dict[str, Any] = {"trust_remote_code": False}
    if found.revision and found.folder is None:
        options["revision"] = found.revision
    return options


def _config(found: Found) -> Any:
    try:
        return AutoConfig.from_pretrained(found.name, **_options(found))
    except _ERRORS as error:
        raise unloadable(error, found) from error


def _loaded(found: Found, config: Any, method: str) -> Base:
    device = device_here()
    options = _options(found)
    words = {} if found.tokenizer else options
    half = computes_in_half(device) and method != "full"
    load: dict[str, Any] = {"dtype": torch.bfloat16 if half else torch.float32}
    if method == "qlora":
        load["quantization_config"] = _four_bits(device)
    kind: Any = AutoModelForSeq2SeqLM if config.is_encoder_decoder else AutoModelForCausalLM
    try:
        tokenizer = AutoTokenizer.from_pretrained(found.tokenizer or found.name, **words)
        model, info = kind.from_pretrained(
            found.name, use_safetensors=True, output_loading_info=True, **load, **options
        )
    except _ERRORS as error:
        raise unloadable(error, found) from error
    _check(found.name, model, tokenizer, info)
    if method == "qlora":
        _keep_gradients(model)
    else:
        model.to(device)
    _try(model, device, found, method)
    revision = "" if found.folder else _commit(found)
    stamp = weights_stamp(found.folder) if found.folder else revision
    return Base(found.name, model, tokenizer, device, found.adapter, revision, stamp)


def _commit(found: Found) -> str:
    """The commit of a hub model that was loaded, so that no later one is taken for it."""
    path = cached_file(found.name, "config.json", revision=found.revision or None)
    return str(extract_commit_hash(path, None) or found.revision)


def _check_four_bits(
    shape: Shape, settings: HubSettings, device: torch.device, shards: int
) -> None:
    """ModelError, with what fits instead, where a model cannot be kept in four bits here."""
    how = 'pip install "dbt-t2s[qlora]"'
    if shards > 1:
        missing = "every process to hold the whole model, which FSDP (--use_fsdp) is against"
        how = "launch without --use_fsdp"
    elif find_spec("bitsandbytes") is None:
        missing = "the package bitsandbytes, which is not installed"
    elif device.type not in (known := _four_bit_devices()):
        missing = f"a device that the installed bitsandbytes knows ({', '.join(known) or 'none'})"
        how = f"{how}; this machine has {device.type}"
    else:
        return
    raise ModelError(
        f"--method qlora needs {missing}",
        where="--method qlora",
        hint=f"{how}; or {instead_of_four_bits(shape, settings, device)}",
    )


def _four_bit_devices() -> list[str]:
    """The kinds of device on which the installed bitsandbytes computes."""
    import bitsandbytes

    return sorted(getattr(bitsandbytes, "supported_torch_devices", {"cuda"}))


def _four_bits(device: torch.device) -> Any:
    from transformers import BitsAndBytesConfig

    made: Any = BitsAndBytesConfig
    return made(
        load_in_4bit=True,
        bnb_4bit_quant_type="nf4",
        bnb_4bit_use_double_quant=True,
        bnb_4bit_compute_dtype=torch.bfloat16 if computes_in_half(device) else torch.float32,
    )


def _keep_gradients(model: Any) -> None:
    """Keep bitsandbytes from repacking the weights at the first evaluation, as it does on a
    processor with AVX-512 BF16: no gradients flow through what is repacked."""
    for module in model.modules():
        if hasattr(module, "support_avx512bf16_for_cpu"):
            module.support_avx512bf16_for_cpu = False


def with_adapter(base: Base, settings: HubSettings) -> Any:
    """The model as it is trained: under a new adapter, the one found, or (``full``) as it is."""
    if settings.method == "full":
        if base.adapter:
            merged: Any = load_adapter(base, Path(base.adapter), trainable=False)
            merged = merged.merge_and_unload()
            return merged.requires_grad_(True)
        return base.model
    if settings.method == "qlora":
        prepare: Any = prepare_model_for_kbit_training
        prepare(base.model, use_gradient_checkpointing=bool(settings.checkpointing))
    if base.adapter:
        return load_adapter(base, Path(base.adapter), trainable=True)
    config = LoraConfig(
        r=settings.rank,
        lora_alpha=settings.alpha,
        lora_dropout=settings.dropout,
        # All projections of attention and feed-forward, whatever an architecture calls them.
        target_modules="all-linear",
        task_type="SEQ_2_SEQ_LM" if base.reads_apart else "CAUSAL_LM",
        revision=base.revision or None,
    )
    return get_peft_model(base.model, config)


def _try(model: Any, device: torch.device, found: Found, method: str) -> None:
    """ModelError where the model cannot compute here, computes no numbers, or reads the words that
    it is to write."""
    if model.config.is_encoder_decoder:
        return
    rows = torch.tensor([[0, 1, 2, 3], [0, 1, 2, 0]], device=device)
    try:
        with torch.no_grad():
            written = model(input_ids=rows, use_cache=False).logits
    except _ERRORS as error:
        told = " ".join(str(error).split())[:200]
        four = method == "qlora"
        raise ModelError(
            f"the base model does not compute here{' over four bits' if four else ''}: {told}",
            where=found.name,
            hint="--method lora" if four else "pass another --base, or --base embedded",
        ) from error
    logits = written.float()
    if not bool(torch.isfinite(logits).all()):
        raise ModelError(
            "the base model's weights hold values that are no numbers",
            where=found.name,
            hint="get it again, or pass another --base",
        )
    # The two rows differ in their last word alone, which a model that writes has not seen before.
    seen = float((logits[0, :-1] - logits[1, :-1]).abs().max())
    close = 1e-5 if written.dtype == torch.float32 and method != "qlora" else 2e-2
    if seen > close * max(float(logits.abs().max()), 1e-6):
        raise ModelError(
            f"the base model ({model.config.model_type}) reads a text as a whole and cannot write "
            "one word after another",
            where=found.name,
            hint="pass a text-generation model as --base",
        )


def load_adapter(base: Base, adapter: Path, *, trainable: bool) -> PeftModel:
    """The base model under a saved adapter; ModelError where it was made for another base."""
    path = adapter / ADAPTER_FILE
    if not path.is_file():
        raise ModelError(
            "the adapter has no .safetensors weights",
            where=str(adapter),
            hint="dbt-t2s train --base <model>",
        )
    try:
        model = PeftModel.from_pretrained(base.model, str(adapter), is_trainable=trainable)
        with safe_open(path, framework="pt") as stored:
            saved = set(stored.keys())
    except _ERRORS as error:
        if "size mismatch" in str(error):
            raise _wrong_base(adapter, base.name) from error
        raise ModelError(
            f"the adapter could not be loaded: {str(error).strip().splitlines()[0][:300]}",
            where=str(adapter),
            hint="dbt-t2s train --base <model>",
        ) from error
    # peft itself only warns of layers that have no weights in the file, or the other way round.
    if set(get_peft_model_state_dict(model, save_embedding_layers=False)) != saved:
        raise _wrong_base(adapter, base.name)
    return model


def _wrong_base(adapter: Path, name: str) -> ModelError:
    return ModelError(
        "the adapter does not fit this base model: it was trained on another",
        where=f"{adapter} on {name}",
        hint="name the base it was trained on in its adapter_config.json, or train a new one: "
        f"--base {name}",
    )


def _check(name: str, model: Any, tokenizer: Any, info: Mapping[str, Any]) -> None:
    missing = sorted(info["missing_keys"])
    if missing:
        raise ModelError(
            f"the base model lacks {len(missing)} of a language model's weights "
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
