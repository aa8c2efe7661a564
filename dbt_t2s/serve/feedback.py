"""What people say of answers: right, wrong, what would be right, or that there is no answer.

A correction is taken at its word only after it has been run. ``weighed`` says what of a statement
can be kept; nothing here writes.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dbt_t2s import sql as language
from dbt_t2s.duck import QueryError, Rows, first_line
from dbt_t2s.errors import ServeError
from dbt_t2s.judge.compare import compare
from dbt_t2s.judge.suite import normal
from dbt_t2s.serve.log import LONGEST, VERDICTS, Asked, Said
from dbt_t2s.sql import exp

RIGHT, WRONG, REFUSE = VERDICTS
_KEYS = ("id", "question", "verdict", "sql", "note")

# What a SELECT gives on every instance of the warehouse, an error alone where it does not run.
RunEach = Callable[[str], tuple[Rows | QueryError, ...]]


@dataclass(frozen=True)
class Statement:
    """What somebody says of an answer, before it is looked at.

    ``log_id`` is the beginning of the question's id; with neither that nor a ``question`` the last
    one is meant. ``corrected`` is the right SQL; ``where`` names its line in a file.
    """

    verdict: str
    log_id: str = ""
    question: str = ""
    corrected: str = ""
    note: str = ""
    where: str = ""


def read_statements(path: Path) -> tuple[Statement, ...]:
    """The statements of a JSONL file; ServeError names the first line that is none."""
    try:
        lines = path.read_text(encoding="utf-8-sig").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not UTF-8 text"
        raise ServeError(
            f"the feedback in {path.name} cannot be read: {reason}",
            where=str(path),
            hint="check the path given to --file",
        ) from error
    found = []
    for number, line in enumerate(lines, 1):
        if line.strip():
            where = f"{path}, line {number}"
            try:
                content = json.loads(line)
            except (ValueError, RecursionError):
                content = None
            found.append(statement_of(content, where))
    return tuple(found)


def statement_of(content: Any, where: str) -> Statement:
    """A statement as JSON holds it; ServeError where it is none."""
    if not isinstance(content, dict) or not all(
        isinstance(value, str | None) for value in content.values()
    ):
        raise _unusable("is no object of texts", where)
    unknown = sorted(set(content) - set(_KEYS))
    if unknown:
        raise _unusable(f"has {unknown[0]!r}, which means nothing here", where)
    values = {name: _text(content.get(name)) for name in _KEYS}
    if where and not values["id"] and not values["question"]:
        raise _unusable("says neither the id nor the question", where)
    return said_as(
        values["verdict"],
        values["sql"],
        Statement("", values["id"], values["question"], note=values["note"], where=where),
    )


def _text(value: str | None) -> str:
    """Half characters, which JSON can spell, are no text."""
    return (value or "").encode("utf-8", "replace").decode().strip()


def said_as(verdict: str, corrected: str, rest: Statement) -> Statement:
    """``rest`` with its verdict, which corrected SQL says by itself; ServeError for another."""
    said = verdict.lower().replace("-", "_") or (WRONG if corrected else "")
    if said not in VERDICTS:
        shown = f"{verdict!r}" if verdict else "nothing"
        raise _unusable(f"says {shown} instead of {', '.join(VERDICTS)}", rest.where)
    if corrected and said != WRONG:
        raise _unusable(f"says {said} and needs no SQL", rest.where)
    if max(len(corrected), len(rest.note)) > LONGEST:
        raise _unusable(f"is longer than {LONGEST:,} characters", rest.where)
    return Statement(said, rest.log_id, rest.question, corrected, rest.note, rest.where)


def weighed(
    of: Asked,
    statement: Statement,
    run: RunEach,
    dialect: str,
    earlier: Sequence[Said],
    *,
    instead: bool = False,
) -> str:
    """The corrected SQL in the house's form, empty where there is none.

    ServeError where the correction does not run or says what the answer said, or where the
    statement contradicts an ``earlier`` one (newest first) and does not stand ``instead`` of it.
    """
    corrected = ""
    if statement.corrected:
        corrected = _checked(of, statement, run, dialect)
    stand = _Stand(statement.verdict, corrected or of.sql_text, bool(corrected))
    about = [said for said in earlier if normal(said.question) == normal(of.question)]
    if not instead:
        for said in _decisive(about):
            if stand.contradicts(_stand_of(said), run):
                raise _contradiction(of, said, statement)
    return corrected


def _checked(of: Asked, statement: Statement, run: RunEach, dialect: str) -> str:
    results = run(statement.corrected)
    failed = next((each for each in results if isinstance(each, QueryError)), None)
    if failed is not None:
        raise ServeError(
            f"the corrected SQL was not kept: {failed.kind}: {first_line(failed.message)}",
            where=statement.where or _about(of),
            hint="give one SELECT that runs here, or say `wrong` without SQL",
        )
    try:
        written = language.format_sql(statement.corrected, dialect)
    except language.SqlError as error:  # DuckDB reads it, and the next stages would not
        raise ServeError(
            f"the corrected SQL cannot be read: {error}",
            where=statement.where or _about(of),
            hint="write it another way",
        ) from error
    if of.sql_text and _same(of.sql_text, written, run):
        raise ServeError(
            "the corrected SQL gives just what the answer gave",
            where=statement.where or _about(of),
            hint="say `right`, or correct what is wrong with it",
        )
    return written


@dataclass(frozen=True)
class _Stand:
    """What a statement comes to: an answer that is right, one that is not, or that none is."""

    verdict: str
    sql: str
    corrects: bool

    @property
    def names_answer(self) -> bool:
        return self.verdict == RIGHT or self.corrects

    def contradicts(self, other: _Stand, run: RunEach) -> bool:
        if REFUSE in (self.verdict, other.verdict):
            return self.verdict != other.verdict and (self.names_answer or other.names_answer)
        if not self.names_answer and not other.names_answer:
            return False
        same = _same(self.sql, other.sql, run)
        both = self.names_answer and other.names_answer
        return not same if both else same


def _stand_of(said: Said) -> _Stand:
    return _Stand(said.verdict, said.corrected_sql or said.sql_text, bool(said.corrected_sql))


def _decisive(about: Sequence[Said]) -> list[Said]:
    """The last statement that names an answer or none, and the last that only says no."""
    named = next((said for said in about if _stand_of(said).names_answer), None)
    others = [said for said in about if not _stand_of(said).names_answer]
    return [said for said in (named, *others[:1]) if said is not None]


def _same(one: str, other: str, run: RunEach) -> bool:
    """Whether two statements give the same on every instance; False where one does not run."""
    if one == other:
        return True
    left, right = run(one), run(other)
    return len(left) == len(right) and all(
        isinstance(first, Rows)
        and isinstance(second, Rows)
        and compare(first, second, ordered=_is_ordered(one) and _is_ordered(other)).equal
        for first, second in zip(left, right, strict=True)
    )


def _is_ordered(sql: str) -> bool:
    try:
        tree = language.parse_one(sql, "duckdb")
    except language.SqlError:
        return False
    return isinstance(tree, exp.Query) and tree.args.get("order") is not None


def _contradiction(of: Asked, said: Said, statement: Statement) -> ServeError:
    stand = _stand_of(said)
    meant = stand.sql if stand.names_answer else said.verdict
    who = f" by {said.person}" if said.person else ""
    shown = " ".join(meant.split())
    return ServeError(
        f"this contradicts what was said on {said.recorded_at[:10]}{who}: {shown}",
        where=statement.where or _about(of),
        hint="agree on one; --replace puts this one in its place",
    )


def _about(of: Asked) -> str:
    return f"the question {of.question[:80]!r}"


def _unusable(what: str, where: str) -> ServeError:
    return ServeError(
        f"this feedback {what}",
        where=where or "dbt-t2s feedback",
        hint='{"id": "1f2e…", "verdict": "wrong", "sql": "select …"} or'
        ' {"question": "…", "verdict": "right"}',
    )
