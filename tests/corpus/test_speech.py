"""Words: plurals, dates and numbers that are read back, and slips that spare what matters."""

from __future__ import annotations

import re
from datetime import date
from random import Random

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from dbt_t2s.corpus.registers import frame
from dbt_t2s.corpus.speech import (
    COMPARED,
    decent,
    roughen,
    say_compared,
    say_date,
    say_number,
    tidy,
)
from dbt_t2s.corpus.vocabulary import Vocabulary, plural, singular
from dbt_t2s.project.schema import FiscalYear, ProjectSchema
from dbt_t2s.query.dates import date_spans
from dbt_t2s.query.numbers import number_spans
from tests.model.shop_schema import COUNTRIES, PRODUCTS, SEGMENTS

TODAY = date(2025, 12, 31)
SEEDS = st.integers(0, 2**32)
PAIRS = (
    ("order", "orders"),
    ("category", "categories"),
    ("box", "boxes"),
    ("branch", "branches"),
    ("dish", "dishes"),
    ("class", "classes"),
    ("day", "days"),
    ("person", "people"),
    ("sales person", "sales people"),
    ("status", "statuses"),
    ("order line", "order lines"),
)


@pytest.mark.parametrize(("one", "many"), PAIRS)
def test_plurals_and_singulars(one: str, many: str) -> None:
    assert plural(one) == many
    assert singular(many) == one


@pytest.mark.parametrize("noun", ["orders", "people", "categories", "boxes"])
def test_a_plural_stays_one(noun: str) -> None:
    assert plural(singular(noun)) == noun


FISCAL_YEARS = st.one_of(
    st.none(), st.builds(FiscalYear, st.integers(1, 12), st.sampled_from(("end", "start")))
)


@example(650430, None)  # "… within q4 24 exactly"
@given(SEEDS, FISCAL_YEARS)
def test_a_date_phrase_means_in_a_question_what_it_meant_alone(
    seed: int, fiscal: FiscalYear | None
) -> None:
    rng = Random(seed)
    said = say_date(rng, TODAY, date(2023, 3, 1), TODAY, fiscal)
    if said is None:
        return
    asked = tidy(f"how many orders were delivered {said.text}")
    question = roughen(rng, frame(rng, asked), (said.text,))
    if re.search(r"\bmay\b", question):
        return  # a month or a verb: the corpus drops what is not read back
    ranges = [s.range for s in date_spans(question, TODAY, fiscal)]
    # A phrase around the question may hold a date of its own ("as discussed yesterday").
    assert said.range in ranges, (question, ranges)
    assert said.range.start or said.range.end


def test_fiscal_years_are_said_where_the_project_has_them() -> None:
    def fiscal(known: FiscalYear | None) -> list[str]:
        said = (say_date(Random(s), TODAY, date(2023, 3, 1), TODAY, known) for s in range(400))
        return [each.text for each in said if each and re.search("fy|fiscal", each.text, re.I)]

    assert not fiscal(None)
    told = fiscal(FiscalYear(2))
    assert 60 < len(told) < 140 and len(set(told)) > 30


def test_nearly_every_date_that_is_said_is_read() -> None:
    said = [say_date(Random(seed), TODAY, date(2023, 3, 1), TODAY) for seed in range(1000)]
    assert sum(each is None for each in said) < 10


@given(SEEDS, st.integers(0, 20_000), st.sampled_from(sorted(COMPARED)))
def test_a_number_is_read_back(seed: int, number: int, operator: str) -> None:
    rng = Random(seed)
    text = f"customers with {say_compared(rng, operator, say_number(rng, number))} orders"
    assert [s.value for s in number_spans(text)] == [str(number)], text


@given(SEEDS, st.sampled_from((*COUNTRIES, *SEGMENTS, *PRODUCTS, "last September")))
def test_slips_never_touch_kept_words(seed: int, kept: str) -> None:
    rng = Random(seed)
    text = frame(rng, f"how many customers from {kept} bought something expensive")
    rough = roughen(rng, text, (kept,))
    assert re.search(rf"\b{re.escape(kept)}\b", rough, re.IGNORECASE), rough


@given(SEEDS, st.text(max_size=60))
def test_any_text_can_be_framed_and_roughened(seed: int, text: str) -> None:
    rng = Random(seed)
    assert isinstance(roughen(rng, frame(rng, tidy(text)), (text,)), str)


def test_no_slip_is_rude() -> None:
    said = {roughen(Random(seed), "count shifts", ()).lower() for seed in range(4000)}
    assert len(said) > 20
    assert not [each for each in said if "cunt" in each or "shit" in each]
    assert decent("cockpti", "cockpit") == "cockpti"


def test_slips_do_occur_and_are_single(schema: ProjectSchema) -> None:
    plain = "total revenue from delivered purchases"
    words = plain.split()
    changed = []
    for seed in range(300):
        rough = roughen(Random(seed), plain, ()).lower().rstrip(".?").split()
        changed.append(sum(a != b for a, b in zip(rough, words, strict=True)))
    assert 0 < sum(c > 0 for c in changed) < 100
    assert max(changed) == 1


def test_tidying() -> None:
    assert tidy("what is the the  revenue , by country ,") == "what is the revenue, by country"


def test_names_of_the_shop(schema: ProjectSchema) -> None:
    words = Vocabulary(schema)
    customers, orders = schema.table("customers"), schema.table("orders")
    assert words.nouns(customers) == ("customers", "clients")
    display = words.display(customers)
    assert display is not None and display.name == "customer_name"
    assert words.display(orders) is None
    assert "market" in words.column_names(customers, customers.column("country"))
    reached = {(d.table.name, d.column.name) for d in words.dimensions("orders")}
    assert {("customers", "country"), ("orders", "status"), ("products", "category")} <= reached
    assert ("customers", "email") not in reached
    assert all(d.own for d in words.dimensions("customers"))
    counting = words.counted_by("orders")
    assert counting is not None and counting.name == "order_count"
    assert words.counted_by("customers") is None
    assert words.metric_names(schema.metrics[0]) == ("revenue", "income")
    assert words.metric_roots(schema.metrics[2]) == ("orders",)
