"""What one run of `gpu_hub` measures with: the rows, models of random weights, and its results.

Needs torch, transformers and peft alone. Results are kept as they come, a line each, so that a run
that ends midway goes on where it stood.
"""

from __future__ import annotations

import gc
import gzip
import json
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from transformers import PreTrainedTokenizerFast, Qwen2Config, Qwen2ForCausalLM

from dbt_t2s.model.hub_base import Base, computes_in_half, device_here
from dbt_t2s.model.hub_encoder import Encoded
from dbt_t2s.model.hub_memory import fitted, shape_of
from dbt_t2s.model.hub_settings import HubSettings

# (hidden, feed-forward, layers, heads, heads of keys); the first three are Qwen2.5-Coder's.
SHAPES = {
    "0.5B": (896, 4864, 24, 14, 2),
    "1.5B": (1536, 8960, 28, 12, 2),
    "3B": (2048, 11008, 36, 16, 2),
    "20M": (384, 1536, 8, 6, 2),
    "tiny": (64, 128, 2, 4, 2),
}
QWENS = ("0.5B", "1.5B", "3B")
VOCABULARY = 151_936
_TOGETHER = 8  # rows in memory at once, where there is room
_TRIES = 2  # of a measurement that ended the whole process
_BEYOND = 90.0  # seconds for making a model and for the first steps, beside those that count


class TooSlow(Exception):
    """A measurement took far longer than it was to take."""


@dataclass(frozen=True)
class Speed:
    """Rows and tokens (without padding) of the steps that count, their seconds by the clock and of
    processor time."""

    steps: int
    rows: int
    tokens: int
    seconds: float
    cpu: float


