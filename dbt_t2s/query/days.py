"""Days that a text names: "14 March 2025", "May 3-5", "the 15th of last month", "last Friday"."""

from __future__ import annotations

import re
from datetime import date, timedelta

from dbt_t2s.query.calendar import (
    A_DAY,
    A_DIGIT,
    A_HOLIDAY,
    A_MONTH,
    HOLIDAYS,
    JOINED_MONTH,
    MONTH,
    NAMED_MONTH,
    ORDINALS,
    SHORT_YEAR,
    WEEKDAY,
    YEAR,
    full_year,
    holiday,
    month_number,
    plain_name,
    safe_date,
    unit_start,
    weekday_number,
    year_of,
)
from dbt_t2s.query.period import Days, Left, Phrase, Reading, phrase, unread_phrase

_NEAR = {"today": 0, "tonight": 0, "yesterday": -1, "yesterdays": -1, "tomorrow": 1}
_NEAR |= {"day before yesterday": -2, "day after tomorrow": 2}
_FURTHEST = 9  # years back in which 29 February comes at least once
# "the top 5 March orders": a number of things, and no day.
_COUNTED = re.compile(
    r"\b(?:top|bottom|first|last|best|worst|most|least|fewest|"
    r"(?<!later )(?<!earlier )(?<!older )(?<!newer )than|over|under|above|below)\s+$",
    re.I,
)
_MORE = re.compile(r"\d(?:st|nd|rd|th)?,\s*$", re.I)
_MONTH_BEFORE = re.compile(rf"\b{MONTH}\s+$", re.I)
_SLASHED = re.compile(r"(?<![\d/.-])(\d\d?)[/-](\d\d?)[/-](?:\d{4}|\d\d)(?![\d/-])")


def _one(day: date) -> Days:
    return day, day + timedelta(days=1)


def _year(parts: dict[str, str | None], today: date) -> int | None:
    if year := parts.get("year") or parts.get("short"):
        return full_year(year, today)
    return year_of(parts["relative"] or "", today) if parts.get("relative") else None


def _day(found: re.Match[str], today: date) -> Reading:
    parts = found.groupdict()
    name = parts.get("name")
    month = month_number(name) if name else int(parts["month"] or 0)
    number = ORDINALS.get((parts.get("ordinal") or "").lower()) or int(parts["day"] or 0)
    if name and number > 31:
        return None  # "in 45 May 2025" is a month
    weekday = parts.get("weekday")
    counted = name and not weekday and not re.search(r"\d(?:st|nd|rd|th)", found.group(), re.I)
    if counted and _COUNTED.search(found.string[: found.start()]):
        return None
    day = _of_year(_year(parts, today), month, number, today, weekday or "")
    # 2026-02-30 is no day, but it is not "the year 2026" either.
    return _one(day) if day else Left.UNREAD


def _dashed(found: re.Match[str], today: date) -> Reading:
    """``24-Jan``, but not in "Jan 24-Mar 31"."""
    return None if _MONTH_BEFORE.search(found.string, 0, found.start()) else _day(found, today)


def _of_year(year: int | None, month: int, day: int, today: date, weekday: str = "") -> date | None:
    """Without a year the latest such day that has begun; 29 February may be eight years back."""
    years = [year] if year is not None else range(today.year, today.year - _FURTHEST, -1)
    for each in years:
        found = safe_date(each, month, day)
        begun = found and (year is not None or found <= today)
        if found and begun and (not weekday or found.weekday() == weekday_number(weekday)):
            return found
    return None


def _slashed(found: re.Match[str], today: date) -> Reading:
    """Day or month first? What is over 12 tells, here or in another date of the same text."""
    one, two = int(found["one"]), int(found["two"])
    year = full_year(found["year"], today)
    orders = {
        int(a) > 12 for a, b in _SLASHED.findall(found.string) if (int(a) > 12) != (int(b) > 12)
    }
    if one == two:
        orders = {True}
    if len(orders) != 1:
        return Left.UNREAD
    month, number = (two, one) if orders.pop() else (one, two)
    day = safe_date(year, month, number)
    return _one(day) if day else Left.UNREAD


def _several(found: re.Match[str], today: date) -> Reading:
    """``between 3 and 5 May``: from one day of a month to another."""
    first, last = int(found["first"]), int(found["last"])
    month, joint = month_number(found["name"]), found["joint"].lower()
    if max(first, last) > 31:
        return None
    through = joint not in ("and", "&", "or", "/", ",")
    if joint == "and" and (found["opened"] or "").lower().startswith("between"):
        through = True
    if _MORE.search(found.string, 0, found.start()):
        return Left.UNREAD  # "1, 2 and 3 March"
    if first >= last or joint == "or" or not (through or last == first + 1):
        return Left.UNREAD  # "3 and 15 May" are two days
    start = _of_year(_year(found.groupdict(), today), month, first, today)
    end = safe_date(start.year, month, last) if start else None
    return (start, end + timedelta(days=1)) if start and end else Left.UNREAD


