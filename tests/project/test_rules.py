"""Rules that nobody wrote as rules: conditions, terms, meanings, pinned behaviours, clashes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dbt_t2s.project import buckets, contradictions, meanings, pinned, recurring
from dbt_t2s.project.artifacts import Artifacts
from dbt_t2s.project.asked import Asked, Asking
from dbt_t2s.project.evidence import Evidence, Fact
from dbt_t2s.project.lineage import Lineage
from dbt_t2s.project.places import Places
from dbt_t2s.project.schema import Column, Issue, Kind, ProjectSchema, Role, Rule, RuleKind, Table

COLUMNS = (
    Column("order_id", "INTEGER", Kind.NUMBER, Role.KEY),
    Column("is_test", "BOOLEAN", Kind.BOOLEAN, Role.FLAG),
    Column("status", "VARCHAR", Kind.TEXT, Role.CATEGORY, values=("done", "lost")),
    Column("amount", "DOUBLE", Kind.NUMBER, Role.MEASURE),
    Column("ordered_on", "DATE", Kind.DATE, Role.TIME),
)
ORDERS = Table("orders", "main.orders", "model.shop.orders", "orders.sql", COLUMNS)


def asked(*queries: str, tables: Sequence[Table] = (ORDERS,)) -> tuple[tuple[str, Asked], ...]:
    statements = [(f"analysis.q{n}", "analysis", q) for n, q in enumerate(queries)]
    return Asking(tables, (), "duckdb").of(statements)


def usage(*queries: str) -> recurring.Usage:
    (found,), issues = recurring.usages(asked(*queries), [ORDERS])
    assert not issues
    return found


@pytest.mark.parametrize(
    "query",
    [
        "select 1 from main.orders where not is_test",
        "select 1 from main.orders as o where o.is_test = false and amount > 1",
        "select 1 from MAIN.ORDERS where amount > 1 AND (NOT IS_TEST)",
        "with o as (select * from main.orders) select 1 from o where not is_test",
        "with o as (select is_test as t from main.orders), p as (select t as u from o) "
        "select 1 from p where not u",
        "select 1 from (select * from main.orders) as s where not s.is_test",
        "select 1 from main.x join main.orders as o on o.order_id = x.id and not o.is_test",
    ],
)
def test_a_condition_is_found_however_it_is_written(query: str) -> None:
    assert "NOT is_test" in usage(query).carriers


@pytest.mark.parametrize(
    "query",
    [
        "select 1 from main.orders where ordered_on > date '2024-01-01'",
        "select 1 from main.orders where amount > (select max(amount) from main.orders)",
        "select 1 from main.orders as a, main.orders as b where a.order_id = b.order_id + c.x",
        "select 1 from main.x left join main.orders as o on o.order_id = x.id "
        "where o.order_id is null",
        "select 1 from main.x left join main.orders as o on o.order_id = x.id and not o.is_test",
        "with o as (select count(*) as amount from main.orders) select 1 from o where amount > 2",
    ],
)
def test_windows_joins_and_increments_are_no_rules(query: str) -> None:
    assert not usage(query).carriers


def test_recurring_conditions_are_rules_and_habits_are_suggested() -> None:
    kept = "select 1 from main.orders where not is_test"
    found = usage(kept, kept, kept, kept, "select 1 from main.orders where amount > 1")
    (rule,) = recurring.rules(found)
    assert (rule.predicate, rule.support, rule.kind) == ("NOT is_test", 4, RuleKind.CONDITION)
    assert rule.sentence == "4 of 5 queries over orders take only rows where NOT is_test."
    assert not rule.always
    (issue,) = recurring.suggestions(found, (), "duckdb")
    assert "4 of 5" in issue.message
    known = replace(rule, always=True)
    assert not list(recurring.suggestions(found, [known], "duckdb"))


def test_sql_that_cannot_be_read_is_an_issue() -> None:
    _, issues = recurring.usages(asked("select from where ("), [ORDERS])
    assert [issue.where for issue in issues] == ["analysis.q0"]


CASE = "case when amount > 100 then 'big' when amount > 10 then 'medium' else 'small' end"


def terms(
    *queries: str, written: Sequence[Rule] = (), tables: Sequence[Table] = (ORDERS,)
) -> tuple[list[Rule], list[Issue]]:
    nodes = {
        f"analysis.q{n}": {
            "unique_id": f"analysis.q{n}", "resource_type": "model", "compiled_code": query
        }
        for n, query in enumerate(queries)
    }  # fmt: skip
    lineage = Lineage(Artifacts({"nodes": nodes}), "duckdb")
    found = buckets.find(asked(*queries, tables=tables), tables, lineage)
    return buckets.rules(found, written, "duckdb")


def test_a_case_defines_terms_and_its_predicates_say_the_same() -> None:
    rules, _ = terms(f"select {CASE} as size from main.orders")
    assert [rule.name for rule in rules] == ["big_size", "medium_size", "small_size"]
    assert rules[0].predicate == "amount > 100"
    rows = "(values (1), (11), (101), (100), (null)) as t(amount)"
    connection = duckdb.connect()
    for rule in rules:
        same = f"(({CASE} = '{rule.synonyms[0]}') is true) = (({rule.predicate}) is true)"
        assert connection.execute(f"select bool_and({same}) from {rows}").fetchall() == [(True,)]


def test_a_materialised_term_is_asked_of_its_column() -> None:
    size = Column("size", "VARCHAR", Kind.TEXT, Role.CATEGORY)
    table = replace(ORDERS, columns=(*COLUMNS, size), unique_id="analysis.q0")
    query = f"with s as (select {CASE} as size from main.raw) select size from s"
    rules, _ = terms(query, tables=[table])
    assert rules[1].predicate == "size = 'medium'"
    assert "amount > 10 and no earlier case fits" in rules[1].sentence


def test_spelling_is_no_term() -> None:
    rules, _ = terms("select case lower(status) when 'done' then 'Done' end as s from main.orders")
    assert not rules


def test_two_definitions_of_a_term_are_reported_and_the_written_one_wins() -> None:
    one = f"select {CASE} as size from main.orders"
    other = one.replace("100", "200")
    rules, issues = terms(one, one, other)
    assert {rule.predicate for rule in rules if rule.name == "big_size"} == {"amount > 100"}
    assert any("amount > 200" in issue.message for issue in issues)
    written = Rule("big", "Big.", "orders", "amount > 500", ("model.shop.orders",))
    rules, issues = terms(one, written=[written])
    assert "big_size" not in [rule.name for rule in rules]
    assert any("amount > 500" in issue.message for issue in issues)
    rules, issues = terms(one, written=[replace(written, predicate="amount > 100")])
    assert "big_size" in [rule.name for rule in rules]
    assert not issues


@pytest.mark.parametrize(
    "text",
    [
        "State: 1 = active, 2 = paused.",
        "State.\n\n- `1`: active\n- `2`: paused\n",
        "| code | meaning |\n|------|---------|\n| 1 | active |\n| 2 | paused |",
    ],
)
def test_meanings_are_read_from_descriptions(text: str) -> None:
    assert meanings.in_text(text) == {"1": "active", "2": "paused"}
    assert meanings.in_text(text, ("2", "9"))
    assert not meanings.in_text(text, ("8", "9"))


@pytest.mark.parametrize("text", ["", "rate = net / gross", "Note: all is well", "a - b"])
def test_prose_has_no_meanings(text: str) -> None:
    assert not meanings.in_text(text)


@given(st.text(max_size=200))
def test_any_description_can_be_read(text: str) -> None:
    assert len(meanings.in_text(text)) != 1


def test_values_are_rules_with_their_test_and_meta() -> None:
    node = {
        "columns": {"status": {"config": {"meta": {"t2s": {"values": {"lost": "never came"}}}}}}
    }
    fact = Fact("accepted_values", ORDERS.unique_id, ("status",), "test.s", values=("done", "lost"))
    rules = list(meanings.find(ORDERS, node, Evidence((fact,)), "duckdb"))
    assert [rule.predicate for rule in rules] == ["status = 'lost'", "status IN ('done', 'lost')"]
    assert rules[0].sentence == "In orders, status 'lost' means never came."
    assert rules[1].evidence == ("test.s",)


def test_unit_tests_pin_the_nearest_table() -> None:
    nodes = {
        "model.shop.orders": {
            "unique_id": "model.shop.orders",
            "resource_type": "model",
            "depends_on": {"nodes": ["model.shop.int"]},
        }
    }
    test = {"name": "late", "model": "int", "depends_on": {"nodes": ["model.shop.int"]}}
    rows = {"expect": {"rows": [{"order_id": 1}]}}
    lost = {**test, "depends_on": {"nodes": ["model.shop.gone"]}}
    tests = {"unit_test.a": {**test, **rows}, "unit_test.b": lost}
    rules, issues = pinned.find(Artifacts({"nodes": nodes, "unit_tests": tests}), [ORDERS])
    assert [(r.name, r.table, r.predicate) for r in rules] == [("late", "orders", "")]
    assert rules[0].sentence == "int gives one row with order_id 1."
    assert [issue.where for issue in issues] == ["unit_test.b"]


@pytest.mark.parametrize(
    ("one", "other", "clash"),
    [
        ("is_test", "NOT is_test", True),
        ("status = 'a'", "status <> 'a'", True),
        ("status = 'a'", "status IN ('b', 'c')", True),
        ("status IS NULL", "status <> 'a'", True),
        ("status IS NULL", "NOT status IS NULL", True),
        ("status IS NULL", "NOT is_test", False),
        ("status <> 'b'", "status <> 'a'", False),
        ("status IN ('a', 'b')", "status <> 'a'", False),
        ("amount > 3", "amount < 1", False),
    ],
)
def test_conditions_that_exclude_each_other(one: str, other: str, clash: bool) -> None:
    assert contradictions.excludes(one, other, "duckdb") is clash
    assert contradictions.excludes(other, one, "duckdb") is clash


def test_always_rules_that_exclude_each_other_are_reported() -> None:
    one = Rule("real", "", "orders", "NOT is_test AND amount > 1", ("m",), always=True)
    other = replace(one, name="odd", predicate="is_test")
    (issue,) = contradictions.find([one, other], (), "duckdb")
    assert "real" in issue.message
    assert not list(contradictions.find([one, replace(other, always=False)], (), "duckdb"))


def test_places_say_the_line(tmp_path: Path) -> None:
    (tmp_path / "m.yml").write_text("models:\n  - name: orders\n    rules:\n      - name: real\n")
    node = {
        "name": "orders",
        "patch_path": "shop://m.yml",
        "original_file_path": "orders.sql",
        "raw_code": "select *\nfrom x\nwhere not is_test",
    }
    assert Places(tmp_path, "shop").in_properties(node, "real") == "m.yml:4"
    assert Places(None, "shop").in_properties(node, "real") == "m.yml"
    assert Places(tmp_path, "other").in_properties(node, "real") == "m.yml"
    assert Places(tmp_path, "shop").in_sql(node, ["is_test"]) == "orders.sql:3"


@pytest.mark.parametrize(
    "line",
    ["- name: net, of tax", "- name: 'net, of tax'  # odd", '- {type: x, name: "net, of tax"}'],
)
def test_names_with_commas_are_found_in_properties(tmp_path: Path, line: str) -> None:
    written = f"models:\n  - name: sales\n    columns:\n      {line}\n"
    (tmp_path / "m.yml").write_text(written, encoding="utf-8")
    node = {"name": "sales", "patch_path": "shop://m.yml", "package_name": "shop"}
    assert Places(tmp_path, "shop").in_properties(node, "net, of tax") == "m.yml:4"


def test_a_question_can_name_what_people_named() -> None:
    written = Rule("big", "", "orders", "amount > 1")
    bucket = Rule("huge_size", "", "orders", "amount > 9", support=2, kind=RuleKind.BUCKET)
    hidden = [
        replace(bucket, name="a", support=1),
        replace(bucket, name="done_status"),
        replace(bucket, name="b", synonyms=("done",)),
        replace(bucket, name="c", kind=RuleKind.CONDITION),
        replace(bucket, name="d", kind=RuleKind.VALUE),
        replace(bucket, name="e", kind=RuleKind.PINNED, predicate=""),
    ]
    schema = ProjectSchema("shop", "duckdb", (ORDERS,), rules=(written, *hidden, bucket))
    assert schema.askable_rules == (written, bucket)
