"""Wrong SQL with what really came of it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from dbt_t2s.corpus.examples import Corpus, Example
from dbt_t2s.corpus.lessons import Recovery
from dbt_t2s.corpus.mistakes import mistakes
from dbt_t2s.corpus.recovery import difference, recoveries, said
from dbt_t2s.duck import QueryError, Rows
from dbt_t2s.judge.compare import compare
from dbt_t2s.judge.gold_order import is_ordered, sort_keys
from dbt_t2s.judge.mutants import mutants
from dbt_t2s.judge.sandbox import Sandbox
from dbt_t2s.project.schema import ProjectSchema
from dbt_t2s.sql import SqlError


def same(gold: Rows, got: Rows, sql: str) -> bool:
    return compare(gold, got, is_ordered(sql, "duckdb"), sort_keys(sql, "duckdb")).equal


@pytest.fixture(scope="module")
def made(corpus: Corpus, schema: ProjectSchema, sandbox: Sandbox) -> tuple[Recovery, ...]:
    def near(sql: str) -> list[tuple[str, str]]:
        return [(each.kind, each.sql) for each in mutants(sql, schema)]

    return recoveries(corpus.examples, schema, [sandbox.execute], same, near, seed=1, most=60)


def test_each_wrong_sql_is_wrong_and_each_right_one_right(
    made: tuple[Recovery, ...], sandbox: Sandbox
) -> None:
    assert len(made) == 60
    for each in made:
        gold, got = sandbox.execute(each.sql), sandbox.execute(each.wrong_sql)
        assert isinstance(gold, Rows)
        if isinstance(got, QueryError):
            assert each.message == said(got)
        else:
            assert not same(gold, got, each.sql)
            assert each.message.startswith("wrong result: ")


def test_errors_and_silent_faults_of_many_kinds_come(made: tuple[Recovery, ...]) -> None:
    kinds = {each.kind for each in made}
    assert {"misspelt column", "misspelt table", "wrong column", "missing GROUP BY"} <= kinds
    assert any(each.message.startswith("bind: ") for each in made)
    assert any(each.message.startswith("wrong result: ") for each in made)


def test_recoveries_come_from_training_examples_and_repeat(
    made: tuple[Recovery, ...], corpus: Corpus, schema: ProjectSchema, sandbox: Sandbox
) -> None:
    train = {(e.question, e.sql) for e in corpus.examples if e.split == "train"}
    assert {(each.question, each.sql) for each in made} <= train
    twice = [
        recoveries(corpus.examples, schema, [sandbox.execute], same, seed=2, most=5)
        for _ in range(2)
    ]
    assert twice[0] == twice[1] and twice[0] != made[:5]


def test_each_mistake_is_made_where_there_is_room_for_it(schema: ProjectSchema) -> None:
    sql = (
        "select c.country, count(*) as n from shop.main.orders as o "
        "join shop.main.customers as c on o.customer_id = c.customer_id "
        "where o.ordered_at >= '2024-02-01' and o.status = 'returned' and o.customer_id > 3 "
        "group by c.country order by n desc limit 3"
    )
    found: dict[str, str] = {}
    for kind, wrong in mistakes(sql, schema):
        found.setdefault(kind, wrong)
    assert set(found) == {
        "misspelt column", "misspelt table", "wrong column", "lost join", "missing GROUP BY",
        "ambiguous column", "bad literal", "dialect slip",
    }  # fmt: skip
    assert "'2024-02-30'" in found["bad literal"]
    assert "JOIN" not in found["lost join"]


def test_what_is_no_sql_gives_no_mistake(schema: ProjectSchema, sandbox: Sandbox) -> None:
    with pytest.raises(SqlError):
        list(mistakes("select from where (", schema))
    bad = Example("1", "train", 1, "filter", "what?", "select from where (", "[]", "t", "s")
    assert recoveries([bad, replace(bad, sql="")], schema, [sandbox.execute], same) == ()


def test_no_value_of_a_personal_column_is_shown(schema: ProjectSchema, sandbox: Sandbox) -> None:
    right = "select email from shop.main.customers where country = 'France'"
    wrong = "select email from shop.main.customers where country = 'Germany'"
    example = Example("1", "train", 1, "filter", "emails in France", right, "[]", "t", "s")
    for seed in range(8):
        made = recoveries(
            [example], schema, [sandbox.execute], same, lambda _: [("value", wrong)], seed=seed
        )
        assert made and not any("@" in each.message for each in made)


def test_a_difference_says_rows_and_columns() -> None:
    gold = Rows(("a",), ("INTEGER",), ((1,), (2,), (None,)))
    got = Rows(("a", "b"), ("INTEGER", "INTEGER"), ((1, 2),))
    assert difference(gold, got).startswith(
        "wrong result: 2 columns instead of 1, 1 rows instead of 3, only here: (1, 2), missing: (1"
    )
    assert difference(gold, got, values=False).endswith("1 rows instead of 3")
    swapped = Rows(("a",), ("INTEGER",), ((2,), (1,), (None,)))
    assert difference(gold, swapped) == "wrong result: another order"
    long = Rows(("a",), ("VARCHAR",), (("x" * 900,),))
    assert len(difference(gold, long)) == 300
