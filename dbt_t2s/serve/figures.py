"""Figures of what was asked: how much of it, how well and how fast, at once and over time."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from dbt_t2s.judge.share import Share, percentile
from dbt_t2s.serve.cases import Case

# A plot has room for about so many columns.
_MOST_DAYS, _MOST_WEEKS = 21, 26


@dataclass(frozen=True)
class Times:
    """Milliseconds of half and of 95% of the answers at most; None of no answer."""

    median: float | None
    p95: float | None


@dataclass(frozen=True)
class Figures:
    """Counts of questions; ``right`` is of those of which people said something.

    ``refused_rightly`` is of the refusals of which they did. ``latency`` is of all questions,
    ``execution`` of those that ran SQL.
    """

    asked: int
    answered: int
    refused: int
    failed: int
    right: Share
    refused_rightly: Share
    corrected: int
    latency: Times
    execution: Times


@dataclass(frozen=True)
class Period:
    """A day, a week (from Monday) or a month, by its first day; ``models`` answered in it."""

    start: date
    figures: Figures
    models: tuple[str, ...]


@dataclass(frozen=True)
class Version:
    """One version of the model in use; ``by_type`` are shares of right answers as people say.

    ``validated`` is what its last validation found: (test set, right answers); empty where that is
    not kept.
    """

    model: str
    first: date
    last: date
    figures: Figures
    by_type: tuple[tuple[str, Share], ...]
    validated: tuple[tuple[str, Share], ...] = ()


def figures_of(cases: Sequence[Case]) -> Figures:
    """The figures of these questions."""
    status = [case.asked.status for case in cases]
    ran = [case.asked.execution_ms for case in cases if case.asked.execution_ms > 0]
    refused = [case for case in cases if case.asked.status == "refused"]
    return Figures(
        asked=len(cases),
        answered=status.count("ok"),
        refused=len(refused),
        failed=status.count("error"),
        right=share_right(cases),
        refused_rightly=share_right(refused),
        corrected=sum(bool(case.correction) for case in cases),
        latency=_times([case.asked.latency_ms for case in cases]),
        execution=_times(ran),
    )


def share_right(cases: Iterable[Case]) -> Share:
    """How many of those of which people said something they called right."""
    verdicts = [case.right for case in cases if case.right is not None]
    return Share(sum(verdicts), len(verdicts))


def shares_by(cases: Iterable[Case], type_of: Mapping[str, str]) -> tuple[tuple[str, Share], ...]:
    """The same for each query type; ``type_of`` has that of each question by its id."""
    groups: dict[str, list[Case]] = {}
    for case in cases:
        if case.right is not None and case.asked.id in type_of:
            groups.setdefault(type_of[case.asked.id], []).append(case)
    return tuple((name, share_right(groups[name])) for name in sorted(groups))


def periods(cases: Sequence[Case]) -> tuple[Period, ...]:
    """The questions, which are in the order of time, by day, week or month; empty ones too."""
    if not cases:
        return ()
    grain = grain_of(cases[0].day, cases[-1].day)
    groups: dict[date, list[Case]] = {}
    for case in cases:
        groups.setdefault(begin(case.day, grain), []).append(case)
    found, start = [], min(groups)
    while start <= max(groups):
        held = groups.get(start, [])
        models = tuple(dict.fromkeys(case.asked.model for case in held))
        found.append(Period(start, figures_of(held), models))
        start = begin(start + timedelta(days=_STEP[grain]), grain)
    return tuple(found)


def versions(
    cases: Sequence[Case],
    type_of: Mapping[str, str],
    validated: Mapping[str, tuple[tuple[str, Share], ...]],
) -> tuple[Version, ...]:
    """The versions of the model that answered, the first one first."""
    groups: dict[str, list[Case]] = {}
    for case in cases:
        groups.setdefault(case.asked.model, []).append(case)
    return tuple(
        Version(
            model,
            held[0].day,
            held[-1].day,
            figures_of(held),
            shares_by(held, type_of),
            validated.get(model, ()),
        )
        for model, held in groups.items()
    )


# Days after which the next period has surely begun, and has not ended.
_STEP = {"day": 1, "week": 7, "month": 31}


def grain_of(first: date, last: date) -> str:
    """day, week or month: into what such a span is cut."""
    days = (last - first).days + 1
    if days <= _MOST_DAYS:
        return "day"
    # The first week begins on a Monday, however late in it the first day is.
    weeks = (last - begin(first, "week")).days // 7 + 1
    return "week" if weeks <= _MOST_WEEKS else "month"


def begin(day: date, grain: str) -> date:
    """The first day of the period that ``day`` lies in."""
    if grain == "month":
        return day.replace(day=1)
    return day - timedelta(days=day.weekday() if grain == "week" else 0)


def _times(values: Sequence[float]) -> Times:
    return Times(percentile(values, 0.5), percentile(values, 0.95))
