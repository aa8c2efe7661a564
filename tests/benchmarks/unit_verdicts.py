"""Whether unit tests get the verdict here that dbt gives them.

    python -m tests.benchmarks.unit_verdicts PROJECT…

Each PROJECT is a built dbt project with a profile of its own (`dbt build` has run there). dbt runs
its unit tests as they are, and once more with every tested model giving each row twice, so that
failures are compared, too; so does this package. Nothing is asserted here.
"""

from __future__ import annotations

import argparse
import json
import re
from collections import Counter
from pathlib import Path

from dbt_t2s.judge.unit_suite import run_unit_suite
from dbt_t2s.project.dbt import open_project
from tests.conftest import dbt, run
from tests.judge.test_unit_suite import dbts_verdicts, verdicts


def compared(project: Path) -> Counter[tuple[str, str]]:
    """How often dbt said one thing and this package another, by the two verdicts."""
    run(["dbt", "test", "--select", "test_type:unit", "--profiles-dir", "."], project)
    said = dbts_verdicts(project)
    dbt("docs", "generate", cwd=project)
    ours = verdicts(run_unit_suite(open_project(project)))
    for name in sorted(said.keys() | ours.keys()):
        if said.get(name) != ours.get(name):
            print(f"  {name}: dbt {said.get(name)}, here {ours.get(name)}")
    return Counter((said.get(n, "none"), ours.get(n, "none")) for n in said.keys() | ours.keys())


def break_models(project: Path) -> dict[Path, str]:
    """Every tested model gives each row twice; what the files held, to put it back."""
    manifest = json.loads((project / "target" / "manifest.json").read_text())
    before: dict[Path, str] = {}
    for test in manifest["unit_tests"].values():
        node = manifest["nodes"][test["depends_on"]["nodes"][0]]
        path = project / node["original_file_path"]
        if path in before or not path.is_file():
            continue
        text = before[path] = path.read_text()
        config = re.match(r"\s*\{\{\s*config\(.*?\)\s*\}\}", text, re.DOTALL)
        head = config.group(0) if config else ""
        body = text[len(head) :].rstrip().rstrip(";")
        path.write_text(
            f"{head}\nselect t2s_once.* from (\n{body}\n) as t2s_once"
            " cross join (values (1), (2)) as t2s_twice(n)\n"
        )
    return before


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("projects", type=Path, nargs="+")
    for project in parser.parse_args().projects:
        print(project.name, flush=True)
        print(f"  as they are (dbt, here): {dict(compared(project))}", flush=True)
        before = break_models(project)
        try:
            print(f"  models broken (dbt, here): {dict(compared(project))}", flush=True)
        finally:
            for path, text in before.items():
                path.write_text(text)


if __name__ == "__main__":
    main()
