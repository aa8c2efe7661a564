"""Candidates: what the question names is among them, and never more than the network can read."""

from __future__ import annotations

import numpy as np
import pytest

from dbt_t2s.model import candidates
from dbt_t2s.model.candidates import LEAST, MOST, chosen
from dbt_t2s.model.linking import Linker
from dbt_t2s.model.schema_index import SchemaIndex


@pytest.mark.parametrize(
    ("question", "token"),
    [
        ("revenue by country", "m:revenue"),
        ("revenue by country", "c:customers.country"),
        ("how many orders were placed last month", "t:orders"),
        ("customers without any orders", "t:customers"),
    ],
)
def test_what_is_named_is_a_candidate(index: SchemaIndex, question: str, token: str) -> None:
    (linked,) = Linker(index).link([question])
    assert token in {item.token for item in linked.items}


def test_candidates_are_few_and_of_every_sort(
    index: SchemaIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(candidates, "MOST", 5)
    scores = np.zeros(len(index.items))
    scores[index.places.sort == 1] = 9.0
    kept = chosen(index.places.sort, scores, ())
    assert len(kept) <= 5 + sum(LEAST.values())
    sorts = index.places.sort[kept]
    for number, sort in enumerate(candidates.RANKED_SORTS):
        there = int((index.places.sort == number).sum())
        assert (sorts == number).sum() >= min(LEAST[sort], there)


def test_what_training_needs_is_always_kept(index: SchemaIndex) -> None:
    scores = np.arange(len(index.items), dtype=float)
    assert 0 in chosen(index.places.sort, scores, (0,))
    assert len(chosen(index.places.sort, scores, ())) <= MOST + sum(LEAST.values())
