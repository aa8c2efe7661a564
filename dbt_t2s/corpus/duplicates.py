"""Near-duplicates: questions in nearly the same words.

Two questions are near when they share ``NEAR`` of all pairs of neighbouring words that either holds
(Jaccard). They are found exactly by prefix filtering (Chaudhuri, Ganti, Kaushik 2006): under any
one order of the pairs, sets that share so much share one of their few first ones.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable
from math import ceil

NEAR = 0.8
_NUMBER = re.compile(r"\d+")
_WORD = re.compile(r"\w+")
Pairs = frozenset[tuple[str, str]]


def pairs_of(question: str) -> Pairs:
    """The question's pairs of neighbouring words, its ends included; all numbers are one word."""
    words = _WORD.findall(_NUMBER.sub("0", question.lower()))
    return frozenset(zip(("^", *words), (*words, "$"), strict=True))


class NearIndex:
    """Questions by position, and those near another one.

    ``sample`` shows which pairs are common: rare ones first keep the look-ups short.
    """

    def __init__(self, sample: Iterable[str] = ()) -> None:
        self._common = Counter(pair for question in sample for pair in pairs_of(question))
        self._sets: list[Pairs] = []
        self._holders: dict[tuple[str, str], list[int]] = defaultdict(list)

    def near(self, question: str) -> tuple[int, ...]:
        """The positions of the questions that are near this one."""
        pairs = pairs_of(question)
        found = {each for pair in self._prefix(pairs) for each in self._holders.get(pair, ())}
        return tuple(sorted(each for each in found if _is_near(self._sets[each], pairs)))

    def add(self, question: str) -> None:
        """Puts the question at the next position."""
        pairs = pairs_of(question)
        for pair in self._prefix(pairs):
            self._holders[pair].append(len(self._sets))
        self._sets.append(pairs)

    def _prefix(self, pairs: Pairs) -> list[tuple[str, str]]:
        ordered = sorted(pairs, key=lambda pair: (self._common[pair], pair))
        return ordered[: len(pairs) - ceil(NEAR * len(pairs)) + 1]


def _is_near(one: Pairs, two: Pairs) -> bool:
    shared = len(one & two)
    return shared >= NEAR * (len(one) + len(two) - shared)
