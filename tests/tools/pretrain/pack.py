"""Links every question of every telling, as arrays of one width that a GPU can hold whole.

    python -m tests.tools.pretrain.pack TELLINGS TEXTS PACKED --processes 15

TEXTS is what ``texts`` read. PACKED then holds the questions' word pieces, the items' vectors, and
one file of linked rows for each telling.
"""

from __future__ import annotations

import argparse
import multiprocessing
import time
from collections.abc import Mapping, Sequence
from datetime import date
from functools import partial
from pathlib import Path

import numpy as np
import torch

from dbt_t2s.model.encoder import Encoder
from dbt_t2s.model.linking import (
    MOST_WORDS,
    NOTHING_SAID,
    QUESTION_FEATURES,
    RELATIONS,
    Linked,
    Linker,
)
from dbt_t2s.model.rows import target_of
from dbt_t2s.model.schema_index import ITEM_FEATURES, SchemaIndex
from dbt_t2s.query.text import Word, words
from tests.tools.pretrain.tellings import Question, Telling, read
from tests.tools.pretrain.texts import ReadyEncoder, Texts

WORDS, ITEMS, PIECES, TOKENS = 40, 54, 60, 28  # the widest row that is kept
NO_WORD = 255


# Inherited by the processes that link: too much to send to each.
_TELLINGS: list[Telling] = []
_JOB: list[partial[tuple[int, int]]] = []


def _job(number: int) -> tuple[int, int]:
    return _JOB[0](number)


def link(number: int, texts: Texts, questions: Mapping[str, int], out: Path) -> tuple[int, int]:
    """Writes one telling's rows; how many were kept and dropped."""
    torch.set_num_threads(1)
    telling = _TELLINGS[number]
    index = SchemaIndex(telling.schema, ReadyEncoder(texts), date.fromisoformat(telling.today))
    asked = telling.questions
    linked = Linker(index).link(
        [q.text for q in asked], [q.tokens for q in asked], [q.before for q in asked]
    )
    kept = [
        (question, each, target)
        for question, each in zip(asked, linked, strict=True)
        if (target := target_of(question.tokens, each)) is not None and _fits(each, target)
    ]
    if kept:
        arrays = _arrays(kept, [questions[index.compounds.put_right(q.text)] for q, _, _ in kept])
        _save(out / f"rows_{number:05}.npz", {**arrays, "vectors": index.vector_table})
        (out / f"rows_{number:05}.held").write_text(telling.held)
    return len(kept), len(asked) - len(kept)


def _save(path: Path, arrays: Mapping[str, np.ndarray]) -> None:
    np.savez(path, allow_pickle=False, **arrays)


def _fits(linked: Linked, target: Sequence[int]) -> bool:
    longest = max(len(target), len(linked.before))
    return len(linked.states) <= WORDS and len(linked.items) <= ITEMS and longest <= TOKENS


def _arrays(
    rows: Sequence[tuple[Question, Linked, Sequence[int]]], places: Sequence[int]
) -> dict[str, np.ndarray]:
    """Rows side by side, padded with zeros; matches (0 to 1) as bytes."""
    n = len(rows)
    made: dict[str, np.ndarray] = {
        "question": np.array(places, dtype=np.int32),
        "weight": np.array([q.weight for q, _, _ in rows], dtype=np.uint8),
        "words": np.array([len(each.states) for _, each, _ in rows], dtype=np.uint8),
        "items": np.array([len(each.items) for _, each, _ in rows], dtype=np.uint8),
        "length": np.array([len(target) for _, _, target in rows], dtype=np.uint8),
        "item_rows": np.zeros((n, ITEMS), dtype=np.int32),
        "features": np.zeros((n, ITEMS, ITEM_FEATURES), dtype=np.float16),
        "word_item": np.zeros((n, WORDS, ITEMS, RELATIONS), dtype=np.uint8),
        "item_item": np.zeros((n, ITEMS, ITEMS), dtype=np.uint8),
        "about": np.zeros((n, QUESTION_FEATURES), dtype=np.float16),
        "target": np.zeros((n, TOKENS), dtype=np.int16),
        "before": np.zeros((n, TOKENS), dtype=np.int16),
        "earlier": np.array([len(each.before) for _, each, _ in rows], dtype=np.uint8),
    }
    for at, (_, each, target) in enumerate(rows):
        w, i = len(each.states), len(each.items)
        made["item_rows"][at, :i] = each.rows
        made["features"][at, :i] = each.features
        matches = np.clip(each.word_item.astype(np.float32), 0, 1)
        made["word_item"][at, :w, :i] = np.rint(matches * 255)
        made["item_item"][at, :i, :i] = each.item_item
        made["about"][at] = each.question
        made["target"][at, : len(target)] = target
        made["before"][at, : len(each.before)] = each.before
    return made


def question_arrays(encoder: Encoder, texts: Sequence[str]) -> dict[str, np.ndarray]:
    """Word pieces (Q, P) of every question, and which word each is a part of."""
    encoded = encoder.tokenize(texts)
    ids = np.zeros((len(texts), PIECES), dtype=np.int32)
    word = np.full((len(texts), PIECES), NO_WORD, dtype=np.uint8)
    count = np.zeros(len(texts), dtype=np.uint8)
    for row, (text, each) in enumerate(zip(texts, encoded, strict=True)):
        size = min(len(each.ids), PIECES)
        ids[row, :size], count[row] = each.ids[:size], size
        spoken = words(text)[:MOST_WORDS] or (Word(NOTHING_SAID, 0, 1),)
        for piece, (start, end) in enumerate(each.offsets[:size]):
            inside = [n for n, w in enumerate(spoken) if start < w.end and w.start < end]
            if inside and end > start:
                word[row, piece] = inside[0]
    return {"ids": ids, "word": word, "pieces": count}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("tellings", type=Path)
    parser.add_argument("texts", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--processes", type=int, default=2)
    given = parser.parse_args()
    began = time.monotonic()
    _TELLINGS.extend(read(given.tellings))
    texts = Texts.read(given.texts)
    questions = sorted(texts.spans)
    given.out.mkdir(parents=True, exist_ok=True)
    _save(given.out / "questions.npz", question_arrays(Encoder(reader=None), questions))
    place = {text: n for n, text in enumerate(questions)}
    _JOB.append(partial(link, questions=place, texts=texts, out=given.out))
    kept = dropped = 0
    with multiprocessing.get_context("fork").Pool(given.processes) as pool:
        for good, bad in pool.imap_unordered(_job, range(len(_TELLINGS)), chunksize=2):
            kept, dropped = kept + good, dropped + bad
    print(f"{kept} rows, {dropped} dropped, {time.monotonic() - began:.0f} s", flush=True)


if __name__ == "__main__":
    main()
