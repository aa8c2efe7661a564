"""Two processes that train one model: the same losses and weights as one alone."""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from dbt_t2s.errors import ModelError
from dbt_t2s.model.hub import HubGenerator, train_hub
from dbt_t2s.model.hub_base import Say
from dbt_t2s.model.hub_crew import called, rank_here, together
from dbt_t2s.model.hub_encoder import Encoded
from dbt_t2s.model.hub_loss import AnswerLoss
from dbt_t2s.model.hub_trainer import Trainer
from tests.conftest import ROOT, run
from tests.model import tiny

SETTINGS = replace(
    tiny.SETTINGS, schema_context="none", batch=15, evaluations=2, checkpoint_steps=2
)
STEPS = 4
# How the two hold the weights: each all of them (DDP), or each a part (FSDP), of an adapter or all.
WAYS = {"together": "lora", "parts": "lora", "all parts": "full"}


def _train(base: str, folder: Path, method: str) -> list[float]:
    """The running losses, then the norms of the gradients, whose size Adam does not care for."""
    losses: list[float] = []
    norms: list[float] = []
    clip = torch.nn.utils.clip_grad_norm_

    def noted(weights: Iterable[torch.Tensor], most: float) -> torch.Tensor:
        norm: Any = clip(weights, most)
        norms.append(float(norm.full_tensor() if hasattr(norm, "full_tensor") else norm))
        return torch.tensor(norms[-1])

    torch.nn.utils.clip_grad_norm_ = noted  # type: ignore[assignment]
    try:
        _train_hub(base, folder, method, losses)
    finally:
        torch.nn.utils.clip_grad_norm_ = clip
    return [*losses, *norms] if losses else []


def _train_hub(
    base: str, folder: Path, method: str, losses: list[float], say: Say | None = None
) -> None:
    train_hub(
        tiny.ROWS,
        tiny.SCHEMA,
        base,
        folder,
        seed=3,
        max_steps=STEPS,
        # Micro-batches so small that one process has more of them than the other.
        settings=replace(SETTINGS, method=method, micro_tokens=300, learning_rate=3e-3),
        progress=lambda _step, _planned, loss: losses.append(loss),
        say=say,
    )


