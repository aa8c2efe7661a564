"""What a query holds equal: joins, WHERE, USING, NATURAL, IN and ANY."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dbt_t2s import sql
from dbt_t2s.project import equalities
from dbt_t2s.project.equalities import Side
from dbt_t2s.sql import exp

TABLES = {"a": ("id", "X", "y"), "b": ("id", "x"), "c": ("y", "z")}


def known(table: exp.Table) -> tuple[str, ...]:
    return TABLES.get(table.name, ())


def held(code: str) -> list[str]:
    """The equalities of all of a statement's scopes, the reading query of each side first."""

    def shown(side: Side) -> str:
        return side.expression.sql("duckdb")

    scopes = sql.scopes(sql.parse_one(code, "duckdb"))
    pairs = [pair for scope in scopes for pair in equalities.find(scope, known)]
    return [f"{shown(left)} = {shown(right)}" for left, right in pairs]


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("select 1 from a join b on a.id = b.id and (a.x = b.x)", ["a.id = b.id", "a.x = b.x"]),
        ("select 1 from a, b where a.id = b.id and a.x > 1", ["a.id = b.id"]),
        ("select 1 from a join b on a.id = b.id or a.x = b.x", []),
        ("select 1 from a join b on a.id is not distinct from b.id", ["a.id = b.id"]),
        ("select 1 from a join b on (a.id, a.x) = (b.id, b.x)", ["a.id = b.id", "a.x = b.x"]),
        ("select 1 from a left anti join b on a.id = b.id", ["a.id = b.id"]),
        # USING names the first source that has the column
        ("select 1 from a join b using (id, x)", ["a.id = b.id", "a.x = b.x"]),
        ("select 1 from b join a using (id) join c using (y)", ["b.id = a.id", "a.y = c.y"]),
        ("select 1 from t join u using (id) join v using (k)", ["t.id = u.id", "t.k = v.k"]),
        # NATURAL
        ("select 1 from a natural join b", ["a.id = b.id", "a.x = b.x"]),
        ("select 1 from b natural join a natural left join c",
         ["b.id = a.id", "b.x = a.x", "a.y = c.y"]),
        ("select 1 from a natural join unknown", []),
        ("with d as (select * from c) select 1 from a natural join d", ["a.y = d.y"]),
        ("select 1 from a natural join (select z as y, 1 as k from c) as d", ["a.y = d.y"]),
        ("select 1 from a natural join (select *, 1 as id from unknown) as d", []),
        ("""with d as (select a.* from a, c union all select * from b)
            select 1 from d natural join b""", ["d.id = b.id", "d.x = b.x"]),
        # IN, ANY and EXISTS
        ("select 1 from a where a.id in (select k.id from b as k)", ["a.id = k.id"]),
        ("select 1 from a where a.id not in (select id as n from b)", ["a.id = id"]),
        ("select 1 from a where (a.id, x) in (select b.id, b.x from b)",
         ["a.id = b.id", "x = b.x"]),
        ("select 1 from a where a.id in (select id from b union select z from c)",
         ["a.id = id", "a.id = z"]),
        ("select 1 from a where a.id = any (select b.id from b)", ["a.id = b.id"]),
        ("select 1 from a where a.id in (select * from b)", []),
        ("select 1 from a where a.id in (1, 2)", []),
        ("select 1 from a where exists (select 1 from b where b.id = a.id)", ["b.id = a.id"]),
        ("select 1 from a where not exists (select 1 from b where b.id = a.id)", ["b.id = a.id"]),
        ("select 1", []),
        ("select 1 union select 2", []),
    ],
)  # fmt: skip
def test_what_is_held_equal(code: str, expected: list[str]) -> None:
    assert held(code) == expected


def test_each_side_says_which_query_its_columns_are_of() -> None:
    inner, outer = sql.scopes(
        sql.parse_one("select 1 from a where a.id in (select id from b)", "duckdb")
    )
    ((left, right),) = equalities.find(outer)
    assert (left.scope, right.scope) == (outer, inner)
    assert list(equalities.find(inner)) == []


def test_a_recursive_cte_ends() -> None:
    code = """with recursive t as (select id from a union all select t.* from t natural join b)
              select 1 from t natural join a"""
    assert "t.id = a.id" in held(code)


@given(
    st.sampled_from(("join", "natural join", "left join", "cross join", ",")),
    st.sampled_from(("a", "b", "c", "(select * from b) as d", "(values (1)) as v(id)", "range(3)")),
    st.sampled_from(("", "using (id)", "on a.id = 1", "where id in (select 1)")),
)
def test_any_query_that_can_be_read_gives_pairs(join: str, source: str, rest: str) -> None:
    try:
        scopes = sql.scopes(sql.parse_one(f"select 1 from a {join} {source} {rest}", "duckdb"))
    except sql.SqlError:
        return
    for scope in scopes:
        for pair in equalities.find(scope, known):
            assert all(isinstance(side.expression, exp.Expr) for side in pair)
