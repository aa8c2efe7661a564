"""Words, stems and the words of identifiers."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dbt_t2s.query.text import STOP_WORDS, name_words, stem, stems, words


def test_words_know_where_they_stand() -> None:
    text = "What's the net-amount of café №5?"
    assert [w.text for w in words(text)] == ["What's", "the", "net", "amount", "of", "café", "5"]
    assert all(text[w.start : w.end] == w.text for w in words(text))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("orders", "Order"),
        ("customers'", "customers'"),
        ("customer's", "customers"),
        ("cancelled", "cancel"),
        ("categories", "category"),
        ("returning", "returns"),
    ],
)
def test_forms_of_a_word_share_a_stem(one: str, other: str) -> None:
    assert stem(one) == stem(other)


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("netAmount_eur", ("net", "amount", "eur")),
        ("dim_customers", ("dim", "customers")),
        ("Order ID", ("order", "id")),
        ("coffee-beans", ("coffee", "beans")),
        ("q3Sales", ("q3", "sales")),
        ("HTTPStatus", ("httpstatus",)),
        ("__", ()),
    ],
)
def test_identifiers_fall_into_words(name: str, parts: tuple[str, ...]) -> None:
    assert name_words(name) == parts


def test_stems_are_of_the_words() -> None:
    assert stems("cancelledOrders") == ("cancel", "order")
    assert words("orders")[0].stem == "order"
    assert {"the", "which"} <= STOP_WORDS and "revenue" not in STOP_WORDS


@given(st.text(max_size=60))
def test_any_text_falls_into_words(text: str) -> None:
    assert all(text[w.start : w.end] == w.text and w.stem is not None for w in words(text))
    assert all(part for part in name_words(text))


@pytest.fixture
def hasty_threads() -> Iterator[None]:
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


@pytest.mark.usefixtures("hasty_threads")
def test_threads_do_not_get_each_others_stems() -> None:
    def stemmed(number: int) -> list[str]:
        return [stem(f"{'ab' * number}{letter}izations") for letter in "cdfgklmnprst" * 4]

    stem.cache_clear()
    with ThreadPoolExecutor(8) as pool:
        together = list(pool.map(stemmed, range(1, 25)))
    stem.cache_clear()
    assert together == [stemmed(number) for number in range(1, 25)]
