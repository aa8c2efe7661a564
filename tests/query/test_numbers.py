"""Numbers in questions: digits, words, multiples and per cent."""

from __future__ import annotations

import re
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
        ("balance below -5", ["-5"]),
        ("balance below −5", ["-5"]),
        ("less than minus five", ["-5"]),
        ("under negative 2.5", ["-2.5"]),
        ("over -1,500 euros", ["-1500"]),
        ("margin under -5%", ["-5", "-0.05"]),
        ("between -10 and -5 degrees", ["-10", "-5"]),
        ("stored at -18", ["-18"]),
        ("above -0", ["0"]),
        ("2024 -2023", ["2024", "2023"]),
        ("sales minus 5", ["5"]),
        ("more than 5 minus 3", ["5", "3"]),
        ("- 5 shops", ["5"]),
        ("5-7 days", ["5", "7"]),
        ("over 1 500 orders", ["1500"]),
        ("below minus 1 500", ["-1500"]),
        ("at least 2 000 000", ["2000000"]),
        ("between 1 500 and 2 500", ["1500", "2500"]),
        ("takings of 1 500.50 €", ["1500.5"]),
        ("$1 500", ["1500"]),
        ("1\u00a0500 orders", ["1500"]),
        ("top 5 100 ml bottles", ["5", "100"]),
        ("top 5 100 euro vouchers", ["5", "100"]),
        ("more than 3 500 g packs", ["3", "500"]),
        ("orders 101 102 103", ["101", "102", "103"]),
        ("rooms 12 101", ["12", "101"]),
        ("in 2024 500 orders", ["2024", "500"]),
    ],
)
def test_numbers_are_read(text: str, values: list[str]) -> None:
    assert [n.value for n in number_spans(text)] == values


@given(st.text(max_size=60))
def test_any_text_is_read(text: str) -> None:
    for span in number_spans(text):
        assert 0 <= span.start < span.end <= len(text)
        assert Decimal(span.value) >= 0 or re.search("[-−–]|minus|negative", text, re.I)
        assert "E" not in span.value


@given(st.integers(0, 10**12))
def test_whole_numbers_are_kept(number: int) -> None:
    assert [n.value for n in number_spans(f"over {number} orders")] == [str(number)]
    assert [n.value for n in number_spans(f"over {number:,} orders")] == [str(number)]
