"""Which base models are loaded, and what those that are not are told."""

from __future__ import annotations

import json
import math
import re
import shutil
import threading
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, HTTPServer
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import BertConfig, BertForMaskedLM, Qwen2Config, Qwen2ForCausalLM

from dbt_t2s.errors import ModelError
from dbt_t2s.model.hub import HubGenerator, train_hub
from dbt_t2s.model.hub_base import load_adapter, load_base, load_to_train
from dbt_t2s.model.hub_found import find_base
from dbt_t2s.model.hub_memory import GIB, Shape, fitted, need_of, shape_of
from dbt_t2s.model.hub_settings import HubSettings, checked
from tests.model import tiny
from tests.model.tiny import ROWS, SCHEMA


def _folder_with(base_dir: Path, folder: Path, weights: bool) -> Path:
    folder.mkdir()
    for path in base_dir.iterdir():
        if weights or path.suffix != ".safetensors":
            shutil.copy(path, folder)
    return folder


def test_a_base_that_is_not_there_says_how_to_get_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(ModelError, match="does not exist") as missing:
        find_base(str(tmp_path / "nothing"))
    assert "hf download" in missing.value.hint and "--base embedded" in missing.value.hint
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(ModelError, match="not on this machine and no hub") as unknown:
        load_base("nobody/no-such-model")
    assert "hf download nobody/no-such-model" in unknown.value.hint


def test_a_base_with_pickled_weights_alone_is_refused(base_dir: Path, tmp_path: Path) -> None:
    folder = _folder_with(base_dir, tmp_path / "pickled", weights=False)
    torch.save(load_file(base_dir / "model.safetensors"), folder / "pytorch_model.bin")
    with pytest.raises(ModelError, match=r"no \.safetensors weights"):
        load_base(str(folder))


def test_a_base_with_weights_missing_is_refused(base_dir: Path, tmp_path: Path) -> None:
    folder = _folder_with(base_dir, tmp_path / "headless", weights=True)
    weights = load_file(folder / "model.safetensors")
    del weights["lm_head.weight"]
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(ModelError, match=r"lacks 1 of .*lm_head"):
        load_base(str(folder))


def test_a_broken_base_is_refused(base_dir: Path, tmp_path: Path) -> None:
    folder = _folder_with(base_dir, tmp_path / "cut", weights=True)
    whole = (folder / "model.safetensors").read_bytes()
    (folder / "model.safetensors").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ModelError, match="could not be loaded"):
        load_base(str(folder))


def _told(base: Path, folder: Path, **changed: object) -> ModelError:
    """What is said of a base whose config.json differs so."""
    config = _folder_with(base, folder, weights=True) / "config.json"
    config.write_text(json.dumps({**json.loads(config.read_text()), **changed}))
    with pytest.raises(ModelError) as refused:
        load_to_train(str(folder), HubSettings(), lambda _: None)
    assert refused.value.where == str(folder)
    assert "hf download /" not in refused.value.hint, "a folder is no id"
    return refused.value


def test_a_config_that_nothing_can_be_made_of_is_refused(base_dir: Path, tmp_path: Path) -> None:
    other = _told(base_dir, tmp_path / "layers", num_hidden_layers=5)
    assert "num_hidden_layers" in other.what and "save_pretrained" in other.hint
    assert "`zorp`" in _told(base_dir, tmp_path / "unknown", model_type="zorp").what
    code = {"AutoConfig": "config.Zorp", "AutoModelForCausalLM": "model.Zorp"}
    own = _told(base_dir, tmp_path / "code", model_type="zorp", auto_map=code)
    assert "custom code" in own.what


