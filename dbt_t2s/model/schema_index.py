"""A schema's items with all about them that no question changes: phrases, vectors, places."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date

import numpy as np
import torch

from dbt_t2s.model.asides import Asides
from dbt_t2s.model.candidates import Places
from dbt_t2s.model.compounds import Compounds
from dbt_t2s.model.encoder import HIDDEN, Encoder
from dbt_t2s.model.known_vectors import KnownVectors
from dbt_t2s.model.meant_values import MeantValues, texts_of, told_values
from dbt_t2s.model.thesaurus import Thesaurus
from dbt_t2s.project.copies import copies
from dbt_t2s.project.schema import Kind, ProjectSchema, Role
from dbt_t2s.query.bind import Binder
from dbt_t2s.query.items import Item, mention_item, schema_items
from dbt_t2s.query.linear import SORTS
from dbt_t2s.query.link import ValueIndex
from dbt_t2s.query.text import STOP_WORDS, Word, name_words, stem

_MOST_WORDS_KNOWN = 20_000
SORT_AT = {sort: i for i, sort in enumerate(SORTS)}
_KIND_AT = {kind: i for i, kind in enumerate(Kind)}
_ROLE_AT = {role: i for i, role in enumerate(Role)}
SCALARS = 9  # numbers of an item that its question changes
NEAR, WHOLE = 3 - SCALARS, 4 - SCALARS  # likeness to some of its words, and to all
ITEM_FEATURES = len(SORTS) + len(Kind) + len(Role) + SCALARS


def compounds_of(schema: ProjectSchema, items: Sequence[Item]) -> Compounds:
    """The words of a schema's names and values that people join or divide."""
    names = (phrase for item in items for phrase in item.phrases)
    values = (v for t in schema.tables for c in t.columns for v in c.values)
    return Compounds(names, values)


def today_of(schema: ProjectSchema) -> date:
    """The day that the project calls today."""
    return date.fromisoformat(schema.as_of) if schema.as_of else date.today()


class SchemaIndex:
    """A schema's items with everything about them that no question changes."""

    def __init__(
        self,
        schema: ProjectSchema,
        encoder: Encoder,
        today: date,
        known: KnownVectors | None = None,
    ) -> None:
        """``known`` are vectors of what was read before."""
        known = known or KnownVectors()
        self.schema = schema
        self.today = today
        self.encoder = encoder
        self.binder = Binder(schema)
        self.items = schema_items(schema, self.binder)
        self.values = ValueIndex(schema)
        self.place = {item.token: i for i, item in enumerate(self.items)}
        self._mentioned: dict[str, tuple[Item, int]] = {}
        self._index_phrases()
        values = told_values(schema)
        self.text_vectors = self._read([*self._texts(), *texts_of(values)], known.texts)
        self._vectors = self._stacked([item.text for item in self.items])
        vectors = self._vectors.numpy()
        self.vector_table = np.vstack([vectors, np.zeros((1, HIDDEN))]).astype(np.float16)
        self._phrase_vectors = self._stacked(self._phrase_texts)
        self.word_vectors = dict(known.words)
        self._starts = np.flatnonzero(np.r_[True, np.diff(self._owners) != 0])
        self._static = np.stack([static_features(item) for item in self.items])
        self.places = Places(schema, self.items)
        self.asides = Asides(self.items)
        self.compounds = compounds_of(schema, self.items)
        self.thesaurus = Thesaurus(self.items, self.idf)
        self.meant_values = MeantValues(values, self._stacked)
        copied = copies(schema)
        self.copied = np.array([item.table in copied for item in self.items])

    def _texts(self) -> Iterator[str]:
        for item in self.items:
            yield item.text
            yield from item.phrases

    def _read(self, texts: Sequence[str], known: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """The vector (384,) of each text; those that are not known are read together."""
        missing = [text for text in dict.fromkeys(texts) if text not in known]
        read = dict(zip(missing, self.encoder.vectors(missing).numpy(), strict=True))
        return {text: known[text] if text in known else read[text] for text in texts}

    def _stacked(self, texts: Sequence[str]) -> torch.Tensor:
        """Vectors (texts, 384) of the schema's own texts."""
        made = np.zeros((len(texts), HIDDEN), dtype=np.float32)
        for row, text in zip(made, texts, strict=True):
            row[:] = self.text_vectors[text]
        return torch.from_numpy(made)

    def known(self) -> KnownVectors:
        """All vectors that whoever opens the schema again need not read."""
        return KnownVectors(self.text_vectors, self.word_vectors)

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
        if len(self.word_vectors) > _MOST_WORDS_KNOWN:
            self.word_vectors.clear()  # a server that is asked for years
        missing = sorted(met - self.word_vectors.keys() - STOP_WORDS)
        if missing:
            vectors = self.encoder.vectors(missing).numpy()
            self.word_vectors.update(zip(missing, vectors, strict=True))

    def gram_vectors(self, grams: Sequence[tuple[str, ...]]) -> torch.Tensor:
        """Each gram's vector (grams, 384): the mean of its words' vectors.

        That is a good stand-in for reading the gram as a sentence, and words repeat where grams
        do not.
        """
        vectors = np.stack([np.sum([self.word_vectors[w] for w in g], axis=0) for g in grams])
        return torch.from_numpy(vectors / np.linalg.norm(vectors, axis=1, keepdims=True))

    def meaning(self, vectors: torch.Tensor) -> np.ndarray:
        """Cosines (grams, items) of each gram with the nearest phrase of each item."""
        # In torch, which is told to use one thread: numpy's wait for each other with all others.
        near = (vectors @ self._phrase_vectors.T).numpy()
        best = np.zeros((len(vectors), len(self.items)), dtype=np.float32)
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


def static_features(item: Item) -> np.ndarray:
    row = np.zeros(ITEM_FEATURES, dtype=np.float32)
    row[SORT_AT[item.sort]] = 1
    if item.kind is not None:
        row[len(SORTS) + _KIND_AT[item.kind]] = 1
    if item.role is not None:
        row[len(SORTS) + len(Kind) + _ROLE_AT[item.role]] = 1
    return row
