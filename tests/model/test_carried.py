"""A follow-up takes over values and days of the plan before, which none of its words names."""

from __future__ import annotations

from datetime import date

import pytest

from dbt_t2s.model.carried import anchor_of, carried
from dbt_t2s.query.link import Mention
from dbt_t2s.query.plan import Range
from dbt_t2s.query.text import words

TODAY = date(2026, 6, 30)
BEFORE = ("m:revenue", "WHERE", "v:orders.status=paid", "d:2025-01-01/2026-01-01", "END")
BESIDE = ["d:2024-01-01/2025-01-01", "d:2026-01-01/2027-01-01"]


def tokens(question: str, before: tuple[str, ...] = BEFORE) -> list[str]:
    return [m.token for m in carried(question, words(question), before, [], TODAY, None)]


def test_what_the_plan_before_holds_and_the_periods_beside_it_are_brought_along() -> None:
    assert tokens("and by country?") == ["v:orders.status=paid", "d:2025-01-01/2026-01-01", *BESIDE]


@pytest.mark.parametrize(
    ("question", "days"),
    [
        ("only March", "d:2025-03-01/2025-04-01"),
        ("just the second quarter please", "d:2025-04-01/2025-07-01"),
    ],
)
def test_days_are_read_as_of_the_period_before(question: str, days: str) -> None:
    found = carried(question, words(question), BEFORE, [], TODAY, None)
    assert found[0].token == days and found[0].quality > 0.5


@pytest.mark.parametrize("question", ["and last month?", "in March 2024", "this year"])
def test_days_told_from_today_stay_as_they_are(question: str) -> None:
    assert all(m.quality == 0 for m in carried(question, words(question), BEFORE, [], TODAY, None))


def test_nothing_is_brought_twice() -> None:
    named = Mention("v:orders.status=paid", 0, 0, 1.0)
    found = carried("paid ones", words("paid ones"), BEFORE, [named], TODAY, None)
    assert [m.token for m in found] == ["d:2025-01-01/2026-01-01", *BESIDE]


def test_a_question_that_follows_nothing_brings_nothing() -> None:
    assert tokens("only March", ()) == []
    assert tokens("only March", ("REFUSE", "END")) == []


def test_an_open_period_has_no_last_day_and_one_that_goes_on_ends_today() -> None:
    assert anchor_of(None, TODAY) is None
    assert anchor_of(Range("2025-01-01", ""), TODAY) is None
    assert anchor_of(Range("2026-01-01", "2027-01-01"), TODAY) == TODAY
    assert anchor_of(Range("2025-01-01", "2026-01-01"), TODAY) == date(2025, 12, 31)


@pytest.mark.parametrize("days", ["0001-01-01/0001-12-31", "9998-12-31/9999-12-31"])
def test_periods_at_the_ends_of_the_calendar_have_none_beside_them_there(days: str) -> None:
    found = tokens("and by country?", ("m:revenue", "WHERE", f"d:{days}", "END"))
    assert found[0] == f"d:{days}" and len(found) < 4
