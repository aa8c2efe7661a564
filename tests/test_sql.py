"""sql: the one door to sqlglot."""

from __future__ import annotations

import time

import pytest

from dbt_t2s import duck, skeletons, sql
from dbt_t2s.duck import Rows


@pytest.mark.parametrize(
    "text",
    [
        "",
        "-- nothing",
        "select 1; select 2",
        "select '",
        "select (1",
        "not sql at all ever",
        "(" * 300 + "1" + ")" * 300,
        "select " + "1 + " * 40_000 + "1",
    ],
)
def test_what_cannot_be_read_is_one_kind_of_error(text: str) -> None:
    with pytest.raises(sql.SqlError):
        sql.parse_one(text, "duckdb")


@pytest.mark.parametrize("opened", ["(", "select * from (", "f(", "(select ("])
def test_endless_nesting_is_that_error_too(opened: str) -> None:
    text = "select * from " + opened * 30_000 + "select 1" + ")" * (opened.count("(") * 30_000)
    with pytest.raises(sql.SqlError, match="too deeply"):
        sql.parse(text, "duckdb", sql.LONGEST_TRUSTED)


@pytest.mark.parametrize("dialect", ["duckdb", "snowflake", "bigquery", "postgres"])
@pytest.mark.parametrize("name", ["decimal", "DATE ", "x(varchar", "double precision", "1 + int"])
def test_types_within_types_are_refused_before_they_take_minutes(dialect: str, name: str) -> None:
    text = "select " + f"{name}(" * 14 + "1" + ")" * 14 * (name.count("(") + 1)
    started = time.monotonic()
    with pytest.raises(sql.SqlError, match="too deeply"):
        sql.parse_one(text, dialect)
    assert time.monotonic() - started < 0.5


@pytest.mark.parametrize("text", ["x" * 900_000, " " * 900_000, "int(" * 200_000, "x (" * 300_000])
def test_looking_for_nesting_takes_no_time_itself(text: str) -> None:
    started = time.monotonic()
    with pytest.raises(sql.SqlError):
        sql.parse("select (" + text, "duckdb", sql.LONGEST_TRUSTED)
    assert time.monotonic() - started < 10


def test_ordinary_types_and_calls_are_not_nested_too_deeply() -> None:
    assert sql.parse_one("select date(date(cast(a as decimal(10, 2)))), int8(1)", "duckdb")
    assert sql.parse_one("select 'int(int(int('" + ", cast(a as decimal(1, 1))" * 50, "duckdb")


def test_brackets_side_by_side_are_not_nested() -> None:
    assert sql.parse("select " + ", ".join(["(1)"] * 2_000), "duckdb", sql.LONGEST_TRUSTED)


def test_an_unknown_dialect_is_that_error_too() -> None:
    with pytest.raises(sql.SqlError):
        sql.parse_one("select 1", "klingon")


def test_transpile_and_format() -> None:
    assert sql.transpile("select date_trunc('month', d) from t", "duckdb", "bigquery").startswith(
        "SELECT"
    )
    shown = sql.format_sql("select a, b from t where a > 1 -- why", "duckdb")
    assert "why" not in shown
    assert shown.splitlines()[0] == "SELECT"
    assert sql.parse_one(shown, "duckdb") == sql.parse_one(
        "select a, b from t where a > 1", "duckdb"
    )


def test_is_select() -> None:
    for text in (
        "select 1",
        "(select 1)",
        "select 1 union all select 2",
        "with a as (select 1) from a",
    ):
        assert sql.is_select(sql.parse_one(text, "duckdb")), text
    for text in ("delete from t", "create table t as select 1", "a + 1"):
        assert not sql.is_select(sql.parse_one(text, "duckdb")), text


def test_references_leave_out_ctes_and_go_into_subqueries() -> None:
    found = sql.references(
        'with a as (select * from "db"."main"."t") select * from a join s."Order" as o on true'
        " where exists (select 1 from third where third.x = o.x)",
        "duckdb",
    )
    assert set(found) == {"db.main.t", 's."Order"', "third"}
    assert sql.relation('"db"."main"."t"', "duckdb") == "db.main.t"


def test_a_name_is_quoted_only_where_needed() -> None:
    assert sql.quote("orders", "duckdb") == "orders"
    assert sql.quote("order", "duckdb") == '"order"'
    assert sql.quote("net, eur", "duckdb") == '"net, eur"'
    assert sql.quote("select", "bigquery") == "`select`"


def test_columns_are_qualified_and_unknown_ones_refused() -> None:
    names = {"price": "price", "order": "order"}
    written = sql.qualify('case when PRICE > 1 then "order" end', "duckdb", "t", names)
    assert written == 'CASE WHEN t.price > 1 THEN t."order" END'
    assert sql.unqualify(written, "duckdb") == 'CASE WHEN price > 1 THEN "order" END'
    assert sql.columns_in(sql.parse_one(written, "duckdb")) == (("t", "price"), ("t", "order"))
    with pytest.raises(sql.SqlError):
        sql.qualify("cost > 1", "duckdb", "t", names)


