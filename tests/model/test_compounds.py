"""Compounds are read as the schema writes them, where nothing else can be meant."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dbt_t2s.model.compounds import Compounds
from dbt_t2s.query.text import words

NAMES = ("lap times", "sign up date", "needs reorder", "email", "class room", "order date", "up")
KNOWN = Compounds(NAMES, ("Webshop", "pre-paid", "check in"))


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("the shortest laptime", "the shortest lap time"),
        ("Laptimes by driver", "Lap times by driver"),
        ("who is in classroom 107?", "who is in class room 107?"),
        ("everything to be re-ordered", "everything to be reordered"),
        ("no e-mail on file", "no email on file"),
        ("orders of the web-shop", "orders of the webshop"),
        ("re-ordered laptimes", "reordered lap times"),
    ],
)
def test_compounds_of_the_schema(text: str, read: str) -> None:
    assert KNOWN.put_right(text) == read


@pytest.mark.parametrize(
    "text",
    [
        "lap times by driver",
        "sign-up date",  # its parts stand in a name
        "pre-paid cards",
        "orders in webshop",
        "the timelap",  # in no name
        "find 'laptime' and \"re-ordered\"",  # quoted
        "an order dated in May",
        "overtime by month",
        "re-opened",
        "e - mail",
        "",
    ],
)
def test_what_else_stands_as_it_is(text: str) -> None:
    assert KNOWN.put_right(text) == text


@given(st.text(), st.lists(st.text(max_size=12), max_size=4))
def test_no_letter_is_lost(text: str, names: list[str]) -> None:
    def letters(of: str) -> str:
        return "".join(c for c in of if c.isalnum()).casefold()

    now = Compounds(names, ()).put_right(text)
    assert letters(now) == letters(text)
    assert Compounds((), ()).put_right(text) == text
    assert len(words(now)) <= 2 * len(words(text))
