"""What the macros ask of warehouses that no test can start: rendered and read in their dialect."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dbt_t2s import sql
from dbt_t2s.sql import exp
from tests.project.macro_sql import ORDER, MacroError, Macros

MACROS = {adapter: Macros(adapter) for adapter in ORDER}
KINDS = ("number", "text", "date", "timestamp", "boolean", "other")
HOSTILE = 'x\' "y"; drop table t; --'

# Printable, no line break: what a column of any warehouse may be called.
NAMES = st.text(st.characters(exclude_categories=["C", "Z"]), min_size=1, max_size=20)


def asked(adapter: str, *looks: str) -> str:
    """The profile's query for a column of each kind and each look, and one of a hostile name."""
    wanted: list[dict[str, Any]] = [
        {"name": f"{kind} {look}", "kind": kind, "look": look} for kind in KINDS for look in looks
    ]
    wanted.append({"name": HOSTILE, "kind": "text", "look": looks[0]})
    macros = MACROS[adapter]
    relation = ".".join(macros.call("t2s_quote", part) for part in ("a db", "a schema", "orders"))
    return str(macros.call("t2s_profile_sql", relation, wanted, 1000))


@pytest.mark.parametrize("adapter", [each for each in ORDER if each != "duckdb"])
def test_a_profile_is_one_query_in_the_dialect_of_each_warehouse(adapter: str) -> None:
    written = asked(adapter, "values", "shapes", "counts")
    tree = sql.parse_one(written, adapter)
    assert sql.is_select(tree)
    names = {each.name for each in tree.find_all(exp.Column)}
    assert HOSTILE in names
    assert {f"{kind} {look}" for kind in KINDS for look in ("values", "shapes", "counts")} <= names
    tables = {each.name for each in tree.find_all(exp.Table)}
    assert tables == {"orders", "t2s_some", "t2s_counts"}
    limits = {each.expression.name for each in tree.find_all(exp.Limit)}
    assert "1000" in limits
    # What it says, written anew, says the same: nothing was guessed at.
    again = sql.parse_one(sql.to_sql(tree, adapter), adapter)
    assert sql.to_sql(again, adapter) == sql.to_sql(tree, adapter)


@pytest.mark.parametrize("adapter", [each for each in ORDER if each != "duckdb"])
def test_every_branch_has_the_same_columns(adapter: str) -> None:
    """A union of seven columns, each of one type in all branches, as stricter warehouses want."""
    tree = sql.parse_one(asked(adapter, "values", "shapes", "counts"), adapter)
    pending: list[Any] = [tree]
    counts = set()
    while pending:
        here = pending.pop()
        if isinstance(here, exp.SetOperation):
            pending += [here.left, here.right]
        else:
            counts.add(len(here.selects))
    assert counts == {7}


@pytest.mark.parametrize("adapter", [each for each in ORDER if each != "duckdb"])
def test_of_personal_columns_nothing_but_counts_is_asked(adapter: str) -> None:
    tree = sql.parse_one(asked(adapter, "counts"), adapter)
    assert not list(tree.find_all(exp.Min, exp.Max, exp.Group))
    assert len(list(tree.find_all(exp.Count))) > 2 * len(KINDS)


@pytest.mark.parametrize("adapter", sorted(ORDER))
@given(NAMES)
def test_a_quoted_name_is_that_name(adapter: str, name: str) -> None:
    try:
        quoted = MACROS[adapter].call("t2s_quote", name)
    except MacroError:
        assert adapter == "bigquery"
        assert set(name) & set(".`\\")
        return
    tree = sql.parse_one(f"select {quoted} from t", adapter)
    assert [each.name for each in tree.find_all(exp.Column)] == [name]


@pytest.mark.parametrize("adapter", sorted(ORDER))
@pytest.mark.parametrize("name", ["", "a\nb", "a\x00b", 7, None])
def test_what_is_no_name_is_refused(adapter: str, name: object) -> None:
    with pytest.raises(MacroError, match="this is no name of a column"):
        MACROS[adapter].call("t2s_quote", name)


