"""Typing slips are put right; real words, and words of the schema, stay as they are."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dbt_t2s.model.schema_index import SchemaIndex
from dbt_t2s.model.spelling import Spelling


@pytest.mark.parametrize(
    ("question", "mended"),
    [
        ("how many custmers do we have", "how many customers do we have"),
        ("Revenue by contry?", "Revenue by country?"),
        ("orders of loyal custommers, by segmnt", "orders of loyal customers, by segment"),
    ],
)
def test_slips_are_put_right(index: SchemaIndex, question: str, mended: str) -> None:
    assert Spelling(index).mended(question) == mended


@pytest.mark.parametrize(
    "question",
    [
        "revenue by county",  # a word of its own, though nearly "country"
        "the pricey ones",
        "commercial customers in New Zealand",
        "same period last year",
        "Köln, 42% & <b>x</b>",
        "",
    ],
)
def test_what_is_no_slip_stays(index: SchemaIndex, question: str) -> None:
    assert Spelling(index).mended(question) == question


@settings(deadline=None)
@given(st.text(max_size=60))
def test_any_text_can_be_read_and_is_mended_once(index: SchemaIndex, text: str) -> None:
    spelling = Spelling(index)
    once = spelling.mended(text)
    assert spelling.mended(once) == once
