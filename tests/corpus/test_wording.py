"""Wording: forms that agree, periods moved without a change of meaning, registers, distances."""

from __future__ import annotations

import re
from collections import Counter
from datetime import date
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dbt_t2s.corpus.registers import asked, frame, kind, surround
from dbt_t2s.corpus.typed_questions import named, typed
from dbt_t2s.corpus.variety import divergence
from dbt_t2s.corpus.vocabulary import Vocabulary
from dbt_t2s.corpus.wording import (
    agree,
    dated,
    ends,
    fronted,
    head,
    many,
    once,
    people_first,
    relative,
    reworded,
    shortened,
    superlative,
)
from dbt_t2s.project.schema import Column, Kind, ProjectSchema, Role, Table
from dbt_t2s.query.dates import date_spans
from dbt_t2s.query.text import words
from tests.benchmarks.wording import unseen

TODAY = date(2025, 12, 31)
SEEDS = st.integers(0, 2**32)


@pytest.mark.parametrize(
    ("text", "better"),
    [
        ("what are the number of orders", "what is the number of orders"),
        ("what is the orders by month", "what are the orders by month"),
        ("what are average order value in 2024", "what is average order value in 2024"),
        ("how much orders did we have", "how many orders did we have"),
        ("how much sales did we have", "how much sales did we have"),
        ("how much average price do we have", "what is average price"),
        ("how big was customers in Spain", "how many customers in Spain"),
        ("how many number of returns", "how many returns"),
        ("how many order count were there", "how many orders were there"),
        ("how much more number of orders did we have", "how many more orders did we have"),
        ("how many orders are", "how many orders"),
        ("orders with a invoice or an bill", "orders with an invoice or a bill"),
        ("how are we doing on revenue", "how are we doing on revenue"),
        ("a user and a unit", "a user and a unit"),
        ("what is the most common country", "what is the most common country"),
        ("regions with at least 50 number of orders", "regions with at least 50 orders"),
        ("cumulative the revenue by month", "cumulative revenue by month"),
        ("month by month our revenue", "month by month revenue"),
        (
            "tickets with a hours between opening and reply",
            "tickets with hours between opening and reply",
        ),
        ("how big was # of stores", "what is the # of stores"),
    ],
)
def test_words_agree(text: str, better: str) -> None:
    assert agree(text) == better


@pytest.mark.parametrize(
    ("text", "better"),
    [
        ("country with the largest orders", "country with the most orders"),
        ("country with the worst orders by year", "country with the fewest orders by year"),
        ("country with the fewest revenue", "country with the lowest revenue"),
        ("month that had the least average price", "month that had the lowest average price"),
        ("channel with the most average clicks", "channel with the highest average clicks"),
        ("the highest number of clicks", "the highest number of clicks"),
        ("the highest clicks since 2024", "the highest clicks since 2024"),
        ("the best 3 stores by revenue", "the best 3 stores by revenue"),
    ],
)
def test_superlatives_fit_what_they_are_of(text: str, better: str) -> None:
    assert superlative(text) == better


def test_a_participle_becomes_a_date() -> None:
    names = frozenset(("delivered", "signed up"))
    assert dated("orders without a delivered", names) == "orders without a delivered date"
    assert dated("the latest signed up of users", names) == "the latest signed up date of users"
    assert dated("orders delivered in May", names) == "orders delivered in May"


def test_heads() -> None:
    assert head("the orders with a discount") == "orders"
    assert many("orders from Spain") and not many("number of orders") and not many("revenue")
    assert asked("orders by month") == "what are the orders by month"
    assert asked("our revenue") == "what is our revenue"


@given(SEEDS)
def test_who_is_said_of_people_alone(seed: int) -> None:
    rng = Random(seed)
    assert relative(rng, "campaigns who had orders") == "campaigns that had orders"
    assert "who had orders" in relative(rng, "customers who had orders")
    assert relative(rng, "who has the most orders, by store").startswith("which ")
    assert people_first(rng, "which store has the most orders") == "which store has the most orders"


@given(SEEDS)
def test_one_table_of_people_may_be_who(seed: int) -> None:
    text = people_first(Random(seed), "which customer has the most orders")
    assert text in ("which customer has the most orders", "who has the most orders")


