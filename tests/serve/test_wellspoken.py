"""Suggestions read as a well-spoken person asks: nothing misspelt, clipped or chatty is shown."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dbt_t2s import store
from dbt_t2s.answers import Answerer
from dbt_t2s.corpus.examples import Example
from dbt_t2s.project.schema import Column, Kind, ProjectSchema, Role, Table
from dbt_t2s.serve.nearest import Known, Nearest
from dbt_t2s.serve.wellspoken import Wellspoken
from dbt_t2s.workspace import Workspace

COUNTRY = Column(
    "country", "varchar", Kind.TEXT, Role.CATEGORY, values=("Germany", "New Zealand", "Open")
)
SCHEMA = ProjectSchema(
    "shop",
    "duckdb",
    (
        Table("orders", "marts.orders", "model.shop.orders", "", (COUNTRY,), "Orders still open."),
        Table("customers", "marts.customers", "model.shop.customers", "", ()),
    ),
)
COMMON = [
    "how many orders were there by country in New Zealand",
    "what is the average revenue of customers",
]
JUDGE = Wellspoken(COMMON * 20, SCHEMA)


@pytest.mark.parametrize(
    ("typed", "spoken"),
    [
        ("how many orders were there by country", "How many orders were there by country?"),
        ("How many orders were there in germany?", "How many orders were there in Germany?"),
        ("what is the average revenue new zealand", "What is the average revenue New Zealand?"),
        ("how many open orders were there", "How many open orders were there?"),
        ("average revenue of customers", "What is the average revenue of customers?"),
        ("orders by country", ""),  # words alone
        ("how many ordres were there by country", ""),  # misspelt
        ("hi team, how many orders were there", ""),
        ("how many orders were there, thanks", ""),
        ("how many orders were there plz", ""),
        ("how many orders were there w/ country", ""),
        ("how many orders were there again", ""),
        ("so how many orders were there", ""),
        ("what is average revenue of customers", ""),
        ("how many revenue were there", ""),
        ("how many orders", ""),
        ("how many orders were there by country = Germany", ""),
        ("what is the average revenue of orders of customers", ""),
        (" ".join(["how many orders were there by country"] * 4), ""),
        ("", ""),
    ],
)
def test_good_forms(typed: str, spoken: str) -> None:
    assert JUDGE.said(typed) == spoken


@given(st.text() | st.lists(st.sampled_from(" ".join(COMMON).split()), max_size=20).map(" ".join))
def test_any_text_has_one_form_or_none(text: str) -> None:
    said = JUDGE.said(text)
    assert said == "" or re.fullmatch(r"[A-Z].*[?.]", said)
    assert said == "" or JUDGE.said(said) == said


def known(text: str, topic: str) -> Known:
    return Known(text.lower(), text, topic, f"{text}?")


def test_what_can_be_asked_is_of_many_topics_and_forms() -> None:
    nearest = Nearest(
        [
            *(known(f"How many orders in month {n}", "orders") for n in range(20)),
            *(known(f"Which customers are from place {n}", "customers") for n in range(20)),
            known("What is the revenue by store", "revenue"),
            Known("pls gimme the revenue", "x", "revenue"),
        ]
    )
    first = nearest.find("", 3)
    assert {each.split()[0] for each in first} == {"How", "Which", "What"}
    assert len(set(nearest.find("", 12))) == 12
    # The near one comes first; the others are well-spoken, too.
    found = nearest.find("revenue, pls", 3)
    assert found[0] == "What is the revenue by store?" and all(q.endswith("?") for q in found)
    # Where nothing is well-spoken, what there is.
    assert Nearest([Known("pls gimme the revenue", "x")]).find("revenue") == (
        "pls gimme the revenue",
    )


def test_a_trained_project_suggests_nothing_typed_in_haste(
    answerer: Answerer, workspace: Workspace
) -> None:
    assert answerer.explainer is not None
    shown = answerer.explainer.nearest.find("", 12)
    assert 6 <= len(set(shown)) == len(shown) <= 12  # of 300 questions about two tables
    for question in shown:
        assert re.fullmatch(r"[A-Z][^#<>=+;:/]*[?.]", question), question
    rows = store.read_rows(workspace.examples_path, Example)
    assert not set(shown) & {row.question for row in rows if row.question.islower()}
    refused = answerer.ask("what is the weather like on the moon?")
    assert all(each[0].isupper() and each[-1] in "?." for each in refused.nearest)


def test_suggestions_of_the_shop_are_answered(answerer: Answerer) -> None:
    assert answerer.explainer is not None
    status = [answerer.ask(each).status for each in answerer.explainer.nearest.find("", 6)]
    assert status.count("ok") >= 4  # a model trained for seconds


def test_without_a_corpus_nothing_is_known_to_be_well_spoken() -> None:
    assert Wellspoken([]).said("How many orders were there?") == ""
