"""Periods told from today: "last month", "past 90 days", "two years ago", "year to date"."""

from __future__ import annotations

import re
from datetime import date, timedelta

from dbt_t2s.query.calendar import (
    A_UNIT,
    COUNT,
    UNIT,
    WEEKDAY,
    YEAR,
    count_of,
    full_year,
    shift,
    unit_start,
)
from dbt_t2s.query.period import Days, Left, Phrase, Reading, phrase, unread_phrase

MOST = 5000
_LETTERS = {"ytd": "year", "mtd": "month", "qtd": "quarter", "wtd": "week"}


def rolling(unit: str, count: int, today: date) -> Days:
    """So long before today, and today."""
    return shift(today, unit, -count), today + timedelta(days=1)


def whole(unit: str, count: int, today: date) -> Days:
    """So many units before the one that today is in."""
    here = unit_start(unit, today)
    return shift(here, unit, -count), here


def _rolling(found: re.Match[str], today: date) -> Reading:
    count, unit = count_of(found["count"]), found["unit"].lower()
    if not 0 < count <= MOST:
        return None
    return whole(unit, count, today) if found["full"] else rolling(unit, count, today)


def _ahead(found: re.Match[str], today: date) -> Reading:
    count, unit = count_of(found["count"]), found["unit"].lower()
    if not 0 < count <= MOST:
        return None
    return today, shift(today, unit, count) + timedelta(days=1)


def _twelve_months(found: re.Match[str], today: date) -> Reading:
    return rolling("month", 12, today)


def _relative(found: re.Match[str], today: date) -> Reading:
    unit = found["unit"].lower()
    way = found["way"].lower()
    here = unit_start(unit, today)
    if way in ("this", "current"):
        return here, shift(here, unit, 1)
    if way in ("next", "coming", "upcoming"):
        return shift(here, unit, 1), shift(here, unit, 2)
    steps = 2 if "before" in way else 1
    return shift(here, unit, -steps), shift(here, unit, 1 - steps)


def _year_before(found: re.Match[str], today: date) -> Reading:
    """``this month last year``."""
    unit = found["unit"].lower()
    if unit == "week":
        return Left.UNREAD  # the same days, or the week of the same number?
    day = shift(today, "year", -1)
    first = unit_start(unit, day)
    return first, shift(first, unit, 1)


def _to_date(found: re.Match[str], today: date) -> Reading:
    text = found.group().lower()
    unit = next(u for u in ("year", "month", "quarter", "week", *_LETTERS) if u in text)
    unit = _LETTERS.get(unit, unit)
    year = found.groupdict().get("year")
    if year and full_year(year, today) != today.year:
        return Left.UNREAD  # up to the same day of that year, or all of it?
    return unit_start(unit, today), today + timedelta(days=1)


def _to_date_before(found: re.Match[str], today: date) -> Reading:
    """``last year to date``: up to the same day a year ago."""
    return unit_start("year", shift(today, "year", -1)), shift(today, "year", -1) + timedelta(
        days=1
    )


def _ago(found: re.Match[str], today: date) -> Reading:
    """``two years ago`` is that year, ``a month ago`` that month; with "today" that day."""
    if found["than"] or found["half"]:
        return Left.UNREAD  # "more than a year ago" is a span, and not that year
    text = found["count"].lower()
    count, unit = 1 if text in ("a", "an") else count_of(text), found["unit"].lower()
    if not 0 < count <= MOST:
        return Left.UNREAD
    if found["on"]:
        day = shift(today, unit, -count)
        return (day, day + timedelta(days=1)) if found["on"].lower() == "today" else Left.UNREAD
    first = shift(unit_start(unit, today), unit, -count)
    return first, shift(first, unit, 1)


def _whole_unit(found: re.Match[str], today: date) -> Reading:
    """``the year`` after "since the start of"."""
    unit = found["unit"].lower()
    here = unit_start(unit, today)
    return here, shift(here, unit, 1)


