"""What models' SQL says about the columns that it reads."""

from __future__ import annotations

import json
from datetime import date
from random import Random

import pytest

from dbt_t2s import sql
from dbt_t2s.judge import conditions, json_paths
from dbt_t2s.judge.column_types import type_from_usage
from dbt_t2s.judge.conditions import Condition
from dbt_t2s.judge.query_columns import Origin
from dbt_t2s.judge.trails import Domains, Trails
from dbt_t2s.judge.usage import Usage, read
from dbt_t2s.sql import exp

KNOWN = {"a": frozenset({"id", "x", "y"}), "b": frozenset({"id", "a_id", "z"})}


def usage(code: str, dialect: str = "duckdb") -> Usage:
    """``a`` and ``b`` are known nodes; of any other relation the columns are not known."""

    def find(table: exp.Table) -> str:
        return table.name.lower()

    return read(sql.parse_one(code, dialect), find, lambda node: KNOWN.get(node, frozenset()))


def dotted(origins: tuple[Origin, ...]) -> str:
    """``a.x`` for a column passed on, ``a.x!`` behind a grouping, ``a.x*`` behind a scaling."""
    marks = ((f"{'!' * o.grouped}{'*' * o.scaled}", o.place) for o in origins)
    return " ".join(f"{'.'.join(place)}{mark}" for mark, place in marks)


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("select x, y as w from a", {"x": "a.x", "w": "a.y"}),
        ("with s as (select * from raw), r as (select id as k from s) select * from r",
         {"k": "raw.id"}),
        ("with S as (select x from A) select X from s", {"x": "a.x"}),
        ("select cast(x as date) as d, lower(trim(y)) as l, x + 1 as p from a",
         {"d": "a.x", "l": "a.y", "p": ""}),
        ("select x, count(*) as n from a group by x", {"x": "a.x!", "n": ""}),
        ("select distinct x from a", {"x": "a.x!"}),
        ("select x from a qualify row_number() over (partition by x order by y) = 1",
         {"x": "a.x!"}),
        ("select round(x / 100, 2) as x, y * 2.5 as y from a", {"x": "a.x*", "y": "a.y*"}),
        ("select z, y from a join b on a.id = b.a_id", {"z": "b.z", "y": "a.y"}),
        ("select b.*, a.x from a join b on a.id = b.a_id",
         {"x": "a.x", "id": "b.id", "a_id": "b.a_id", "z": "b.z"}),
        ("select * exclude (y) from a", {"id": "a.id", "x": "a.x", "y": ""}),
        ("select x as v from a union all select z from b", {"v": "a.x b.z"}),
        ("select x as v from a union select z from b", {"v": "a.x! b.z!"}),
        ("select coalesce(x, y) as v from a", {"v": "a.x a.y"}),
        ("select case x when 'b' then 'c' else x end as v from a", {"v": "a.x"}),
        ("select o.id from one o, two t", {"id": "one.id"}),
        ("select id from one o, two t", {"id": ""}),  # either may have it
        ("select 1 as n", {"n": ""}),
        ("with recursive r as (select id from a union all select r.id from r) select id from r",
         {"id": "a.id"}),
    ],
)  # fmt: skip
def test_outputs_are_followed(code: str, expected: dict[str, str]) -> None:
    found = {name: dotted(origins) for name, origins in usage(code).outputs}
    assert {name: found.get(name, "missing") for name in expected} == expected


def test_a_star_over_the_unknown_stays_open() -> None:
    assert usage("select * from raw").open == ("raw",)
    assert usage("select * from a").open == ()
    assert usage("with s as (select * from raw) select s.*, 1 as n from s").open == ("raw",)


@pytest.mark.parametrize(
    ("code", "equal"),
    [
        ("select 1 from a join b on a.id = b.a_id", {(("a", "id"), ("b", "a_id"))}),
        ("select 1 from one join two using (k)", {(("one", "k"), ("two", "k"))}),
        ("select 1 from a, b where cast(a.id as varchar) = b.a_id", {(("a", "id"), ("b", "a_id"))}),
        ("select 1 from a where x in (select z from b where b.a_id = a.id)",
         {(("b", "a_id"), ("a", "id"))}),
        ("select 1 from a join b on a.id > b.a_id", set()),
    ],
)  # fmt: skip
def test_joined_columns_are_equal(code: str, equal: set[object]) -> None:
    assert set(usage(code).equal) == equal


