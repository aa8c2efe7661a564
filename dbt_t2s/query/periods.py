"""Periods that a text names: days, weeks, months, quarters, years, decades and holidays.

A period without a year is the latest one that has begun by ``today``; rolling windows ("last 30
days") start that long before today and include it. What can honestly mean two things ("early
2024", "summer of 2024", "end of March") is left unread, and so is the year in it.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta

from dateutil.easter import easter
from dateutil.relativedelta import relativedelta

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_MONTH = r"(?P<{0}>jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|"
_MONTH += r"sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)\b\.?"
_COUNTS = {
    "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6,
    "seven": 7, "eight": 8, "nine": 9, "ten": 10, "eleven": 11, "twelve": 12,
}  # fmt: skip
_UNIT = r"(?P<unit>day|week|month|quarter|year)s?"
_YEAR = r"(?:19|20)\d\d"


@dataclass(frozen=True)
class Period:
    """``floating`` periods name no year: it follows from today, or from what they are joined to."""

    first: date
    after: date
    start: int
    end: int
    floating: bool = False


def _month_number(name: str) -> int:
    return _MONTHS.index(name[:3].lower()) + 1


def _month_after(day: date, months: int = 1) -> date:
    return day.replace(day=1) + relativedelta(months=months)


def _unit_start(unit: str, today: date) -> date:
    if unit == "day":
        return today
    if unit == "week":
        return today - timedelta(days=today.weekday())
    if unit == "month":
        return today.replace(day=1)
    if unit == "quarter":
        return date(today.year, 3 * ((today.month - 1) // 3) + 1, 1)
    return date(today.year, 1, 1)


def _shift(day: date, unit: str, count: int) -> date:
    if unit == "quarter":
        return day + relativedelta(months=3 * count)
    steps = {"day": "days", "week": "weeks", "month": "months", "year": "years"}
    return day + relativedelta(**{steps[unit]: count})  # type: ignore[arg-type]


def _safe_date(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None


def _day(found: re.Match[str], today: date) -> tuple[date, date] | None:
    parts = found.groupdict()
    month = parts.get("name")
    number = _month_number(month) if month else int(parts["month"])
    # Without a year it is the latest such day that has begun; 29 February may be eight years back.
    years = [int(parts["year"])] if parts.get("year") else range(today.year, today.year - 9, -1)
    days = (_safe_date(year, number, int(parts["day"])) for year in years)
    day = next((d for d in days if d and (parts.get("year") or d <= today)), None)
    return (day, day + timedelta(days=1)) if day else None


def _month(found: re.Match[str], today: date) -> tuple[date, date] | None:
    parts = found.groupdict()
    number = _month_number(parts["name"]) if parts.get("name") else int(parts["month"])
    if not 1 <= number <= 12:
        return None
    if parts.get("year"):
        first = date(_full_year(parts["year"]), number, 1)
    else:
        first = date(today.year, number, 1)
        if first > today:
            first = date(today.year - 1, number, 1)
    relative = (parts.get("relative") or "").lower()
    if relative == "last" and first.year == today.year:
        first = date(today.year - 1, number, 1)
    return first, _month_after(first)


def _full_year(text: str) -> int:
    number = int(text.strip("'’"))
    return number if number > 99 else 2000 + number


_ORDINALS = {"first": 1, "1st": 1, "second": 2, "2nd": 2, "third": 3, "3rd": 3, "fourth": 4}
_ORDINALS |= {"4th": 4, "last": 0}


def _part_of_year(found: re.Match[str], today: date, months: int) -> tuple[date, date] | None:
    parts = found.groupdict()
    word = (parts.get("word") or "").lower()
    number = int(parts["number"]) if parts.get("number") else _ORDINALS[word]
    number = number or 12 // months
    if number > 12 // months:
        return None
    year = today.year
    if parts.get("year"):
        year = _full_year(parts["year"])
    elif parts.get("relative"):
        year -= 1 if parts["relative"].lower().startswith(("last", "prev")) else 0
    first = date(year, months * (number - 1) + 1, 1)
    if not parts.get("year") and not parts.get("relative") and first > today:
        first = first.replace(year=year - 1)
    return first, _month_after(first, months)


def _quarter(found: re.Match[str], today: date) -> tuple[date, date] | None:
    return _part_of_year(found, today, 3)


def _half(found: re.Match[str], today: date) -> tuple[date, date] | None:
    return _part_of_year(found, today, 6)


def _whole_year(found: re.Match[str], today: date) -> tuple[date, date] | None:
    year = int(found["year"])
    return date(year, 1, 1), date(year + 1, 1, 1)


def _rolling(found: re.Match[str], today: date) -> tuple[date, date] | None:
    text = found["count"].lower()
    count = _COUNTS.get(text, -1) if not text.isdigit() else int(text)
    if not 0 < count <= 5000:
        return None
    return _shift(today, found["unit"].lower(), -count), today + timedelta(days=1)


def _relative(found: re.Match[str], today: date) -> tuple[date, date] | None:
    unit = found["unit"].lower()
    way = found["way"].lower()
    here = _unit_start(unit, today)
    if way in ("this", "current"):
        return here, _shift(here, unit, 1)
    if way == "next":
        return _shift(here, unit, 1), _shift(here, unit, 2)
    steps = 2 if "before" in way else 1
    return _shift(here, unit, -steps), _shift(here, unit, 1 - steps)


def _to_date(found: re.Match[str], today: date) -> tuple[date, date] | None:
    text = found.group().lower()
    letters = {"ytd": "year", "mtd": "month", "qtd": "quarter", "wtd": "week"}
    unit = letters.get(text) or next(u for u in ("year", "month", "quarter", "week") if u in text)
    return _unit_start(unit, today), today + timedelta(days=1)


def _named_day(found: re.Match[str], today: date) -> tuple[date, date] | None:
    name = found["name"].lower().removeprefix("the ")
    if name in _NEAR_DAYS:
        day = today + timedelta(days=_NEAR_DAYS[name])
        return day, day + timedelta(days=1)
    year = int(found["year"]) if found["year"] else today.year
    day = _holiday(name, year)
    if day > today and not found["year"]:
        day = _holiday(name, year - 1)
    return day, day + timedelta(days=1)


def _weekday(found: re.Match[str], today: date) -> tuple[date, date] | None:
    """The latest such day before today; the coming one after "next"."""
    number = _WEEKDAYS.index(found["weekday"][:3].lower())
    back = (today.weekday() - number - 1) % 7 + 1
    day = today - timedelta(days=back - (7 if found["way"].lower() == "next" else 0))
    return day, day + timedelta(days=1)


_WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_NEAR_DAYS = {"today": 0, "tonight": 0, "yesterday": -1, "yesterdays": -1, "tomorrow": 1}
_NEAR_DAYS["day before yesterday"] = -2


def _holiday(name: str, year: int) -> date:
    if name == "easter":
        return easter(year)
    if name == "black friday":
        first = date(year, 11, 1)
        thursday = first + timedelta(days=(3 - first.weekday()) % 7 + 21)
        return thursday + timedelta(days=1)
    return date(year, 12, 24 if name == "christmas eve" else 25)


def _ago(found: re.Match[str], today: date) -> tuple[date, date] | None:
    """``two years ago`` is that year, ``a month ago`` that month."""
    if found["than"]:
        return None  # "more than a year ago" is a span, and not that year
    text = found["count"].lower()
    count = 1 if text in ("a", "an") else _COUNTS.get(text, -1)
    count = int(text) if text.isdigit() else count
    if not 0 < count <= 5000:
        return None
    unit = found["unit"].lower()
    first = _shift(_unit_start(unit, today), unit, -count)
    return first, _shift(first, unit, 1)


def _iso_week(found: re.Match[str], today: date) -> tuple[date, date] | None:
    """Weeks as ISO 8601 counts them: the first one holds the year's first Thursday."""
    number = int(found["number"])
    first = date.fromisocalendar(int(found["year"] or today.year), number, 1)
    if first > today and not found["year"]:
        first = date.fromisocalendar(today.year - 1, number, 1)
    return first, first + timedelta(days=7)


