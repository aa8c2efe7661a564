"""Framed questions and what follows them, answered with the weights that ship."""

from __future__ import annotations

import pytest

from dbt_t2s import store
from dbt_t2s.judge.sandbox import Sandbox
from dbt_t2s.model import recipe, shipped
from dbt_t2s.model.embedded import EmbeddedGenerator
from dbt_t2s.model.generate import Candidate
from dbt_t2s.model.record import ModelRecord, write_record
from dbt_t2s.model.schema_index import SchemaIndex
from dbt_t2s.model.turns import Turn
from dbt_t2s.project.schema import ProjectSchema

_GROWN = (
    "DIV SUB ONLY m:revenue d:2025-01-01/2026-01-01 ONLY m:revenue d:2024-01-01/2025-01-01 "
    "ONLY m:revenue d:2024-01-01/2025-01-01"
)
_GERMANY = 'v:customers.country="Germany"'


@pytest.fixture(scope="module")
def generator(
    tmp_path_factory: pytest.TempPathFactory, schema: ProjectSchema, index: SchemaIndex
) -> EmbeddedGenerator:
    """The shipped weights, with nothing learned of the shop."""
    folder = tmp_path_factory.mktemp("framing")
    recipe.new_network(len(index.items), 0).save_pretrained(folder / "network")
    kept, reader = store.fingerprint(schema), shipped.stamp(shipped.READER)
    record = ModelRecord("embedded", "embedded", kept, "", 0, 0, 0, 0.0, reader=reader)
    write_record(folder, record)
    return EmbeddedGenerator(folder, schema)


def answer(generator: EmbeddedGenerator, question: str) -> Candidate:
    return generator.generate([question])[0][0]


@pytest.mark.parametrize(
    ("question", "plan"),
    [
        ("By what percentage did revenue grow from 2024 to 2025?", f"{_GROWN} END"),
        (
            "what share of revenue comes from the top 3 products",
            "c:products.product_name m:revenue DESC m:revenue LIMIT n:3 OF_TOTAL END",
        ),
        (
            "second most expensive product",
            "c:products.product_name DESC c:products.list_price LIMIT ONE SKIP n:1 END",
        ),
        ("rolling 3 month average of revenue", "MONTH TIME ROLLING_AVG n:3 m:revenue END"),
        ("revenue on Sundays", 'm:revenue WHERE WEEKDAYS TIME s:"Sunday" END'),
    ],
)
def test_what_the_network_was_never_taught_is_answered(
    question: str, plan: str, generator: EmbeddedGenerator, sandbox: Sandbox
) -> None:
    best = answer(generator, question)
    assert best.plan.replace(" c:products.list_price DESC", " DESC") == plan
    assert len(sandbox.execute(best.sql).rows) > 0  # type: ignore[union-attr]


def test_a_follow_up_changes_the_question_inside(
    generator: EmbeddedGenerator, sandbox: Sandbox
) -> None:
    first = "By what percentage did revenue grow from 2024 to 2025?"
    best = answer(generator, first)
    turn = Turn(first, best.sql, best.plan)
    followed = generator.follow("and in Germany?", [turn])
    german = followed.candidates[0]
    assert german.plan == f"{_GROWN} WHERE {_GERMANY} END"
    assert len(sandbox.execute(german.sql).rows) == 1  # type: ignore[union-attr]
    later = Turn(followed.read_as, german.sql, german.plan)
    by_channel = generator.follow("by channel", [turn, later])
    assert by_channel.candidates[0].plan.startswith(f"c:orders.channel {_GROWN} WHERE")


def test_a_change_that_the_frame_does_not_take_is_refused(generator: EmbeddedGenerator) -> None:
    first = "what share of revenue comes from the top 3 products"
    best = answer(generator, first)
    followed = generator.follow("the top 2", [Turn(first, best.sql, best.plan)])
    assert followed.read_as
    assert not followed.candidates[0].sql
    assert "not clear" in followed.candidates[0].refusal


def test_a_new_question_starts_anew(generator: EmbeddedGenerator) -> None:
    first = "rolling 3 month average of revenue"
    best = answer(generator, first)
    anew = "new question: how many customers do we have in France?"
    followed = generator.follow(anew, [Turn(first, best.sql, best.plan)])
    assert not followed.read_as
