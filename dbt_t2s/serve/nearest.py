"""Questions near one that got no answer, of which it is known that they have one.

By the stems they share, each weighed by how few questions have it (Spärck Jones 1972): what two
questions are about, not how they are asked.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from dbt_t2s.query.text import STOP_WORDS, stem, words

# A question of so many letters is neither clipped nor laboured.
_PLAIN = 36
# A word that fewer questions have is misspelt, as some are for training, or of one value alone.
_FEWEST = 3
# Besides what is shared, a long question has much that nobody asked for.
_LENGTH = 0.5


@dataclass(frozen=True)
class Known:
    """A question that has an answer; those of one ``skeleton`` are the same question of others."""

    text: str
    skeleton: str


class Nearest:
    """An index over questions that have answers."""

    def __init__(self, known: Sequence[Known]) -> None:
        self._known = tuple(known)
        self._stems = [_stems(each.text) for each in known]
        self._having: dict[str, list[int]] = {}
        for number, found in enumerate(self._stems):
            for each in found:
                self._having.setdefault(each, []).append(number)

    def find(self, question: str, most: int = 3) -> tuple[str, ...]:
        """The nearest questions, the nearest first, no two alike; plain ones where none is near."""
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
                abs(len(self._known[n].text) - _PLAIN),
                n,
            ),
        )
        found: dict[str, str] = {}
        for number in order:
            found.setdefault(self._known[number].skeleton, self._known[number].text)
            if len(found) == most:
                break
        return tuple(found.values())

    def _is_odd(self, number: int) -> bool:
        """Whether the question has words that hardly any other has."""
        return any(len(self._having[each]) < _FEWEST for each in self._stems[number])


def _stems(text: str) -> frozenset[str]:
    return frozenset(stem(w.text) for w in words(text) if w.text.lower() not in STOP_WORDS)