def _decade(found: re.Match[str], today: date) -> tuple[date, date] | None:
    tens = int(found["tens"])
    century = found["century"] or ("19" if tens >= 3 else "20")
    first = date(int(century) * 100 + tens * 10, 1, 1)
    return first, first.replace(year=first.year + 10)


def _unread(found: re.Match[str], today: date) -> tuple[date, date] | None:
    """What means different things to different people."""
    return None


_Reader = Callable[[re.Match[str], date], tuple[date, date] | None]
_OF_YEAR = rf"(?:,?\s*(?:of\s+|in\s+)?(?P<year>{_YEAR}|['’]\d\d))?"
_RELATIVE_YEAR = r"(?:\s+(?:of\s+)?(?P<relative>this|last|previous)\s+year)?"
_SHORT_YEAR = (
    r"(?P<year>[012]\d)\b(?=\s*(?:$|[?.!,;:)]|\b(?:and|by|for|from|in|of|per|to|vs|with)\b))"
)
_ANY_PERIOD = rf"(?:{_MONTH.format('of')}(?:\s+{_YEAR})?|(?:the\s+)?(?:year\s+)?{_YEAR}|q[1-4]\b)"
# "since the start of 2024" and "until the end of 2024" are plain.
_EDGED = re.compile(
    r"\b(?:since|from|starting|as of|through|until|till|up to|by|before|after)\s+(?:the\s+)?$", re.I
)
_PATTERNS: tuple[tuple[re.Pattern[str], _Reader], ...] = tuple(
    (re.compile(pattern, re.IGNORECASE), reader)
    for pattern, reader in (
        (rf"\b(?P<edge>end|start|beginning)\s+of\s+{_ANY_PERIOD}", _unread),
        (rf"\b(?:middle\s+of|mid|early|late)[\s-]+{_ANY_PERIOD}", _unread),
        (rf"\b(?:spring|summer|autumn|fall|winter)\s+(?:of\s+)?{_YEAR}\b", _unread),
        (
            r"\b(?:first|second|third|last|1st|2nd|3rd|\d+)\s+(?:week|day|weekend)s?\s+of\s+"
            rf"{_ANY_PERIOD}",
            _unread,
        ),
        (rf"\b(?P<year>{_YEAR})-?w(?P<number>\d\d)\b", _iso_week),
        (
            rf"\b(?:calendar\s+week|week|cw|kw|w)\s*(?:no\.?\s*)?(?P<number>\d\d?)"
            rf"(?:,?\s*(?:of\s+|in\s+|/)?(?P<year>{_YEAR}))?\b(?!\s*%)",
            _iso_week,
        ),
        (
            rf"\b(?P<than>(?:more|less|longer|later|earlier)\s+than\s+|over\s+|under\s+)?"
            rf"(?P<count>an?|\d+|{'|'.join(_COUNTS)})\s+{_UNIT}\s+ago\b",
            _ago,
        ),
        (r"\bthe\s+(?P<century>19|20)?(?P<tens>\d)0['’]?s\b", _decade),
        (r"\b(?P<century>19|20)(?P<tens>\d)0['’]?s\b", _decade),
        (rf"\b(?P<year>{_YEAR})-(?P<month>\d\d?)-(?P<day>\d\d?)\b", _day),
        (rf"\b(?P<day>\d\d?)\.(?P<month>\d\d?)\.(?P<year>{_YEAR})\b", _day),
        (rf"\b(?P<month>\d\d?)/(?P<day>\d\d?)/(?P<year>{_YEAR})\b", _day),
        (
            rf"\b{_MONTH.format('name')}\s+(?P<day>\d\d?)(?:st|nd|rd|th)?\b(?!\s*['’]?\d)"
            rf"(?:,?\s+(?P<year>{_YEAR}))?",
            _day,
        ),
        (
            rf"\b(?P<day>\d\d?)(?:st|nd|rd|th)?\s+(?:of\s+)?{_MONTH.format('name')}"
            rf"(?:,?\s+(?P<year>{_YEAR}))?",
            _day,
        ),
        (rf"\b(?P<year>{_YEAR})-(?P<month>0[1-9]|1[0-2])\b(?!-)", _month),
        (rf"\b(?:(?P<relative>last)\s+)?{_MONTH.format('name')}{_OF_YEAR}", _month),
        (rf"\b(?P<year>{_YEAR})\s*-?\s*q(?P<number>[1-4])\b", _quarter),
        (rf"(?<![\d/])(?P<month>0?[1-9]|1[0-2])/(?P<year>{_YEAR})\b(?!/)", _month),
        (rf"\bq(?P<number>[1-4])[\s-]+{_SHORT_YEAR}", _quarter),
        (rf"\bh(?P<number>[12])[\s-]+{_SHORT_YEAR}", _half),
        (rf"\bq(?P<number>[1-4])\b{_OF_YEAR}{_RELATIVE_YEAR}", _quarter),
        (
            r"\b(?P<word>first|second|third|fourth|1st|2nd|3rd|4th|last)\s+quarter\s+"
            rf"(?:of\s+)?(?:(?P<year>{_YEAR})|(?P<relative>this|last|previous)\s+year)",
            _quarter,
        ),
        (r"\b(?P<word>first|second|third|fourth|1st|2nd|3rd|4th)\s+quarter\b", _quarter),
        (rf"\bh(?P<number>[12])\b{_OF_YEAR}", _half),
        (
            r"\b(?P<word>first|second|1st|2nd)\s+half\s+(?:of\s+)?"
            rf"(?:(?P<year>{_YEAR})|(?P<relative>this|last|previous)\s+year)",
            _half,
        ),
        (
            r"\b(?:past|last|previous|trailing|preceding)\s+"
            rf"(?P<count>\d+|{'|'.join(_COUNTS)})[\s-]+{_UNIT}\b",
            _rolling,
        ),
        (
            r"\b(?P<way>this|current|last|previous|prior|next|past)\s+(?:calendar\s+|full\s+)?"
            rf"{_UNIT}\b(?:\s+so\s+far)?",
            _relative,
        ),
        (r"\b(?P<unit>week|month|quarter|year)\s+(?P<way>before\s+last)\b", _relative),
        (r"\b(?:ytd|mtd|qtd|wtd|(?:year|month|quarter|week)[\s-]+to[\s-]+date)\b", _to_date),
        (
            r"\b(?P<name>(?:the )?day before yesterday|today|tonight|yesterdays?|tomorrow|easter|"
            r"black friday|christmas eve|christmas)\b"
            rf"(?:\s+(?P<year>{_YEAR}))?",
            _named_day,
        ),
        (
            r"\b(?:on\s+)?(?P<way>last|this|past|next|on)\s+"
            r"(?P<weekday>(?:mon|tues|wednes|thurs|fri|satur|sun)day)\b",
            _weekday,
        ),
        (rf"\b(?:calendar\s+year\s+|fy\s*)?(?P<year>{_YEAR})\b", _whole_year),
    )
)
_MAY = re.compile(
    r"(?:\b(?:in|of|since|during|for|until|till|from|to|and|by|last|before|after|between)\s+)$",
    re.IGNORECASE,
)