@pytest.mark.parametrize(
    ("adapter", "statements"),
    [
        ("duckdb", []),
        ("postgres", ["begin transaction read only", "set local statement_timeout = 5000"]),
        ("redshift", ["set statement_timeout to 5000"]),
        ("snowflake", ["alter session set statement_timeout_in_seconds = 5"]),
        ("bigquery", []),
        ("databricks", ["set statement_timeout = 5"]),
    ],
)
def test_limits_are_set_where_the_warehouse_knows_them(adapter: str, statements: list[str]) -> None:
    assert MACROS[adapter].call("t2s_guard", 5) == statements


# Everything but what no warehouse keeps in a text; what ends literals somewhere comes often.
TEXTS = st.text(
    st.one_of(st.sampled_from("'\"\\\n\r$`{}%-;E "), st.characters(exclude_characters="\0")),
    max_size=40,
).filter(lambda text: not any(0xD800 <= ord(char) < 0xE000 for char in text))


def said(node: Any) -> str:
    """The text that a literal, or a concatenation of literals and characters, stands for."""
    if isinstance(node, exp.Concat):
        return "".join(said(each) for each in node.expressions)
    if isinstance(node, exp.Chr):
        return chr(int(node.expressions[0].name))
    assert isinstance(node, exp.Literal | exp.ByteString), repr(node)
    return str(node.name)


@pytest.mark.parametrize("adapter", sorted(ORDER))
@given(TEXTS)
def test_a_text_is_one_literal_that_says_just_that(adapter: str, text: str) -> None:
    written = MACROS[adapter].call("t2s_literal", text)
    tree: Any = sql.parse_one(f"select {written} as x, 1 as y", adapter)
    assert [each.alias for each in tree.selects] == ["x", "y"]
    found = said(tree.selects[0].this)
    if adapter == "postgres" and "\\" in text:
        assert written.startswith("E'")
    assert found == text


@pytest.mark.parametrize("value", [None, 7, "a\0b", "a" * 16_001])
def test_what_is_no_text_is_refused(value: object) -> None:
    with pytest.raises(MacroError, match=r"this is no text|too long"):
        MACROS["postgres"].call("t2s_literal", value)


@pytest.mark.parametrize("adapter", sorted(ORDER))
def test_tables_are_made_and_filled_in_the_dialect_of_each_warehouse(adapter: str) -> None:
    macros = MACROS[adapter]
    tables = macros.call("t2s_tables")
    for name, columns in tables.items():
        made = sql.parse_one(macros.call("t2s_table_sql", f"a.{name}", columns), adapter)
        assert isinstance(made, exp.Create)
        assert [each.name for each in made.find_all(exp.ColumnDef)] == [each for each, _ in columns]
        values = {"text": HOSTILE, "integer": 3, "float": 0.5, "timestamp": "2025-01-01 00:00:00.5"}
        row = [values[kind] for _, kind in columns]
        rows = [row, [None] * len(columns)]
        filled = sql.parse_one(macros.call("t2s_insert_sql", f"a.{name}", columns, rows), adapter)
        assert isinstance(filled, exp.Insert)
        assert {each.name for each in filled.find_all(exp.Table)} == {name}
        assert len(list(filled.find_all(exp.Cast))) == 2 * len(columns)


