"""Reads every text of every telling once: ``python -m tests.tools.pretrain.texts TELLINGS TEXTS``.

``ranker`` and ``pack`` ask for the vectors of the same texts, which take an encoder on two cores a
quarter of an hour. TEXTS is a folder: a list of texts, their vectors and the words' places.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from dbt_t2s.model.encoder import HIDDEN, Encoder, Tokens
from dbt_t2s.model.linking import MOST_WORDS, NOTHING_SAID
from dbt_t2s.model.meant_values import texts_of, told_values
from dbt_t2s.model.schema_index import compounds_of
from dbt_t2s.query.bind import Binder
from dbt_t2s.query.items import schema_items
from dbt_t2s.query.text import STOP_WORDS, words
from tests.tools.pretrain.tellings import Telling, read

Bag = set[str]
Spans = tuple[tuple[int, int], ...]


@dataclass(frozen=True)
class Texts:
    """What the encoder made of each text: ``vectors`` (texts, 384) float16, and where each stands.

    ``spans`` has the questions alone: the characters of each of their word pieces.
    """

    vectors: np.ndarray
    place: Mapping[str, int]
    spans: Mapping[str, Spans]

    def write(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        np.save(folder / "vectors.npy", self.vectors)
        told = {"texts": sorted(self.place, key=self.place.__getitem__), "spans": self.spans}
        (folder / "texts.json").write_text(json.dumps(told, ensure_ascii=False), "utf-8")

    @classmethod
    def read(cls, folder: Path) -> Texts:
        told = json.loads((folder / "texts.json").read_text("utf-8"))
        spans = {text: tuple((a, b) for a, b in each) for text, each in told["spans"].items()}
        place = {text: at for at, text in enumerate(told["texts"])}
        return cls(np.load(folder / "vectors.npy"), place, spans)


class ReadyEncoder(Encoder):
    """Answers from what was read before; it holds no weights."""

    def __init__(self, texts: Texts) -> None:
        self._texts = texts
        self._nothing = torch.zeros((MOST_WORDS * 20, HIDDEN))

    def vectors(self, texts: Sequence[str]) -> torch.Tensor:
        places = [self._texts.place[text] for text in texts]
        return torch.from_numpy(self._texts.vectors[places].astype(np.float32))

    def read(self, texts: Sequence[str], progress: object = None) -> list[Tokens]:
        """Tokens without states: those are read anew while the network learns."""
        pooled = self.vectors(texts)
        none = self._nothing
        found = []
        for text, vector in zip(texts, pooled, strict=True):
            spans = self._texts.spans[text]
            found.append(Tokens(none[: len(spans)], spans, vector))
        return found


def asked_for(telling: Telling) -> tuple[Bag, Bag]:
    """The texts that linking one telling asks the encoder for, and its questions."""
    texts: Bag = {NOTHING_SAID}
    items = schema_items(telling.schema, Binder(telling.schema))
    for item in items:
        texts.add(item.text)
        texts.update(item.phrases)
    texts.update(texts_of(told_values(telling.schema)))
    compounds = compounds_of(telling.schema, items)
    questions = {compounds.put_right(q.text) for q in telling.questions}
    for question in questions:
        spoken = {w.text.lower() for w in words(question)[:MOST_WORDS]}
        texts |= spoken - STOP_WORDS
    return texts, questions


def read_texts(encoder: Encoder, asked: Iterable[tuple[Bag, Bag]]) -> Texts:
    """Every text of the bags, the questions' spans among them."""
    texts: Bag = set()
    questions: Bag = set()
    for of_schema, of_people in asked:
        texts |= of_schema
        questions |= of_people
    listed, spoken = sorted(texts | questions), sorted(questions)
    vectors = encoder.vectors(listed).numpy().astype(np.float16)
    encoded = encoder.tokenize(spoken)
    spans = {t: tuple(e.offsets[1:-1]) for t, e in zip(spoken, encoded, strict=True)}
    return Texts(vectors, {text: at for at, text in enumerate(listed)}, spans)


# Inherited by the processes that read: too much to send to each.
_TELLINGS: list[Telling] = []


def _asked_for(number: int) -> tuple[Bag, Bag]:
    return asked_for(_TELLINGS[number])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("tellings", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    given = parser.parse_args()
    began = time.monotonic()
    _TELLINGS.extend(read(given.tellings))
    with multiprocessing.get_context("fork").Pool(given.processes) as pool:
        bags = pool.map(_asked_for, range(len(_TELLINGS)), chunksize=4)
    print(f"{len(bags)} tellings read, {time.monotonic() - began:.0f} s", flush=True)
    texts = read_texts(Encoder(reader=None, device=given.device), bags)
    texts.write(given.out)
    print(f"{len(texts.place)} texts encoded, {time.monotonic() - began:.0f} s", flush=True)


if __name__ == "__main__":
    main()