_FULL = r"(?:(?P<full>full|whole|complete|completed|calendar)[\s-]+)?"
_BEFORE = r"(?:last|previous|prior|past)"
_AGAINST = r"(?:and|&|or|vs\.?|versus|against|to|compared\s+(?:to|with))"

# Before the days: "a year ago today" is no "today".
AGO: tuple[Phrase, ...] = (
    phrase(
        r"\b(?P<than>(?:(?:more|less|longer|later|earlier|fewer)\s+than|over|under|at\s+(?:least|most)|"
        r"within|up\s+to|about|around|almost|nearly|roughly)\s+)?(?P<half>half\s+)?(?<![\d.,/])"
        rf"\b(?P<count>an?|{COUNT})\s+{UNIT}\s+ago\b(?:\s+(?:on\s+)?(?P<on>today|{WEEKDAY})\b)?",
        _ago,
        needs=("ago",),
    ),
)
RELATIVE: tuple[Phrase, ...] = (
    phrase(
        r"\b(?:past|last|previous|prior|trailing|preceding|rolling|recent|latest)\s+"
        rf"(?P<count>{COUNT})[\s-]+{_FULL}{UNIT}\b",
        _rolling,
        "rolling",
        needs=A_UNIT,
    ),
    phrase(r"\b(?:ttm|ltm|rolling[\s-]+year)\b", _twelve_months, needs=("ttm", "ltm", "rolling")),
    phrase(
        rf"\b(?:next|coming|following)\s+(?P<count>{COUNT})[\s-]+{UNIT}\b", _ahead, needs=A_UNIT
    ),
    phrase(
        rf"\b(?:this|current)\s+{UNIT}\s+(?:of\s+)?(?:the\s+)?{_BEFORE}\s+year\b",
        _year_before,
        needs=A_UNIT,
    ),
    phrase(
        r"\b(?:pytd|(?:last|previous|prior)\s+(?:year[\s-]+to[\s-]+date|ytd)|"
        r"(?:last|previous|prior)\s+year(?:['’]s)?\s+ytd|ytd\s+(?:of\s+)?(?:last|previous|prior)\s+year)\b",
        _to_date_before,
        needs=("ytd", "date"),
    ),
    unread_phrase(
        r"\b(?:last|previous|prior)\s+(?:month|quarter|week)[\s-]+to[\s-]+date\b", needs=A_UNIT
    ),
    phrase(
        rf"\b(?:(?P<year>{YEAR})\s+(?:ytd|year[\s-]+to[\s-]+date)|(?:ytd|year[\s-]+to[\s-]+date))\b",
        _to_date,
        needs=("td", "date"),
    ),
    phrase(
        r"\b(?:mtd|qtd|wtd|(?:month|quarter|week)[\s-]+to[\s-]+date)\b",
        _to_date,
        needs=("td", "date"),
    ),
    phrase(
        rf"\b(?P<way>this|current|last|previous)(?=\s+{_AGAINST}\s+(?:the\s+)?"
        rf"(?:last|this|previous|prior|current)\s+{UNIT}\b)",
        _relative,
        needs=A_UNIT,
    ),
    phrase(
        r"\b(?P<way>this|current|last|previous|prior|next|past|coming|upcoming)\s+"
        rf"(?:(?:calendar|full|whole|entire|complete|completed)\s+)?{UNIT}\b(?:\s+so\s+far)?",
        _relative,
        "told",
        needs=A_UNIT,
    ),
    phrase(
        r"\b(?P<unit>week|month|quarter|year)\s+(?P<way>before\s+last)\b", _relative, needs=A_UNIT
    ),
    phrase(
        r"\b(?:the\s+)?(?P<unit>year|month|quarter|week)\s+so\s+far\b",
        _whole_unit,
        needs=("so far",),
    ),
    phrase(
        r"(?<=\bof )(?:the|this)\s+(?P<unit>year|month|quarter|week)\b"
        rf"(?!\s+(?:of\b|to\b|before\b|after\b|{YEAR}))",
        _whole_unit,
        "unit",
        needs=A_UNIT,
    ),
)
