"""How people say dates and amounts, and the slips of typing."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from random import Random

from dbt_t2s.project.schema import FiscalYear
from dbt_t2s.query.dates import date_spans
from dbt_t2s.query.fiscal import fiscal_year_of
from dbt_t2s.query.plan import Range

_MONTHS = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
]
_NUMBER_WORDS = [
    "zero",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
]
_FISCAL = 0.25  # of the dates of a project that says when its fiscal years begin


@dataclass(frozen=True)
class SaidDate:
    """A date phrase with its preposition, and the range that ``dates`` reads from it."""

    text: str
    range: Range


def say_date(
    rng: Random, today: date, first: date, last: date, fiscal: FiscalYear | None = None
) -> SaidDate | None:
    """A phrase for some period within the data (``first`` to ``last``); None if it reads as none.

    What a phrase means is asked of ``dates.date_spans``, the one place that knows.
    """
    text = _date_text(rng, first, last, fiscal)
    spans = date_spans(text, today, fiscal)
    if len(spans) != 1:
        return None
    return SaidDate(text, spans[0].range)


def _date_text(rng: Random, first: date, last: date, fiscal: FiscalYear | None) -> str:
    days = max((last - first).days, 1)
    day = first + timedelta(days=rng.randrange(days))
    in_ = rng.choice(("in", "in", "in", "for", "during", "within"))
    if fiscal and rng.random() < _FISCAL:
        return rng.choice(_fiscal(day, in_, fiscal))
    if rng.random() < 0.4:
        return rng.choice(_relative(rng))
    return rng.choice((*_months(day, in_), *_days(day, rng), *_years(day, in_, last)))


def _fiscal(day: date, in_: str, fiscal: FiscalYear) -> tuple[str, ...]:
    """The fiscal year and quarter that a day is in, and those told from today."""
    year = fiscal_year_of(fiscal, day)
    months = (day.month - fiscal.month) % 12
    quarter, half = months // 3 + 1, months // 6 + 1
    nth = ("first", "second", "third", "fourth")[quarter - 1]
    short = f"{year % 100:02d}"
    return (
        *(f"{in_} FY{short}", f"{in_} fy{short}", f"{in_} FY{year}", f"{in_} FY {year}"),
        *(f"{in_} fiscal {year}", f"{in_} fiscal year {year}", f"{in_} financial year {year}"),
        *(f"{in_} Q{quarter} FY{short}", f"{in_} FY{short} Q{quarter}", f"{in_} fiscal Q{quarter}"),
        *(f"{in_} the {nth} quarter of fiscal {year}", f"{in_} Q{quarter} of FY{year}"),
        *(f"{in_} H{half} FY{short}", f"since FY{short}", f"before FY{year}"),
        *("last fiscal year", "this fiscal year", "in the previous fiscal year", "FYTD"),
        *("last fiscal quarter", "this fiscal quarter", "fiscal year to date"),
    )


def _relative(rng: Random) -> tuple[str, ...]:
    """Periods that are told from today."""
    count = rng.choice((2, 3, 6, 7, 10, 12, 14, 30, 60, 90))
    unit = "days" if count >= 14 or count == 10 else rng.choice(("days", "weeks", "months"))
    few = _NUMBER_WORDS[min(count, 10)]
    return (
        *("last month", "last month", "this month", "last year", "last year", "this year"),
        *("this year so far", "last quarter", "this quarter", "last week", "this week"),
        *("year to date", "YTD", "in the current year", "in the previous month", "yesterday"),
        *("so far this year", "so far this month", "month to date", "mtd", "qtd", "today"),
        *("the year before last", "last monday", "since easter", f"the last {few} {unit}"),
        *("two years ago", "a month ago", "the day before yesterday", "this month last year"),
        *(f"on the {rng.randint(4, 20)}th of last month", "last weekend", "last 3 full months"),
        *(f"in the last {count} {unit}", f"in the past {count} {unit}"),
        *(f"over the last {count} {unit}", f"these past {count} {unit}"),
    )


def _months(day: date, in_: str) -> tuple[str, ...]:
    """Months and quarters of the calendar."""
    month, year, quarter = _MONTHS[day.month - 1], day.year, (day.month - 1) // 3 + 1
    short = month[:3] if month != "September" else "Sept"
    next_ = f"between {month} and {_MONTHS[day.month % 12]} {year}"
    nth = ("first", "second", "third", "fourth")[quarter - 1]
    return (
        *(f"{in_} {month} {year}", f"{in_} {month} {year}", f"{in_} {short} {year}"),
        *(f"{in_} {month}", f"{in_} {month}, {year}", f"in {year}-{day.month:02d}"),
        *(f"{in_} Q{quarter} {year}", f"{in_} q{quarter}", f"{in_} Q{quarter} of {year}"),
        *(f"in Q{quarter} '{year % 100:02d}", f"Q{quarter} {year}", f"Q{quarter}"),
        f"{in_} the {nth} quarter of {year}",
        *(f"since {month} {year}", f"before {month} {year}", f"after {month} {year}"),
        *(f"until {month} {year}", f"from {month} {year} on", f"last {month}"),
        *(f"{in_} {month} last year", f"{in_} {short}-{year}", f"{in_} Q{quarter} last year"),
        f"{in_} the first 10 days of {month} {year}",
        *(f"{month} {year}", f"{short} {year}", f"{in_} {day.month:02d}/{year}"),
        *(f"in week {day:%V} of {day:%G}", f"{in_} q{quarter} {year % 100:02d}"),
        next_ if day.month < 12 else f"{in_} {month}",
        f"from {_MONTHS[max(day.month - 3, 0)]} to {month} {year}"
        if day.month > 1
        else f"from January to March {year}",
    )


def _days(day: date, rng: Random) -> tuple[str, ...]:
    month = _MONTHS[day.month - 1]
    end = day + timedelta(days=rng.choice((6, 9, 13, 20, 30)))
    return (
        f"on {day.isoformat()}",
        f"on {month} {day.day}, {day.year}",
        f"on {day.day} {month} {day.year}",
        f"on {month} {day.day}",
        f"from {day.isoformat()} to {end.isoformat()}",
        f"on or before {month} {day.day} {day.year}",
        f"no later than {day.isoformat()}",
        f"on or after {day.day} {month[:3]} {day.year}",
        f"in the week of {month} {day.day}, {day.year}",
    )


def _years(day: date, in_: str, last: date) -> tuple[str, ...]:
    year, late = day.year, day.month > 6
    return (
        *(f"{in_} {year}",) * 4,
        *(f"{year}", f"all of {year}", f"back in {year}", f"since {year}", f"before {year}"),
        *(f"since the start of {year}", f"{in_} H{1 + late} {year}"),
        *(f"in {year} or later", f"{year} onwards", f"until the end of {year}"),
        f"{in_} the {('first', 'second')[late]} half of {year}",
        f"between {year} and {year + 1}" if year < last.year else f"{in_} {year}",
    )


def say_number(rng: Random, number: int) -> str:
    if 0 < number <= 10 and rng.random() < 0.4:
        return _NUMBER_WORDS[number]
    if number >= 1000 and rng.random() < 0.5:
        return f"{number:,}"
    if number >= 1000 and number % 1000 == 0 and rng.random() < 0.5:
        return f"{number // 1000}k"
    return str(number)


COMPARED = {
    "GT": (
        *("more than", "more than", "more than", "over", "over"),
        *("above", "greater than", "higher than", "exceeding", ">"),
    ),
    "GE": ("at least", "at least", "no less than", "or more", ">=", "minimum"),
    "LT": ("less than", "less than", "under", "under", "below", "fewer than", "lower than", "<"),
    "LE": ("at most", "at most", "no more than", "up to", "<=", "or less"),
    "EQ": ("exactly", "equal to"),
}


def say_compared(rng: Random, operator: str, number: str) -> str:
    """``more than 5``, ``5 or more``."""
    word = rng.choice(COMPARED[operator])
    if word.startswith("or "):
        return f"{number} {word}"
    return f"{word} {number}"


def tidy(text: str) -> str:
    """One article where two met, no space before a comma."""
    text = re.sub(r"\b(?:the|our|a|an) (the|our|all|overall) ", r"\1 ", text)
    text = re.sub(r"\b(their|its|best|worst|most|highest|lowest|top) (?:the|our) ", r"\1 ", text)
    text = re.sub(r"\s+([,?.:])", r"\1", text)
    return re.sub(r"\s+", " ", text).strip(" ,")


_CONTRACTED = {"what is": "what's", "how many": "how many", "who is": "who's", "i would": "i'd"}
_NEAR_KEYS = {
    "a": "s", "b": "v", "c": "x", "d": "f", "e": "r", "f": "g", "g": "h", "h": "j", "i": "o",
    "j": "k", "k": "l", "l": "k", "m": "n", "n": "m", "o": "i", "p": "o", "q": "w", "r": "t",
    "s": "a", "t": "y", "u": "i", "v": "b", "w": "e", "x": "c", "y": "u", "z": "x",
}  # fmt: skip


# What a slip may make of "count" or "shift", and nobody wants to read.
_RUDE = re.compile("cunt|shit|fuck|cock|dick|piss|slut|twat|whore|arse|tits")


def decent(slipped: str, word: str) -> str:
    """The slip, or the word as it was where the slip made it a rude one."""
    rude = _RUDE.search(slipped.lower()) and not _RUDE.search(word.lower())
    return word if rude else slipped


def _slip(rng: Random, word: str) -> str:
    at = rng.randrange(1, len(word) - 1)
    way = rng.random()
    if way < 0.35:
        return word[:at] + word[at + 1 :]
    if way < 0.65:
        return word[:at] + word[at + 1] + word[at] + word[at + 2 :]
    if way < 0.85:
        return word[:at] + word[at] + word[at:]
    return word[:at] + _NEAR_KEYS.get(word[at], word[at]) + word[at + 1 :]


def roughen(rng: Random, text: str, kept: Sequence[str]) -> str:
    """Case, punctuation and typing as people leave them; words in ``kept`` stay as they are."""
    if rng.random() < 0.1:
        for full, short in _CONTRACTED.items():
            text = text.replace(full, short)
    if rng.random() < 0.06:
        safe = {w.lower() for k in kept for w in re.findall(r"\w+", k)}
        parts = text.split(" ")
        able = [
            i for i, p in enumerate(parts) if len(p) > 4 and p.isalpha() and p.lower() not in safe
        ]
        if able:
            at = rng.choice(able)
            parts[at] = decent(_slip(rng, parts[at]), parts[at])
            text = " ".join(parts)
    way = rng.random()
    if way < 0.4:
        text = text[:1].upper() + text[1:]
    elif way < 0.7:
        text = text.lower()
    asks = re.match(
        r"(?:\w+[,:] )?(what|how|which|who|when|where|is|are|do|does|did|can|could)\b", text, re.I
    )
    way = rng.random()
    if text[-1:] not in "?.!" and way < (0.5 if asks else 0.1):
        text += "?" if asks else "."
    return re.sub(r"\s+", " ", text).strip()
