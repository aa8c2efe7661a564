"""From a question to an answer, with a scripted model and a real sandbox."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from functools import partial
from pathlib import Path

import pytest

from dbt_t2s import duck
from dbt_t2s.duck import QueryError, Rows
from dbt_t2s.judge.sandbox import Sandbox
from dbt_t2s.model.generate import Candidate
from dbt_t2s.serve.ask import Answer, answer, clean, json_value
from dbt_t2s.serve.roads import checked_first

Generate = Callable[[Sequence[str]], list[tuple[Candidate, ...]]]


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    path = tmp_path_factory.mktemp("ask") / "shop.duckdb"
    with duck.open_writable(path) as connection:
        connection.execute(
            "create table orders as select range as id, date '2024-01-01' as day,"
            " 2.50::decimal(10, 2) as net from range(1200)"
        )
    with Sandbox(path, ["orders"]) as opened:
        yield opened


def model(*candidates: Candidate) -> Generate:
    return lambda questions: [candidates for _ in questions]


def test_the_first_candidate_that_runs_is_the_answer(sandbox: Sandbox) -> None:
    generate = model(
        Candidate("select nope from orders", 0.5),
        Candidate("drop table orders", 0.4),
        Candidate("select day, sum(net) as net from orders group by 1", 0.3),
    )
    found = answer("  How\tmuch?\n", generate, sandbox.execute)
    assert (found.status, found.attempts, found.confidence) == ("ok", 3, 0.3)
    assert found.question == "How much?"
    assert json.loads(json.dumps(found.as_dict()))["rows"] == [["2024-01-01", 3000.0]]
    assert found.latency_ms > 0


def test_another_reading_does_not_stand_in_for_what_the_warehouse_lacks(sandbox: Sandbox) -> None:
    def lacking(sql: str) -> Rows | QueryError:
        return QueryError("bind", "no such table") if "net" in sql else sandbox.execute(sql)

    generate = model(
        Candidate("select sum(net) from orders", 0.9), Candidate("select count(*) from orders", 0.8)
    )
    found = answer("How much?", generate, checked_first(sandbox.execute, lacking))
    assert (found.status, found.attempts, found.rows) == ("error", 1, ())
    assert found.reason == "warehouse: no such table"


@pytest.mark.parametrize(
    ("rival", "chosen"),
    [(Candidate("select 3 as n", 0.3), "select 3 as n"), (Candidate("select 3", 0.1), "none")],
)
def test_a_rival_that_counts_something_beats_nought(
    sandbox: Sandbox, rival: Candidate, chosen: str
) -> None:
    none = Candidate("select count(*) as n from orders where false", 0.5)
    found = answer("How many?", model(none, rival), sandbox.execute)
    assert found.sql == (none.sql if chosen == "none" else chosen)


def test_a_no_is_an_answer(sandbox: Sandbox) -> None:
    first = Candidate("select false as late", 0.5)
    found = answer("Is it late?", model(first, Candidate("select 3", 0.4)), sandbox.execute)
    assert found.sql == first.sql


def test_a_rival_with_rows_beats_an_empty_answer(sandbox: Sandbox) -> None:
    empty = Candidate("select id from orders where false", 0.5)
    rival = Candidate("select count(*) as n from orders", 0.3)
    found = answer("All?", model(empty, rival), sandbox.execute)
    assert (found.sql, found.attempts) == (rival.sql, 2)


def test_an_empty_answer_stands_where_nothing_else_is_likely(sandbox: Sandbox) -> None:
    empty = Candidate("select id from orders where false", 0.9)
    unlikely = Candidate("select count(*) as n from orders", 0.1)
    refusal = Candidate("", 0.8, "no data")
    for other in (unlikely, refusal):
        found = answer("All?", model(empty, other), sandbox.execute)
        assert (found.status, found.sql, found.rows) == ("ok", empty.sql, ())


def test_when_nothing_runs_the_first_error_is_told(sandbox: Sandbox) -> None:
    generate = model(Candidate("select nope from orders", 0.5), Candidate("selec", 0.4))
    found = answer("How much?", generate, sandbox.execute)
    assert (found.status, found.attempts, found.rows) == ("error", 2, ())
    assert found.sql == "select nope from orders"
    assert found.reason.startswith("bind: ")


def test_a_refusal_names_what_is_missing(sandbox: Sandbox) -> None:
    generate = model(Candidate("", 0.9, "no data about the weather"))
    found = answer("Will it rain?", generate, sandbox.execute)
    assert (found.status, found.reason, found.attempts) == (
        "refused",
        "no data about the weather",
        0,
    )


def test_cut_rows_are_said(sandbox: Sandbox) -> None:
    found = answer("All?", model(Candidate("select id from orders", 1.0)), sandbox.execute)
    assert (found.status, len(found.rows)) == ("ok", 1000)
    assert "1,000 rows" in found.reason


@pytest.mark.parametrize("question", ["", "  ", "\x00\x01", "???", "\u200b"])
def test_an_empty_question_is_an_error(sandbox: Sandbox, question: str) -> None:
    found = answer(question, model(Candidate("select 1", 1.0)), sandbox.execute)
    assert (found.status, found.reason) == ("error", "empty question")


def test_a_long_question_is_refused(sandbox: Sandbox) -> None:
    found = answer("why " * 1000, model(Candidate("select 1", 1.0)), sandbox.execute)
    assert found.status == "refused"
    assert "2,000" in found.reason


def test_a_model_without_an_answer_is_an_error(sandbox: Sandbox) -> None:
    assert answer("How much?", model(), sandbox.execute).status == "error"


def test_questions_are_cleaned() -> None:
    assert clean("\x1b[31mhow   many\u2028orders\ud83d?") == "[31mhow many orders ?"
    assert clean("Combien de cafés?") == "Combien de cafés?"
    assert clean("注文は何件ですか") == "注文は何件ですか"


def test_values_are_fit_for_json() -> None:
    assert [
        json_value(value)
        for value in (
            Decimal("1.50"),
            Decimal(2**80),
            Decimal("NaN"),
            float("inf"),
            date(2024, 1, 2),
            datetime(2024, 1, 2, 3),
            time(3, 4),
            timedelta(days=1),
            b"\x01",
            [Decimal("1.5"), None],
            {"a": date(2024, 1, 2)},
            True,
        )
    ] == [
        1.5,
        2**80,
        None,
        None,
        "2024-01-02",
        "2024-01-02T03:00:00",
        "03:04:00",
        "1 day, 0:00:00",
        "01",
        [1.5, None],
        {"a": "2024-01-02"},
        True,
    ]


def test_the_answer_has_the_documented_fields() -> None:
    assert list(Answer("q", "ok").as_dict()) == [
        "question",
        "status",
        "sql",
        "columns",
        "rows",
        "confidence",
        "attempts",
        "latency_ms",
        "reason",
        "execution_ms",
        "id",
        "rests_on",
        "assumed",
        "built",
        "nearest",
        "read_as",
        "plan",
    ]


def test_the_warehouse_is_not_changed(sandbox: Sandbox, tmp_path: Path) -> None:
    answer("x", model(Candidate(f"copy orders to '{tmp_path}/o.csv'", 1.0)), sandbox.execute)
    assert list(tmp_path.iterdir()) == []


def test_sql_that_failed_is_mended_once_with_the_databases_words(sandbox: Sandbox) -> None:
    told: list[tuple[str, str, str]] = []

    def mend(question: str, sql: str, message: str) -> tuple[Candidate, ...]:
        told.append((question, sql, message))
        return (Candidate("select count(*) as n from orders", 0.7),)

    generate = model(Candidate("select nope from orders", 0.5))
    found = answer("How many?", generate, sandbox.execute, mend)
    assert (found.status, found.attempts, found.confidence) == ("ok", 2, 0.7)
    assert [each[:2] for each in told] == [("How many?", "select nope from orders")]
    assert told[0][2].startswith("bind: ") and "nope" in told[0][2] and "LINE" not in told[0][2]
    runs = answer("How many?", model(Candidate("select 1 as n", 0.5)), sandbox.execute, mend)
    assert runs.attempts == 1 and len(told) == 1


def test_where_mending_fails_too_the_first_error_is_told(sandbox: Sandbox) -> None:
    generate = model(Candidate("select nope from orders", 0.5))
    for better in ((), (Candidate("drop table orders", 1.0),), (Candidate("", 1.0, "no"),)):
        found = answer("How many?", generate, sandbox.execute, partial(_given, better))
        assert (found.status, found.sql) == ("error", "select nope from orders")


def _given(made: tuple[Candidate, ...], *_: str) -> tuple[Candidate, ...]:
    return made
