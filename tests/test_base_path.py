"""A model of another kind through the same door: ``train --base PATH``, then ``ask``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import PreTrainedTokenizerFast, Qwen2Config, Qwen2ForCausalLM

from tests.conftest import t2s

TEXT = "select count(*) from orders where status = 'paid' group by 1 order by 2 desc limit 5 "


@pytest.fixture(name="base")
def base_fixture(tmp_path: Path) -> Path:
    """A Qwen2 with random weights, small enough to make here."""
    raw = Tokenizer(models.BPE())
    raw.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    raw.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=400,
        special_tokens=["<|end|>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    raw.train_from_iterator([TEXT * 4], trainer)
    make: Any = PreTrainedTokenizerFast
    tokenizer = make(tokenizer_object=raw, eos_token="<|end|>")
    folder = tmp_path / "tiny-qwen2"
    tokenizer.save_pretrained(folder)
    torch.manual_seed(1)
    config = Qwen2Config(
        vocab_size=len(tokenizer),
        hidden_size=48,
        intermediate_size=96,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=2048,
        eos_token_id=tokenizer.eos_token_id,
    )
    Qwen2ForCausalLM(config).save_pretrained(folder)
    return folder


def test_a_base_is_trained_once_saved_loaded_and_asked(shop: Path, base: Path) -> None:
    settings = ("--base", str(base), "--minutes", "0.2", "--max-examples", "100")
    done = t2s("train", *settings, cwd=shop)
    assert done.returncode == 0, done.stdout + done.stderr
    record = json.loads((shop / "target" / "t2s" / "model" / "record.json").read_text())
    assert record["kind"] == "hub"
    assert record["base"] == str(base)
    assert record["steps"] > 0
    again = t2s("train", *settings, cwd=shop)
    assert again.returncode == 0
    assert "model: up to date" in again.stderr
    asked = t2s("ask", "how many orders are there", "--json", cwd=shop)
    # Random weights learn little in seconds: what counts is that an answer comes, of any status.
    assert asked.returncode in (0, 1), asked.stderr
    answer = json.loads(asked.stdout.strip().splitlines()[-1])
    assert answer["status"] in ("ok", "refused", "error")
    assert answer["question"] == "how many orders are there"


def test_a_base_that_is_no_language_model_is_told_before_a_corpus_is_made(
    shop: Path, tmp_path: Path
) -> None:
    other = tmp_path / "other"
    other.mkdir()
    (other / "config.json").write_text('{"model_type": "resnet"}')
    (other / "model.safetensors").write_bytes(b"")
    done = t2s("train", "--base", str(other), cwd=shop)
    assert done.returncode == 1
    assert str(other) in done.stderr
    assert not (shop / "target" / "t2s" / "examples.parquet").exists()
