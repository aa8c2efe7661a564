"""patterns: SQL that is odd, deep, long, broken or of any dialect, and what is made of it."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dbt_t2s.corpus.patterns import Mined, Pattern, mining
from dbt_t2s.project.schema import Column, Kind, ProjectSchema, Role, Table

ORDERS = {
    "id": Role.KEY,
    "customer_id": Role.FOREIGN_KEY,
    "amount": Role.MEASURE,
    "status": Role.CATEGORY,
    "ordered_at": Role.TIME,
    "items": Role.TEXT,
    "payload": Role.TEXT,
}
CUSTOMERS = {"id": Role.KEY, "city": Role.CATEGORY, "is_new": Role.FLAG}


def table(name: str, columns: dict[str, Role]) -> Table:
    return Table(
        name=name,
        relation=f"db.main.{name}",
        unique_id=f"model.p.{name}",
        path="",
        columns=tuple(Column(each, "", Kind.OTHER, role) for each, role in columns.items()),
    )


def mined(code: str, dialect: str = "duckdb") -> Mined:
    """What is made of one statement; the counts always add up."""
    tables = (table("orders", ORDERS), table("customers", CUSTOMERS))
    found = mining(ProjectSchema("p", dialect, tables, statements=(("n1", "model", code),)))
    failures = [each for reading in found.readings for each in reading.failures]
    assert found.scopes == found.resolved + sum(each.scopes for each in failures)
    assert sum(each.support for each in found.patterns) == found.resolved
    return found


def read(code: str, dialect: str = "duckdb") -> tuple[Pattern, ...]:
    """The patterns of a statement that is resolved whole."""
    found = mined(code, dialect)
    assert found.resolved == found.scopes > 0, found.issues
    return found.patterns


def reason(code: str, dialect: str = "duckdb") -> str:
    """Why a statement, or the one query of it that fails, is left out."""
    found = mined(code, dialect)
    (only,) = found.reasons
    assert len(found.issues) == 1
    return only.text


def test_two_sources_of_one_name_are_an_issue() -> None:
    code = "select x.id from db.main.orders as x join db.main.customers as x on true"
    assert reason(code) == "SQL that cannot be read"
    assert "Alias already used: x" in mined(code).issues[0].message


CHAIN = "with c0 as (select * from db.main.orders)"


def chain(length: int) -> str:
    return CHAIN + "".join(f", c{i} as (select * from c{i - 1})" for i in range(1, length))


@pytest.mark.parametrize(
    "condition",
    [" or ".join(f"amount = {i}" for i in range(1_500)), " + ".join(["amount"] * 1_500) + " > 1"],
)
def test_long_chains_of_operators_are_read(condition: str) -> None:
    (found,) = read(f"select count(*) from db.main.orders where {condition}")
    assert found.aggregations == ("COUNT(*)",)


@pytest.mark.parametrize(
    "condition",
    ["(" * 300 + "amount = 1" + ")" * 300, "case when " * 300 + "amount" + " end" * 300],
)
def test_what_is_nested_too_deeply_is_left_out(condition: str) -> None:
    assert reason(f"select count(*) from db.main.orders where {condition}") == (
        "SQL that cannot be read"
    )


def test_a_chain_of_ctes_is_followed_to_its_end_or_left_out() -> None:
    end = "select status, sum(amount) from {} group by 1"
    (found,) = read(f"{chain(60)} {end.format('c59')}")
    assert found.groupings == ("orders.status",)
    joined = "select o.city, count(*) from c599 join db.main.customers as o using (id) group by 1"
    assert reason(f"{chain(600)} {joined}") == "nested too deeply"


def test_what_a_query_in_from_lacks_is_not_looked_for_in_its_neighbour() -> None:
    (found,) = read(
        "select a.status, count(*) from (select id, status from db.main.unheard_of) as a"
        " join (select id from db.main.orders) as b on a.id = b.id group by 1"
    )
    assert found.joins == ("orders.id = unheard_of.id",)


def test_what_a_window_is_compared_with_is_no_filter() -> None:
    (found,) = read(
        "select id from db.main.orders where amount > 1"
        " qualify row_number() over (partition by customer_id order by ordered_at) = 1",
        "snowflake",
    )
    assert found.filters == ("orders.amount > number",)
    assert found.windows == (
        "ROW_NUMBER() OVER (PARTITION BY orders.customer_id ORDER BY orders.ordered_at)",
    )


def test_a_recursive_query_is_followed_to_where_it_starts() -> None:
    found = read(
        "with recursive t as (select id, customer_id from db.main.orders where amount > 1"
        " union all select o.id, o.customer_id from db.main.orders as o"
        " join t on o.customer_id = t.id) select customer_id, count(*) from t group by 1"
    )
    assert {join for each in found for join in each.joins} == {"orders.customer_id = orders.id"}
    assert "orders.customer_id" in {one for each in found for one in each.groupings}


@pytest.mark.parametrize(
    ("dialect", "code", "groupings"),
    [
        ("bigquery", "select item, count(*) from {}, unnest(items) as item group by item", "item"),
        (
            "bigquery",
            "select item.sku, count(*) from {} as o cross join unnest(o.items) as item group by 1",
            "item.sku",
        ),
        (
            "bigquery",
            "select k, count(*) from {} as o, unnest(o.items) as i with offset as k group by k",
            "k",
        ),
        (
            "snowflake",
            "select f.value:sku::string as sku, count(*) from {} as o,"
            " lateral flatten(input => o.items) as f where f.value:qty > 1 group by 1",
            "CAST(GET_PATH(f.value, 'sku') AS VARCHAR)",
        ),
        ("snowflake", "select value, count(*) from {}, table(flatten(items)) group by 1", "value"),
        (
            "spark",
            "select item, count(*) from {} lateral view explode(items) t as item group by item",
            "item",
        ),
        (
            "trino",
            "select t.i, count(*) from {} cross join unnest(items) as t(i) group by 1",
            "t.i",
        ),
        (
            "bigquery",
            "select payload.city.name, count(*) from {} where payload.kind = 'x' group by 1",
            "orders.payload",
        ),
        (
            "snowflake",
            "select payload:a.b::string as c, count(*) from {} where payload:k = 'x' group by c",
            "CAST(GET_PATH(orders.payload, 'a.b') AS VARCHAR)",
        ),
        (
            "duckdb",
            "select v.a, count(*) from (values (1, 'x'), (2, 'y')) as v(a, b)"
            " join {} as o on o.id = v.a group by 1",
            "v.a",
        ),
        (
            "duckdb",
            "select city, count(*) from {} natural join db.main.customers group by city",
            "customers.city",
        ),
    ],
)
def test_what_is_unfolded_or_merged_is_read(dialect: str, code: str, groupings: str) -> None:
    (found,) = read(code.format("db.main.orders"), dialect)
    assert found.groupings == (groupings,)
    assert found.tables[0] == "orders"


def test_a_pivot_is_read_where_it_stands_on_a_table() -> None:
    code = "select * from db.main.orders pivot(sum(amount) for status in ('a')) as p where id > 1"
    (found,) = read(code, "snowflake")
    assert found.filters == ("orders.id > number",)
    assert reason("pivot db.main.orders on status using sum(amount)") == "no SELECT"


DIALECTS = {
    "duckdb": "select date_trunc('month', ordered_at) as m, count(*) filter (where status = 'paid')"
    " from db.main.orders where amount > 1 group by all",
    "postgres": "select date_trunc('month', ordered_at)::date, count(*) from db.main.orders"
    " where amount > 1 group by 1",
    "snowflake": "select date_trunc('month', ordered_at) as m, sum(iff(status = 'paid', 1, 0))"
    " from db.main.orders where amount > 1 group by m",
    "bigquery": "select date_trunc(ordered_at, month) as m, countif(status = 'paid')"
    " from `db.main.orders` where amount > 1 group by m",
    "redshift": "select date_trunc('month', ordered_at), count(*) from db.main.orders"
    " where amount > 1 and status ilike 'p%' group by 1",
    "databricks": "select date_trunc('MONTH', ordered_at) as m, count_if(status = 'paid')"
    " from db.main.orders where amount > 1 group by all",
    "spark": "select date_trunc('MONTH', ordered_at) as m, collect_list(id) from db.main.orders"
    " where amount > 1 group by m",
    "trino": "select date_trunc('month', ordered_at), approx_distinct(customer_id)"
    " from db.main.orders where amount > 1 group by 1",
    "clickhouse": "select toStartOfMonth(ordered_at) as m, countIf(status = 'paid')"
    " from db.main.orders where amount > 1 group by m",
    "tsql": "select top 5 datetrunc(month, [ordered_at]) as m, count(*) from [db].[main].[orders]"
    " where [amount] > 1 group by datetrunc(month, [ordered_at]) order by m",
}


@pytest.mark.parametrize("dialect", DIALECTS)
def test_ten_dialects_say_the_same(dialect: str) -> None:
    (found,) = read(DIALECTS[dialect], dialect)
    assert found.tables == ("orders",)
    assert "orders.amount > number" in found.filters
    assert "DATE_TRUNC month orders.ordered_at" in found.dates
    assert len(found.aggregations) == 1
    assert len(found.groupings) == 1


@pytest.mark.parametrize(
    ("code", "dialect", "why"),
    [
        (
            "select {{ star(ref('a')) }} from db.main.orders",
            "duckdb",
            "Jinja that was not compiled",
        ),
        ("{% set x = 1 %} select 1 from", "duckdb", "Jinja that was not compiled"),
        ("select '{{' from db.main.orders where (amount > 1", "duckdb", "SQL that cannot be read"),
        ("", "duckdb", "no SQL"),
        ("-- nothing\n/* at all */ ;;", "duckdb", "no SQL"),
        ("drop table db.main.orders", "duckdb", "no query"),
        ("create table x (a int)", "postgres", "no query"),
        ("grant select on x to y", "snowflake", "no query"),
        (
            "merge into db.main.orders as t using db.main.customers as s on t.id = s.id"
            " when matched then update set amount = 1",
            "snowflake",
            "no query",
        ),
        ("select 1 from t where a > 1 " + "x" * 1_000_000, "duckdb", "SQL that cannot be read"),
        ("select count(*) from db.main.orders where y = 1", "no such", "SQL that cannot be read"),
    ],
)
def test_what_is_no_query_is_said(code: str, dialect: str, why: str) -> None:
    assert reason(code, dialect) == why
    is_query = why not in ("no SQL", "no query")
    assert mined(code, dialect).scopes == is_query


def test_half_a_megabyte_is_read() -> None:
    values = ", ".join(f"({i}, '{'x' * 2_000}')" for i in range(250))
    (found,) = read(
        f"select status, count(*) from db.main.orders join (values {values}) as v(i, x)"
        " on v.i = orders.id group by 1"
    )
    assert found.groupings == ("orders.status",)


TEXTS = [
    *((code, dialect) for dialect, code in DIALECTS.items()),
    (
        "with a as (select * from db.main.orders), b as (select id, city from db.main.customers)"
        " select b.city, sum(a.amount) over (partition by a.status) from a left join b using (id)"
        " where a.status in ('x', 'y') and exists (select 1 from b as c where c.id = a.id)"
        " union all select 'x', case when amount > 1 then 2 end from db.main.orders limit 5",
        "duckdb",
    ),
    (
        "select f.value:sku::string, o.payload:a[0].b from db.main.orders as o,"
        " lateral flatten(input => o.items) as f qualify row_number() over (order by o.id) = 1",
        "snowflake",
    ),
    (
        "select o.* except (id), item.sku, struct(1 as x).x from db.main.orders as o"
        " cross join unnest(o.items) as item with offset as at where at between 1 and 3",
        "bigquery",
    ),
    (
        "merge into db.main.orders as t using (select id from db.main.customers where is_new) as s"
        " on t.id = s.id when matched then delete when not matched then insert (id) values (s.id)",
        "snowflake",
    ),
]


@given(st.sampled_from(TEXTS), st.integers(0), st.integers(0), st.sampled_from(sorted(DIALECTS)))
@settings(max_examples=300)
def test_whatever_is_cut_off_is_counted(
    text: tuple[str, str], start: int, end: int, other: str
) -> None:
    code, dialect = text
    start, end = start % len(code), end % (len(code) + 1)
    for part in (code[:end], code[start:], code[start:end], code[:end] + code[start:]):
        mined(part, dialect)
        mined(part, other)
