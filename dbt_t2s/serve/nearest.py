"""Questions near one that got no answer, of which it is known that they have one.

By the stems they share, each weighed by how few questions have it (Spärck Jones 1972): what two
questions are about, not how they are asked. Well-spoken ones come before all others.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from dbt_t2s.corpus.variety import opening
from dbt_t2s.query.text import STOP_WORDS, stem, words

# A question of so many letters is neither clipped nor laboured.
_PLAIN = 36
# A word that fewer questions have is misspelt, as some are for training, or of one value alone.
_FEWEST = 3
# Besides what is shared, a long question has much that nobody asked for.
_LENGTH = 0.5


@dataclass(frozen=True)
class Known:
    """A question that has an answer; those of one ``skeleton`` are the same question of others.

    ``topic`` is the metric or table that it is about; ``spoken`` its well-spoken form, empty where
    it has none.
    """

    text: str
    skeleton: str
    topic: str = ""
    spoken: str = ""


class Nearest:
    """An index over questions that have answers."""

    def __init__(self, known: Sequence[Known]) -> None:
        # Where some are well-spoken, the others are shown to nobody.
        self._known = tuple(each for each in known if each.spoken) or tuple(known)
        self._stems = [_stems(each.text) for each in self._known]
        self._having: dict[str, list[int]] = {}
        for number, found in enumerate(self._stems):
            for each in found:
                self._having.setdefault(each, []).append(number)

    def find(self, question: str, most: int = 3) -> tuple[str, ...]:
        """The nearest questions, the nearest first, no two alike; else some of each topic."""
        scores: dict[int, float] = {}
        for each in _stems(question):
            having = self._having.get(each, ())
            for number in having:
                weight = math.log(1 + len(self._known) / len(having))
                scores[number] = scores.get(number, 0.0) + weight
        order = sorted(
            scores or range(len(self._known)),
            key=lambda n: (
                self._is_odd(n),
                -scores.get(n, 0.0) / (1 + len(self._stems[n])) ** _LENGTH,
                *self._plainness(n),
            ),
        )
        found: dict[str, str] = {}
        if scores:
            for number in order:
                found.setdefault(self._known[number].skeleton, self._shown(number))
                if len(found) == most:
                    return tuple(found.values())
            order = sorted(range(len(self._known)), key=self._plainness)
        return self._varied(found, order, most)

    def _varied(self, found: dict[str, str], order: Sequence[int], most: int) -> tuple[str, ...]:
        """What was found, and to make it so many some of as many topics and forms as there are."""
        topics: Counter[str] = Counter()
        openings: Counter[str] = Counter()
        left = [n for n in order if self._known[n].skeleton not in found]
        while left and len(found) < most:
            best = min(
                left, key=lambda n: topics[self._known[n].topic] + openings[self._opening(n)]
            )
            known = self._known[best]
            topics[known.topic] += 1
            openings[self._opening(best)] += 1
            found[known.skeleton] = self._shown(best)
            left = [n for n in left if self._known[n].skeleton not in found]
        return tuple(found.values())

    def _plainness(self, number: int) -> tuple[bool, int, int]:
        return self._is_odd(number), abs(len(self._shown(number)) - _PLAIN), number

    def _shown(self, number: int) -> str:
        return self._known[number].spoken or self._known[number].text

    def _opening(self, number: int) -> str:
        return opening(self._shown(number).lower())

    def _is_odd(self, number: int) -> bool:
        """Whether it has words that hardly any other has, and is not known to be well-spoken."""
        return not self._known[number].spoken and any(
            len(self._having[each]) < _FEWEST for each in self._stems[number]
        )


def _stems(text: str) -> frozenset[str]:
    return frozenset(stem(w.text) for w in words(text) if w.text.lower() not in STOP_WORDS)
