"""Candidates that give the same rows are one answer, as likely as they are together."""

from __future__ import annotations

import pytest

from dbt_t2s.agreement import agreed
from dbt_t2s.duck import QueryError, Rows
from dbt_t2s.model.generate import Candidate

RESULTS: dict[str, Rows | QueryError] = {
    "two": Rows(("n",), ("INTEGER",), ((2,),)),
    "three": Rows(("n",), ("INTEGER",), ((3,),)),
    "three again": Rows(("count",), ("INTEGER",), ((3.0,),)),
    "none": Rows(("n",), ("INTEGER",), ()),
    "none either": Rows(("n",), ("INTEGER",), ()),
    "null": Rows(("n",), ("INTEGER",), ((None,),)),
    "null too": Rows(("n",), ("INTEGER",), ((None,),)),
    "broken": QueryError("binder", "no such column"),
    "broken too": QueryError("binder", "no such column"),
}


def _sure(*found: tuple[str, float]) -> list[tuple[str, object]]:
    asked = [Candidate(sql, sure) for sql, sure in found]
    made = agreed(asked, lambda sql: RESULTS[sql])
    return [(each.sql, pytest.approx(each.confidence)) for each in made]


def test_what_two_candidates_say_beats_what_a_likelier_one_says() -> None:
    found = _sure(("two", 0.4), ("three", 0.35), ("three again", 0.2))
    assert found == [("three", 0.55), ("two", 0.4)]


def test_a_lone_likely_one_stays_first() -> None:
    assert _sure(("two", 0.7), ("three", 0.1), ("three again", 0.1)) == [
        ("two", 0.7),
        ("three", 0.2),
    ]


@pytest.mark.parametrize("kind", ["none", "null", "broken"])
def test_results_without_a_value_are_no_agreement(kind: str) -> None:
    others = {"none": "none either", "null": "null too", "broken": "broken too"}
    asked = (("two", 0.4), (kind, 0.3), (others[kind], 0.3))
    assert _sure(*asked) == list(asked)


def test_a_refusal_stands_alone_and_nothing_is_run_for_one_candidate() -> None:
    refusal = Candidate("", 0.3, "no profit is known")
    made = agreed([Candidate("two", 0.4), refusal], lambda sql: RESULTS[sql])
    assert made == (Candidate("two", 0.4), refusal)

    def never(_: str) -> Rows:
        raise AssertionError("a lone candidate agrees with itself")

    assert agreed([Candidate("two", 0.4)], never) == (Candidate("two", 0.4),)
