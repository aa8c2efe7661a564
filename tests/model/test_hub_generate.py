"""A trained hub model in use: by heart, in batches, refusing, mending."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dbt_t2s.model.generate import Agreeing, Candidate, Follower, Mender
from dbt_t2s.model.hub_calibration import IDENTITY, Calibration, fitted
from dbt_t2s.model.hub_generate import HubGenerator
from dbt_t2s.model.turns import Turn
from tests.model.tiny import SCHEMA, TRAIN


@pytest.fixture(scope="module", name="model")
def model_fixture(trained: Path) -> HubGenerator:
    return HubGenerator(trained, SCHEMA)


def test_it_learns_its_rows_by_heart_and_refuses(model: HubGenerator) -> None:
    answers = model.generate([row["question"] for row in TRAIN])
    assert [found[0].sql for found in answers] == [row["sql"] for row in TRAIN]
    assert [found[0].refusal for found in answers] == [row.get("refusal", "") for row in TRAIN]
    for found in answers:
        assert 1 <= len(found) <= 3
        chances = [candidate.confidence for candidate in found]
        assert chances == sorted(chances, reverse=True)
        assert chances[0] > 0.3
        assert sum(chances) <= 1.0 + 1e-3
        assert len({(candidate.sql, candidate.refusal) for candidate in found}) == len(found)


def test_a_batch_answers_as_single_questions_do(model: HubGenerator) -> None:
    questions = [TRAIN[0]["question"], "customers in fr", "all profit"]
    together = model.generate(questions)
    alone = [model.generate([question])[0] for question in questions]
    assert [found[0].sql for found in together] == [found[0].sql for found in alone]
    assert together[0][0].confidence == pytest.approx(alone[0][0].confidence, rel=1e-3)
    assert model.generate([]) == []


def test_candidates_that_say_the_same_are_told_together(trained: Path) -> None:
    model = HubGenerator(trained, SCHEMA)
    assert isinstance(model, Agreeing)
    alone = model.generate(["total amount"])[0]
    assert len(alone) > 1

    def agree(found: Sequence[Candidate]) -> tuple[Candidate, ...]:
        return (replace(found[-1], confidence=sum(each.confidence for each in found)),)

    model.agree_by(agree)
    (together,) = model.generate(["total amount"])[0]
    assert together.sql == alone[-1].sql
    assert together.confidence == pytest.approx(sum(each.confidence for each in alone), rel=1e-3)


def test_a_question_longer_than_the_model_is_refused(model: HubGenerator) -> None:
    found = model.generate(["amount of orders " * 300, "total amount"])
    assert (found[0][0].sql, found[0][0].refusal) == ("", "the question is too long")
    assert found[1][0].sql == "select sum(amount) from main.orders"


def test_wrong_sql_is_mended(model: HubGenerator) -> None:
    assert isinstance(model, Mender)
    message = 'bind: no column "amout"'
    assert model.mend("total amount", "select sum(amout) from main.orders", message)
    assert model.mend("total amount", "select 1, " * 900, "too long") == ()


def test_a_follow_up_is_told_as_a_chat(model: HubGenerator) -> None:
    assert isinstance(model, Follower)
    before = (Turn(TRAIN[0]["question"], TRAIN[0]["sql"]),)
    found = model.follow("and only in fr?", before)
    assert found.read_as.endswith("; then and only in fr?")
    assert found.candidates and found.candidates != model.generate(["and only in fr?"])[0]
    assert model.follow("how many customers are there in fr?", before).read_as == ""
    assert model.follow("and only in fr?", ()).read_as == ""
    long = tuple(Turn("amount of orders " * 60, "select 1") for _ in range(8))
    assert model.follow("only in fr", long).candidates, "the oldest turns are left out"


def test_confidence_is_bent_to_how_often_answers_were_right() -> None:
    sure = [(0.99, i % 2 == 0) for i in range(60)] + [(0.2, i % 10 == 0) for i in range(60)]
    found = fitted(sure)
    assert found.chance(0.99) == pytest.approx(0.5, abs=0.05)
    assert found.chance(0.2) == pytest.approx(0.1, abs=0.05)
    assert fitted(sure[:10]) == IDENTITY
    assert fitted([(0.9, True)] * 100) == IDENTITY, "nothing was wrong: nothing is known of risk"
    # Sure when wrong and unsure when right: such a slope is not believed.
    assert fitted([(0.9, False)] * 50 + [(0.1, True)] * 50) == IDENTITY


@given(
    st.lists(st.floats(0.001, 0.999), min_size=1, max_size=3),
    st.floats(0.1, 5),
    st.floats(-4, 4),
)
def test_bent_confidences_keep_their_order_and_their_sum(
    chances: list[float], slope: float, shift: float
) -> None:
    ordered = sorted((chance / len(chances) for chance in chances), reverse=True)
    found = tuple(Candidate(str(i), chance) for i, chance in enumerate(ordered))
    bent = Calibration(slope, shift).applied(found)
    assert [each.sql for each in bent] == [each.sql for each in found]
    sure = [each.confidence for each in bent]
    assert sure == sorted(sure, reverse=True)
    assert sum(sure) <= 1 + 1e-6
