"""Numbers in questions: digits, words, multiples and per cent."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dbt_t2s.query.numbers import number_spans


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("more than 5 orders", ["5"]),
        ("over 1,250 euros", ["1250"]),
        ("over 1,250.50 euros", ["1250.5"]),
        ("at least 10.0", ["10"]),
        ("5k", ["5000"]),
        ("1.5 million", ["1500000"]),
        ("2 m", ["2000000", "2"]),
        ("2m", ["2000000"]),
        ("3 hundred", ["300"]),
        ("20%", ["20", "0.2"]),
        ("12.5 percent", ["12.5", "0.125"]),
        ("5 per cent", ["5", "0.05"]),
        ("three or Twelve", ["3", "12"]),
        ("a dozen", ["12"]),
        ("two hundred", ["200"]),
        ("five thousand", ["5000"]),
        ("a hundred", ["100"]),
        ("half a million", ["500000"]),
        ("two hundred thousand", ["200000"]),
        ("two thousand five hundred", ["2500"]),
        ("one hundred and twenty-five", ["125"]),
        ("sixty-three thousand and four", ["63004"]),
        ("ten or twenty", ["10", "20"]),
        ("one two", ["1", "2"]),
        ("twenty twenty", ["20", "20"]),
        ("a hundred thousand", ["100000"]),
        ("a million", ["1000000"]),
        ("2 billion", ["2000000000"]),
        ("more than once", ["1"]),
        ("100", ["100"]),
        ("0", ["0"]),
        ("between 10 and 20", ["10", "20"]),
        ("on 3/5/2024 over 7", ["7"]),
        ("on 03-05-24", []),
        ("3/4 of 2024", ["3", "4", "2024"]),
        ("sku A17b", []),
        ("someone", []),
        ("none", []),
    ],
)
def test_numbers_are_read(text: str, values: list[str]) -> None:
    assert [n.value for n in number_spans(text)] == values


@given(st.text(max_size=60))
def test_any_text_is_read(text: str) -> None:
    for span in number_spans(text):
        assert 0 <= span.start < span.end <= len(text)
        assert Decimal(span.value) >= 0 and "E" not in span.value


@given(st.integers(0, 10**12))
def test_whole_numbers_are_kept(number: int) -> None:
    assert [n.value for n in number_spans(f"over {number} orders")] == [str(number)]
    assert [n.value for n in number_spans(f"over {number:,} orders")] == [str(number)]