@pytest.fixture(scope="module", name="launched")
def launched_fixture(base_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What two processes that were launched once have trained, in all ways."""
    place = tmp_path_factory.mktemp("crew")
    # Processes of one machine find each other over gloo where there is no GPU.
    launch = [sys.executable, "-m", "accelerate.commands.launch", "--use_fsdp"]
    launch += ["--num_processes", "2", "--num_machines", "1", "--main_process_port", "0"]
    launch += ["--mixed_precision", "no", "--dynamo_backend", "no"]
    launch += ["-m", "tests.model.test_hub_crew", str(base_dir), str(place)]
    done = run(launch, ROOT, {"PYTHONPATH": str(ROOT)})
    # The last of them runs out of memory.
    assert done.returncode == 1 and "ran out of memory" in done.stderr, done.stderr[-3000:]
    (place / "stderr").write_text(done.stderr)
    return place


@pytest.mark.parametrize("way", list(WAYS))
def test_two_processes_train_what_one_does(
    base_dir: Path, launched: Path, tmp_path: Path, way: str
) -> None:
    alone = _train(str(base_dir), tmp_path / "alone", WAYS[way])
    together = json.loads((launched / f"{way}.json").read_text())
    assert len(together) == 2 * STEPS
    assert together == pytest.approx(alone, rel=1e-5)
    record = json.loads((launched / way / "hub.json").read_text())
    assert record["metrics"]["processes"] == 2
    one = json.loads((tmp_path / "alone" / "hub.json").read_text())
    for name in ("trained_parameters", "dev_loss", "steps"):
        assert record["metrics"][name] == pytest.approx(one["metrics"][name], rel=1e-4), name
    name = "weights/model" if WAYS[way] == "full" else "adapter/adapter_model"
    left = load_file(tmp_path / "alone" / f"{name}.safetensors")
    right = load_file(launched / way / f"{name}.safetensors")
    assert left.keys() == right.keys()
    assert all(torch.allclose(left[name], right[name], atol=1e-4) for name in left)
    HubGenerator(launched / way, tiny.SCHEMA)


def test_weights_in_parts_go_on_from_a_checkpoint(launched: Path) -> None:
    whole = json.loads((launched / "parts.json").read_text())
    resumed = json.loads((launched / "resumed.json").read_text())
    assert resumed == [*whole[2:STEPS], *whole[STEPS + 2 :]]
    left = load_file(launched / "parts" / "adapter" / "adapter_model.safetensors")
    right = load_file(launched / "resumed" / "adapter" / "adapter_model.safetensors")
    assert all(torch.equal(left[name], right[name]) for name in left)


def test_each_process_holds_its_part_alone(launched: Path) -> None:
    held = json.loads((launched / "held.json").read_text())
    assert held["together"] == 1.0
    assert held["parts"] == held["all parts"] == 0.5


def test_out_of_memory_in_one_part_ends_all_and_begins_smaller(
    base_dir: Path, launched: Path, tmp_path: Path
) -> None:
    told = (launched / "stderr").read_text()
    assert "process 1 ran out of memory at step 3, with micro-batches of 300 tokens" in told
    assert "run the same command again: it goes on from the last checkpoint" in told
    assert "micro-batches of 150 tokens; or launch more processes (--num_processes)" in told
    # Whoever runs it again, here one process: from the checkpoint after step 2, in smaller parts.
    folder = Path(shutil.copytree(launched / "full", tmp_path / "full"))
    said: list[str] = []
    losses: list[float] = []
    _train_hub(str(base_dir), folder, "lora", losses, said.append)
    assert "micro-batches of 150 tokens, as memory ran out before; the batch stays 15 rows" in said
    whole = json.loads((launched / "parts.json").read_text())
    assert losses == pytest.approx(whole[2:STEPS], rel=1e-5)
    assert not (folder / "micro_tokens.json").exists()


def test_one_that_ended_is_told_of_and_not_what_broke(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORLD_SIZE", "2")
    with pytest.raises(ModelError, match="another of the processes") as lost, together():
        raise RuntimeError("[gloo/transport/tcp/pair.cc:553] Connection closed by peer")
    assert "its own message" in lost.value.hint
    with pytest.raises(RuntimeError, match="sizes differ"), together():
        raise RuntimeError("sizes differ")
    with pytest.raises(torch.OutOfMemoryError), together():
        raise torch.OutOfMemoryError("no memory for a socket")


def test_alone_nobody_is_waited_for() -> None:
    assert called() is None


def _held(model: torch.nn.Module) -> float:
    """The share of the weights that this process holds."""
    weights: list[Any] = list(model.parameters())
    here = [each.to_local() if hasattr(each, "to_local") else each for each in weights]
    return float(sum(each.numel() for each in here) / sum(each.numel() for each in weights))


def _child(base: str, place: Path) -> None:
    held: dict[str, float] = {}
    step, loss = Trainer._next, AnswerLoss.__call__
    now, steps = "", 0

    def watched(self: Trainer, *more: object) -> object:
        nonlocal steps
        steps = more[0].step  # type: ignore[attr-defined]
        held[now] = _held(self._model)
        if now == "stopped" and more[0].step == 2:  # type: ignore[attr-defined]
            raise InterruptedError
        return step(self, *more)  # type: ignore[arg-type]

    def limited(self: AnswerLoss, rows: Sequence[Encoded]) -> torch.Tensor:
        if now == "full" and steps == 2 and rank_here() == 1 and torch.is_grad_enabled():
            raise torch.OutOfMemoryError("no memory left")
        return loss(self, rows)

    Trainer._next = watched  # type: ignore[method-assign, assignment]
    AnswerLoss.__call__ = limited  # type: ignore[method-assign]
    for now in ("parts", "all parts", "stopped", "resumed", "together", "full"):
        os.environ["ACCELERATE_USE_FSDP"] = "false" if now == "together" else "true"
        folder = place / ("resumed" if now == "stopped" else now)
        try:
            found = _train(base, folder, WAYS.get(now, "lora"))
        except InterruptedError:
            continue
        if found:  # only the first process is told of progress
            (place / f"{now}.json").write_text(json.dumps(found))
            (place / "held.json").write_text(json.dumps(held))


if __name__ == "__main__":
    _child(sys.argv[1], Path(sys.argv[2]))
