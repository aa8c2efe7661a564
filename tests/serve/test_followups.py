"""Follow-up questions, answered by a trained model."""

from __future__ import annotations

from pathlib import Path

import pytest

from dbt_t2s.answers import Answerer
from dbt_t2s.errors import ServeError
from dbt_t2s.model.turns import Turn
from dbt_t2s.serve.ask import MOST_TURNS, Answer, continued
from dbt_t2s.serve.questions import Question, read_questions

BY_MONTH = "how many orders were there by month in 2025?"


def talk(answerer: Answerer, *questions: str) -> list[Answer]:
    """The answers of one conversation."""
    before: tuple[Turn, ...] = ()
    found = []
    for question in questions:
        found.append(answerer.ask(question, before))
        before = continued(before, found[-1])
    return found


def test_a_follow_up_changes_the_last_answer(answerer: Answerer) -> None:
    first, only, share = talk(answerer, BY_MONTH, "only paid ones", "as a share of the total")
    assert first.read_as == "" and len(first.rows) == 12
    assert only.read_as == f"{BY_MONTH[:-1]}; then only paid ones"
    assert only.status == "ok" and "'paid'" in only.sql
    assert sum(r[1] for r in only.rows) < sum(r[1] for r in first.rows)  # type: ignore[misc]
    assert sum(r[1] for r in share.rows) == pytest.approx(1)  # type: ignore[misc]


def test_groups_periods_and_rows(answerer: Answerer) -> None:
    _, other, march, top = talk(
        answerer, BY_MONTH, "per status instead", "only march", "just the top 2"
    )
    assert len(other.rows) == 3
    assert "2025-03-01" in march.sql and "2025-04-01" in march.sql
    assert len(top.rows) == 2 and top.rows[0][1] >= top.rows[1][1]  # type: ignore[operator]


def test_a_list_is_counted_and_counted_rows_are_listed(answerer: Answerer) -> None:
    names, count = talk(answerer, "list all customers from FR", "how many are there?")
    assert count.rows == ((len(names.rows),),)


def test_a_question_of_its_own_starts_anew(answerer: Answerer) -> None:
    _, found = talk(answerer, BY_MONTH, "how many customers are there?")
    assert found.read_as == "" and found.rows == ((7,),)
    _, named = talk(answerer, BY_MONTH, "different question: how many customers are there?")
    assert named.read_as == "" and named.rows == ((7,),)


def test_what_rows_do_not_tell_is_refused_with_what_they_do(answerer: Answerer) -> None:
    first, why, march = talk(answerer, BY_MONTH, "why so low in March?", "only march")
    assert why.status == "refused" and why.reason == "the data says what happened, not why"
    assert why.nearest and why.read_as.startswith(BY_MONTH[:-1])
    assert march.status == "ok" and len(march.rows) == 1 < len(first.rows)


def test_words_that_nothing_explains_are_named(answerer: Answerer) -> None:
    _, found = talk(answerer, BY_MONTH, "and by salesperson?")
    assert found.status == "refused" and "salesperson" in found.reason


def test_a_turn_may_come_without_its_plan(answerer: Answerer) -> None:
    first = answerer.ask(BY_MONTH)
    sql = "select date_trunc('month', ordered_on) as m, count(*) from main.orders group by 1"
    for turn in (Turn(BY_MONTH, first.sql), Turn(BY_MONTH, sql)):
        found = answerer.ask("only paid ones", (turn,))
        assert found.status == "ok" and "'paid'" in found.sql, turn


@pytest.mark.parametrize(
    "turn",
    [
        Turn("x", "drop table orders"),
        Turn("x", "select ((((" * 50),
        Turn("x", "select 1", "c:nowhere.nothing END"),
        Turn("x", "", "COUNT t:orders WHERE " + "NOT " * 300 + "END"),
        Turn("", "", "m: d:/ n:1e999 END"),
    ],
)
def test_no_turn_of_a_stranger_breaks_it(answerer: Answerer, turn: Turn) -> None:
    found = answerer.ask("and by status?", (turn,))
    assert found.status in ("ok", "refused")
    assert "drop" not in found.sql.lower()


def test_a_conversation_keeps_its_last_turns() -> None:
    before: tuple[Turn, ...] = ()
    for number in range(15):
        before = continued(before, Answer(f"q{number}", "ok", "select 1", read_as=f"w{number}"))
    assert len(before) == MOST_TURNS and before[-1].question == "w14"
    assert continued(before, Answer("no", "refused")) == before
    assert continued(before, Answer("new", "ok", "select 2")) == (Turn("new", "select 2"),)


def test_a_file_says_what_follows_what(tmp_path: Path) -> None:
    path = tmp_path / "q.jsonl"
    path.write_text(
        '{"question": "a", "id": "x"}\n\n{"question": "b", "follows": true}\n'
        '{"question": "c", "follows": "x"}\n"d"\n{"question": "e", "follows": false}\n'
    )
    assert read_questions(path) == (
        Question("a"), Question("b", 0), Question("c", 0), Question("d"), Question("e"),
    )  # fmt: skip
    for line in ('{"question": "a", "follows": true}', '{"question": "a", "follows": "y"}'):
        path.write_text(line)
        with pytest.raises(ServeError, match="follows no line"):
            read_questions(path)
