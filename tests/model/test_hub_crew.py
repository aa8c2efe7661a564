"""Two processes that train one model: the same losses and weights as one alone."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from dbt_t2s.model.hub import train_hub
from dbt_t2s.model.hub_crew import called
from tests.conftest import ROOT, run
from tests.model import tiny

SETTINGS = replace(tiny.SETTINGS, schema_context="none", batch=15, evaluations=2)
STEPS = 4


def _train(base: str, folder: Path) -> list[float]:
    losses: list[float] = []
    train_hub(
        tiny.ROWS,
        tiny.SCHEMA,
        base,
        folder,
        seed=3,
        max_steps=STEPS,
        settings=SETTINGS,
        progress=lambda _step, _planned, loss: losses.append(loss),
    )
    return losses


def test_two_processes_train_what_one_does(base_dir: Path, tmp_path: Path) -> None:
    alone = _train(str(base_dir), tmp_path / "alone")
    # With --cpu the launcher wants MPI; processes of one machine find each other without.
    launch = [sys.executable, "-m", "accelerate.commands.launch", "--multi_gpu"]
    launch += ["--num_processes", "2", "--num_machines", "1", "--main_process_port", "0"]
    launch += ["--mixed_precision", "no", "--dynamo_backend", "no"]
    launch += ["-m", "tests.model.test_hub_crew", str(base_dir), str(tmp_path)]
    done = run(launch, ROOT, {"PYTHONPATH": str(ROOT)})
    assert done.returncode == 0, done.stderr[-3000:]
    together = json.loads((tmp_path / "losses.json").read_text())
    assert together == pytest.approx(alone, rel=1e-5)
    record = json.loads((tmp_path / "together" / "hub.json").read_text())
    assert record["metrics"]["processes"] == 2
    left = load_file(tmp_path / "alone" / "adapter" / "adapter_model.safetensors")
    right = load_file(tmp_path / "together" / "adapter" / "adapter_model.safetensors")
    assert all(torch.allclose(left[name], right[name], atol=1e-4) for name in left)


def test_alone_nobody_is_waited_for() -> None:
    assert called() is None


if __name__ == "__main__":
    place = Path(sys.argv[2])
    found = _train(sys.argv[1], place / "together")
    if found:  # only the first process is told of progress
        (place / "losses.json").write_text(json.dumps(found))
