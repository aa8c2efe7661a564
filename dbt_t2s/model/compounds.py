"""Compounds as the schema writes them: "laptime" for lap_times, "re-ordered" for needs_reorder."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from itertools import pairwise, zip_longest

from dbt_t2s.query.text import STOP_WORDS, Word, name_words, stem, words

_QUOTED = re.compile(r"\"[^\"]*\"|“[^”]*”|'[^']{3,}'")
_SHORTEST = 5  # letters of a compound
_SHORTEST_PART = 3


class Compounds:
    """The words of one schema's names and values, and which stand beside which."""

    def __init__(self, names: Iterable[str], values: Iterable[str]) -> None:
        self._known: set[str] = set()
        self._pairs: set[tuple[str, str]] = set()
        for text in names:
            stems = [stem(w) for w in name_words(text)]
            self._known.update(stems)
            self._pairs.update(pairwise(stems))
        for text in values:
            self._known.update(stem(w) for w in name_words(text))

    def put_right(self, text: str) -> str:
        """The text with compounds divided, and those with a hyphen joined, where the schema has
        them so and where what stands there is no word of its names or values."""
        quoted = [match.span() for match in _QUOTED.finditer(text)]
        changed = [
            (start, end, now)
            for start, end, now in self._changes(text, words(text))
            if not any(first < end and start < last for first, last in quoted)
        ]
        for start, end, now in reversed(changed):
            text = text[:start] + now + text[end:]
        return text

    def _changes(self, text: str, spoken: tuple[Word, ...]) -> Iterator[tuple[int, int, str]]:
        taken = 0
        for word, after in zip_longest(spoken, spoken[1:]):
            if word.start < taken:
                continue
            if after is not None and self._is_one(text, word, after):
                taken = after.end
                yield word.start, after.end, word.text + after.text.lower()
            elif parts := self._parts(word):
                yield word.start, word.end, parts

    def _is_one(self, text: str, word: Word, after: Word) -> bool:
        whole = word.text + after.text
        if text[word.end : after.start] != "-" or not whole.isalpha():
            return False
        both = word.stem in self._known and after.stem in self._known
        return len(whole) >= _SHORTEST and not both and stem(whole) in self._known

    def _parts(self, word: Word) -> str:
        """The word in two, as a name of the schema has it; empty where none does."""
        text = word.text
        if not text.isalpha() or word.stem in self._known or text.lower() in STOP_WORDS:
            return ""
        for at in range(_SHORTEST_PART, len(text) - _SHORTEST_PART + 1):
            if (stem(text[:at]), stem(text[at:])) in self._pairs:
                return f"{text[:at]} {text[at:]}"
        return ""