@given(
    SEEDS,
    st.sampled_from(("in 2024", "since March 2024", "last month", "in the last 3 weeks", "ytd")),
    st.sampled_from(("revenue by country", "how many orders", "top 3 stores by revenue")),
)
def test_a_period_keeps_its_meaning_wherever_it_stands(seed: int, when: str, what: str) -> None:
    made = fronted(Random(seed), f"{what} {when}", (when,), TODAY)
    (before,), (after,) = date_spans(f"{what} {when}", TODAY), date_spans(made, TODAY)
    assert before.range == after.range
    assert Counter(w.text for w in words(what)) <= Counter(w.text for w in words(made))


@pytest.mark.parametrize(
    "bound",
    [
        "customers without orders in 2024",
        "how much more was revenue in May than in 2024",
        "orders of customers who joined in 2024",
    ],
)
def test_a_period_is_never_taken_out_of_its_clause(bound: str) -> None:
    assert all(fronted(Random(s), bound, ("in 2024",), TODAY) == bound for s in range(60))


@given(SEEDS, st.sampled_from(("average", "number of rooms", "with", "Black and Decker")))
def test_short_forms_spare_what_is_kept(seed: int, kept: str) -> None:
    text = shortened(Random(seed), f"what is revenue of {kept} by month", (kept,))
    assert kept in text


@given(SEEDS, st.text(max_size=80), st.booleans())
def test_any_text_can_be_reworded(seed: int, text: str, people: bool) -> None:
    assert isinstance(reworded(Random(seed), text, (text,), TODAY, people), str)
    assert isinstance(agree(text), str)


@given(SEEDS, st.sampled_from(("revenue by month", "how many orders in May", "compare a with b")))
def test_a_frame_holds_the_question_in_full(seed: int, text: str) -> None:
    assert text in frame(Random(seed), text)
    assert text in surround(Random(seed), text)


def test_most_questions_are_typed_bare() -> None:
    framed = [frame(Random(s), "revenue by month") for s in range(500)]
    bare = sum(f == "revenue by month" for f in framed)
    assert 200 < bare < 350
    assert len(set(framed)) > 60
    assert kind("last year which store sold most") == "fronted"
    assert [kind(t) for t in ("how many", "for each store, revenue", "list all", "revenue")] == [
        "question", "fronted", "order", "thing",
    ]  # fmt: skip


def _table(*columns: Column) -> Table:
    return Table("stores", '"stores"', "model.x.stores", "", columns)


def test_attributes_asked_for_by_their_type() -> None:
    rent = Column("rent_eur", "DOUBLE", Kind.NUMBER, Role.MEASURE)
    price = Column("list_price", "DOUBLE", Kind.NUMBER, Role.MEASURE)
    city = Column("city", "VARCHAR", Kind.TEXT, Role.CATEGORY)
    assert "what does Soho cost" in typed(_table(rent, city), rent, "Soho")
    assert typed(_table(rent, price), rent, "Soho") == (), "two prices: which?"
    assert "where is Soho" in typed(_table(rent, city), city, "Soho")
    closed = Column("closed_on", "DATE", Kind.DATE, Role.TIME)
    assert "when was Soho closed" in named(_table(closed), closed, "Soho", "closed")
    assert any("opening" in q for q in named(_table(closed), closed, "Soho", "opening"))


def test_values_that_one_column_alone_has(schema: ProjectSchema) -> None:
    vocabulary = Vocabulary(schema)
    told = {(d.table.name, d.column.name): vocabulary.tells(d)
            for d in vocabulary.dimensions("orders") if d.column.values}  # fmt: skip
    assert told[("orders", "status")]
    keyed = vocabulary.keyed("order", "7", Random(3))
    assert re.fullmatch(r"order\W*(?:no\.? |number |id |nr )?\W?7", keyed)


def test_distances() -> None:
    one, two = Counter("aabb"), Counter("ccdd")
    assert divergence(one, one) == 0
    assert divergence(one, two) == pytest.approx(1)
    assert 0 < divergence(one, Counter("abcc")) < 1
    assert unseen(Counter("aac"), one) == pytest.approx(1 / 3)


def test_the_worst_is_said_only_of_what_one_wants_much_of() -> None:
    assert ends("net revenue", False) == ("bottom", "worst")
    assert ends("number of orders", True) == ("top", "best")
    assert ends("maximum first response hours", False) == ("bottom", "bottom")
    assert ends("refunds", True) == ("top", "top")
    assert ends("order cost", True) == ("top", "top")


def test_people_are_counted_only_where_they_are_the_noun() -> None:
    for seed in range(60):
        asked = people_first(Random(seed), "how many customer visits are there")
        assert asked == "how many customer visits are there"


def test_no_word_comes_twice() -> None:
    said = once("which customer customer region has the highest highest price")
    assert said == "which customer region has the highest price"
