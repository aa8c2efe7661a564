"""What is exported gives the same answers where it is read back."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from peft import PeftModel
from transformers import (
    AutoModelForCausalLM,
    AutoTokenizer,
    LlamaConfig,
    LlamaForCausalLM,
    Qwen3Config,
    Qwen3ForCausalLM,
)

from dbt_t2s.errors import ModelError
from dbt_t2s.model.hub import HubGenerator, train_hub
from dbt_t2s.model.hub_base import load_base
from dbt_t2s.model.hub_encoder import Encoder
from dbt_t2s.model.hub_export import export, modelfile
from dbt_t2s.model.hub_gguf import write_gguf
from tests.model import tiny
from tests.model.tiny import SCHEMA, SETTINGS, TRAIN

QUESTIONS = [row["question"] for row in TRAIN[::3]]


@pytest.fixture(scope="module", name="answers")
def answers_fixture(trained: Path) -> list[str]:
    """What the trained model itself answers: SQL or refusals."""
    found = HubGenerator(trained, SCHEMA).generate(QUESTIONS)
    return [best.sql or f"REFUSE: {best.refusal}" for best, *_ in found]


@pytest.fixture(scope="module", name="ask")
def ask_fixture(trained: Path) -> Callable[[Any], list[str]]:
    """Asks any model in memory the questions, word by word the likeliest."""
    base = load_base(str(trained))
    encoder = Encoder(base, SCHEMA, SETTINGS)

    def ask(model: Any) -> list[str]:
        texts = []
        for question in QUESTIONS:
            prompt = torch.tensor([encoder.prompt(question)])
            out = model.generate(
                input_ids=prompt,
                attention_mask=torch.ones_like(prompt),
                max_new_tokens=48,
                do_sample=False,
                eos_token_id=base.tokenizer.eos_token_id,
                pad_token_id=base.tokenizer.eos_token_id,
            )
            written = out[0, prompt.shape[1] :]
            texts.append(base.tokenizer.decode(written, skip_special_tokens=True))
        return texts

    return ask


def test_an_adapter_is_read_by_peft(
    trained: Path,
    base_dir: Path,
    tmp_path: Path,
    ask: Callable[[Any], list[str]],
    answers: list[str],
) -> None:
    said: list[str] = []
    export(trained, SCHEMA, tmp_path, "adapter", said.append)
    base = AutoModelForCausalLM.from_pretrained(base_dir)
    assert ask(PeftModel.from_pretrained(base, str(tmp_path))) == answers
    assert (tmp_path / "tokenizer.json").exists()
    assert json.loads((tmp_path / "t2s.json").read_text())["base"] == str(base_dir)
    assert "Question: {question}" in (tmp_path / "prompt.txt").read_text()
    assert "looked up by dbt-t2s alone" in said[0], "its prompts tell what a question needs"


def test_merged_weights_are_read_by_transformers(
    trained: Path, tmp_path: Path, ask: Callable[[Any], list[str]], answers: list[str]
) -> None:
    export(trained, SCHEMA, tmp_path, "merged", lambda _: None)
    model = AutoModelForCausalLM.from_pretrained(tmp_path)
    assert not [name for name, _ in model.named_parameters() if "lora" in name]
    assert ask(model) == answers
    words = AutoTokenizer.from_pretrained(tmp_path)
    assert words.decode(words("select 1").input_ids) == "select 1"


@pytest.mark.parametrize("form", ["gguf", "ollama"])
def test_a_gguf_file_is_read_by_another_reader(
    trained: Path,
    tmp_path: Path,
    ask: Callable[[Any], list[str]],
    answers: list[str],
    form: str,
) -> None:
    gguf = pytest.importorskip("gguf")
    export(trained, SCHEMA, tmp_path, form, lambda _: None)
    assert (tmp_path / "Modelfile").exists() == (form == "ollama")
    if form == "gguf":
        model = AutoModelForCausalLM.from_pretrained(tmp_path, gguf_file="model.gguf")
        assert ask(model) == answers
        return
    fields = gguf.GGUFReader(tmp_path / "model.gguf").fields
    words = AutoTokenizer.from_pretrained(trained / "tokenizer")
    tokens = fields["tokenizer.ggml.tokens"].contents()
    assert [tokens[i] for i in words("select amount").input_ids] == words.tokenize("select amount")
    assert tokens[fields["tokenizer.ggml.eos_token_id"].contents()] == words.eos_token
    assert len(fields["tokenizer.ggml.merges"].contents()) > 50
    text = (tmp_path / "Modelfile").read_text()
    assert text.startswith("FROM ./model.gguf\n")
    assert "Question: {{ .Prompt }}\n\nAnswer:\n" in text
    assert 'PARAMETER stop "<|end|>"' in text


@pytest.mark.parametrize("kind", ["qwen3", "llama"])
def test_other_architectures_have_the_same_logits_as_gguf(kind: str, tmp_path: Path) -> None:
    pytest.importorskip("gguf")
    words = tiny.make_tokenizer(["select"])
    torch.manual_seed(3)
    # The width of a head as Qwen3's own models have it: the reader takes no other for granted.
    whole: Any = (
        Qwen3ForCausalLM(Qwen3Config(**{**tiny.sizes(words), "head_dim": 128}))
        if kind == "qwen3"
        else LlamaForCausalLM(LlamaConfig(**tiny.sizes(words)))
    ).train(False)
    write_gguf(whole, words, tmp_path / "model.gguf", "shop")
    model = AutoModelForCausalLM.from_pretrained(tmp_path, gguf_file="model.gguf")
    ids = torch.tensor([[5, 80, 200, 33, 7, 150]])
    with torch.no_grad():
        wanted, found = whole(ids).logits, model(ids).logits
    assert torch.allclose(found, wanted, atol=0.03 * float(wanted.abs().max()))
    assert (found.argmax(-1) == wanted.argmax(-1)).all()


def test_long_contexts_of_llama_3_are_told(tmp_path: Path) -> None:
    gguf = pytest.importorskip("gguf")
    rope = {
        "rope_type": "llama3",
        "rope_theta": 500_000.0,
        "factor": 32.0,
        "low_freq_factor": 1.0,
        "high_freq_factor": 4.0,
        "original_max_position_embeddings": 8192,
    }
    words = tiny.make_tokenizer(["select"])
    config = LlamaConfig(**{**tiny.sizes(words), "head_dim": 64, "rope_parameters": rope})
    model = LlamaForCausalLM(config)
    write_gguf(model, words, tmp_path / "model.gguf", "shop")
    tensors = {each.name: each.data for each in gguf.GGUFReader(tmp_path / "model.gguf").tensors}
    # transformers computes the same scaled frequencies its own way.
    plain = 500_000.0 ** (-torch.arange(0, 64, 2) / 64)
    expected = plain / model.model.rotary_emb.inv_freq
    assert torch.allclose(torch.tensor(tensors["rope_freqs.weight"]), expected, rtol=1e-4)


def test_what_cannot_be_exported_is_told(trained: Path, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="no export format"):
        export(trained, SCHEMA, tmp_path, "onnx", lambda _: None)
    base = load_base(str(tiny.make_base("t5", tmp_path / "base")))
    pytest.importorskip("gguf")
    with pytest.raises(ModelError, match="t5 models are not written as GGUF") as refused:
        write_gguf(base.model, base.tokenizer, tmp_path / "t5.gguf", "shop")
    assert "--format merged" in refused.value.hint


def test_a_model_trained_in_full_with_the_whole_schema_is_served_bare_questions(
    base_dir: Path, tmp_path: Path
) -> None:
    settings = replace(SETTINGS, method="full", schema_context="full")
    train_hub(TRAIN, SCHEMA, str(base_dir), tmp_path / "m", max_steps=1, settings=settings)
    said: list[str] = []
    with pytest.raises(ModelError, match="has no adapter"):
        export(tmp_path / "m", SCHEMA, tmp_path / "out", "adapter", said.append)
    export(tmp_path / "m", SCHEMA, tmp_path / "out", "merged", said.append)
    prompt = (tmp_path / "out" / "prompt.txt").read_text()
    assert "table main.orders" in prompt and "table main.customers" in prompt
    assert not said
    left = AutoModelForCausalLM.from_pretrained(tmp_path / "m" / "weights").state_dict()
    right = AutoModelForCausalLM.from_pretrained(tmp_path / "out").state_dict()
    assert all(torch.equal(left[name], right[name]) for name in left)


def test_a_chat_template_stands_in_the_modelfile() -> None:
    words = tiny.make_tokenizer(["select"])
    words.chat_template = (
        "{% for m in messages %}[{{ m.role }}] {{ m.content }}{% endfor %}"
        "{% if add_generation_prompt %}[assistant] {% endif %}"
    )
    text = modelfile(words, "braces {{ stay }}\nQuestion: {question}")
    assert '[user] braces {{ "{{" }} stay }}\nQuestion: {{ .Prompt }}[assistant] """' in text
