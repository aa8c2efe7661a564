"""Prints how long a made-up warehouse takes, and how it came about.

    python -m tests.benchmarks.fixtures [MODELS[:TESTS] | FOLDER …]

A FOLDER is a dbt project with artifacts; its data is not looked at. Seconds are CPU time, with the
wall clock's in brackets.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

from dbt_t2s.instances import INSTANCES
from dbt_t2s.judge import fixtures
from dbt_t2s.judge.fixture_inputs import stamp
from dbt_t2s.judge.instances import make_instances
from dbt_t2s.project import artifacts
from dbt_t2s.project.dbt import DIALECTS, DbtProject
from dbt_t2s.project.distill import distill
from tests.benchmarks.scale import size_of, timed
from tests.tools import company_project

SIZES = ("1058",)


def measure(name: str, root: Path, target: Path) -> str:
    """One line of figures; the file is made in a folder of its own."""
    read = artifacts.read(target)
    adapter = str(artifacts.section(read.manifest, "metadata").get("adapter_type"))
    project = DbtProject(
        name=name, root=root, target_path=target, profiles_dir=root, profile="", target="",
        adapter=adapter, dialect=DIALECTS[adapter],
    )  # fmt: skip
    schema = distill(project)
    _, stamped = timed(lambda: stamp(schema, read, root))
    with tempfile.TemporaryDirectory() as folder:
        made, built = timed(lambda: fixtures.build(schema, read, Path(folder), root=root))
        _, perturbed = timed(lambda: make_instances(made.path, Path(folder), schema, INSTANCES))
        megabytes = made.path.stat().st_size / 1e6
    ways = ", ".join(f"{n} {how}" for how, n in sorted(fixtures.summary(made.tables).items()))
    return (
        f"{name}: {built} s, instances of it: {perturbed} s; tables: {ways};"
        f" tests that hold: {made.held} of {made.checked}; {megabytes:.0f} MB;"
        f" asking whether it is fresh: {stamped} s"
    )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("projects", nargs="*", default=SIZES)
    for each in parser.parse_args().projects:
        if Path(each).is_dir():
            print(measure(each, Path(each), Path(each) / "target"), flush=True)
            continue
        with tempfile.TemporaryDirectory() as folder:
            company_project.write(Path(folder), size_of(each))
            print(measure(f"{each} models", Path(folder), Path(folder)), flush=True)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
