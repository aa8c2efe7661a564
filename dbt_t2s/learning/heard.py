"""What people said of answers, as lessons: what to answer, what to refuse, what to keep."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from dbt_t2s.judge.suite import normal
from dbt_t2s.project.secrets import MASK
from dbt_t2s.serve.feedback import REFUSE, RIGHT, WRONG
from dbt_t2s.serve.log import Said

CORRECTION, REFUSAL, KEPT = "correction", "refusal", "right"


@dataclass(frozen=True)
class Lesson:
    """One question and its right answer: ``sql``, empty where none is.

    ``kind`` is correction, refusal (it should have been refused) or right (it was, and stays so).
    """

    kind: str
    question: str
    sql: str
    recorded_at: str = ""
    person: str = ""


@dataclass(frozen=True)
class Left:
    """A statement that nothing is learned from, and why."""

    question: str
    why: str


def lessons_of(said: Sequence[Said]) -> tuple[tuple[Lesson, ...], tuple[Left, ...]]:
    """The lessons, the oldest first, and what is left out; ``said`` is the newest first.

    Of one question the last word counts that names an answer or that there is none.
    """
    found: dict[str, Lesson] = {}
    left: dict[str, Left] = {}
    for each in said:
        key = normal(each.question)
        lesson = _lesson(each)
        if isinstance(lesson, Left):
            left.setdefault(key, lesson)
        elif key not in found:
            found[key] = lesson
        elif not _agree(found[key], lesson):
            why = f"contradicts what was said later: {_told(found[key])}"
            left.setdefault(f"{key} {each.id}", Left(each.question, why))
    answered = {key: each for key, each in left.items() if key not in found}
    return tuple(reversed(found.values())), tuple(answered.values())


def _lesson(said: Said) -> Lesson | Left:
    if MASK in said.question or MASK in (said.corrected_sql or said.sql_text):
        return Left(said.question, "personal data is masked in it")
    if said.verdict == REFUSE:
        return Lesson(REFUSAL, said.question, "", said.recorded_at, said.person)
    if said.verdict == RIGHT:
        return Lesson(KEPT, said.question, said.sql_text, said.recorded_at, said.person)
    if said.verdict == WRONG and said.corrected_sql:
        sql = said.corrected_sql
        return Lesson(CORRECTION, said.question, sql, said.recorded_at, said.person)
    return Left(said.question, "nobody said what would be right")


def _agree(one: Lesson, other: Lesson) -> bool:
    """Whether two lessons ask for one answer; other SQL was run when it was said, and is another
    answer unless it stood in place of the same."""
    return one.sql == other.sql


def _told(lesson: Lesson) -> str:
    return " ".join(lesson.sql.split()) or "that there is no answer"
