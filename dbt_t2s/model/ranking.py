"""Which of the plans found answers the question: the search's probability, and what a plan leaves.

A plan that uses none of the items that best explain a word of the question is suspect, however
likely; so is one whose items nothing in the question speaks of. The weights were fitted on plans
found for held-out questions (``tests/tools/pretrain/ranking.py``), and so were those of refusing
and of the confidence, a logistic estimate of the chance that the first plan is right.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np
from safetensors.numpy import load_file

from dbt_t2s.model.cues import CUES, cue_features
from dbt_t2s.model.linking import Linked
from dbt_t2s.model.outdone import unsaid_kinds
from dbt_t2s.model.schema_index import WHOLE
from dbt_t2s.model.search import Found
from dbt_t2s.query.linear import KEYWORDS
from dbt_t2s.query.text import STOP_WORDS, stem, words

WEIGHTS = Path(__file__).parent / "weights" / "plan" / "ranking.safetensors"
# What each channel of ``Linked.word_item`` says of a word and an item: full name, part of a name,
# mention, meaning, description, own table's name.
_TELLS = np.array([1.0, 0.7, 1.0, 0.9, 0.4, 0.3], dtype=np.float32)
_EXACT = 0.9
_FAINT = 0.35  # mentions that hardly are any: a nought in "no reminders"
_KEYWORDS = frozenset(KEYWORDS)
# Words that ask for the form of an answer, by the keywords that give it.
_OPERATORS = (
    (
        frozenset(("SHARE", "RATE")),
        frozenset(map(stem, ("percentage", "percent", "share", "proportion", "fraction", "rate"))),
    ),
    (
        frozenset(("AVG", "AVG_EACH", "MEDIAN")),
        frozenset(map(stem, ("average", "avg", "mean", "median"))),
    ),
    (frozenset(("COUNT", "COUNT_DISTINCT")), frozenset(map(stem, ("number", "count")))),
)
_OWN = 28  # features of a plan's items; its form adds those of ``cues``
FEATURES = _OWN + CUES
REFUSAL_FEATURES = 11
CONFIDENCE_FEATURES = 8
_WIDEST = 5.0  # log of how much likelier than the second a plan can be said to be


class Explained:
    """How well each item of one question explains each of its words."""

    def __init__(self, linked: Linked) -> None:
        self.text = linked.text
        self.said = tuple(float(n) for n in linked.question[:3])
        spoken = words(linked.text)[: len(linked.states)]
        self.words = [w.text.lower() for w in spoken]
        self.place = {item.token: at for at, item in enumerate(linked.items)}
        self.sorts = np.array([item.sort for item in linked.items])
        self.tables = [item.table for item in linked.items]
        marks = linked.word_item.astype(np.float32)
        self.marks = marks
        self._whole = linked.features[:, WHOLE].astype(np.float32)
        self.tells = (marks * _TELLS).max(-1)
        content = [w.text.lower() not in STOP_WORDS for w in spoken]
        self.content = np.array(content[: len(marks)] or [True])
        self.mentions = self._mentions()
        self.unsaid_kinds = unsaid_kinds(linked)
        known = ~np.isnan(linked.odds)
        self._candidates = np.flatnonzero(known)
        self._in = _log_chance(linked.odds[known])
        self._out = _log_chance(-linked.odds[known])
        self._features: dict[Found, np.ndarray] = {}

    def _mentions(self) -> list[tuple[frozenset[int], int]]:
        """Spans that mention something: the items that would use each, and which cost it has."""
        spans: dict[tuple[int, int], list[int]] = {}
        for at in range(len(self.sorts)):
            places = np.flatnonzero(self.marks[:, at, 2] > _FAINT)
            if len(places):
                spans.setdefault((int(places[0]), int(places[-1])), []).append(at)
        named = self.marks[..., 0].max(axis=1) > 0
        found = []
        for (first, last), users in spans.items():
            sorts = {str(self.sorts[u]) for u in users}
            exact = max(float(self.marks[first, u, 2]) for u in users) >= _EXACT
            whole = bool(named[first : last + 1].all())
            cost = 0 if sorts & {"d"} else 1 if sorts & {"n"} else 2 if exact and not whole else 3
            found.append((frozenset(users), cost))
        return found

    def features(self, plan: Found) -> np.ndarray:
        """Numbers (FEATURES,) for one plan."""
        if plan not in self._features:
            self._features[plan] = self._featured(plan)
        return self._features[plan]

    def _featured(self, plan: Found) -> np.ndarray:
        used = sorted({self.place[t] for t in plan.tokens if t in self.place})
        rows = self.tells[self.content] if self.content.any() else self.tells
        best = rows.max(1)
        covered = rows[:, used].max(1) if used else np.zeros(len(rows))
        regret = best - covered
        unused = [0.0, 0.0, 0.0, 0.0]
        for users, cost in self.mentions:
            if not users & set(used):
                unused[cost] += 1
        whole = [self._missed_names(sort, used) for sort in ("m", "c", "r")]
        own = [at for at in used if self.sorts[at] in "tcmr"]
        support = self.tells[:, own].max(0) if own else np.ones(1)
        tokens = plan.tokens
        made = np.array(
            [
                math.log(max(plan.probability, 1e-12)),
                len(tokens) / 10,
                float(covered.mean()),
                float(regret.sum()),
                float(regret.max()),
                *unused,
                *whole,
                float(support.mean()),
                float(support.min()),
                len({self.tables[at] for at in used if self.tables[at]}) / 3,
                float("NOT" in tokens),
                float("OR" in tokens),
                sum(t in _KEYWORDS for t in tokens) / 10,
                *self._said_twice(used, tokens),
                float(self._ignored(used)),
                float(len(self.unsaid_kinds & set(used))),
                *self._meant(used),
                *self._ranked(used),
            ],
            dtype=np.float32,
        )
        return np.concatenate((made, cue_features(self.text, tokens)))

    def _said_twice(self, used: Sequence[int], tokens: Sequence[str]) -> tuple[float, float]:
        """Values and numbers all of whose words other items used stand for, in full or in part.

        "Customers without an email" does not ask for those whom an email brought: that counts
        twice. "What percentage of orders" names no value where the plan has a share.
        """
        whole = part = 0
        lacking = [self.place.get(b) for a, b in pairwise(tokens) if a == "NULL"]
        meant = [names for keys, names in _OPERATORS if not keys.isdisjoint(tokens)]
        for at in used:
            place = self.marks[:, at, 2] > _FAINT
            if self.sorts[at] not in ("v", "n", "s") or not place.any():
                continue
            spoken = {stem(self.words[i]) for i in np.flatnonzero(place)}
            if self.sorts[at] == "v" and any(spoken <= names for names in meant):
                whole += 1
                continue
            others = [other for other in used if other != at]
            if not others:
                continue
            said = self.marks[place][:, others]
            if (said[..., [0, 2]].max((1, 2)) >= _EXACT).all():
                whole += 1
                named = [other for other in lacking if other is not None]
                whole += any(bool((self.marks[place, c, 0] > 0).all()) for c in named)
            elif (said[..., :3].max((1, 2)) >= 0.5).all():
                part += 1
        return float(whole), float(part)

    def _meant(self, used: Sequence[int]) -> tuple[float, float, float]:
        """Values that no word names: how many, how near some words are, how near the question."""
        values = [at for at in used if self.sorts[at] == "v" and not self.marks[:, at, 2].any()]
        near = self.marks[:, values, 3].max(0)
        meant = near > 0  # what a plan before brings has no words either
        return float(meant.sum()), float(near.sum()), float((self._whole[values] * meant).sum())

    def _ranked(self, used: Sequence[int]) -> tuple[float, float, float]:
        """What the candidate ranker says of the plan's items and of those that it leaves out: the
        log of the chance of just these, and of the least likely of either."""
        taken = np.isin(self._candidates, used)
        inside, outside = self._in[taken], self._out[~taken]
        whole = float(inside.sum() + outside.sum())
        return whole, float(inside.min(initial=0.0)), float(outside.min(initial=0.0))

    def _ignored(self, used: Sequence[int]) -> int:
        """How many words that are no stop words have nothing at all to do with an item used."""
        if not used:
            return 0
        touched = self.marks[self.content][:, used][..., [0, 1, 2, 4, 5]].max((1, 2)) > 0
        return int((~touched).sum())

    def all_said(self, plan: Found) -> bool:
        """Whether every word that is no stop word names or mentions an item of the plan."""
        used = [self.place[t] for t in plan.tokens if t in self.place]
        if not used or not self.content.any():
            return False
        named = self.marks[:, used][..., [0, 2]].max((1, 2)) >= _EXACT
        return bool(named[self.content].all())

    def all_known(self, plan: Found) -> bool:
        """Whether every such word mentions an item of the plan, or is part of its name or of its
        table's."""
        used = [self.place[t] for t in plan.tokens if t in self.place]
        if not used or not self.content.any():
            return False
        marks = self.marks[:, used]
        mentioned = marks[..., 2].max(1) >= _EXACT
        named = marks[..., [0, 1, 5]].max((1, 2)) > 0
        return bool((mentioned | named)[self.content].all())

    def _missed_names(self, sort: str, used: Sequence[int]) -> float:
        """How many words stand in the full name of an item of ``sort``, but of none used."""
        of_sort = self.sorts == sort
        if not of_sort.any():
            return 0.0
        named = self.marks[:, of_sort, 0].max(1)
        # Part of a used item's name or a mention is use enough.
        taken = self.marks[:, list(used)][..., [0, 1, 2]].max((1, 2)) if used else named * 0
        return float(((named > 0) & (taken == 0)).sum())