@pytest.mark.parametrize(
    ("code", "needs"),
    [
        ("select x + y as v from a", "x y"),
        ("select coalesce(x, 0) as v from a", ""),
        ("select coalesce(x, y) as v from a", "y"),
        ("select count(x) as v from a", ""),
        ("select sum(x) as v from a", "x"),
        ("select case when x > 1 then y else id end as v from a", "y id"),
        ("select case x when 1 then 'one' end as v from a", "x"),
        ("select x is null as v from a", ""),
        ("with c as (select date_trunc('month', x) as m from a) select m as v from c", "x"),
    ],
)
def test_what_an_output_needs_to_be_filled(code: str, needs: str) -> None:
    ((name, found),) = usage(code).needs
    assert name == "v"
    assert [place[1] for place in found] == needs.split()


def test_what_a_left_join_adds_needs_the_key_that_finds_it() -> None:
    found = dict(usage("select a.x, b.z from a left join b on a.id = b.a_id").needs)
    assert found["x"] == (("a", "x"),)
    assert set(found["z"]) == {("b", "z"), ("a", "id"), ("b", "a_id")}


@pytest.mark.parametrize(
    ("code", "keys"),
    [
        ("select a.id from a left join b on a.id = b.a_id", {("b", ("a_id",))}),
        ("select b.id from a join b on a.id = b.a_id", {("a", ("id",))}),
        ("select a.id from a left join b on a.id = b.a_id and a.x = b.z", {("b", ("a_id", "z"))}),
        ("with c as (select a_id, count(*) as n from b group by a_id)"
         " select a.id from a left join c on a.id = c.a_id", set()),
        ("with c as (select a.id from a join b on a.id = b.a_id) select id from c",
         {("b", ("a_id",))}),
        ("select distinct a.id from a join b on a.id = b.a_id", set()),
    ],
)  # fmt: skip
def test_what_must_be_unique_for_rows_not_to_multiply(code: str, keys: set[object]) -> None:
    assert set(dict(usage(code).matched).get("id", ())) == keys


def test_scenarios_hold_what_rows_must_meet_together() -> None:
    (scenario,) = usage(
        "select 1 from raw r join b on r.id = b.a_id and b.z > 3"
        " where lower(r.status) in ('a', 'b') and not r.gone and r.x is not null"
    ).scenarios
    assert set(scenario) == {
        (("b", "z"), Condition(">", ("3",), "number")),
        (("raw", "status"), Condition("=", ("a", "b"))),
        (("raw", "gone"), Condition("false")),
        (("raw", "x"), Condition("not null")),
    }


@pytest.mark.parametrize(
    ("code", "condition"),
    [
        ("x = 'a'", Condition("=", ("a",))),
        ("'a' = x", Condition("=", ("a",))),
        ("5 < x", Condition(">", ("5",), "number")),
        ("x >= date '2024-01-01'", Condition(">=", ("2024-01-01",))),
        ("x <> -3", Condition("<>", ("-3",), "number")),
        ("x between 2 and 4", Condition(">=", ("2",), "number")),
        ("x like 'pre_%'", Condition("=", ("prea",))),
        ("x not in (1, 2)", Condition("<>", ("1", "2"), "number")),
        ("x is not null", Condition("not null")),
        ("not x", Condition("false")),
        ("x = true", Condition("true")),
        ("x <> true", Condition("false")),
        ("x = y", None),
        ("1 = 2", None),
        ("x in (select y from b)", None),
        ("f(x, 'a')", None),
    ],
)
def test_conditions(code: str, condition: Condition | None) -> None:
    found = conditions.read(sql.parse_one(code, "duckdb"))
    assert (found[1] if found else None) == condition


@pytest.mark.parametrize(
    ("expression", "type_"),
    [
        ("cast(c as date)", "DATE"),
        ("cast(c as varchar)", ""),
        ("sum(c)", "DECIMAL(12,2)"),
        ("c - d", "DECIMAL(12,2)"),
        ("c / 100", "BIGINT"),
        ("date_trunc('month', c)", "TIMESTAMP"),
        ("lower(c)", "VARCHAR"),
        ("c > '2024-01-01'", "DATE"),
        ("c > '2024-01-01 10:00'", "TIMESTAMP"),
        ("c = 3", "BIGINT"),
        ("coalesce(c, 0)", "DECIMAL(12,2)"),
        ("coalesce(c, 'none')", "VARCHAR"),
        ("unnest(c)", "VARCHAR[]"),
        ("c ->> '$.a.b'", "JSON"),
        ("c = 3.5", "DECIMAL(12,2)"),
        ("c = 'x'", "VARCHAR"),
        ("case c when 1 then 2 end", "BIGINT"),
        ("c", ""),
    ],
)
def test_types_by_what_sql_does(expression: str, type_: str) -> None:
    found = usage(f"select {expression} as v from raw")
    types = [kind for place, kind in found.types if place == ("raw", "c")]
    asked = [condition for place, condition in found.seen if place == ("raw", "c")]
    assert type_from_usage(types, asked) == type_


