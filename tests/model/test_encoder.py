"""The shipped encoder: whole or refused, sensible, and the same whatever it is read with."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import torch

from dbt_t2s.errors import ModelError
from dbt_t2s.model.encoder import HIDDEN, READER, WEIGHTS, Encoder, word_states
from dbt_t2s.query.text import words

TEXTS = (
    "how much income did we make last month",
    "total revenue in the previous month",
    "the weather in Berlin",
    "",
    "日本語のテキスト",
    "orders " * 400,
)


def test_paraphrases_are_nearer_than_strangers(encoder: Encoder) -> None:
    asked, paraphrase, stranger = encoder.vectors(TEXTS[:3])
    assert float(asked @ paraphrase) > float(asked @ stranger) + 0.3
    income, revenue, colour = encoder.vectors(("income", "revenue", "colour"))
    assert float(income @ revenue) > float(income @ colour) + 0.2


def test_the_order_and_company_of_texts_change_nothing(encoder: Encoder) -> None:
    together = encoder.vectors(TEXTS)
    backwards = encoder.vectors(TEXTS[::-1]).flip(0)
    alone = torch.cat([encoder.vectors([text]) for text in TEXTS])
    assert together.shape == (len(TEXTS), HIDDEN)
    torch.testing.assert_close(together, backwards, atol=1e-5, rtol=0)
    torch.testing.assert_close(together, alone, atol=1e-5, rtol=0)
    torch.testing.assert_close(together.norm(dim=1), torch.ones(len(TEXTS)))


def test_no_texts(encoder: Encoder) -> None:
    assert encoder.vectors([]).shape == (0, HIDDEN)
    assert encoder.read([]) == []


def test_states_of_words(encoder: Encoder) -> None:
    text = "unfathomable misspelings of Łódź, twice"
    tokens = encoder.read([text])[0]
    spoken = words(text)
    states = word_states(tokens, spoken)
    assert states.shape == (len(spoken), HIDDEN)
    assert all(float(abs(state).sum()) > 0 for state in states)
    long = "word " * 400
    cut = word_states(encoder.read([long])[0], words(long))
    assert float(abs(cut[0]).sum()) > 0
    assert float(abs(cut[-1]).sum()) == 0


def damaged(folder: Path) -> Path:
    shutil.copytree(WEIGHTS, folder)
    folder.chmod(0o755)
    weights = folder / "model.safetensors"
    weights.chmod(0o644)
    with weights.open("r+b") as file:
        file.seek(2_000_000)
        byte = file.read(1)
        file.seek(2_000_000)
        file.write(bytes([byte[0] ^ 1]))
    return folder


def test_a_flipped_bit_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="checksum") as caught:
        Encoder(damaged(tmp_path / "encoder"))
    assert caught.value.hint.startswith("pip install")


def test_missing_weights_are_named(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="missing") as caught:
        Encoder(tmp_path)
    assert str(tmp_path) in caught.value.where


def test_a_reader_without_weights_of_its_own_reads_as_the_encoder(tmp_path: Path) -> None:
    plain = Encoder(reader=None)
    (tokens,) = plain.read(TEXTS[:1])
    tuned = Encoder().read(TEXTS[:1])[0]
    # The same mean vector, whatever the reader; other states where it was tuned.
    torch.testing.assert_close(tokens.pooled, tuned.pooled)
    assert not torch.allclose(tokens.states, tuned.states, atol=1e-2)
    own = torch.nn.functional.normalize(tokens.states.mean(0), dim=0)
    assert float(own @ tokens.pooled) > 0.9  # [CLS] and [SEP] apart, the mean of its states
    plain.reader.save(tmp_path / READER.name)
    again = Encoder(reader=tmp_path / READER.name).read(TEXTS[:1])[0]
    # Written with a byte a weight, 0.3% of each row's largest, six layers one after the other.
    torch.testing.assert_close(tokens.states, again.states, atol=1e-1, rtol=0)


def test_a_damaged_reader_is_named(tmp_path: Path) -> None:
    damaged_reader = tmp_path / READER.name
    damaged_reader.write_bytes(READER.read_bytes()[:1000])
    for path in (damaged_reader, tmp_path / "none.safetensors"):
        with pytest.raises(ModelError, match="question reader") as caught:
            Encoder(reader=path)
        assert str(path) in caught.value.where


def test_texts_read_in_one_line_or_side_by_side_are_as_each_alone() -> None:
    encoder = Encoder()
    texts = [" ".join(["net revenue by store"] * count) for count in range(1, 12)]
    alone = [encoder.read([text])[0] for text in texts]
    for together in (texts[:5], texts):
        for one, other in zip(alone, encoder.read(together), strict=False):
            assert one.spans == other.spans
            assert torch.allclose(one.states, other.states, atol=1e-4)
            assert torch.allclose(one.pooled, other.pooled, atol=1e-5)
        vectors = encoder.vectors(together)
        pooled = torch.stack([one.pooled for one in alone[: len(together)]])
        assert torch.allclose(vectors, pooled, atol=1e-5)
