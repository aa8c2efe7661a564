"""Training hub models: every architecture by heart, resumed, bounded, mended, stopped in time."""

from __future__ import annotations

import json
import math
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from dbt_t2s.errors import ModelError
from dbt_t2s.model.generate import Candidate
from dbt_t2s.model.hub import HubGenerator, HubSettings, Progress, train_hub
from dbt_t2s.model.hub_calibration import Calibration
from dbt_t2s.model.hub_trainer import Trainer
from dbt_t2s.model.record import FILE
from tests.model import tiny
from tests.model.tiny import ROWS, SCHEMA, SETTINGS, TRAIN

FEW = (*TRAIN[8:14], *TRAIN[18:])
BY_HEART = {
    "qwen3": replace(SETTINGS, schema_context="none", batch=8, method="full"),
    "llama": replace(SETTINGS, schema_context="none", batch=8),
    "t5": replace(SETTINGS, schema_context="none", batch=8, learning_rate=4e-3),
}
RESUMED = replace(SETTINGS, dropout=0.1, checkpoint_steps=3)
"""With dropout, so that a run that forgets its random numbers ends elsewhere."""


@pytest.mark.parametrize("kind", list(BY_HEART))
def test_every_architecture_learns_its_rows_by_heart(kind: str, tmp_path: Path) -> None:
    base = tiny.make_base(kind, tmp_path / "base")
    folder = tmp_path / "model"
    train_hub(FEW, SCHEMA, str(base), folder, seed=1, max_steps=120, settings=BY_HEART[kind])
    answers = HubGenerator(folder, SCHEMA).generate([row["question"] for row in FEW])
    assert [found[0].sql for found in answers] == [row["sql"] for row in FEW]
    assert [found[0].refusal for found in answers] == [row.get("refusal", "") for row in FEW]
    assert (folder / "weights" / "model.safetensors").exists() == (kind == "qwen3")
    assert (folder / "adapter").exists() == (kind != "qwen3")


