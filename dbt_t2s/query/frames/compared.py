"""The two times that a question compares: "from 2024 to 2025", "than in May last year"."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, timedelta

from dateutil.relativedelta import relativedelta

from dbt_t2s.project.schema import FiscalYear
from dbt_t2s.query.period import Days, Period
from dbt_t2s.query.periods import periods_in
from dbt_t2s.query.plan import Range

LINKED = r"(?:compared\s+(?:to|with)|over|than|vs\.?|versus|against|on)\s+(?:in\s+|that\s+of\s+)?"
_SAME_TIME = r"same\s+(?:period|months?|quarters?|weeks?|time|days?|half)\s+"
_SAME = rf"(?:the\s+)?(?:{_SAME_TIME})?(?:(?:of|in)\s+)?"


def _before(unit: str, short: str) -> re.Pattern[str]:
    """What compares with the ``unit`` before, or with the same period of it."""
    letters = "|".join(short.split())
    return re.compile(
        rf"\b(?:{unit}[\s-]+(?:over|on)[\s-]+{unit}|{letters})\b|"
        rf"\b{LINKED}{_SAME}(?:the\s+{unit}\s+before|(?:the\s+)?(?:previous|prior|preceding)\s+{unit}|"
        rf"an?\s+{unit}\s+(?:before|earlier|ago))\b|"
        rf"\b{LINKED}(?:the\s+)?{_SAME_TIME}(?:(?:of|in)\s+)?last\s+{unit}\b",
        re.IGNORECASE,
    )


YEAR_BEFORE = _before("year", "yoy y/y y-o-y")
STEPS = (
    (YEAR_BEFORE, relativedelta(years=1), 366),
    (_before("quarter", "qoq q/q q-o-q"), relativedelta(months=3), 92),
    (_before("month", "mom m/m m-o-m"), relativedelta(months=1), 31),
    (_before("week", "wow w/w w-o-w"), relativedelta(weeks=1), 7),
)
# The time is open at one end: no single one is compared.
_OPEN = re.compile(r"\b(?:since|until|till|before|after|from|by)\s*$", re.IGNORECASE)


@dataclass(frozen=True)
class Compared:
    """The ``periods`` that a text names and the two times that it compares, None where it does not
    compare two; ``both`` says that both are named."""

    periods: tuple[Period, ...]
    earlier: Days | None = None
    later: Days | None = None
    both: bool = False


def compared(text: str, today: date, fiscal: FiscalYear | None) -> Compared:
    """The times that ``text`` compares."""
    for said, step, most in STEPS:
        if found := said.search(text):
            alone = said.sub(lambda each: " " * len(each[0]), text)
            periods = tuple(periods_in(alone, today, fiscal))
            if len(periods) != 1 or _is_open(periods[0]) or _OPEN.search(text[: periods[0].start]):
                return Compared(periods)
            first, after = periods[0].first, periods[0].after
            if (after - first).days > most:
                return Compared(periods)
            if re.search(r"\bsame\s+(?:period|time|days)\b", found[0], re.IGNORECASE):
                after = min(after, max(today + timedelta(days=1), first + timedelta(days=1)))
            return Compared(periods, (first - step, after - step), (first, after))
    periods = tuple(periods_in(text, today, fiscal))
    spans = sorted((period.first, period.after) for period in periods)
    apart = len(spans) == 2 and not any(map(_is_open, periods)) and spans[0][1] <= spans[1][0]
    return Compared(periods, spans[0], spans[1], both=True) if apart else Compared(periods)


def range_of(days: Days) -> Range:
    return Range(days[0].isoformat(), days[1].isoformat())


def without_times(text: str, periods: tuple[Period, ...], held: str = "") -> str:
    """``text`` without the times that it names and compares, ``held`` in the place of each."""
    for period in sorted(periods, key=lambda each: -each.start):
        text = text[: period.start] + held + text[period.end :]
    for said, _, _ in STEPS:
        text = said.sub(" ", text)
    return text


def _is_open(period: Period) -> bool:
    return period.unread or period.needs_edge or bool(period.edge)