def refusal_features(
    refusal: float, ordered: Sequence[tuple[float, Found]], explained: Explained
) -> np.ndarray:
    """Numbers (REFUSAL_FEATURES,) that tell whether the data can answer at all.

    ``refusal`` is the network's own chance of it, ``ordered`` the plans, best first.
    """
    chance = min(max(refusal, 1e-6), 1 - 1e-6)
    if not ordered:
        return np.array([math.log(chance / (1 - chance)), *[0.0] * 9, 1.0], dtype=np.float32)
    share, plan = ordered[0]
    best = explained.features(plan)
    return np.array(
        [
            math.log(chance / (1 - chance)),
            share,
            math.log(max(plan.probability, 1e-12)) / 10,
            *best[2:5],
            best[13],
            *explained.said,
            1.0,
        ],
        dtype=np.float32,
    )


def confidence_features(refusal: float, ordered: Sequence[tuple[float, Found]]) -> np.ndarray:
    """Numbers (CONFIDENCE_FEATURES,) that tell whether the first of ``ordered`` is right."""
    share, plan = ordered[0]
    second = ordered[1][0] if len(ordered) > 1 else 0.0
    ahead = math.log(max(share, 1e-9)) - math.log(max(second, 1e-9))
    return np.array(
        [
            share,
            min(ahead, _WIDEST),
            math.log(max(plan.probability, 1e-12)),
            len(ordered) / 10,
            math.log(max(refusal, 1e-6)) / 10,
            float(plan.probability >= max(p.probability for _, p in ordered)),
            sum(p.probability for _, p in ordered),
            1.0,
        ],
        dtype=np.float32,
    )


