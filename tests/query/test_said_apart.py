"""What a question leaves out by name is no condition that rows must meet."""

from __future__ import annotations

import pytest

from dbt_t2s.query.plan import Col, Count, Flag, Not, Null, Plan, Pred, Value
from dbt_t2s.query.said_apart import leaves_out, left_out, wants_left_out

_SPAM = Value("tickets", "status", "spam")
_TEST = Flag(Col("orders", "is_test_order"))
_OPEN = Null(Col("tickets", "closed_on"))


def counted(*where: Pred) -> Plan:
    return Plan((Count("tickets"),), where)


@pytest.mark.parametrize(
    ("text", "pred"),
    [
        ("How many tickets, spam excluded, have no reply yet?", _SPAM),
        ("tickets without a rating? Spam doesn't interest me.", _SPAM),
        ("open tickets, spam ones aside", _SPAM),
        ("tickets by topic, not counting spam", _SPAM),
        ("tickets by topic (excl. the spam)", _SPAM),
        ("orders of June, excluding test orders", _TEST),
        ("orders of June, test orders left out", _TEST),
        ("orders by city, test orders out", _TEST),
        ("tickets by topic (spam taken out please)", _SPAM),
    ],
)
def test_what_is_left_out_is_denied(text: str, pred: Pred) -> None:
    assert left_out(counted(pred, _OPEN), text) == counted(Not(pred), _OPEN)


@pytest.mark.parametrize(
    ("text", "pred"),
    [
        ("How many spam tickets have no reply?", _SPAM),
        ("spam tickets, excluding those that are closed", _SPAM),
        ("how much spam came in? hours of spam don't matter", _SPAM),  # named twice
        ("how much money is set aside for spam", _SPAM),
        ("how much do spam tickets put aside for this", _SPAM),
        ("tickets by topic, spam that went out", _SPAM),
        ("who let spam out", _SPAM),
        ("tickets, spam excluded", Not(_SPAM)),
        ("test orders without a rating", _TEST),
    ],
)
def test_everything_else_stays_as_it_is(text: str, pred: Pred) -> None:
    assert left_out(counted(pred), text) == counted(pred)


def test_a_plan_with_both_stays_as_it_is() -> None:
    both = counted(_SPAM, Not(_SPAM))
    assert left_out(both, "without spam") == both


@pytest.mark.parametrize(
    "text",
    [
        "drop spam, that's not my desk",
        "ok, now leave the spam out of it",
        "and take out spam",
        "by topic, but no spam please",
    ],
)
def test_a_follow_up_does_not_want_what_it_leaves_out(text: str) -> None:
    last = counted(_OPEN)
    assert wants_left_out(counted(_OPEN, _SPAM), last, text)
    without = counted(_OPEN, Not(_SPAM))
    assert not wants_left_out(without, last, text)
    assert not wants_left_out(last, last, text)
    assert leaves_out(without, last, text)
    assert not leaves_out(without, without, text)
    assert not leaves_out(without, last, "only open tickets")


def test_what_the_question_before_had_may_stay() -> None:
    spam = counted(_SPAM)
    assert not wants_left_out(spam, spam, "without spam")


@pytest.mark.parametrize("text", ["when did we drop spam?", "only spam", "is spam out?"])
def test_a_follow_up_may_want_what_it_names(text: str) -> None:
    assert not wants_left_out(counted(_SPAM), counted(), text)
