"""Fiscal years that a text names: "FY24", "Q1 of fiscal 2024", "last fiscal year".

Where nobody says when a project's fiscal year begins, they are left unread: they are not the
calendar's.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, timedelta
from functools import lru_cache

from dateutil.relativedelta import relativedelta

from dbt_t2s.project.schema import FiscalYear, ProjectSchema
from dbt_t2s.query.calendar import (
    COUNT,
    NAMED_MONTH,
    YEAR,
    count_of,
    full_year,
    year_of,
)
from dbt_t2s.query.period import Days, Left, Phrase, Reading, phrase, unread_phrase
from dbt_t2s.query.text import name_words

# What is fiscal, or as good as: a budget year begins when it likes.
_SAID = re.compile(
    r"\bfy(?:td)?(?:\b|(?=['’]?\d|q\d))|\bf[qh][1-4]\b|\b(?:fiscal|financial\s+year)", re.I
)
FISCAL = "fiscal"  # how the kinds of these periods begin
_NEEDS = ("fy", "fiscal", "financial", "fq", "fh")
_PARTS = {"quarter": 3, "half": 6, "year": 12}
_NTH = {"first": 1, "1st": 1, "second": 2, "2nd": 2, "third": 3, "3rd": 3, "fourth": 4, "4th": 4}


def first_day(fiscal: FiscalYear, year: int) -> date:
    """The day on which fiscal ``year`` begins."""
    began = fiscal.named == "start" or fiscal.month == 1
    return date(year if began else year - 1, fiscal.month, 1)


def fiscal_year_of(fiscal: FiscalYear, day: date) -> int:
    """The fiscal year that a day is in."""
    return next(y for y in (day.year + 1, day.year, day.year - 1) if first_day(fiscal, y) <= day)


def part(fiscal: FiscalYear, year: int, unit: str, number: int) -> Days:
    """The ``number``-th quarter or half of a fiscal year."""
    months = _PARTS[unit]
    first = first_day(fiscal, year) + relativedelta(months=months * (number - 1))
    return first, first + relativedelta(months=months)


def is_undated(text: str, schema: ProjectSchema) -> bool:
    """Whether a text names a fiscal year or a part of one, and nothing in the schema says which."""
    said = any(each.pattern.search(text) for each in fiscal_phrases(None))
    return said and schema.fiscal_year is None and not _has_fiscal_columns(schema)


def _has_fiscal_columns(schema: ProjectSchema) -> bool:
    names = (column.name for table in schema.tables for column in table.columns)
    return any({"fiscal", "fy", "financial"} & set(name_words(name)) for name in names)


class _Reader:
    """Reads matches of the patterns below for one fiscal year."""

    def __init__(self, fiscal: FiscalYear) -> None:
        self._fiscal = fiscal

    def year(self, found: re.Match[str], today: date) -> Reading:
        year = self._year(found, today)
        return part(self._fiscal, year, "year", 1) if year else Left.UNREAD

    def part(self, found: re.Match[str], today: date) -> Reading:
        """Without a year the latest such part that has begun."""
        groups = found.groupdict()
        unit = "half" if groups.get("half") or groups.get("nth_half") else "quarter"
        number = self._number(groups)
        last = int(groups["last"]) if groups.get("last") else number
        if not number or not number <= last <= 12 // _PARTS[unit]:
            return Left.UNREAD
        if (groups.get("joint") or "").lower() in ("and", "&", "/") and last != number + 1:
            return Left.UNREAD
        told = groups.get("year") or groups.get("way")
        year = self._year(found, today) if told else self._latest(unit, number, today)
        if not year:
            return Left.UNREAD
        return part(self._fiscal, year, unit, number)[0], part(self._fiscal, year, unit, last)[1]

    def told(self, found: re.Match[str], today: date) -> Reading:
        """``last fiscal quarter``."""
        unit = found["unit"].lower()
        steps = year_of(found["way"], today) - today.year
        if "before" in found.group().lower():
            steps = -2
        first = self._current(unit, today) + relativedelta(months=_PARTS[unit] * steps)
        return first, first + relativedelta(months=_PARTS[unit])

    def several(self, found: re.Match[str], today: date) -> Reading:
        """``the last 2 fiscal years``: those that are over."""
        unit, count = found["unit"].lower(), count_of(found["count"])
        here = self._current(unit, today)
        months = _PARTS[unit] * count
        return (here - relativedelta(months=months), here) if 0 < months <= 1200 else Left.UNREAD

    def to_date(self, found: re.Match[str], today: date) -> Reading:
        return self._current("year", today), today + timedelta(days=1)

    def this_year(self, found: re.Match[str], today: date) -> Reading:
        return part(self._fiscal, fiscal_year_of(self._fiscal, today), "year", 1)

    def _latest(self, unit: str, number: int, today: date) -> int:
        year = fiscal_year_of(self._fiscal, today)
        return year if part(self._fiscal, year, unit, number)[0] <= today else year - 1

    def _current(self, unit: str, today: date) -> date:
        year = fiscal_year_of(self._fiscal, today)
        numbers = range(12 // _PARTS[unit], 0, -1)
        begun = (part(self._fiscal, year, unit, number)[0] for number in numbers)
        return next(first for first in begun if first <= today)

    @staticmethod
    def _number(groups: dict[str, str | None]) -> int:
        for each in ("quarter", "half"):
            if groups.get(each):
                return int(groups[each] or 0)
        return _NTH.get((groups.get("nth") or groups.get("nth_half") or "").lower(), 0)

    def _year(self, found: re.Match[str], today: date) -> int | None:
        """The fiscal year that is named; FY2023/24 begins in 2023."""
        groups = found.groupdict()
        if way := groups.get("way"):
            return fiscal_year_of(self._fiscal, today) + year_of(way, today) - today.year
        year = full_year(groups["year"] or "", today)
        split = groups.get("split")
        if not split:
            return year
        if int(split[-2:]) != (year + 1) % 100 or self._fiscal.month == 1:
            return None
        return year if self._fiscal.named == "start" else year + 1


_F = r"(?:fy|fiscal(?:\s+years?)?|financial\s+years?)"
_ONE = r"(?:fy|fiscal(?:\s+year)?|financial\s+year)"
_SPLIT = r"(?:/(?P<split>(?:20)?\d\d)(?!\d))?"
_NAMED = rf"{_F}[\s-]*(?:of\s+|in\s+)?(?P<year>{YEAR}|['’]?\d\d(?!\d)){_SPLIT}"
_LONG_SPLIT = rf"{_F}\s*(?P<year>{YEAR})-(?P<split>\d\d)(?!\d)"
_WAY = r"(?P<way>last|this|current|next|previous|prior|past)"
_ANY_WAY = (
    r"(?P<way>last|this|current|next|previous|prior|past|the)\s+"
    r"(?:fy|(?:fiscal|financial)\s+year)(?:['’]s)?"
)
_Q = r"q(?P<quarter>[1-4])"
_H = r"h(?P<half>[12])"
_NTH_PART = (
    r"(?:the\s+)?(?:(?P<nth>first|second|third|fourth|1st|2nd|3rd|4th)\s+quarter|"
    r"(?P<nth_half>first|second|1st|2nd)\s+half)"
)
_TO = r"\s*(?P<joint>-|–|/|&|to|through|thru|and)\s*"
_OF = r"[\s,-]*(?:(?:of|in)\s+)?(?:the\s+)?"
_YEARS = rf"(?:{_NAMED}|{_ANY_WAY})"


@lru_cache(maxsize=8)
def fiscal_phrases(fiscal: FiscalYear | None) -> tuple[Phrase, ...]:
    """The patterns of fiscal years, read where it is known when they begin."""
    reader = _Reader(fiscal) if fiscal else None

    def known(
        pattern: str, read: Callable[[_Reader, re.Match[str], date], Reading], kind: str = ""
    ) -> Phrase:
        if reader is None:
            return phrase(pattern, lambda found, today: Left.UNREAD, kind, _NEEDS)
        return phrase(pattern, lambda found, today: read(reader, found, today), kind, _NEEDS)

    year, of_year = f"{FISCAL} year", f"{FISCAL} part"
    return (
        unread_phrase(rf"\b{_F}\s*['’]?\d\d[-–]\d\d(?!\d)", _NEEDS),  # FY23-24: one year, or two?
        unread_phrase(rf"\b{NAMED_MONTH}\s+(?:of\s+)?{_NAMED}", _NEEDS),
        unread_phrase(
            rf"\b{_F}\s+(?:that\s+)?(?:end(?:ed|s|ing)|start(?:ed|s|ing))\s+(?:in\s+)?{YEAR}",
            _NEEDS,
        ),
        known(rf"\b{_Q}{_TO}q(?P<last>[1-4]){_OF}{_YEARS}", _Reader.part),
        known(rf"\b{_NAMED}[\s,-]*{_Q}{_TO}q(?P<last>[1-4])\b", _Reader.part),
        known(rf"\b{_Q}{_OF}{_YEARS}", _Reader.part, of_year),
        known(rf"\b{_H}{_OF}{_YEARS}", _Reader.part, of_year),
        known(rf"\b{_NTH_PART}{_OF}{_YEARS}", _Reader.part, of_year),
        known(rf"\b{_NAMED}(?:['’]s)?[\s,-]*(?:{_Q}|{_H}|{_NTH_PART})\b", _Reader.part, of_year),
        known(rf"\b{_ANY_WAY}\s+(?:{_Q}|{_H}|{_NTH_PART})\b", _Reader.part, of_year),
        known(
            rf"\b(?:f|fiscal\s+)(?:{_Q}|{_H})\b(?:{_OF}(?:fy\s*)?(?P<year>{YEAR}|['’]\d\d))?",
            _Reader.part,
            of_year,
        ),
        known(
            r"\b(?P<nth>first|second|third|fourth|1st|2nd|3rd|4th)\s+fiscal\s+quarter\b"
            rf"(?:{_OF}(?:fy\s*)?(?P<year>{YEAR}|['’]\d\d))?",
            _Reader.part,
            of_year,
        ),
        known(
            rf"\bfiscal\s+quarter\s+(?P<quarter>[1-4])\b(?:{_OF}(?P<year>{YEAR}))?",
            _Reader.part,
            of_year,
        ),
        known(rf"\b{_LONG_SPLIT}", _Reader.year, year),
        known(rf"\b{_NAMED}", _Reader.year, year),
        known(
            rf"\b(?P<year>{YEAR}){_SPLIT}\s+(?:fy|fiscal(?:\s+year)?|financial\s+year)\b",
            _Reader.year,
            year,
        ),
        known(
            r"\b(?:fytd|(?:fy|fiscal(?:\s+year)?|financial\s+year)[\s-]+(?:to[\s-]+date|ytd))\b",
            _Reader.to_date,
        ),
        known(
            rf"\b{_WAY}\s+(?:full\s+)?(?:fiscal|financial)\s+(?P<unit>year|quarter|half)\b"
            r"(?:\s+so\s+far)?",
            _Reader.told,
            year,
        ),
        known(rf"\b{_WAY}\s+fy\b(?:\s+so\s+far)?", _Reader.year, year),
        known(
            rf"\b(?:past|last|previous|prior)\s+(?P<count>{COUNT})\s+(?:full\s+)?"
            r"(?:fiscal|financial)\s+(?P<unit>year|quarter)s\b",
            _Reader.several,
            year,
        ),
        unread_phrase(
            rf"\b{_WAY}\s+(?:{COUNT}\s+)?(?:(?:fiscal|financial)\s+(?:month|week|period|half)|fy)s?\b",
            _NEEDS,
        ),
        known(r"(?<=\bof )the\s+(?:fy|(?:fiscal|financial)\s+year)\b", _Reader.this_year, "unit"),
    )
