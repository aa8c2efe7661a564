"""Schema linking: which items a question may concern, and how its words match them.

For each question the linker picks candidate items (schema items by name match and by meaning,
plus what the question itself mentions) and describes every word-item pair and every item by
numbers that the network reads beside the encoder's vectors.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date

import numpy as np
import torch

from dbt_t2s.model.asides import Asides
from dbt_t2s.model.candidates import Places, Ranker, chosen, ranker_features
from dbt_t2s.model.compounds import Compounds
from dbt_t2s.model.encoder import HIDDEN, Encoder, word_states
from dbt_t2s.model.thesaurus import Thesaurus
from dbt_t2s.project.copies import copies
from dbt_t2s.project.schema import Kind, ProjectSchema, Role
from dbt_t2s.query.bind import Binder
from dbt_t2s.query.items import Item, mention_item, schema_items
from dbt_t2s.query.linear import SORTS
from dbt_t2s.query.link import Mention, ValueIndex, mentions
from dbt_t2s.query.text import STOP_WORDS, Word, name_words, stem, words

MOST_WORDS = 60
_MOST_WORDS_KNOWN = 20_000
RELATIONS = 6  # full name, part of a name, mention, meaning, description, own table's name
ITEM_RELATIONS = 6  # same table, table of, metric of table, value of column, joins, joined by
_GRAM = 3
_COPIED = 4.0  # log odds that an item of a wide mart loses to the table it repeats
_SORT_AT = {sort: i for i, sort in enumerate(SORTS)}
_KIND_AT = {kind: i for i, kind in enumerate(Kind)}
_ROLE_AT = {role: i for i, role in enumerate(Role)}
_SCALARS = 9
_OF_WORDS = [0, 1, 2, 3, 5, 7]  # of the scalars, those that tell of single words
ITEM_FEATURES = len(SORTS) + len(Kind) + len(Role) + _SCALARS
QUESTION_FEATURES = 4


@dataclass(frozen=True)
class Linked:
    """One question ready for the network.

    ``items`` are the candidates, ``ids`` their place in the schema's list plus one (0 for
    mentions), ``rows`` where their vectors stand in ``table`` (shared by a schema's questions, its
    last row zero); arrays are float16: ``states`` (W, 384), ``features`` (I, F), ``word_item``
    (W, I, R), ``question`` (Q,); ``item_item`` (I, I) holds the R2 relations as bits. ``meaning``
    (384,) is the whole question's sentence vector.
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
    meaning: np.ndarray = field(default_factory=lambda: np.zeros(HIDDEN, dtype=np.float32))


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


def today_of(schema: ProjectSchema) -> date:
    """The day that the project calls today."""
    return date.fromisoformat(schema.as_of) if schema.as_of else date.today()


