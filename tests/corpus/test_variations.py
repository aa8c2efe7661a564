"""Other forms of SQL that say the same."""

from __future__ import annotations

import pytest

from dbt_t2s.corpus.examples import Corpus
from dbt_t2s.corpus.variations import forms, variations
from dbt_t2s.duck import Rows
from dbt_t2s.judge.compare import compare
from dbt_t2s.judge.gold_order import is_ordered, sort_keys
from dbt_t2s.judge.sandbox import Sandbox
from dbt_t2s.project.schema import ProjectSchema


def same(gold: Rows, got: Rows, sql: str) -> bool:
    return compare(gold, got, is_ordered(sql, "duckdb"), sort_keys(sql, "duckdb")).equal


@pytest.mark.parametrize(
    ("sql", "law", "form"),
    [
        ("SELECT a FROM t WHERE a = 1 AND (b = 2 OR c = 3)", "a AND b", "c = 3) AND a = 1"),
        ("SELECT a FROM t ORDER BY a LIMIT 2", "CTE", "SELECT a FROM result ORDER BY a LIMIT 2"),
        ("SELECT a FROM t WHERE NOT b BETWEEN 1 AND 2", "BETWEEN", "NOT (b >= 1 AND b <= 2)"),
        ("SELECT a FROM t WHERE NOT a IN (1, 2)", "IN is", "NOT (a = 1 OR a = 2)"),
        ("SELECT COUNT(*) AS n FROM t", "count", "COUNT(1)"),
        ("SELECT a FROM t WHERE a < 3", "a < b", "3 > a"),
        ("SELECT a, SUM(b) AS s FROM t GROUP BY a", "GROUP BY", "GROUP BY 1"),
        ("SELECT t.a FROM t WHERE t.a IN (SELECT u.a FROM u)", "EXISTS",
         "EXISTS(SELECT 1 FROM u WHERE u.a = t.a)"),
    ],
)  # fmt: skip
def test_each_law_has_its_form(sql: str, law: str, form: str) -> None:
    found = [text for name, text in forms(sql, "duckdb") if law in name]
    assert any(form in text for text in found), found


@pytest.mark.parametrize(
    ("sql", "law"),
    [
        ("SELECT t.a FROM t WHERE NOT t.a IN (SELECT u.a FROM u)", "EXISTS"),
        ("SELECT t.a FROM t WHERE t.a IN (SELECT t.a FROM t)", "EXISTS"),
        ("SELECT a FROM t ORDER BY b", "CTE"),
        ("SELECT * FROM t", "CTE"),
        ("SELECT 1 AS a UNION SELECT 2 AS a", ""),
    ],
)
def test_where_a_law_does_not_hold_it_gives_no_form(sql: str, law: str) -> None:
    assert not [text for name, text in forms(sql, "duckdb") if law in name]


def test_variations_agree_with_the_house_form(
    corpus: Corpus, schema: ProjectSchema, sandbox: Sandbox
) -> None:
    made = variations(corpus.examples, schema, [sandbox.execute], same, seed=1, most=25)
    assert len(made) == 25 and len({each.law for each in made}) >= 4
    train = {(e.question, e.sql) for e in corpus.examples if e.split == "train"}
    for each in made:
        assert (each.question, each.house) in train and each.sql != each.house
        gold, got = sandbox.execute(each.house), sandbox.execute(each.sql)
        assert isinstance(gold, Rows) and isinstance(got, Rows)
        assert same(gold, got, each.house)


def test_a_form_that_gives_something_else_is_not_kept(
    corpus: Corpus, schema: ProjectSchema, sandbox: Sandbox
) -> None:
    never = variations(corpus.examples[:40], schema, [sandbox.execute], lambda *_: False)
    assert never == ()
    assert variations(corpus.examples[:40], schema, [], same) == ()