def periods_in(text: str, today: date) -> list[Period]:
    """The periods that a text names, in order, none overlapping another."""
    taken: list[Period] = []
    void: list[tuple[int, int]] = []
    for pattern, reader in _PATTERNS:
        for found in pattern.finditer(text):
            start, end = found.span()
            if any(s < end and start < e for s, e in (*((p.start, p.end) for p in taken), *void)):
                continue
            if not _is_month_may(text, found):
                continue
            made = _read(reader, found, today)
            if made:
                taken.append(Period(*made, start, end, _is_floating(reader, found)))
            elif _is_void(reader, found, text):
                void.append((start, end))
    return sorted(taken, key=lambda p: p.start)


def _read(reader: _Reader, found: re.Match[str], today: date) -> tuple[date, date] | None:
    try:
        return reader(found, today)
    except (ValueError, OverflowError):
        return None  # a day that no calendar has, such as year 0 or far beyond 9999


def _is_floating(reader: _Reader, found: re.Match[str]) -> bool:
    parts = found.groupdict()
    named = reader in (_day, _month, _quarter, _half)
    return named and not parts.get("year") and not parts.get("relative")


def _is_void(reader: _Reader, found: re.Match[str], text: str) -> bool:
    """Whether nothing in the match may be read as another period."""
    if reader is _unread:
        return not (found.groupdict().get("edge") and _EDGED.search(text[: found.start()]))
    return reader in (_ago, _iso_week) or (reader is _day and _looks_like_a_day(found))


def _looks_like_a_day(found: re.Match[str]) -> bool:
    """2026-02-30 is no day, but it is not "the year 2026" either; "45 May 2025" is a month."""
    return not found.groupdict().get("name") or int(found["day"]) <= 31


def _is_month_may(text: str, found: re.Match[str]) -> bool:
    """ "may" and "march" are words too: they are months with a year, a preposition or a capital."""
    name = found.groupdict().get("name") or ""
    before = text[: found.start()]
    if name.lower() == "may" and re.search(r"\b(?:who|which|that|you|we|they|i)\s+$", before, re.I):
        return False
    if name.lower() not in ("may", "march", "mar", "sep", "dec", "jan"):
        return True
    if any(found.groupdict().get(part) for part in ("year", "day", "relative")):
        return True
    after = text[found.end() :]
    if before.strip() and not after.strip(" ?.!,"):
        return True  # a verb is not the last word: "aov may"
    return bool(_MAY.search(before)) or (name[0].isupper() and bool(before.strip()))
