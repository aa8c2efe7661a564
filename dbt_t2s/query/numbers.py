"""Numbers in a question: digits, words, multiples, per cent and what is below nought."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from dbt_t2s.query.signed import minus_before, spaced_thousands

_WORDS = {
    "zero": 0, "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7,
    "eight": 8, "nine": 9, "ten": 10, "eleven": 11, "twelve": 12, "thirteen": 13, "fourteen": 14,
    "fifteen": 15, "sixteen": 16, "seventeen": 17, "eighteen": 18, "nineteen": 19, "twenty": 20,
    "dozen": 12, "thirty": 30, "forty": 40, "fifty": 50, "hundred": 100, "thousand": 1000,
    "million": 10**6, "once": 1, "twice": 2, "thrice": 3,
}  # fmt: skip
_SCALES = {
    "k": 10**3, "thousand": 10**3, "m": 10**6, "mn": 10**6, "mio": 10**6, "million": 10**6,
    "bn": 10**9, "billion": 10**9, "hundred": 100,
}  # fmt: skip
_NUMBER = re.compile(
    r"(?<![\w.])(?P<digits>\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?)"
    rf"(?:\s?(?P<scale>{'|'.join(_SCALES)})\b)?(?P<percent>\s?%|\s+percent|\s+per cent)?"
    rf"|\b(?P<half>half an?\s)?(?P<word>{'|'.join(_WORDS)})"
    r"(?:\s(?P<times>hundred|thousand|million))?\b",
    re.IGNORECASE,
)
_TENS = frozenset(("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"))
_IN_WORDS = {
    **{k: v for k, v in _WORDS.items() if k not in ("once", "twice", "thrice", "dozen")},
    "sixty": 60, "seventy": 70, "eighty": 80, "ninety": 90,
}  # fmt: skip
# Two or more words for one number: "twenty-five", "two thousand five hundred".
_RUN = re.compile(
    rf"\b(?:{'|'.join(_IN_WORDS)})(?:(?:\s+and\s+|[\s-]+)(?:{'|'.join(_IN_WORDS)}))+\b",
    re.IGNORECASE,
)
# A day and a month, whichever is which: left unread as a date, and three numbers to nobody.
_DAY = re.compile(
    r"(?<![\d/-])(?:0?[1-9]|1[0-2])([/-])(?:0?[1-9]|1[0-2])\1(?:\d{4}|\d\d)(?![\d/-])"
)
_METRES = re.compile(r"\d m$", re.IGNORECASE)


@dataclass(frozen=True)
class NumberSpan:
    """A number as text at ``start``:``end``; per cents also give their fraction."""

    value: str
    start: int
    end: int


def number_spans(text: str) -> tuple[NumberSpan, ...]:
    """Every number in ``text`` in order; "20%" is 20 and 0.2, "200 m" millions or metres."""
    found = [*_runs(text), *_spaced(text)]
    taken = [(run.start, run.end) for run in found]
    days = [day.span() for day in _DAY.finditer(text)]
    for match in _NUMBER.finditer(text):
        if any(start <= match.start() < end for start, end in (*days, *taken)):
            continue
        if match["word"]:
            times = _SCALES.get((match["times"] or "").lower(), 1)
            value = Decimal(_WORDS[match["word"].lower()] * times) / (2 if match["half"] else 1)
        else:
            value = Decimal(match["digits"].replace(",", ""))
            value *= _SCALES.get((match["scale"] or "").lower(), 1)
        found.append(NumberSpan(_plain(value), match.start(), match.end()))
        if _METRES.search(match.group()):
            digits = Decimal(match["digits"].replace(",", ""))
            found.append(NumberSpan(_plain(digits), match.start(), match.end()))
        if match["percent"]:
            found.append(NumberSpan(_plain(value / 100), match.start(), match.end()))
    return tuple(sorted((_signed(text, each) for each in found), key=lambda span: span.start))


def _spaced(text: str) -> Iterator[NumberSpan]:
    for match in spaced_thousands(text):
        digits = Decimal(re.sub(r"\s", "", match.group()))
        yield NumberSpan(_plain(digits), match.start(), match.end())


def _signed(text: str, span: NumberSpan) -> NumberSpan:
    start = minus_before(text, span.start)
    if start is None or span.value == "0":
        return span
    return replace(span, value=f"-{span.value}", start=start)


def _runs(text: str) -> Iterator[NumberSpan]:
    """Numbers of several words; "one two" are numbers of one word each."""
    for run in _RUN.finditer(text):
        value = _in_words([w.lower() for w in re.findall(r"[A-Za-z]+", run.group())])
        if value is not None:
            yield NumberSpan(str(value), run.start(), run.end())


def _in_words(said: Sequence[str]) -> int | None:
    """The number that words spell; None where they spell several, or none."""
    total = part = 0
    least = 10**9  # what follows a scale is smaller than it
    last = ""
    for word in said:
        if word == "and":
            continue
        value = _IN_WORDS[word]
        if word in ("thousand", "million"):
            if not part or value >= least:
                return None
            total, part, least = total + part * value, 0, value
        elif word == "hundred":
            if part >= 20:
                return None
            part = (part or 1) * 100
        elif not part or _goes_on(part, last, value):
            part += value
        else:
            return None
        last = word
    return total + part


def _goes_on(part: int, last: str, value: int) -> bool:
    """Whether ``value`` may follow: "twenty" and 5, "two hundred" and 20."""
    return value > 0 and (value < 10 if last in _TENS else part % 100 == 0 and value < 100)


def _plain(value: Decimal) -> str:
    text = format(value.normalize(), "f")
    return text if "." not in text else text.rstrip("0").rstrip(".")
