"""Periods of the calendar that a text names: weeks, months, quarters, halves, years, decades."""

from __future__ import annotations

import re
from datetime import date, timedelta

from dbt_t2s.query.calendar import (
    A_DIGIT,
    A_MONTH,
    COUNT,
    NAMED_MONTH,
    SHORT_YEAR,
    YEAR,
    full_year,
    month_after,
    month_number,
    year_of,
)
from dbt_t2s.query.period import Left, Phrase, Reading, phrase, unread_phrase

_ORDINALS = {"first": 1, "1st": 1, "second": 2, "2nd": 2, "third": 3, "3rd": 3, "fourth": 4}
_ORDINALS |= {"4th": 4, "one": 1, "two": 2, "three": 3, "four": 4}
_LONGEST_RANGE = 40  # years in "1990-95"


def _year(parts: dict[str, str | None], today: date) -> int | None:
    if parts.get("year"):
        return full_year(parts["year"] or "", today)
    return year_of(parts["relative"] or "", today) if parts.get("relative") else None


def _month(found: re.Match[str], today: date) -> Reading:
    """Without a year the latest that has begun; "last March" is never this year's."""
    parts = found.groupdict()
    number = month_number(found["name"]) if parts.get("name") else int(found["month"])
    if not 1 <= number <= 12:
        return None
    way = (parts.get("way") or "").lower()
    year = _year(parts, today)
    if year is None:
        year = today.year - (number > today.month)
        if way == "last":
            year = today.year - 1
        elif way == "this":
            year = today.year
        elif way == "next":
            year = today.year + (number <= today.month)
    first = date(year, number, 1)
    return first, month_after(first)


