"""One question in, one answer out: the first candidate that runs and says something."""

from __future__ import annotations

import math
import time
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date, datetime, timedelta
from datetime import time as clock
from decimal import Decimal

from dbt_t2s.corpus.recovery import said
from dbt_t2s.duck import Execute, QueryError, Rows
from dbt_t2s.errors import ServeError
from dbt_t2s.model.generate import Candidate, Followed
from dbt_t2s.model.turns import Turn
from dbt_t2s.serve.evidence import Basis
from dbt_t2s.serve.roads import WAREHOUSE

LONGEST = 2_000
# Of a conversation the last turns are enough: each is told in full.
MOST_TURNS = 10
# A candidate this much less likely than one with an empty answer does not replace it.
_RIVAL = 0.4

Generate = Callable[[Sequence[str]], Sequence[Sequence[Candidate]]]
# What a question asks after the answers before it.
Follow = Callable[[str, Sequence[Turn]], Followed]
# (question, SQL that failed, what the database said) → better candidates.
Mend = Callable[[str, str, str], tuple[Candidate, ...]]


@dataclass(frozen=True)
class Answer:
    """What a question got; ``status`` is ok, refused or error.

    ``attempts`` counts the statements that were run, ``execution_ms`` is what that took of
    ``latency_ms``. ``reason`` says why there is no answer, or that only some of its rows are shown.
    ``id`` is the question's in the log; empty where none is kept. ``items`` are the metrics and
    rules that the model named, ``rests_on`` is what the SQL uses and ``assumed`` what the question
    did not say. ``built`` says when the data was last built (ISO, in UTC), empty where nobody
    knows. ``nearest`` are questions that can be answered, where this one was not. ``read_as`` is
    the whole question that a follow-up was read as, empty for one that stands alone; ``plan`` is
    the answer's query plan in one line, where the model knows it.
    """

    question: str
    status: str
    sql: str = ""
    columns: tuple[str, ...] = ()
    rows: tuple[tuple[object, ...], ...] = ()
    confidence: float = 0.0
    attempts: int = 0
    latency_ms: float = 0.0
    reason: str = ""
    execution_ms: float = 0.0
    id: str = ""
    items: tuple[str, ...] = ()
    rests_on: tuple[Basis, ...] = ()
    assumed: tuple[str, ...] = ()
    built: str = ""
    nearest: tuple[str, ...] = ()
    read_as: str = ""
    plan: str = ""

    def as_dict(self) -> dict[str, object]:
        """The answer as JSON holds it: dates as ISO text, decimals as numbers."""
        return {
            "question": self.question,
            "status": self.status,
            "sql": self.sql,
            "columns": list(self.columns),
            "rows": [[json_value(value) for value in row] for row in self.rows],
            "confidence": self.confidence,
            "attempts": self.attempts,
            "latency_ms": round(self.latency_ms, 1),
            "reason": self.reason,
            "execution_ms": round(self.execution_ms, 1),
            "id": self.id,
            "rests_on": [asdict(each) for each in self.rests_on],
            "assumed": list(self.assumed),
            "built": self.built,
            "nearest": list(self.nearest),
            "read_as": self.read_as,
            "plan": self.plan,
        }


def answer(question: str, generate: Generate, execute: Execute, mend: Mend | None = None) -> Answer:
    """Answers one question; whatever goes wrong is in the answer.

    Where all candidates fail, a model that can ``mend`` gets one more try, with the error.
    """
    started = time.perf_counter()
    timed = _Timed(execute)
    found = _answer(question, generate, timed, mend)
    taken = (time.perf_counter() - started) * 1000
    return replace(found, latency_ms=taken, execution_ms=timed.spent_ms)


def answer_after(
    question: str,
    before: Sequence[Turn],
    generate: Generate,
    follow: Follow | None,
    execute: Execute,
    mend: Mend | None = None,
) -> Answer:
    """Answers a question in a conversation: alone, or as what it adds to the answers ``before``."""
    if follow is None or not before:
        return answer(question, generate, execute, mend)
    started = time.perf_counter()
    read: list[str] = []

    def followed(questions: Sequence[str]) -> list[Sequence[Candidate]]:
        found = [follow(each, before) for each in questions]
        read.extend(each.read_as for each in found)
        alone = [q for q, each in zip(questions, found, strict=True) if not each.candidates]
        given = iter(generate(alone) if alone else ())
        return [each.candidates or next(given) for each in found]

    made = answer(question, followed, execute, mend)
    taken = (time.perf_counter() - started) * 1000
    return replace(made, read_as=read[0] if read else "", latency_ms=taken)


