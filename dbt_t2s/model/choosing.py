"""Which reading of a follow-up is meant, and whether any is.

The network finds each reading more or less likely after all that was said, and edits that the
words may mean lead to some of them. These and what goes with which words ("drop" with a condition
that is gone, "instead" with something in the place of another) are weighed by numbers that were
fitted on written dialogues over projects that no training saw (``tests/tools/pretrain/follow.py``).
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from safetensors.numpy import load_file

from dbt_t2s.model.changes import (
    CHANGES,
    CUES,
    RETURNS,
    WRAPS,
    Parts,
    changes,
    cued,
    parts,
    returns,
    tokens_of,
    wraps,
)
from dbt_t2s.model.following import INSTEAD
from dbt_t2s.model.leaning import leans
from dbt_t2s.model.linking import Linked
from dbt_t2s.model.ranking import FEATURES, Explained
from dbt_t2s.model.search import Found
from dbt_t2s.query.linear import to_tokens
from dbt_t2s.query.plan import Plan

WEIGHTS = Path(__file__).parent / "weights" / "plan" / "following.safetensors"
_OWN = 20
_WORDS = 12
READING_FEATURES = _OWN + CHANGES + CUES * CHANGES + RETURNS + WRAPS + _WORDS + FEATURES - 1
DOUBT_FEATURES = 18
_HARDLY = 0.1  # leans a question that leans on nothing
_SURELY = -0.1  # log of the chance of a plan without another beside it
_REPLACED = 2.5  # more, where something is to be in the place of another
_OF_ANOTHER = 0.4  # the most doubt of the same asked of another value
_LIKELY = -1.5  # log of the chance of a plan that is surely meant
# What points at something said before.
_REFERS = re.compile(
    r"\b(?:that|this|it|its|those|these|them|they|their|one|ones|same|each|rather|instead|"
    r"beside|column|not|again|too|(?<!are )(?<!is )(?<!were )(?<!was )there)\b",
    re.I,
)
_LEAST = -27.0  # log of a chance that is none


@dataclass(frozen=True)
class Weighed:
    """A plan that may be meant.

    ``likely`` is its log probability after all that was said, ``alone`` that without what was
    before (None: not found so); ``searched`` says that the network found it by itself. ``edit`` is
    the score of its reading as edits (None: no edit leads to it), ``kinds`` are these and
    ``unknown`` the words that none of them explains.
    """

    tokens: tuple[str, ...]
    sql: str
    likely: float
    searched: bool = False
    alone: float | None = None
    edit: float | None = None
    kinds: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()


@dataclass(frozen=True)
class Heard:
    """A follow-up and all that it may mean.

    ``asked`` is linked alone, ``told`` with what was said before; ``history`` are the plans before,
    the last one last. ``refusals`` are the network's chances that nothing answers it, told and
    alone; ``bare`` says that the words are phrases that mean nothing alone.
    """

    asked: Linked
    told: Linked
    history: tuple[Plan, ...]
    readings: tuple[Weighed, ...]
    refusals: tuple[float, float]
    bare: bool

    @property
    def best_edit(self) -> Weighed | None:
        """The likeliest reading as edits."""
        edited = [each for each in self.readings if each.edit is not None]
        return max(edited, key=lambda each: each.edit or 0.0, default=None)


class Choosing:
    """The fitted weights, of readings (READING_FEATURES,) and of doubt (DOUBT_FEATURES,)."""

    def __init__(self, path: Path = WEIGHTS) -> None:
        fitted = load_file(path)
        self._weights, self._doubting = fitted["weights"], fitted["doubt"]

    def order(self, heard: Heard) -> list[tuple[float, Weighed]]:
        """(share among the readings, reading), best first; shares add up to 1."""
        scores = reading_features(heard) @ self._weights
        if INSTEAD.search(heard.asked.text):
            scores += [_REPLACED * _replaces(each) for each in heard.readings]
        return ordered(heard, scores)

    def doubt(self, heard: Heard, found: Sequence[tuple[float, Weighed]]) -> float:
        """The chance that nothing answers it; over a half means to refuse.

        What was answered is answered of another value of the same column, too.
        """
        score = float(doubt_features(heard, found) @ self._doubting)
        chance = 1 / (1 + math.exp(-min(max(score, -30.0), 30.0)))
        return min(chance, _OF_ANOTHER) if found and _is_of_another(found[0][1]) else chance


def _is_of_another(reading: Weighed) -> bool:
    """Whether the words name a value that stands in the place of another one, and nothing else."""
    return reading.kinds == ("filter replaced",) and not reading.unknown


def is_unread(heard: Heard, found: Sequence[tuple[float, Weighed]]) -> bool:
    """Whether what is chosen is no edit, where the likeliest edit leaves words unexplained."""
    first = heard.best_edit
    unread = first is not None and bool(first.unknown) and not first.kinds
    return unread and bool(found) and found[0][1].edit is None


def stands_alone(heard: Heard) -> bool:
    """Whether the question points at nothing before it and each of its words names something of a
    plan that it surely means by itself."""
    question = heard.asked.text
    if heard.bare or leans(question) > _HARDLY or _REFERS.search(question):
        return False
    alone = [
        each for each in heard.readings if (_LEAST if each.alone is None else each.alone) > _SURELY
    ]
    explained = Explained(heard.asked)
    return any(explained.all_said(Found(each.tokens, 1.0)) for each in alone)


def ordered(heard: Heard, scores: np.ndarray) -> list[tuple[float, Weighed]]:
    """Readings by score (readings,), with the share that each has among all."""
    if not heard.readings:
        return []
    shares = np.exp(scores - scores.max())
    shares /= shares.sum()
    order = np.argsort(-scores, kind="stable")
    return [(float(shares[at]), heard.readings[at]) for at in order]


def reading_features(heard: Heard) -> np.ndarray:
    """Numbers (readings, READING_FEATURES)."""
    asked, told = Explained(heard.asked), Explained(heard.told)
    question = heard.asked.text
    last = parts(to_tokens(heard.history[-1]))
    earlier = [parts(to_tokens(plan)) for plan in heard.history[:-1]]
    cues = cued(question)
    lean = 1.0 if heard.bare else leans(question)
    refers = _REFERS.search(question) is not None
    instead = INSTEAD.search(question) is not None
    rows = []
    for each in heard.readings:
        now = parts(each.tokens)
        changed = changes(last, now)
        crossed = [cue * float(change > 0) for cue in cues for change in changed]
        own = [
            *_own(each, last, now, earlier, lean),
            *_apart(each, last, now, refers),
            float(instead and _replaces(each)),
        ]
        plan = told.features(Found(each.tokens, math.exp(max(each.likely, _LEAST))))[1:]
        back = (*returns(last, now, earlier, cues), *wraps(last, now, cues))
        rows.append(
            [*own, *changed, *crossed, *back, *_words(asked, each.tokens, last, now), *plan]
        )
    return np.array(rows, dtype=np.float32).reshape(-1, READING_FEATURES)


def doubt_features(heard: Heard, found: Sequence[tuple[float, Weighed]]) -> np.ndarray:
    """Numbers (DOUBT_FEATURES,) that tell whether the data can answer at all."""
    chances = [min(max(chance, 1e-6), 1 - 1e-6) for chance in heard.refusals]
    odds = [math.log(chance / (1 - chance)) for chance in chances]
    if not found:
        return np.array([*odds, *[0.0] * 15, 1.0], dtype=np.float32)
    share, best = found[0]
    last, now = parts(to_tokens(heard.history[-1])), parts(best.tokens)
    asked = Explained(heard.asked)
    words = _words(asked, best.tokens, last, now)
    known = asked.tells[asked.content].max(1) if asked.content.any() else np.ones(1)
    first = heard.best_edit or best
    return np.array(
        [
            *odds,
            share,
            max(best.likely, _LEAST) / 10,
            float(best.edit is not None),
            best.edit or 0.0,
            float(len(best.unknown)),
            float(now == last),
            *words[:4],
            *words[10:],
            float(best.edit is None) * (1 - words[11]),
            float(known.min()),
            float(bool(first.unknown) and not first.kinds),
            1.0,
        ],
        dtype=np.float32,
    )


def _own(
    each: Weighed,
    last: Parts,
    now: Parts,
    earlier: Sequence[Parts],
    lean: float,
) -> list[float]:
    alone = each.alone is not None
    return [
        each.likely,
        float(each.searched),
        float(each.edit is not None),
        each.edit or 0.0,
        float(len(each.unknown)),
        float(_replaces(each)),
        float(bool(each.kinds)),
        float(now in earlier),
        float(now == last and now in earlier),
        sum(((now - last) + (last - now)).values()) / 3,
        float(alone),
        max(each.alone or 0.0, _LEAST) / 3,
        lean * alone,
        float(alone and not each.searched and each.edit is None),
    ]


def _replaces(each: Weighed) -> bool:
    return any(kind == "ratio" or kind.endswith("replaced") for kind in each.kinds)


def _apart(each: Weighed, last: Parts, now: Parts, refers: bool) -> list[float]:
    """Whether the plan has nothing in common with the one before, as of a question by itself."""
    apart = not _named(last) & _named(now)
    alone = apart and each.alone is not None
    likely = alone and each.alone is not None and each.alone > _LIKELY
    found = (apart, apart and refers, alone, alone and not refers, likely and not refers)
    return [float(each) for each in found]


def _named(plan: Parts) -> frozenset[str]:
    """What the plan is about; a value tells its column."""
    tokens = (token.partition("=")[0] for part in plan for token in tokens_of(part))
    return frozenset(t.replace("v:", "c:") for t in tokens if t[:2] in ("c:", "v:", "m:", "t:"))


def _words(explained: Explained, tokens: Sequence[str], last: Parts, now: Parts) -> list[float]:
    """How well the words of the follow-up go with what the plan has, has new, and has no more."""
    place = explained.place
    items = {token for token in tokens if token in place}
    before = {token for part in last for token in tokens_of(part) if token in place}
    fresh = {token for part in now - last for token in tokens_of(part) if token in place}
    rows = explained.tells[explained.content] if explained.content.any() else explained.tells
    used = sorted(place[t] for t in items | before)
    touched = sorted(place[t] for t in (items ^ before) | fresh)
    best = rows.max(1)
    told = rows[:, used].max(1) if used else np.zeros(len(rows))
    moved = rows[:, touched].max(1) if touched else np.zeros(len(rows))
    unused, untouched = [0.0] * 4, 0.0
    for users, cost in explained.mentions:
        unused[cost] += float(not users & set(used))
        untouched += float(not users & set(touched))
    new = [place[t] for t in fresh]
    support = rows[:, new].max(0) if new else np.ones(1)
    return [
        float(told.mean()),
        float((best - told).sum()),
        float((best - told).max()),
        float(moved.mean()),
        float((best - moved).sum()),
        *unused,
        untouched,
        float(support.mean()),
        float(support.min()),
    ]
