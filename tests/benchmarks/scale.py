"""Prints what a project's size costs: reading, distilling, mining, and all again after one change.

    python -m tests.benchmarks.scale [MODELS[:TESTS] | FOLDER …]

Each size runs in a process of its own, on artifacts made for it and without a warehouse; a FOLDER
holds the artifacts of a real project. Seconds are CPU time, with the wall clock's in brackets; MB
is the process's peak.
"""

from __future__ import annotations

import argparse
import json
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TypeVar

from dbt_t2s.corpus.patterns import mining
from dbt_t2s.project import artifacts
from dbt_t2s.project.dbt import DIALECTS, DbtProject
from dbt_t2s.project.distill import distill
from dbt_t2s.project.memory import Memory
from dbt_t2s.project.statements import Trees
from tests.tools import company_project
from tests.tools.company_project import Size

SIZES = ("100", "300", "669:3868", "1058", "3000")
HEADINGS = (
    "models", "tests", "manifest MB", "tables", "scopes", "read s", "distill s", "mine s", "all s",
    "again s", "peak MB",
)  # fmt: skip

T = TypeVar("T")


@dataclass(frozen=True)
class Seconds:
    """Of the CPU and of the wall clock."""

    cpu: float
    wall: float

    def __add__(self, other: Seconds) -> Seconds:
        return Seconds(self.cpu + other.cpu, self.wall + other.wall)

    def __str__(self) -> str:
        return f"{self.cpu:.1f} ({self.wall:.1f})"


@dataclass(frozen=True)
class Row:
    """One size's figures; ``again`` is distilling and mining after one model changed."""

    models: int
    tests: int
    manifest_mb: float
    tables: int
    scopes: int
    read: Seconds
    distill: Seconds
    mine: Seconds
    again: Seconds
    peak_mb: float


def timed(action: Callable[[], T]) -> tuple[T, Seconds]:
    cpu, wall = time.process_time(), time.perf_counter()
    found = action()
    return found, Seconds(time.process_time() - cpu, time.perf_counter() - wall)


def measure(folder: Path) -> Row:
    """The figures of the project whose artifacts lie in ``folder``."""
    found, read = timed(lambda: artifacts.read(folder))
    adapter = str(artifacts.section(found.manifest, "metadata").get("adapter_type"))
    counts = [len(tuple(found.nodes(kind))) for kind in ("model", "test")]
    project = DbtProject(
        name="company", root=folder, target_path=folder, profiles_dir=folder, profile="",
        target="", adapter=adapter, dialect=DIALECTS[adapter],
    )  # fmt: skip
    trees, memory = Trees(), Memory()
    schema, distilled = timed(lambda: distill(project, trees=trees, memory=memory))
    mined, mined_in = timed(lambda: mining(schema, trees=trees))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    megabytes = (folder / "manifest.json").stat().st_size / 1e6
    subprocess.run([sys.executable, __file__, "--change", str(folder)], check=True)
    trees = Trees()
    changed, distilled_again = timed(lambda: distill(project, trees=trees, memory=memory))
    _, mined_again = timed(lambda: mining(changed, (), mined.readings, trees))
    again = distilled_again + mined_again
    return Row(
        counts[0], counts[1], megabytes, len(schema.tables), mined.scopes, read, distilled,
        mined_in, again, peak,
    )  # fmt: skip


def measured_apart(given: str) -> Row:
    """``measure`` on a project of this size or on copies of its artifacts, in another process."""
    with tempfile.TemporaryDirectory() as folder:
        if Path(given).is_dir():
            for each in Path(given).glob("*.json"):
                shutil.copy(each, folder)
        else:
            company_project.write(Path(folder), size_of(given))
        command = [sys.executable, __file__, "--one", folder]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
    found = json.loads(done.stdout.splitlines()[-1])
    times = ("read", "distill", "mine", "again")
    return Row(**{**found, **{name: Seconds(**found[name]) for name in times}})


def change_one(folder: Path) -> None:
    """Rewrites the manifest with one model's SQL changed, as an edit and ``dbt compile`` would."""
    path = folder / "manifest.json"
    manifest = json.loads(path.read_text(encoding="utf-8"))
    compiled = [node for node in manifest["nodes"].values() if node.get("compiled_code")]
    models = [node for node in compiled if node["resource_type"] == "model"]
    node = models[len(models) // 2]
    node["compiled_code"] = f"select * from ({node['compiled_code']}\n) as changed where 1 = 1"
    path.write_text(json.dumps(manifest), encoding="utf-8")


def shown(row: Row) -> str:
    cells = (
        row.models, row.tests, f"{row.manifest_mb:.1f}", row.tables, row.scopes, row.read,
        row.distill, row.mine, row.distill + row.mine, row.again, f"{row.peak_mb:.0f}",
    )  # fmt: skip
    return f"| {' | '.join(str(cell) for cell in cells)} |"


def size_of(given: str) -> Size:
    """``1058`` models with four tests each, or ``669:3868``."""
    models, _, tests = given.partition(":")
    return Size(int(models), int(tests) if tests else 4 * int(models))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("sizes", nargs="*", default=SIZES)
    parser.add_argument("--one", type=Path, help="measure the project in this folder, as JSON")
    parser.add_argument("--change", type=Path, help="change one model of the project in it")
    given = parser.parse_args()
    if given.change:
        change_one(given.change)
    elif given.one:
        print(json.dumps(asdict(measure(given.one))))
    else:
        print(f"| {' | '.join(HEADINGS)} |\n|{'---|' * len(HEADINGS)}")
        for each in given.sizes:
            print(shown(measured_apart(each)), flush=True)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
