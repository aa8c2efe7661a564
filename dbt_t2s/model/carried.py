"""What a follow-up takes over from the plan before it, though none of its words names it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import date, timedelta

from dbt_t2s.project.schema import FiscalYear
from dbt_t2s.query import edits
from dbt_t2s.query.dates import date_spans
from dbt_t2s.query.linear import from_tokens
from dbt_t2s.query.link import Mention, places_of
from dbt_t2s.query.plan import Plan, Range
from dbt_t2s.query.text import Word

_MENTIONED = ("v:", "d:", "n:", "s:")
_THERE = 0.9  # quality of days read as of the period before
# Days that are told from today, whatever was asked before.
TOLD = re.compile(
    r"\b(?:last|this|previous|past|current|ago|yesterday|today|now|recent|\d{4}|['’]\d\d|to date|"
    r"ytd|mtd|qtd|fy\s?\d\d)\b",
    re.I,
)
_SHIFTS = (("year", -1), ("period", -1), ("period", 1))


def carried(
    question: str,
    spoken: tuple[Word, ...],
    before: Sequence[str],
    found: Sequence[Mention],
    today: date,
    fiscal: FiscalYear | None,
) -> list[Mention]:
    """The values, days and numbers of the plan ``before``, the question's days as of its period
    ("only March" after "in 2025"), and periods beside it; none of what is ``found``."""
    made = {m.token for m in found}
    brought: list[Mention] = []
    plan = from_tokens(before) if before else None
    if plan is None:
        return brought
    kept = (Mention(t, 0, -1, 0.0) for t in dict.fromkeys(before) if t[:2] in _MENTIONED)
    for each in (*_there(question, spoken, plan, today, fiscal), *kept, *_beside(plan)):
        if each.token not in made:
            made.add(each.token)
            brought.append(each)
    return brought


def anchor_of(days: Range | None, today: date) -> date | None:
    """The last day of a period, no later than today; None where it has none."""
    if days is None or not days.end:
        return None
    return min(date.fromisoformat(days.end), today + timedelta(days=1)) - timedelta(days=1)


def _there(
    question: str,
    spoken: tuple[Word, ...],
    plan: Plan,
    today: date,
    fiscal: FiscalYear | None,
) -> Iterator[Mention]:
    """Days that the question names, as of the end of the plan's period."""
    anchor = anchor_of(edits.period(plan), today)
    if anchor is None:
        return
    for span in date_spans(question, anchor, fiscal):
        places = places_of(spoken, span.start, span.end)
        if places and not TOLD.search(span.text):
            yield Mention(_token(span.range), places[0], places[-1], _THERE)


def _beside(plan: Plan) -> Iterator[Mention]:
    """The year before the plan's period, and the periods before and after it."""
    for unit, by in _SHIFTS:
        try:
            days = edits.period(edits.shifted(plan, unit, by))
        except (ValueError, OverflowError):  # before the year 1, after 9999
            continue
        if days is not None:
            yield Mention(_token(days), 0, -1, 0.0)


def _token(days: Range) -> str:
    return f"d:{days.start}/{days.end}"
