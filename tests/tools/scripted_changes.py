"""The scripted changes of ``tests/data/changes.yml``: read, made to a project, and judged."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from dbt_t2s.project.diff import CODES, Weight

CHANGES = Path(__file__).resolve().parents[1] / "data/changes.yml"
KINDS = (
    "tables", "columns", "renames", "types", "joins", "tests", "values", "metrics", "rules",
    "docs", "grain", "new", "rows",
)  # fmt: skip
_WEIGHTY = (Weight.BREAKING.value, Weight.DEGRADING.value)


@dataclass(frozen=True)
class Edit:
    """What is done to one file; of ``find``, ``add``, ``remove`` and ``move`` there is one."""

    file: str
    find: str = ""
    until: str = ""
    replace: str = ""
    add: str = ""
    remove: bool = False
    move: str = ""


@dataclass(frozen=True)
class Scripted:
    """A change with what the check has to say of it; the file's head describes each field."""

    name: str
    kind: str
    harmful: bool
    expect: tuple[str, ...]
    questions: tuple[str, ...]
    fails: bool
    edits: tuple[Edit, ...]
    why: str = ""


def read(path: Path = CHANGES) -> tuple[Scripted, ...]:
    """The scripted changes in the order of the file; TypeError for an unknown or missing field."""
    return tuple(_scripted(each) for each in yaml.safe_load(path.read_text("utf-8")))


def _scripted(told: Mapping[str, Any]) -> Scripted:
    edits = tuple(Edit(**edit) for edit in told["edits"])
    lists = {name: tuple(told[name]) for name in ("expect", "questions")}
    return Scripted(**{**told, **lists, "edits": edits})


def make(change: Scripted, project: Path) -> None:
    """Makes the change to the project in that folder; ValueError where an edit does not fit."""
    for edit in change.edits:
        path = project / edit.file
        if edit.add:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(edit.add, encoding="utf-8")
        elif edit.remove:
            path.unlink()
        elif edit.move:
            (project / edit.move).parent.mkdir(parents=True, exist_ok=True)
            path.rename(project / edit.move)
        else:
            path.write_text(_edited(path.read_text("utf-8"), edit), encoding="utf-8")


def _edited(text: str, edit: Edit) -> str:
    """ValueError unless ``find`` occurs once and ``until``, where there is one, after it."""
    if not edit.find or text.count(edit.find) != 1:
        raise ValueError(f"{edit.file}: {text.count(edit.find)} times {edit.find!r}")
    start = text.index(edit.find)
    end = start + len(edit.find)
    if edit.until:
        end = text.find(edit.until, end)
        if end < 0:
            raise ValueError(f"{edit.file}: no {edit.until!r} after {edit.find!r}")
    return text[:start] + edit.replace + text[end:]


def wrong(change: Scripted, status: int, found: Mapping[str, Any]) -> tuple[str, ...]:
    """What a check with this exit status and these findings (its ``--json``) says wrongly."""
    lines = {f"{each['code']} {each['what']}": each["class"] for each in found["changes"]}
    said = [f"missing {line}" for line in change.expect if line not in lines]
    named = {line.split()[1].partition(".")[0] for line in change.expect}
    beside = {f"T2S105 {table}" for table in named}
    for line, weight in lines.items():
        code = line.split()[0]
        if weight != CODES[code].value:
            said.append(f"{line} is {weight}")
        if weight in _WEIGHTY and line not in change.expect and line not in beside:
            said.append(f"unexpected {line}")
    if status != int(change.fails):
        said.append(f"exit {status}, not {int(change.fails)}")
    return (*said, *_of_questions(change, found["questions"]))


def _of_questions(change: Scripted, named: Sequence[Mapping[str, str]]) -> tuple[str, ...]:
    if not change.harmful:
        return (f"{len(named)} questions named",) if named else ()
    if not change.questions:
        return ()
    texts = [each["question"].lower() for each in named]
    if any(word.lower() in text for word in change.questions for text in texts):
        return ()
    return (f"no question with {' or '.join(change.questions)} among {len(named)} named",)
