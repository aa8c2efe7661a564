"""Names and forms that leave no colleague guessing: what a reading of the corpus found wanting."""

from __future__ import annotations

import re
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dbt_t2s.corpus.examples import Corpus
from dbt_t2s.corpus.nouns import rows_of
from dbt_t2s.corpus.value_conditions import say_value
from dbt_t2s.corpus.vocabulary import Vocabulary, counted
from dbt_t2s.project.schema import Column, Kind, ProjectSchema, Role, Table


@given(st.integers(0, 2**32), st.sampled_from(["out_of_home", "paid_search", "fixed amount"]))
def test_half_a_code_is_not_said(seed: int, value: str) -> None:
    said = say_value(Random(seed), value, "", (value,))
    assert said.lower().replace("_", " ") == value.replace("_", " ")


def test_half_a_proper_name_is() -> None:
    said = {
        say_value(Random(seed), "Hamburg Altona", "", ("Hamburg Altona",)) for seed in range(200)
    }
    assert {"Altona", "Hamburg Altona"} <= said


def test_a_range_keeps_its_dash() -> None:
    assert {say_value(Random(seed), "45-54") for seed in range(50)} == {"45-54"}


@pytest.mark.parametrize(
    ("column", "name", "said"),
    [
        ("acquired_customer_count", "acquired customers", "number of acquired customers"),
        ("acquired_customer_count", "acquired customer count", "acquired customer count"),
        ("num_rooms", "rooms", "number of rooms"),
        ("floor_hours", "floor hours", "floor hours"),
    ],
)
def test_a_column_that_counts_says_so(column: str, name: str, said: str) -> None:
    assert counted(Column(column, "integer", Kind.NUMBER, Role.MEASURE), name) == said


def test_a_table_called_like_a_sum_has_records() -> None:
    assert rows_of("marketing spends") == "marketing spend records"
    assert rows_of("orders") == "orders"


def campaigns() -> Vocabulary:
    columns = (
        Column("campaign_id", "number", Kind.NUMBER, Role.KEY, unique=True),
        Column(
            "started_on", "date", Kind.DATE, Role.TIME, minimum="2024-01-01", maximum="2025-01-01"
        ),
        Column("order_date", "date", Kind.DATE, Role.TIME),
        Column("is_first_order", "boolean", Kind.BOOLEAN, Role.FLAG),
        Column("spend_to_date_eur", "number", Kind.NUMBER, Role.MEASURE),
    )
    table = Table(
        "campaigns",
        "main.campaigns",
        "model.shop.campaigns",
        "models/campaigns.sql",
        columns,
        primary_key=("campaign_id",),
        time_column="started_on",
    )
    return Vocabulary(ProjectSchema("shop", "duckdb", (table,)))


def test_dates_are_called_dates_unless_they_say_what_happened() -> None:
    words = campaigns()
    table = words.tables["campaigns"]
    assert words.column_names(table, table.column("started_on"))[0] == "started"
    assert set(words.column_names(table, table.column("order_date"))) == {"order date"}


def test_to_date_stays_whole() -> None:
    words = campaigns()
    table = words.tables["campaigns"]
    assert "spend to date" in words.column_names(table, table.column("spend_to_date_eur"))


def test_rows_that_last_need_a_verb_for_their_period() -> None:
    words = campaigns()
    assert words.lasts(words.tables["campaigns"])
    assert "started" in words.began(words.tables["campaigns"])


NOBODY_SAYS = (
    r"\bare (which|who|whose|where)\b",
    r"\bis (which|who|that)\b",
    r"\b(\w{4,}) \1\b",
    r"(than|least|most|over|under) [\d,.]+ (number|count) of",
    r"\b(cumulative|average|monthly|weekly|daily) the\b",
    r"\bhow much (number|count) of",
    r"\bspend to\b(?! date)",
    r"\bhave been (?!\w+ed\b|sent|sold|paid|made|left|won|lost)\w+( \w+)?$",
)


@pytest.mark.parametrize("pattern", NOBODY_SAYS)
def test_no_question_is_put_so(corpus: Corpus, pattern: str) -> None:
    asked = [e.question for e in corpus.examples if e.sql]
    assert len(asked) > 300
    assert not [q for q in asked if re.search(pattern, q, re.IGNORECASE)]