@pytest.mark.parametrize("adapter", sorted(ORDER))
def test_answers_are_compared_in_the_dialect_of_each_warehouse(adapter: str) -> None:
    asked = [
        {"question": HOSTILE, "sql": "select a, b from t;", "rows": [[HOSTILE, 1], [None, 2.5]]},
        {"question": "b", "sql": "with x as (select 1 as a) select a from x", "count": 3},
        {"question": "c", "rows": [["2025-01-01", True]]},
    ]
    macros = MACROS[adapter]
    written = macros.call("t2s_answerable_sql", asked, {"c": "select d, e from u"})
    tree = sql.parse_one(written, adapter)
    assert sql.is_select(tree)
    assert {each.name for each in tree.find_all(exp.Table)} == {"t", "x", "u"}
    assert not list(tree.find_all(exp.Drop))
    nothing: Any = sql.parse_one(macros.call("t2s_missing_sql", []), adapter)
    lacking = sql.parse_one(
        macros.call("t2s_missing_sql", [[HOSTILE, "none"], ["a", "b"]]), adapter
    )
    assert [each.alias for each in nothing.selects] == ["column_name", "missing"]
    assert isinstance(lacking, exp.Union)


@pytest.mark.parametrize(
    ("adapter", "beginning", "cells", "told"),
    [
        (
            "redshift", "explain ",
            ["XN Limit  (cost=0.00..0.07 rows=5 width=4)", "  ->  XN Seq Scan on t"],
            {"rows": 5, "cost": 0.07, "bytes": None},
        ),
        ("redshift", "explain ", ["nothing"], {"rows": None, "cost": None, "bytes": None}),
        (
            "snowflake", "explain using json ",
            ['{"GlobalStats": {"partitionsTotal": 2, "bytesAssigned": 1024}, "Operations": []}'],
            {"rows": None, "cost": None, "bytes": 1024},
        ),
        (
            "databricks", "explain cost ",
            ["== Optimized ==\nFilter x, Statistics(sizeInBytes=1.5 KiB, rowCount=12)"],
            {"rows": 12, "cost": None, "bytes": 1536},
        ),
        (
            "databricks", "explain cost ",
            ["Relation, Statistics(sizeInBytes=8.0 B)"],
            {"rows": None, "cost": None, "bytes": 8},
        ),
    ],
)  # fmt: skip
def test_estimates_are_read_from_what_each_warehouse_explains(
    adapter: str, beginning: str, cells: list[str], told: dict[str, object]
) -> None:
    """In the form that these warehouses document: none of them could be asked."""
    macros = MACROS[adapter]
    assert macros.call("t2s_explain_sql", "select 1") == f"{beginning}select 1"
    found = macros.call("t2s_plan_read", cells)
    assert found["valid"] is True
    assert {key: found[key] for key in told} == told


@pytest.mark.parametrize(
    ("told", "read"),
    [(2048, 2048), ("2.0 KiB", 2048), ("20.0 bytes", 20), (0, 0), (None, None), ("much", None)],
)
def test_bigquery_is_asked_what_it_would_read(told: object, read: int | None) -> None:
    asked = []

    def validate_sql(statement: str) -> SimpleNamespace:
        asked.append(statement)
        return SimpleNamespace(bytes_processed=told)

    macros = MACROS["bigquery"]
    macros.validate_sql = validate_sql  # dbt's adapter has it; there is no BigQuery here
    found = macros.call("t2s_estimate", "select 1", 0)
    assert asked == ["select 1"]
    assert found == {"valid": True, "rows": None, "bytes": read, "cost": None, "plan": []}


@pytest.mark.parametrize(
    ("statement", "told"),
    [
        ("select 1; drop table x", "more than one statement"),
        ("with a as (insert into t values (1) returning *) select * from a", "INSERT"),
        ("select 'a' || $$x$$", "comment"),
        ("select pg_sleep(9)", "outside the warehouse"),
        ("select 1) as x, (select 2", "do not match"),
        ("select (1", "do not match"),
        ("select 1))", "do not match"),
        ("select 'a", "do not match"),
        ('select "a', "do not match"),
    ],
)
def test_one_select_is_one_select(statement: str, told: str) -> None:
    macros = MACROS["postgres"]
    for fine in ("select ';' as x", "select (')') as \"(\" from (select 1) as y"):
        assert macros.call("t2s_one_select", f"{fine};") == fine
    with pytest.raises(MacroError, match=told):
        macros.call("t2s_one_select", statement)
