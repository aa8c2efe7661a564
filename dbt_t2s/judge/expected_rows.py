"""Rows that unit tests expect of a model, in the place of the model's own.

Whoever wrote a unit test wrote down rows that must come out: the corner cases of the model. A
statement that is right on the warehouse and wrong on these has not understood them. Columns that a
test does not mention keep the values of a real row, so that rules and joins still find it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from dbt_t2s import duck
from dbt_t2s.duck import Connection, QueryError
from dbt_t2s.errors import WarehouseError
from dbt_t2s.judge.duck_types import literal
from dbt_t2s.judge.unit_tests import UnitTest
from dbt_t2s.project.schema import Issue, Level, Table

_MOST_ROWS = 1_000
_OWN, _REAL = "t2s_own_rows", "t2s_real_rows"


@dataclass(frozen=True)
class Expected:
    """``tables`` are the names of those that hold expected rows now."""

    tables: tuple[str, ...] = ()
    rows: int = 0
    issues: tuple[Issue, ...] = ()


def plant(file: Path, tests: Sequence[UnitTest], tables: Sequence[Table]) -> Expected:
    """Writes the expected rows of each tested table into ``file``; the others stay.

    A row that the table cannot hold becomes an issue. WarehouseError where the file cannot be
    written.
    """
    planted: list[str] = []
    issues: list[Issue] = []
    count = 0
    with duck.open_writable(file) as connection:
        for table in tables:
            wanted = [t for t in tests if t.model == table.unique_id and t.expect.rows]
            if not wanted:
                continue
            rows = _planted(connection, table, wanted, issues)
            if rows:
                planted.append(table.name)
                count += rows
    return Expected(tuple(planted), count, tuple(issues))


def _planted(
    connection: Connection, table: Table, tests: Sequence[UnitTest], issues: list[Issue]
) -> int:
    """How many rows the table holds now; 0 where it keeps its own."""
    types = _types(connection, table)
    key = ", ".join(duck.quoted(name) for name in table.primary_key) or "all"
    expected = [(test, row) for test in tests for row in test.expect.rows][:_MOST_ROWS]
    _run(
        connection,
        f"create or replace temp table {_REAL} as select * from {table.relation}"
        f" order by {key} limit {len(expected)}",
    )
    statements = list(_inserts(table, types, expected, _count(connection, _REAL), issues))
    if not statements:
        return 0
    _run(connection, f"create or replace temp table {_OWN} as select * from {table.relation}")
    _run(connection, f"delete from {table.relation}")
    for test, statement in statements:
        found = duck.run(connection, statement)
        if isinstance(found, QueryError):
            issues.append(_issue(test, duck.first_line(found.message)))
    rows = _count(connection, table.relation)
    if not rows:
        _run(connection, f"insert into {table.relation} select * from {_OWN}")
    return rows


def _inserts(
    table: Table,
    types: dict[str, str],
    expected: Sequence[tuple[UnitTest, tuple[tuple[str, object], ...]]],
    real: int,
    issues: list[Issue],
) -> Iterator[tuple[UnitTest, str]]:
    """Statements that put each expected row over a real one of its own."""
    for at, (test, row) in enumerate(expected[:real]):
        unknown = [name for name, _ in row if name.lower() not in types]
        if unknown:
            issues.append(_issue(test, f"{table.name} has no column {unknown[0]}"))
            continue
        values = ", ".join(
            f"cast({literal(value)} as {types[name.lower()]}) as {duck.quoted(name)}"
            for name, value in row
        )
        yield (
            test,
            f"insert into {table.relation} select * replace ({values}) from"
            f" (select * from {_REAL} limit 1 offset {at})",
        )


def _types(connection: Connection, table: Table) -> dict[str, str]:
    found = _run(connection, f"describe {table.relation}")
    return {str(row[0]).lower(): str(row[1]) for row in found.rows}


def _count(connection: Connection, relation: str) -> int:
    return int(str(_run(connection, f"select count(*) from {relation}").rows[0][0]))


def _run(connection: Connection, sql: str) -> duck.Rows:
    found = duck.run(connection, sql)
    if isinstance(found, QueryError):
        raise WarehouseError(
            "a table could not be given the rows that unit tests expect",
            where=duck.first_line(found.message),
            hint="dbt build",
        )
    return found


def _issue(test: UnitTest, reason: str) -> Issue:
    hint = f"dbt test --select {test.name}"
    return Issue(Level.WARNING, test.unique_id, f"its expected rows are not used: {reason}", hint)
