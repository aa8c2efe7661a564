"""What a follow-up's words settle is no matter of likelihood."""

from __future__ import annotations

from dbt_t2s.model.choosing import Weighed
from dbt_t2s.model.following import Reading
from dbt_t2s.model.said_readings import as_left_out, as_ordered, of_days_meant
from dbt_t2s.query.linear import from_tokens, to_tokens
from dbt_t2s.query.plan import Plan

_LAST = "c:tickets.topic COUNT t:tickets END"
_WANTED = "c:tickets.topic COUNT t:tickets WHERE v:tickets.topic=spam END"
_WITHOUT = "c:tickets.topic COUNT t:tickets WHERE NOT v:tickets.topic=spam END"
_FEWER = "COUNT t:tickets WHERE NOT v:tickets.topic=spam END"


def plan(text: str) -> Plan:
    made = from_tokens(text.split())
    assert made is not None
    return made


def weighed(text: str, *kinds: str, unknown: tuple[str, ...] = ()) -> Weighed:
    edit = 1.0 if kinds else None
    return Weighed(tuple(text.split()), text, -1.0, edit=edit, kinds=kinds, unknown=unknown)


def test_what_is_left_out_is_not_asked_for() -> None:
    readings = (weighed(_WANTED), weighed(_FEWER))
    assert as_left_out(readings, "drop spam", plan(_LAST)) == readings[1:]
    assert as_left_out(readings, "only spam", plan(_LAST)) == readings


def test_who_leaves_something_out_and_no_more_keeps_all_else() -> None:
    edited = weighed(_WITHOUT, "filter negated")
    assert as_left_out((weighed(_FEWER), edited), "drop spam", plan(_LAST)) == (edited,)


def test_other_words_may_change_more() -> None:
    readings = (weighed(_FEWER), weighed(_WITHOUT, "filter negated", unknown=("altogether",)))
    assert as_left_out(readings, "no spam, altogether", plan(_LAST)) == readings


def test_the_slowest_at_the_top() -> None:
    tokens = "c:tickets.agent AVG c:tickets.hours ASC AVG c:tickets.hours END"
    reading = Reading(plan(tokens), tuple(tokens.split()), 1.0, ("order",))
    made = as_ordered(reading, "slowest at the top")
    assert made.tokens == tuple(tokens.replace("ASC", "DESC").split()) == to_tokens(made.plan)
    assert as_ordered(reading, "best at the top") is reading


def test_days_are_those_that_an_edit_of_the_period_comes_to() -> None:
    last = plan("COUNT t:tickets WHERE d:2025-01-01/2026-01-01 END")
    march = weighed("COUNT t:tickets WHERE d:2025-03-01/2025-04-01 END", "period")
    other = weighed("COUNT t:tickets WHERE d:2026-03-01/2026-04-01 END")
    same = weighed("c:tickets.topic COUNT t:tickets WHERE d:2025-01-01/2026-01-01 END")
    assert of_days_meant((march, other, same), last) == (march, same)
    assert of_days_meant((other, same), last) == (other, same)
