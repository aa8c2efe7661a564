"""The shape that a text column's values share: ``AA-999``, email, uuid, ISO date, …

A shape writes every letter as ``A`` or ``a`` and every digit as ``9``, so that it tells what codes
look like without telling any of them.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping

# A format is one only when nearly all values share it: what is left are slips of the pen.
SHARE = 0.95

_UPPER = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_LOWER = _UPPER.lower()
_DIGITS = "0123456789"

_NAMED = (
    ("email", r"[^\s@]+@[^\s@]+\.[^\s@]+"),
    ("url", r"[Aa]{3,5}://\S+"),
    ("uuid", r"[Aa9]{8}(-[Aa9]{4}){3}-[Aa9]{12}"),
    ("ISO timestamp", r"9999-99-99[ AT]99:99(:99(\.9+)?)?(A|[+-]99:?99)?"),
    ("ISO date", r"9999-99-99"),
    ("IBAN", r"AA99 ?([A9]{4} ?){3,7}[A9]{0,4}"),
    ("phone", r"\+9{1,3}[ ./()9-]{6,18}|\(9{2,5}\) ?[ ./9-]{6,14}|9{3}[ -]9{3}[ -]9{4}"),
)
_RUN = re.compile(r"A+|a+|9+")


def shape_sql(column: str) -> str:
    """SQL for the shape of a quoted text column; ``translate`` is in all warehouses but MySQL."""
    onto = "A" * len(_UPPER) + "a" * len(_LOWER) + "9" * len(_DIGITS)
    return f"translate(cast({column} as varchar), '{_UPPER}{_LOWER}{_DIGITS}', '{onto}')"


def shape(value: str) -> str:
    """What ``shape_sql`` gives for one value."""
    return "".join(_shape_of(char) for char in value)


def _shape_of(char: str) -> str:
    if char in _DIGITS:
        return "9"
    return "A" if char in _UPPER else "a" if char in _LOWER else char


def common(shapes: Mapping[str, int]) -> str:
    """The format that at least ``SHARE`` of the values have, from the counts of their shapes.

    Named formats come first, then one shape (``AA-999``), then one shape but for the lengths of its
    runs (``AA-9+``). Words and free numbers have none: the shape must hold a digit beside
    something else, or be a short code in capitals.
    """
    enough = SHARE * sum(shapes.values())
    if not shapes or enough <= 0:
        return ""
    for name, pattern in _NAMED:
        fits = re.compile(pattern).fullmatch
        if sum(count for each, count in shapes.items() if fits(each)) >= enough:
            return name
    for counted in (Counter(shapes), _by_runs(shapes)):
        best, count = max(counted.items(), key=lambda item: (item[1], item[0]))
        if count >= enough and _says_something(best):
            return best
    return ""


def _by_runs(shapes: Mapping[str, int]) -> Counter[str]:
    found: Counter[str] = Counter()
    for each, count in shapes.items():
        found[_RUN.sub(_run, each)] += count
    return found


def _run(match: re.Match[str]) -> str:
    return f"{match.group()[0]}+"


def _says_something(shape: str) -> bool:
    """``AA-999``, ``9999-Q9`` and ``AA`` do; ``Aaaaa``, ``a+`` and ``9+`` do not."""
    if re.fullmatch(r"A{2,4}", shape):
        return True
    return "9" in shape and len(set(shape) - set("9+")) > 0 and len(shape) <= 40
