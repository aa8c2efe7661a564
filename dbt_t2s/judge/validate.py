"""Proves a model: every test question is answered, executed and compared on every instance."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from dbt_t2s import sql as language
from dbt_t2s.duck import Execute, QueryError, Rows, first_line
from dbt_t2s.errors import JudgeError, T2SError
from dbt_t2s.judge.anatomy import difference
from dbt_t2s.judge.broken_rules import broken_rules
from dbt_t2s.judge.cost import cost_of
from dbt_t2s.judge.gold_order import is_ordered, sort_keys, uncut
from dbt_t2s.judge.house_style import house_style
from dbt_t2s.judge.outcomes import Cost, Outcome, Prediction, SuiteReport
from dbt_t2s.judge.parsed import parsed
from dbt_t2s.judge.read_tables import read_tables
from dbt_t2s.judge.style_rules import StyleRules
from dbt_t2s.judge.suite import TestItem
from dbt_t2s.judge.verdicts import Everywhere, Gold, Rebuilding, ran, rebuilt, told_by_few, verdicts
from dbt_t2s.project.schema import Issue, Level, Rule, Table

_BATCH = 8  # questions that are asked at once
# Kinds of errors after which it is not known that every name means something.
_UNBOUND = ("parse", "forbidden", "bind")

Predict = Callable[[Sequence[str]], list[Prediction]]


@dataclass(frozen=True)
class House:
    """What an answer is held against beside the gold.

    ``explain`` gives the rows of ``EXPLAIN (FORMAT json)`` on the first instance.
    """

    tables: tuple[Table, ...] = ()
    rules: tuple[Rule, ...] = ()
    style: StyleRules = field(default_factory=StyleRules)
    explain: Execute | None = None


class NothingToJudge(JudgeError):
    """No question of a test set can be judged; ``issues`` say why, one by one."""

    def __init__(self, issues: Sequence[Issue], name: str) -> None:
        first = f": {issues[0].where} {issues[0].message}" if issues else ""
        super().__init__(
            f"no test question can be judged{first}",
            where=name,
            hint="correct the test set's SQL, or run `dbt build` if tables are missing",
        )
        self.issues = tuple(issues)


class Stopped(Exception):
    """Judging ended early: ``report`` is what was judged so far, the cause is why."""

    def __init__(self, report: SuiteReport, reason: KeyboardInterrupt | T2SError) -> None:
        super().__init__(report.partial)
        self.report = report
        self.reason = reason


@dataclass(frozen=True)
class _Ground:
    run: Everywhere
    dialect: str
    house: House
    few: Everywhere | None = None
    rebuilding: Rebuilding | None = None


_Judged = tuple[TestItem, tuple[Gold, ...]]


def validate(
    items: Sequence[TestItem],
    predict: Predict,
    run: Everywhere,
    instances: int,
    dialect: str,
    *,
    name: str = "business",
    house: House | None = None,
    few: Everywhere | None = None,
    rebuilding: Rebuilding | None = None,
    rows_needed: bool = False,
    progress: Callable[[int, int], None] | None = None,
) -> SuiteReport:
    """Answers and judges ``items``; ``run`` gives a result for each of the ``instances``.

    An answer that agrees with a gold on all of them is compared again on what ``few`` asks, files
    of few rows (``few_rows``); an error there says nothing. Of one that reads other tables than the
    gold the first instance and the files of ``rebuilding`` decide, where there are any.
    A question whose golds all fail is left out and becomes an issue; JudgeError if none is left.
    So is, where ``rows_needed``, one whose golds give no rows anywhere: it would prove nothing.
    Stopped, with what was judged so far, where the user or the warehouse ends it midway.
    """
    if not instances:
        raise JudgeError("there is no warehouse to validate on", hint="run `dbt build`")
    ground = _Ground(run, dialect, house or House(), few, rebuilding)
    issues: list[Issue] = []
    outcomes: list[Outcome] = []
    try:
        usable = _usable(items, ground, issues, name, rows_needed)
        for outcome in _outcomes(usable, predict, ground, name):
            outcomes.append(outcome)
            if progress is not None:
                progress(len(outcomes), len(usable))
    except (KeyboardInterrupt, T2SError) as reason:
        if not outcomes:
            raise
        why = reason.what if isinstance(reason, T2SError) else "stopped by the user"
        partial = f"{len(outcomes)} of {len(items)} questions: {why}"
        report = SuiteReport(name, tuple(outcomes), tuple(issues), instances, partial)
        raise Stopped(report, reason) from reason
    return SuiteReport(name, tuple(outcomes), tuple(issues), instances)


def _usable(
    items: Sequence[TestItem],
    ground: _Ground,
    issues: list[Issue],
    name: str,
    rows_needed: bool,
) -> list[_Judged]:
    usable: list[_Judged] = []
    empty = 0
    for item in items:
        golds, found = _run_golds(item, ground)
        if rows_needed and golds and not any(rows.rows for gold in golds for rows in gold.results):
            empty += 1
            continue
        issues += found
        if golds or not item.answerable:
            usable.append((replace(item, golds=tuple(gold.sql for gold in golds)), golds))
    if empty:
        message = f"{empty} of {len(items)} questions are not counted: the gold gives no rows"
        issues.insert(0, Issue(Level.INFO, name, f"{message} on any instance"))
    if not usable:
        raise NothingToJudge(issues, name)
    return usable


def _outcomes(
    usable: Sequence[_Judged], predict: Predict, ground: _Ground, name: str
) -> Iterator[Outcome]:
    for start in range(0, len(usable), _BATCH):
        batch = usable[start : start + _BATCH]
        predictions = predict([item.question for item, _ in batch])
        if len(predictions) != len(batch):
            given = f"{len(predictions)} answers to {len(batch)} questions"
            raise JudgeError(f"the model gave {given}", where=name)
        for (item, golds), prediction in zip(batch, predictions, strict=True):
            yield _judge(item, golds, prediction, ground)


def _run_golds(item: TestItem, ground: _Ground) -> tuple[tuple[Gold, ...], tuple[Issue, ...]]:
    golds: list[Gold] = []
    issues: list[Issue] = []
    where = item.where or item.id
    for sql in item.golds:
        results = ran(sql, ground.run)
        if isinstance(results, QueryError):
            message = f"the gold SQL fails: {results.kind}: {first_line(results.message)}"
            issues.append(Issue(Level.ERROR, where, message, "correct its SQL"))
            continue
        gold = _gold(sql, results, ground)
        if not gold.ordered and any(result.truncated for result in results):
            message = f"the gold SQL gives more than {len(results[0].rows):,} rows in no order"
            issues.append(Issue(Level.ERROR, where, message, "ask for fewer, or in an order"))
            continue
        golds.append(gold)
        issues += _gold_warnings(where, results)
    return tuple(golds), tuple(issues)


def _gold(sql: str, results: tuple[Rows, ...], ground: _Ground) -> Gold:
    dialect = ground.dialect
    return Gold(
        sql,
        results,
        is_ordered(sql, dialect),
        sort_keys(sql, dialect),
        uncut(sql, dialect),
        _cost(sql, results[0], ground.house),
        _names(sql, ground),
    )


def _gold_warnings(where: str, results: Sequence[Rows]) -> list[Issue]:
    if any(result.truncated for result in results):
        message = f"the gold SQL gives more than {len(results[0].rows)} rows"
        return [Issue(Level.WARNING, where, message, "ask for less: it may not be comparable")]
    if not any(result.rows for result in results):
        message = "the gold SQL gives no rows on any instance, so other SQL may match by luck"
        return [Issue(Level.WARNING, where, message, "ask for something that is there")]
    return []


def _judge(
    item: TestItem, golds: Sequence[Gold], prediction: Prediction, ground: _Ground
) -> Outcome:
    read = _read(item.golds[0], ground) if item.golds else ()
    begun = Outcome(item, prediction, False, models=tuple(table.name for table in read))
    if prediction.status == "refused":
        if not item.answerable:
            return replace(begun, correct=True)
        return replace(begun, cause="refused", detail=prediction.reason)
    if not prediction.sql.strip():
        return replace(begun, cause="error", detail=prediction.reason or "no SQL")
    begun = replace(begun, parses=_parses(prediction.sql, ground.dialect))
    results = next(
        (gold.results for gold in golds if gold.sql == prediction.sql),  # it has run already
        None,
    ) or ran(prediction.sql, ground.run)
    if isinstance(results, QueryError):
        detail = f"{results.kind}: {first_line(results.message)}"
        binds = begun.parses and results.kind not in _UNBOUND
        return replace(begun, binds=binds, cause="error", detail=detail)
    looked = _looked_at(replace(begun, binds=True, executes=True), results[0], golds, ground)
    return _compared(looked, results, golds, ground) if golds else replace(looked, cause="answered")


def _looked_at(outcome: Outcome, ran: Rows, golds: Sequence[Gold], ground: _Ground) -> Outcome:
    """The outcome with what the statement itself shows: rules, style and cost."""
    sql, house, dialect = outcome.prediction.sql, ground.house, ground.dialect
    read = _read(sql, ground)
    broken = _broken(sql, ground)
    for gold in golds:  # who wrote the gold decides: what it leaves out may be left out
        broken -= _broken(gold.sql, ground)
    return replace(
        outcome,
        broken_rules=tuple(sorted(broken)),
        style=house_style(sql, house.style, read, dialect, outcome.models),
        cost=next((gold.cost for gold in golds if gold.sql == sql), None) or _cost(sql, ran, house),
        gold_cost=golds[0].cost if golds else None,
    )


@dataclass(frozen=True)
class _Heard:
    """Whether an answer agrees with a gold on each instance, and what ``told`` them apart."""

    equal: tuple[bool, ...]
    told: str = ""


def _compared(
    outcome: Outcome, results: Sequence[Rows], golds: Sequence[Gold], ground: _Ground
) -> Outcome:
    sql = outcome.prediction.sql
    heard: list[_Heard] = []
    for gold in golds:
        heard.append(_heard(gold, sql, results, ground))
        if not heard[-1].told:
            return replace(outcome, correct=True, equal=(True,) * len(results))
    nearest = max(heard, key=lambda each: sum(each.equal))
    return _wrong(replace(outcome, equal=nearest.equal), nearest.told, ground)


def _heard(gold: Gold, sql: str, results: Sequence[Rows], ground: _Ground) -> _Heard:
    """What the files say that may tell a statement from a gold (see ``verdicts``)."""
    found = verdicts(gold, results, ground.run)
    equal = tuple(verdict.equal for verdict in found)
    read = _names(sql, ground)
    if equal[0] and ground.rebuilding is not None and ground.rebuilding.decides(gold.tables, read):
        files = ground.rebuilding.files()
        decided = None if files is None else rebuilt(gold, sql, files)
        if decided is not None:
            return _Heard(equal, decided.reason)
    if not all(equal):
        apart = equal.index(False)
        place = "" if apart == 0 else f" (on instance {apart + 1})"
        return _Heard(equal, found[apart].reason + place)
    # The same rows of a copy are not drawn with other tables.
    if ground.few is None or sql == gold.sql or read - gold.tables:
        return _Heard(equal)
    return _Heard(equal, told_by_few(gold, sql, ground.few))


def _wrong(outcome: Outcome, detail: str, ground: _Ground) -> Outcome:
    cause = difference(outcome.item.golds, outcome.prediction.sql, ground.dialect)
    if outcome.broken_rules and cause == "wrong filter":
        cause = "broken rule"
    return replace(outcome, cause=cause, detail=detail)


def _read(sql: str, ground: _Ground) -> tuple[Table, ...]:
    """None where names cannot be resolved, as where two sources of a query are called alike."""
    try:
        return read_tables(sql, ground.house.tables, ground.dialect)
    except language.SqlError:
        return ()


def _names(sql: str, ground: _Ground) -> frozenset[str]:
    return frozenset(table.name for table in _read(sql, ground))


def _broken(sql: str, ground: _Ground) -> set[str]:
    names = [table.name for table in _read(sql, ground)]
    return broken_rules(sql, ground.house.rules, names, ground.dialect)


def _cost(sql: str, ran: Rows, house: House) -> Cost | None:
    return None if house.explain is None else cost_of(sql, ran, house.explain)


def _parses(sql: str, dialect: str) -> bool:
    try:
        parsed(sql, dialect)
    except language.SqlError:
        return False
    return True
