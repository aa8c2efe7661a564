"""What became of each test question: the values that judging makes and reports are made from."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from dbt_t2s.judge.share import Share, percentile
from dbt_t2s.judge.suite import TestItem
from dbt_t2s.project.schema import Issue


@dataclass(frozen=True)
class Prediction:
    """A model's answer to one question; ``status`` is ok, refused or error.

    ``latency_ms`` is None where it was answered together with others.
    """

    status: str
    sql: str
    confidence: float = 0.0
    latency_ms: float | None = None
    reason: str = ""


@dataclass(frozen=True)
class Cost:
    """What a statement costs on the first instance.

    ``rows`` are those that the plan's operators together are expected to give (DuckDB's own
    estimate), ``ms`` is the time it took.
    """

    rows: int
    ms: float


@dataclass(frozen=True)
class Outcome:
    """What became of one question.

    ``correct`` is the right answer on every instance, or a refusal where there is no answer.
    ``equal`` has one truth value per instance, for the gold that the answer is nearest to; it is
    empty where nothing could be compared. ``cause`` is empty when correct; else wrong table,
    join, column, filter, filter value, aggregate, grouping or order, broken rule, other, refused,
    answered (there was no answer), or error; ``detail`` says more. ``broken_rules`` and ``style``
    also say what a correct answer does badly. ``models`` are the tables of the gold, by name.
    """

    item: TestItem
    prediction: Prediction
    correct: bool
    parses: bool = False
    binds: bool = False
    executes: bool = False
    equal: tuple[bool, ...] = ()
    cause: str = ""
    detail: str = ""
    broken_rules: tuple[str, ...] = ()
    style: tuple[str, ...] = ()
    cost: Cost | None = None
    gold_cost: Cost | None = None
    models: tuple[str, ...] = ()

    @property
    def told_apart(self) -> int:
        """The number (from 1) of the first instance that tells the answer from the gold, or 0."""
        return next((number for number, same in enumerate(self.equal, 1) if not same), 0)


@dataclass(frozen=True)
class SuiteReport:
    """All outcomes of one test set, and issues of the set itself.

    ``partial`` says why not all of its questions were judged; it is empty when all were.
    """

    name: str
    outcomes: tuple[Outcome, ...]
    issues: tuple[Issue, ...] = ()
    instances: int = 1
    partial: str = ""

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
        return percentile(latencies(self.outcomes), share)


def latencies(outcomes: Iterable[Outcome]) -> list[float]:
    """How long the answers took of which that is known."""
    times = (each.prediction.latency_ms for each in outcomes)
    return [time for time in times if time is not None]


def share_of(outcomes: Sequence[Outcome]) -> Share:
    """How many of the outcomes are correct."""
    return Share(sum(each.correct for each in outcomes), len(outcomes))


def refused(outcomes: Iterable[Outcome]) -> int:
    """How many of the questions were refused."""
    return sum(each.prediction.status == "refused" for each in outcomes)


def shares_by_type(outcomes: Iterable[Outcome]) -> tuple[tuple[str, Share], ...]:
    """The share of correct answers per query type, in the types' alphabetical order."""
    return _shares((each.item.type, each) for each in outcomes)


def shares_by_phase(outcomes: Iterable[Outcome]) -> tuple[tuple[str, Share], ...]:
    """The share of correct answers per phase of the curriculum, where questions have one."""
    return _shares((str(each.item.phase), each) for each in outcomes if each.item.phase)


def shares_by_model(outcomes: Iterable[Outcome]) -> tuple[tuple[str, Share], ...]:
    """The share of correct answers per dbt node that the gold reads."""
    return _shares((model, each) for each in outcomes for model in each.models)


def shares_by_metric(outcomes: Iterable[Outcome]) -> tuple[tuple[str, Share], ...]:
    """The share of correct answers per metric that the question is known to ask for."""
    return _shares((metric, each) for each in outcomes for metric in each.item.metrics)


def by_cause(outcomes: Iterable[Outcome]) -> tuple[tuple[str, tuple[Outcome, ...]], ...]:
    """The wrong answers grouped by what is wrong with them, the most frequent first."""
    groups = _grouped((each.cause, each) for each in outcomes if not each.correct)
    ordered = sorted(groups.items(), key=lambda pair: (-len(pair[1]), pair[0]))
    return tuple((cause, tuple(found)) for cause, found in ordered)


def _shares(pairs: Iterable[tuple[str, Outcome]]) -> tuple[tuple[str, Share], ...]:
    groups = _grouped(pairs)
    return tuple((name, share_of(groups[name])) for name in sorted(groups))


def _grouped(pairs: Iterable[tuple[str, Outcome]]) -> dict[str, list[Outcome]]:
    groups: dict[str, list[Outcome]] = {}
    for name, outcome in pairs:
        groups.setdefault(name, []).append(outcome)
    return groups
