"""Personal data in questions: by marked columns, by form, and where the data cannot be asked."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dbt_t2s import duck
from dbt_t2s.duck import QueryError
from dbt_t2s.judge.sandbox import Sandbox
from dbt_t2s.project.schema import Column, Kind, ProjectSchema, Role, Table
from dbt_t2s.serve.log import Asked, Said
from dbt_t2s.serve.masking import Masker

PEOPLE = Table(
    name="people",
    relation="people",
    unique_id="model.shop.people",
    path="",
    columns=(
        Column("name", "VARCHAR", Kind.TEXT, Role.TEXT, personal=True),
        Column("born", "DATE", Kind.DATE, Role.TIME, personal=True),
        Column("city", "VARCHAR", Kind.TEXT, Role.CATEGORY, values=("Paris", "Lima")),
        Column("remark", "VARCHAR", Kind.TEXT, Role.TEXT, personal=True),
    ),
)
SCHEMA = ProjectSchema("shop", "duckdb", (PEOPLE,), as_of="2025-06-30")


@pytest.fixture(scope="module")
def masker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Masker]:
    path = tmp_path_factory.mktemp("masking") / "shop.duckdb"
    with duck.open_writable(path) as connection:
        connection.execute(
            "create table people as select * from (values"
            " ('Ada Lovelace', date '1815-12-10', 'Paris', 'she often orders very late in spring'),"
            " ('Liam O''Brien', date '1990-01-02', 'Lima', null),"
            " ('Paris Hill', null, 'Lima', 'vip')) as t(name, born, city, remark)"
        )
    with Sandbox(path, ["people"]) as sandbox:
        yield Masker(SCHEMA, sandbox.execute_trusted)


def asked(question: str, sql: str = "", reason: str = "") -> Asked:
    return Asked("a", "2025", question, "ok", sql, reason, 1, 1.0, 1.0, 1.0, "m", "dev")


@pytest.mark.parametrize(
    ("question", "kept"),
    [
        ("what did Ada Lovelace order?", "what did *** *** order?"),
        ("what did lovelace's friends order late in spring?",
         "what did ***'s friends order late in spring?"),
        ("orders of O’Brien", "orders of O’***"),
        ("how many people live in Paris?", "how many people live in Paris?"),
        ("orders of ada@example.org or +31 6 1234 5678", "orders of *** or ***"),
        ("orders of 4111 1111 1111 1111", "orders of ***"),
        ("revenue from 2025-01-01 to 2025-06-30 over 100000",
         "revenue from 2025-01-01 to 2025-06-30 over 100000"),
    ],
)  # fmt: skip
def test_what_personal_columns_hold_is_not_kept(masker: Masker, question: str, kept: str) -> None:
    assert masker.asked(asked(question)).question == kept


def test_sql_and_reason_are_masked_alike(masker: Masker) -> None:
    sql = "select count(*) from people where name ilike '%Grace Hopper%' and city = 'Paris'"
    found = masker.asked(asked("how about Grace Hopper?", sql, "no 'Grace Hopper' is known"))
    assert found.question == "how about ***?"
    assert found.sql_text == sql.replace("Grace Hopper", "***")
    assert found.reason == "no '***' is known"


def test_days_that_a_personal_column_is_compared_with(masker: Masker) -> None:
    sql = "select count(*) from people where born = date '1990-01-02'"
    found = masker.asked(asked("who was born on 2 January 1990?", sql))
    assert "1990" not in found.question + found.sql_text


def test_a_correction_is_masked_too(masker: Masker) -> None:
    said = Said("f", "2025", "a", "and Ada?", "wrong", "select 1",
                "select 1 from people where name = 'Ada'", "Ada asked", "me", "dev")  # fmt: skip
    found = masker.said(said)
    assert (found.question, found.note) == ("and ***?", "*** asked")
    assert found.corrected_sql == "select 1 from people where name = '***'"


def test_without_the_data_names_are_told_by_their_form() -> None:
    masker = Masker(SCHEMA)
    found = masker.asked(asked("What did Ada order in Paris, and 'grace'?"))
    assert found.question == "What did *** order in Paris, and '***'?"


def test_where_the_data_does_not_answer_no_word_is_kept() -> None:
    masker = Masker(SCHEMA, lambda sql: QueryError("timeout", "too slow"))
    found = masker.asked(asked("what did ada order?", "select 1", "because of ada"))
    assert (found.question, found.sql_text, found.reason) == ("***", "", "")
    assert found.status == "ok"


def test_without_marks_nothing_is_looked_up() -> None:
    columns = tuple(replace(each, personal=False) for each in PEOPLE.columns)
    schema = replace(SCHEMA, tables=(replace(PEOPLE, columns=columns),))
    masker = Masker(schema, lambda sql: pytest.fail("it was asked"))
    assert masker.asked(asked("what did Ada order?")).question == "what did Ada order?"


@settings(max_examples=25)
@given(st.text(max_size=80))
def test_any_text_is_masked_without_a_crash(masker: Masker, text: str) -> None:
    found = masker.asked(asked(f"{text} Lovelace {text}", text))
    assert " Lovelace " not in found.question or found.question == "***"
