"""Which items of a schema may be meant by words that are not in their names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from dbt_t2s.query.items import Item
from dbt_t2s.query.text import Word
from dbt_t2s.query.thesaurus import Stems, heard, phrases, runs, term_of

_FAINTEST = 0.3  # less is not worth a sign
# The least and the most that a phrase says, on the scale of cosines of meaning.
_LEAST, _MOST = 0.45, 0.95


class Thesaurus:
    """The everyday words for one schema's items."""

    def __init__(self, items: Sequence[Item], idf: Mapping[str, float]) -> None:
        self._count = len(items)
        known = {term for terms in phrases().values() for term in terms}
        named: dict[Stems, dict[int, float]] = {}
        self._names: set[Stems] = set()
        for place, item in enumerate(items):
            for phrase in item.phrases:
                name = term_of(phrase)
                self._names.add(name)
                weights = [max(idf.get(each, 0.0), 0.1) for each in name]
                for first, after in runs(len(name)):
                    term = name[first:after]
                    if term in known:
                        share = sum(weights[first:after]) / sum(weights)
                        places = named.setdefault(term, {})
                        places[place] = max(places.get(place, 0.0), share)
        self._named = {
            term: (np.array(list(places)), np.array(list(places.values()), dtype=np.float32))
            for term, places in named.items()
        }

    def meant(self, spoken: Sequence[Word]) -> np.ndarray:
        """How much each word says that each item is meant, (words, items), 0 to 1.

        What the schema itself calls something is not said for something else, nor is a part of
        a longer phrase.
        """
        found = np.zeros((len(spoken), self._count), dtype=np.float32)
        taken: set[int] = set()
        for each in heard(spoken):
            span = range(each.first, each.last + 1)
            if each.said in self._names or taken >= set(span):
                continue
            for term, sure in each.terms.items():
                if term in self._named:
                    places, shares = self._named[term]
                    said = shares * sure
                    said = np.where(said < _FAINTEST, 0, _LEAST + (_MOST - _LEAST) * said)
                    if len(span) > 1 and said.any():
                        taken |= set(span)
                    for at in span:
                        found[at, places] = np.maximum(found[at, places], said)
        return found