def test_a_base_that_cannot_write_or_compute_is_refused(base_dir: Path, tmp_path: Path) -> None:
    words = len(load_base(str(base_dir)).tokenizer)
    sizes: dict[str, Any] = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2}
    reader = _folder_with(base_dir, tmp_path / "reader", weights=False)
    BertForMaskedLM(BertConfig(vocab_size=words, **sizes)).save_pretrained(reader)
    with pytest.raises(ModelError, match=r"\(bert\) reads a text as a whole"):
        load_base(str(reader))
    broken = _folder_with(base_dir, tmp_path / "broken", weights=True)
    weights = load_file(broken / "model.safetensors")
    weights["model.norm.weight"] *= math.nan
    save_file(weights, broken / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(ModelError, match="are no numbers"):
        load_base(str(broken))


@pytest.mark.skipif(find_spec("bitsandbytes") is None, reason="bitsandbytes is not installed")
def test_layers_of_any_width_compute_over_four_bits(base_dir: Path, tmp_path: Path) -> None:
    """Repacked for AVX-512 BF16 they could not: 48 is no multiple of its blocks."""
    folder = _folder_with(base_dir, tmp_path / "odd", weights=False)
    sizes = {**tiny.sizes(load_base(str(base_dir)).tokenizer), "hidden_size": 48}
    Qwen2ForCausalLM(Qwen2Config(**sizes)).save_pretrained(folder)
    base = load_base(str(folder), "qlora")
    assert all(
        getattr(m, "support_avx512bf16_for_cpu", None) is not True for m in base.model.modules()
    )


class _Hub(BaseHTTPRequestHandler):
    """A model hub that has nothing, and says why as the real one does."""

    def _refuse(self) -> None:
        status, code = (403, "GatedRepo") if "gated" in self.path else (404, "RepoNotFound")
        if "known" in self.path:
            status, code = 404, "RevisionNotFound"
        self.send_response(status)
        self.send_header("X-Error-Code", code)
        self.send_header("Content-Length", "0")
        self.end_headers()

    do_GET = do_HEAD = _refuse

    def log_message(self, *_: object) -> None:
        """Nothing is logged."""


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """The hub that huggingface_hub asks, on this machine."""
    server = HTTPServer(("127.0.0.1", 0), _Hub)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    address = f"http://127.0.0.1:{server.server_port}"
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", False)
    monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", address)
    template = address + "/{repo_id}/resolve/{revision}/{filename}"
    monkeypatch.setattr("huggingface_hub.constants.HUGGINGFACE_CO_URL_TEMPLATE", template)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "cache"))
    yield
    server.shutdown()


@pytest.mark.usefixtures("hub")
@pytest.mark.parametrize(
    ("base", "told", "hint"),
    [
        ("meta/gated-model", "gated", "hf auth login"),
        ("meta/no-such-model", "no such model on the hub", "org/name"),
        ("meta/known-model@v9", "no revision v9", "--base org/name@revision"),
    ],
)
def test_what_the_hub_refuses_is_explained(base: str, told: str, hint: str) -> None:
    with pytest.raises(ModelError, match=told) as refused:
        load_base(base)
    assert hint in refused.value.hint


