"""values, formats, units and privacy: what the data says, in few queries and without secrets."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dbt_t2s import sql
from dbt_t2s.duck import Execute, QueryError, Rows, open_read_only, open_writable, run
from dbt_t2s.project import formats, privacy, units
from dbt_t2s.project.artifacts import Artifacts
from dbt_t2s.project.schema import Kind, Level
from dbt_t2s.project.values import Wanted, look

Asked = tuple[Execute, list[str]]


@pytest.fixture
def ask(tmp_path: Path) -> Iterator[Callable[[str], Asked]]:
    """Make a table ``t`` from a query; what runs SQL on it, and the SQL that was run."""
    opened = []

    def make(query: str) -> Asked:
        path = tmp_path / "data.duckdb"
        with open_writable(path) as connection:
            connection.execute(f"create table t as {query}")
        reader = open_read_only(path).__enter__()
        opened.append(reader)
        queries: list[str] = []

        def execute(statement: str) -> Rows | QueryError:
            queries.append(statement)
            return run(reader, statement)

        return execute, queries

    yield make
    for each in opened:
        each.close()


def test_a_wide_table_takes_few_queries(ask: Callable[[str], Asked]) -> None:
    columns = ", ".join(f"'v' || (i % 3 + {n}) as c{n}" for n in range(281))
    execute, queries = ask(f"select {columns} from range(50) r(i)")
    wanted = [Wanted(f"c{n}", Kind.TEXT) for n in range(281)]
    profile, issues = look("t", wanted, execute, "t", "duckdb")
    assert issues == ()
    assert len(queries) == 1 + 281 // 50 + 1 + (281 + 6) // 7
    for n in (0, 140, 280):
        seen = profile.column(f"c{n}")
        assert seen is not None
        assert seen.values == (f"v{n}", f"v{n + 1}", f"v{n + 2}")
        assert seen.values_complete


def test_one_table_takes_three_queries(ask: Callable[[str], Asked]) -> None:
    execute, queries = ask("select i, 'AB-' || (100 + i) as code, i > 2 as b from range(9) r(i)")
    wanted = [Wanted("i", Kind.NUMBER), Wanted("code", Kind.TEXT), Wanted("b", Kind.BOOLEAN)]
    profile, _ = look("t", wanted, execute, "t", "duckdb")
    assert len(queries) == 3
    code = profile.column("code")
    assert code is not None
    assert (code.format, code.distinct) == ("AA-999", 9)


def test_frequent_values_come_first_and_long_ones_not_at_all(ask: Callable[[str], Asked]) -> None:
    query = "select unnest(['b', 'b', 'a', 'c', 'c', 'c', repeat('x', 101)]) as v"
    execute, _ = ask(query)
    profile, _ = look("t", [Wanted("v", Kind.TEXT)], execute, "t", "duckdb")
    seen = profile.column("v")
    assert seen is not None
    assert seen.values == ("c", "b", "a")
    assert not seen.values_complete


def test_a_big_table_is_sampled_and_says_so(ask: Callable[[str], Asked]) -> None:
    execute, _ = ask("select i, 'k' || (i % 2) as k from range(5000) r(i)")
    wanted = [Wanted("i", Kind.NUMBER), Wanted("k", Kind.TEXT)]
    profile, (issue,) = look("t", wanted, execute, "t", "duckdb", profile_rows=100)
    assert (profile.rows, profile.seen, profile.sampled) == (5000, 100, True)
    assert (issue.level, issue.where) == (Level.INFO, "t")
    assert "5,000 rows" in issue.message
    assert profile.distinct("i") is None
    assert profile.distinct("k") == 2
    seen = profile.column("k")
    assert seen is not None
    assert not seen.values_complete
    again, _ = look("t", wanted, execute, "t", "duckdb", profile_rows=100)
    assert again == profile


def test_private_values_are_not_asked_for(ask: Callable[[str], Asked]) -> None:
    execute, queries = ask("select 'ada@example.org' as mail, date '1990-01-02' as born")
    wanted = [Wanted("mail", Kind.TEXT, True), Wanted("born", Kind.DATE, True)]
    profile, _ = look("t", wanted, execute, "t", "duckdb")
    assert len(queries) == 2
    assert not any(word in query for query in queries for word in ("min(", "max(", "translate"))
    assert "ada" not in repr(profile)
    assert "1990" not in repr(profile)


def test_a_column_that_cannot_be_listed_leaves_the_others(ask: Callable[[str], Asked]) -> None:
    execute, _ = ask("select 'x' as a, 'y' as b")

    def broken(statement: str) -> Rows | QueryError:
        if "cast(b as" in statement and "as place" in statement:
            return QueryError("runtime", "no such luck")
        return execute(statement)

    wanted = [Wanted("a", Kind.TEXT), Wanted("b", Kind.TEXT)]
    profile, issues = look("t", wanted, broken, "t", "duckdb")
    seen = profile.column("a")
    assert seen is not None
    assert seen.values == ("x",)
    assert {issue.where for issue in issues} == {"t.b"}


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (["FH-001", "FH-237"], "AA-999"),
        (["FH-1", "FH-23", "FH-456"], "A+-9+"),
        (["ada@example.org", "b.cole@mail.example.com"], "email"),
        (["https://example.org/a", "http://b.example.org"], "url"),
        (["0f8fad5b-d9cb-469f-a165-70867728950e"], "uuid"),
        (["2024-01-31", "2024-02-01"], "ISO date"),
        (["2024-01-31T10:00:00Z", "2024-01-31 10:00"], "ISO timestamp"),
        (["+353 21 123 4567", "+49 30 901820"], "phone"),
        (["IE29AIBK93115212345678"], "IBAN"),
        (["DE", "FR"], "AA"),
        (["red", "yellow"], ""),
        (["1", "20"], ""),
        (["FH-001"] * 9 + ["n/a"], ""),
        (["FH-001"] * 30 + ["n/a"], "AA-999"),
        ([], ""),
    ],
)
def test_a_format_is_shared_by_nearly_all(values: list[str], expected: str) -> None:
    shapes: dict[str, int] = {}
    for value in values:
        shapes[formats.shape(value)] = shapes.get(formats.shape(value), 0) + 1
    assert formats.common(shapes) == expected


@given(st.text(max_size=30))
def test_a_shape_tells_no_letter_and_no_digit(value: str) -> None:
    found = formats.shape(value)
    assert len(found) == len(value)
    assert formats.shape(found) == found
    assert not any(char.isascii() and char.isalnum() and char not in "Aa9" for char in found)


def test_a_shape_in_sql_is_the_shape_in_python(ask: Callable[[str], Asked]) -> None:
    values = ["FH-001 ü", "Straße 12", "a'b", ""]
    listed = ", ".join("'" + value.replace("'", "''") + "'" for value in values)
    execute, _ = ask(f"select unnest([{listed}]) as v")
    rows = execute(f"select {formats.shape_sql(sql.quote('v', 'duckdb'))} from t")
    assert isinstance(rows, Rows)
    assert [row[0] for row in rows.rows] == [formats.shape(value) for value in values]


@pytest.mark.parametrize(
    ("name", "docs", "label", "description", "expected"),
    [
        ("net_amount_eur", {}, "", "", "EUR"),
        ("discount_pct", {}, "", "", "percent"),
        ("return_share", {}, "", "", "share"),
        ("weight", {"meta": {"unit": "kg"}}, "", "", "kg"),
        ("weight_g", {"config": {"meta": {"t2s": {"unit": "stone"}}}}, "", "", "stone"),
        ("price", {}, "", "What it cost, in euro. Was in USD once.", "EUR"),
        ("wait", {}, "Wait (hours)", "", "hours"),
        ("amount", {}, "", "In EUR, or in USD for the shop abroad", ""),
        ("interest_rate", {}, "", "", ""),
        ("days", {}, "", "", ""),
        ("quantity", {}, "", "How many in the box", ""),
    ],
)
def test_a_unit_is_said_by_name_meta_or_docs(
    name: str, docs: dict[str, object], label: str, description: str, expected: str
) -> None:
    assert units.unit_of(name, docs, label, description) == expected


def node(above: list[str], **columns: dict[str, object]) -> dict[str, object]:
    return {"depends_on": {"nodes": above}, "columns": columns}


def test_a_mark_goes_down_to_columns_of_the_same_name() -> None:
    pii: dict[str, object] = {"meta": {"pii": True}}
    released: dict[str, object] = {"config": {"meta": {"t2s": {"personal": False}}}}
    manifest = {
        "sources": {"source.s.crm": node([], Email=pii)},
        "nodes": {
            "model.s.stg": node(["source.s.crm"]),
            "model.s.mart": node(["model.s.stg", "model.s.gone"]),
            "model.s.open": node(["model.s.stg"], email=released),
            "model.s.below": node(["model.s.open"]),
        },
    }
    marked = privacy.marked(Artifacts(manifest=manifest))
    columns = [("EMAIL", Kind.TEXT), ("city", Kind.TEXT)]
    assert marked.of("source.s.crm", columns) == {"EMAIL"}
    assert marked.of("model.s.mart", columns) == {"EMAIL"}
    assert marked.of("model.s.open", columns) == frozenset()
    assert marked.of("model.s.below", columns) == frozenset()
    (issue,) = marked.issues("model.s.mart", frozenset({"EMAIL"}))
    assert "EMAIL" in issue.message
    assert "model.s.stg" in issue.message
    assert marked.issues("source.s.crm", frozenset({"EMAIL"})) == ()


def test_the_marks_are_a_setting() -> None:
    column: dict[str, object] = {"tags": ["gdpr"], "meta": {"GDPR_art9": True}}
    manifest = {"nodes": {"model.s.a": node([], who=column)}}
    columns = [("who", Kind.TEXT)]
    for marks, expected in ((("gdpr",), {"who"}), (("gdpr_art9",), {"who"}), (("pii",), set())):
        found = privacy.marked(Artifacts(manifest=manifest), marks)
        assert found.of("model.s.a", columns) == expected


def test_a_marked_model_may_hold_it_in_any_text() -> None:
    whole: dict[str, object] = {"tags": ["pii"], **node([], ok={"meta": {"pii": False}})}
    marked = privacy.marked(Artifacts(manifest={"nodes": {"model.s.a": whole}}))
    columns = [("a", Kind.TEXT), ("n", Kind.NUMBER), ("ok", Kind.TEXT)]
    assert marked.of("model.s.a", columns) == {"a"}


def test_a_cycle_in_a_broken_manifest_ends() -> None:
    manifest = {"nodes": {"model.s.a": node(["model.s.b"]), "model.s.b": node(["model.s.a"])}}
    assert privacy.marked(Artifacts(manifest=manifest)).of("model.s.a", [("x", Kind.TEXT)]) == set()
