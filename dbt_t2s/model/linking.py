"""Schema linking: which items a question may concern, and how its words match them.

For each question the linker picks candidate items (schema items by name match and by meaning,
plus what the question itself mentions) and describes every word-item pair and every item by
numbers that the network reads beside the encoder's vectors.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import torch

from dbt_t2s.model.candidates import Asked, Ranker, chosen, ranker_features
from dbt_t2s.model.carried import carried
from dbt_t2s.model.encoder import HIDDEN, Tokens, word_states
from dbt_t2s.model.meant_values import Meant
from dbt_t2s.model.schema_index import (
    ITEM_FEATURES,
    NEAR,
    SCALARS,
    SORT_AT,
    WHOLE,
    SchemaIndex,
    static_features,
)
from dbt_t2s.query.items import Item
from dbt_t2s.query.linear import KEYWORDS
from dbt_t2s.query.link import Mention, mentions
from dbt_t2s.query.text import STOP_WORDS, Word, words

MOST_WORDS = 60
NOTHING_SAID = "?"  # the word of a question that has none
MOST_BEFORE = 60  # tokens; a longer plan before is not told
RELATIONS = 6  # full name, part of a name, mention, meaning, description, own table's name
ITEM_RELATIONS = 6  # same table, table of, metric of table, value of column, joins, joined by
_GRAM = 3
_NAMED = 0.8  # mentions of this quality leave their words no other value to mean
KEYWORD_AT = {name: i for i, name in enumerate(KEYWORDS)}
_OF_WORDS = [0, 1, 2, 3, 5, 7]  # of the scalars, those that tell of single words
QUESTION_FEATURES = 4


@dataclass(frozen=True)
class Linked:
    """One question ready for the network.

    ``items`` are the candidates, ``ids`` their place in the schema's list plus one (0 for
    mentions), ``rows`` where their vectors stand in ``table`` (shared by a schema's questions, its
    last row zero); arrays are float16: ``states`` (W, 384), ``features`` (I, F), ``word_item``
    (W, I, R), ``question`` (Q,); ``item_item`` (I, I) holds the R2 relations as bits. ``meaning``
    (384,) is the whole question's sentence vector. ``odds`` (I,) float32 are the candidate ranker's
    log odds that an item stands in the plan, NaN for mentions. ``before`` are the ids (P,) of the
    plan that a follow-up comes after.
    """

    text: str
    items: tuple[Item, ...]
    ids: np.ndarray
    states: np.ndarray
    table: np.ndarray
    rows: np.ndarray
    features: np.ndarray
    word_item: np.ndarray
    item_item: np.ndarray
    question: np.ndarray
    odds: np.ndarray
    meaning: np.ndarray = field(default_factory=lambda: np.zeros(HIDDEN, dtype=np.float32))
    before: tuple[int, ...] = ()


def _compared(found: Sequence[Mention]) -> list[str]:
    """The columns of which several values are mentioned: "Gold against Silver" asks for the tiers.

    One word may stand for several values of a column: those are not compared.
    """
    places: dict[str, set[int]] = {}
    for mention in found:
        if mention.token.startswith("v:") and mention.quality >= 1:
            column = mention.token[2:].partition("=")[0]
            places.setdefault(f"c:{column}", set()).add(mention.first)
    return sorted(column for column, firsts in places.items() if len(firsts) > 1)


def _grams(spoken: Sequence[Word]) -> tuple[tuple[tuple[str, ...], int, int], ...]:
    """Runs of one to three words that neither begin nor end with a stop word."""
    found = []
    for first in range(len(spoken)):
        for last in range(first, min(first + _GRAM, len(spoken))):
            ends = (spoken[first].text.lower(), spoken[last].text.lower())
            if any(e in STOP_WORDS or e.isdigit() for e in ends):
                continue
            parts = (w.text.lower() for w in spoken[first : last + 1])
            found.append((tuple(p for p in parts if p not in STOP_WORDS), first, last))
    return tuple(found)


def _spoken(question: str) -> tuple[Word, ...]:
    return tuple(words(question)[:MOST_WORDS]) or (Word(NOTHING_SAID, 0, 1),)


def _told(before: Sequence[str]) -> Sequence[str]:
    """The plan before, as far as it is told."""
    return before if len(before) <= MOST_BEFORE else ()


class Linker:
    """Prepares questions over one schema for the network."""

    def __init__(self, index: SchemaIndex) -> None:
        self.index = index
        self._ranker = Ranker()
        self._keys = self._ranker.keys(index.vector_table[: len(index.items)])

    def link(
        self,
        questions: Sequence[str],
        golds: Sequence[Sequence[str]] | None = None,
        before: Sequence[Sequence[str]] | None = None,
    ) -> list[Linked]:
        """``golds`` are plan tokens whose items must be among the candidates (in training),
        ``before`` the plans of the questions that these follow up."""
        return self.link_read(self.read(questions), golds, before)

    def read(self, questions: Sequence[str]) -> list[tuple[str, Tokens]]:
        """Each question as it is meant to be written, and as the encoder reads it."""
        questions = [self.index.compounds.put_right(question) for question in questions]
        return list(zip(questions, self.index.encoder.read(questions), strict=True))

    def link_read(
        self,
        read: Sequence[tuple[str, Tokens]],
        golds: Sequence[Sequence[str]] | None = None,
        before: Sequence[Sequence[str]] | None = None,
    ) -> list[Linked]:
        """``link`` of what ``read`` gave."""
        heard = [_spoken(question) for question, _ in read]
        self.index.learn_words(heard)
        made = []
        for i, ((question, tokens), spoken) in enumerate(zip(read, heard, strict=True)):
            states = word_states(tokens, spoken)
            gold = golds[i] if golds else ()
            last = _told(before[i] if before else ())
            one = self._one(question, spoken, states, tokens.pooled, gold, last)
            made.append(replace(one, meaning=tokens.pooled.cpu().numpy()))
        return made

    def again(self, linked: Linked, gold: Sequence[str], before: Sequence[str] = ()) -> Linked:
        """A question that was read, with the items of ``gold`` among the candidates, too."""
        spoken = _spoken(linked.text)
        states, pooled = linked.states.astype(np.float32), torch.from_numpy(linked.meaning)
        last = _told(before)
        made = self._one(linked.text, spoken, states, pooled, gold, last)
        return replace(made, meaning=linked.meaning)

    def _one(
        self,
        question: str,
        spoken: tuple[Word, ...],
        states: np.ndarray,
        pooled: torch.Tensor,
        gold: Sequence[str],
        before: Sequence[str],
    ) -> Linked:
        index = self.index
        full, partial, share = index.names(spoken)
        found = mentions(question, index.values, index.today)
        aside = index.asides.found(question, spoken, found, full)
        soft = np.zeros_like(full)
        grams = _grams(spoken)
        meant: list[Meant] = []
        if grams:
            vectors = index.gram_vectors([g[0] for g in grams])
            meant = self._meant(grams, vectors, pooled, found, gold)
            near = index.meaning(vectors)
            for row, (_, first, last) in zip(near, grams, strict=True):
                np.maximum(soft[first : last + 1], row, out=soft[first : last + 1])
        uncovered = _uncovered(spoken, full, partial, soft, found)
        np.maximum(soft, index.thesaurus.meant(spoken), out=soft)
        described = index.described(spoken)
        tables = index.own_table(full)
        whole = index.likeness(pooled)
        weights = np.array([index.idf.get(w.stem, 0.0) for w in spoken], dtype=np.float32)
        named = full.sum(0) * 1.2 + (partial * weights[:, None]).sum(0) * 0.25
        score = named + share + 2.0 * soft.max(0) + whole + 0.4 * tables.max(0)
        channels = np.stack((full, partial, np.zeros_like(full), soft, described, tables), axis=-1)
        scalars = np.stack(
            (
                full.sum(0) / 3,
                partial.max(0),
                share,
                soft.max(0),
                whole,
                (partial * weights[:, None]).sum(0) / 6,
                tables.max(0),
                described.sum(0) / 4,
                np.zeros_like(share),
            ),
            axis=-1,
        )
        ranked = ranker_features(index.places, scalars, score, found)
        needed = (*gold, *before, *_compared(found))
        passed_over, asked = self._passed_over(full), pooled.cpu().numpy()
        kept, odds = self._chosen(ranked, passed_over, asked, needed)
        for each in aside:
            # The network and the ranking see no sign of what is said to need no condition.
            place = index.place[f"c:{each.column}"]
            channels[each.first : each.last + 1, place] = 0
            if each.flag:
                scalars[place, _OF_WORDS] = 0
        hidden = {f"v:{each.column}=" for each in aside}
        shown = [
            m for m in found if m.token in gold or f"{m.token.partition('=')[0]}=" not in hidden
        ]
        shown += carried(question, spoken, before, shown, index.today, index.schema.fiscal_year)
        tokens = {m.token for m in shown}
        mentioned: list[Mention | Meant] = [*shown]
        mentioned += [m for m in meant if m.token not in tokens]
        made = self._assemble(question, states, kept, odds, mentioned, channels, scalars, uncovered)
        return replace(made, before=plan_ids(before, made.items) or ())

    def _meant(
        self,
        grams: Sequence[tuple[tuple[str, ...], int, int]],
        vectors: torch.Tensor,
        pooled: torch.Tensor,
        found: Sequence[Mention],
        gold: Sequence[str],
    ) -> list[Meant]:
        """Values that words may mean which name none."""
        named = {i for m in found if m.quality >= _NAMED for i in range(m.first, m.last + 1)}
        free = [at for at, (_, a, b) in enumerate(grams) if named.isdisjoint(range(a, b + 1))]
        said = {m.token for m in found}
        spans = [grams[at][1:] for at in free]
        needed = {token for token in gold if token.startswith("v:")}
        return self.index.meant_values.nearest(spans, vectors[free], pooled.cpu(), said, needed)

    def _passed_over(self, full: np.ndarray) -> np.ndarray:
        """The items (items,) of wide marts that the question does not call by name."""
        index = self.index
        named = index.own_table(full).max(0) + full.max(0) * (index.places.sort == 0)
        made: np.ndarray = index.copied & (named == 0)
        return made

    def _chosen(
        self,
        features: np.ndarray,
        passed_over: np.ndarray,
        question: np.ndarray,
        tokens: Sequence[str],
    ) -> tuple[list[int], np.ndarray]:
        """The places of the candidate schema items, those of ``tokens`` among them, and the log
        odds of each."""
        places = self.index.places
        needed = [self.index.place[token] for token in tokens if token in self.index.place]
        asked = Asked(question, self._keys)
        scores = self._ranker.scores(places.sort, features, passed_over, asked)
        kept = chosen(places.sort, scores, needed)
        return kept, scores[kept].astype(np.float32)

    def _assemble(
        self,
        question: str,
        states: np.ndarray,
        kept: list[int],
        odds: np.ndarray,
        mentioned: Sequence[Mention | Meant],
        channels: np.ndarray,
        scalars: np.ndarray,
        uncovered: np.ndarray,
    ) -> Linked:
        index = self.index
        brought = [index.mentioned(m.token) for m in mentioned]
        items = (*(index.items[i] for i in kept), *(item for item, _ in brought))
        count, known = len(items), len(kept)
        word_item = np.zeros((len(states), count, RELATIONS), dtype=np.float16)
        word_item[:, :known] = channels[:, kept]
        features = np.zeros((count, ITEM_FEATURES), dtype=np.float16)
        features[:known] = [index.static(i) for i in kept]
        features[:known, -SCALARS:] = scalars[kept]
        rows = np.array([*kept, *(row for _, row in brought)], dtype=np.int64)
        for at, (mention, (item, _)) in enumerate(zip(mentioned, brought, strict=True), known):
            over = slice(mention.first, mention.last + 1)
            features[at] = static_features(item)
            features[at, -2] = (mention.last - mention.first + 1) / 4
            if item.sort == "v":
                place = index.place[f"c:{item.table}.{item.column}"]
                features[at, -SCALARS:-2] = scalars[place, : SCALARS - 2]
                word_item[:, at, 5] = np.maximum(channels[:, place, 5], channels[:, place, 0])
            if isinstance(mention, Meant):
                word_item[over, at, 3] = max(mention.near, 0.0)
                features[at, [NEAR, WHOLE]] = mention.near, mention.whole
            else:
                word_item[over, at, 2] = features[at, -1] = mention.quality
        ids = np.array([*(i + 1 for i in kept), *(0 for _ in brought)], dtype=np.int64)
        return Linked(
            question,
            items,
            ids,
            states.astype(np.float16),
            index.vector_table,
            rows,
            features,
            word_item,
            self._item_item(items),
            uncovered.astype(np.float16),
            np.concatenate((odds, np.full(len(brought), np.nan, dtype=np.float32))),
        )

    def _item_item(self, items: Sequence[Item]) -> np.ndarray:
        tables = np.array([hash(i.table or i.token) for i in items])
        sorts = np.array([SORT_AT[i.sort] for i in items])
        names = np.array([hash((i.table, i.column)) for i in items])
        own = np.array([bool(i.table) for i in items])
        same = (tables[:, None] == tables[None]) & own[:, None] & own[None]
        made = np.zeros((len(items), len(items), 8), dtype=bool)
        made[..., 0] = same
        is_table = sorts == SORT_AT["t"]
        made[..., 1] = same & (is_table[:, None] | is_table[None])
        made[..., 2] = self._metric_tables(items)
        values = sorts == SORT_AT["v"]
        made[..., 3] = (names[:, None] == names[None]) & (values[:, None] | values[None])
        joins = self._joins(items)
        made[..., 4] = joins
        made[..., 5] = joins.T
        return np.packbits(made, axis=-1, bitorder="little")[..., 0]

    def _metric_tables(self, items: Sequence[Item]) -> np.ndarray:
        found = np.zeros((len(items), len(items)), dtype=bool)
        tables = np.array([item.table for item in items])
        for i, item in enumerate(items):
            if item.sort == "m" and item.roots:
                found[i] = np.isin(tables, item.roots)
        made: np.ndarray = found | found.T
        return made

    def _joins(self, items: Sequence[Item]) -> np.ndarray:
        names = sorted({i.table for i in items if i.table})
        at = {name: n for n, name in enumerate(names)}
        graph = self.index.binder.graph
        reach = np.zeros((len(names) + 1, len(names) + 1), dtype=bool)
        for name in names:
            for other in graph.reachable(name) & at.keys():
                reach[at[name], at[other]] = name != other
        rows = np.array([at.get(i.table, len(names)) for i in items])
        made: np.ndarray = reach[rows][:, rows]
        return made


def plan_ids(plan: Sequence[str], items: Sequence[Item]) -> tuple[int, ...] | None:
    """What stands for a plan's tokens in the network, keywords before ``items``; None where an item
    is not among these."""
    ids = KEYWORD_AT | {item.token: len(KEYWORDS) + at for at, item in enumerate(items)}
    return tuple(ids[token] for token in plan) if ids.keys() >= set(plan) else None


def _uncovered(
    spoken: Sequence[Word],
    full: np.ndarray,
    partial: np.ndarray,
    soft: np.ndarray,
    found: Sequence[Mention],
) -> np.ndarray:
    """How much of the question no item explains: signs that the data cannot answer it."""
    dated = {i for m in found for i in range(m.first, m.last + 1)}
    content = [
        i
        for i, w in enumerate(spoken)
        if w.text.lower() not in STOP_WORDS and i not in dated and not w.text.isdigit()
    ]
    if not content:
        return np.zeros(QUESTION_FEATURES, dtype=np.float32)
    named = np.maximum(full.max(1), 0.7 * partial.max(1))[content]
    meant = soft.max(1)[content]
    best = np.maximum(named, meant)
    return np.array(
        [best.min(), best.mean(), float((best < 0.5).mean()), float((best < 0.5).sum()) / 5],
        dtype=np.float32,
    )


def stack(batch: Sequence[Linked]) -> dict[str, torch.Tensor]:
    """Questions padded to one size, as float32 tensors named after ``network.Batch``."""
    count = len(batch)
    w = max(len(q.states) for q in batch)
    i = max(len(q.items) for q in batch)
    made = {
        "words": torch.zeros(count, w, HIDDEN),
        "word_mask": torch.zeros(count, w, dtype=torch.bool),
        "item_vectors": torch.zeros(count, i, HIDDEN),
        "item_features": torch.zeros(count, i, ITEM_FEATURES),
        "item_ids": torch.zeros(count, i, dtype=torch.long),
        "item_mask": torch.zeros(count, i, dtype=torch.bool),
        "word_item": torch.zeros(count, w, i, RELATIONS),
        "item_item": torch.zeros(count, i, i, ITEM_RELATIONS),
        "question": torch.zeros(count, QUESTION_FEATURES),
        "before": torch.zeros(count, max(len(q.before) for q in batch), dtype=torch.long),
    }
    for row, linked in enumerate(batch):
        nw, ni = len(linked.states), len(linked.items)
        made["words"][row, :nw] = torch.from_numpy(linked.states)
        made["word_mask"][row, :nw] = True
        made["item_vectors"][row, :ni] = torch.from_numpy(linked.table[linked.rows])
        made["item_features"][row, :ni] = torch.from_numpy(linked.features)
        made["item_ids"][row, :ni] = torch.from_numpy(linked.ids)
        made["item_mask"][row, :ni] = True
        made["word_item"][row, :nw, :ni] = torch.from_numpy(linked.word_item)
        bits = np.unpackbits(linked.item_item[..., None], axis=-1, bitorder="little")
        made["item_item"][row, :ni, :ni] = torch.from_numpy(bits[..., :ITEM_RELATIONS])
        made["question"][row] = torch.from_numpy(linked.question)
        made["before"][row, : len(linked.before)] = torch.tensor(linked.before)
    return made
