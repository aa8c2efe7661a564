"""Small talk before a question is no part of it; what the question leans on is."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dbt_t2s.query.preamble import asked, left_out, plainly


@pytest.mark.parametrize(
    ("told", "question"),
    [
        ("A Vienna paper is asking, so:", "how many customers do we have in Austria?"),
        ("We want to switch to paper.", "For how many customers do we have no phone number?"),
        ("I need a name for my letter:", "who runs the shop in Paris today?"),
        ("Good morning, accounting here.", "What was income per plan for 2023? Best, Irene"),
        ("my daughter is vegan now.", "which items are vegan and still on the list?"),
    ],
)
def test_what_somebody_tells_first_is_left_out(told: str, question: str) -> None:
    assert asked(f"{told} {question}") == question
    assert asked(question) == question
    assert left_out(f"{told} {question}") == told
    assert left_out(question) == ""


@pytest.mark.parametrize(
    "text",
    [
        # The question leans on what was said.
        "We hold a workshop in the Amsterdam shop. How many square metres does it have?",
        "I have Sunrise Clinics on the phone: how many joiners did we key in for them in May",
        "Mrs Tillmann rang about delivery 77003. Can you see how much we credited? Thx",
        "I'm flying to Oslo next week. Which of those suppliers sit there?",
        # What is before it is no sentence of somebody's, but what the question is about.
        "For footwear: how many were sent back in May, and why did people do it?",
        "Returns in May: how many of each kind did people ask for last month?",
        "blocked accounts, i.e. fraud: how many accounts were blocked in June by country?",
        # It asks itself.
        "How many products are there per department? What is the average list price of all?",
        "Which campaigns were over budget last year? Is it true that they were many?",
        # What is left is too little to stand alone.
        "People were cross: how many in 2025?",
        "We closed the shop in Rome. Turnover 2025 please.",
        "",
        "  ",
    ],
)
def test_what_the_question_needs_stays(text: str) -> None:
    assert asked(text) == text


@given(st.text())
def test_what_is_asked_is_the_end_of_what_was_said(text: str) -> None:
    assert text.endswith(asked(text))
    assert asked(asked(text)) == asked(text)


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("Return the number of shops", "show the number of shops"),
        ("please return all stores", "please show all stores"),
        ("return names of customers", "show names of customers"),
        ("Return rate by month", "Return rate by month"),
        ("returns of the last month", "returns of the last month"),
        ("when did they return the goods", "when did they return the goods"),
    ],
)
def test_a_command_names_nothing(text: str, read: str) -> None:
    assert plainly(text) == read
