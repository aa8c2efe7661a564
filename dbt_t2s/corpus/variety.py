"""How varied the wording of questions is: lengths, openings, registers, repetition, vocabulary.

A question's wording is what is left of it without the project's names and values and without
numbers, each of which is a ``_`` (``coverage.Ledger.wording``).
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

_MASKED = "_"
_ASKS = frozenset(
    "what what's how which who who's whose when where why is are was were do does did can could "
    "has have any since".split()
)
_ORDERS = frozenset(
    "show list give find return count get display tell calculate compute compare name report pull "
    "rank sort break split please need want let add".split()
)
_FILLERS = frozenset(("please", "and", "so"))
REGISTERS = ("question", "command", "keywords")
_OPENING = 2  # words
_TENTHS = (1, 5, 9)


@dataclass(frozen=True)
class Variety:
    """The measures over ``questions`` questions.

    ``lengths`` are the numbers of words that a tenth, half and nine tenths of them do not exceed.
    ``openings`` counts different first two words, ``common_opening`` is the most frequent, with its
    share; ``even_openings`` is how many would do if all were as frequent (two to the entropy).
    ``registers`` are shares, in the order of ``REGISTERS``; ``marked`` the share that ends in a
    question mark or full stop, ``lowered`` that without a capital. ``alike`` is the share that
    is worded as an earlier question is. ``vocabulary`` counts different words beyond the
    project's own, ``general`` is their share of all words said.
    """

    questions: int
    lengths: tuple[int, ...]
    openings: int
    even_openings: float
    common_opening: tuple[str, float]
    registers: tuple[float, ...]
    marked: float
    lowered: float
    alike: float
    vocabulary: int
    general: float


def variety(questions: Sequence[str], wordings: Sequence[str]) -> Variety | None:
    """The variety of questions, each with its wording; None of none."""
    if not questions:
        return None
    count = len(questions)
    lengths = sorted(len(question.split()) for question in questions)
    opened = openings(wordings)
    common, times = min(opened.items(), key=lambda pair: (-pair[1], pair[0]))
    if _MASKED not in common.split():  # as it is said, and not its stems
        said = next(q for q, w in zip(questions, wordings, strict=True) if opening(w) == common)
        common = " ".join(said.lower().split()[:_OPENING])
    spoken = Counter(map(register, questions))
    words = [word for wording in wordings for word in wording.split()]
    general = [word for word in words if word != _MASKED]
    return Variety(
        count,
        tuple(lengths[min(count * tenth // 10, count - 1)] for tenth in _TENTHS),
        len(opened),
        2 ** _entropy(opened),
        (common, times / count),
        tuple(spoken[each] / count for each in REGISTERS),
        sum(question.rstrip().endswith(("?", ".", "!")) for question in questions) / count,
        sum(question == question.lower() for question in questions) / count,
        1 - len(set(wordings)) / count,
        len(set(general)),
        len(general) / max(len(words), 1),
    )


def opening(wording: str) -> str:
    """The first two words of a wording."""
    return " ".join(wording.split()[:_OPENING])


def register(question: str) -> str:
    """One of ``REGISTERS``: how a question is put."""
    words = (word.strip(",.:;!?") for word in question.lower().split())
    first = next((word for word in words if word not in _FILLERS), "")
    if "?" in question or first in _ASKS:
        return "question"
    return "command" if first in _ORDERS else "keywords"


def divergence(one: Counter[str], two: Counter[str]) -> float:
    """Jensen–Shannon divergence of two counts in bits: 0 for the same shares, 1 for none in common;
    nan where one is empty."""
    left, right = one.total(), two.total()
    if not left or not right:
        return math.nan
    found = 0.0
    for each in sorted({*one, *two}):
        p, q = one[each] / left, two[each] / right
        mean = (p + q) / 2
        found += sum(x * math.log2(x / mean) / 2 for x in (p, q) if x)
    return found


def openings(wordings: Iterable[str]) -> Counter[str]:
    """How often each opening is said."""
    return Counter(map(opening, wordings))


def general_words(wordings: Iterable[str]) -> Counter[str]:
    """How often each word beyond the project's own is said."""
    return Counter(word for each in wordings for word in each.split() if word != _MASKED)


def _entropy(counts: Counter[str]) -> float:
    total = counts.total()
    return -sum(n / total * math.log2(n / total) for n in counts.values())
