"""Words of a model's corpus are kept with it; without them nothing is lost but time."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from dbt_t2s.model import known_words
from dbt_t2s.model.encoder import Encoder
from dbt_t2s.model.known_words import FILE
from dbt_t2s.model.linking import Linker
from dbt_t2s.model.schema_index import SchemaIndex

VECTORS = {word: np.full(384, n, dtype=np.float32) for n, word in enumerate(("net", "größte"), 1)}


def test_what_is_kept_comes_back(tmp_path: Path) -> None:
    known_words.write(tmp_path, VECTORS)
    found = known_words.read(tmp_path)
    assert list(found) == ["net", "größte"]
    assert all(np.array_equal(found[word], vector) for word, vector in VECTORS.items())
    known_words.write(tmp_path, {})
    assert not (tmp_path / FILE).exists() and known_words.read(tmp_path) == {}


def test_no_more_are_kept_than_load_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(known_words, "_MOST", 1)
    known_words.write(tmp_path, VECTORS)
    assert list(known_words.read(tmp_path)) == ["net"]


def test_words_that_another_encoder_read_are_not_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    known_words.write(tmp_path, VECTORS)
    monkeypatch.setattr(known_words, "_encoder", lambda: "another")
    assert known_words.read(tmp_path) == {}


@pytest.mark.parametrize("damage", [b"", b"\x00" * 40, b"cut"])
def test_a_damaged_file_is_not_used(tmp_path: Path, damage: bytes) -> None:
    known_words.write(tmp_path, VECTORS)
    path = tmp_path / FILE
    path.write_bytes(path.read_bytes()[:200] if damage == b"cut" else damage)
    assert known_words.read(tmp_path) == {}


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

    again = SchemaIndex(index.schema, index.encoder, index.today, met)
    monkeypatch.setattr(Encoder, "vectors", noting)
    (found,) = Linker(again).link([question])
    assert read == ["segment", "total"]
    np.testing.assert_allclose(found.word_item, wanted.word_item, atol=2e-3)
    assert found.items == wanted.items
