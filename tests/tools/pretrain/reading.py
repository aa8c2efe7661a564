"""Questions as the encoder's lower layers leave them, for a reader that learns with the network."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from dbt_t2s.model.encoder import HIDDEN, Encoder, QuestionReader, Tokens, word_pieces
from dbt_t2s.model.linking import MOST_WORDS
from dbt_t2s.model.network import Batch, Memory, PlanNetwork
from dbt_t2s.model.recipe import Row, tensors
from dbt_t2s.query.text import Word, words

_AT_ONCE = 256


@dataclass(frozen=True)
class ReadRow(Row):
    """A row with its question's pieces: ``lower`` (P, 384) and ``shares`` (W, P - 2), float16."""

    lower: np.ndarray
    shares: np.ndarray


@dataclass
class ReadBatch(Batch):
    """Questions whose ``words`` are still to be read from ``lower`` (B, P, 384)."""

    lower: Tensor
    lower_mask: Tensor
    shares: Tensor


class ReadingNetwork(nn.Module):
    """A plan network under the reader of its questions."""

    def __init__(self, reader: QuestionReader, network: PlanNetwork) -> None:
        super().__init__()
        self.reader = reader
        self.network = network

    def encode(self, batch: Batch) -> Memory:
        if isinstance(batch, ReadBatch):
            read = self.reader(batch.lower, batch.lower_mask)
            batch.words = torch.bmm(batch.shares, read)
        return self.network.encode(batch)

    def forward(self, batch: Batch, tokens: Tensor) -> Tensor:
        scores = self.network.decode(self.encode(batch), tokens[:, :-1])
        return nn.functional.cross_entropy(
            scores.flatten(0, 1), tokens[:, 1:].flatten(), ignore_index=0
        )


class RememberingEncoder(Encoder):
    """An encoder that reads each text once: variants of a project ask the same questions."""

    def __init__(self) -> None:
        super().__init__(reader=None)
        self._read: dict[str, Tokens] = {}

    def read(
        self, texts: Sequence[str], progress: Callable[[int, int], None] | None = None
    ) -> list[Tokens]:
        unread = list(dict.fromkeys(t for t in texts if t not in self._read))
        self._read.update(zip(unread, super().read(unread, progress), strict=True))
        return [self._read[text] for text in texts]


def read_rows(rows: Sequence[Row], encoder: Encoder) -> list[ReadRow]:
    """The rows with what the encoder's lower layers make of their questions."""
    made: list[ReadRow] = []
    for at in range(0, len(rows), _AT_ONCE):
        part = rows[at : at + _AT_ONCE]
        for row, tokens in zip(part, encoder.read([r.linked.text for r in part]), strict=True):
            spoken = words(row.linked.text)[:MOST_WORDS] or (Word("?", 0, 1),)
            shares = word_pieces(tokens, spoken).numpy().astype(np.float16)
            lower = tokens.lower.numpy().astype(np.float16)
            made.append(ReadRow(row.linked, row.target, row.phase, lower, shares))
    return made


def lay_out(rows: Sequence[Row]) -> tuple[Batch, Tensor]:
    """Rows as tensors, padded to one size."""
    batch, targets = tensors(rows)
    read = [r for r in rows if isinstance(r, ReadRow)]
    pieces = max(len(r.lower) for r in read)
    lower = torch.zeros(len(rows), pieces, HIDDEN)
    mask = torch.zeros(len(rows), pieces, dtype=torch.bool)
    shares = torch.zeros(len(rows), batch.words.shape[1], pieces)
    for at, row in enumerate(read):
        size = len(row.lower)
        lower[at, :size] = torch.from_numpy(row.lower)
        mask[at, :size] = True
        # The reader also reads [CLS] and [SEP], of which no word is made.
        shares[at, : len(row.shares), 1 : size - 1] = torch.from_numpy(row.shares)
    return ReadBatch(**vars(batch), lower=lower, lower_mask=mask, shares=shares), targets
