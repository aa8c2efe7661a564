"""Test questions answered together say what they say alone; those asked alone tell how long."""

from __future__ import annotations

import time
from collections.abc import Sequence
from threading import Event

import pytest

from dbt_t2s.duck import QueryError, Rows
from dbt_t2s.errors import ModelError
from dbt_t2s.judge.outcomes import Prediction
from dbt_t2s.judge.suite import TestItem
from dbt_t2s.judge.validate import validate
from dbt_t2s.model.generate import Candidate, Followed
from dbt_t2s.model.turns import Turn
from dbt_t2s.predicting import Ahead, Predicting

BEFORE = (Turn("how many orders?", "select 1"),)


class Model:
    """Answers each question with itself, and remembers what it was given at once."""

    def __init__(self) -> None:
        self.read: list[list[str]] = []
        self.followed: list[str] = []

    def generate(self, questions: Sequence[str]) -> list[Sequence[Candidate]]:
        self.read.append(list(questions))
        return [(Candidate("" if "salary" in q else f"select '{q}'", 0.9),) for q in questions]

    def follow(self, question: str, before: Sequence[Turn]) -> Followed:
        self.followed.append(question)
        told = f"{before[-1].question}; {question}"
        return Followed(told, (Candidate(f"select '{told}'", 0.8),))


def execute(sql: str) -> Rows | QueryError:
    return Rows(("x",), (), ((sql,),))


def predicting(model: Model) -> Predicting:
    return Predicting(model.generate, model.follow, None, execute)


def test_one_in_five_is_asked_alone_and_timed_and_the_others_together() -> None:
    model = Model()
    asked = predicting(model)
    questions = [f"question {n}" for n in range(12)]
    for _ in range(2):  # what was timed is known
        asked.time(questions)
        given = asked.predict(questions)
        assert [each.sql for each in given] == [f"select '{q}'" for q in questions]
    timed = [q for q, each in zip(questions, given, strict=True) if each.latency_ms is not None]
    assert timed == ["question 0", "question 5", "question 10"]
    assert model.read == [*([q] for q in timed), [q for q in questions if q not in timed]]


def test_what_was_asked_before_is_not_read_again() -> None:
    model = Model()
    asked = predicting(model)
    first = asked.predict(["a b", "c d", "a b"])
    assert asked.predict(["c d", "a b"]) == [first[1], first[0]]
    assert asked.generate(["c d"])[0][0].sql == "select 'c d'"
    assert model.read == [["a b", "c d"]]


def test_a_question_is_read_as_it_is_asked() -> None:
    """Spaces, letters that are no letters, and what is no question at all."""
    model = Model()
    given = predicting(model).predict(["one", "  two\n words ", "?!", "the salary", "three"])
    assert [each.status for each in given] == ["ok", "ok", "error", "refused", "ok"]
    assert given[1].sql == "select 'two words'"
    assert model.read == [["one", "the salary", "three"], ["two words"]]


def test_follow_ups_are_remembered_by_what_was_before() -> None:
    model = Model()
    asked = predicting(model)
    found = asked.ask("by month", BEFORE)
    assert (found.read_as, found.sql) == ("how many orders?; by month", f"select '{found.read_as}'")
    assert asked.follow is not None
    assert asked.follow("by month", BEFORE).read_as == found.read_as
    assert asked.follow("by month", (*BEFORE, *BEFORE)).read_as == found.read_as
    assert model.followed == ["by month", "by month"]


def test_a_model_that_reads_no_follow_ups_has_none() -> None:
    model = Model()
    asked = Predicting(model.generate, None, None, execute)
    assert asked.follow is None
    assert asked.ask("by month", BEFORE).sql == "select 'by month'"


def test_answers_are_given_ahead_and_in_the_order_of_the_plan() -> None:
    model = Model()
    asked = predicting(model)
    with Ahead() as ahead:
        first = ahead.plan(asked.predict, [f"first {n}" for n in range(40)])
        second = ahead.plan(asked.predict, ["second", "first 3"])
        assert second(["first 3", "second"])[1].sql == "select 'second'"
        assert [len(each) for each in model.read] == [16, 16, 8, 1]  # nobody waited for the first
        assert [each.sql for each in first(["first 39", "first 0"])] == [
            "select 'first 39'",
            "select 'first 0'",
        ]


def test_what_goes_wrong_ahead_is_told_to_who_waits_for_it() -> None:
    def predict(questions: Sequence[str]) -> list[Prediction]:
        if "bad" in questions:
            raise ModelError("no more")
        return [Prediction("ok", question) for question in questions]

    with Ahead() as ahead:
        good, bad = ahead.plan(predict, ["good"]), ahead.plan(predict, ["bad"])
        assert good(["good"])[0].sql == "good"
        with pytest.raises(ModelError, match="no more"):
            bad(["bad"])


def test_leaving_ends_what_nobody_waits_for() -> None:
    seen: list[str] = []

    def predict(questions: Sequence[str]) -> list[Prediction]:
        time.sleep(0.05)
        seen.extend(questions)
        return [Prediction("ok", question) for question in questions]

    with Ahead() as ahead:
        ahead.plan(predict, [str(n) for n in range(3200)])
    assert len(seen) <= 32


def test_questions_are_answered_while_others_are_judged() -> None:
    """The first is not judged before the last is answered: one does not wait for the other."""
    answered = Event()

    def predict(questions: Sequence[str]) -> list[Prediction]:
        if "question 39" in questions:
            answered.set()
        return [Prediction("ok", "select 1 where true") for _ in questions]

    def everywhere(sql: str) -> list[Rows | QueryError]:
        assert sql == "select 1" or answered.wait(30)
        return [Rows(("x",), ("INTEGER",), ((1,),))]

    items = [TestItem(f"{n}", f"question {n}", ("select 1",), "metric") for n in range(40)]
    with Ahead() as ahead:
        planned = ahead.plan(predict, [item.question for item in items])
        report = validate(items, planned, everywhere, 1, "duckdb")
    assert report.ex.correct == 40
