"""Which schema items a question may concern: a small network over how they match it.

The plan's network reads some 30 items of a schema that may have thousands. Every item gets a chance
of standing in the plan, from its own matches, from those of its table and from what questions are
put about such items; the likeliest are kept. The weights were fitted on the pretraining questions
(``tests/tools/pretrain/ranker.py``).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from safetensors.numpy import load_file

from dbt_t2s.project.schema import Kind, ProjectSchema, Role
from dbt_t2s.query.items import Item
from dbt_t2s.query.link import Mention
from dbt_t2s.query.naming import display_column

WEIGHTS = Path(__file__).parent / "weights" / "plan" / "ranker.safetensors"
RANKED_SORTS = ("t", "c", "m", "r")
SCALE = 6.0  # divides the products of keys, as it did where they were fitted
MOST = 32  # schema items beside what the question itself mentions
LEAST = {"t": 2, "c": 6, "m": 2, "r": 1}
_ROLES = {role: i for i, role in enumerate(Role)}
_TIMES = (Kind.DATE, Kind.TIMESTAMP)


class Places:
    """What the ranker must know of each item that no question changes."""

    def __init__(self, schema: ProjectSchema, items: Sequence[Item]) -> None:
        names = {table.name: i for i, table in enumerate(schema.tables)}
        none = len(names)
        homes = [item.table or (item.roots[0] if item.roots else "") for item in items]
        self.tables = len(names) + 1
        self.home = np.array([names.get(home, none) for home in homes])
        self.column = {(i.table, i.column): at for at, i in enumerate(items) if i.sort == "c"}
        self.table_at = names
        self.sort = np.array([RANKED_SORTS.index(item.sort) for item in items])
        self.timed = np.array([float(item.kind in _TIMES) for item in items])
        self.numeric = np.array([float(item.kind is Kind.NUMBER) for item in items])
        self.fixed = np.zeros((len(items), len(_ROLES) + 2), dtype=np.float32)
        shown = {t.name: c.name for t in schema.tables if (c := display_column(t)) is not None}
        usual = {t.name: t.time_column for t in schema.tables}
        for at, item in enumerate(items):
            if item.role is not None:
                self.fixed[at, _ROLES[item.role]] = 1
            if item.sort == "c":
                self.fixed[at, -2] = shown.get(item.table) == item.column
                self.fixed[at, -1] = usual.get(item.table) == item.column


def ranker_features(
    places: Places, scalars: np.ndarray, rough: np.ndarray, found: Sequence[Mention]
) -> np.ndarray:
    """Numbers (items, F) for each item: its own matches, its table's, what the question mentions.

    ``scalars`` (items, S) are the linker's match numbers, ``rough`` (items,) their plain sum.
    """
    best = np.full(places.tables, -1.0, dtype=np.float32)
    np.maximum.at(best, places.home, rough)
    named = np.zeros(places.tables, dtype=np.float32)
    is_table = places.sort == 0
    np.maximum.at(named, places.home[is_table], rough[is_table])
    valued_column = np.zeros(len(rough), dtype=np.float32)
    valued_table = np.zeros(places.tables, dtype=np.float32)
    for mention in found:
        if mention.token[:2] != "v:":
            continue
        table, _, rest = mention.token[2:].partition(".")
        home = places.table_at[table]
        valued_table[home] = max(valued_table[home], mention.quality)
        at = places.column[table, rest.partition("=")[0]]
        valued_column[at] = max(valued_column[at], mention.quality)
    dated = float(any(m.token[:2] == "d:" for m in found))
    counted = float(any(m.token[:2] == "n:" for m in found))
    top = max(float(rough.max()), 1e-6)
    own = np.stack(
        (
            rough,
            rough / top,
            best[places.home] / top,
            named[places.home] / top,
            valued_column,
            valued_table[places.home],
            dated * places.timed,
            counted * places.numeric,
        ),
        axis=-1,
    )
    made: np.ndarray = np.concatenate((scalars, own, places.fixed), axis=-1)
    return made


@dataclass(frozen=True)
class Asked:
    """The question's vector (H,), and the ``keys`` (items, R) of the schema's items."""

    question: np.ndarray
    keys: np.ndarray


class Ranker:
    """The fitted network: what an item's matches tell, beside how its vector goes with the
    question's.

    ``question`` and ``item`` ((H + 1), R) turn vectors into keys whose product is one more number
    of an item; ``inner`` ((F + sorts + 2), N) and ``outer`` (N,) are a layer over all of these,
    ``direct`` (F + sorts + 2,) adds to it. The last row of each, and of ``direct``, is a bias.
    """

    def __init__(self, path: Path = WEIGHTS) -> None:
        fitted = {name: part.astype(np.float32) for name, part in load_file(path).items()}
        self._question, self._item = fitted["question"], fitted["item"]
        self._inner, self._outer, self._direct = (
            fitted[name] for name in ("inner", "outer", "direct")
        )

    def keys(self, vectors: np.ndarray) -> np.ndarray:
        """What the items' vectors (items, H) are found by (items, R)."""
        made: np.ndarray = vectors.astype(np.float32) @ self._item[:-1] + self._item[-1]
        return made

    def scores(
        self, sort: np.ndarray, features: np.ndarray, copied: np.ndarray, asked: Asked
    ) -> np.ndarray:
        """Log odds (items,) of standing in the plan, each of a ``sort`` (items,); ``copied``
        (items,) are those of wide marts that the question does not call by name."""
        sorts = np.eye(len(RANKED_SORTS), dtype=np.float32)[sort]
        likeness = asked.keys @ (asked.question @ self._question[:-1] + self._question[-1])
        ends = (copied[:, None], likeness[:, None] / SCALE, np.ones((len(copied), 1)))
        read = np.concatenate((features, sorts, *ends), axis=-1).astype(np.float32)
        hidden = np.maximum(read @ self._inner, 0)
        made: np.ndarray = hidden @ self._outer + read @ self._direct
        return made


def chosen(sorts: np.ndarray, scores: np.ndarray, needed: Sequence[int]) -> list[int]:
    """The places of the likeliest items, some of each of the ``sorts`` (items,) among them, and
    those ``needed``."""
    order = np.argsort(-scores, kind="stable")
    kept = {int(at) for at in order[:MOST]}
    for sort, least in LEAST.items():
        of_sort = order[sorts[order] == RANKED_SORTS.index(sort)]
        kept.update(int(at) for at in of_sort[:least])
    return sorted(kept | set(needed))
