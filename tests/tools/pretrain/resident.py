"""All packed rows on one device, and batches cut out of them without waiting for anything."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from dbt_t2s.model.encoder import HIDDEN, Encoder
from dbt_t2s.model.linking import ITEM_RELATIONS
from dbt_t2s.model.network import Batch
from tests.tools.pretrain.pack import ITEMS, NO_WORD, WORDS

_MULTIPLE = 4


@dataclass
class ReadBatch(Batch):
    """Questions whose ``words`` are still to be made of ``embedded`` (B, P, 384) by ``shares``."""

    embedded: Tensor
    piece_mask: Tensor
    shares: Tensor


@dataclass(frozen=True)
class Lengths:
    """Sizes of each row, on the CPU: a batch is cut to its widest row."""

    words: np.ndarray
    items: np.ndarray
    tokens: np.ndarray
    pieces: np.ndarray
    earlier: np.ndarray


def _rounded(sizes: np.ndarray, most: int) -> int:
    """The largest size, as a multiple of what a GPU's attention likes."""
    return min(-(-int(sizes.max()) // _MULTIPLE) * _MULTIPLE, most)


class Resident:
    """The rows of all PACKED folders on ``device``.

    ``sets`` names the rows of each held-out set, "" the rest.

    ``weight`` (rows,) says how often a row is to be met for one of weight 1.
    """

    def __init__(
        self,
        packed: Sequence[Path],
        encoder: Encoder,
        device: torch.device,
        favour: float = 1.0,
        alone: float = 1.0,
    ) -> None:
        """``favour`` says how much oftener rows of all folders but the first are met, ``alone``
        those that follow up nothing."""
        self._device = device
        questions: list[dict[str, np.ndarray]] = []
        parts: list[dict[str, np.ndarray]] = []
        at = asked = 0
        held: list[str] = []
        for number, folder in enumerate(packed):
            questions.append(dict(np.load(folder / "questions.npz")))
            for path in sorted(folder.glob("rows_*.npz")):
                part = dict(np.load(path))
                # The last vector of every schema is the zero of items that have none.
                part["item_rows"] = part["item_rows"] + at
                part["question"] = part["question"] + asked
                part["weight"] = part["weight"] * (favour if number else 1.0)
                at += len(part["vectors"])
                parts.append(part)
                held += [path.with_suffix(".held").read_text()] * len(part["question"])
            asked += len(questions[-1]["pieces"])
        # One sort of array after the other, so that no more than one is held twice.
        whole = {k: np.concatenate([p.pop(k) for p in parts]) for k in list(parts[0])}
        question = whole["question"]
        read = {k: np.concatenate([q[k] for q in questions]) for k in questions[0]}
        pieces = read["pieces"].astype(np.int64)
        words, items, length, earlier = (
            whole[k].astype(np.int64) for k in ("words", "items", "length", "earlier")
        )
        self.lengths = Lengths(words, items, length, pieces[question], earlier)
        self.weight = whole["weight"] * np.where(earlier, 1.0, alone)
        names = np.array(held)
        self.sets = {name: np.flatnonzero(names == name) for name in sorted(set(held))}
        kept = ("question", "item_rows", "features", "word_item", "item_item", "about", "target",
                "before")  # fmt: skip
        self._rows = {k: torch.from_numpy(whole[k]).to(device) for k in (*kept, "vectors")}
        self._sizes = {
            k: torch.from_numpy(v).to(device)
            for k, v in (("words", self.lengths.words), ("items", self.lengths.items))
        }
        self._word = torch.from_numpy(read["word"]).to(device)
        self._pieces = torch.from_numpy(pieces).to(device)
        self._ids = torch.from_numpy(read["ids"].astype(np.int64)).to(device)
        self._encoder = encoder

    def batch(self, numbers: Sequence[int] | np.ndarray) -> tuple[ReadBatch, Tensor]:
        """Rows as tensors of the widest row's sizes, and their targets (B, T)."""
        chosen = np.asarray(numbers)
        w = _rounded(self.lengths.words[chosen], WORDS)
        i = _rounded(self.lengths.items[chosen], ITEMS)
        t = int(self.lengths.tokens[chosen].max())
        b = int(self.lengths.earlier[chosen].max())
        p = int(self.lengths.pieces[chosen].max())
        at = torch.from_numpy(chosen).to(self._device, non_blocking=True)
        rows = self._rows
        question = rows["question"][at].long()
        places = torch.arange(max(w, i, p), device=self._device)[None]
        word_mask = places[:, :w] < self._sizes["words"][at, None]
        item_mask = places[:, :i] < self._sizes["items"][at, None]
        piece_mask = places[:, :p] < self._pieces[question, None]
        belongs = self._word[question, :p]
        shares = (belongs[:, None] == places[:, :w, None]) & (belongs != NO_WORD)[:, None]
        shared = shares.float()
        bits = 1 << torch.arange(ITEM_RELATIONS, device=self._device, dtype=torch.uint8)
        item_item = (rows["item_item"][at, :i, :i, None] & bits) > 0
        vectors = rows["vectors"][rows["item_rows"][at, :i].long()]
        none = torch.zeros((len(chosen), w, HIDDEN), device=self._device)
        return ReadBatch(
            words=none,
            word_mask=word_mask,
            item_vectors=vectors.float() * item_mask[..., None],
            item_features=rows["features"][at, :i].float(),
            item_ids=torch.zeros_like(item_mask, dtype=torch.long),
            item_mask=item_mask,
            word_item=rows["word_item"][at, :w, :i].float() / 255,
            item_item=item_item.float(),
            question=rows["about"][at].float(),
            before=rows["before"][at, :b].long(),
            embedded=self._encoder.embed(self._ids[question, :p]).float(),
            piece_mask=piece_mask,
            shares=shared / shared.sum(-1, keepdim=True).clamp(min=1),
        ), rows["target"][at, :t].long()