def _of_month(found: re.Match[str], today: date) -> Reading:
    """``the 15th of last month``."""
    steps = year_of(found["way"], today.replace(month=1)) - today.year
    here = unit_start("month", today)
    months = here.year * 12 + here.month - 1 + steps
    number = int(found["day"]) if found["day"] else ORDINALS[found["ordinal"].lower()]
    day = safe_date(months // 12, months % 12 + 1, number)
    return _one(day) if day else Left.UNREAD


def _near(found: re.Match[str], today: date) -> Reading:
    name = found["name"].lower().removeprefix("the ")
    return _one(today + timedelta(days=_NEAR[name]))


def _holiday(found: re.Match[str], today: date) -> Reading:
    """Without a year the latest one; the coming one after "next"."""
    name = plain_name(found["name"])
    year = _year(found.groupdict(), today)
    if year is not None:
        return _one(holiday(name, year))
    day, way = holiday(name, today.year), (found["way"] or "").lower()
    if way == "next":
        return _one(day if day > today else holiday(name, today.year + 1))
    return _one(day if day <= today or way == "this" else holiday(name, today.year - 1))


def _weekday(found: re.Match[str], today: date) -> Reading:
    """The latest such day before today; the coming one after "next"."""
    back = (today.weekday() - weekday_number(found["weekday"]) - 1) % 7 + 1
    way = (found.groupdict().get("way") or "").lower()
    return _one(today - timedelta(days=back - (7 if way == "next" else 0)))


def _of_week(found: re.Match[str], today: date) -> Reading:
    """``Monday of last week``."""
    weeks = year_of(found["way"], today) - today.year
    day = unit_start("week", today) + timedelta(days=7 * weeks)
    return _one(day + timedelta(days=weekday_number(found["weekday"])))


def _weekend(found: re.Match[str], today: date) -> Reading:
    """The last one that is over; this week's after "this"."""
    if (found.groupdict().get("way") or "").lower() == "this":
        first = unit_start("week", today) + timedelta(days=5)
    else:
        first = today - timedelta(days=today.weekday() + 2)
    return first, first + timedelta(days=2)


_RELATIVE = r"(?:of\s+)?(?:the\s+)?(?P<relative>last|this|next|previous|prior|current)\s+year\b"
_OF_YEAR = rf"(?:,?\s+(?:of\s+|in\s+)?(?P<year>{YEAR})|,?\s*(?P<short>{SHORT_YEAR})|\s+{_RELATIVE})"
_ON = (
    r"(?:(?<!\bblack )(?<!\bgood )(?<!\beaster )(?<!\bcyber )\b(?:(?:last|this|next|past)\s+)?"
    rf"(?P<weekday>{WEEKDAY}|mon|tue|wed|thu|fri|sat|sun)\.?,?\s+(?:the\s+)?)?"
)
_TH = r"(?:st|nd|rd|th)"
_NO_NUMBER = r"(?!\s*['’]?\d|\s*%|[.,:]\d)"
_JOINT = r"\s*(?P<joint>-|–|—|/|&|\b(?:to|and|or|until|till|through|thru)\b)\s*(?:the\s+)?"
_OPENED = r"(?P<opened>\b(?:between|from)\s+(?:the\s+)?)?"
_HOLIDAY = "|".join(HOLIDAYS).replace("'", "['’]")
# Nothing follows that may say which one, or what of it.
_SAID = r"(?=\s*(?:$|[?.!,;:)\"'”]|\b(?:by|per|for|from|vs|and|compared|with|in|at|who|which)\b))"
_WAY = r"(?P<way>last|this|next|previous|prior|current|coming)"

DAYS: tuple[Phrase, ...] = (
    phrase(
        rf"{_ON}\b(?P<year>{YEAR})-(?P<month>\d\d?)-(?P<day>\d\d?)(?=T\d|\b)",
        _day,
        "day",
        needs=("-",),
    ),
    phrase(
        rf"\b(?P<year>{YEAR})([/.])(?P<month>\d\d?)\2(?P<day>\d\d?)\b", _day, "day", needs=A_DIGIT
    ),
    phrase(rf"\b(?P<day>\d\d?)\.(?P<month>\d\d?)\.(?P<year>{YEAR})\b", _day, "day", needs=A_DIGIT),
    phrase(
        rf"(?<![\d/.-])(?P<one>\d\d?)([/-])(?P<two>\d\d?)\2(?P<year>{YEAR}|\d\d(?!\d))(?![/-]\d)",
        _slashed,
        "day",
        needs=("/", "-"),
    ),
    phrase(
        rf"{_OPENED}(?<![\d.,/:-])\b(?P<first>\d\d?){_TH}?{_JOINT}(?P<last>\d\d?){_TH}?[\s-]+"
        rf"(?:of\s+)?{NAMED_MONTH}{_OF_YEAR}?",
        _several,
        "days",
        needs=A_MONTH,
    ),
    phrase(
        rf"{_OPENED}\b{NAMED_MONTH}\s+(?:the\s+)?(?P<first>\d\d?){_TH}?{_JOINT}(?P<last>\d\d?){_TH}?\b"
        rf"(?!\s+(?:of\s+)?{MONTH}|[-/]\d)(?:{_OF_YEAR}|{_NO_NUMBER})",
        _several,
        "days",
        needs=A_MONTH,
    ),
    phrase(
        rf"{_ON}\b(?P<day>\d\d?)[ -]?{JOINED_MONTH}[ -]?(?P<year>{YEAR})",
        _day,
        "day",
        needs=A_MONTH,
    ),
    phrase(
        rf"(?<![\d-])\b(?P<day>\d\d?)-{NAMED_MONTH}(?:-(?P<short>\d\d)\b|(?!-?\d))",
        _dashed,
        "day",
        needs=A_MONTH,
    ),
    phrase(
        rf"\b(?P<year>{YEAR})\s+{NAMED_MONTH}\s+(?P<day>\d\d?){_TH}?\b{_NO_NUMBER}",
        _day,
        "day",
        needs=A_MONTH,
    ),
    unread_phrase(rf"\b{MONTH}-\d\d\b", needs=A_MONTH),  # Jan-24: the 24th, or 2024?
    phrase(
        rf"{_ON}\b{NAMED_MONTH}\s+(?:the\s+)?(?P<day>\d\d?){_TH}?\b(?:{_OF_YEAR}|{_NO_NUMBER})",
        _day,
        "day",
        needs=A_MONTH,
    ),
    unread_phrase(rf"\b{MONTH}\s+\d\d?{_TH}?\s+['’]?\d", needs=A_MONTH),
    phrase(
        rf"{_ON}(?<![\d.,/])\b(?P<day>\d\d?){_TH}?\s+(?:of\s+)?{NAMED_MONTH}{_OF_YEAR}?",
        _day,
        "day",
        needs=A_MONTH,
    ),
    phrase(
        rf"{_ON}\bthe\s+(?P<ordinal>{'|'.join(ORDINALS)})\s+of\s+{NAMED_MONTH}{_OF_YEAR}?",
        _day,
        "day",
        needs=A_MONTH,
    ),
    phrase(
        rf"\b(?:the\s+)?(?:(?P<day>\d\d?){_TH}|(?P<ordinal>{'|'.join(ORDINALS)}))\s+(?:day\s+)?of\s+"
        rf"(?:the\s+)?{_WAY}\s+month\b(?!['’])",
        _of_month,
        "day",
        needs=("month",),
    ),
    phrase(
        r"\b(?P<name>(?:the )?day before yesterday|(?:the )?day after tomorrow|today|tonight|"
        r"yesterdays?|tomorrow)\b",
        _near,
        "near",
        needs=("day", "tonight", "tomorrow"),
    ),
    phrase(
        rf"\b(?:{_WAY}\s+)?(?P<name>{_HOLIDAY})\b{_OF_YEAR}?", _holiday, "holiday", needs=A_HOLIDAY
    ),
    unread_phrase(
        rf"\b{WEEKDAY}s?\s*(?:and|or|to|through|thru|till|until|,|-|–|/|&)\s*(?:on\s+)?{WEEKDAY}s?\b",
        needs=A_DAY,
    ),
    phrase(rf"\b(?P<weekday>{WEEKDAY})\s+(?:of\s+)?{_WAY}\s+week\b", _of_week, "near", needs=A_DAY),
    phrase(
        rf"\b(?:on\s+)?(?P<way>last|this|past|next|on)\s+(?P<weekday>{WEEKDAY})\b",
        _weekday,
        "near",
        needs=A_DAY,
    ),
    phrase(rf"(?<=\bsince )(?P<weekday>{WEEKDAY})\b(?!['’])", _weekday, "near", needs=A_DAY),
    phrase(r"\b(?:this\s+)?(?P<way>last|this|past)\s+weekend\b", _weekend, needs=("weekend",)),
    # "At the weekend" may be at any of them.
    phrase(rf"(?<=\bover )the\s+weekend\b{_SAID}", _weekend, needs=("weekend",)),
)
