"""Proves a model: every test question is answered, executed and compared on every instance."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

from dbt_t2s import sql as language
from dbt_t2s.duck import Execute, QueryError, Rows, first_line
from dbt_t2s.errors import JudgeError
from dbt_t2s.judge.anatomy import difference
from dbt_t2s.judge.compare import Verdict, compare, is_ordered, sort_keys
from dbt_t2s.judge.share import Share, percentile
from dbt_t2s.judge.suite import TestItem
from dbt_t2s.project.schema import Issue, Level

_BATCH = 16


@dataclass(frozen=True)
class Prediction:
    """A model's answer to one question; ``status`` is ok, refused or error."""

    status: str
    sql: str
    confidence: float = 0.0
    latency_ms: float = 0.0
    reason: str = ""


Predict = Callable[[Sequence[str]], list[Prediction]]


@dataclass(frozen=True)
class Outcome:
    """What became of one question.

    ``correct`` is the right answer on every instance, or a refusal where there is no answer.
    ``cause`` is empty when correct; else wrong table, column, filter, aggregate, grouping or
    order, other, refused, answered (there was no answer), or error; ``detail`` says more.
    """

    item: TestItem
    prediction: Prediction
    correct: bool
    parses: bool = False
    executes: bool = False
    cause: str = ""
    detail: str = ""


@dataclass(frozen=True)
class SuiteReport:
    """All outcomes of one test set, and issues of the set itself."""

    name: str
    outcomes: tuple[Outcome, ...]
    issues: tuple[Issue, ...] = ()
    instances: int = 1

    @property
    def answerable(self) -> tuple[Outcome, ...]:
        return tuple(each for each in self.outcomes if each.item.answerable)

    @property
    def unanswerable(self) -> tuple[Outcome, ...]:
        return tuple(each for each in self.outcomes if not each.item.answerable)

    @property
    def ex(self) -> Share:
        """Execution accuracy over the answerable questions."""
        return share_of(self.answerable)

    @property
    def by_type(self) -> tuple[tuple[str, Share], ...]:
        return shares_by_type(self.outcomes)

    def latency_ms(self, share: float) -> float | None:
        return percentile([each.prediction.latency_ms for each in self.outcomes], share)


def share_of(outcomes: Sequence[Outcome]) -> Share:
    """How many of the outcomes are correct."""
    return Share(sum(each.correct for each in outcomes), len(outcomes))


def shares_by_type(outcomes: Iterable[Outcome]) -> tuple[tuple[str, Share], ...]:
    """The share of correct answers per query type, in the types' alphabetical order."""
    groups: dict[str, list[Outcome]] = {}
    for each in outcomes:
        groups.setdefault(each.item.type, []).append(each)
    return tuple((name, share_of(groups[name])) for name in sorted(groups))


@dataclass(frozen=True)
class _Gold:
    """A gold statement and its result on each instance."""

    sql: str
    results: tuple[Rows, ...]
    ordered: bool
    keys: tuple[int, ...]


def validate(
    items: Sequence[TestItem],
    predict: Predict,
    executes: Sequence[Execute],
    dialect: str,
    *,
    name: str = "business",
    progress: Callable[[int, int], None] | None = None,
) -> SuiteReport:
    """Answers and judges ``items``; ``executes`` has one function per warehouse instance.

    A question whose golds all fail is left out and becomes an issue; JudgeError if none is left.
    """
    if not executes:
        raise JudgeError("there is no warehouse to validate on", hint="run `dbt build`")
    usable: list[tuple[TestItem, tuple[_Gold, ...]]] = []
    issues: list[Issue] = []
    for item in items:
        golds, found = _run_golds(item, executes, dialect)
        issues += found
        if golds or not item.answerable:
            usable.append((replace(item, golds=tuple(gold.sql for gold in golds)), golds))
    if not usable:
        first = f": {issues[0].where} {issues[0].message}" if issues else ""
        raise JudgeError(
            f"no test question can be judged{first}",
            where=name,
            hint="correct the test set's SQL, or run `dbt build` if tables are missing",
        )
    outcomes: list[Outcome] = []
    for start in range(0, len(usable), _BATCH):
        batch = usable[start : start + _BATCH]
        predictions = predict([item.question for item, _ in batch])
        if len(predictions) != len(batch):
            raise JudgeError(
                f"the model gave {len(predictions)} answers to {len(batch)} questions", where=name
            )
        for (item, golds), prediction in zip(batch, predictions, strict=True):
            outcomes.append(_judge(item, golds, prediction, executes, dialect))
        if progress is not None:
            progress(len(outcomes), len(usable))
    return SuiteReport(name, tuple(outcomes), tuple(issues), len(executes))


