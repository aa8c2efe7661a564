"""Top-k golds whose limit cuts through rows that tie."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dbt_t2s import duck
from dbt_t2s.duck import Rows
from dbt_t2s.judge.outcomes import Outcome, Prediction
from dbt_t2s.judge.suite import TestItem
from dbt_t2s.judge.ties import Ranking, is_ranked, ranking
from dbt_t2s.judge.validate import validate

# b, c and d tie for the second place.
SCORES = """create table scores as
from (values ('a', 9), ('b', 7), ('c', 7), ('d', 7), ('e', 1)) t(name, score)"""
TOP_2 = "select name, score from scores order by score desc limit 2"
NAMES = "select name from scores order by score desc limit 2"


@contextmanager
def scores() -> Iterator[duck.Connection]:
    with duck.open_memory() as connection:
        connection.execute(SCORES)
        yield connection


def judged(gold: str, answer: str) -> Outcome:
    with scores() as connection:
        report = validate(
            (TestItem("1", "Which are the best?", (gold,), "top-k"),),
            lambda questions: [Prediction("ok", answer) for _ in questions],
            lambda sql: (duck.run(connection, sql),),
            1,
            "duckdb",
        )
    return report.outcomes[0]


@pytest.mark.parametrize("gold", [TOP_2, NAMES])
@pytest.mark.parametrize("other", ["b", "c", "d"])
def test_any_of_the_tied_rows_may_be_taken(gold: str, other: str) -> None:
    answer = gold.replace("order by", f"where name in ('a', '{other}') order by")
    outcome = judged(gold, answer)
    assert outcome.correct, outcome.detail
    assert outcome.detail == ""


@pytest.mark.parametrize(
    "answer",
    [
        "select name, score from scores where name in ('a', 'e') order by score desc",
        "select name, score from scores where name in ('b', 'c')",  # leaves out the best
        "select name, score from scores where name in ('a', 'b') order by score",
        "select name, score from scores order by score desc limit 3",
        "select name, score + 1 from scores order by score desc limit 2",
        "select 'a', 9 union all select 'f', 7 order by 2 desc",  # no such row
        "select 'b', 7 union all select 'b', 7",
    ],
)
def test_nothing_else_is_right(answer: str) -> None:
    assert not judged(TOP_2, answer).correct


def test_columns_may_stand_in_another_order() -> None:
    answer = "select score, name from scores where name in ('a', 'd') order by score desc"
    assert judged(TOP_2, answer).correct


def test_a_tied_row_counts_once_for_each_time_it_is_there() -> None:
    asked = Ranking("", 1, 2)
    whole = Rows(("a", "k"), ("?", "?"), (("x", 1), ("y", 1), ("y", 1)))
    assert is_ranked(whole, asked, Rows(("a",), ("?",), (("y",), ("y",))))
    assert not is_ranked(whole, asked, Rows(("a",), ("?",), (("x",), ("x",))))


def test_ties_that_may_go_on_past_the_row_limit_are_not_called_right() -> None:
    whole = Rows(("a", "k"), ("?", "?"), (("x", 2), ("y", 1), ("z", 1)), truncated=True)
    assert not is_ranked(whole, Ranking("", 1, 2), Rows(("a",), ("?",), (("x",), ("z",))))
    assert is_ranked(whole, Ranking("", 1, 1), Rows(("a",), ("?",), (("x",),)))


@pytest.mark.parametrize(
    ("sql", "keys"),
    [
        ("select a, sum(b) as s from t group by a order by s desc, 1 limit 3", ["sum(b)", "a"]),
        ("select a from t group by a order by sum(b) limit 3", ["sum(b)"]),
        ("select * from t order by b limit 3", ["b"]),
    ],
)
def test_the_keys_become_columns(sql: str, keys: list[str]) -> None:
    asked = ranking(sql, "duckdb")
    assert asked is not None
    assert (asked.keys, asked.limit) == (len(keys), 3)
    assert "limit" not in asked.sql.lower()
    for number, key in enumerate(keys):
        assert f"{key} as sort_key_{number}" in asked.sql.lower()


@pytest.mark.parametrize(
    "sql",
    [
        "select a from t order by a",
        "select a from t limit 3",
        "select a from t order by a limit 3 offset 1",
        "select distinct a from t order by a limit 3",
        "select a from t union select a from u order by a limit 3",
        "select * from t order by 1 limit 3",
        "select a as b from t order by b + 1 limit 3",
        "select a from t order by a limit 1 + 2",
    ],
)
def test_where_keys_cannot_be_added_the_gold_stands_alone(sql: str) -> None:
    assert ranking(sql, "duckdb") is None


@given(
    st.lists(st.tuples(st.integers(0, 9), st.integers(0, 3)), min_size=1, max_size=12), st.data()
)
@settings(max_examples=100, deadline=None)
def test_every_honest_choice_is_right_and_a_worse_one_is_wrong(
    rows: list[tuple[int, int]], data: st.DataObject
) -> None:
    limit = data.draw(st.integers(1, len(rows)))
    shuffled = list(rows)
    random.Random(data.draw(st.integers(0, 99))).shuffle(shuffled)
    ordered = sorted(rows, key=lambda row: row[1])
    whole = Rows(("a", "b", "k"), ("?",) * 3, tuple((*row, row[1]) for row in ordered))
    chosen = tuple(sorted(shuffled, key=lambda row: row[1])[:limit])
    asked = Ranking("", 1, limit)
    assert is_ranked(whole, asked, Rows(("a", "b"), ("?", "?"), chosen))
    worse = (*chosen[:-1], (chosen[-1][0], 4))
    assert not is_ranked(whole, asked, Rows(("a", "b"), ("?", "?"), worse))
