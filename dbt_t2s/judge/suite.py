"""A test set: questions with the SQL that answers them, one JSON object a line."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from dbt_t2s import sql as language
from dbt_t2s.errors import JudgeError
from dbt_t2s.judge.anatomy import question_type
from dbt_t2s.project.schema import Issue, Level

FIELDS = ("id", "question", "sql", "type", "note", "answerable", "persona")
_EXAMPLE = '{"question": "How many orders?", "sql": "select count(*) from orders"}'


@dataclass(frozen=True)
class TestItem:
    """One question. ``golds`` are the SQL statements that answer it; none: it has no answer.

    ``phase`` is that of the curriculum (0: none), ``metrics`` are those it asks for, as far as
    that is known.
    """

    __test__ = False  # not a pytest class

    id: str
    question: str
    golds: tuple[str, ...]
    type: str
    note: str = ""
    where: str = ""
    phase: int = 0
    metrics: tuple[str, ...] = ()

    @property
    def answerable(self) -> bool:
        return bool(self.golds)


class _Unusable(Exception):
    """A line that cannot be used, and what to do about it."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint


def read_suite(path: Path, dialect: str) -> tuple[tuple[TestItem, ...], tuple[Issue, ...]]:
    """The usable questions and an issue, with file and line, for each that is not.

    JudgeError if the file cannot be read or holds nothing usable.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise JudgeError(
            f"the test questions could not be read: {error.strerror}",
            where=str(path),
            hint="check the path given to --questions",
        ) from error
    except UnicodeDecodeError as error:
        raise JudgeError(
            "the test questions are not UTF-8 text", where=str(path), hint="save the file as UTF-8"
        ) from error
    items: list[TestItem] = []
    issues: list[Issue] = []
    seen: dict[str, TestItem] = {}
    # Not splitlines(): a question may hold a line separator that JSON does not treat as one.
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        where = f"{path.name}:{number}"
        try:
            item, warnings = _read_line(line, where, number, dialect)
            issues += warnings
            _check_new(item, seen)
        except _Unusable as error:
            issues.append(Issue(Level.ERROR, where, str(error), error.hint))
            continue
        seen[normal(item.question)] = item
        items.append(item)
    if not items:
        first = f": {issues[0].where} {issues[0].message}" if issues else ""
        raise JudgeError(
            f"no usable test question{first}", where=str(path), hint=f"a line looks like {_EXAMPLE}"
        )
    return tuple(items), tuple(issues)


def _read_line(
    line: str, where: str, number: int, dialect: str
) -> tuple[TestItem, tuple[Issue, ...]]:
    try:
        found = json.loads(line)
    except (json.JSONDecodeError, RecursionError) as error:
        raise _Unusable(
            f"this line is not JSON: {error}", f"a line looks like {_EXAMPLE}"
        ) from error
    if not isinstance(found, dict):
        raise _Unusable("this line is not a JSON object", f"a line looks like {_EXAMPLE}")
    question = _text(found, "question")
    if not question:
        raise _Unusable('"question" is missing or empty', f"a line looks like {_EXAMPLE}")
    golds = _golds(found)
    answerable = found.get("answerable", bool(golds))
    if answerable != bool(golds):
        raise _Unusable(
            f'"answerable" is {json.dumps(answerable)} but "sql" says otherwise',
            'a question without an answer has "sql": null',
        )
    for gold in golds:
        try:
            readable = language.is_select(language.parse_one(gold, dialect))
        except language.SqlError as error:
            raise _Unusable(f'"sql" cannot be read as {dialect}: {error}') from error
        if not readable:
            raise _Unusable('"sql" is not a SELECT')
    warnings = tuple(
        Issue(Level.WARNING, where, f'unknown field "{name}"', f"known: {', '.join(FIELDS)}")
        for name in found
        if name not in FIELDS
    )
    item = TestItem(
        id=_text(found, "id") or str(number),
        question=question,
        golds=golds,
        type=_text(found, "type") or question_type(golds, dialect),
        note=_text(found, "note"),
        where=where,
    )
    return item, warnings


def _text(found: Mapping[str, object], name: str) -> str:
    value = found.get(name)
    if value is None:
        return ""
    if isinstance(value, str | int) and not isinstance(value, bool):
        return str(value).strip()
    raise _Unusable(f'"{name}" is not text')


def _golds(found: Mapping[str, object]) -> tuple[str, ...]:
    if "sql" not in found:
        raise _Unusable('"sql" is missing', 'write "sql": null for a question without an answer')
    value = found["sql"]
    values = value if isinstance(value, list) else [] if value is None else [value]
    if not all(isinstance(each, str) and each.strip() for each in values):
        raise _Unusable('"sql" is neither text, nor a list of texts, nor null')
    if isinstance(value, list) and not value:
        raise _Unusable('"sql" is an empty list', 'write "sql": null if there is no answer')
    return tuple(str(each).strip() for each in values)


def _check_new(item: TestItem, seen: Mapping[str, TestItem]) -> None:
    before = seen.get(normal(item.question))
    if before is None:
        return
    if set(before.golds) == set(item.golds):
        raise _Unusable(f"the same question as in {before.where}", "remove one of them")
    raise _Unusable(
        f"the same question as in {before.where} with another answer",
        'keep one, with "sql" a list if both are right',
    )


def normal(question: str) -> str:
    """The question without case, punctuation and spacing: what tells two questions apart."""
    return re.sub(r"[\W_]+", " ", question.casefold()).strip()
