"""How varied wording is, measured on questions whose variety is known."""

from __future__ import annotations

import math
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dbt_t2s.corpus.card import card
from dbt_t2s.corpus.examples import Corpus
from dbt_t2s.corpus.variety import REGISTERS, divergence, general_words, register, variety
from dbt_t2s.project.schema import ProjectSchema

_COUNTS = st.dictionaries(st.text(max_size=3), st.integers(1, 50), max_size=6).map(Counter)


@pytest.mark.parametrize(
    ("question", "told"),
    [
        ("how many orders are there", "question"),
        ("orders by country?", "question"),
        ("please show orders", "command"),
        ("list all customers", "command"),
        ("revenue by month", "keywords"),
        ("", "keywords"),
    ],
)
def test_registers(question: str, told: str) -> None:
    assert register(question) == told


def test_measures_of_four_questions() -> None:
    questions = ["how many orders", "how many Customers?", "show orders by status", "orders 2024"]
    wordings = ["how many _", "how many _", "show _ by _", "_ _"]
    found = variety(questions, wordings)
    assert found is not None
    assert (found.questions, found.lengths) == (4, (2, 3, 4))
    assert (found.openings, found.common_opening) == (3, ("how many", 0.5))
    assert found.even_openings == pytest.approx(2**1.5)
    assert dict(zip(REGISTERS, found.registers, strict=True)) == {
        "question": 0.5,
        "command": 0.25,
        "keywords": 0.25,
    }
    assert (found.marked, found.lowered, found.alike) == (0.25, 0.75, 0.25)
    assert found.vocabulary == 4
    assert found.general == pytest.approx(6 / 12)
    assert variety([], []) is None


def test_more_of_the_same_is_no_variety() -> None:
    same = variety(["orders by country"] * 50, ["_ by _"] * 50)
    other = variety([f"w{i} of it" for i in range(50)], [f"w{i} of it" for i in range(50)])
    assert same is not None and other is not None
    assert same.even_openings == pytest.approx(1) and same.alike == pytest.approx(0.98)
    assert other.even_openings == pytest.approx(50) and other.alike == 0


@given(_COUNTS, _COUNTS)
def test_a_distance_lies_between_nothing_and_one_bit(one: Counter[str], two: Counter[str]) -> None:
    apart = divergence(one, two)
    if not one or not two:
        assert math.isnan(apart)
        return
    assert -1e-9 <= apart <= 1 + 1e-9
    assert divergence(one, one) == pytest.approx(0)
    assert apart == pytest.approx(divergence(two, one))
    if not set(one) & set(two):
        assert apart == pytest.approx(1)


def test_the_card_tells_them(corpus: Corpus, schema: ProjectSchema) -> None:
    told = card(corpus, schema, 0, "1")
    lines = told[told.index("## How varied the wording is") :].split("\n## ")[0].splitlines()
    assert len([line for line in lines if line.startswith("- ")]) == 7
    assert general_words(["how many _"]) == Counter(how=1, many=1)
