"""The readings of a follow-up: what its words ask to change against what each plan changes."""

from __future__ import annotations

import pytest

from dbt_t2s.model.changes import (
    CHANGES,
    CUES,
    RETURNS,
    WRAPS,
    changes,
    cued,
    parts,
    returns,
    wraps,
)
from dbt_t2s.model.choosing import (
    DOUBT_FEATURES,
    READING_FEATURES,
    Choosing,
    Heard,
    Weighed,
    doubt_features,
    reading_features,
)
from dbt_t2s.model.conversing import without_values
from dbt_t2s.model.linking import Linker
from dbt_t2s.model.schema_index import SchemaIndex
from dbt_t2s.model.whole import conversation
from dbt_t2s.query.linear import from_tokens
from dbt_t2s.query.plan import Plan

BEFORE = "revenue by country in 2025"
LAST = "c:customers.country m:revenue WHERE d:2025-01-01/2026-01-01 END"


def tokens(text: str) -> tuple[str, ...]:
    return tuple(text.split())


def plan(text: str) -> Plan:
    found = from_tokens(tokens(text))
    assert found is not None
    return found


def hear(index: SchemaIndex, question: str, *readings: Weighed) -> Heard:
    linker = Linker(index)
    needed = [sorted({token for each in readings for token in each.tokens})]
    (asked,) = linker.link([question])
    (told,) = linker.link([conversation(BEFORE, question)], needed)
    return Heard(asked, told, (plan(LAST),), readings, (0.01, 0.01), bare=False)


def test_changes_are_counted_by_section() -> None:
    last = parts(tokens(LAST))
    assert changes(last, last) == [0.0] * (CHANGES - 1) + [1.0]
    grouped = parts(tokens("c:customers.segment m:revenue WHERE d:2025-01-01/2026-01-01 END"))
    assert changes(last, grouped) == [1.0, 1.0, *[0.0] * 9]
    topped = parts(tokens(LAST.replace(" END", " DESC m:revenue LIMIT n:3 END")))
    assert changes(last, topped) == [*[0.0] * 6, 1.0, 0.0, 1.0, 0.0, 0.0]


def test_what_comes_back_is_told_from_what_is_new() -> None:
    first, last = parts(tokens("m:revenue END")), parts(tokens(LAST))
    cues = cued("back to the whole")
    assert len(cues) == CUES
    found = returns(last, first, [parts(tokens(LAST)), first], cues)
    assert len(found) == RETURNS
    assert found[:4] == [0.0, 0.0, 0.0, 2.0] and found[8:12] == found[:4]
    fresh = returns(last, parts(tokens("m:returns END")), [first], cues)
    assert fresh[:4] == [0.0, 1.0, 2.0, 1.0]


def test_shares_are_told_from_rates() -> None:
    last = parts(tokens("c:customers.country m:revenue WHERE v:orders.channel=web END"))
    share = parts(tokens("c:customers.country SHARE m:revenue WHERE v:orders.channel=web END"))
    rate = parts(tokens("c:customers.country RATE v:orders.channel=web END"))
    cues = cued("what share is that?")
    assert len(wraps(last, share, cues)) == WRAPS
    assert wraps(last, share, cues)[-2:] == [1.0, 0.0]
    assert wraps(last, rate, cues)[-2:] == [0.0, 1.0]
    assert wraps(share, last, cued("no"))[5] == 1.0


@pytest.mark.parametrize(
    ("question", "said"),
    [("per segment instead", 0), ("drop the dates", 3), ("only web", 5), ("top three", 7)],
)
def test_cues_are_heard(question: str, said: int) -> None:
    found = cued(question)
    assert len(found) == CUES and found[said] == 1.0
    assert cued("what was it in the second quarter of the year")[said] == 0.0


def test_what_the_words_ask_to_change_is_chosen(index: SchemaIndex) -> None:
    """Of two readings that the network finds alike likely, that which does as the words say."""
    segment = Weighed(tokens(LAST.replace("country", "segment")), "a", -1.0, searched=True)
    channel = Weighed(
        tokens(LAST.replace("customers.country", "orders.channel")), "b", -1.0, searched=True
    )
    heard = hear(index, "by segment instead", channel, segment)
    found = Choosing().order(heard)
    assert found[0][1] == segment
    assert sum(share for share, _ in found) == pytest.approx(1.0)
    undated = Weighed(tokens("c:customers.country m:revenue END"), "c", -1.0, searched=True)
    heard = hear(index, "forget the year", channel, undated)
    assert Choosing().order(heard)[0][1] == undated


def test_the_surer_the_network_is_to_refuse_the_more_it_is_doubted(index: SchemaIndex) -> None:
    reading = Weighed(tokens(LAST.replace("country", "segment")), "a", -0.1, searched=True)
    heard = hear(index, "by segment instead", reading)
    found = Choosing().order(heard)
    doubts = [
        Choosing().doubt(
            Heard(heard.asked, heard.told, heard.history, heard.readings, (chance, 0.1), False),
            found,
        )
        for chance in (0.001, 0.5, 0.999)
    ]
    assert doubts == sorted(doubts) and doubts[0] < 0.5 < doubts[-1]


@pytest.mark.parametrize("question", ["?", "the of and", "and " * 120, "ünïcödé 日本語"])
def test_features_are_finite_for_any_words(index: SchemaIndex, question: str) -> None:
    reading = Weighed(tokens("m:revenue END"), "a", -60.0, alone=-60.0, edit=-9.0)
    heard = hear(index, question, reading)
    assert reading_features(heard).shape == (1, READING_FEATURES)
    assert abs(reading_features(heard)).max() < 1e4
    assert doubt_features(heard, Choosing().order(heard)).shape == (DOUBT_FEATURES,)
    empty = Heard(heard.asked, heard.told, heard.history, (), (1.0, 0.0), bare=True)
    assert Choosing().order(empty) == [] and Choosing().doubt(empty, []) >= 0


def test_words_of_values_are_told_from_the_rest(index: SchemaIndex) -> None:
    (linked,) = Linker(index).link(["drop New Zealand, should we?"])
    assert without_values(linked) == "drop should we"
