"""Prints how fast hub models train and answer on one GPU, beside TRL where it is installed.

    python -m tests.benchmarks.gpu_hub prepare PROJECT/target/t2s FOLDER   # where the project is
    python -m tests.benchmarks.gpu_hub run FOLDER --seconds 420            # where the GPU is

``prepare`` writes prompts and answers as numbers, so that the GPU's machine needs nothing but this
repository, torch, transformers and peft (llguidance for the grammar, trl to compare). ``run``
measures one thing after another, keeps each in FOLDER/results.jsonl and skips what is there when it
is run again; it ends in time and prints the table of what it has. Weights are random, shapes those
of Qwen2.5-Coder; the tokenizer is trained on the prompts, so examples are shorter in tokens than
Qwen's own would be. ``--tiny`` tries all of it on a CPU in a minute.
"""

from __future__ import annotations

import argparse
import json
import math
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import torch
from peft import LoraConfig
from transformers import (
    PreTrainedTokenizerFast,
    Qwen2Config,
    Qwen2ForCausalLM,
    TrainerCallback,
)

from dbt_t2s.model.hub_base import Base, computes_in_half, device_here, with_adapter
from dbt_t2s.model.hub_constraint import Constraint, is_available
from dbt_t2s.model.hub_crew import Crew
from dbt_t2s.model.hub_encoder import Encoded
from dbt_t2s.model.hub_loss import pad_left
from dbt_t2s.model.hub_reporting import Reporter
from dbt_t2s.model.hub_schedule import Curriculum
from dbt_t2s.model.hub_settings import HubSettings
from dbt_t2s.model.hub_trainer import Bounds, Trainer

# (hidden, feed-forward, layers, heads, heads of keys) of Qwen2.5-Coder.
SHAPES = {
    "0.5B": (896, 4864, 24, 14, 2),
    "1.5B": (1536, 8960, 28, 12, 2),
    "3B": (2048, 11008, 36, 16, 2),
}
TINY = (64, 128, 2, 4, 2)
VOCABULARY = 151_936
WARM_UP = 2
ORDER = (
    ("1.5B", "lora"), ("0.5B", "lora"), ("3B", "lora"), ("1.5B", "full"), ("0.5B", "full"),
    ("3B", "full"),
)  # fmt: skip
WAYS = ("packed", "padded", "trl")
ANSWERED = 128


class Enough(Exception):
    """The time for one measurement is over."""


def prepare(project: Path, folder: Path, most: int) -> None:
    """examples.json, tokenizer/ and grammar.lark from a project's schema and dataset."""
    from dbt_t2s import store
    from dbt_t2s.corpus.examples import Example
    from dbt_t2s.model.hub_encoder import Encoder
    from dbt_t2s.model.prompt import build_prompt, plain_prompt
    from dbt_t2s.model.schema_reader import SchemaReader
    from dbt_t2s.project.schema import ProjectSchema
    from dbt_t2s.query.lark import plan_lark
    from tests.model.tiny import make_tokenizer

    schema = store.read_json(project / "schema.json", ProjectSchema)
    rows = store.read_rows(project / "dataset" / "train.parquet", Example)[:most]
    reader = SchemaReader(schema)
    texts = [
        plain_prompt(build_prompt(row.question, reader.slice(row.question))) + row.sql
        for row in rows[:400]
    ]
    words = make_tokenizer(texts, 8000)
    config = Qwen2Config(max_position_embeddings=32_768)
    base = Base("", argparse.Namespace(config=config), words, torch.device("cpu"))
    encoder = Encoder(base, schema, HubSettings())
    made = [
        encoder.example({"question": row.question, "sql": row.sql, "split": "train"})
        for row in rows
    ]
    folder.mkdir(parents=True, exist_ok=True)
    words.save_pretrained(folder / "tokenizer")
    (folder / "grammar.lark").write_text(plan_lark(schema), "utf-8")
    kept = [(list(each.prompt), list(each.answer)) for each in made if each is not None]
    (folder / "examples.json").write_text(json.dumps(kept))
    lengths = [len(prompt) + len(answer) for prompt, answer in kept]
    print(f"{len(kept)} examples of {sum(lengths) / len(kept):.0f} tokens in {folder}")


