"""Made-up rows meet their bounds, whatever these are."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dbt_t2s import duck
from dbt_t2s.duck import Rows
from dbt_t2s.judge import generated
from dbt_t2s.judge.column_values import allowed, cast, meeting, nearest
from dbt_t2s.judge.conditions import Condition
from dbt_t2s.judge.generated import Pools
from dbt_t2s.judge.table_bounds import ColumnBounds, Pointer, TableBounds, kind_in_duckdb
from dbt_t2s.project.schema import Kind
from tests.judge.made import Manifest, make

AS_OF = date(2024, 6, 30)
TYPES = ("BIGINT", "DECIMAL(12,2)", "VARCHAR", "DATE", "TIMESTAMP", "BOOLEAN", "JSON", "INTEGER[]")
NAMES = ("id", "owner_id", "status", "amount", "created_at", "email", "is_open", "rate", "country")
OPERATORS = ("=", "<>", "<", "<=", ">", ">=", "null", "not null", "true", "false")
NOBODY = Pools(lambda node, columns: ())


def column(name: str, type_: str, **more: object) -> ColumnBounds:
    made = ColumnBounds(name, type_, kind_in_duckdb(type_), ("t", name), name)
    return replace(made, **more)  # type: ignore[arg-type]


@st.composite
def columns(draw: st.DrawFn, name: str) -> ColumnBounds:
    made = column(
        name,
        draw(st.sampled_from(TYPES)),
        unique=draw(st.booleans()),
        nullable=draw(st.booleans()),
        null_share=draw(st.sampled_from([None, 0.0, 0.5, 1.0])),
    )
    made = replace(made, is_key=draw(st.booleans()) and made.kind in (Kind.NUMBER, Kind.TEXT))
    literals = {
        Kind.NUMBER: ("3", "17", "-2"),
        Kind.DATE: ("2024-02-29", "2023-12-31"),
        Kind.TIMESTAMP: ("2024-02-29 10:00:00", "2023-12-31"),
    }.get(made.kind, ("a", "B b", "it's"))
    asked = draw(st.lists(st.tuples(st.sampled_from(OPERATORS), st.sampled_from(literals))))
    made = replace(made, asked=tuple(Condition(op, (value,)) for op, value in asked))
    if draw(st.booleans()) and made.kind in (Kind.NUMBER, Kind.TEXT):
        return replace(made, values=literals, closed=True, is_key=False)
    if draw(st.booleans()) and made.kind is Kind.NUMBER and not made.unique:
        return replace(made, minimum="5", maximum="20", is_key=False)
    return made


@st.composite
def tables(draw: st.DrawFn) -> TableBounds:
    names = draw(st.lists(st.sampled_from(NAMES), min_size=1, max_size=5, unique=True))
    made = tuple(draw(columns(name)) for name in names)
    single = [(each.name,) for each in made if each.unique]
    several = [tuple(names[:2])] if len(names) > 1 and draw(st.booleans()) else []
    asked = [(each.name, condition) for each in made for condition in each.asked]
    scenarios = draw(st.lists(st.lists(st.sampled_from(asked), max_size=3))) if asked else []
    return TableBounds(
        "source.p.s.t",
        made,
        rows=draw(st.integers(0, 60)),
        unique=(*single, *several),
        scenarios=tuple(tuple(each) for each in scenarios if each),
    )


@settings(max_examples=300)
@given(tables(), st.integers(0, 3))
def test_rows_meet_every_bound(table: TableBounds, seed: int) -> None:
    rows = generated.rows(table, NOBODY, seed, AS_OF)
    assert rows == generated.rows(table, NOBODY, seed, AS_OF)
    assert len(rows) <= table.rows
    at = {each.name: n for n, each in enumerate(table.columns)}
    for names in table.unique:
        keys = [tuple(row[at[name]] for name in names) for row in rows]
        filled = [key for key in keys if len(key) > 1 or key != (None,)]
        assert len(set(map(repr, filled))) == len(filled)
    for each, values in zip(table.columns, zip(*rows, strict=True) if rows else (), strict=False):
        if not each.nullable and each.kind is not Kind.OTHER:
            assert None not in values
        if each.closed:
            assert {str(v) for v in values if v is not None} <= set(each.values)
        if each.minimum and not each.closed:
            assert all(5 <= float(str(v)) <= 20 for v in values if v is not None)


@pytest.mark.parametrize("count", [0, 1, 40])
def test_tables_of_any_length(count: int) -> None:
    table = TableBounds("t", (column("id", "BIGINT", unique=True, is_key=True),), count)
    rows = generated.rows(table, NOBODY, 0, AS_OF)
    assert rows == tuple((n + 1,) for n in range(count))


def test_no_columns_make_no_rows() -> None:
    assert generated.rows(TableBounds("t", (), 10), NOBODY, 0, AS_OF) == ()


def test_a_unique_column_of_few_values_makes_few_rows() -> None:
    flag = column("flag", "VARCHAR", unique=True, closed=True, values=("a", "b"), nullable=False)
    table = TableBounds("t", (flag,), 40, unique=(("flag",),))
    assert sorted(generated.rows(table, NOBODY, 0, AS_OF)) == [("a",), ("b",)]


def test_several_columns_point_at_one_row_together() -> None:
    parents = [(1, "x"), (2, "y"), (3, "x")]
    table = TableBounds(
        "t",
        (column("a", "BIGINT"), column("b", "VARCHAR")),
        50,
        pointers=(Pointer(("a", "b"), (("gone", ("a", "b")), ("p", ("k", "l")))),),
    )
    pools = Pools(lambda node, columns: parents if node == "p" else ())
    rows = generated.rows(table, pools, 0, AS_OF)
    filled = {row for row in rows if None not in row}
    assert filled == set(parents)


def test_profiled_values_shape_a_column() -> None:
    amount = column("amount", "DECIMAL(12,2)", minimum="10", maximum="12.5", null_share=0.0)
    status = column("status", "VARCHAR", values=("much", "some", "rare"), null_share=0.5)
    rows = generated.rows(TableBounds("t", (amount, status), 200), NOBODY, 0, AS_OF)
    assert all(Decimal(10) <= Decimal(str(row[0])) <= Decimal("12.5") for row in rows)
    counts = {value: [row[1] for row in rows].count(value) for value in ("much", "rare", None)}
    assert counts["much"] > counts["rare"] > 0
    assert 70 < counts[None] < 130


def test_what_ends_comes_after_what_starts() -> None:
    made = (
        column("created_at", "DATE", null_share=0.0),
        column("closed_at", "DATE", null_share=0.0),
        column("hire_date", "DATE", null_share=0.0),
    )
    rows = generated.rows(TableBounds("t", made, 100), NOBODY, 0, AS_OF)
    assert all(str(row[0]) <= str(row[1]) <= str(AS_OF) for row in rows)
    assert 0 < sum(row[0] == row[2] for row in rows) < 60
    assert len({row[0] for row in rows}) > 50


def test_moments_held_as_text_have_their_form() -> None:
    seen = column("seen", "VARCHAR", format="%d/%m/%Y", null_share=0.0)
    for row in generated.rows(TableBounds("t", (seen,), 30), NOBODY, 0, AS_OF):
        assert datetime.strptime(str(row[0]), "%d/%m/%Y").date() <= AS_OF


@pytest.mark.parametrize(
    ("type_", "condition", "good"),
    [
        ("BIGINT", Condition(">", ("10",)), 11),
        ("BIGINT", Condition("<=", ("10",)), 10),
        ("DATE", Condition("<", ("2024-03-01",)), date(2024, 2, 29)),
        ("VARCHAR", Condition("=", ("a", "b")), "b"),
        ("VARCHAR", Condition("<>", ("a",)), "b"),
        ("BOOLEAN", Condition("false"), False),
        ("BIGINT", Condition("true"), 1),
    ],
)
def test_values_that_meet_a_condition(type_: str, condition: Condition, good: object) -> None:
    made = column("c", type_, values=("a", "b") if type_ == "VARCHAR" else ())
    assert good in meeting(made, condition)


LITERALS = {
    "BIGINT": ("3", "-17", "0"),
    "DECIMAL(12,2)": ("2.5", "-1", "100"),
    "DATE": ("2024-02-29", "2023-12-31"),
    "TIMESTAMP": ("2024-02-29 10:00:00", "2023-12-31 23:59:59"),
    "VARCHAR": ("a", "B b", "it's"),
}


@pytest.mark.parametrize("type_", LITERALS)
@pytest.mark.parametrize("operator", ["=", "<>", "<", "<=", ">", ">="])
def test_duckdb_agrees_that_values_meet_a_condition(type_: str, operator: str) -> None:
    if type_ == "VARCHAR" and operator not in ("=", "<>"):
        return  # texts are not put in order here
    others = LITERALS[type_]
    with duck.open_memory() as connection:
        for literal in others:
            made = column("c", type_, values=others)
            values = meeting(made, Condition(operator, (literal,)))
            assert values
            for value in values:
                one, other = ("'" + str(each).replace("'", "''") + "'" for each in (value, literal))
                test = f"select cast({one} as {type_}) {operator} cast({other} as {type_})"
                found = duck.run(connection, test)
                assert isinstance(found, Rows)
                assert found.rows == ((True,),), test


@given(st.text(max_size=12), st.sampled_from(TYPES))
def test_any_text_is_read_or_is_nothing(text: str, type_: str) -> None:
    value = cast(column("c", type_), text)
    kinds = {"DATE": date, "TIMESTAMP": datetime, "BIGINT": int, "BOOLEAN": bool}
    assert value is None or isinstance(value, kinds.get(type_, object))


def test_the_nearest_value_is_allowed() -> None:
    for low, high in (("5", "9"), ("", "-3"), ("200", "")):
        made = column("n", "BIGINT", minimum=low, maximum=high, nullable=False)
        assert allowed(made, nearest(made, AS_OF))


# Which of five tables points at which, by number: cycles and itself among them.
EDGES = st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), max_size=8, unique=True)


@settings(max_examples=10)
@given(EDGES, st.integers(0, 2))
def test_relationships_hold_in_any_graph(edges: Sequence[tuple[int, int]], seed: int) -> None:
    manifest = Manifest()
    for number in range(5):
        pointing = {f"t{to}_id": "INTEGER" for own, to in edges if own == number}
        kinds = {"id": "INTEGER", "kind": "VARCHAR", **pointing}
        manifest.source(f"raw_{number}", **kinds)
        node, listed = f"model.shop.t{number}", ", ".join(kinds)
        manifest.model(
            f"t{number}", f"select {listed} from shop.raw.raw_{number} where kind <> 'gone'",
            f"source.shop.raw.raw_{number}",
        )  # fmt: skip
        manifest.test("unique", node, "id").test("not_null", node, "id")
        manifest.test("accepted_values", node, "kind", values=["gone", "here", "there"])
        for name in pointing:
            to = f"model.shop.{name.removesuffix('_id')}"
            manifest.test("relationships", node, name, to=to, field="id")
    with tempfile.TemporaryDirectory() as folder:
        made = make(manifest, Path(folder), seed)
        assert made.fixtures.issues == ()
        assert made.fixtures.checked == 15 + len(edges)
        assert all(each.rows for each in made.fixtures.tables)