def _run_golds(
    item: TestItem, executes: Sequence[Execute], dialect: str
) -> tuple[tuple[_Gold, ...], tuple[Issue, ...]]:
    golds: list[_Gold] = []
    issues: list[Issue] = []
    where = item.where or item.id
    for sql in item.golds:
        results: list[Rows] = []
        for execute in executes:
            result = execute(sql)
            if isinstance(result, QueryError):
                message = f"the gold SQL fails: {result.kind}: {first_line(result.message)}"
                issues.append(Issue(Level.ERROR, where, message, "correct its SQL"))
                break
            results.append(result)
        else:
            golds.append(
                _Gold(sql, tuple(results), is_ordered(sql, dialect), sort_keys(sql, dialect))
            )
            issues += _gold_warnings(where, results)
    return tuple(golds), tuple(issues)


def _gold_warnings(where: str, results: Sequence[Rows]) -> list[Issue]:
    if any(result.truncated for result in results):
        message = f"the gold SQL gives more than {len(results[0].rows)} rows"
        return [Issue(Level.WARNING, where, message, "ask for less: it may not be comparable")]
    if not any(result.rows for result in results):
        message = "the gold SQL gives no rows on any instance, so other SQL may match by luck"
        return [Issue(Level.WARNING, where, message, "ask for something that is there")]
    return []


def _judge(
    item: TestItem,
    golds: Sequence[_Gold],
    prediction: Prediction,
    executes: Sequence[Execute],
    dialect: str,
) -> Outcome:
    refused = prediction.status == "refused"
    if not item.answerable:
        cause = "" if refused else "error" if prediction.status == "error" else "answered"
        parses = not refused and _parses(prediction.sql, dialect)
        return Outcome(item, prediction, refused, parses, prediction.status == "ok", cause)
    if refused:
        return Outcome(item, prediction, False, cause="refused", detail=prediction.reason)
    if not prediction.sql.strip():
        detail = prediction.reason or "no SQL"
        return Outcome(item, prediction, False, cause="error", detail=detail)
    parses = _parses(prediction.sql, dialect)
    results: list[Rows] = []
    for execute in executes:
        result = execute(prediction.sql)
        if isinstance(result, QueryError):
            detail = f"{result.kind}: {first_line(result.message)}"
            return Outcome(item, prediction, False, parses, False, "error", detail)
        results.append(result)
    verdicts = [_equals_everywhere(gold, results) for gold in golds]
    if any(verdict.equal for verdict in verdicts):
        return Outcome(item, prediction, True, parses, True)
    cause = difference(item.golds, prediction.sql, dialect)
    return Outcome(item, prediction, False, parses, True, cause, verdicts[0].reason)


def _equals_everywhere(gold: _Gold, results: Sequence[Rows]) -> Verdict:
    for number, (wanted, given) in enumerate(zip(gold.results, results, strict=True), 1):
        verdict = compare(wanted, given, gold.ordered, gold.keys)
        if not verdict.equal:
            place = "" if number == 1 else f" (on instance {number})"
            return Verdict(False, verdict.reason + place)
    return Verdict(True)


def _parses(sql: str, dialect: str) -> bool:
    try:
        language.parse_one(sql, dialect)
    except language.SqlError:
        return False
    return True
