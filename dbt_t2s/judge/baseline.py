"""What the last model answered, and which questions the new one gets better or worse."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from dbt_t2s.judge.outcomes import Outcome, SuiteReport
from dbt_t2s.judge.share import Share
from dbt_t2s.judge.suite import normal


@dataclass(frozen=True)
class Before:
    """What became of one question with the last model."""

    suite: str
    question: str
    correct: bool
    sql: str = ""
    cause: str = ""
    latency_ms: float | None = None


@dataclass(frozen=True)
class Baseline:
    """The last model's outcomes; ``created_at`` is when they were judged (ISO)."""

    model: str
    created_at: str
    answers: tuple[Before, ...]


@dataclass(frozen=True)
class Change:
    """A question that one of two models answers right and the other wrong."""

    suite: str
    before: Before
    now: Outcome


@dataclass(frozen=True)
class Comparison:
    """Two models on the questions that both were asked."""

    before: Share
    now: Share
    regressions: tuple[Change, ...]
    gains: tuple[Change, ...]


def baseline_of(suites: Iterable[SuiteReport], model: str, created_at: str) -> Baseline:
    """These outcomes, kept for the next model to be compared with."""
    answers = (
        Before(
            suite.name,
            each.item.question,
            each.correct,
            each.prediction.sql,
            each.cause,
            each.prediction.latency_ms,
        )
        for suite in suites
        for each in suite.outcomes
    )
    return Baseline(model, created_at, tuple(answers))


def compared(baseline: Baseline, suites: Iterable[SuiteReport]) -> Comparison:
    """The new outcomes beside the old, question by question of each test set.

    Questions are the same that differ in case, spacing and punctuation alone.
    """
    known = {(each.suite, normal(each.question)): each for each in baseline.answers}
    pairs = list(_pairs(known, suites))
    changes = [change for change in pairs if change.before.correct != change.now.correct]
    return Comparison(
        Share(sum(each.before.correct for each in pairs), len(pairs)),
        Share(sum(each.now.correct for each in pairs), len(pairs)),
        tuple(each for each in changes if each.before.correct),
        tuple(each for each in changes if each.now.correct),
    )


def _pairs(
    known: Mapping[tuple[str, str], Before], suites: Iterable[SuiteReport]
) -> Iterable[Change]:
    for suite in suites:
        for outcome in suite.outcomes:
            before = known.get((suite.name, normal(outcome.item.question)))
            if before is not None:
                yield Change(suite.name, before, outcome)