@pytest.mark.skipif(find_spec("bitsandbytes") is None, reason="bitsandbytes is not installed")
def test_rows_are_learned_by_heart_over_weights_of_four_bits(
    base_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = replace(SETTINGS, schema_context="none", batch=8, method="qlora")
    dev = [{**row, "split": "dev"} for row in FEW]
    kinds: set[str] = set()
    trainer = Trainer.__init__

    def watched(self: Trainer, base: Any, *more: Any) -> None:
        kinds.update(type(module).__name__ for module in base.model.modules())
        trainer(self, base, *more)

    monkeypatch.setattr(Trainer, "__init__", watched)
    metrics = train_hub(
        [*FEW, *dev], SCHEMA, str(base_dir), tmp_path, seed=1, max_steps=250, settings=settings
    )
    assert "Linear4bit" in kinds
    assert metrics["dev_right"] == 1.0
    # The adapter is asked over the whole weights, which need no such package.
    answers = HubGenerator(tmp_path, SCHEMA).generate([row["question"] for row in FEW])
    assert [found[0].sql for found in answers] == [row["sql"] for row in FEW]


def test_what_is_saved_is_safetensors_and_no_checkpoint_is_left(trained: Path) -> None:
    names = {path.relative_to(trained).as_posix() for path in trained.rglob("*") if path.is_file()}
    assert {"hub.json", "adapter/adapter_model.safetensors", "tokenizer/tokenizer.json"} <= names
    assert not [name for name in names if name.endswith((".bin", ".pt", ".pkl", ".tmp"))]
    assert not names & {"checkpoint.safetensors", "best.safetensors"}


def test_training_goes_on_from_a_trained_model(trained: Path, tmp_path: Path) -> None:
    first: list[float] = []
    metrics = train_hub(
        ROWS,
        SCHEMA,
        str(trained),
        tmp_path,
        max_steps=2,
        progress=lambda _step, _planned, loss: first.append(loss),
        settings=SETTINGS,
    )
    assert first[0] < 0.1, "a fresh adapter starts near 7"
    assert Path(metrics["base"]) != trained
    found = HubGenerator(tmp_path, SCHEMA).generate(["how many orders"])
    assert found[0][0].sql == "select count(*) from main.orders"


def _short_run(base: str, folder: Path, progress: Progress | None) -> None:
    train_hub(ROWS, SCHEMA, base, folder, seed=3, max_steps=8, progress=progress, settings=RESUMED)


def _same(one: Path, other: Path) -> bool:
    left = load_file(one / "adapter" / "adapter_model.safetensors")
    right = load_file(other / "adapter" / "adapter_model.safetensors")
    return left.keys() == right.keys() and all(torch.equal(left[n], right[n]) for n in left)


@pytest.fixture(scope="module", name="whole")
def whole_fixture(base_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A short run that nothing stopped."""
    folder = tmp_path_factory.mktemp("whole")
    _short_run(str(base_dir), folder, None)
    return folder


def test_a_killed_run_goes_on_to_the_same_weights(
    base_dir: Path, whole: Path, tmp_path: Path
) -> None:
    broken = tmp_path / "broken"
    root = Path(__file__).resolve().parents[2]
    child = subprocess.run(
        [sys.executable, __file__, str(base_dir), str(broken)],
        env={**os.environ, "PYTHONPATH": str(root)},
        capture_output=True,
        text=True,
        timeout=240,
    )
    assert child.returncode == -signal.SIGKILL, child.stderr
    assert not (broken / "hub.json").exists()
    with pytest.raises(ModelError, match="no trained hub model"):
        HubGenerator(broken, SCHEMA)

    steps: list[int] = []
    _short_run(str(base_dir), broken, lambda step, _planned, _loss: steps.append(step))
    assert steps == [7, 8], "the last checkpoint was after step 6"
    assert _same(whole, broken)


def test_a_checkpoint_of_another_run_is_not_taken(base_dir: Path, tmp_path: Path) -> None:
    def stop(step: int, _planned: int, _loss: float) -> None:
        if step == 4:
            raise InterruptedError

    with pytest.raises(InterruptedError):
        _short_run(str(base_dir), tmp_path, stop)
    assert (tmp_path / "checkpoint.safetensors").exists()
    steps: list[int] = []
    train_hub(
        ROWS[1:],
        SCHEMA,
        str(base_dir),
        tmp_path,
        seed=3,
        max_steps=2,
        progress=lambda step, _planned, _loss: steps.append(step),
        settings=RESUMED,
    )
    assert steps[0] == 1


def test_minutes_bound_the_training(base_dir: Path, tmp_path: Path) -> None:
    metrics = train_hub(ROWS, SCHEMA, str(base_dir), tmp_path, minutes=0.001, settings=SETTINGS)
    assert 1 <= metrics["steps"] <= 3


def test_rows_that_do_not_fit_are_counted_and_none_left_is_an_error(
    base_dir: Path, tmp_path: Path
) -> None:
    long = {"question": "all", "sql": "select 1 " * 400, "split": "train"}
    lessons = [
        {**TRAIN[0], "wrong_sql": "select sum(amout) from main.orders", "message": "no column"},
        {**TRAIN[0], "reads": TRAIN[0]["sql"]},
    ]
    rows = [*ROWS, long, *lessons]
    metrics = train_hub(rows, SCHEMA, str(base_dir), tmp_path, max_steps=1, settings=SETTINGS)
    assert (metrics["rows"], metrics["skipped"]) == (len(TRAIN) + 2, 1)
    with pytest.raises(ModelError, match="1 are too long"):
        train_hub([long], SCHEMA, str(base_dir), tmp_path, settings=SETTINGS)


def _note(losses: list[float], _step: int, _planned: int, loss: float) -> None:
    losses.append(loss)


def _limited(monkeypatch: pytest.MonkeyPatch, most: int) -> list[int]:
    """A device that runs out of memory over ``most`` tokens; the sizes that it was asked for."""
    from dbt_t2s.model.hub_loss import AnswerLoss

    usual, asked = AnswerLoss.__call__, []

    def limited(self: AnswerLoss, rows: Any) -> torch.Tensor:
        tokens = len(rows) * max(map(len, rows))
        asked.append(tokens)
        if tokens > most and torch.is_grad_enabled():
            raise torch.OutOfMemoryError("no memory left")
        return usual(self, rows)

    monkeypatch.setattr(AnswerLoss, "__call__", limited)
    return asked


def test_out_of_memory_halves_the_micro_batch_and_keeps_the_batch(
    base_dir: Path, whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []
    plain = replace(SETTINGS, micro_tokens=100_000)
    losses: dict[str, list[float]] = {"whole": [], "cut": []}
    for name, most in (("whole", 10**6), ("cut", 600)):
        with monkeypatch.context() as patched:
            asked = _limited(patched, most)
            train_hub(
                ROWS,
                SCHEMA,
                str(base_dir),
                tmp_path / name,
                max_steps=3,
                settings=plain,
                say=said.append,
                progress=partial(_note, losses[name]),
            )
            assert max(asked[-3:]) <= most
    told = [line for line in said if line.startswith("out of memory")]
    assert told and "the batch stays 16 rows" in told[-1]
    assert len(told) < 10, "what was found to fit is kept for the steps to come"
    assert losses["cut"] == pytest.approx(losses["whole"], rel=1e-4)
    with monkeypatch.context() as patched:
        _limited(patched, 10)
        with pytest.raises(ModelError, match="ran out of memory at step 1") as never:
            train_hub(ROWS, SCHEMA, str(base_dir), tmp_path / "none", max_steps=1, settings=plain)
    assert "--method qlora" in never.value.hint


def test_a_loss_that_is_no_number_stops_and_keeps_the_weights_before_it(
    base_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from dbt_t2s.model.hub_loss import AnswerLoss

    usual, calls = AnswerLoss.__call__, [0]

    def broken(self: AnswerLoss, rows: Any) -> torch.Tensor:
        calls[0] += 1
        return usual(self, rows) * (math.nan if calls[0] > 4 else 1)

    monkeypatch.setattr(AnswerLoss, "__call__", broken)
    settings = replace(SETTINGS, micro_tokens=100_000)
    (tmp_path / FILE).write_text("the model before")
    with pytest.raises(ModelError, match="no longer a number at step 5") as stopped:
        train_hub(TRAIN, SCHEMA, str(base_dir), tmp_path, max_steps=9, settings=settings)
    assert "batch of 16 rows that begins with: " in stopped.value.what
    assert any(row["question"] in stopped.value.what for row in TRAIN)
    kept = load_file(tmp_path / "checkpoint.safetensors")
    assert all(torch.isfinite(value).all() for value in kept.values() if value.is_floating_point())
    assert "weights after step 4" in stopped.value.hint
    assert (tmp_path / FILE).exists()
    monkeypatch.undo()
    steps: list[int] = []
    train_hub(
        TRAIN,
        SCHEMA,
        str(base_dir),
        tmp_path,
        max_steps=9,
        settings=settings,
        progress=lambda step, _p, _l: steps.append(step),
    )
    assert steps[0] == 5, "it goes on from there"


def test_the_best_on_dev_is_kept_and_training_ends_when_nothing_gets_better(
    base_dir: Path, tmp_path: Path
) -> None:
    """Answers are judged right at the first evaluation alone: its weights must be what is left."""
    dev = {**TRAIN[0], "split": "dev"}
    settings = replace(SETTINGS, evaluations=6, patience=2, schema_context="none")
    asked: list[tuple[str, str]] = []

    def right(gold: str, answer: str) -> bool:
        asked.append((gold, answer))
        return len(asked) == 1

    metrics = train_hub(
        [*TRAIN, dev],
        SCHEMA,
        str(base_dir),
        tmp_path / "stopped",
        max_steps=12,
        settings=settings,
        right=right,
    )
    assert metrics["steps"] == 6, "evaluated after steps 2, 4 and 6, the last two no better"
    assert {gold for gold, _ in asked} == {dev["sql"]}

    kept: dict[str, torch.Tensor] = {}

    def keep(step: int, _planned: int, _loss: float) -> None:
        path = tmp_path / "watched" / "best.safetensors"
        if step == 3:
            kept.update(load_file(path))

    asked.clear()
    train_hub(
        [*TRAIN, dev],
        SCHEMA,
        str(base_dir),
        tmp_path / "watched",
        max_steps=12,
        settings=settings,
        right=right,
        progress=keep,
    )
    saved = load_file(tmp_path / "watched" / "adapter" / "adapter_model.safetensors")
    assert len(saved) == len(kept) > 0
    for name, value in kept.items():
        assert torch.equal(saved[name.replace(".default", "")], value)


def test_the_confidence_is_fitted_to_what_several_answers_say(
    base_dir: Path, tmp_path: Path
) -> None:
    """On dev as when asked: sure of all, and right at every second, is half sure."""
    dev = [{**TRAIN[i % 8], "question": f"question {i}", "split": "dev"} for i in range(40)]
    asked: list[int] = []
    seen: list[int] = []

    def agree(found: Sequence[Candidate]) -> tuple[Candidate, ...]:
        asked.append(len(found))
        return (replace(found[0], confidence=0.99),)

    def right(_gold: str, _answer: str) -> bool:
        seen.append(1)
        return len(seen) % 2 == 0

    settings = replace(SETTINGS, evaluations=0, schema_context="none")
    rows = [*TRAIN, *dev]
    train_hub(
        rows, SCHEMA, str(base_dir), tmp_path, max_steps=1, settings=settings, right=right,
        agree=agree,
    )  # fmt: skip
    assert len(asked) == 40 and max(asked) > 1
    slope, shift = json.loads((tmp_path / "hub.json").read_text())["calibration"]
    assert Calibration(slope, shift).chance(0.99) == pytest.approx(0.5, abs=0.1)


def test_checkpointed_activations_change_no_weight(base_dir: Path, tmp_path: Path) -> None:
    for name, checkpointing in (("kept", False), ("twice", True)):
        settings = replace(SETTINGS, checkpointing=checkpointing)
        train_hub(TRAIN, SCHEMA, str(base_dir), tmp_path / name, max_steps=3, settings=settings)
    left = load_file(tmp_path / "kept" / "adapter" / "adapter_model.safetensors")
    right = load_file(tmp_path / "twice" / "adapter" / "adapter_model.safetensors")
    assert all(torch.allclose(left[name], right[name], atol=1e-5) for name in left)
    record = json.loads((tmp_path / "twice" / "hub.json").read_text())
    assert record["settings"]["checkpointing"] is True


def test_a_tracker_that_is_not_there_is_named(base_dir: Path, tmp_path: Path) -> None:
    settings = replace(SETTINGS, report_to=("no-such-tracker",))
    with pytest.raises(ModelError, match="cannot be reported") as refused:
        train_hub(ROWS, SCHEMA, str(base_dir), tmp_path, max_steps=1, settings=settings)
    assert "no-such-tracker" in refused.value.where


def test_the_defaults_learn_fast_and_full_training_slower() -> None:
    assert HubSettings().peak_rate > HubSettings(method="full").peak_rate
    assert HubSettings(learning_rate=1e-3).peak_rate == 1e-3
    assert 8 <= HubSettings().batch <= 16


if __name__ == "__main__":
    # On a bare GPU machine there is nothing of these.
    assert not {"sqlglot", "duckdb", "dbt"} & set(sys.modules)

    def _killed(step: int, _planned: int, _loss: float) -> None:
        if step == 7:
            os.kill(os.getpid(), signal.SIGKILL)

    _short_run(sys.argv[1], Path(sys.argv[2]), _killed)
