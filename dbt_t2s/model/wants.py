"""What a question asks for, apart from its wording: two questions with the same may be one."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from dbt_t2s.query.text import STOP_WORDS, Word, stem, words
from dbt_t2s.query.thesaurus import Stems, heard, runs, term_of

if TYPE_CHECKING:
    from dbt_t2s.model.linking import Linked

LITERALS = ("v:", "d:", "n:", "s:")
_NAMES = ("c:", "m:", "r:")
# Mentions in other words: "pause" for paused. Less is hardly one: a nought in "no reminders".
_SURE, _FAINT = 0.9, 0.35
# Words that may well be left out, though a column may be called so.
_SAYS_LITTLE = frozenset(map(stem, ("number", "count", "list")))
# People are told by their names, whether these are asked for or not.
_PEOPLE = re.compile(r"\b(?:who|whom|whose|people|persons?|somebody|anybody|anyone)\b", re.I)
_CALLED = frozenset(map(stem, ("name", "full")))
_NOW = frozenset(map(stem, ("currently", "now", "present", "moment", "today")))
_MEANT = 0.7  # how surely an everyday word must stand for a name
# Each changes what is asked: the highest or the lowest, an average or a sum, with or without.
_FORMS = tuple(
    re.compile(rf"(?<!\w)(?:{text})(?!\w)", re.I)
    for text in (
        r"most|highest|largest|biggest|best|top|greatest|max(?:imum)?|latest|newest|longest",
        r"least|lowest|smallest|worst|bottom|fewest|min(?:imum)?|earliest|oldest|shortest|first",
        r"average\w*|avg|mean|median|typical\w*",
        r"total|sum|overall|altogether|combined",
        r"share|percent\w*|proportion|fraction|ratio",
        r"no|not|never|without|nobody|none|nothing|missing|lack\w*|except|exclud\w*|neither|nor|"
        r"\w+n['’]t|aside|apart from|leav\w+ .{1,40} out|left out|out(?=\W*$)",
        r"more|over|above|exceed\w*|greater|higher|at least|after|since|beat\w*",
        r"less|under|below|fewer|lower|at most|before|until",
        r"how many|number|nr|count(?:s|ed|ing)?|how often|#",
        r"different|distinct|unique",
        r"running|cumulative|growth|change\w*|compared|difference",
        r"ordered by|in .* order|sort\w*|ascending|descending|decreasing|increasing|alphabet\w*",
    )
)


@dataclass(frozen=True)
class Wants:
    """The values, days and numbers named, the words that name something, the forms asked for.

    ``hints`` are values that are perhaps named, ``tables`` those that surely are; ``names`` has the
    schema's word where an everyday one was said for it.
    """

    literals: frozenset[str]
    hints: frozenset[str]
    names: frozenset[str]
    forms: tuple[bool, ...]
    tables: frozenset[str] = frozenset()

    def is_same(self, other: Wants) -> bool:
        """Whether both may be one question's: what one surely names, the other at least may."""
        if (self.names, self.forms) != (other.names, other.forms):
            return False
        if self.tables and other.tables and not self.tables & other.tables:
            return False
        mine, others = self.literals | self.hints, other.literals | other.hints
        return self.literals <= others and other.literals <= mine


def asks_for(linked: Linked) -> Wants:
    """Of one linked question; words are compared by their stems."""
    said = linked.word_item[..., 2].max(0, initial=0.0)
    how = {item.token: float(h) for item, h in zip(linked.items, said, strict=True)}
    literals = frozenset(t for t, h in how.items() if t[:2] in LITERALS and h > _SURE)
    hints = frozenset(t for t, h in how.items() if t[:2] in LITERALS and _FAINT < h <= _SURE)
    named = [i.token[:2] in _NAMES for i in linked.items]
    full = np.asarray(linked.word_item[..., 0] > 0)
    told = np.asarray(full[:, np.array(named, dtype=bool)].any(1))
    spoken = words(linked.text)[: len(told)]
    names = (
        stem(word.text)
        for word, is_name in zip(spoken, told, strict=False)
        if is_name and word.text.lower() not in STOP_WORDS
    )
    tables = frozenset(
        item.token for at, item in enumerate(linked.items) if item.sort == "t" and full[:, at].any()
    )
    called = {term_of(p) for i, n in zip(linked.items, named, strict=True) if n for p in i.phrases}
    known = (*names, *_meant(spoken, called))
    forms = tuple(form.search(linked.text) is not None for form in _FORMS)
    little = _SAYS_LITTLE | _CALLED if _PEOPLE.search(linked.text) else _SAYS_LITTLE
    return Wants(literals, hints, frozenset(known) - little, forms, tables)


def _meant(spoken: Sequence[Word], called: set[Stems]) -> Iterator[str]:
    """The stems of what is ``called`` something that everyday words stand for."""
    parts = {name[first:after] for name in called for first, after in runs(len(name))}
    taken: set[int] = set()
    for each in heard(spoken):
        span = set(range(each.first, each.last + 1))
        if each.said in called or taken & span or _NOW & set(each.said):
            continue
        terms = [(sure, t) for t, sure in each.terms.items() if t in parts and sure >= _MEANT]
        if terms:
            taken |= span
            yield from max(terms)[1]
