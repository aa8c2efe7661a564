"""What words beside a period make of it: "first 10 days of March", "week ending 8 March".

Also what leaves it unread: "early 2024", "every March", "the week before Christmas".
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date, timedelta

from dbt_t2s.query.calendar import (
    COUNT,
    ORDINALS,
    WEEKDAY,
    YEAR,
    count_of,
    nth_weekday,
    shift,
    unit_start,
    weekday_number,
)
from dbt_t2s.query.period import Period, unread

_NEAR = 64  # characters before a period that are looked at
_NEXT = 24  # characters of the last words of them
_SUNDAY = 6
_PASSES = 2  # "since the end of the week ending 8 March": one part around another
_Reader = Callable[[re.Match[str], Period], Period | None]


def composed(text: str, periods: Sequence[Period]) -> list[Period]:
    """The periods with what stands beside them, in order, none overlapping another."""
    made, before = list(periods), list[Period]()
    for _ in range(_PASSES):
        known = {id(each) for each in before}  # looked at, and nothing stands beside it
        before = made
        made = [each if id(each) in known else _composed(text, each) for each in made]
        made = _without_overlap(made)
    return [each for each in made if each.edge or not each.needs_edge]


def _composed(text: str, period: Period) -> Period:
    for pattern, read in _AFTER:
        if (found := pattern.match(text, period.end)) and (made := read(found, period)):
            return made
    if not _ENDS.search(text, max(period.start - _NEXT, 0), period.start):
        return period
    for pattern, read in _BEFORE:
        found = pattern.search(text, max(period.start - _NEAR, 0), period.start)
        if found and (made := read(found, period)):
            return replace(made, start=found.start(), end=period.end)
    return period


def _without_overlap(periods: Sequence[Period]) -> list[Period]:
    """Of two that overlap the one that has taken in words of the other."""
    kept: list[Period] = []
    for each in periods:
        if kept and kept[-1].end >= each.end:
            continue
        while kept and kept[-1].end > each.start:
            kept.pop()
        kept.append(each)
    return kept


def _unread(found: re.Match[str], period: Period) -> Period | None:
    return unread(period.start, period.end)


def _unread_through(found: re.Match[str], period: Period) -> Period | None:
    """With the words after it."""
    return unread(period.start, found.end())


def _days(period: Period, first: date, after: date) -> Period:
    return replace(period, first=first, after=after, kind="part", yearless=False, also=())


def _first_or_last(found: re.Match[str], period: Period) -> Period | None:
    """``first 10 days of``; weeks of a month begin on its first day or on a Monday."""
    unit, plain = found["unit"].lower(), not found["count"]
    if plain and unit == "day" and found["of"].lower() == "in":
        return None  # "the first day in February": of those that there are
    count = 1 if plain else count_of(found["count"])
    if period.unread or period.edge or unit == "week" or count < 1:
        return unread(period.start, period.end)
    if found["nth"].lower() in ("first", "1st"):
        made = _days(period, period.first, shift(period.first, unit, count))
    else:
        made = _days(period, shift(period.after, unit, -count), period.after)
    inside = period.first <= made.first and made.after <= period.after
    return made if inside else unread(period.start, period.end)


def _nth(found: re.Match[str], period: Period) -> Period | None:
    """``the second week of March``; but "the last day in March" is of those that there are."""
    return None if _DAY_IN.search(found.group()) else _unread(found, period)


def _nth_weekday(found: re.Match[str], period: Period) -> Period | None:
    if period.kind != "month" or period.unread:
        return _unread(found, period)
    nth = 0 if found["nth"].lower() == "last" else ORDINALS[found["nth"].lower()]
    day = nth_weekday(period.first, weekday_number(found["weekday"]), nth)
    return _days(period, day, day + timedelta(days=1)) if day else _unread(found, period)


def _week_of(found: re.Match[str], period: Period) -> Period | None:
    """Monday to Sunday; that of a Sunday ends on it or begins with it."""
    if not period.is_day:
        return None
    if period.first.weekday() == _SUNDAY:
        return _unread(found, period)
    monday = unit_start("week", period.first)
    made = _days(period, monday, monday + timedelta(days=7))
    # What is kept by the week is often dated by its first day.
    return replace(made, also=((period.first, period.after),)) if monday == period.first else made


def _week_from(found: re.Match[str], period: Period) -> Period | None:
    if not period.is_day:
        return _unread(found, period)
    return _days(period, period.first, period.first + timedelta(days=7))


def _week_to(found: re.Match[str], period: Period) -> Period | None:
    if not period.is_day:
        return None
    return _days(period, period.after - timedelta(days=7), period.after)


def _weekend_of(found: re.Match[str], period: Period) -> Period | None:
    saturday = unit_start("week", period.first) + timedelta(days=5)
    if not period.is_day or period.first < saturday:
        return _unread(found, period)
    return _days(period, saturday, saturday + timedelta(days=2))


def _ended(found: re.Match[str], period: Period) -> Period | None:
    """``year ended 31 March 2024``, ``the 12 months to June``."""
    count = count_of(found["count"]) if found["count"] else 1
    if period.unread or period.edge or not 0 < count <= 1000:
        return _unread(found, period)
    unit = found["unit"].lower()
    if unit == "fortnight":
        unit, count = "week", 2 * count
    first = shift(period.after, unit, -count)
    return _days(period, first, period.after) if first < period.after else None


def _day_beside(found: re.Match[str], period: Period) -> Period | None:
    if not period.is_day or period.unread:
        return _unread(found, period)
    step = timedelta(days=-1 if found["side"].lower() == "before" else 1)
    return _days(period, period.first + step, period.after + step)


def _edge(found: re.Match[str], period: Period) -> Period | None:
    if period.unread:
        return None
    word = (found.groupdict().get("edge") or "end").lower()
    return replace(period, edge="start" if word in ("start", "beginning") else "end")


def _early_or_late(found: re.Match[str], period: Period) -> Period | None:
    told = period.relative and not found.group().lower().startswith("later")
    return (
        _unread(found, period) if not told or _IN.search(found.string, 0, found.start()) else None
    )


def _every(found: re.Match[str], period: Period) -> Period | None:
    return _unread(found, period) if period.kind != "year" else None


def _every_year(found: re.Match[str], period: Period) -> Period | None:
    return _unread_through(found, period) if period.yearless else None


def _of_a_day(found: re.Match[str], period: Period) -> Period | None:
    return _unread_through(found, period) if period.is_day else None


_DAY_IN = re.compile(r"\bday\s+in\b", re.I)
_IN = re.compile(r"(?:^|\b(?:in|since|from|by|until|till|to|of|during|for|before|after)\s+)$", re.I)
_OF = r"(?:the\s+)?(?:(?:year|month)\s+(?:of\s+)?)?$"
# How all that may stand before a period ends.
_ENDS = re.compile(
    r"(?:\b(?:of|in|on|to|with|containing|commencing|beginning|starting|w/[ce]|ended|ending|before|"
    r"after|following|preceding|end|mid|early|late|later|around|circa|roughly|approximately|approx\.?|"
    rf"every|each|other|single|least|mrs?|ms|miss|dr)\.?|~)[\s-]*{_OF}",
    re.I,
)
_UNIT = r"(?P<unit>day|week|fortnight|month|quarter|year)s?"
_SIDE = r"(?:before|after|following|preceding|prior\s+to|leading\s+up\s+to)"

_BEFORE: tuple[tuple[re.Pattern[str], _Reader], ...] = tuple(
    (re.compile(pattern, re.IGNORECASE), read)
    for pattern, read in (
        (
            rf"(?:\bthe\s+)?\b(?P<nth>first|last|final|1st)\s+(?:(?P<count>{COUNT})\s+)?"
            rf"(?P<unit>day|week|month|quarter)s?\s+(?P<of>of|in)\s+{_OF}",
            _first_or_last,
        ),
        (
            rf"(?:\bthe\s+)?\b(?P<nth>first|second|third|fourth|last|1st|2nd|3rd|4th)\s+"
            rf"(?P<weekday>{WEEKDAY})\s+(?:of|in)\s+{_OF}",
            _nth_weekday,
        ),
        (
            rf"\b(?:first|second|third|fourth|fifth|last|final|\d(?:st|nd|rd|th))\s+"
            rf"(?:(?:working|business|school|trading|full|whole|calendar)\s+)?(?:day|week|weekend|month|half)\s+(?:of|in)\s+{_OF}",
            _nth,
        ),
        (
            rf"(?<!\btop\s)(?<!\bbest\s)(?<!\bworst\s)\b{COUNT}\s+(?:day|week|weekend)s?\s+of\s+{_OF}",
            _unread,
        ),
        (rf"(?:\bthe\s+)?\bweek\s+(?:of|containing|with)\s+{_OF}", _week_of),
        (
            rf"(?:\bthe\s+)?(?:\bweek\s+(?:commencing|beginning|starting)|\bw/c)\s+(?:on\s+)?{_OF}",
            _week_from,
        ),
        (rf"(?:\bthe\s+)?\bweekend\s+of\s+{_OF}", _weekend_of),
        (
            rf"(?:\bthe\s+)?(?:\b(?P<count>{COUNT})[\s-]+)?\b{_UNIT}[\s-]+(?:ended|ending)\s+(?:on\s+)?{_OF}",
            _ended,
        ),
        (
            rf"(?:\bthe\s+(?:(?P<count>{COUNT})[\s-]+)?)\b{_UNIT}\s+(?:to|up\s+to)\s+{_OF}",
            _ended,
        ),
        (rf"\b(?P<count>{COUNT})[\s-]+{_UNIT}\s+(?:to|up\s+to)\s+{_OF}", _ended),
        (r"\bw/e\s+(?:on\s+)?(?:the\s+)?$", _week_to),
        (rf"\bthe\s+day\s+(?P<side>before|after)\s+{_OF}", _day_beside),
        (
            rf"\b(?:the|an?|{COUNT})\s+(?:(?:calendar|business|working)\s+)?"
            rf"(?:hour|day|week|weekend|month|quarter|year)s?\s+{_SIDE}\s+{_OF}",
            _unread,
        ),
        (rf"\b(?:run-?\s?up\s+to|ahead\s+of)\s+{_OF}", _unread),
        (rf"\b(?P<edge>start|beginning|end|close)\s+of\s+{_OF}", _edge),
        (r"\b(?:year|month|quarter)[\s-]?end\s+(?:of\s+|in\s+)?$", _edge),
        (
            r"(?:\b(?:mid|middle\s+of|turn\s+of|around|circa|roughly|approximately|approx\.?)[\s-]+|"
            rf"~\s*){_OF}",
            _unread,
        ),
        # "delivered late last month" is no part of a month, "late March" is.
        (rf"\b(?:early|late|later)[\s-]+{_OF}", _early_or_late),
        (r"\bsince\s+at\s+least\s+$|\b(?:mr|mrs|ms|miss|dr)\.?\s+$", _unread),
        (r"\b(?:every|each)\s+(?:other\s+|single\s+)?$", _every),
    )
)
_AFTER: tuple[tuple[re.Pattern[str], _Reader], ...] = tuple(
    (re.compile(pattern, re.IGNORECASE), read)
    for pattern, read in (
        (r"(?:['’]s)?\s+(?:morning|afternoon|evening|night|noon|midnight)s?\b", _of_a_day),
        (
            r"\s+(?:long\s+)?(?:weekend|week(?!\s+(?:over|on|by)\b)|season|holidays|break)\b"
            rf"(?:\s+(?:of\s+|in\s+)?{YEAR})?",
            _of_a_day,
        ),
        (r"\s+(?:of\s+|in\s+)?(?:each|every)\s+year\b", _every_year),
        (r"\s+(?:bank|public)\s+holidays?\b", _unread_through),
    )
)
