"""How `gpu_hub` measures one thing: the matrix rate, our training, TRL's, and answers."""

from __future__ import annotations

import math
import tempfile
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from transformers import TrainerCallback

from dbt_t2s.model.hub_base import Base, computes_in_half, with_adapter
from dbt_t2s.model.hub_constraint import Constraint
from dbt_t2s.model.hub_crew import Crew
from dbt_t2s.model.hub_encoder import Encoded
from dbt_t2s.model.hub_loss import pad_left
from dbt_t2s.model.hub_reporting import Reporter
from dbt_t2s.model.hub_schedule import Curriculum, rate
from dbt_t2s.model.hub_settings import HubSettings
from dbt_t2s.model.hub_trainer import Bounds, Trainer
from tests.benchmarks.hub_bench import Bench, Speed, setup_of

WARM_UP = 2
ENDLESS = 10**6
ANSWERED = 128
_CHECKPOINTING = ("activation_checkpointing", "gradient_checkpointing")
_IGNORED = -100


class Enough(Exception):
    """The time for one measurement is over."""


class Clock:
    """When each step was done, and how many rows and tokens were trained on by then."""

    def __init__(self, bench: Bench, each: float | None) -> None:
        self._bench = bench
        self._each = math.inf if each is None else each
        self.rows = self.tokens = 0
        self._stamps: list[tuple[float, int, int, float]] = []

    def step(self) -> bool:
        """Whether it is enough after this step."""
        self._bench.wait()
        self._stamps.append((time.monotonic(), self.rows, self.tokens, time.process_time()))
        some = len(self._stamps) > WARM_UP
        return some and self._stamps[-1][0] - self._stamps[0][0] > self._each

    def speed(self) -> Speed:
        """Of all steps but the first ones, which take longer."""
        if len(self._stamps) <= WARM_UP:
            return Speed(0, 0, 0, math.inf, math.inf)
        first, last = self._stamps[WARM_UP - 1], self._stamps[-1]
        seconds, rows, tokens, cpu = (b - a for a, b in zip(first, last, strict=True))
        return Speed(len(self._stamps) - WARM_UP, int(rows), int(tokens), seconds, cpu)


class Counted(Curriculum):
    """Rows in mixed order, as everything compared here sees them; counts them."""

    def __init__(self, rows: Sequence[Encoded], clock: Clock) -> None:
        super().__init__(["1"] * len(rows), 0)
        self._rows, self._clock = rows, clock

    def batch(self, share: float, size: int) -> list[int]:
        chosen = super().batch(share, size)
        self._clock.rows += len(chosen)
        self._clock.tokens += sum(len(self._rows[i]) for i in chosen)
        return chosen


def matrix_rate(bench: Bench) -> dict[str, Any]:
    """Floating-point operations a second of large bf16 products on this very card."""
    size = 256 if bench.device.type == "cpu" else 8192
    left, right = (
        torch.randn(size, size, device=bench.device, dtype=torch.bfloat16) for _ in range(2)
    )
    for _ in range(3):
        left @ right
    bench.wait()
    began, done = time.monotonic(), 0
    while time.monotonic() - began < min(bench.each, 3):
        for _ in range(10):
            left @ right
        bench.wait()
        done += 10
    return {"tflops": round(2 * size**3 * done / (time.monotonic() - began) / 1e12, 3)}


def ours(
    bench: Bench,
    shape: str,
    method: str,
    packing: bool,
    *,
    compiled: bool = False,
    steps: int | None = None,
    made: list[Base] | None = None,
    **more: Any,
) -> dict[str, Any]:
    """Steps of our trainer, for as long as one measurement may take, or so many ``steps``."""
    settings = bench.settings(shape, method, packing=packing, **more)
    settings = replace(settings, checkpoint_steps=ENDLESS, checkpoint_seconds=math.inf)
    base, model = _model(bench, shape, settings)
    if compiled:
        base.model.compile(dynamic=True)
    clock = Clock(bench, None if steps else bench.each)
    said: list[str] = []
    trainer = Trainer(
        base, model, bench.rows, [""] * len(bench.rows), Counted(bench.rows, clock), settings,
        Crew(), said.append,
    )  # fmt: skip

    def progress(_step: int, _planned: int, _loss: float) -> None:
        if clock.step():
            raise Enough

    try:
        with tempfile.TemporaryDirectory() as name:
            place = Path(name)
            bounds = Bounds(steps or ENDLESS)
            trainer.run(place, repr(settings), bounds, progress, Reporter((), place))
    except Enough:
        pass
    if made is not None:
        made.append(replace(base, model=model))
    half = computes_in_half(bench.device) and method == "full"
    return bench.told(
        model, method, clock.speed(), **setup_of(model, half), loss="logits of answers",
        compile="yes" if compiled else "no", rows_at_once=bench.together(settings),
        checkpointing=bool(settings.checkpointing), said=said,
    )  # fmt: skip


