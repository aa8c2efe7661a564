"""Prints the figures of the README for the example project, or any other, over several seeds.

    python -m tests.benchmarks.figures --seeds 0 1 2

Each seed trains from nothing in a copy of the project's folder. Times are of this machine on this
day: compare ratios, not machines. Nothing is asserted here.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.conftest import ROOT, copy_project, lay_out_example


@dataclass(frozen=True)
class Trained:
    """One seed's run: seconds and MB of the training process, and what its report says."""

    seed: int
    seconds: float
    megabytes: float
    report: dict[str, Any]

    @property
    def business(self) -> dict[str, Any]:
        found: dict[str, Any] = self.report["suites"]["business"]
        return found


def run(command: list[str], folder: Path) -> tuple[float, float]:
    """Seconds and peak resident MB of a command; exits with its output when it fails."""
    began = time.monotonic()
    with subprocess.Popen(
        command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        said = process.stdout.read() if process.stdout else ""
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{' '.join(command)} failed:\n{said}")
    return time.monotonic() - began, usage.ru_maxrss / 1024


def train(project: Path, seed: int, minutes: float | None) -> Trained:
    shutil.rmtree(project / "target" / "t2s", ignore_errors=True)
    command = [sys.executable, "-m", "dbt_t2s", "train", "--seed", str(seed)]
    if minutes is not None:
        command += ["--minutes", str(minutes)]
    seconds, megabytes = run(command, project)
    report = json.loads((project / "target" / "t2s" / "report.json").read_text("utf-8"))
    return Trained(seed, seconds, megabytes, report)


def help_seconds() -> float:
    command = [sys.executable, "-m", "dbt_t2s", "--help"]
    return statistics.median(run(command, ROOT)[0] for _ in range(5))


def table(rows: list[Trained]) -> str:
    lines = [
        "| seed | train s | peak MB | EX answerable | 95% | unanswerable refused "
        "| answerable refused | ask p50 / p95 ms |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for row in rows:
        good, bad = row.business["answerable"], row.business["unanswerable"]
        low, high = good["interval"]
        latency = row.business["latency_ms"]
        lines.append(
            f"| {row.seed} | {row.seconds:.0f} | {row.megabytes:.0f} | {good['ex']:.1%} "
            f"| {low:.1%} to {high:.1%} | {bad['refused']}/{bad['n']} "
            f"| {good['refused']}/{good['n']} | {latency['p50']:.0f} / {latency['p95']:.0f} |"
        )
    return "\n".join(lines)


def others(row: Trained) -> str:
    """Execution accuracy on all test sets but the business one."""
    found = row.report["suites"]
    shares = [
        f"{name} {good['ex']:.1%} of {good['n']}"
        for name, suite in found.items()
        if name != "business" and (good := suite["answerable"])["ex"] is not None
    ]
    return f"seed {row.seed}: " + ", ".join(shares)


def by_type(rows: list[Trained]) -> str:
    """Execution accuracy by query type, the mean over seeds."""
    kinds = sorted({kind for row in rows for kind in row.business["by_type"]})
    lines = ["| query type | n | EX, mean over seeds |", "|---|---|---|"]
    for kind in kinds:
        found = [row.business["by_type"][kind] for row in rows if kind in row.business["by_type"]]
        shares = [each["ex"] for each in found if each.get("ex") is not None]
        mean = f"{statistics.mean(shares):.1%}" if shares else "-"
        lines.append(f"| {kind} | {found[0]['n']} | {mean} |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--project", type=Path, default=ROOT / "example_project")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--minutes", type=float)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        project = Path(folder) / given.project.name
        kept_out = shutil.ignore_patterns("target", "*.duckdb*", ".venv", ".git")
        if given.project == ROOT / "example_project":
            lay_out_example(Path(folder))
        else:
            copy_project(given.project, project, kept_out)
        seconds, _ = run(
            [sys.executable, "-m", "dbt.cli.main", "--quiet", "build", "--profiles-dir", "."],
            project,
        )
        print(f"dbt build {seconds:.0f} s; dbt-t2s --help {help_seconds():.2f} s (median of 5)")
        rows = []
        for seed in given.seeds:
            rows.append(train(project, seed, given.minutes))
            print(table(rows[-1:]).splitlines()[-1], flush=True)
            print(others(rows[-1]), flush=True)
    print(f"\n{table(rows)}\n\n{by_type(rows)}")


if __name__ == "__main__":
    main()
