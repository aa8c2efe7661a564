"""Values and flags that a question names to say that they are no condition: "closed ones too"."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

import numpy as np

from dbt_t2s.project.schema import Kind
from dbt_t2s.query.included import Said, included
from dbt_t2s.query.items import Item
from dbt_t2s.query.link import Mention
from dbt_t2s.query.text import Word, stem

_CAME_TO_BE = re.compile(r"ed_(?:on|at|date)$", re.I)
_SAID = 0.8  # the quality of a value that is said in another form


class Asides:
    """Finds them in questions over one schema's ``items``."""

    def __init__(self, items: Sequence[Item]) -> None:
        self._items = items
        flags = (at for at, item in enumerate(items) if item.sort == "c" and _is_flag(item))
        self._flags = np.array(list(flags), dtype=np.int64)
        self._nouns = {
            item.table: frozenset(stem(phrase.split()[-1]) for phrase in item.phrases)
            for item in items
            if item.sort == "t"
        }

    def found(
        self, text: str, spoken: Sequence[Word], mentioned: Sequence[Mention], named: np.ndarray
    ) -> frozenset[Said]:
        """Those in the question; ``named`` (words, items) says where items stand in full."""
        said = (*self._values(mentioned, len(spoken)), *self._flagged(named))
        aside = included(text, spoken, said)
        places = {(each.first, each.last) for each in aside}
        # The same words are no condition on another column either.
        return frozenset(each for each in said if (each.first, each.last) in places)

    def _values(self, mentioned: Sequence[Mention], count: int) -> Iterator[Said]:
        """The values that are said as such, of the first ``count`` words."""
        for mention in mentioned:
            if mention.token[:2] == "v:" and mention.quality >= _SAID and mention.last < count:
                column = mention.token[2:].partition("=")[0]
                nouns = self._nouns.get(column.partition(".")[0], frozenset())
                yield Said(column, mention.first, mention.last, nouns=nouns)

    def _flagged(self, named: np.ndarray) -> Iterator[Said]:
        """The flags that are named in full, by runs of words."""
        for place in self._flags[named[:, self._flags].any(0)].tolist():
            item = self._items[place]
            at = np.flatnonzero(named[:, place])
            for run in np.split(at, np.flatnonzero(np.diff(at) > 1) + 1):
                first, last = int(run[0]), int(run[-1])
                column = f"{item.table}.{item.column}"
                yield Said(column, first, last, True, self._nouns[item.table])


def _is_flag(item: Item) -> bool:
    """Whether the column says that something is so: a boolean, or the day it came to be so."""
    if item.kind is Kind.BOOLEAN:
        return True
    return item.kind in (Kind.DATE, Kind.TIMESTAMP) and bool(_CAME_TO_BE.search(item.column))
