"""The benchmark for a GPU's machine runs where hardly anything is installed, and loses nothing."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import PreTrainedTokenizerFast

from tests.benchmarks.gpu_hub import table, write
from tests.benchmarks.hub_bench import Bench
from tests.conftest import ROOT, run
from tests.model import tiny

# What a GPU's machine need not have, and what comes with it.
ABSENT = (
    "datasets", "dateutil", "dbt", "duckdb", "metricflow", "metricflow_semantic_interfaces",
    "metricflow_semantics", "pyarrow", "pydantic", "rapidfuzz", "rich", "snowballstemmer",
    "sqlglot", "sqlglotc", "trl", "typer", "llguidance", "bitsandbytes",
)  # fmt: skip
BLIND = f"""
import sys

class Blind:
    def __init__(self, finder):
        self.finder = finder

    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {ABSENT!r}:
            return None
        return self.finder.find_spec(name, path, target)

    def __getattr__(self, name):
        return getattr(self.finder, name)

sys.meta_path[:] = [Blind(finder) for finder in sys.meta_path]
"""


@pytest.fixture(scope="module", name="prepared")
def prepared_fixture(base_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("gpu-hub")
    words: Any = PreTrainedTokenizerFast.from_pretrained(base_dir)
    told = write(folder, tiny.SCHEMA, words, tiny.TRAIN, 1000, tiny.SETTINGS)
    assert told.startswith(f"{len(tiny.TRAIN)} examples")
    return folder


def test_it_runs_without_what_a_gpu_machine_need_not_have(prepared: Path, tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text(BLIND)
    paths = {"PYTHONPATH": f"{tmp_path}:{ROOT}", "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-m", "tests.benchmarks.gpu_hub", "run", str(prepared), "--tiny"]
    command += ["--results", str(tmp_path / "out"), "--each", "0.1", "--seconds", "120"]
    done = run(command, ROOT, paths)
    assert done.returncode == 0, done.stderr[-3000:]
    lines = (tmp_path / "out" / "results.jsonl").read_text().splitlines()
    kept = {found["name"]: found for line in lines if "began" not in (found := json.loads(line))}
    for way in ("packed", "padded"):
        for method in ("lora", "full"):
            assert kept[f"tiny {method} {way}"]["examples_s"] > 0
            assert "No module named" in kept[f"tiny {method} trl {way}"]["failed"]
    assert kept["tiny answers free"]["questions_s"] > 0
    assert "| tiny lora padded |" in done.stdout
    assert "not installed here: trl, datasets, llguidance" in done.stdout
    again = Bench(prepared, tmp_path / "out", 60, 0.1)
    assert set(again.kept) == set(kept), "what was measured is not measured again"


def _failing(error: BaseException) -> dict[str, Any]:
    raise error


def test_no_failure_ends_a_run_and_the_first_is_always_measured(
    prepared: Path, tmp_path: Path
) -> None:
    bench = Bench(prepared, tmp_path, seconds=-1, each=1)
    bench.measure("first", lambda: _failing(SystemExit("gone\nfor good")))
    bench.measure("second", lambda: {"examples_s": 1})
    assert list(bench.kept) == ["first"], "there is no time for a second"
    assert bench.kept["first"]["failed"] == "SystemExit: gone"
    roomy = Bench(prepared, tmp_path, seconds=60, each=1)
    for name, error in (("oom", torch.OutOfMemoryError("full")), ("odd", KeyError("trl"))):
        roomy.measure(name, lambda error=error: _failing(error))  # type: ignore[misc]
    roomy.measure("second", lambda: {"examples_s": 1})
    assert roomy.kept["oom"]["failed"].startswith("OutOfMemoryError")
    assert "| second |" in table(roomy) and "SystemExit: gone" in table(roomy)
    retried = Bench(prepared, tmp_path, seconds=60, each=1, retry=True)
    assert list(retried.kept) == ["second"]


def test_what_ended_the_process_twice_is_not_tried_again(prepared: Path, tmp_path: Path) -> None:
    began = json.dumps({"name": "deadly", "began": True}) + "\n"
    (tmp_path / "results.jsonl").write_text(began + '{"name": "cut o')
    assert "deadly" not in Bench(prepared, tmp_path, 60, 1).kept
    with (tmp_path / "results.jsonl").open("a") as file:
        file.write(began)
    assert Bench(prepared, tmp_path, 60, 1).kept["deadly"]["failed"] == "it ended the process"


def test_one_that_hangs_is_stopped(
    prepared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tests.benchmarks.hub_bench._BEYOND", 0.1)

    def endless() -> dict[str, Any]:
        while True:
            pass

    bench = Bench(prepared, tmp_path, 60, 0)
    bench.measure("endless", endless)
    assert "stopped after" in bench.kept["endless"]["failed"]