class Bench:
    """One run: what it measures with, for how long, and what it keeps.

    ``folder`` holds what was prepared and maybe results of earlier runs, ``results`` takes all.
    """

    def __init__(
        self, folder: Path, results: Path, seconds: float, each: float, retry: bool = False
    ) -> None:
        self.device = device_here()
        self.each = each
        self.until = time.monotonic() + seconds
        pairs = json.loads(gzip.decompress((folder / "examples.json.gz").read_bytes()))
        self.rows = [Encoded(tuple(prompt), tuple(answer)) for prompt, answer in pairs]
        self.about: dict[str, Any] = json.loads((folder / "about.json").read_text("utf-8"))
        self.words: Any = PreTrainedTokenizerFast.from_pretrained(folder / "tokenizer")
        self.grammar = (folder / "grammar.lark").read_text("utf-8")
        self.broken = ""
        self.kept: dict[str, dict[str, Any]] = {}
        self._tries: dict[str, int] = {}
        results.mkdir(parents=True, exist_ok=True)
        self._file = results / "results.jsonl"
        for path in {folder / "results.jsonl", self._file}:
            self._read(path)
        if retry:
            self.kept = {k: v for k, v in self.kept.items() if "failed" not in v}
        # What came along from an earlier run is among the results of this one.
        tried = [{"name": k, "began": True} for k, n in self._tries.items() for _ in range(n)]
        lines = [*self.kept.values(), *(line for line in tried if line["name"] not in self.kept)]
        self._file.write_text("".join(json.dumps(line) + "\n" for line in lines))
        self._began = 0

    def _read(self, path: Path) -> None:
        for line in path.read_text("utf-8").splitlines() if path.exists() else ():
            try:
                found = json.loads(line)
            except ValueError:
                continue  # a line that a kill cut off
            name = str(found["name"])
            if "began" in found:
                self._tries[name] = self._tries.get(name, 0) + 1
                if self._tries[name] >= _TRIES:
                    self.kept.setdefault(name, {"name": name, "failed": "it ended the process"})
            else:
                self.kept[name] = found

    def measure(
        self, name: str, how: Callable[[], dict[str, Any]], most: float | None = None
    ) -> None:
        """Measures once, unless it is there already or there is no time; the first of a run is
        always measured. Whatever is raised is kept as that measurement's failure, and so is that
        it took more than ``most`` seconds."""
        if name in self.kept or self.broken:
            return
        if self._began and time.monotonic() + 1.5 * self.each > self.until:
            return
        self._began += 1
        self._write({"name": name, "began": True})
        self.free()
        began = time.monotonic()
        try:
            with at_most(most or 3 * self.each + _BEYOND):
                found = how()
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # noqa: BLE001 - another package's failure is a result
            found = {"failed": _told(error)}
        found["took_s"] = round(time.monotonic() - began, 1)
        if self.device.type == "cuda":
            found["peak_gib"] = round(torch.cuda.max_memory_allocated() / (1 << 30), 1)
        self.kept[name] = {"name": name, "device": self._named(), **found}
        self._write(self.kept[name])
        print(json.dumps(self.kept[name]), flush=True)
        self._still_works()

    def free(self) -> None:
        """Nothing of the measurement before takes memory from the next."""
        gc.collect()
        if self.device.type == "cuda":
            torch.cuda.empty_cache()
            torch.cuda.reset_peak_memory_stats()

    def wait(self) -> None:
        """Until the device has done all it was told."""
        if self.device.type == "cuda":
            torch.cuda.synchronize()

    def _still_works(self) -> None:
        # After some failures of a GPU every further call of the process fails as well.
        try:
            self.wait()
        except RuntimeError as error:
            self.broken = _told(error)

    def _write(self, line: dict[str, Any]) -> None:
        with self._file.open("a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")

    def _named(self) -> str:
        return torch.cuda.get_device_name() if self.device.type == "cuda" else "cpu"

    def settings(self, shape: str, method: str, **more: Any) -> HubSettings:
        """The settings of a training at that shape, as they fit into the memory there is; as many
        rows at once as divide a batch, so that others can be given the same."""
        longest = max(map(len, self.rows))
        wanted = HubSettings(method=method, **more)
        wanted = replace(wanted, micro_tokens=_TOGETHER * longest)
        if self.device.type != "cuda":
            wanted = replace(wanted, checkpointing=False)
        plan = fitted(shape_of(self._config(shape)), wanted, self.device, shape).settings
        together = 1
        while 2 * together <= min(plan.micro_tokens // longest, wanted.batch):
            together *= 2
        return replace(plan, micro_tokens=together * longest)

    def together(self, settings: HubSettings) -> int:
        """Rows in memory at once."""
        return max(settings.micro_tokens // max(map(len, self.rows)), 1)

    def base(self, shape: str, method: str) -> Base:
        """A model of that shape with random weights, as training loads it."""
        half = computes_in_half(self.device) and method != "full"
        with torch.device(self.device):
            model: Any = Qwen2ForCausalLM(self._config(shape))
        model = model.to(torch.bfloat16 if half else torch.float32)
        return Base(shape, model, self.words, self.device)

    def _config(self, shape: str) -> Any:
        hidden, feed, layers, heads, keys = SHAPES[shape]
        return Qwen2Config(
            vocab_size=VOCABULARY if shape in QWENS else len(self.words),
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

    def operations(self, model: Any, method: str, speed: Speed) -> float:
        """Floating-point operations a second that the training itself asks for: no padding, no
        activations computed twice, attention to earlier tokens alone, logits of answers alone."""
        config = model.config
        words = config.vocab_size * config.hidden_size
        body = sum(weight.numel() for weight in model.parameters()) - words
        answers = sum(len(row.answer) for row in self.rows) / sum(map(len, self.rows))
        # Forward, and back through the activations; gradients of the weights where all are trained.
        passes = 6 if method == "full" else 4
        work = passes * (body + words * answers) * speed.tokens
        length = sum(len(row) ** 2 for row in self.rows) / sum(map(len, self.rows))
        work += 6 * config.num_hidden_layers * config.hidden_size * length * speed.tokens
        return float(work) / speed.seconds

    def told(self, model: Any, method: str, speed: Speed, **more: Any) -> dict[str, Any]:
        """A training's speed as it is kept."""
        if speed.steps < 1:
            return {"failed": "no step was done in time", **more}
        examples = speed.rows / speed.seconds
        found: dict[str, Any] = {
            "steps": speed.steps,
            "examples_s": round(examples, 2),
            "tokens_s": round(speed.tokens / speed.seconds),
            "tflops": round(self.operations(model, method, speed) / 1e12, 3),
            # Every row of the whole corpus as often as training sees it by default.
            "corpus_min": round(self.about["rows"] * HubSettings.passes / examples / 60, 1),
        }
        if self.device.type == "cpu":
            # Other programs take from the clock's seconds, hardly from these.
            found["cpu_ms_example"] = round(speed.cpu / speed.rows * 1000, 1)
        rate = self.kept.get("matrix rate", {}).get("tflops")
        if rate:
            found["share_of_rate"] = round(found["tflops"] / rate, 3)
        return {**found, **more}


def setup_of(model: Any, half: bool) -> dict[str, str]:
    """What must be alike where two trainings are compared."""
    inner = model.get_base_model() if hasattr(model, "get_base_model") else model
    kinds = sorted({str(weight.dtype).removeprefix("torch.") for weight in model.parameters()})
    return {
        "attention": str(getattr(inner.config, "_attn_implementation", "")),
        "dtype": "+".join(kinds) + (" autocast" if half else ""),
    }


@contextmanager
def at_most(seconds: float) -> Iterator[None]:
    """TooSlow where what is done here takes longer, as soon as Python is back in charge."""
    if not hasattr(signal, "setitimer"):
        yield
        return

    def stop(_signal: int, _frame: object) -> None:
        raise TooSlow(f"stopped after {seconds:.0f} s")

    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def _told(error: BaseException) -> str:
    lines = [line for line in str(error).splitlines() if line.strip()]
    return f"{type(error).__name__}: {lines[0].strip() if lines else ''}"[:200]