def test_formats_and_decoded_values() -> None:
    found = usage(
        "select strptime(c, '%d.%m.%Y') as c, case d when 'a' then 1 when 'b' then 2 end as d,"
        " case e when 'a' then 1 else 0 end as e from raw"
    )
    assert found.formats == ((("raw", "c"), "%d.%m.%Y"),)
    assert found.decoded == ((("raw", "d"), ("a", "b")),)


def test_trails_go_up_through_models() -> None:
    trails = Trails(
        {
            "mart": usage("select id, x / 100 as x from stg"),
            "stg": usage("select * from raw"),
        }
    )
    assert [o.place for o in trails.trail(("mart", "id"))] == [
        ("mart", "id"), ("stg", "id"), ("raw", "id"),
    ]  # fmt: skip
    assert [o.place for o in trails.trail(("mart", "x"))] == [("mart", "x")]
    assert list(trails.together("mart", ["x", "x"], scaled=True))[1:] == [
        ("stg", ("x", "x")), ("raw", ("x", "x")),
    ]  # fmt: skip
    assert trails.needs(("mart", "x")) == (("mart", "x"), ("stg", "x"), ("raw", "x"))


def test_trails_end_in_circles_too() -> None:
    trails = Trails({"p": usage("select id from q"), "q": usage("select id from p")})
    assert [o.place[0] for o in trails.trail(("p", "id"))] == ["p", "q"]
    assert trails.needs(("p", "id")) == (("p", "id"), ("q", "id"))


def test_domains_join_whatever_is_linked() -> None:
    domains = Domains()
    for one, other in (("a", "b"), ("c", "d"), ("b", "c"), ("x", "y")):
        domains.join((one, "k"), (other, "k"))
    assert domains.of(("d", "k")) == domains.of(("a", "k")) != domains.of(("x", "k"))
    assert domains.of(("alone", "k")) == ("alone", "k")
    assert sorted(map(len, domains.members().values())) == [2, 4]


@pytest.mark.parametrize(
    "code",
    [
        "with recursive r as (select * from r) select * from r",
        "with c as (select k as k from unnest([1, 2]) as u) select k from c",
        "select (select max(z) from b where b.a_id = a.id) as m from a",
        "with c as (select 1 as k) select k from c union all select k from c",
        "select * from (values (1, 2)) as v(p, q)",
        "from a",
        "select a.* from a, lateral (select a.x + 1 as p) as l",
    ],
)
def test_odd_queries_are_read_or_refused(code: str) -> None:
    try:
        usage(code)
    except sql.SqlError as error:
        assert "reads itself" in str(error)


@pytest.mark.parametrize(
    ("code", "dialect", "path"),
    [
        ("select c:a.b::string as v from raw", "snowflake", ("a", "b")),
        ("select parse_json(r.c):a[0].b as v from raw r", "snowflake", ("a", "0", "b")),
        ("select json_extract_scalar(c, '$.a') as v from raw", "bigquery", ("a",)),
        ("select c -> 'a' ->> 'b' as v from raw", "postgres", ("a", "b")),
        ("select get_json_object(c, '$.a.b') as v from raw", "databricks", ("a", "b")),
    ],
)
def test_paths_into_half_structured_data(code: str, dialect: str, path: tuple[str, ...]) -> None:
    assert (("raw", "c"), path) in usage(code, dialect).paths


def test_an_example_object_has_all_paths() -> None:
    paths = [("a", "b"), ("a", "is_open"), ("items", "0", "sku"), ("total",)]
    found = json.loads(json_paths.example(paths, Random(0), date(2024, 6, 30)))
    assert set(found) == {"a", "items", "total"}
    assert isinstance(found["a"]["b"], str)
    assert isinstance(found["a"]["is_open"], bool)
    assert set(found["items"][0]) == {"sku"}
    assert isinstance(found["total"], float)
    assert json_paths.example([], Random(0), date(2024, 6, 30)) == "{}"
