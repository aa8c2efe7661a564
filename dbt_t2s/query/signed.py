"""Numbers told by what stands before them: "below -5", "less than minus five", "over 1 500".

A dash and a space between digits mean other things as well ("2024 -2023", "top 5 100 ml bottles"):
they belong to a number where a comparison or a currency leaves nothing else.
"""

from __future__ import annotations

import re

_UNIT = r"(?:[$€£]\s?|(?:usd|eur|gbp)\s)?"
_COMPARED = (
    r"(?:\b(?:over|above|under|below|beneath|exceed(?:s|ed|ing)?|than(?:\s+or\s+equal\s+to)?|"
    r"at\s+least|at\s+(?:the\s+)?most|exactly|equals?(?:\s+to)?|up\s+to|(?:minimum|maximum)\s+of|"
    r"between)\s+|[<>=≤≥]\s*)"
)
_AFTER_AND = r"\bbetween\s[^?!;,]{1,32}\s(?:and|to)\s+"
_LED = re.compile(rf"(?:{_COMPARED}|{_AFTER_AND}){_UNIT}$", re.IGNORECASE)
_MINUS = re.compile(r"(?:[-−–]\s?|\b(?:minus|negative)\s+)$", re.IGNORECASE)
_DASH = re.compile(r"\b(?:of|at|is|are|was|were)\s+[-−]$", re.IGNORECASE)
_THOUSANDS = re.compile(
    r"(?<![\w.,/:])\d{1,3}(?:(?P<space>[ \u00a0\u202f])\d{3})(?:(?P=space)\d{3})*(?:\.\d+)?"
    r"(?![\w%/:-]|[.,]\d|\s\d)"
)
_MONEY_BEFORE = re.compile(r"[$€£]\s?$")
_MONEY_AFTER = re.compile(r"\s?(?:[€$£]|(?:eur|euros?|usd|dollars?|gbp|pounds?)\b)", re.IGNORECASE)
_COUNTED = re.compile(r"\b(?:top|first|last|best|worst|bottom|these|those|the|all)\s$", re.I)
# "More than 3 500 g packs".
_MEASURE = re.compile(r"\s(?:m?g|kg|[mc]?l|[mck]?m|[kmg]b|ct|hp|k?w|inch|pages?|pieces?)\b", re.I)
_NEAR = 48  # characters before a number that tell of it


def minus_before(text: str, at: int) -> int | None:
    """Where the minus of the number at ``at`` begins; None where there is none."""
    near = max(at - _NEAR, 0)
    sign = _MINUS.search(text, near, at)
    if sign and (_LED.search(text, near, sign.start()) or _DASH.search(text, near, at)):
        return sign.start()
    return None


def spaced_thousands(text: str) -> list[re.Match[str]]:
    """Numbers with spaces before their last three digits, as "1 500" and "2 000 000"."""
    return [each for each in _THOUSANDS.finditer(text) if _is_one(text, each)]


def _is_one(text: str, found: re.Match[str]) -> bool:
    if found["space"] != " ":
        return True  # nobody types one that does not break but inside a number
    start, end = found.span()
    near = max(start - _NEAR, 0)
    if _MEASURE.match(text, end):
        return False
    if _MONEY_BEFORE.search(text, near, start) or _LED.search(text, near, start):
        return True
    if (sign := _MINUS.search(text, near, start)) and _LED.search(text, near, sign.start()):
        return True
    return bool(_MONEY_AFTER.match(text, end)) and not _COUNTED.search(text, near, start)
