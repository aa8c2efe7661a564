"""patterns: what the project's own SQL shows."""

from __future__ import annotations

import dataclasses

from dbt_t2s.corpus.patterns import Pattern, mine, mining
from dbt_t2s.project.schema import Column, Kind, ProjectSchema, Relation, Role, Table


def table(name: str, *columns: str) -> Table:
    return Table(
        name=name,
        relation=f"db.main.{name}",
        unique_id=f"model.p.{name}",
        path="",
        columns=tuple(Column(each, "INTEGER", Kind.NUMBER, Role.MEASURE) for each in columns),
    )


def schema(*statements: str) -> ProjectSchema:
    return ProjectSchema(
        project="p",
        dialect="duckdb",
        tables=(
            table("orders", "id", "customer_id", "amount", "status"),
            table("customers", "id", "city"),
        ),
        statements=tuple((f"n{i}", "model", code) for i, code in enumerate(statements, 1)),
    )


def only(*statements: str) -> Pattern:
    (found,) = mine(schema(*statements))
    return found


JOINED = """
with o as (select * from "db"."main"."orders"), c as (select id as cid, city from db.main.customers)
select c.city, sum(o.amount) as total, count(distinct o.id) as n
from o left join c on o.customer_id = c.cid
where o.status = 'paid' and not c.city is null and amount between 1 and 5
group by 1
"""


def test_a_query_is_read_through_its_ctes() -> None:
    found = only(JOINED)
    assert found.tables == ("orders", "customers")
    assert found.joins == ("customers.id = orders.customer_id",)
    assert found.filters == (
        "orders.status = text",
        "customers.city is not null",
        "orders.amount between number",
    )
    assert found.aggregations == ("SUM(orders.amount)", "COUNT(DISTINCT orders.id)")
    assert found.groupings == ("customers.city",)
    assert found.sources == ("n1",)


def test_queries_of_one_shape_are_counted_together() -> None:
    found = only(
        "select city, count(*) from db.main.customers group by city",
        "select status, count(*) from db.main.orders group by status",
        "select id, count(*) from db.main.orders group by id",
    )
    assert found.support == 3
    assert found.groupings == ("customers.city", "orders.status", "orders.id")
    assert len(found.instances) == 2


def test_passing_columns_on_is_no_pattern() -> None:
    assert mine(schema("with a as (select * from db.main.orders) select id, amount from a")) == ()


def test_injected_ephemeral_models_count_once() -> None:
    inner = "select id from db.main.orders where amount > 1"
    injected = f"with __dbt__cte__x as ({inner}) select * from __dbt__cte__x"
    assert only(inner, injected, injected).support == 1


def test_set_operations_and_correlated_subqueries() -> None:
    found = mining(
        schema(
            "select city from db.main.customers as c where exists"
            " (select 1 from db.main.orders as o where o.customer_id = c.id and o.amount > 3)"
            " union all select status from db.main.orders where amount < 1"
        )
    )
    assert found.scopes == found.resolved == 3
    filters = {each for pattern in found.patterns for each in pattern.filters}
    assert {
        "orders.amount > number",
        "orders.amount < number",
        "orders.customer_id = column",
        "customers.id = column",
    } <= filters


def test_what_cannot_be_resolved_is_said_and_counted() -> None:
    found = mining(
        schema(
            "select amount from db.main.orders where amount > 0",
            "select sum(x) from db.main.orders join db.main.customers on true",
            "select from where",
        )
    )
    assert found.scopes == 3
    assert found.resolved == 1
    assert len(found.issues) == 2
    assert "x may come from any of" in found.issues[0].message
    assert 0.3 < found.share_resolved < 0.4


def test_columns_computed_on_the_way_have_no_name() -> None:
    found = mine(
        schema(
            "with a as (select amount * 2 as double from db.main.orders)"
            " select * from a where double > 3"
        )
    )
    assert found[0].filters == ()
    assert found[0].tables == ("orders",)


def test_a_query_that_reads_itself_ends() -> None:
    recursive = (
        "with recursive t as (select id as n from db.main.orders union all"
        " select n + 1 from t where n < 9) select max(n) from t"
    )
    assert mining(schema(recursive)).scopes >= 1


def test_readings_are_kept_until_the_sql_or_the_schema_changes() -> None:
    first = mining(schema("select city from db.main.customers where city = 'Cork'"))
    again = mining(
        schema("select city from db.main.customers where city = 'Cork'"), (), first.readings
    )
    assert again.readings[0] is first.readings[0]
    other = mining(schema("select id from db.main.orders where amount > 1"), (), first.readings)
    assert other.readings[0] is not first.readings[0]


def test_using_names_and_structs_are_followed() -> None:
    found = only(
        "with A(x, y) as (select id, city from db.main.customers)"
        " select count(*) from db.main.orders join a as c on orders.customer_id = c.X"
        " where c.y = 'Cork'"
    )
    assert found.joins == ("customers.id = orders.customer_id",)
    assert found.filters == ("customers.city = text",)
    used = only("select sum(amount) from db.main.orders join db.main.customers using (id)")
    assert used.joins == ("customers.id = orders.id",)


def test_columns_of_the_relations_behind_tell_sources_apart() -> None:
    code = "select kind, sum(paid) from raw.main.stays join raw.main.fees using (id) group by kind"
    assert mining(schema(code)).resolved == 0
    behind = (
        Relation('"raw"."main"."stays"', ("ID", "KIND")),
        Relation('"raw"."main"."fees"', ("ID", "PAID")),
    )
    known = dataclasses.replace(schema(code), relations=behind)
    (found,) = mine(known)
    assert found.groupings == ("stays.kind",)
    assert found.aggregations == ("SUM(fees.paid)",)
    # A reading of before they were known does not hold.
    again = mining(known, (), mining(schema(code)).readings)
    assert again.resolved == 1


def test_literals_of_a_query_log_that_may_be_personal_are_taken_out() -> None:
    orders, customers = schema().tables
    city = dataclasses.replace(customers.columns[1], personal=True)
    hidden = dataclasses.replace(customers, columns=(customers.columns[0], city))
    known = dataclasses.replace(schema(), tables=(orders, hidden))
    code = (
        "with c as (select id, lower(city) as place from db.main.customers) select count(*) "
        "from db.main.orders o join c on c.id = o.customer_id join db.main.people p on p.id = 7 "
        "where o.status in ('paid', 'lost') and (c.place = 'cork' or o.amount > 3) "
        "and p.phone = 5551234 limit 3"
    )
    (found,) = mining(known, [("log:1", code)]).patterns
    (instance,) = found.instances
    assert "cork" not in str(found)
    assert "5551234" not in str(found)
    assert "IN ('paid', 'lost')" in instance
    assert "place = '…' OR" in instance
    assert "amount > 3" in instance
    assert "LIMIT 3" in instance
    again = mining(known, [("log:1", code)], mining(known, [("log:1", code)]).readings)
    assert again.patterns == (found,)
    # The project's own SQL is its team's, not its customers'.
    own = dataclasses.replace(known, statements=(("m", "model", code),))
    assert "cork" in str(mining(own).patterns)
