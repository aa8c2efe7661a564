"""A command that starts warm does what it does when it starts cold."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests import warm
from tests.conftest import ENVIRONMENT, run

T2S = (sys.executable, "-m", "dbt_t2s")


@pytest.mark.parametrize(
    "arguments",
    [
        (*T2S, "--help"),
        (*T2S, "no-such-verb"),
        (*T2S, "distill"),  # where there is no dbt project
        ("dbt", "--version"),
        ("dbt", "parse", "--profiles-dir", "."),
    ],
)
def test_it_ends_and_says_the_same(arguments: tuple[str, ...], tmp_path: Path) -> None:
    assert warm.as_command(arguments) is not None
    done = run(list(arguments), tmp_path)
    cold = run(["env", *arguments], tmp_path)
    assert warm.as_command(["env", *arguments]) is None
    assert (done.returncode, done.stderr) == (cold.returncode, cold.stderr)
    assert _undated(done) == _undated(cold)


def _undated(done: subprocess.CompletedProcess[str]) -> list[str]:
    return [line.partition("  ")[2] or line for line in done.stdout.splitlines()]


def test_it_has_an_environment_of_its_own(tmp_path: Path) -> None:
    def widest(columns: str) -> int:
        done = run([*T2S, "--help"], tmp_path, {"COLUMNS": columns})
        return max(map(len, done.stdout.splitlines()))

    assert widest("60") <= 60 < widest("100") <= 100


def test_what_libraries_read_when_imported_makes_it_start_cold(tmp_path: Path) -> None:
    env = {**ENVIRONMENT, "HF_HOME": str(tmp_path)}
    assert run([*T2S, "--help"], tmp_path).returncode == 0  # the others are forked from this env
    assert warm.run([*T2S, "--help"], tmp_path, env) is None