def test_a_base_of_the_hub_is_loaded_from_the_cache_and_its_revision_is_recorded(
    base_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    commit = "0123456789abcdef0123456789abcdef01234567"
    model = tmp_path / "models--shop--tiny"
    shutil.copytree(base_dir, model / "snapshots" / commit)
    (model / "refs").mkdir()
    (model / "refs" / "main").write_text(commit)
    (model / "refs" / "v1").write_text(commit)
    for name in ("shop/tiny", "shop/tiny@v1"):
        metrics = train_hub(
            ROWS, SCHEMA, name, tmp_path / "model", max_steps=1, settings=tiny.SETTINGS
        )
        assert metrics["base"] == "shop/tiny"
        record = json.loads((tmp_path / "model" / "hub.json").read_text())
        assert record["base"] == "shop/tiny"
        assert record["revision"] == commit
    HubGenerator(tmp_path / "model", SCHEMA)


def test_an_adapter_of_another_base_is_refused(
    base_dir: Path, trained: Path, tmp_path: Path
) -> None:
    # Other weights of the same shape, where the record says what it was trained on.
    base = _folder_with(base_dir, tmp_path / "base", weights=True)
    model = Path(shutil.copytree(trained, tmp_path / "model"))
    record = json.loads((model / "hub.json").read_text())
    (model / "hub.json").write_text(json.dumps({**record, "base": str(base)}))
    HubGenerator(model, SCHEMA)
    base.rename(tmp_path / "elsewhere")
    with pytest.raises(ModelError, match="not there any more") as gone:
        HubGenerator(model, SCHEMA)
    assert "put it back" in gone.value.hint
    (tmp_path / "elsewhere").rename(base)
    weights = load_file(base / "model.safetensors")
    weights["model.norm.weight"] += 1
    save_file(weights, base / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(ModelError, match="trained on another base") as other:
        HubGenerator(model, SCHEMA)
    assert str(base) in other.value.where
    # Another architecture, where a peft adapter says nothing but a name.
    llama = load_base(str(tiny.make_base("llama", tmp_path / "llama")))
    qwen3 = load_base(str(tiny.make_base("qwen3", tmp_path / "qwen3")))
    qwen3.model.model.layers = qwen3.model.model.layers[:1]
    load_adapter(llama, trained / "adapter", trainable=False)
    with pytest.raises(ModelError, match="does not fit this base"):
        load_adapter(qwen3, trained / "adapter", trainable=False)


def test_an_adapter_of_peft_is_gone_on_from(base_dir: Path, trained: Path) -> None:
    found = find_base(str(trained / "adapter"))
    assert (found.name, found.adapter) == (str(base_dir), str(trained / "adapter"))
    assert load_base(str(trained / "adapter")).adapter == str(trained / "adapter")


def test_choices_that_do_not_exist_are_refused() -> None:
    for settings in (HubSettings(method="dora"), HubSettings(schema_context="some")):
        with pytest.raises(ModelError, match="of hub models") as wrong:
            checked(settings)
        assert " or " in wrong.value.hint


def test_four_bits_are_refused_with_what_fits_instead(
    base_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(shards: int = 1) -> ModelError:
        with pytest.raises(ModelError, match="--method qlora needs") as told:
            load_to_train(str(base_dir), HubSettings(method="qlora"), lambda _: None, shards)
        return told.value

    monkeypatch.setattr("dbt_t2s.model.hub_base.find_spec", lambda _: None)
    missing = refused()
    assert "bitsandbytes, which is not installed" in missing.what
    assert re.search(r"--method lora fits here, in [\d.]+ of [\d.]+ GiB", missing.hint)
    assert "pip install" in missing.hint
    monkeypatch.setattr("dbt_t2s.model.hub_base.find_spec", lambda _: object())
    monkeypatch.setattr("dbt_t2s.model.hub_base._four_bit_devices", lambda: ["cuda", "xpu"])
    assert "knows (cuda, xpu)" in refused().what
    assert "this machine has cpu" in refused().hint
    assert "without --use_fsdp" in refused(shards=2).hint
    monkeypatch.setattr("dbt_t2s.model.hub_memory.free_memory", lambda _: GIB // 10_000)
    assert "billion parameters fits with --method lora" in refused().hint


def test_four_bits_take_less_memory_but_for_the_words() -> None:
    plain, few = HubSettings(), HubSettings(method="qlora")
    assert need_of(BIG, few, 2).weights < need_of(BIG, plain, 2).weights / 3
    words = replace(BIG, words=500_000_000)
    assert need_of(words, few, 2).weights > 4 * 500_000_000


def test_in_parts_each_process_holds_less() -> None:
    full = HubSettings(method="full")
    assert need_of(BIG, full, 2, shards=4).state == need_of(BIG, full, 2).state // 4


BIG = Shape(parameters=1_500_000_000, layers=28, hidden=1536, feed=8960, vocabulary=151_936)
CPU = torch.device("cpu")


def test_the_weights_are_counted_without_loading_them(base_dir: Path) -> None:
    base = load_base(str(base_dir))
    shape = shape_of(base.model.config)
    assert shape.parameters == sum(weight.numel() for weight in base.model.parameters())
    assert (shape.layers, shape.hidden, shape.feed) == (2, 64, 128)


def test_a_training_that_does_not_fit_is_made_smaller_or_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    settings = HubSettings(micro_tokens=8192)
    whole = need_of(BIG, settings, 4)
    assert whole.total > need_of(BIG, HubSettings(micro_tokens=1024), 4).total
    assert need_of(BIG, HubSettings(method="full"), 4).state > 10 * whole.state

    def room(size: float) -> None:
        monkeypatch.setattr("dbt_t2s.model.hub_memory.free_memory", lambda _: int(size * GIB))

    room(1000)
    assert fitted(BIG, settings, CPU, "base").changes == ()
    room(14)
    smaller = fitted(BIG, settings, CPU, "base")
    assert smaller.settings.micro_tokens < 8192 and smaller.changes
    assert smaller.settings.batch == settings.batch
    room(8)
    assert fitted(BIG, settings, CPU, "base").settings.checkpointing
    with pytest.raises(ModelError, match="too large to train here") as full:
        fitted(BIG, HubSettings(method="full"), CPU, "base")
    assert full.value.hint == "--method lora fits"
    room(1)
    with pytest.raises(ModelError, match=r"1\.5|GiB") as nothing:
        fitted(BIG, settings, CPU, "base")
    assert "billion parameters fits" in nothing.value.hint


def test_a_base_over_three_billion_is_warned_of(
    base_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dbt_t2s.model.hub_base.LARGEST", 10_000)
    said: list[str] = []
    load_to_train(str(base_dir), HubSettings(), said.append)
    assert "made for up to 3" in said[0]
