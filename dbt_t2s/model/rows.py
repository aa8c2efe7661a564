"""Training rows: questions linked to a schema's items, with what the network is to write."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice

from dbt_t2s.model.encoder import Tokens
from dbt_t2s.model.linking import KEYWORD_AT, Linked, Linker, plan_ids
from dbt_t2s.model.schema_index import SchemaIndex

Progress = Callable[[str, int, int], None]
Given = Mapping[str, object]  # a row of a dataset
_AT_ONCE = 256


@dataclass(frozen=True)
class Row:
    """One training row: a linked question, its target ids, its phase."""

    linked: Linked
    target: tuple[int, ...]
    phase: int


def prepare(
    rows: Sequence[Given], index: SchemaIndex, progress: Progress | None, label: str
) -> tuple[list[Row], int]:
    """Rows linked and turned into targets; those whose plan points at nothing are dropped.

    A follow-up's ``before`` is the plan of the question before it, as its ``plan`` is written.
    """
    linker = Linker(index)
    made: list[Row] = []
    met = 0
    for part, read in _read_ahead(rows, linker):
        plans = [tuple(json.loads(str(r["plan"]))) for r in part]
        before = [tuple(json.loads(str(r.get("before") or "[]"))) for r in part]
        linked = linker.link_read(read, plans, before)
        for row, plan, each in zip(part, plans, linked, strict=True):
            target = target_of(plan, each)
            if target is not None:
                made.append(Row(each, target, int(str(row["phase"]))))
        met += len(part)
        if progress:
            progress(label, met, len(rows))
    return made, met - len(made)


def _read_ahead(
    rows: Sequence[Given], linker: Linker
) -> Iterator[tuple[Sequence[Given], list[tuple[str, Tokens]]]]:
    """Some rows at a time with their questions read; the next are read while these are linked."""
    parts = [rows[at : at + _AT_ONCE] for at in range(0, len(rows), _AT_ONCE)]
    asked = iter([[str(row["question"]) for row in part] for part in parts])
    with ThreadPoolExecutor(1) as reader:
        coming = [reader.submit(linker.read, questions) for questions in islice(asked, 1)]
        for part in parts:
            read = coming.pop().result()
            coming += [reader.submit(linker.read, questions) for questions in islice(asked, 1)]
            yield part, read


def target_of(plan: Sequence[str], linked: Linked) -> tuple[int, ...] | None:
    """START and the plan's ids; None where an item is not among the question's candidates."""
    ids = plan_ids(plan, linked.items)
    return None if ids is None else (KEYWORD_AT["START"], *ids)
