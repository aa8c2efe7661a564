"""What a report on the use of a model says: the figures, what is missing, and what has drifted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields, is_dataclass
from datetime import date
from typing import Any

from dbt_t2s.judge.anatomy import REFUSAL
from dbt_t2s.judge.share import Share
from dbt_t2s.serve.cases import Case, Window, corrections
from dbt_t2s.serve.drift import Drift, Reference, drift
from dbt_t2s.serve.figures import (
    Figures,
    Period,
    Version,
    figures_of,
    grain_of,
    periods,
    shares_by,
    versions,
)
from dbt_t2s.serve.readings import Read
from dbt_t2s.serve.unanswered import Unanswered, unanswered

VERSION = 1
# Corrections that are shown, the last ones.
CORRECTIONS = 50
Validated = Mapping[str, tuple[tuple[str, Share], ...]]


@dataclass(frozen=True)
class Correction:
    """A question with the SQL that was given and the one that a person put in its place."""

    day: date
    question: str
    given: str
    right: str
    note: str
    person: str
    model: str


@dataclass(frozen=True)
class Usage:
    """A report on the questions of one window.

    ``by_type`` are shares of right answers as people say; ``unread`` counts questions whose SQL was
    not looked at, for there was too much. ``drift`` is None where no corpus is there to
    compare with, and ``no_drift`` says why.
    """

    project: str
    source: str
    window: Window
    first: date
    last: date
    grain: str
    figures: Figures
    by_type: tuple[tuple[str, Share], ...]
    over_time: tuple[Period, ...]
    versions: tuple[Version, ...]
    unanswered: Unanswered
    corrections: tuple[Correction, ...]
    drift: Drift | None
    no_drift: str = ""
    unread: int = 0


def usage(
    cases: Sequence[Case],
    window: Window,
    read: Mapping[str, Read],
    reference: Reference | str,
    validated: Validated,
    *,
    project: str = "",
    source: str = "",
) -> Usage:
    """The report; ``window`` has to hold some of the cases, which are in the order of time.

    ``read`` are statements by their SQL; ``reference`` is the corpus, or why there is none;
    ``validated`` has what the last validation of each version of the model found.
    """
    held = [case for case in cases if window.holds(case)]
    types = {case.asked.id: kind for case in held if (kind := _type(case, read))}
    return Usage(
        project=project,
        source=source,
        window=window,
        first=held[0].day,
        last=held[-1].day,
        grain=grain_of(held[0].day, held[-1].day),
        figures=figures_of(held),
        by_type=shares_by(held, types),
        over_time=periods(held),
        versions=versions(held, types, validated),
        unanswered=unanswered(held, cases),
        corrections=tuple(_correction(case) for case in corrections(held)[:CORRECTIONS]),
        drift=None if isinstance(reference, str) else drift(held, read, reference),
        no_drift=reference if isinstance(reference, str) else "",
        unread=sum(bool(case.meant) and case.meant not in read for case in held),
    )


def _type(case: Case, read: Mapping[str, Read]) -> str:
    """The query type of what was meant; that of a question without an answer is a refusal."""
    if not case.meant:
        return REFUSAL if case.asked.status == "refused" else "failed"
    return read[case.meant].type if case.meant in read else ""


def _correction(case: Case) -> Correction:
    said, asked = case.said, case.asked
    assert said is not None
    return Correction(
        case.day, asked.question, asked.sql_text, said.corrected_sql, said.note, said.person,
        asked.model,
    )  # fmt: skip


def to_json(found: Usage) -> dict[str, Any]:
    """The report as JSON: days as ISO text, shares with their 95% interval, times in ms."""
    plain = _plain(found)
    assert isinstance(plain, dict)
    return {"version": VERSION, **plain}


def _plain(value: object) -> Any:
    if isinstance(value, Share):
        interval = value.interval
        return {
            **asdict(value),
            "value": value.value,
            "interval": None if interval is None else list(interval),
        }
    if is_dataclass(value) and not isinstance(value, type):
        return {each.name: _field(value, each.name) for each in fields(value)}
    if isinstance(value, tuple):
        return [_plain(each) for each in value]
    return value.isoformat() if isinstance(value, date) else value


def _field(value: Any, name: str) -> Any:
    found = getattr(value, name)
    if name in ("by_type", "validated"):
        return {kind: _plain(share) for kind, share in found}
    return _plain(found)
