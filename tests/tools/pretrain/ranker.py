"""Fits the candidate ranker: ``python -m tests.tools.pretrain.ranker TELLINGS TEXTS OUT``.

TELLINGS is what ``retell`` wrote, with wide schemas: in a small one nearly everything is a
candidate; TEXTS what ``texts`` read of it. Held-out tellings measure: the share of questions whose
items are all among the candidates. Some five minutes on two cores.
"""

from __future__ import annotations

import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np
import torch
from safetensors.numpy import save_file
from torch import Tensor, nn

from dbt_t2s.model import candidates, linking
from dbt_t2s.model.candidates import RANKED_SORTS, SCALE
from dbt_t2s.model.encoder import HIDDEN, Encoder
from dbt_t2s.model.known_vectors import KnownVectors
from dbt_t2s.model.schema_index import SchemaIndex
from dbt_t2s.query.linear import REFUSAL
from tests.tools.pretrain.tellings import Question, Telling, read
from tests.tools.pretrain.texts import ReadyEncoder, Texts

_EACH, _HELD_EACH = 30, 60  # questions of a telling
_LIKELIEST, _OTHERS = 50, 24  # items of a question that are learned from
_KEYS, _INNER = 64, 64
_EPOCHS, _BATCH, _RATE = 4, 64, 2e-3
_GOLD = 4.0  # how much more an item of the plan weighs than one that is not


@dataclass(frozen=True)
class Seen:
    """A question's items as the ranker sees them (float16), and which of them its plan has.

    ``features`` (items, F), ``vectors`` (items, 384), ``sort``, ``copied`` and ``gold`` (items,),
    ``question`` (384,); ``held`` names the held-out set, whose questions have all items.
    """

    held: str
    features: np.ndarray
    vectors: np.ndarray
    sort: np.ndarray
    copied: np.ndarray
    gold: np.ndarray
    question: np.ndarray


class _Watched(linking.Linker):
    """A linker that keeps the ranker's numbers instead of linking."""

    def __init__(self, index: SchemaIndex) -> None:
        self.index = index  # no ranker yet: this fits it
        self._keys = np.zeros(0)
        self.kept: list[tuple[np.ndarray, np.ndarray, np.ndarray]] = []

    def _chosen(
        self,
        features: np.ndarray,
        passed_over: np.ndarray,
        question: np.ndarray,
        tokens: Sequence[str],
    ) -> tuple[list[int], np.ndarray]:
        self.kept.append((features, passed_over, question))
        return [0], np.zeros(1, dtype=np.float32)


def seen(tellings: Iterable[Telling], encoder: Encoder, seed: int = 0) -> Iterator[Seen]:
    """Some questions of each telling that have an answer.

    What a follow-up's plan has of the plan before it is a candidate without being chosen.
    """
    rng = np.random.default_rng(seed)
    known: dict[str, np.ndarray] = {}
    for telling in tellings:
        asked = [q for q in telling.questions if q.tokens != REFUSAL]
        most = _HELD_EACH if telling.held else _EACH
        if len(asked) > most:
            asked = [asked[at] for at in sorted(rng.choice(len(asked), most, replace=False))]
        if asked:
            today = date.fromisoformat(telling.today)
            index = SchemaIndex(telling.schema, encoder, today, KnownVectors(known))
            known.update(index.text_vectors)
            yield from _of_telling(telling.held, index, asked, rng)


def _of_telling(
    held: str, index: SchemaIndex, asked: Sequence[Question], rng: np.random.Generator
) -> Iterator[Seen]:
    watched = _Watched(index)
    watched.link([q.text for q in asked], before=[q.before for q in asked])
    for question, (features, copied, vector) in zip(asked, watched.kept, strict=True):
        wanted = set(question.tokens) - set(question.before)
        gold = np.array([item.token in wanted for item in index.items])
        if gold.any():
            # The plain sum of matches, the first number after the scalars, tells what is likely.
            rough = features[:, len(features[0]) - index.places.fixed.shape[1] - 8]
            at = np.arange(len(gold)) if held else _some(rough, gold, rng)
            yield Seen(
                held,
                features[at].astype(np.float16),
                index.vector_table[at],
                index.places.sort[at],
                copied[at],
                gold[at],
                vector.astype(np.float16),
            )


