"""A test set of conversations: questions in turn, each with the SQL that answers it.

One JSON object a line: ``{"id": …, "turns": [{"question": …, "sql": […] or null}, …]}``. What is
judged is every turn after the first.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from dbt_t2s import sql as language
from dbt_t2s.errors import JudgeError
from dbt_t2s.judge.anatomy import question_type
from dbt_t2s.judge.suite import TestItem
from dbt_t2s.project.schema import Issue, Level

_EXAMPLE = (
    '{"turns": [{"question": "How many orders?", "sql": "select count(*) from orders"}, '
    '{"question": "and by store?", "sql": "select …"}]}'
)
_JOINT = " → "


@dataclass(frozen=True)
class Dialogue:
    """One conversation; the ``question`` of each turn is what was typed there alone."""

    id: str
    turns: tuple[TestItem, ...]

    def judged(self) -> tuple[TestItem, ...]:
        """The turns after the first, with all that was said before in their questions."""
        said = [turn.question for turn in self.turns]
        return tuple(
            replace(turn, question=_JOINT.join(said[: at + 1]))
            for at, turn in enumerate(self.turns)
            if at
        )


def read_dialogues(path: Path, dialect: str) -> tuple[tuple[Dialogue, ...], tuple[Issue, ...]]:
    """The usable conversations, and an issue for each line that is none.

    JudgeError where the file cannot be read.
    """
    try:
        lines = path.read_text(encoding="utf-8-sig").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise JudgeError(
            f"the test conversations could not be read: {error}",
            where=str(path),
            hint="check the file, or remove it",
        ) from error
    found: list[Dialogue] = []
    issues: list[Issue] = []
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        where = f"{path.name}:{number}"
        try:
            found.append(_dialogue(json.loads(line), where, str(number), dialect))
        except (ValueError, RecursionError, language.SqlError) as error:
            issues.append(Issue(Level.ERROR, where, str(error), f"a line looks like {_EXAMPLE}"))
    return tuple(found), tuple(issues)


def _dialogue(found: object, where: str, number: str, dialect: str) -> Dialogue:
    if not isinstance(found, dict) or not isinstance(found.get("turns"), list):
        raise ValueError('this line has no list of "turns"')
    if len(found["turns"]) < 2:
        raise ValueError("a conversation has at least two turns")
    id_ = str(found.get("id") or number)
    turns = (
        _turn(turn, f"{id_}.{at}", where, dialect) for at, turn in enumerate(found["turns"], 1)
    )
    return Dialogue(id_, tuple(turns))


def _turn(found: object, id_: str, where: str, dialect: str) -> TestItem:
    if not isinstance(found, Mapping) or not isinstance(found.get("question"), str):
        raise ValueError('a turn has no "question"')
    given = found.get("sql") or []
    golds = tuple([given] if isinstance(given, str) else given)
    for gold in golds:
        if not isinstance(gold, str) or not language.is_select(language.parse_one(gold, dialect)):
            raise ValueError('"sql" of a turn is not a SELECT')
    type_ = found.get("type")
    return TestItem(
        id=id_,
        question=found["question"],
        golds=golds,
        type=type_ if isinstance(type_, str) and type_ else question_type(golds, dialect),
        where=where,
    )
