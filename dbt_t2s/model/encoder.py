"""The text encoder: all-MiniLM-L6-v2, shipped with the package, frozen.

Wang et al. 2020 (MiniLM), Reimers and Gurevych 2019 (Sentence-BERT): 6 layers, hidden size 384,
22.6M parameters here (the pooler is left out, positions are cut to 256), words stored as int8 and
the rest as fp16.

A question's words are read by a ``QuestionReader``: layers of their own, which pretraining across
schemas has tuned. Names and texts of a schema keep MiniLM's.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from safetensors import SafetensorError
from tokenizers import Encoding, Tokenizer
from transformers import BertConfig, BertModel
from transformers.models.bert.modeling_bert import BertEncoder

from dbt_t2s.errors import ModelError
from dbt_t2s.model import quantized
from dbt_t2s.model.packed import pack
from dbt_t2s.query.text import Word

WEIGHTS = Path(__file__).parent / "weights" / "encoder"
READER = Path(__file__).parent / "weights" / "plan" / "reader.safetensors"
HIDDEN = 384
_BATCH = 64
_IN_A_LINE = 8  # texts; of more the scores of one for another, which are thrown away, cost too much


@dataclass(frozen=True)
class Tokens:
    """One text's word pieces, the character span of each and the text's normalised mean vector.

    ``states`` (pieces, 384) are the reader's.
    """

    states: torch.Tensor
    spans: tuple[tuple[int, int], ...]
    pooled: torch.Tensor


class QuestionReader(torch.nn.Module):
    """The encoder's layers, for questions alone: (B, P, 384) in and out."""

    def __init__(self, config: BertConfig) -> None:
        super().__init__()
        own = BertConfig(**config.to_dict())
        own._attn_implementation = "sdpa"
        self.layers = BertEncoder(own)  # type: ignore[no-untyped-call]

    def forward(self, pieces: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        """``mask`` (B, P) is true for word pieces."""
        read: torch.Tensor = self.layers(pieces, mask[:, None, None, :]).last_hidden_state
        return read

    def save(self, path: Path) -> None:
        """Write the layers as they are shipped."""
        quantized.write(path, self.state_dict())


class Encoder:
    """Reads texts on the CPU in float32; one instance a process is enough."""

    def __init__(
        self, directory: Path = WEIGHTS, reader: Path | None = READER, device: str = "cpu"
    ) -> None:
        self._check(directory)
        self.device = torch.device(device)
        config = BertConfig(**json.loads((directory / "config.json").read_text()))
        with torch.device("meta"):
            self._model = BertModel(config, add_pooling_layer=False)
        weights = quantized.read(directory / "model.safetensors")
        self._model.load_state_dict(weights, assign=True, strict=False)
        # Buffers made on the meta device hold nothing; these two are plain ranges.
        longest = config.max_position_embeddings
        embeddings = self._model.embeddings
        embeddings.register_buffer("position_ids", torch.arange(longest)[None], persistent=False)
        types = torch.zeros((1, longest), dtype=torch.long)
        embeddings.register_buffer("token_type_ids", types, persistent=False)
        self._model.train(False).to(self.device)
        self.reader = self._reader(config, reader)
        self._tokenizer = Tokenizer.from_file(str(directory / "tokenizer.json"))
        self._tokenizer.enable_truncation(config.max_position_embeddings)
        self._tokenizer.no_padding()

    @staticmethod
    def _check(directory: Path) -> None:
        """The weights are the ones this version was made with; ModelError if not."""
        weights, listed = directory / "model.safetensors", directory / "SHA256SUMS"
        if not weights.is_file() or not listed.is_file():
            raise ModelError(
                "the encoder's weights are missing",
                where=str(directory),
                hint="pip install --force-reinstall dbt-t2s",
            )
        digest = hashlib.sha256(weights.read_bytes()).hexdigest()
        if digest not in listed.read_text():
            raise ModelError(
                "the encoder's weights are corrupted (checksum)",
                where=str(weights),
                hint="pip install --force-reinstall dbt-t2s",
            )

    def _reader(self, config: BertConfig, weights: Path | None) -> QuestionReader:
        """The reader with its tuned weights; with the encoder's own where there are none."""
        reader = QuestionReader(config)
        if weights is not None:
            try:
                reader.load_state_dict(quantized.read(weights))
            except (OSError, RuntimeError, SafetensorError) as error:
                raise ModelError(
                    "the question reader's weights are missing, corrupted or of another version",
                    where=str(weights),
                    hint="pip install --force-reinstall dbt-t2s",
                ) from error
        else:
            reader.layers.load_state_dict(self._model.encoder.state_dict())
        return reader.train(False).to(self.device)

    def pack(self) -> None:
        """Lays the weights out for reading a question at a time; they cannot be trained after."""
        pack(self._model)
        pack(self.reader)

    def tokenize(self, texts: Sequence[str]) -> list[Encoding]:
        """Each text's word pieces, [CLS] and [SEP] among them."""
        return self._tokenizer.encode_batch(list(texts))

    def is_word(self, lowered: str) -> bool:
        """Whether it is among the thirty thousand words that need no pieces."""
        return self._tokenizer.token_to_id(lowered) is not None

    @torch.no_grad()
    def embed(self, ids: torch.Tensor) -> torch.Tensor:
        """What the layers read: word pieces (B, P) as vectors at their places (B, P, 384)."""
        made: torch.Tensor = self._model.embeddings(input_ids=ids)
        return made

    @torch.inference_mode()
    def read(
        self, texts: Sequence[str], progress: Callable[[int, int], None] | None = None
    ) -> list[Tokens]:
        """Each text as its word pieces, [CLS] and [SEP] left out where not said otherwise."""
        encoded = self.tokenize(texts)
        found: dict[int, Tokens] = {}
        for rows, ids, mask in self._batches(encoded):
            pieces = self.embed(ids)
            states = _through(self.reader.layers, pieces, mask)
            pooled = _pooled(_through(self._model.encoder, pieces, mask), mask)
            for row, i in enumerate(rows):
                length = len(encoded[i].ids)
                found[i] = Tokens(
                    states[row, 1 : length - 1].clone(),
                    tuple(encoded[i].offsets[1:-1]),
                    pooled[row],
                )
            if progress:
                progress(len(found), len(texts))
        return [found[i] for i in range(len(texts))]

    @torch.inference_mode()
    def vectors(self, texts: Sequence[str]) -> torch.Tensor:
        """Normalised sentence vectors, shape (texts, 384), on the CPU."""
        made = torch.zeros((len(texts), HIDDEN))
        for rows, ids, mask in self._batches(self.tokenize(texts)):
            made[rows] = _pooled(_through(self._model.encoder, self.embed(ids), mask), mask).cpu()
        return made

    def _batches(
        self, encoded: Sequence[Encoding]
    ) -> Iterator[tuple[list[int], torch.Tensor, torch.Tensor]]:
        """Texts of like length: which they are, their ids and mask (B, P)."""
        order = sorted(range(len(encoded)), key=lambda i: len(encoded[i].ids))
        size = _BATCH if self.device.type == "cpu" else 32 * _BATCH
        for at in range(0, len(order), size):
            rows = order[at : at + size]
            width = len(encoded[rows[-1]].ids)
            ids = torch.zeros((len(rows), width), dtype=torch.long)
            mask = torch.zeros((len(rows), width), dtype=torch.long)
            for row, i in enumerate(rows):
                length = len(encoded[i].ids)
                ids[row, :length] = torch.tensor(encoded[i].ids)
                mask[row, :length] = 1
            yield rows, ids.to(self.device), mask.to(self.device)


def _through(layers: BertEncoder, pieces: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """What ``layers`` make of word pieces (B, P, 384).

    A few texts are read as one line without padding, in which each sees its own pieces alone.
    """
    inside = mask.bool()
    if len(pieces) > _IN_A_LINE or bool(inside.all()):
        read: torch.Tensor = layers(pieces, inside[:, None, None, :]).last_hidden_state
        return read
    text = inside.nonzero()[:, 0]
    seen = text[:, None] == text
    made = torch.zeros_like(pieces)
    made[inside] = layers(pieces[inside][None], seen[None, None]).last_hidden_state[0]
    return made


def _pooled(states: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """Normalised means (B, 384) of the states of what is no padding."""
    shares = mask[..., None].float()
    return torch.nn.functional.normalize((states * shares).sum(1) / shares.sum(1), dim=-1)


def word_states(tokens: Tokens, spoken: Sequence[Word]) -> np.ndarray:
    """Token states averaged per word, shape (words, 384); zeros for a word that was cut off.

    In numpy: for so small a product torch's threads wait for each other longer than they work.
    """
    made: np.ndarray = word_pieces(tokens, spoken).numpy() @ tokens.states.cpu().numpy()
    return made


def word_pieces(tokens: Tokens, spoken: Sequence[Word]) -> torch.Tensor:
    """How each word's state is made of its pieces', shape (words, pieces)."""
    shares = torch.zeros((len(spoken), len(tokens.spans)))
    for i, word in enumerate(spoken):
        inside = [
            k
            for k, (start, end) in enumerate(tokens.spans)
            if start < word.end and word.start < end
        ]
        shares[i, inside] = 1 / max(len(inside), 1)
    return shares
