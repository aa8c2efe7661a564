"""Near-duplicates: all of them are found, and nothing else."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from dbt_t2s.corpus.duplicates import NEAR, NearIndex, pairs_of

WORDS = st.sampled_from("revenue orders by per country the in last month 7 12".split())
QUESTIONS = st.lists(st.lists(WORDS, min_size=1, max_size=12).map(" ".join), max_size=25)


@given(QUESTIONS, QUESTIONS)
def test_prefixes_find_what_comparing_all_finds(questions: list[str], sample: list[str]) -> None:
    index = NearIndex(sample)
    for at, question in enumerate(questions):
        pairs = pairs_of(question)
        sets = [pairs_of(each) for each in questions[:at]]
        near = [i for i, each in enumerate(sets) if len(each & pairs) >= NEAR * len(each | pairs)]
        assert index.near(question) == tuple(near)
        index.add(question)


def test_numbers_are_one_word_and_order_counts() -> None:
    index = NearIndex()
    index.add("What were the 5 best customers by revenue in 2024?")
    assert index.near("what were the 10 best customers by revenue in 2025") == (0,)
    assert index.near("in 2024, what were the best 5 customers by revenue") == ()
    assert index.near("") == ()