def _part_of_year(found: re.Match[str], today: date, months: int) -> Reading:
    parts = found.groupdict()
    word = (parts.get("word") or "").lower()
    number = int(found["number"]) if parts.get("number") else _ORDINALS.get(word, 12 // months)
    if number > 12 // months:
        return Left.UNREAD
    year = _year(parts, today)
    if year is None:
        begun = date(today.year, months * (number - 1) + 1, 1) <= today
        year = today.year if begun else today.year - 1
    first = date(year, months * (number - 1) + 1, 1)
    return first, month_after(first, months)


def _quarter(found: re.Match[str], today: date) -> Reading:
    return _part_of_year(found, today, 3)


def _half(found: re.Match[str], today: date) -> Reading:
    return _part_of_year(found, today, 6)


def _whole_year(found: re.Match[str], today: date) -> Reading:
    year = full_year(found["year"], today)
    return date(year, 1, 1), date(year + 1, 1, 1)


def _week(found: re.Match[str], today: date) -> Reading:
    """Weeks as ISO 8601 counts them: the first one holds the year's first Thursday."""
    number, year = int(found["number"]), found["year"]
    first = date.fromisocalendar(int(year or today.year), number, 1)
    if first > today and not year:
        first = date.fromisocalendar(today.year - 1, number, 1)
    last = found.groupdict().get("last")
    if last is None:
        return first, first + timedelta(days=7)
    end = date.fromisocalendar(int(year) if year else first.isocalendar().year, int(last), 7)
    return (first, end + timedelta(days=1)) if end > first else Left.UNREAD


def _decade(found: re.Match[str], today: date) -> Reading:
    tens = int(found["tens"])
    if found["century"] == "19" and not tens:
        return Left.UNREAD  # "the 1900s": ten years, or a hundred
    century = found["century"] or ("19" if tens >= 3 else "20")
    first = date(int(century) * 100 + tens * 10, 1, 1)
    return first, first.replace(year=first.year + 10)


def _years(found: re.Match[str], today: date) -> Reading:
    """``1990-95``; but 2023/24 and 2023-24 are a season or a financial year."""
    first = int(found["year"])
    last = first // 100 * 100 + int(found["last"])
    if found["joint"] == "/" or not first + 1 < last <= first + _LONGEST_RANGE:
        return Left.UNREAD
    return date(first, 1, 1), date(last + 1, 1, 1)


_IN_YEAR = r"(?:of\s+|in\s+)?(?:the\s+)?(?:year\s+)?"
_RELATIVE = r"(?P<relative>last|this|previous|prior|current|next|past)\s+year"
_RELATIVE_YEAR = rf"(?:\s+(?:of\s+)?(?:the\s+)?{_RELATIVE}\b)?"
_OF_YEAR = rf"(?:(?:\s*[-/]\s*|,?\s*{_IN_YEAR})(?P<year>{YEAR}|{SHORT_YEAR})|{_RELATIVE_YEAR})"
# Two digits are a year only where nothing follows that they might count.
_UNCOUNTED = (
    r"and|by|for|from|in|of|per|to|vs|with|again|exactly|only|overall|please|pls|precisely|thanks"
)
_ENDS = rf"\b(?=\s*(?:$|[?.!,;:)\"'”]|\b(?:{_UNCOUNTED})\b))"
_TWO_DIGITS = rf"(?P<year>[012]\d){_ENDS}"
# "last year's Q4", "2024's March"
_YEAR_FIRST = rf"\b(?:{_RELATIVE}(?:['’]?s)?|(?P<year>{YEAR})(?:['’]s)?)\s+(?:the\s+)?"
_NTH = r"(?P<word>first|second|third|fourth|1st|2nd|3rd|4th)"
_THIS_ONE = rf"(?!['’-]|\s+(?:of\b|to\b|before\b|after\b|{YEAR}))"
_NUMBER = r"(?:(?P<number>[1-4])|(?P<word>one|two|three|four))"
_PREPOSITIONS = "|".join(
    rf"(?<=\b{each} )" for each in "in of since until before after for during from to and".split()
)
# What a number that looks like a year is then the amount of.
_AMOUNT = r"(?![.,]\d|\s*(?:[%€$£]|(?:eur|usd|gbp|dollars?|euros?|percent|km|kg)\b))"
_BARE = (
    rf"(?<![$€£#])(?<!\d[.,/])(?:(?<![a-z]-)|(?<=\bpre-)|(?<=\bpost-))\b(?P<year>{YEAR})\b{_AMOUNT}"
)

# "in Mar 24" is a month, for one says "on" of a day; read before the days.
IN_MONTH = (
    phrase(rf"\b(?<=\bin ){NAMED_MONTH}\s+(?P<year>[23]\d){_ENDS}", _month, "month", needs=A_MONTH),
)
MONTHS: tuple[Phrase, ...] = (
    phrase(rf"\b(?P<year>{YEAR})-?w(?P<number>\d\d)\b", _week, "week", needs=A_DIGIT),
    phrase(
        r"\b(?:calendar\s+|iso\s+)?weeks?\s*(?P<number>\d\d?)\s*(?:-|–|to|through|until|till)\s*"
        rf"(?:week\s*)?(?P<last>\d\d?)(?:,?\s*(?:of\s+|in\s+|/)?(?P<year>{YEAR}))?\b(?!\s*%)",
        _week,
        "weeks",
        needs=A_DIGIT,
    ),
    unread_phrase(
        rf"\bweeks\s*\d\d?\s*(?:,|and|&|or)\s*\d\d?(?:\s+(?:of\s+|in\s+)?{YEAR})?", needs=A_DIGIT
    ),
    phrase(
        r"\b(?:calendar\s+week|week|cw|kw|w)\s*(?:no\.?\s*)?(?P<number>\d\d?)"
        rf"(?:,?\s*(?:of\s+|in\s+|/|-)?(?P<year>{YEAR}))?\b(?!\s*%)",
        _week,
        "week",
        needs=A_DIGIT,
    ),
    phrase(r"\bthe\s+(?P<century>19|20)?(?P<tens>\d)0['’]?s\b", _decade, "decade", needs=A_DIGIT),
    phrase(r"\b(?P<century>19|20)(?P<tens>\d)0['’]?s\b", _decade, "decade", needs=A_DIGIT),
    phrase(rf"\b(?P<year>{YEAR})-(?P<month>0[1-9]|1[0-2])\b(?!-)", _month, "month", needs=A_DIGIT),
    phrase(rf"\b(?P<year>{YEAR})/(?P<month>0[1-9]|10)\b(?!/)", _month, "month", needs=A_DIGIT),
    phrase(
        rf"\b(?:q[1-4]\s+|h[12]\s+)?(?P<year>{YEAR})(?P<joint>[-–/])(?P<last>\d\d)\b",
        _years,
        needs=A_DIGIT,
    ),
    unread_phrase(rf"\b(?:q[1-4]\s+|h[12]\s+)?(?:19|20)\d\d/{YEAR}", needs=A_DIGIT),
    phrase(
        rf"\b(?:(?:this\s+past|(?P<way>last|this|next))\s+)?{NAMED_MONTH}{_OF_YEAR}",
        _month,
        "month",
        needs=A_MONTH,
    ),
    phrase(rf"{_YEAR_FIRST}{NAMED_MONTH}", _month, "month", needs=A_MONTH),
    phrase(rf"\b(?P<year>{YEAR})-{NAMED_MONTH}", _month, "month", needs=A_MONTH),
    phrase(rf"\b(?P<year>{YEAR})\s*-?\s*q(?P<number>[1-4])\b", _quarter, "quarter", needs=A_DIGIT),
    phrase(
        rf"(?<![\w/.-])(?P<month>0?[1-9]|1[0-2])[/-](?P<year>{YEAR})\b(?!/)",
        _month,
        "month",
        needs=A_DIGIT,
    ),
    phrase(rf"\bq(?P<number>[1-4])[\s-]+{_TWO_DIGITS}", _quarter, "quarter", needs=A_DIGIT),
    phrase(rf"\bh(?P<number>[12])[\s-]+{_TWO_DIGITS}", _half, "half", needs=A_DIGIT),
    phrase(
        rf"\b(?P<number>[1-4])q\b(?:\s*-?\s*(?P<year>{YEAR}|{SHORT_YEAR}))?",
        _quarter,
        "quarter",
        needs=A_DIGIT,
    ),
    phrase(
        rf"\b(?P<number>[1-4])q-?(?P<year>{YEAR}|[012]\d)\b", _quarter, "quarter", needs=A_DIGIT
    ),
    phrase(r"\b(?P<year>[012]\d)-?q(?P<number>[1-4])\b", _quarter, "quarter", needs=A_DIGIT),
    phrase(rf"\b(?P<number>[12])h-?(?P<year>{YEAR}|[012]\d)\b", _half, "half", needs=A_DIGIT),
    phrase(rf"\b(?P<number>[12])h\s+(?P<year>{YEAR}|{SHORT_YEAR})\b", _half, "half", needs=A_DIGIT),
    phrase(rf"{_YEAR_FIRST}q(?P<number>[1-4])\b", _quarter, "quarter", needs=A_DIGIT),
    phrase(rf"{_YEAR_FIRST}{_NTH}\s+quarter\b", _quarter, "quarter", needs=("quarter",)),
    phrase(rf"{_YEAR_FIRST}(?:h(?P<number>[12])|{_NTH}\s+half)\b", _half, "half"),
    phrase(rf"\bq(?P<number>[1-4])\b{_OF_YEAR}", _quarter, "quarter", needs=A_DIGIT),
    phrase(rf"\bquarter\s+{_NUMBER}\b{_OF_YEAR}(?!\s*%)", _quarter, "quarter", needs=("quarter",)),
    phrase(
        rf"\b(?:{_NTH}|last|final)\s+quarter\s+"
        rf"(?:{_IN_YEAR}(?P<year>{YEAR}|{SHORT_YEAR})|(?:of\s+)?(?:the\s+)?{_RELATIVE}\b)",
        _quarter,
        "quarter",
        needs=("quarter",),
    ),
    # It has always begun; of the second half nobody knows.
    phrase(
        rf"\b(?P<word>first|1st)\s+half\s+of\s+(?P<relative>the)\s+year\b{_THIS_ONE}",
        _half,
        "half",
        needs=("half",),
    ),
    phrase(
        rf"\b(?P<word>first|1st)\s+quarter\s+of\s+(?P<relative>the)\s+year\b{_THIS_ONE}",
        _quarter,
        "quarter",
        needs=("quarter",),
    ),
    phrase(rf"\b{_NTH}\s+quarter\b", _quarter, "quarter", needs=("quarter",)),
    phrase(rf"\bh(?P<number>[12])\b{_OF_YEAR}", _half, "half", needs=A_DIGIT),
    phrase(
        rf"\b{_NTH}\s+half\s+(?:{_IN_YEAR}(?P<year>{YEAR}|{SHORT_YEAR})|"
        rf"(?:of\s+)?(?:the\s+)?{_RELATIVE}\b)",
        _half,
        "half",
        needs=("half",),
    ),
    phrase(
        rf"\b{_NTH}\s+half\b(?!-|\s+(?:of|an?|hours?|days?|years?|price|board|time|marathon)\b)",
        _half,
        "half",
        needs=("half",),
    ),
    unread_phrase(rf"\b{NAMED_MONTH}\s+{COUNT}\s+years?\s+ago\b", needs=A_MONTH),
)
YEARS: tuple[Phrase, ...] = (
    phrase(
        rf"\b(?:calendar\s+(?:year\s+)?|cy\s*-?)(?P<year>{YEAR})\b",
        _whole_year,
        "year",
        needs=A_DIGIT,
    ),
    phrase(r"\bcy\s*-?(?P<year>['’]?\d\d)\b", _whole_year, "year", needs=A_DIGIT),
    phrase(
        rf"(?:{_PREPOSITIONS})(?P<year>{SHORT_YEAR})\b(?!['’])",
        _whole_year,
        "year",
        needs=("'", "’"),
    ),
    phrase(_BARE, _whole_year, "year", needs=A_DIGIT),
)
