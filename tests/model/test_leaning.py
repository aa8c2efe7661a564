"""What the plain words of follow-ups stand for."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dbt_t2s.model.leaning import LEANING, anew, function_of, leans, phrases, unanswerable


@pytest.mark.parametrize(
    ("text", "kinds"),
    [
        ("as a share of the total", ["share"]),
        ("and in percent?", ["share"]),
        ("just the top 3", ["top"]),
        ("top two", ["top"]),
        ("which one is the biggest?", ["top_one"]),
        ("and the year before?", ["shift:-1:year"]),
        ("same period last year", ["shift:-1:year"]),
        ("and the same two quarters a year ago", ["shift:-1:year"]),
        ("same month a yr earlier", ["shift:-1:year"]),
        ("a year ago", []),
        ("the month before", ["shift:-1:period"]),
        ("per month instead", ["grain"]),
        ("weekly please", ["grain"]),
        ("only yearly billing", []),
        ("lowest first", ["sort_asc"]),
        ("sort by revenue", ["sort"]),
        ("alphabetically", ["sort_name"]),
        ("the other way round", ["sort_flip"]),
        ("how many are there?", ["count"]),
        ("how many", ["count"]),
        ("which ones?", ["list"]),
        ("overall?", ["total"]),
        ("of all time", ["all_time"]),
        ("go back", ["undo"]),
        ("don't restrict it to them", ["undo"]),
        ("the last 3 months", []),
        ("over time", ["trend"]),
        ("on average per month", ["average_each"]),
        ("compared to the previous month", ["change"]),
        ("cumulative", ["running"]),
    ],
)
def test_phrases(text: str, kinds: list[str]) -> None:
    assert [p.kind for p in phrases(text)] == kinds


def test_a_phrase_says_how_many_and_which_end() -> None:
    (found,) = phrases("only the bottom five")
    assert (found.count, found.low) == ("5", True)
    assert phrases("by quarter")[0].grain == "QUARTER"


@pytest.mark.parametrize(
    "text",
    ["why so low in March?", "and what will it be next month?", "how come?", "what caused that"],
)
def test_what_rows_do_not_tell_is_refused(text: str) -> None:
    assert unanswerable(text)


@pytest.mark.parametrize(
    "text", ["only last year", "and by store?", "what about the wholesale channel"]
)
def test_and_what_they_may_tell_is_not(text: str) -> None:
    assert not unanswerable(text)


@pytest.mark.parametrize(
    "text",
    [
        "and by store?",
        "only 2025",
        "what about France",
        "show their names",
        "which of those are open?",
    ],
)
def test_some_questions_lean_on_others(text: str) -> None:
    assert leans(text) >= LEANING


@pytest.mark.parametrize(
    "text",
    ["how many stores are open?", "which products were returned most often in 2025?",
     "list all customers from France", "net revenue by month in 2025 for the web channel"],
)  # fmt: skip
def test_others_stand_alone(text: str) -> None:
    assert leans(text) < LEANING


def test_a_change_of_topic_is_said() -> None:
    assert anew("Different question: how many stores?") == "how many stores?"
    assert anew("whatever. who manages Hamburg?") == "who manages Hamburg?"
    assert anew("how many stores?") == ""


def test_aggregates_have_names() -> None:
    assert [function_of(t) for t in ("avg", "the median", "maximum", "orders")] == [
        "AVG",
        "MEDIAN",
        "MAX",
        "",
    ]


@given(st.text(max_size=80))
def test_no_text_breaks_the_reading(text: str) -> None:
    found = phrases(text)
    assert all(a.end <= b.start for a, b in pairwise(found))
    assert 0 <= leans(text) <= 1 and isinstance(unanswerable(text), str)
