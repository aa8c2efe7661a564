"""Tiny language models with random weights, and a schema and rows to teach them."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import (
    LlamaConfig,
    LlamaForCausalLM,
    PreTrainedTokenizerFast,
    Qwen2Config,
    Qwen2ForCausalLM,
    Qwen3Config,
    Qwen3ForCausalLM,
    T5Config,
    T5ForConditionalGeneration,
)

from dbt_t2s.model.hub_settings import HubSettings
from dbt_t2s.model.prompt import build_prompt, plain_prompt
from dbt_t2s.model.schema_reader import SchemaReader
from dbt_t2s.project.schema import Column, Join, Kind, ProjectSchema, Role, Table

# One thread: two runs that are compared to the last bit must add up in the same order.
torch.set_num_threads(1)

SETTINGS = HubSettings(
    rank=64,
    alpha=128,
    dropout=0.0,
    learning_rate=3e-3,
    schema_tokens=40,
    max_tokens=384,
    max_answer=48,
    checkpoint_steps=100,
    evaluations=1,
)


def _column(name: str, kind: Kind, role: Role, values: tuple[str, ...] = ()) -> Column:
    return Column(name, kind.value, kind, role, values=values, values_complete=bool(values))


SCHEMA = ProjectSchema(
    project="shop",
    dialect="duckdb",
    tables=(
        Table(
            "orders",
            "main.orders",
            "model.shop.orders",
            "models/orders.sql",
            (
                _column("order_id", Kind.NUMBER, Role.KEY),
                _column("customer_id", Kind.NUMBER, Role.FOREIGN_KEY),
                _column("status", Kind.TEXT, Role.CATEGORY, ("open", "paid")),
                _column("amount", Kind.NUMBER, Role.MEASURE),
            ),
        ),
        Table(
            "customers",
            "main.customers",
            "model.shop.customers",
            "models/customers.sql",
            (
                _column("customer_id", Kind.NUMBER, Role.KEY),
                _column("country", Kind.TEXT, Role.CATEGORY, ("de", "fr")),
            ),
        ),
    ),
    joins=(Join("orders", ("customer_id",), "customers", ("customer_id",)),),
)


def _rows() -> tuple[dict[str, str], ...]:
    rows: list[dict[str, str]] = []
    words = {"sum": "total", "avg": "average", "min": "smallest", "max": "largest"}
    for (call, word), status in itertools.product(words.items(), ("open", "paid")):
        sql = f"select {call}(amount) from main.orders where status = '{status}'"
        rows.append({"question": f"{word} amount of {status} orders", "sql": sql, "phase": "2"})
    for call, word in words.items():
        sql = f"select {call}(amount) from main.orders"
        rows.append({"question": f"{word} amount", "sql": sql, "phase": "1"})
    for table in ("orders", "customers"):
        sql = f"select count(*) from main.{table}"
        rows.append({"question": f"how many {table}", "sql": sql, "phase": "1"})
    for column, table in (("status", "orders"), ("country", "customers")):
        sql = f"select {column}, count(*) from main.{table} group by {column}"
        rows.append({"question": f"{table} by {column}", "sql": sql, "phase": "2"})
    for country in ("de", "fr"):
        sql = f"select count(*) from main.customers where country = '{country}'"
        rows.append({"question": f"customers in {country}", "sql": sql, "phase": "2"})
    for what in ("suppliers", "profit"):
        rows.append({"question": f"all {what}", "sql": "", "refusal": what, "phase": "3"})
    dev = {"question": "smallest amount of open orders", "sql": rows[4]["sql"], "split": "dev"}
    return (*({**row, "split": "train"} for row in rows), dev)


ROWS = _rows()
TRAIN = tuple(row for row in ROWS if row["split"] == "train")


def make_tokenizer(texts: Sequence[str], size: int = 600) -> Any:
    """A byte-level BPE; no pad token and no chat template, as many bases come."""
    raw = Tokenizer(models.BPE())
    raw.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    raw.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=size,
        special_tokens=["<|end|>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    raw.train_from_iterator(texts, trainer)
    make: Any = PreTrainedTokenizerFast
    return make(tokenizer_object=raw, eos_token="<|end|>")


def _texts() -> list[str]:
    reader = SchemaReader(SCHEMA)
    texts: list[str] = []
    for row in TRAIN:
        lines = reader.slice(row["question"], 120)
        texts += [plain_prompt(build_prompt(row["question"], lines)), row["sql"]]
    return texts


def sizes(words: Any) -> dict[str, Any]:
    return {
        "vocab_size": len(words),
        "hidden_size": 64,
        "intermediate_size": 128,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "max_position_embeddings": 512,
        "initializer_range": 0.2,
        "bos_token_id": None,
        "eos_token_id": words.eos_token_id,
    }


def _qwen2(words: Any) -> Any:
    return Qwen2ForCausalLM(Qwen2Config(**sizes(words)))


def _qwen3(words: Any) -> Any:
    model = Qwen3ForCausalLM(Qwen3Config(head_dim=16, **sizes(words)))
    # Its normed queries see everything alike at first, and so small a model has no time to learn.
    for layer in model.model.layers:
        layer.self_attn.q_norm.weight.data.mul_(4)
    return model


def _llama(words: Any) -> Any:
    return LlamaForCausalLM(LlamaConfig(**sizes(words)))


def _t5(words: Any) -> Any:
    sizes: dict[str, Any] = {
        "vocab_size": len(words),
        "d_model": 64,
        "d_kv": 16,
        "d_ff": 128,
        "num_layers": 2,
        "num_heads": 4,
        "dropout_rate": 0.0,
        "feed_forward_proj": "gated-gelu",
        "tie_word_embeddings": False,
    }
    ends = ("eos_token_id", "pad_token_id", "decoder_start_token_id")
    config = T5Config(**sizes, **dict.fromkeys(ends, words.eos_token_id))
    return T5ForConditionalGeneration(config)


ARCHITECTURES: dict[str, Callable[[Any], Any]] = {
    "qwen2": _qwen2,
    "qwen3": _qwen3,
    "llama": _llama,
    "t5": _t5,
}


def make_base(kind: str, folder: Path) -> Path:
    """A model of that architecture with random weights, and a tokenizer trained on the prompts."""
    words = make_tokenizer(_texts())
    words.save_pretrained(folder)
    torch.manual_seed(7)
    ARCHITECTURES[kind](words).save_pretrained(folder)
    return folder
