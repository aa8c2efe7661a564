"""Prints what distill and mining make of other people's dbt projects, one table row for each.

    python tests/benchmarks/projects.py FOLDER [FOLDER …] [--issues]

A folder holds a manifest.json (and catalog, semantic manifest, run results where there are), or
is a dbt project whose target/ does. Nothing is executed: no warehouse is at hand. Each project
runs in a process of its own, so that its peak memory is its own. Exit status 1 when one fails.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import time
import traceback
from collections import Counter
from dataclasses import asdict, dataclass, field
from pathlib import Path

from dbt_t2s.corpus.patterns import mining
from dbt_t2s.project import artifacts
from dbt_t2s.project.dbt import DIALECTS, DbtProject
from dbt_t2s.project.distill import distill
from dbt_t2s.project.schema import ProjectSchema
from dbt_t2s.project.statements import Trees

HEADINGS = (
    "project", "dialect", "manifest", "nodes", "tables", "columns (typed)", "joins",
    "metrics", "scopes resolved / seen", "s", "MB",
)  # fmt: skip

# Models, seeds, snapshots, sources: what a person could query.
NODES = ("model", "seed", "snapshot")


@dataclass(frozen=True)
class Row:
    """One project's figures; ``error`` is the traceback of a run that failed."""

    project: str
    dialect: str = ""
    version: str = ""
    nodes: int = 0
    tables: int = 0
    columns: int = 0
    typed: int = 0
    joins: int = 0
    metrics: int = 0
    compiled: int = 0
    scopes: int = 0
    resolved: int = 0
    seconds: float = 0.0
    megabytes: float = 0.0
    issues: dict[str, int] = field(default_factory=dict)
    error: str = ""


def folder_of(given: Path) -> Path:
    """Where the artifacts of a folder lie."""
    return given if (given / "manifest.json").is_file() else given / "target"


def as_project(folder: Path) -> DbtProject:
    """A project of which nothing but its artifacts is there."""
    metadata = artifacts.section(artifacts.read(folder).manifest, "metadata")
    adapter = artifacts.text(metadata, "adapter_type")
    return DbtProject(
        name=artifacts.text(metadata, "project_name") or folder.name,
        root=folder,
        target_path=folder,
        profiles_dir=folder,
        profile="",
        target="",
        adapter=adapter,
        dialect=DIALECTS.get(adapter, ""),
    )


def measure(given: Path) -> Row:
    folder = folder_of(given)
    try:
        project = as_project(folder)
        began = time.process_time()
        trees = Trees()
        schema = distill(project, trees=trees)
        mined = mining(schema, trees=trees)
        seconds = time.process_time() - began
    except Exception:  # noqa: BLE001 - a benchmark reports whatever breaks
        return Row(given.name, error=traceback.format_exc())
    read = artifacts.read(folder)
    columns = [column for table in schema.tables for column in table.columns]
    return Row(
        project=given.name.replace("+", "/"),
        dialect=schema.dialect or project.adapter,
        version=schema.manifest_version,
        nodes=sum(1 for _ in read.nodes(*NODES)),
        tables=len(schema.tables),
        columns=len(columns),
        typed=sum(bool(column.type) for column in columns),
        joins=len(schema.joins),
        metrics=len(schema.metrics),
        compiled=usable_metrics(schema),
        scopes=mined.scopes,
        resolved=mined.resolved,
        seconds=seconds,
        megabytes=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        issues=dict(Counter(_kind(each.message) for each in (*schema.issues, *mined.issues))),
    )


def usable_metrics(schema: ProjectSchema) -> int:
    return sum(bool(each.measure or each.inputs or each.compiled) for each in schema.metrics)


def _kind(message: str) -> str:
    """The message without what it is about: its first words."""
    return " ".join(message.split(":")[-1 if message.startswith("its SQL") else 0].split()[:9])


def measured_apart(given: Path) -> Row:
    """``measure`` in a process of its own."""
    command = [sys.executable, __file__, "--one", str(given)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        return Row(given.name, error=done.stderr or f"ended with status {done.returncode}")
    return Row(**json.loads(done.stdout.splitlines()[-1]))


def shown(row: Row) -> str:
    if row.error:
        return f"| {row.project} | failed: {row.error.strip().splitlines()[-1]} |"
    cells = (
        row.project, row.dialect, row.version, row.nodes, row.tables,
        f"{row.columns} ({row.typed})", row.joins, f"{row.compiled} / {row.metrics}",
        f"{row.resolved} / {row.scopes}", f"{row.seconds:.1f}", f"{row.megabytes:.0f}",
    )  # fmt: skip
    return f"| {' | '.join(str(cell) for cell in cells)} |"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folders", nargs="*", type=Path)
    parser.add_argument("--one", type=Path, help="measure this folder here and print it as JSON")
    parser.add_argument("--issues", action="store_true", help="count the issues by their kind")
    given = parser.parse_args()
    if given.one:
        print(json.dumps(asdict(measure(given.one))))
        return 0
    print(f"| {' | '.join(HEADINGS)} |")
    print(f"|{'---|' * len(HEADINGS)}")
    rows = []
    for folder in given.folders:
        rows.append(measured_apart(folder))
        print(shown(rows[-1]), flush=True)
    scopes, resolved = sum(row.scopes for row in rows), sum(row.resolved for row in rows)
    print(f"\n{len(rows)} projects, {resolved} of {scopes} scopes resolved"
          f" ({resolved / max(scopes, 1):.1%})")  # fmt: skip
    if given.issues:
        total: Counter[str] = Counter()
        for row in rows:
            total.update(row.issues)
        for kind, count in total.most_common():
            print(f"{count:6} {kind}")
    for row in rows:
        if row.error:
            print(f"\n{row.project}\n{row.error}", file=sys.stderr)
    return int(any(row.error for row in rows))


if __name__ == "__main__":
    raise SystemExit(main())
