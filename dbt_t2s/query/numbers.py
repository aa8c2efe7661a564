"""Numbers in a question: digits, words, multiples and per cent."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal

_WORDS = {
    word: number
    for number, word in enumerate(
        "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen "
        "fifteen sixteen seventeen eighteen nineteen twenty".split()
    )
} | {"dozen": 12, "thirty": 30, "forty": 40, "fifty": 50, "hundred": 100, "thousand": 1000}
_SCALES = {"k": 10**3, "thousand": 10**3, "m": 10**6, "mn": 10**6, "million": 10**6, "hundred": 100}
_NUMBER = re.compile(
    r"(?<![\w.])(?P<digits>\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?)"
    r"(?:\s?(?P<scale>k|m|mn|million|thousand|hundred)\b)?(?P<percent>\s?%|\s+percent|\s+per cent)?"
    rf"|\b(?P<word>{'|'.join(_WORDS)})\b",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class NumberSpan:
    """A number as text at ``start``:``end``; per cents also give their fraction."""

    value: str
    start: int
    end: int


def number_spans(text: str) -> tuple[NumberSpan, ...]:
    """Every number in ``text`` in order ("20%" gives both 20 and 0.2)."""
    found: list[NumberSpan] = []
    for match in _NUMBER.finditer(text):
        if match["word"]:
            value = Decimal(_WORDS[match["word"].lower()])
        else:
            value = Decimal(match["digits"].replace(",", ""))
            value *= _SCALES.get((match["scale"] or "").lower(), 1)
        found.append(NumberSpan(_plain(value), match.start(), match.end()))
        if match["percent"]:
            found.append(NumberSpan(_plain(value / 100), match.start(), match.end()))
    return tuple(found)


def _plain(value: Decimal) -> str:
    text = format(value.normalize(), "f")
    return text if "." not in text else text.rstrip("0").rstrip(".")
