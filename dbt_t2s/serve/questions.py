"""Questions from a file, one JSON object a line, and which of them follow others."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from dbt_t2s.errors import ServeError

_HINT = (
    'write one JSON object a line: {"question": "How many orders?"}, and for a follow-up also '
    '"follows": true, or the "id" of an earlier line'
)


@dataclass(frozen=True)
class Question:
    """One question of a file; ``follows`` is the place of the line that it follows, or None."""

    text: str
    follows: int | None = None


def read_questions(path: Path) -> tuple[Question, ...]:
    """The questions of a JSONL file; ServeError names the first line that has none.

    A line's ``follows`` is true for the line before, or the ``id`` of an earlier one.
    """
    try:
        lines = path.read_text(encoding="utf-8-sig").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not UTF-8 text"
        raise ServeError(
            f"the questions in {path.name} cannot be read: {reason}",
            where=str(path),
            hint="check the path given to --file",
        ) from error
    found: list[Question] = []
    places: dict[str, int] = {}
    for number, line in enumerate(lines, 1):
        if line.strip():
            where = f"{path}, line {number}"
            content = _content(line, where)
            follows = _follows(content.get("follows"), places, len(found), where)
            if "id" in content:
                places[str(content["id"])] = len(found)
            found.append(Question(str(content["question"]), follows))
    return tuple(found)


def _content(line: str, where: str) -> dict[str, object]:
    try:
        found = json.loads(line)
    except (ValueError, RecursionError):
        found = None
    content = found if isinstance(found, dict) else {"question": found}
    if not isinstance(content.get("question"), str):
        raise ServeError("this line has no question", where=where, hint=_HINT)
    return content


def _follows(said: object, places: dict[str, int], here: int, where: str) -> int | None:
    if said is None or said is False:
        return None
    if said is True and here:
        return here - 1
    if isinstance(said, str | int) and said is not True and str(said) in places:
        return places[str(said)]
    raise ServeError("this line follows no line before it", where=where, hint=_HINT)
