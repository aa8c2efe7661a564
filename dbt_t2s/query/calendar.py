"""Arithmetic of the calendar, and the words for its months, weekdays, counts and holidays."""

from __future__ import annotations

from datetime import date, timedelta

from dateutil.easter import easter
from dateutil.relativedelta import relativedelta

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
COUNTS = {
    "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6,
    "seven": 7, "eight": 8, "nine": 9, "ten": 10, "eleven": 11, "twelve": 12,
}  # fmt: skip
ORDINALS = {
    "first": 1, "second": 2, "third": 3, "fourth": 4, "fifth": 5, "sixth": 6, "seventh": 7,
    "eighth": 8, "ninth": 9, "tenth": 10, "1st": 1, "2nd": 2, "3rd": 3, "4th": 4,
}  # fmt: skip
_FIXED = {
    "new year's day": (1, 1), "valentine's day": (2, 14), "valentines day": (2, 14),
    "st patrick's day": (3, 17), "halloween": (10, 31), "singles day": (11, 11),
    "christmas eve": (12, 24), "christmas day": (12, 25), "christmas": (12, 25),
    "boxing day": (12, 26), "new year's eve": (12, 31), "new years eve": (12, 31),
}  # fmt: skip
_FROM_EASTER = {"easter": 0, "easter sunday": 0, "good friday": -2, "easter monday": 1}
_FROM_BLACK_FRIDAY = {"black friday": 0, "cyber monday": 3}
HOLIDAYS = tuple(sorted({*_FIXED, *_FROM_EASTER, *_FROM_BLACK_FRIDAY}, key=len, reverse=True))
# As typed in haste; the year beside a misspelt month is not the whole of it.
MISSPELT = ("janurary", "januray", "febuary", "feburary", "septemeber", "setember", "ocotber",
            "novemeber", "decemeber", "agust", "augest")  # fmt: skip

# What a text must hold to name a number, a month, a day, a unit or a holiday.
A_DIGIT = tuple("0123456789")
A_MONTH = (*_MONTHS, "ocotber")
A_DAY = ("day",)
A_UNIT = ("day", "week", "month", "quarter", "year")
A_HOLIDAY = tuple(sorted({name.split()[-1] for name in HOLIDAYS}))

YEAR = r"(?:19|20)\d\d(?!\d)"
SHORT_YEAR = r"['’]\d\d(?!\d)"
UNIT = r"(?P<unit>day|week|month|quarter|year)s?"
UNITS = r"(?:day|week|month|quarter|year)s?"
COUNT = rf"(?:\d+|{'|'.join(COUNTS)})"
WEEKDAY = r"(?:mon|tues|wednes|thurs|fri|satur|sun)day"
_MONTH = (
    r"jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|"
    r"sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?|" + "|".join(MISSPELT)
)
MONTH = rf"(?:{_MONTH})\b\.?"


NAMED_MONTH = rf"(?P<name>{_MONTH})\b\.?"
JOINED_MONTH = rf"(?P<name>{_MONTH})"  # as in 10MAR2024


def month_number(name: str) -> int:
    return _MONTHS.index(name[:3].lower()) + 1


def weekday_number(name: str) -> int:
    return _WEEKDAYS.index(name[:3].lower())


def count_of(text: str) -> int:
    """A count in digits or words; 0 where it is neither."""
    return int(text) if text.isdecimal() else COUNTS.get(text.lower(), 0)


def month_after(day: date, months: int = 1) -> date:
    return day.replace(day=1) + relativedelta(months=months)


def unit_start(unit: str, day: date) -> date:
    """The first day of the week (Monday), month, quarter or year that ``day`` is in."""
    if unit == "day":
        return day
    if unit == "week":
        return day - timedelta(days=day.weekday())
    if unit == "month":
        return day.replace(day=1)
    if unit == "quarter":
        return date(day.year, 3 * ((day.month - 1) // 3) + 1, 1)
    return date(day.year, 1, 1)


def shift(day: date, unit: str, count: int) -> date:
    if unit == "quarter":
        return day + relativedelta(months=3 * count)
    steps = {"day": "days", "week": "weeks", "month": "months", "year": "years"}
    return day + relativedelta(**{steps[unit]: count})  # type: ignore[arg-type]


def safe_date(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None


def full_year(text: str, today: date) -> int:
    """``'24`` is 2024, ``'98`` 1998: of two centuries the one that is not far ahead."""
    number = int(text.strip("'’"))
    if len(text.strip("'’")) > 2:
        return number
    return 1900 + number if 2000 + number > today.year + 20 else 2000 + number


def plain_name(name: str) -> str:
    """A holiday's name as ``HOLIDAYS`` has it."""
    return name.lower().replace("’", "'")


def holiday(name: str, year: int) -> date:
    """The day of ``name`` (one of ``HOLIDAYS``) in ``year``."""
    if name in _FROM_EASTER:
        return easter(year) + timedelta(days=_FROM_EASTER[name])
    if name in _FROM_BLACK_FRIDAY:
        first = date(year, 11, 1)
        thursday = first + timedelta(days=(3 - first.weekday()) % 7 + 21)
        return thursday + timedelta(days=1 + _FROM_BLACK_FRIDAY[name])
    return date(year, *_FIXED[name])


def nth_weekday(month: date, number: int, nth: int) -> date | None:
    """The ``nth`` such weekday of the month that begins on ``month``; 0 is the last."""
    if nth == 0:
        last = month_after(month) - timedelta(days=1)
        return last - timedelta(days=(last.weekday() - number) % 7)
    day = month + timedelta(days=(number - month.weekday()) % 7 + 7 * (nth - 1))
    return day if day.month == month.month else None


def year_of(way: str, today: date) -> int:
    """The year that "last", "this" or "next" year is."""
    way = way.lower()
    if way.startswith(("last", "prev", "prior", "past")):
        return today.year - 1
    return today.year + (way.startswith(("next", "coming")))