class SchemaIndex:
    """A schema's items with everything about them that no question changes."""

    def __init__(self, schema: ProjectSchema, encoder: Encoder, today: date) -> None:
        self.schema = schema
        self.today = today
        self.encoder = encoder
        self.binder = Binder(schema)
        self.items = schema_items(schema, self.binder)
        self.values = ValueIndex(schema)
        self.place = {item.token: i for i, item in enumerate(self.items)}
        self._mentioned: dict[str, tuple[Item, int]] = {}
        self._index_phrases()
        self._vectors = encoder.vectors([item.text for item in self.items])
        vectors = self._vectors.numpy()
        self.vector_table = np.vstack([vectors, np.zeros((1, HIDDEN))]).astype(np.float16)
        self._phrase_vectors = encoder.vectors(self._phrase_texts)
        self._word_vectors: dict[str, np.ndarray] = {}
        self._starts = np.flatnonzero(np.r_[True, np.diff(self._owners) != 0])
        self._static = np.stack([_static_features(item) for item in self.items])
        self.places = Places(schema, self.items)
        self.asides = Asides(self.items)
        names = (phrase for item in self.items for phrase in item.phrases)
        values = (v for t in schema.tables for c in t.columns for v in c.values)
        self.compounds = Compounds(names, values)
        self.thesaurus = Thesaurus(self.items, self.idf)
        copied = copies(schema)
        self.copied = np.array([item.table in copied for item in self.items])

    def _index_phrases(self) -> None:
        """Phrases of all items in one list; which stems each holds, and which items each serves."""
        texts: list[str] = []
        owners: list[int] = []
        parts: list[tuple[str, ...]] = []
        for place, item in enumerate(self.items):
            for phrase in item.phrases:
                texts.append(phrase)
                owners.append(place)
                parts.append(tuple(stem(w) for w in name_words(phrase)))
        self._phrase_texts = texts
        self._owners = np.array(owners)
        self._phrase_stems = parts
        self._lengths = np.array([max(len(p), 1) for p in parts], dtype=np.float32)
        self._by_stem: dict[str, list[int]] = {}
        for number, found in enumerate(parts):
            for each in set(found):
                self._by_stem.setdefault(each, []).append(number)
        items_with: dict[str, set[int]] = {}
        for each, phrases in self._by_stem.items():
            items_with[each] = {owners[p] for p in phrases}
        count = len(self.items)
        self.idf = {each: float(np.log(1 + count / len(s))) for each, s in items_with.items()}
        self._items_with = {s: np.array(sorted(found)) for s, found in items_with.items()}
        described: dict[str, set[int]] = {}
        for place, item in enumerate(self.items):
            for word in name_words(item.text):
                if word not in STOP_WORDS:
                    described.setdefault(stem(word), set()).add(place)
        self._described = {s: np.array(sorted(found)) for s, found in described.items()}
        tables = {item.token: i for i, item in enumerate(self.items) if item.sort == "t"}
        self._table_place = np.array(
            [tables.get(f"t:{item.table}", -1) if item.sort != "t" else -1 for item in self.items]
        )

    def mentioned(self, token: str) -> tuple[Item, int]:
        """The item for a mention, and the row of its vector (its column's, or none)."""
        if token not in self._mentioned:
            item = mention_item(token, self.schema)
            row = len(self.items)
            if item.sort == "v":
                row = self.place[f"c:{item.table}.{item.column}"]
            self._mentioned[token] = (item, row)
        return self._mentioned[token]

    # ---- a question's numbers over all schema items

    def learn_words(self, questions: Sequence[Sequence[Word]]) -> None:
        """Encode the words not met before, all at once."""
        met = {w.text.lower() for spoken in questions for w in spoken}
        if len(self._word_vectors) > _MOST_WORDS_KNOWN:
            self._word_vectors.clear()  # a server that is asked for years
        missing = sorted(met - self._word_vectors.keys() - STOP_WORDS)
        if missing:
            vectors = self.encoder.vectors(missing).numpy()
            self._word_vectors.update(zip(missing, vectors, strict=True))

    def meaning(self, grams: Sequence[tuple[str, ...]]) -> np.ndarray:
        """Cosines (grams, items) of each gram with the nearest phrase of each item.

        A gram's vector is the mean of its words' vectors: a good stand-in for reading the gram as
        a sentence, and words repeat where grams do not.
        """
        vectors = np.stack([np.sum([self._word_vectors[w] for w in g], axis=0) for g in grams])
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
        # In torch, which is told to use one thread: numpy's wait for each other with all others.
        near = (torch.from_numpy(vectors) @ self._phrase_vectors.T).numpy()
        best = np.zeros((len(grams), len(self.items)), dtype=np.float32)
        best[:, self._owners[self._starts]] = np.maximum.reduceat(near, self._starts, axis=1)
        return best

    def likeness(self, pooled: torch.Tensor) -> np.ndarray:
        """Cosines (items,) of a question's vector (384,) with those of the items' texts."""
        made: np.ndarray = (self._vectors @ pooled).numpy()
        return made

    def names(self, spoken: Sequence[Word]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Full and partial matches (words, items) and the coverage of each item's best name."""
        stems = [w.stem for w in spoken]
        full = np.zeros((len(spoken), len(self.items)), dtype=np.float32)
        partial = np.zeros_like(full)
        covered = np.zeros(len(self._phrase_stems), dtype=np.float32)
        for each in set(stems):
            for phrase in self._by_stem.get(each, ()):
                covered[phrase] += 1
        for i, each in enumerate(stems):
            if each in self._items_with and spoken[i].text.lower() not in STOP_WORDS:
                partial[i, self._items_with[each]] = 1
        for phrase in np.flatnonzero(covered >= self._lengths).tolist():
            parts = self._phrase_stems[phrase]
            for i in range(len(stems) - len(parts) + 1):
                if tuple(stems[i : i + len(parts)]) == parts:
                    full[i : i + len(parts), self._owners[phrase]] = 1
        share = np.zeros(len(self.items), dtype=np.float32)
        np.maximum.at(share, self._owners, covered / self._lengths)
        return full, partial, share

    def described(self, spoken: Sequence[Word]) -> np.ndarray:
        """Whether a word stands in an item's description, (words, items)."""
        found = np.zeros((len(spoken), len(self.items)), dtype=np.float32)
        for i, word in enumerate(spoken):
            if word.text.lower() not in STOP_WORDS and word.stem in self._described:
                found[i, self._described[word.stem]] = 1
        return found

    def own_table(self, full: np.ndarray) -> np.ndarray:
        """Whether a word names the item's own table, (words, items)."""
        found = np.zeros_like(full)
        has = self._table_place >= 0
        found[:, has] = full[:, self._table_place[has]]
        return found

    def static(self, place: int) -> np.ndarray:
        row: np.ndarray = self._static[place]
        return row


def _static_features(item: Item) -> np.ndarray:
    row = np.zeros(ITEM_FEATURES, dtype=np.float32)
    row[_SORT_AT[item.sort]] = 1
    if item.kind is not None:
        row[len(SORTS) + _KIND_AT[item.kind]] = 1
    if item.role is not None:
        row[len(SORTS) + len(Kind) + _ROLE_AT[item.role]] = 1
    return row


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


class Linker:
    """Prepares questions over one schema for the network."""

    def __init__(self, index: SchemaIndex) -> None:
        self.index = index
        self._ranker = Ranker()

    def link(
        self, questions: Sequence[str], golds: Sequence[Sequence[str]] | None = None
    ) -> list[Linked]:
        """``golds`` are plan tokens whose items must be among the candidates (in training)."""
        questions = [self.index.compounds.put_right(question) for question in questions]
        tokens = self.index.encoder.read(questions)
        heard = [words(q)[:MOST_WORDS] or (Word("?", 0, 1),) for q in questions]
        self.index.learn_words(heard)
        made = []
        for i, (question, spoken) in enumerate(zip(questions, heard, strict=True)):
            states = word_states(tokens[i], spoken)
            gold = golds[i] if golds else ()
            pooled = tokens[i].pooled
            one = self._one(question, spoken, states, pooled, gold)
            made.append(replace(one, meaning=pooled.cpu().numpy()))
        return made

    def _one(
        self,
        question: str,
        spoken: Sequence[Word],
        states: np.ndarray,
        pooled: torch.Tensor,
        gold: Sequence[str],
    ) -> Linked:
        index = self.index
        full, partial, share = index.names(spoken)
        found = mentions(question, index.values, index.today)
        aside = index.asides.found(question, spoken, found, full)
        soft = np.zeros_like(full)
        grams = _grams(spoken)
        if grams:
            near = index.meaning([g[0] for g in grams])
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
        kept = self._chosen(ranked, self._passed_over(full), (*gold, *_compared(found)))
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
        return self._assemble(question, states, kept, shown, channels, scalars, uncovered)

    def _passed_over(self, full: np.ndarray) -> np.ndarray:
        """The items (items,) of wide marts that the question does not call by name."""
        index = self.index
        named = index.own_table(full).max(0) + full.max(0) * (index.places.sort == 0)
        made: np.ndarray = index.copied & (named == 0)
        return made

    def _chosen(
        self, features: np.ndarray, passed_over: np.ndarray, tokens: Sequence[str]
    ) -> list[int]:
        """The places of the candidate schema items, those of ``tokens`` among them."""
        places = self.index.places
        needed = [self.index.place[token] for token in tokens if token in self.index.place]
        scores = self._ranker.scores(places, features) - _COPIED * passed_over
        return chosen(places, scores, needed)

    def _assemble(
        self,
        question: str,
        states: np.ndarray,
        kept: list[int],
        found: Sequence[Mention],
        channels: np.ndarray,
        scalars: np.ndarray,
        uncovered: np.ndarray,
    ) -> Linked:
        index = self.index
        brought = [index.mentioned(m.token) for m in found]
        items = (*(index.items[i] for i in kept), *(item for item, _ in brought))
        count, known = len(items), len(kept)
        word_item = np.zeros((len(states), count, RELATIONS), dtype=np.float16)
        word_item[:, :known] = channels[:, kept]
        features = np.zeros((count, ITEM_FEATURES), dtype=np.float16)
        features[:known] = [index.static(i) for i in kept]
        features[:known, -_SCALARS:] = scalars[kept]
        rows = np.array([*kept, *(row for _, row in brought)], dtype=np.int64)
        for at, (mention, (item, _)) in enumerate(zip(found, brought, strict=True), known):
            word_item[mention.first : mention.last + 1, at, 2] = mention.quality
            features[at] = _static_features(item)
            features[at, -1] = mention.quality
            features[at, -2] = (mention.last - mention.first + 1) / 4
            if item.sort == "v":
                place = index.place[f"c:{item.table}.{item.column}"]
                features[at, -_SCALARS:-2] = scalars[place, : _SCALARS - 2]
                word_item[:, at, 5] = np.maximum(channels[:, place, 5], channels[:, place, 0])
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
        )

    def _item_item(self, items: Sequence[Item]) -> np.ndarray:
        tables = np.array([hash(i.table or i.token) for i in items])
        sorts = np.array([_SORT_AT[i.sort] for i in items])
        names = np.array([hash((i.table, i.column)) for i in items])
        own = np.array([bool(i.table) for i in items])
        same = (tables[:, None] == tables[None]) & own[:, None] & own[None]
        made = np.zeros((len(items), len(items), 8), dtype=bool)
        made[..., 0] = same
        is_table = sorts == _SORT_AT["t"]
        made[..., 1] = same & (is_table[:, None] | is_table[None])
        made[..., 2] = self._metric_tables(items)
        values = sorts == _SORT_AT["v"]
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
    return made
