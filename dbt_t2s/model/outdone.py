"""Which metrics a question leaves no room for: longest match, as people name things.

"Net revenue" is the whole name of one metric and a part of that of another, net revenue growth.
Where the question says nothing else that could mean the other, it does not mean it. A network that
reads likeness of meaning sees the two as near, and metrics come in such families.
"""

from __future__ import annotations

import numpy as np

from dbt_t2s.model.linking import Linked
from dbt_t2s.query.text import STOP_WORDS, stem, stems, words

_NAMED = 0.9
_GRAINS = frozenset(
    "day days daily week weeks weekly month months monthly quarter quarters quarterly "
    "year years yearly annual annually".split()
)
# What a name says of a metric's form: people ask for that in other words.
_FORMS = frozenset(
    stem(w)
    for w in "rate ratio share percentage percent average avg mean median total sum count number "
    "amount value eur usd per".split()
)


def unsaid_kinds(linked: Linked) -> frozenset[int]:
    """Metrics that are a kind of another one, where the question has no word for that kind.

    Of "net revenue" and "net revenue growth" the second is a kind of the first; so is "cumulative
    sign ups" of "sign ups". They are places in ``linked.items``.
    """
    spoken = frozenset(stem(w.text) for w in words(linked.text))
    names = {
        at: frozenset(stems(item.token[2:]))
        for at, item in enumerate(linked.items)
        if item.sort == "m"
    }
    return frozenset(
        at
        for at, name in names.items()
        if any(
            other < name and (kind := name - other - _FORMS) and not kind & spoken
            for other in names.values()
        )
    )


def outdone(linked: Linked) -> dict[int, int]:
    """Metrics that another outdoes, and which one (places in ``linked.items``): its name is said in
    full, while of theirs no word is said but those.

    Nothing is outdone where a word of the question is left that no name and no value explains: it
    may be another way to say the rest of the longer name ("how did net revenue grow").
    """
    spoken = [w.text.lower() for w in words(linked.text)[: len(linked.states)]]
    if len(spoken) < len(linked.states):
        return {}  # no words at all: one stands for them
    marks = linked.word_item
    explained = marks[..., [0, 1, 2]].max((1, 2)) > 0
    told = np.array([w in STOP_WORDS or w in _GRAINS for w in spoken])
    if not bool((explained | told).all()):
        return {}
    full = marks[..., 0] >= _NAMED
    said = (marks[..., [0, 1, 2, 5]].max(-1) > 0) & ~told[:, None]
    metrics = [at for at, item in enumerate(linked.items) if item.sort == "m"]
    named = [at for at in metrics if full[:, at].any()]
    found: dict[int, int] = {}
    for what in metrics:
        over = [by for by in named if _outdoes(full, said, by=by, what=what)]
        if over:
            found[what] = max(over, key=lambda by: int(full[:, by].sum()))
    return found


def _outdoes(full: np.ndarray, said: np.ndarray, *, by: int, what: int) -> bool:
    """Whether all that is said of ``what`` is part of what names ``by``, and less than its name."""
    name = full[:, by]
    return bool(
        said[:, what].any()
        and not (said[:, what] & ~name).any()
        and not (full[:, what] & ~name).any()
        and full[:, what].sum() < name.sum()
    )
