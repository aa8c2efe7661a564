"""Vectors of texts and words are kept with a model; without them nothing is lost but time."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from dbt_t2s.model import known_vectors
from dbt_t2s.model.encoder import Encoder
from dbt_t2s.model.known_vectors import FILE, KnownVectors
from dbt_t2s.model.linking import Linker
from dbt_t2s.model.schema_index import SchemaIndex

KNOWN = KnownVectors(
    texts={"orders: one row an order": np.full(384, 3, dtype=np.float32)},
    words={word: np.full(384, n, dtype=np.float32) for n, word in enumerate(("net", "größte"), 1)},
)


@pytest.mark.parametrize("known", [KNOWN, KnownVectors(words=KNOWN.words), KnownVectors()])
def test_what_is_kept_comes_back(tmp_path: Path, known: KnownVectors) -> None:
    known_vectors.write(tmp_path, known)
    found = known_vectors.read(tmp_path)
    for wanted, read in ((known.texts, found.texts), (known.words, found.words)):
        assert list(read) == list(wanted)
        assert all(np.array_equal(read[text], vector) for text, vector in wanted.items())


def test_no_more_are_kept_than_load_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(known_vectors, "_MOST", 1)
    known_vectors.write(tmp_path, KNOWN)
    found = known_vectors.read(tmp_path)
    assert (list(found.texts), list(found.words)) == (["orders: one row an order"], ["net"])


def test_what_another_encoder_read_is_not_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    known_vectors.write(tmp_path, KNOWN)
    monkeypatch.setattr(known_vectors, "_encoder", lambda: "another")
    assert known_vectors.read(tmp_path) == KnownVectors()


@pytest.mark.parametrize("damage", [b"", b"\x00" * 40, b"cut"])
def test_a_damaged_file_is_not_used(tmp_path: Path, damage: bytes) -> None:
    known_vectors.write(tmp_path, KNOWN)
    path = tmp_path / FILE
    path.write_bytes(path.read_bytes()[:200] if damage == b"cut" else damage)
    assert known_vectors.read(tmp_path) == KnownVectors()


def test_a_question_of_known_words_is_linked_the_same_without_reading_them(
    index: SchemaIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    question = "total pieces shipped to france per customer segment"
    (wanted,) = Linker(index).link([question])
    met = {word: index.word_vectors[word] for word in ("pieces", "shipped", "france", "customer")}
    read: list[str] = []
    vectors = Encoder.vectors

    def noting(self: Encoder, texts: list[str]) -> object:
        read.extend(texts)
        return vectors(self, texts)

    monkeypatch.setattr(Encoder, "vectors", noting)
    known = KnownVectors(index.text_vectors, met)
    again = SchemaIndex(index.schema, index.encoder, index.today, known)
    assert read == []  # nothing of the schema is read again
    (found,) = Linker(again).link([question])
    assert read == ["segment", "total"]
    np.testing.assert_allclose(found.word_item, wanted.word_item, atol=2e-3)
    assert found.items == wanted.items


def test_a_text_that_is_new_in_a_schema_is_read(index: SchemaIndex) -> None:
    forgotten = index.items[0].text
    rest = {text: v for text, v in index.text_vectors.items() if text != forgotten}
    again = SchemaIndex(index.schema, index.encoder, index.today, KnownVectors(texts=rest))
    np.testing.assert_allclose(
        again.text_vectors[forgotten], index.text_vectors[forgotten], atol=1e-5
    )