def trl(
    bench: Bench,
    shape: str,
    method: str,
    packing: bool,
    *,
    compiled: bool = False,
    steps: int | None = None,
    made: list[Base] | None = None,
    **more: Any,
) -> dict[str, Any]:
    """Steps of TRL's SFTTrainer on the same model, rows, order, batches, learning rates and loss
    on answers alone; ``packing`` is its own."""
    from datasets import Dataset, disable_progress_bars
    from trl import SFTConfig, SFTTrainer
    from trl.trainer import sft_trainer

    disable_progress_bars()
    settings = bench.settings(shape, method, **more)
    base, model = _model(bench, shape, settings)
    clock = Clock(bench, None if steps else bench.each)

    class Counting(SFTTrainer):  # type: ignore[misc]
        def training_step(self, model: Any, inputs: Any, *more: Any, **named: Any) -> Any:
            mask, places = inputs.get("attention_mask"), inputs.get("position_ids")
            if mask is None:
                clock.rows += int((places == 0).sum())
                clock.tokens += int(places.numel())
            else:
                clock.rows += len(mask)
                clock.tokens += int(mask.sum())
            return super().training_step(model, inputs, *more, **named)

    class Stop(TrainerCallback):
        def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
            control.should_training_stop = clock.step() or control.should_training_stop

    weights = [weight for weight in model.parameters() if weight.requires_grad]
    optimizer = torch.optim.AdamW(
        weights, lr=settings.peak_rate, weight_decay=0.0, fused=bench.device.type == "cuda"
    )
    planned = steps or ENDLESS
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: rate(step / planned))
    with tempfile.TemporaryDirectory() as folder:
        trainer = Counting(
            model=model,
            args=_config(bench, SFTConfig, settings, folder, planned, packing, compiled),
            train_dataset=Dataset.from_list(_dataset(bench, settings, steps)),
            processing_class=base.tokenizer,
            optimizers=(optimizer, schedule),
            callbacks=[Stop()],
        )
        twice = any(getattr(trainer.args, name, False) for name in _CHECKPOINTING)
        trainer.train()
    if made is not None:
        made.append(replace(base, model=model))
    loss = "fused head" if hasattr(sft_trainer, "add_fused_lm_head") else "its own"
    return bench.told(
        model, method, clock.speed(), **setup_of(model, computes_in_half(bench.device)), loss=loss,
        compile="yes" if compiled else "no", rows_at_once=bench.together(settings),
        checkpointing=twice,
    )  # fmt: skip


def _model(bench: Bench, shape: str, settings: HubSettings) -> tuple[Base, Any]:
    """The same weights whoever trains them."""
    torch.manual_seed(0)
    base = bench.base(shape, settings.method)
    return base, with_adapter(base, settings)


def _dataset(bench: Bench, settings: HubSettings, steps: int | None) -> list[dict[str, Any]]:
    """The rows in the order in which our trainer takes them."""
    # TRL prepares them row by row, which takes seconds, and begins anew where they end.
    count = steps or max(len(bench.rows) // settings.batch, 1)
    order = Curriculum(["1"] * len(bench.rows), 0)
    chosen = [i for step in range(count) for i in order.batch(step / count, settings.batch)]
    return [
        {
            "input_ids": [*row.prompt, *row.answer],
            "labels": [*[_IGNORED] * len(row.prompt), *row.answer],
        }
        for row in (bench.rows[i] for i in chosen)
    ]


def _config(
    bench: Bench,
    kind: Any,
    settings: HubSettings,
    folder: str,
    steps: int,
    packing: bool,
    compiled: bool,
) -> Any:
    """TRL's settings for the same training; those that the installed release knows."""
    together = bench.together(settings)
    known = kind.__dataclass_fields__
    wanted: dict[str, Any] = {
        "output_dir": folder,
        "packing": packing,
        # A pack holds as many tokens as we have in memory at once.
        "max_length": settings.micro_tokens,
        "per_device_train_batch_size": 1 if packing else together,
        "gradient_accumulation_steps": settings.batch // together,
        # TRL's own default is to compute activations twice; the name changed in transformers 5.
        **dict.fromkeys(_CHECKPOINTING, bool(settings.checkpointing)),
        "bf16": computes_in_half(bench.device),
        "use_cpu": bench.device.type == "cpu",
        "torch_compile": compiled,
        "max_steps": steps,
        "max_grad_norm": 1.0,
        "train_sampling_strategy": "sequential",
        "shuffle_dataset": False,
        "dataloader_pin_memory": bench.device.type == "cuda",
        "report_to": [],
        "save_strategy": "no",
        "disable_tqdm": True,
        "seed": 0,
    }
    return kind(**{name: value for name, value in wanted.items() if name in known})


def answering(bench: Bench, shape: str, constrained: bool) -> dict[str, Any]:
    """Questions a second, greedy, of 40 tokens each, with or without the grammar."""
    base = bench.base(shape, "lora")
    length, batch = (8, 8) if bench.device.type == "cpu" else (40, ANSWERED)
    prompts = [row.prompt for row in bench.rows[:batch]]
    ids, mask = pad_left(prompts, int(base.tokenizer.eos_token_id), bench.device)
    vocabulary = int(base.model.get_output_embeddings().weight.shape[0])
    grammar = Constraint(bench.grammar, base.tokenizer, vocabulary, "") if constrained else None

    def write(most: int) -> tuple[float, int]:
        """The least seconds of several tries, and how many tokens were written."""
        times: list[float] = []
        written = 1
        while len(times) < 2 or sum(times) < bench.each / 4:
            masking = [grammar.masking(ids.shape[1])] if grammar else []
            began = time.monotonic()
            with torch.no_grad():
                out = base.model.generate(
                    input_ids=ids,
                    attention_mask=mask,
                    do_sample=False,
                    # As many tokens with the grammar as without: its answers would end sooner.
                    min_new_tokens=None if grammar else most,
                    max_new_tokens=most,
                    pad_token_id=int(base.tokenizer.eos_token_id),
                    logits_processor=masking,
                )
            bench.wait()
            times.append(time.monotonic() - began)
            written = int(out.shape[1]) - ids.shape[1]
        return min(times), written

    seconds, written = write(length)
    read, _ = write(1)
    return {
        "questions_s": round(len(prompts) / seconds, 1),
        "ms_a_token": round((seconds - read) / max(written - 1, 1) * 1000, 2),
        "tokens_written": written,
    }
