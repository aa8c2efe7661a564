"""The schemas that are pretrained on, each with its questions as they were written."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from dbt_t2s import store
from dbt_t2s.project.schema import ProjectSchema
from tests.tools.pretrain.invented import Asked, read_project, read_questions
from tests.tools.pretrain.split import HELD_OUT, HELD_OUT_PROJECTS

Asking = tuple[str, tuple[str, ...]]


def sources(
    work: Path, projects: Path, refusals: bool = False
) -> Iterator[tuple[ProjectSchema, list[Asking], bool]]:
    """Each schema, its questions with plans, and whether it is held out."""
    human: dict[str, list[Asking]] = {}
    for line in (work / "rows.jsonl").read_text("utf-8").splitlines():
        row = json.loads(line)
        human.setdefault(row["db_id"], []).append((row["question"], tuple(row["plan"])))
    for path in sorted((work / "schemas").glob("*.json")):
        rows = human.get(path.stem, [])
        yield store.read_json(path, ProjectSchema), rows, path.stem in HELD_OUT
    for path in sorted(projects.glob("*.yml")):
        files = [path.with_suffix(suffix) for suffix in (".txt", ".meant")]
        asked = [a for f in files if f.is_file() for a in read_questions(f) if isinstance(a, Asked)]
        rows = [(a.question, a.tokens) for a in asked if refusals or a.tokens[0] != "REFUSE"]
        yield read_project(path), rows, path.stem in HELD_OUT_PROJECTS
