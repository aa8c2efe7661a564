"""What a question asks for, apart from its wording: two questions with the same may be one."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from dbt_t2s.query.text import STOP_WORDS, stem, words

if TYPE_CHECKING:
    from dbt_t2s.model.linking import Linked

LITERALS = ("v:", "d:", "n:", "s:")
_NAMES = ("c:", "m:", "r:")
# Mentions in other words: "pause" for paused. Less is hardly one: a nought in "no reminders".
_SURE, _FAINT = 0.9, 0.35
# Words that may well be left out, though a column may be called so.
_SAYS_LITTLE = frozenset(map(stem, ("number", "count", "list")))
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
        r"\w+n['’]t",
        r"more|over|above|exceed\w*|greater|higher|at least|after|since|beat\w*",
        r"less|under|below|fewer|lower|at most|before|until",
        r"how many|number|nr|count\w*|how often|#",
        r"different|distinct|unique",
        r"running|cumulative|growth|change\w*|compared|difference",
    )
)


@dataclass(frozen=True)
class Wants:
    """The values, days and numbers named, the words that name something, the forms asked for.

    ``hints`` are values that are perhaps named.
    """

    literals: frozenset[str]
    hints: frozenset[str]
    names: frozenset[str]
    forms: tuple[bool, ...]

    def is_same(self, other: Wants) -> bool:
        """Whether both may be one question's."""
        if (self.literals, self.names, self.forms) != (other.literals, other.names, other.forms):
            return False
        return self.hints <= other.hints or other.hints <= self.hints


def asks_for(linked: Linked) -> Wants:
    """Of one linked question; words are compared by their stems."""
    said = linked.word_item[..., 2].max(0, initial=0.0)
    how = {item.token: float(h) for item, h in zip(linked.items, said, strict=True)}
    literals = frozenset(t for t, h in how.items() if t[:2] in LITERALS and h > _SURE)
    hints = frozenset(t for t, h in how.items() if t[:2] in LITERALS and _FAINT < h <= _SURE)
    named = np.array([i.token[:2] in _NAMES for i in linked.items], dtype=bool)
    told = linked.word_item[:, named, 0].max(1, initial=0.0) > 0
    spoken = words(linked.text)[: len(told)]
    names = frozenset(
        stem(word.text)
        for word, is_name in zip(spoken, told, strict=False)
        if is_name and word.text.lower() not in STOP_WORDS and stem(word.text) not in _SAYS_LITTLE
    )
    forms = tuple(form.search(linked.text) is not None for form in _FORMS)
    return Wants(literals, hints, names, forms)
