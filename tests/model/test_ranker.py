"""Fitting the candidate ranker: what it learned is what asking reads."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path
from random import Random

import numpy as np
import pytest
import torch
from safetensors.numpy import save_file

from dbt_t2s.model.candidates import Asked, Ranker
from dbt_t2s.model.encoder import Encoder
from dbt_t2s.model.linking import Linker
from dbt_t2s.model.schema_index import SchemaIndex
from dbt_t2s.query.bind import Binder
from dbt_t2s.query.items import schema_items
from dbt_t2s.query.linear import REFUSAL
from tests.tools.pretrain.invented import read_project
from tests.tools.pretrain.ranker import RankerNetwork, Seen, fit, found, seen
from tests.tools.pretrain.retell import Sizes, invented_tellings
from tests.tools.pretrain.widen import widened

PROJECTS = Path(__file__).parents[1] / "tools/pretrain/projects"
PROJECT = PROJECTS / "podcast_network.yml"
HELD_OUT = PROJECTS / "hotel_group.yml"


@pytest.fixture(scope="module")
def rows() -> list[Seen]:
    tellings = invented_tellings(PROJECT, Sizes(0, 0))
    return list(seen(tellings, Encoder()))


@pytest.fixture(scope="module")
def fitted(rows: list[Seen]) -> RankerNetwork:
    return fit(rows, epochs=300)


def test_what_is_seen_holds_all_items_of_the_plan_and_some_others(rows: list[Seen]) -> None:
    assert len(rows) > 10
    for row in rows:
        assert row.gold.any()
        assert not row.gold.all()
        shapes = {len(part) for part in (row.features, row.vectors, row.sort, row.copied, row.gold)}
        assert len(shapes) == 1


def test_a_follow_up_is_learned_from_by_what_the_plan_before_it_has_not() -> None:
    (telling, *_) = invented_tellings(PROJECT, Sizes(0, 0, 40, 0.0))
    items = {item.token for item in schema_items(telling.schema, Binder(telling.schema))}
    new = [(q, len((set(q.tokens) - set(q.before)) & items)) for q in telling.questions if q.before]
    question, count = next((q, n) for q, n in new if n and set(q.before) & set(q.tokens) & items)
    (row,) = seen([replace(telling, questions=(question,))], Encoder())
    assert row.gold.sum() == count


def test_items_of_plans_come_before_others_once_it_is_fitted(
    rows: list[Seen], fitted: RankerNetwork, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dbt_t2s.model.candidates.MOST", 10)
    (before,) = found(RankerNetwork(rows[0].features.shape[1]).eval(), rows).values()
    (after,) = found(fitted, rows).values()
    assert after[1] == len(rows)
    assert after[0] > before[0] + 0.5


def test_asking_ranks_as_was_fitted(
    rows: list[Seen], fitted: RankerNetwork, tmp_path: Path
) -> None:
    save_file(fitted.arrays(), tmp_path / "ranker.safetensors")
    ranker = Ranker(tmp_path / "ranker.safetensors")
    row = rows[0]
    keys = ranker.keys(row.vectors)
    asked = Asked(row.question.astype(np.float32), keys)
    scores = ranker.scores(row.sort, row.features, row.copied, asked)
    inputs = (row.features, row.sort, row.copied, row.vectors, row.question)
    features, sort, copied, vectors, question = (
        torch.from_numpy(part.astype(np.float32))[None] for part in inputs
    )
    with torch.inference_mode():
        wanted = fitted(features, sort.long(), copied, vectors, question)[0]
    np.testing.assert_allclose(scores, wanted.numpy(), atol=1e-3)


def test_the_shipped_ranker_finds_what_plans_need_in_a_wide_schema_it_never_saw() -> None:
    (telling, *_) = invented_tellings(HELD_OUT, Sizes(0, 0))
    other = read_project(PROJECTS / "chip_maker.yml")
    wide = widened(telling.schema, (other,), Random(5))
    asked = [q for q in telling.questions if q.tokens != REFUSAL and wide.leaves_alone(q)][:60]
    index = SchemaIndex(wide.schema, Encoder(), date.fromisoformat(telling.today))
    needed = [{t for t in q.tokens if t[:2] in ("t:", "c:", "m:", "r:")} for q in asked]
    linked = Linker(index).link([q.text for q in asked])
    whole = [n <= {i.token for i in each.items} for n, each in zip(needed, linked, strict=True)]
    assert len(index.items) > 3 * max(len(each.items) for each in linked)
    assert sum(whole) >= 0.9 * len(whole)
