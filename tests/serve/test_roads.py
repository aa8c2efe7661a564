"""By which road SQL is run: what the made-up rows refuse never reaches a warehouse."""

from __future__ import annotations

from dataclasses import replace

from dbt_t2s.duck import QueryError, Rows
from dbt_t2s.serve.roads import WAREHOUSE, checked_alone, checked_first

MADE_UP = Rows(("n",), ("BIGINT",), ((7,), (8,)), truncated=True)
REAL = Rows(("n",), ("",), ((42,),))
FORBIDDEN = QueryError("forbidden", "only a SELECT may run")


class Asked:
    """Answers always the same, and keeps what it was asked."""

    def __init__(self, answer: Rows | QueryError) -> None:
        self.answer = answer
        self.statements: list[str] = []

    def __call__(self, sql: str) -> Rows | QueryError:
        self.statements.append(sql)
        return self.answer


def test_the_warehouse_answers_what_the_check_can_run() -> None:
    check, ask = Asked(MADE_UP), Asked(REAL)
    assert checked_first(check, ask)("select 1") == REAL
    assert (check.statements, ask.statements) == (["select 1"], ["select 1"])


def test_what_the_check_refuses_goes_no_further() -> None:
    ask = Asked(REAL)
    assert checked_first(Asked(FORBIDDEN), ask)("drop table orders") == FORBIDDEN
    assert ask.statements == []


def test_the_warehouse_s_own_error_is_the_answer() -> None:
    gone = QueryError("runtime", "the warehouse no longer answers")
    found = checked_first(Asked(MADE_UP), Asked(gone))("select 1")
    assert found == QueryError(WAREHOUSE, gone.message)


def test_without_a_warehouse_made_up_rows_are_not_shown() -> None:
    found = checked_alone(Asked(MADE_UP))("select 1")
    assert found == replace(MADE_UP, rows=(), truncated=False)
    assert checked_alone(Asked(FORBIDDEN))("drop table orders") == FORBIDDEN