class Bench:
    """One run: what it measures with, for how long, and what it keeps."""

    def __init__(self, folder: Path, seconds: float, each: float, tiny: bool) -> None:
        self.device = device_here()
        self.until = time.monotonic() + seconds
        self.each, self.tiny = each, tiny
        pairs = json.loads((folder / "examples.json").read_text())
        self.rows = [Encoded(tuple(prompt), tuple(answer)) for prompt, answer in pairs]
        self.words: Any = PreTrainedTokenizerFast.from_pretrained(folder / "tokenizer")
        self.grammar = (folder / "grammar.lark").read_text("utf-8")
        self._file = folder / ("results-tiny.jsonl" if tiny else "results.jsonl")
        lines = self._file.read_text().splitlines() if self._file.exists() else []
        self.kept: dict[str, dict[str, Any]] = {
            found["name"]: found for found in map(json.loads, lines)
        }

    def measure(self, name: str, how: Callable[[], dict[str, Any]]) -> None:
        """Measures once, unless it is there already or there is no time; failures are kept too."""
        if name in self.kept or time.monotonic() + 1.5 * self.each > self.until:
            return
        if self.device.type == "cuda":
            torch.cuda.empty_cache()
            torch.cuda.reset_peak_memory_stats()
        try:
            found = how()
        except (RuntimeError, ValueError, TypeError, ImportError) as error:
            found = {"failed": f"{type(error).__name__}: {str(error).splitlines()[0][:200]}"}
        if self.device.type == "cuda":
            found["peak_gib"] = round(torch.cuda.max_memory_allocated() / (1 << 30), 1)
        self.kept[name] = {"name": name, "device": self._named(), **found}
        with self._file.open("a") as file:
            file.write(json.dumps(self.kept[name]) + "\n")
        print(json.dumps(self.kept[name]), flush=True)

    def _named(self) -> str:
        return torch.cuda.get_device_name() if self.device.type == "cuda" else "cpu"

    def base(self, shape: str, method: str) -> Base:
        """A model of that shape with random weights, as training loads it."""
        hidden, feed, layers, heads, keys = TINY if self.tiny else SHAPES[shape]
        config = Qwen2Config(
            vocab_size=len(self.words) if self.tiny else VOCABULARY,
            hidden_size=hidden,
            intermediate_size=feed,
            num_hidden_layers=layers,
            num_attention_heads=heads,
            num_key_value_heads=keys,
            max_position_embeddings=32_768,
            tie_word_embeddings=True,
            eos_token_id=self.words.eos_token_id,
            bos_token_id=None,
        )
        half = computes_in_half(self.device) and method != "full"
        with torch.device(self.device):
            model: Any = Qwen2ForCausalLM(config)
        model = model.to(torch.bfloat16 if half else torch.float32)
        return Base(shape, model, self.words, self.device)


def matrix_rate(bench: Bench) -> dict[str, Any]:
    """Floating-point operations a second of large bf16 products on this very card."""
    size = 512 if bench.device.type == "cpu" else 8192
    left, right = (
        torch.randn(size, size, device=bench.device, dtype=torch.bfloat16) for _ in range(2)
    )
    for _ in range(3):
        left @ right
    _wait(bench)
    began, done = time.monotonic(), 0
    while time.monotonic() - began < min(bench.each, 3):
        for _ in range(10):
            left @ right
        _wait(bench)
        done += 10
    return {"tflops": round(2 * size**3 * done / (time.monotonic() - began) / 1e12, 2)}


def ours(bench: Bench, shape: str, method: str, packing: bool) -> dict[str, Any]:
    """Steps of our trainer."""
    base = bench.base(shape, method)
    settings = HubSettings(
        method=method, packing=packing, micro_tokens=1024 if bench.tiny else 16_384
    )
    model = with_adapter(base, settings)
    curriculum = Curriculum(["1"] * len(bench.rows), 0)
    trainer = Trainer(
        base, model, bench.rows, [""] * len(bench.rows), curriculum, settings, Crew(), print
    )
    stamps: list[float] = []

    def progress(_step: int, _planned: int, _loss: float) -> None:
        _wait(bench)
        stamps.append(time.monotonic())
        if stamps[-1] - stamps[0] > bench.each:
            raise Enough

    try:
        with tempfile.TemporaryDirectory() as folder:
            run = replace(settings, checkpoint_steps=10**6)
            trainer.run(
                Path(folder), repr(run), Bounds(10**6), progress, Reporter((), Path(folder))
            )
    except Enough:
        pass
    steps = len(stamps) - WARM_UP
    tokens = sum(map(len, bench.rows)) / len(bench.rows) * settings.batch
    return _speed(bench, model, method, steps, settings.batch, tokens, stamps)


def trl(bench: Bench, shape: str, method: str) -> dict[str, Any]:
    """Steps of TRL's SFTTrainer with its packing, on the same rows."""
    from datasets import Dataset
    from trl import SFTConfig, SFTTrainer

    base = bench.base(shape, method)
    stamps: list[float] = []

    class Clock(TrainerCallback):
        def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
            _wait(bench)
            stamps.append(time.monotonic())
            control.should_training_stop = stamps[-1] - stamps[0] > bench.each

    data = Dataset.from_list(
        [
            {
                "input_ids": [*row.prompt, *row.answer],
                "completion_mask": [0] * len(row.prompt) + [1] * len(row.answer),
            }
            for row in bench.rows
        ]
    )
    width = 1024 if bench.tiny else 4096
    settings = HubSettings(method=method)
    lora = LoraConfig(
        r=settings.rank,
        lora_alpha=settings.alpha,
        lora_dropout=settings.dropout,
        target_modules="all-linear",
        task_type="CAUSAL_LM",
    )
    with tempfile.TemporaryDirectory() as folder:
        config = SFTConfig(
            output_dir=folder,
            packing=True,
            max_length=width,
            per_device_train_batch_size=1 if bench.tiny else 4,
            gradient_accumulation_steps=1,
            gradient_checkpointing=False,
            bf16=computes_in_half(bench.device),
            use_cpu=bench.device.type == "cpu",
            max_steps=10**5,
            report_to=[],
            save_strategy="no",
            disable_tqdm=True,
        )
        trainer = SFTTrainer(
            model=base.model,
            args=config,
            train_dataset=data,
            processing_class=base.tokenizer,
            peft_config=lora if method == "lora" else None,
            callbacks=[Clock()],
        )
        trainer.train()
    steps = len(stamps) - WARM_UP
    mean = sum(map(len, bench.rows)) / len(bench.rows)
    tokens = config.per_device_train_batch_size * width  # packed full
    return _speed(bench, trainer.model, method, steps, tokens / mean, tokens, stamps)


