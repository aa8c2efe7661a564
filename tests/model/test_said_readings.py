"""What a follow-up's words settle is no matter of likelihood."""

from __future__ import annotations

from dataclasses import replace

from dbt_t2s.model.choosing import Weighed
from dbt_t2s.model.said_readings import (
    as_left_out,
    as_said,
    as_undone,
    of_days_meant,
    of_what_is_named,
    of_what_is_shown,
)
from dbt_t2s.query.linear import from_tokens
from dbt_t2s.query.plan import Plan
from tests.query.shop import shop_schema

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
    made = plan("c:tickets.agent AVG c:tickets.hours ASC AVG c:tickets.hours END")
    wanted = plan("c:tickets.agent AVG c:tickets.hours DESC AVG c:tickets.hours END")
    assert as_said(made, "slowest at the top", plan(_LAST), shop_schema()) == wanted
    assert as_said(made, "best at the top", plan(_LAST), shop_schema()) == made


def test_what_now_divides_is_held_to_no_value_from_before() -> None:
    last = plan("COUNT t:tickets WHERE v:tickets.topic=spam d:2025-01-01/2026-01-01 END")
    held = plan(
        "c:tickets.topic COUNT t:tickets WHERE v:tickets.topic=spam d:2025-01-01/2026-01-01 END"
    )
    freed = plan("c:tickets.topic COUNT t:tickets WHERE d:2025-01-01/2026-01-01 END")
    schema = shop_schema()
    assert as_said(held, "rather by topic", last, schema) == freed
    assert as_said(held, "by topic, spam that is", last, schema) == held  # said again
    assert as_said(held, "rather by topic", plan(_LAST), schema) == held  # new
    assert as_said(held, "spam alone", held, schema) == held  # divided before


def test_rows_may_show_what_they_are_held_to() -> None:
    last = plan("c:tickets.subject WHERE v:tickets.topic=spam END")
    rows = plan("c:tickets.subject c:tickets.topic WHERE v:tickets.topic=spam END")
    assert as_said(rows, "with the topic", last, shop_schema()) == rows


def test_days_are_those_that_an_edit_of_the_period_comes_to() -> None:
    last = plan("COUNT t:tickets WHERE d:2025-01-01/2026-01-01 END")
    march = weighed("COUNT t:tickets WHERE d:2025-03-01/2025-04-01 END", "period")
    other = weighed("COUNT t:tickets WHERE d:2026-03-01/2026-04-01 END")
    same = weighed("c:tickets.topic COUNT t:tickets WHERE d:2025-01-01/2026-01-01 END")
    assert of_days_meant((march, other, same), "only march", last) == (march, same)
    assert of_days_meant((other, same), "only march", last) == (other, same)


def test_a_year_earlier_is_no_other_than_that() -> None:
    last = plan("COUNT t:tickets WHERE d:2025-01-01/2025-07-01 END")
    earlier = weighed("COUNT t:tickets WHERE d:2024-01-01/2024-07-01 END", "period")
    same = weighed("c:tickets.topic COUNT t:tickets WHERE d:2025-01-01/2025-07-01 END")
    question = "the same two quarters a year ago"
    assert of_days_meant((same, earlier), question, last) == (earlier,)
    unread = weighed(" ".join(earlier.tokens), "period", unknown=("spam",))
    assert of_days_meant((same, unread), question, last) == (same, unread)


def test_the_german_ones_are_those_that_are_shown() -> None:
    last = plan("c:stores.name COUNT t:orders END")
    stores = weighed("c:stores.name COUNT t:orders WHERE v:stores.country=Germany END")
    orders = weighed("c:stores.name COUNT t:orders WHERE v:orders.ship_country=Germany END")
    both = weighed("c:stores.name COUNT t:orders WHERE v:orders.language=de END")
    readings = (orders, stores, both)
    assert of_what_is_shown(readings, "only the German ones", last) == (stores, both)
    assert of_what_is_shown(readings, "only to Germany", last) == readings
    assert of_what_is_shown((orders, both), "only the German ones", last) == (orders, both)


def test_a_step_back_is_nothing_else() -> None:
    back, other = weighed(_LAST, "undo"), weighed(_WITHOUT)
    assert as_undone((other, back)) == (back,)
    unread = weighed(_LAST, "undo", unknown=("spam",))
    assert as_undone((other, unread)) == (other, unread)


def test_a_share_is_of_what_is_named() -> None:
    last = plan("c:orders.status m:margin END")
    total = weighed("c:orders.status SHARE m:margin END", "share")
    named = weighed("c:orders.status DIV m:margin m:revenue END", "share", "ratio")
    rate = weighed("c:orders.status RATE c:orders.is_gift END")
    likelier = replace(named, edit=2.0)
    assert of_what_is_named((total, likelier, rate), last) == (likelier, rate)
    assert of_what_is_named((replace(total, edit=3.0), likelier), last)[0].edit == 3.0
    unread = replace(likelier, unknown=("gross",))
    assert of_what_is_named((total, unread), last) == (total, unread)
    assert of_what_is_named((total, likelier), plan("SHARE m:margin END")) == (total, likelier)