class Ranking:
    """The fitted weights: of plans (FEATURES,), of refusing (REFUSAL_FEATURES,) and of the
    confidence (CONFIDENCE_FEATURES,)."""

    def __init__(self, path: Path = WEIGHTS) -> None:
        fitted = load_file(path)
        self._weights, self._refusing = fitted["weights"], fitted["refusing"]
        self._confidence = fitted["confidence"]

    def confidence(self, refusal: float, ordered: Sequence[tuple[float, Found]]) -> float:
        """The chance that the first of ``ordered`` answers the question; 0 where there is none.

        Fitted on plans that are exactly the gold's, so that others with the same rows count as
        wrong: it is a little low.
        """
        if not ordered:
            return 0.0
        return _logistic(float(confidence_features(refusal, ordered) @ self._confidence))

    def refusal(
        self,
        refusal: float,
        ordered: Sequence[tuple[float, Found]],
        explained: Explained,
        documented: bool = True,
    ) -> float:
        """The chance that nothing in the project answers; over a half means to refuse.

        Where the best plan uses what every word speaks of, only the network's own chance counts:
        the fitted one knows unanswerable questions by faint doubts, and has those of all short
        ones. So it has of a schema that nobody ``documented``.
        """
        score = float(refusal_features(refusal, ordered, explained) @ self._refusing)
        chance = _logistic(score)
        known = not documented or (bool(ordered) and explained.all_known(ordered[0][1]))
        return min(chance, refusal) if known else chance

    def order(self, plans: Sequence[Found], explained: Explained) -> list[tuple[float, Found]]:
        """(share among the plans, plan), best first; shares add up to 1."""
        if not plans:
            return []
        scores = np.array([float(explained.features(p) @ self._weights) for p in plans])
        shares = np.exp(scores - scores.max())
        shares /= shares.sum()
        order = np.argsort(-scores, kind="stable")
        return [(float(shares[at]), plans[at]) for at in order]


def _log_chance(odds: np.ndarray) -> np.ndarray:
    made: np.ndarray = -np.logaddexp(0, -odds)
    return made


def _logistic(score: float) -> float:
    return 1 / (1 + math.exp(-min(max(score, -30.0), 30.0)))