def continued(before: Sequence[Turn], answer: Answer) -> tuple[Turn, ...]:
    """The conversation after ``answer``: a question of its own begins another one.

    What got no answer leaves it where it was.
    """
    if answer.status != "ok":
        return tuple(before)
    turn = Turn(answer.read_as or answer.question, answer.sql, answer.plan)
    kept = tuple(before)[-(MOST_TURNS - 1) :] if answer.read_as else ()
    return (*kept, turn)


class _Timed:
    """Runs SQL and adds up how long that takes."""

    def __init__(self, execute: Execute) -> None:
        self._execute = execute
        self.spent_ms = 0.0

    def __call__(self, sql: str) -> Rows | QueryError:
        started = time.perf_counter()
        try:
            return self._execute(sql)
        finally:
            self.spent_ms += (time.perf_counter() - started) * 1000


def _answer(question: str, generate: Generate, execute: Execute, mend: Mend | None) -> Answer:
    try:
        asked = clean(question)
    except ServeError as error:
        return Answer(question, "error", reason=error.what)
    if len(asked) > LONGEST:
        reason = f"the question has {len(asked):,} characters; ask in at most {LONGEST:,}"
        return Answer(asked, "refused", reason=reason)
    answers = generate([asked])
    candidates = answers[0] if answers else ()
    if not candidates:
        return Answer(asked, "error", reason="the model gave no SQL")
    found = _first_that_runs(asked, candidates, execute)
    if mend is None or found.status != "error" or found.reason.startswith(f"{WAREHOUSE}:"):
        return found
    better = mend(asked, found.sql, found.reason)
    tried = _first_that_runs(asked, better, execute) if better else found
    if tried.status != "ok":
        return found
    return replace(tried, attempts=found.attempts + tried.attempts)


def _first_that_runs(asked: str, candidates: Sequence[Candidate], execute: Execute) -> Answer:
    failed: list[Answer] = []
    empty: Answer | None = None
    for attempts, candidate in enumerate(candidates, 1):
        if empty and candidate.confidence < _RIVAL * empty.confidence:
            break
        base = Answer(
            asked,
            "ok",
            candidate.sql,
            confidence=candidate.confidence,
            items=candidate.items,
            plan=candidate.plan,
        )
        if not candidate.sql.strip():
            if empty:
                break
            # A refusal behind candidates that failed is the model's own second thought.
            reason = candidate.refusal or "this project's data does not answer it"
            return replace(base, status="refused", sql="", attempts=attempts - 1, reason=reason)
        result = execute(candidate.sql)
        if not isinstance(result, QueryError):
            cut = f"only the first {len(result.rows):,} rows are shown" if result.truncated else ""
            made = replace(
                base, columns=result.columns, rows=result.rows, attempts=attempts, reason=cut
            )
            if _says_something(result):
                return made
            empty = empty or made
            continue
        reason = said(result)
        failed.append(replace(base, status="error", reason=reason))
        if result.kind == WAREHOUSE:
            # A table may be missing there: SQL that means something else would be no answer.
            return empty or replace(failed[-1], attempts=attempts)
    return empty or replace(failed[0], attempts=len(failed))


def _says_something(result: Rows) -> bool:
    """Whether there is more to see than NULL and nought, which a condition that was not meant
    leaves of a count or a sum."""
    return any(
        isinstance(value, bool) or (value is not None and value != 0)
        for row in result.rows
        for value in row
    )


def clean(question: str) -> str:
    """The question on one line, without control characters; ServeError if nothing is left."""
    kept = (
        # Joiners and direction marks (Cf) belong to some scripts; half surrogates to none.
        " " if letter.isspace() or unicodedata.category(letter) in ("Cc", "Cs") else letter
        for letter in unicodedata.normalize("NFC", question)
    )
    cleaned = " ".join("".join(kept).split())
    if not any(letter.isalnum() for letter in cleaned):
        raise ServeError("empty question", hint='ask with words: dbt-t2s ask "How many orders?"')
    return cleaned


def json_value(value: object) -> object:
    """A value as JSON holds it; what JSON has no form for becomes text, NaN becomes null."""
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Decimal):
        # A decimal without a scale is a whole number, and may be too large for a float.
        whole = value.is_finite() and value.as_tuple().exponent == 0
        return int(value) if whole else json_value(float(value))
    if isinstance(value, date | datetime | clock):
        return value.isoformat()
    if isinstance(value, timedelta):
        return str(value)
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, list | tuple):
        return [json_value(item) for item in value]
    if isinstance(value, dict):
        return {str(key): json_value(item) for key, item in value.items()}
    return str(value)
