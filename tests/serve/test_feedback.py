"""What people say of answers: corrections are run, contradictions told, nothing is half kept."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dbt_t2s import duck
from dbt_t2s.errors import ServeError
from dbt_t2s.judge.sandbox import Sandbox
from dbt_t2s.serve.feedback import RunEach, Statement, read_statements, statement_of, weighed
from dbt_t2s.serve.log import Asked, Said

COUNT = "select count(*) as n from orders"
PAID = "select count(*) as n from orders where status = 'paid'"
ASKED = Asked("a", "2025", "How many orders?", "ok", COUNT, "", 1, 1.0, 1.0, 0.9, "m", "dev")


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunEach]:
    """Two instances: in the first all orders are paid."""
    folder = tmp_path_factory.mktemp("feedback")
    paths = [folder / "shop.duckdb", folder / "other" / "shop.duckdb"]
    for path, status in zip(paths, ("'paid'", "if(id = 1, 'open', 'paid')"), strict=True):
        path.parent.mkdir(exist_ok=True)
        with duck.open_writable(path) as connection:
            connection.execute(
                f"create table orders as select id, {status} as status from range(5) t(id)"
            )
    with Sandbox(paths[0], ["orders"], others=paths[1:]) as sandbox:
        yield sandbox.execute_each


def said(verdict: str, sql: str = "", question: str = ASKED.question) -> Said:
    return Said("f", "2025-03-01", "a", question, verdict, COUNT, sql, "", "ada", "dev")


def weigh(run: RunEach, statement: Statement, *earlier: Said, instead: bool = False) -> str:
    return weighed(ASKED, statement, run, "duckdb", earlier, instead=instead)


def test_a_correction_comes_back_in_the_houses_form(run: RunEach) -> None:
    # The same rows in the warehouse as it is today, and others on another instance of it.
    found = weigh(run, Statement("wrong", corrected=PAID + " -- surely"))
    assert found == "SELECT\n  COUNT(*) AS n\nFROM orders\nWHERE\n  status = 'paid'"
    assert weigh(run, Statement("wrong")) == weigh(run, Statement("right")) == ""


@pytest.mark.parametrize(
    ("sql", "told"),
    [
        ("how about paid ones", "parse: "),
        ("select nope from orders", "bind: "),
        ("delete from orders", "forbidden: only a SELECT may run"),
        ("with d as (delete from orders returning *) select * from d", "not kept"),
        ("select 1; drop table orders", "not kept"),
        ("copy orders to 'orders.csv'", "forbidden: only a SELECT may run"),
        ("select * from read_csv('/etc/passwd')", "not kept"),
        ("select 1 // 0 from orders where error('no')", "not kept"),
        ("select count(id) as how_many from orders", "just what the answer gave"),
        (COUNT, "just what the answer gave"),
    ],
)
def test_what_is_no_correction_is_told(run: RunEach, sql: str, told: str) -> None:
    with pytest.raises(ServeError, match=told):
        weigh(run, Statement("wrong", corrected=sql))


def test_contradictions_are_told_and_can_be_decided(run: RunEach) -> None:
    def contradicts(statement: Statement, *earlier: Said) -> bool:
        try:
            weigh(run, statement, *earlier)
        except ServeError as failure:
            assert "contradicts what was said on 2025-03-01 by ada" in failure.what
            weigh(run, statement, *earlier, instead=True)
            return True
        return False

    other = "select count(*) as n from orders where id > 2"
    corrected = said("wrong", PAID)
    assert contradicts(Statement("wrong", corrected=other), corrected)
    assert contradicts(Statement("right"), corrected)
    assert contradicts(Statement("should_refuse"), corrected)
    assert contradicts(Statement("should_refuse"), said("right"))
    assert contradicts(Statement("wrong"), said("right"))
    assert contradicts(Statement("right"), said("wrong"))
    assert contradicts(Statement("wrong", corrected=PAID), said("should_refuse"))
    # An objection without SQL that came after does not hide a correction.
    assert contradicts(Statement("wrong", corrected=other), said("wrong"), corrected)

    assert not contradicts(Statement("wrong"), corrected)
    assert not contradicts(Statement("wrong", corrected=f"({PAID})"), corrected)
    assert not contradicts(Statement("should_refuse"), said("wrong"))
    assert not contradicts(Statement("right"), said("wrong", PAID, "How many customers?"))
    assert not contradicts(Statement("wrong", corrected=other), said("wrong"))


def test_a_question_is_the_same_in_other_capitals(run: RunEach) -> None:
    with pytest.raises(ServeError, match="contradicts"):
        weigh(run, Statement("wrong"), said("right", question="how many ORDERS"))


def test_what_was_refused_can_be_corrected(run: RunEach) -> None:
    refused = replace(ASKED, status="refused", sql_text="")
    statement = Statement("wrong", corrected=COUNT)
    assert weighed(refused, statement, run, "duckdb", ()).startswith("SELECT")


def test_statements_of_a_file(tmp_path: Path) -> None:
    path = tmp_path / "feedback.jsonl"
    lines = [
        {"id": "1f2e", "verdict": "right", "note": "yes"},
        {"question": "How many?", "sql": "select 1"},
        {"question": "Will it rain?", "verdict": "should-refuse", "sql": None},
    ]
    path.write_text("\n".join(["", *map(json.dumps, lines)]) + "\n")
    found = read_statements(path)
    assert [replace(each, where="") for each in found] == [
        Statement("right", "1f2e", note="yes"),
        Statement("wrong", question="How many?", corrected="select 1"),
        Statement("should_refuse", question="Will it rain?"),
    ]
    assert found[0].where == f"{path}, line 2"
    with pytest.raises(ServeError, match="cannot be read"):
        read_statements(tmp_path / "none.jsonl")


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("{", "is no object"),
        ('"right"', "is no object"),
        ('{"id": 3}', "is no object"),
        ('{"id": "a", "verdcit": "right"}', "'verdcit', which means nothing"),
        ('{"verdict": "right"}', "neither the id nor the question"),
        ('{"id": "a", "verdict": "meh"}', "'meh' instead of right, wrong, should_refuse"),
        ('{"id": "a"}', "says nothing instead of right"),
        ('{"id": "a", "verdict": "right", "sql": "select 1"}', "needs no SQL"),
        ('{"id": "a", "note": "' + "x" * 20_000 + '", "verdict": "right"}', "longer than"),
    ],
)
def test_lines_that_say_nothing_are_named(tmp_path: Path, line: str, told: str) -> None:
    path = tmp_path / "feedback.jsonl"
    path.write_text('{"id": "a", "verdict": "right"}\n' + line)
    with pytest.raises(ServeError, match=told) as failure:
        read_statements(path)
    assert failure.value.where.endswith("line 2")


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["id", "verdict", "sql", "x"]), inner, max_size=4)
    ),
    max_leaves=6,
)


@given(JSON)
def test_anything_else_is_a_statement_or_told(content: object) -> None:
    try:
        assert statement_of(content, "here").verdict in ("right", "wrong", "should_refuse")
    except ServeError as failure:
        assert failure.where == "here"
