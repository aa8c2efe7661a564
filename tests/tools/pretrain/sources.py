"""The schemas that are pretrained on, each with its questions as they were written."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from random import Random

from dbt_t2s import store
from dbt_t2s.project.schema import ProjectSchema
from tests.tools.pretrain.invented import Asked, read_project, read_questions
from tests.tools.pretrain.split import HELD_OUT, HELD_OUT_PROJECTS, LATER_PROJECTS
from tests.tools.pretrain.tellings import Question
from tests.tools.pretrain.widen import widened

Asking = tuple[str, tuple[str, ...]]
Told = tuple[ProjectSchema, list[Asking]]
Others = tuple[ProjectSchema, ...]
_OTHERS = 4  # one in so many projects may stand beside another


@cache
def human_others(work: Path) -> Others:
    """Human-asked schemas that may stand beside another."""
    paths = [p for p in sorted((work / "schemas").glob("*.json")) if p.stem not in HELD_OUT]
    return tuple(store.read_json(path, ProjectSchema) for path in paths)


@cache
def written_others(projects: Path) -> Others:
    """Invented projects that may stand beside another."""
    held = HELD_OUT_PROJECTS | LATER_PROJECTS
    paths = [p for p in sorted(projects.glob("*.yml")) if p.stem not in held]
    return tuple(read_project(path) for path in paths[::_OTHERS])


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


def held_out(
    work: Path, projects: Path
) -> Iterator[tuple[tuple[ProjectSchema, list[Asking]], ...]]:
    """Each held-out schema with all its questions; an invented one also among more."""
    for schema, rows, held in sources(work, projects, refusals=True):
        if not (held or schema.project in LATER_PROJECTS):
            continue
        told = (schema, rows)
        if not schema.as_of:
            yield (told,)
            continue
        wide = widened(schema, written_others(projects), Random(schema.project))
        yield told, (wide.schema, [each for each in rows if wide.leaves_alone(Question(*each))])
