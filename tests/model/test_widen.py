"""A project among more: its questions mean there what they meant, and what may not is left out."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from random import Random

import pytest

from dbt_t2s.project.schema import ProjectSchema
from dbt_t2s.query.linear import REFUSAL
from tests.tools.pretrain.invented import Asked, Checker, read_project, read_questions
from tests.tools.pretrain.tellings import Question, Telling
from tests.tools.pretrain.widen import Added, Widened, divided, widened

PROJECTS = Path(__file__).parents[1] / "tools/pretrain/projects"


@pytest.fixture(scope="module")
def schema() -> ProjectSchema:
    return read_project(PROJECTS / "podcast_network.yml")


@pytest.fixture(scope="module")
def other() -> ProjectSchema:
    return read_project(PROJECTS / "youth_hostels.yml")


@pytest.fixture(scope="module")
def wide(schema: ProjectSchema, other: ProjectSchema) -> Widened:
    return widened(schema, (other,), Random(1))


@pytest.fixture(scope="module")
def asked() -> list[Question]:
    found = read_questions(PROJECTS / "podcast_network.txt")
    return [Question(a.question, a.tokens) for a in found if isinstance(a, Asked)]


def _question(text: str, tokens: str) -> Question:
    return Question(text, tuple(tokens.split()))


def test_a_wider_schema_holds_all_that_it_held_and_much_more(
    schema: ProjectSchema, other: ProjectSchema, wide: Widened
) -> None:
    tables = {t.name: t for t in wide.schema.tables}
    for table in schema.tables:
        assert set(table.columns) <= set(tables[table.name].columns)
    assert tables.keys() == {t.name for t in (*schema.tables, *other.tables)}
    assert set(schema.metrics) < set(wide.schema.metrics)
    assert len(wide.schema.metrics) > 1.5 * len(schema.metrics)
    names = [m.name for m in wide.schema.metrics]
    assert len(names) == len(set(names))
    for table in wide.schema.tables:
        columns = [c.name for c in table.columns]
        assert len(columns) == len(set(columns))


def test_plans_of_what_is_left_alone_hold_in_the_wider_schema(
    wide: Widened, asked: list[Question]
) -> None:
    alone = [q for q in asked if wide.leaves_alone(q)]
    assert len(asked) * 0.3 < len(alone) < len(asked)
    checker = Checker(wide.schema)
    assert not [q for q in alone if checker.problem(Asked(0, q.text, q.tokens))]


@pytest.mark.parametrize(
    ("text", "plan", "alone"),
    [
        ("how many downloads in May", "m:total_downloads END", True),
        ("growth of downloads by month", "MONTH TIME m:total_downloads END", False),
        ("bookings by channel", "REFUSE END", False),
    ],
)
def test_a_question_that_may_mean_what_was_added_is_not_left_alone(
    wide: Widened, text: str, plan: str, alone: bool
) -> None:
    grown = Added((frozenset(("growth",)),))
    told = Widened(wide.schema, (*wide.added, grown), wide.own)
    assert told.leaves_alone(_question(text, plan)) is alone


def test_a_plan_that_what_was_added_could_say_is_not_left_alone(wide: Widened) -> None:
    counted = Added((), (frozenset(("@shows", "@episodes")),))
    told = Widened(wide.schema, (counted,), wide.own)
    assert not told.leaves_alone(_question("x", "c:shows.a WHERE HAS t:episodes CLOSE END"))
    assert told.leaves_alone(_question("x", "c:shows.a END"))


def test_words_that_are_own_names_mean_their_own_things_beside_others(wide: Widened) -> None:
    country = frozenset(("countri",))
    told = Widened(wide.schema, (Added((country,)),), frozenset((country,)))
    assert told.leaves_alone(_question("shows by countri", "c:shows.country COUNT t:shows END"))
    assert not told.leaves_alone(_question("every countri", "c:shows.country END"))


def test_every_question_is_asked_once(
    schema: ProjectSchema, other: ProjectSchema, asked: list[Question]
) -> None:
    parts = divided(Telling(schema, tuple(asked)), (other,), Random(2))
    assert sorted(q.text for part in parts for q in part.questions) == sorted(q.text for q in asked)
    plain, wide = parts
    assert plain.schema == schema
    assert len(wide.schema.tables) > len(schema.tables)
    refused = [q for q in wide.questions if q.tokens == REFUSAL]
    assert 0 < len(refused) < len(wide.questions) / 3


def test_without_another_project_a_schema_still_grows(schema: ProjectSchema) -> None:
    alone = widened(schema, (), Random(3))
    assert len(alone.schema.tables) == len(schema.tables)
    assert sum(len(t.columns) for t in alone.schema.tables) > sum(
        len(t.columns) for t in schema.tables
    )


def test_the_same_chance_widens_alike(schema: ProjectSchema, other: ProjectSchema) -> None:
    first, second = (widened(schema, (other,), Random(4)) for _ in range(2))
    assert first == second


def test_a_child_that_refers_twice_to_a_table_adds_no_column_twice(schema: ProjectSchema) -> None:
    twice = replace(schema, joins=schema.joins * 2)
    for seed in range(20):
        for table in widened(twice, (), Random(seed)).schema.tables:
            names = [column.name for column in table.columns]
            assert len(names) == len(set(names))