def test_only_one_tables_columns_lose_it() -> None:
    assert sql.unqualify("a.x = 1 and b.y", "duckdb", "a") == "x = 1 AND b.y"


def test_substitute_replaces_whole_columns() -> None:
    assert sql.substitute("a / aa", "duckdb", {"a": "coalesce(a, 0)"}) == "COALESCE(a, 0) / aa"


def test_conjuncts_are_spelled_alike() -> None:
    assert sql.conjuncts("a = false and (b = true and (c or d))", "duckdb") == (
        "NOT a",
        "b",
        "(c OR d)",
    )


SAME = (
    "select country, sum(amount) as total from shop.orders as o join customers c"
    " on c.id = o.customer where status = 'paid' and day >= date '2024-01-01'"
    " group by country order by total desc limit 3",
    "with x as (select 1) select city, sum(price) as s from db.sales join stores"
    " on sales.store = stores.id where kind = 'web' and at >= date '2023-05-01'"
    " group by city order by s desc limit 10",
)


def test_a_skeleton_keeps_the_shape_and_drops_names() -> None:
    shapes = [
        skeletons.skeleton(text, "duckdb").removeprefix("WITH q1 AS (SELECT _number) ")
        for text in SAME
    ]
    assert shapes[0] == shapes[1]
    assert shapes[0] == (
        "SELECT _column, SUM(_column) AS a1 FROM _table JOIN _table ON _column = _column"
        " WHERE _column = _text AND _column >= CAST(_date AS DATE)"
        " GROUP BY _column ORDER BY a1 DESC LIMIT _number"
    )


def test_a_skeleton_is_its_own_skeleton() -> None:
    for text in SAME:
        shape = skeletons.skeleton(text, "duckdb")
        assert skeletons.skeleton(shape, "duckdb").count("_column") >= shape.count("_column")


def test_types_and_units_stay_in_a_skeleton() -> None:
    shape = skeletons.skeleton(
        "select cast(a as decimal(12,2)), b - interval '3' month from t", "duckdb"
    )
    assert "DECIMAL(12, 2)" in shape
    assert "INTERVAL '3' MONTH" in shape


def test_a_type_that_sqlglot_fails_on_is_unknown() -> None:
    # BigQuery's annotator looks for a second operand that this form of the function has not.
    node = sql.parse_one("percentile_cont(0.5) within group (order by x)", "bigquery")
    assert sql.infer_type(node, "bigquery") is None


def test_what_a_dialect_has_no_form_for_is_told() -> None:
    node = sql.parse_one("select to_char(d, 'YYYY') as y, to_char(e, 'MM') from t", "snowflake")
    text, lost = sql.translated(node, "duckdb")
    assert text == "SELECT CAST(d AS TEXT) AS y, CAST(e AS TEXT) FROM t"
    assert len(lost) == 1
    assert "format" in lost[0]
    assert sql.translated(sql.parse_one("select 1 as n", "snowflake"), "duckdb")[1] == ()


PORTED = (
    # The alias of the sum is the name of what is summed.
    "select g, h, sum(x) as x from t group by 1, 2"
    " qualify row_number() over (partition by t.g order by sum(x) desc) <= 1",
    "select g, sum(m) as x from (select g, h, median(x) as m from t group by 1, 2) as s group by 1"
    " qualify row_number() over (order by sum(m) desc, g) <= 2",
    # NULL is a group like others.
    "with a as (select g, sum(x) as s from t group by 1),"
    " b as (select h as g, sum(x) as s from t group by 1)"
    " select coalesce(a.g, b.g) as g, a.s - b.s as d from a"
    " full join b on a.g is not distinct from b.g",
    "select dayname(d) as day, count(*) as n from t group by 1",
)


@pytest.mark.parametrize("query", PORTED)
@pytest.mark.parametrize("dialect", ["postgres", "redshift", "bigquery", "databricks", "trino"])
def test_a_query_means_the_same_in_another_dialect(query: str, dialect: str) -> None:
    rows = "(1, 1, 2.0, date '2024-01-01'), (1, 2, 4.0, date '2024-01-02'),"
    rows += " (null, 1, 5.0, null), (3, null, 7.0, null), (1, 2, 1.0, date '2024-01-01')"
    written = sql.transpile(query, "duckdb", dialect)
    assert "dayname" not in written.lower()
    with duck.open_memory() as connection:
        duck.run(connection, f"create table t as select * from (values {rows}) as v(g, h, x, d)")
        gold = duck.run(connection, query)
        found = duck.run(connection, sql.transpile(written, dialect, "duckdb"))
    assert isinstance(gold, Rows), gold
    assert isinstance(found, Rows), found
    assert sorted(found.rows, key=str) == sorted(gold.rows, key=str)


def test_postgres_gets_full_joins_that_it_can_hash() -> None:
    written = sql.transpile(PORTED[2], "duckdb", "postgres")
    assert "FULL JOIN b ON ARRAY[a.g] = ARRAY[b.g]" in written
    kept = "SELECT a.g FROM a JOIN b ON a.g IS NOT DISTINCT FROM b.g"
    assert sql.transpile(kept, "duckdb", "postgres") == kept
