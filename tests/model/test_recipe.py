"""The embedded model's recipe: budget, curriculum, learning, and going on after a kill."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from dbt_t2s.corpus.examples import Corpus
from dbt_t2s.errors import ModelError
from dbt_t2s.model import quantized
from dbt_t2s.model.network import PlanNetwork
from dbt_t2s.model.recipe import (
    WEIGHTS,
    Recipe,
    Run,
    curriculum,
    evenly,
    fewer_refusals,
    mean_loss,
    new_network,
    rate_at,
    settle,
    train_network,
)
from dbt_t2s.model.rows import Row, prepare
from dbt_t2s.model.schema_index import SchemaIndex

SMALL = Recipe(batch=4, rate=8e-4, warmup=5, checkpoint_every=5)
COUNTS = st.integers(0, 50_000)


@pytest.fixture(scope="module")
def rows(corpus: Corpus, index: SchemaIndex) -> list[Row]:
    return prepare([vars(e) for e in corpus.examples[:40]], index, None, "")[0]


def network_of(index: SchemaIndex, seed: int = 0) -> PlanNetwork:
    return new_network(len(index.items), seed, weights=None)


@given(COUNTS, COUNTS, st.floats(0.01, 60), st.floats(0.01, 60))
def test_more_rows_and_more_minutes_never_mean_fewer_steps(
    one: int, two: int, short: float, long: float
) -> None:
    few, many = sorted((one, two))
    brief, ample = (Recipe(minutes=m) for m in sorted((short, long)))
    assert 1 <= brief.steps(few) <= brief.steps(many)
    assert brief.steps(many) <= ample.steps(many)


def test_the_rate_rises_and_falls() -> None:
    rates = [rate_at(step, 1000, Recipe()) for step in range(1000)]
    assert rates.index(max(rates)) in (99, 100)
    assert all(a >= b for a, b in pairwise(rates[100:]))
    assert 0 < rates[-1] < 0.05 * max(rates)


def phased(rows: Sequence[Row]) -> list[Row]:
    return [replace(rows[0], phase=1 + i // 40) for i in range(120)]


def test_the_curriculum_is_repeatable_and_begins_with_early_phases(rows: list[Row]) -> None:
    many = phased(rows)
    order = curriculum(many, 200, 16, seed=3)
    assert order == curriculum(many, 200, 16, seed=3)
    assert order != curriculum(many, 200, 16, seed=4)

    def mean_phase(steps: list[list[int]]) -> float:
        drawn = [many[i].phase for step in steps for i in step]
        return sum(drawn) / len(drawn)

    assert mean_phase(order[:20]) < 1.6 < 1.85 < mean_phase(order[100:])
    assert {i for step in order for i in step} == set(range(120))


def test_one_phase_alone_is_no_trouble(rows: list[Row]) -> None:
    only = [replace(row, phase=3) for row in rows[:3]]
    assert all(len(step) == 8 for step in curriculum(only, 5, 8, seed=0))


def test_learning_lowers_the_loss(rows: list[Row], index: SchemaIndex) -> None:
    run = Run(network_of(index), rows, replace(SMALL, batch=8), seed=1, steps=60)
    before = mean_loss(run.network, rows)
    while run.step < 60:
        run.advance()
    assert mean_loss(run.network, rows) < 0.6 * before
    assert len(run.losses) == 60


def weights(run: Run) -> dict[str, torch.Tensor]:
    return {k: v.clone() for k, v in run.network.state_dict().items()}


def advance(run: Run, steps: int) -> Run:
    for _ in range(steps):
        run.advance()
    return run


def test_a_killed_run_goes_on_exactly(rows: list[Row], index: SchemaIndex, tmp_path: Path) -> None:
    whole = advance(Run(network_of(index), rows, SMALL, 7, 20), 20)
    first = advance(Run(network_of(index), rows, SMALL, 7, 20), 10)
    saved = tmp_path / "checkpoint.safetensors"
    first.save(saved, "this run")
    torch.rand(100)  # whatever happened in between
    second = Run(network_of(index, seed=99), rows, SMALL, 7, 20)
    assert second.resume(saved, "this run")
    assert second.step == 10
    advance(second, 10)
    expected, found = weights(whole), weights(second)
    assert expected.keys() == found.keys()
    assert [k for k in expected if not torch.equal(expected[k], found[k])] == []


def test_a_checkpoint_of_another_run_or_a_torn_one_is_left_alone(
    rows: list[Row], index: SchemaIndex, tmp_path: Path
) -> None:
    saved = tmp_path / "checkpoint.safetensors"
    run = advance(Run(network_of(index), rows, SMALL, 7, 20), 1)
    run.save(saved, "this run")
    assert list(tmp_path.iterdir()) == [saved]
    fresh = Run(network_of(index, seed=1), rows, SMALL, 7, 20)
    before = weights(fresh)
    assert not fresh.resume(saved, "another run")
    assert not fresh.resume(tmp_path / "none.safetensors", "this run")
    whole = saved.read_bytes()
    for size in (0, 5, 200, len(whole) // 2, len(whole) - 1):
        saved.write_bytes(whole[:size])
        assert not fresh.resume(saved, "this run"), size
    saved.write_bytes(b"{}" * 500)
    assert not fresh.resume(saved, "this run")
    assert fresh.step == 0
    assert all(torch.equal(before[k], v) for k, v in weights(fresh).items())


def test_a_loss_that_is_no_number_ends_the_run(rows: list[Row], index: SchemaIndex) -> None:
    run = Run(network_of(index), rows, SMALL, 7, 20)
    with torch.no_grad():
        run.network.keyword_out.bias.fill_(float("nan"))
    with pytest.raises(ModelError, match="step 0") as caught:
        run.advance()
    assert "dbt-t2s train" in caught.value.hint


def test_settled_layers_stay_while_the_others_learn(rows: list[Row], index: SchemaIndex) -> None:
    network = network_of(index)
    settle(network, 2)
    before = {k: v.clone() for k, v in network.state_dict().items()}
    advance(Run(network, rows, SMALL, 7, 20), 3)
    changed = {k for k, v in network.state_dict().items() if not torch.equal(v, before[k])}
    assert not any(k.startswith(("word_in", "item_in", "joint.0", "joint.1")) for k in changed)
    assert any(k.startswith("joint.2") for k in changed)
    assert any(k.startswith("decoder.0") for k in changed)


def test_the_trained_network_is_half_the_pretrained_one(
    rows: list[Row], index: SchemaIndex, tmp_path: Path
) -> None:
    shipped = quantized.read(WEIGHTS)
    recipe = replace(SMALL, minutes=0.01)

    def trained(kept: float) -> dict[str, torch.Tensor]:
        run, _ = train_network(
            rows,
            index,
            recipe=replace(recipe, kept=kept),
            seed=1,
            checkpoint=tmp_path / "checkpoint.safetensors",
            identity="x",
            resume=False,
            progress=None,
        )
        return {k: v for k, v in run.network.state_dict().items() if k in shipped}

    alone, blended = trained(0.0), trained(0.5)
    name = "decoder.0.inner.0.weight"
    assert not torch.equal(alone[name], shipped[name])
    expected = (alone[name] + shipped[name]) / 2
    torch.testing.assert_close(blended[name], expected, atol=1e-5, rtol=0)


def test_the_seed_makes_the_network(index: SchemaIndex) -> None:
    one, same, other = (network_of(index, seed).state_dict() for seed in (1, 1, 2))
    assert all(torch.equal(v, same[k]) for k, v in one.items())
    assert any(not torch.equal(v, other[k]) for k, v in one.items())


def test_weights_that_are_not_there_are_named(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "model.safetensors"):
        with pytest.raises(ModelError, match="weights are missing") as caught:
            new_network(3, 0, path)
        assert caught.value.where == str(path)


def test_some_of_the_refusals_are_learned() -> None:
    rows = [{"type": "refusal" if i % 2 else "metric", "id": i} for i in range(80)]
    kept = fewer_refusals(rows, Recipe(refusals=0.25))
    assert [r for r in kept if r["type"] == "metric"] == rows[::2]
    assert sum(r["type"] == "refusal" for r in kept) == 10
    assert fewer_refusals(rows, Recipe(refusals=1.0)) == rows
    assert len(fewer_refusals(rows, Recipe(refusals=0.0))) == 40


def test_no_more_rows_are_read_than_the_budget_is_enough_for() -> None:
    rows = list(range(10))
    assert list(evenly(rows, 20)) == list(evenly(rows, 10)) == rows
    assert list(evenly(rows, 4)) == [0, 2, 5, 7]
    assert list(evenly(rows, 1)) == [0]
    assert Recipe(minutes=1).afforded == 2700
    assert Recipe(minutes=1e-9).steps(rows=500) == Recipe(minutes=1e-9).afforded == 1