def _speed(
    bench: Bench,
    model: Any,
    method: str,
    steps: int,
    examples: float,
    tokens: float,
    stamps: Sequence[float],
) -> dict[str, Any]:
    if steps < 1:
        return {"failed": "no step was done in time"}
    seconds = (stamps[-1] - stamps[WARM_UP - 1]) / steps
    weights = sum(weight.numel() for weight in model.parameters())
    # Forward, and back through the activations; gradients of the weights too where all are trained.
    operations = (6 if method == "full" else 4) * weights * tokens / seconds
    rate = bench.kept.get("matrix rate", {}).get("tflops", math.nan)
    return {
        "examples_s": round(examples / seconds, 2),
        "tokens_s": round(tokens / seconds),
        "share_of_rate": round(operations / 1e12 / rate, 4),
    }


def answering(bench: Bench, constrained: bool) -> dict[str, Any]:
    """Questions a second, greedy, of 40 tokens each, with or without the grammar."""
    base = bench.base("0.5B", "lora")
    length, batch = (8, 8) if bench.tiny else (40, ANSWERED)
    prompts = [row.prompt for row in bench.rows[:batch]]
    ids, mask = pad_left(prompts, int(base.tokenizer.eos_token_id), bench.device)
    vocabulary = int(base.model.get_output_embeddings().weight.shape[0])
    grammar = Constraint(bench.grammar, base.tokenizer, vocabulary, "") if constrained else None
    times: list[float] = []
    while len(times) < 2 or sum(times) < bench.each / 2:
        masking = [grammar.masking(ids.shape[1])] if grammar else []
        began = time.monotonic()
        with torch.no_grad():
            base.model.generate(
                input_ids=ids,
                attention_mask=mask,
                do_sample=False,
                # As many tokens with the grammar as without: its answers would end sooner.
                min_new_tokens=None if grammar else length,
                max_new_tokens=length,
                pad_token_id=int(base.tokenizer.eos_token_id),
                logits_processor=masking,
            )
        _wait(bench)
        times.append(time.monotonic() - began)
    seconds = min(times)
    return {
        "questions_s": round(len(prompts) / seconds, 1),
        "ms_a_token": round(seconds / length * 1000, 2),
    }


def _wait(bench: Bench) -> None:
    if bench.device.type == "cuda":
        torch.cuda.synchronize()


def measure_all(bench: Bench) -> None:
    bench.measure("matrix rate", lambda: matrix_rate(bench))
    bench.measure("answers free", lambda: answering(bench, False))
    if is_available():
        bench.measure("answers constrained", lambda: answering(bench, True))
    for shape, method in ORDER[:1] if bench.tiny else ORDER:
        for way in WAYS:
            name = f"{shape} {method} {way}"
            if way != "trl":
                bench.measure(name, lambda: ours(bench, shape, method, way == "packed"))  # noqa: B023
            elif find_spec("trl") is not None:
                bench.measure(name, lambda: trl(bench, shape, method))  # noqa: B023


def table(bench: Bench) -> str:
    """All that was measured, a row each."""
    columns = (
        "name", "examples_s", "tokens_s", "share_of_rate", "questions_s", "ms_a_token", "tflops",
        "peak_gib", "failed",
    )  # fmt: skip
    lines = [f"| {' | '.join(columns)} |", "|" + "---|" * len(columns)]
    for found in bench.kept.values():
        lines.append(f"| {' | '.join(str(found.get(name, '')) for name in columns)} |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=("prepare", "run"))
    parser.add_argument("places", nargs="+", type=Path)
    parser.add_argument("--seconds", type=float, default=420.0, help="of all measurements")
    parser.add_argument("--each", type=float, default=12.0, help="of one of them")
    parser.add_argument("--most", type=int, default=4000, help="examples that are prepared")
    parser.add_argument("--tiny", action="store_true")
    options = parser.parse_args()
    if options.what == "prepare":
        prepare(options.places[0], options.places[1], options.most)
        return
    bench = Bench(options.places[0], options.seconds, options.each, options.tiny)
    measure_all(bench)
    print(table(bench))


if __name__ == "__main__":
    main()