def _some(rough: np.ndarray, gold: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """The likeliest items, some others and those of the plan."""
    order = np.argsort(-rough, kind="stable")
    rest = order[_LIKELIEST:]
    others = rng.choice(rest, min(_OTHERS, len(rest)), replace=False)
    kept = {*order[:_LIKELIEST].tolist(), *others.tolist(), *np.flatnonzero(gold).tolist()}
    return np.array(sorted(kept))


class RankerNetwork(nn.Module):
    """What ``candidates.Ranker`` computes, over padded questions."""

    def __init__(self, features: int) -> None:
        super().__init__()
        width = features + len(RANKED_SORTS) + 2
        self.question = nn.Linear(HIDDEN, _KEYS)
        self.item = nn.Linear(HIDDEN, _KEYS)
        self.inner = nn.Linear(width, _INNER)
        self.outer = nn.Linear(_INNER, 1, bias=False)
        self.direct = nn.Linear(width, 1)
        self.drop = nn.Dropout(0.1)

    def forward(
        self, features: Tensor, sort: Tensor, copied: Tensor, vectors: Tensor, question: Tensor
    ) -> Tensor:
        """Log odds (B, I) of standing in the plan."""
        likeness = (self.item(vectors) * self.question(question)[:, None]).sum(-1) / SCALE
        sorts = nn.functional.one_hot(sort, len(RANKED_SORTS)).float()
        read = torch.cat((features, sorts, copied[..., None], likeness[..., None]), -1)
        made: Tensor = self.outer(self.drop(torch.relu(self.inner(read)))) + self.direct(read)
        return made[..., 0]

    def arrays(self) -> dict[str, np.ndarray]:
        """The weights as ``candidates.Ranker`` reads them, each bias as a last row."""

        def whole(layer: nn.Linear) -> np.ndarray:
            made: np.ndarray = torch.cat((layer.weight.T, layer.bias[None])).detach().numpy()
            # What lies transposed in memory would be written so, without an error.
            return np.ascontiguousarray(made)

        return {
            "question": whole(self.question),
            "item": whole(self.item),
            "inner": whole(self.inner),
            "outer": self.outer.weight[0].detach().numpy(),
            "direct": np.ascontiguousarray(whole(self.direct)[:, 0]),
        }


def _padded(rows: Sequence[Seen]) -> tuple[tuple[Tensor, ...], Tensor, Tensor]:
    """The network's inputs, which items are of the plan (B, I), and which are there at all."""
    widest = max(len(row.gold) for row in rows)

    def stacked(name: str) -> Tensor:
        first = getattr(rows[0], name)
        made = np.zeros((len(rows), widest, *first.shape[1:]), dtype=np.float32)
        for at, row in enumerate(rows):
            made[at, : len(row.gold)] = getattr(row, name)
        return torch.from_numpy(made)

    question = torch.from_numpy(np.stack([row.question for row in rows]).astype(np.float32))
    inputs = (stacked("features"), stacked("sort").long(), stacked("copied"), stacked("vectors"))
    there = torch.arange(widest)[None] < torch.tensor([len(row.gold) for row in rows])[:, None]
    return (*inputs, question), stacked("gold"), there


def fit(rows: Sequence[Seen], epochs: float = _EPOCHS, seed: int = 0) -> RankerNetwork:
    """The network that tells items of plans from others, by cross-entropy."""
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    network = RankerNetwork(rows[0].features.shape[1])
    optimizer = torch.optim.AdamW(network.parameters(), lr=_RATE, weight_decay=1e-3)
    steps = max(int(epochs * len(rows) / _BATCH), 1)
    decay = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps, _RATE / 20)
    weight = torch.tensor(_GOLD)
    order: list[int] = []
    for _ in range(steps):
        while len(order) < _BATCH:
            order += rng.permutation(len(rows)).tolist()
        inputs, gold, there = _padded([rows[at] for at in order[:_BATCH]])
        del order[:_BATCH]
        missed = nn.functional.binary_cross_entropy_with_logits(
            network(*inputs), gold, reduction="none", pos_weight=weight
        )
        optimizer.zero_grad()
        loss: Tensor = (missed * there).sum() / there.sum()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        decay.step()
    return network.eval()


@torch.inference_mode()
def found(network: RankerNetwork, rows: Sequence[Seen]) -> dict[str, tuple[float, int]]:
    """The share of each held-out set's questions whose items are all candidates; their number."""
    whole: dict[str, list[bool]] = defaultdict(list)
    for row in rows:
        inputs, _, _ = _padded([row])
        kept = candidates.chosen(row.sort, network(*inputs)[0].numpy(), ())
        whole[row.held].append(set(np.flatnonzero(row.gold)) <= set(kept))
    return {name: (float(np.mean(each)), len(each)) for name, each in whole.items()}


def main(tellings: Path, texts: Path, out: Path) -> None:
    rows = list(seen(read(tellings), ReadyEncoder(Texts.read(texts))))
    network = fit([row for row in rows if not row.held])
    save_file(network.arrays(), out)
    for name, (share, count) in found(network, [row for row in rows if row.held]).items():
        print(f"{name}: {share:.3f} of {count}, {candidates.MOST} items")


if __name__ == "__main__":
    main(*(Path(each) for each in sys.argv[1:4]))
