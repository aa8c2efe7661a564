"""Everyday words for a schema's: the file, and what is heard in questions."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dbt_t2s.query.text import words
from dbt_t2s.query.thesaurus import FILE, heard, phrases, term_of

LINE = re.compile(r"[a-z0-9' &/-]+: [^,]+(?:, [^,]+)*")


def test_every_line_is_a_term_and_its_phrases() -> None:
    lines = FILE.read_text("utf-8").splitlines()
    assert lines == sorted(lines, key=lambda line: line.partition(":")[0])
    assert not [line for line in lines if not LINE.fullmatch(line)]
    assert len({line.partition(":")[0] for line in lines}) == len(lines) > 2500


def test_how_surely_a_phrase_stands_for_a_term_is_a_share() -> None:
    sure = [each for terms in phrases().values() for each in terms.values()]
    assert min(sure) > 0 and max(sure) <= 1


@pytest.mark.parametrize(
    ("question", "said", "term"),
    [
        ("who runs the Leeds shop?", "who runs", "manager"),
        ("memberships that are on hold", "on hold", "paused"),
        ("Which parcel is the heaviest?", "heaviest", "weight"),
        ("who ran our shop in May", "who runs", "manager"),
    ],
)
def test_phrases_are_heard_in_questions(question: str, said: str, term: str) -> None:
    wanted = tuple(w.stem for w in words(said))
    found = [each for each in heard(words(question)) if each.said == wanted]
    assert [term_of(term) in each.terms for each in found] == [True]


def test_longer_phrases_come_first() -> None:
    sizes = [each.last - each.first for each in heard(words("who is in charge of the money"))]
    assert sizes == sorted(sizes, reverse=True) and sizes[0] > 0


@given(st.text(max_size=80))
def test_any_text_is_heard(text: str) -> None:
    spoken = words(text)
    for each in heard(spoken):
        assert 0 <= each.first <= each.last < len(spoken) and each.terms
