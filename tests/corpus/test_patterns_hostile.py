"""patterns: SQL that is odd, deep, long, broken or of any dialect, and what is made of it."""

from __future__ import annotations

import pytest

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
