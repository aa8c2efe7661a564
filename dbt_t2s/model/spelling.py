"""Typing slips in the words of a question: a word that is none, and nearly one of the schema's."""

from __future__ import annotations

from rapidfuzz import fuzz, process

from dbt_t2s.model.chunks import FILLERS
from dbt_t2s.model.leaning import phrases
from dbt_t2s.model.schema_index import SchemaIndex
from dbt_t2s.query.dates import date_spans
from dbt_t2s.query.text import STOP_WORDS, name_words, stem, words

_SHORTEST = 5
_ALIKE = 88.0


class Spelling:
    """The words of one schema's names and values."""

    def __init__(self, index: SchemaIndex) -> None:
        self._today = index.today
        self._is_word = index.encoder.is_word
        names = (phrase for item in index.items for phrase in item.phrases)
        values = (v for t in index.schema.tables for c in t.columns for v in c.values)
        spoken = {w for text in (*names, *values) for w in name_words(text)}
        described = {w for item in index.items for w in name_words(item.text)}
        self._known = {stem(w) for w in spoken | described}
        self._able = sorted(w for w in spoken if len(w) >= _SHORTEST and w.isalpha())

    def mended(self, text: str) -> str:
        """The text with words that are nearly, and nothing else, put right."""
        kept = [(p.start, p.end) for p in phrases(text)]
        kept += [(s.start, s.end) for s in date_spans(text, self._today)]
        for word in reversed(words(text)):
            lowered = word.text.lower()
            known = lowered in STOP_WORDS or lowered in FILLERS or stem(lowered) in self._known
            taken = any(start <= word.start < end for start, end in kept)
            if known or taken or len(lowered) < _SHORTEST or not lowered.isalpha():
                continue
            if self._is_word(lowered):
                continue  # "county" is no slip of "country"
            near = process.extractOne(lowered, self._able, scorer=fuzz.ratio, score_cutoff=_ALIKE)
            if near is None or lowered.startswith(near[0]):
                continue  # "pricey" is one of its own kind
            if near[0][0] == lowered[0]:
                text = text[: word.start] + near[0] + text[word.end :]
        return text
