"""What a question says of its numbers: more than 5, at least 5, 5 or fewer, between 5 and 9.

Read by patterns right before and after a number; where none fits, or a number is said twice with
another meaning, nothing is known of it. Whatever can mean two things ("over the last 3 months",
"from 5 to 9" as a change) is left out.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from dbt_t2s.query.numbers import NumberSpan, number_spans

_UNIT = r"(?:[$€£]\s?|usd\s|eur\s|the\s|an?\s|a total of\s|only\s|just\s)?"
_GREATER = (
    "more|greater|larger|higher|bigger|older|longer|taller|heavier|wider|later|faster|further|"
    "farther|deeper"
)
_SMALLER = "less|fewer|smaller|lower|younger|shorter|cheaper|lighter|narrower|earlier|slower|nearer"
# "Not older than", "don't have any more than".
_NO = re.compile(
    r"(?:\b(?:no|not|never|cannot|(?:do|does|did|is|are|was|were|has|have)nt)|n[’']t)"
    r"(?: (?:any|be|been|have|has|had|cost|costs)){0,2} $",
    re.IGNORECASE,
)
_OPPOSITE = {"GT": "LE", "GE": "LT", "LT": "GE", "LE": "GT", "EQ": ""}
# What stands right before a number; the first that fits counts.
_BEFORE: tuple[tuple[str, str], ...] = (
    (rf"\b(?:{_GREATER}) than or equal(?:s)? to|\b(?:{_GREATER}) or equal(?: to| than)?", "GE"),
    (rf"\b(?:{_SMALLER}) than or equal(?:s)? to|\b(?:{_SMALLER}) or equal(?: to| than)?", "LE"),
    (rf"\b(?:{_GREATER}) than|\bexceed(?:s|ed|ing)?", "GT"),
    (rf"\b(?:{_SMALLER}) than", "LT"),
    (r"\b(?:over|above)", "GT"),
    (r"\b(?:under|below)", "LT"),
    (r"\bat least|\ba minimum of|\bminimum of", "GE"),
    (r"\bat (?:the )?most|\ba maximum of|\bmaximum of|\bup to", "LE"),
    (r">=|≥|=>", "GE"),
    (r"<=|≤|=<", "LE"),
    (r"(?<![<=-])>", "GT"),
    (r"<(?![>=])", "LT"),
    (r"\bexactly|\bequal(?:s)?(?: to)?|\bprecisely", "EQ"),
)
# Of years alone: "after 3 days" is no comparison.
_YEARS = ((r"\bafter", "GT"), (r"\bbefore|\bprior to", "LT"), (r"\bsince", "GE"))
_AFTER: tuple[tuple[str, str], ...] = (
    (
        r"(?: \w+)? or (?:more|greater|higher|above|over|older|longer|larger|bigger)\b(?! than)",
        "GE",
    ),
    (r"(?: \w+)? or (?:less|fewer|lower|below|under|younger|shorter|smaller)\b(?! than)", "LE"),
    (r"\+(?!\w)", "GE"),
)
_FIRST = tuple((re.compile(rf"(?:{p})\s{{0,2}}{_UNIT}$", re.IGNORECASE), op) for p, op in _BEFORE)
_YEAR = tuple((re.compile(rf"(?:{p}) (?:the )?(?:year )?$", re.IGNORECASE), o) for p, o in _YEARS)
_THEN = tuple((re.compile(p, re.IGNORECASE), op) for p, op in _AFTER)
_BETWEEN = re.compile(rf"\bbetween\s{_UNIT}$", re.IGNORECASE)
_AND = re.compile(rf"^(?: \w+)?\s?(?:and|&|to|-)\s{_UNIT}$", re.IGNORECASE)
_IS_YEAR = re.compile(r"(?:1[89]|20)\d\d")
_REACH = 40


@dataclass(frozen=True)
class SaidBounds:
    """``operators`` of numbers, as in plans (``GT``); ``ranges`` are lowest and highest number."""

    operators: tuple[tuple[str, str], ...] = ()
    ranges: tuple[tuple[str, str], ...] = ()

    def operator(self, number: str) -> str:
        """What is said of the number, empty where nothing is."""
        return next((operator for each, operator in self.operators if each == number), "")


def said_bounds(text: str) -> SaidBounds:
    """What ``text`` says of each of its numbers."""
    spans = number_spans(text)
    ranges = tuple(_ranges(text, spans))
    inside = {number for pair in ranges for number in pair}
    operators: dict[str, set[str]] = {}
    for span in spans:
        operators.setdefault(span.value, set()).add(_operator(text, span))
    known = {n: next(iter(said)) for n, said in operators.items() if len(said) == 1}
    return SaidBounds(
        tuple((n, op) for n, op in known.items() if op and n not in inside),
        tuple(pair for pair in ranges if all(len(operators[n]) == 1 for n in pair)),
    )


def _ranges(text: str, spans: Sequence[NumberSpan]) -> Iterator[tuple[str, str]]:
    for first, last in pairwise(spans):
        if _BETWEEN.search(text[: first.start][-_REACH:]) and _AND.search(
            text[first.end : last.start]
        ):
            low, high = sorted((first.value, last.value), key=float)
            if low != high:
                yield low, high


def _operator(text: str, span: NumberSpan) -> str:
    before, after = text[: span.start][-_REACH:], text[span.end :][:_REACH]
    for pattern, operator in _THEN:
        if pattern.match(after):
            return operator
    patterns = (*_FIRST, *(_YEAR if _IS_YEAR.fullmatch(span.value) else ()))
    for pattern, operator in patterns:
        if found := pattern.search(before):
            return _OPPOSITE[operator] if _NO.search(before[: found.start()]) else operator
    return ""
