"""What a training run sees when, and how fast it learns."""

from __future__ import annotations

import pytest

from dbt_t2s.model.hub_schedule import Curriculum, rate


def test_the_curriculum_goes_through_the_phases_with_replay() -> None:
    phases = ["1"] * 40 + ["2"] * 30 + ["3"] * 10
    plan = Curriculum(phases, seed=5)
    early = [phases[i] for i in plan.batch(0.1, 16)]
    assert set(early) == {"1"}
    middle = [phases[i] for i in plan.batch(0.4, 16)]
    assert (middle.count("2"), middle.count("1")) == (12, 4)
    late = [phases[i] for i in plan.batch(0.55, 16)]
    assert late.count("3") == 12 and set(late) - {"3"} <= {"1", "2"}
    mixed = [i for _ in range(5) for i in plan.batch(0.8, 16)]
    assert sorted(mixed) == list(range(80)), "one pass takes every row once"


def test_the_curriculum_goes_on_from_its_cursors() -> None:
    phases = ["1", "2", "2", "1", "3"]
    whole = Curriculum(phases, seed=1)
    shares = (0.0, 0.2, 0.3, 0.5, 0.7, 0.9)
    expected = [whole.batch(share, 4) for share in shares]
    first, second = Curriculum(phases, seed=1), Curriculum(phases, seed=1)
    found = [first.batch(share, 4) for share in shares[:3]]
    second.cursors = dict(first.cursors)
    assert found + [second.batch(share, 4) for share in shares[3:]] == expected


def test_the_learning_rate_is_high_early_and_then_decays() -> None:
    rates = [rate(share / 100) for share in range(101)]
    assert max(rates) == pytest.approx(1.0) and rates.index(max(rates)) <= 4
    assert rates[3:] == sorted(rates[3:], reverse=True)
    assert 0 < rates[-1] < 0.1
