"""Runs dbt unit tests in DuckDB: given rows become the inputs, the model's SQL runs over them.

A test that passes proves two things at once: that the model's SQL means the same in DuckDB as in
its own warehouse, and that rows written by the project's people are what the model works on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

from dbt_t2s import duck
from dbt_t2s import sql as language
from dbt_t2s.duck import Connection, QueryError, Rows
from dbt_t2s.judge.compare import compare
from dbt_t2s.judge.duck_types import duck_type, literal, type_of
from dbt_t2s.judge.nodes import EPHEMERAL, Nodes, ephemeral_names
from dbt_t2s.judge.unit_tests import Fixture, UnitTest
from dbt_t2s.project.artifacts import Artifacts
from dbt_t2s.project.found import Found
from dbt_t2s.sql import exp

# More rows than a person writes by hand.
_MOST_ROWS = 100_000

ColumnsOf = Callable[[str], Sequence[Found]]
CodeOf = Callable[[UnitTest], str]


@dataclass(frozen=True)
class UnitResult:
    """``status`` is pass, fail (other rows than expected) or error (it could not be run)."""

    test: UnitTest
    status: str
    reason: str = ""


class _Failed(Exception):
    """Why a test could not be run."""


def run_unit_tests(
    tests: Iterable[UnitTest],
    artifacts: Artifacts,
    dialect: str,
    columns_of: ColumnsOf,
    code_of: CodeOf,
) -> tuple[UnitResult, ...]:
    """The verdict of each test, which is that of ``dbt test --select test_type:unit``.

    ``columns_of`` gives a node's columns with their types, ``code_of`` the SQL of the tested model
    as the test wants it compiled, empty where there is none.
    """
    nodes = Nodes(artifacts)
    runner = _Runner(artifacts, nodes, dialect, columns_of)
    results: list[UnitResult] = []
    for test in tests:
        try:
            reason = runner.run(test, code_of(test))
            results.append(UnitResult(test, "fail" if reason else "pass", reason))
        except _Failed as error:
            results.append(UnitResult(test, "error", str(error)))
    return tuple(results)


@dataclass(frozen=True)
class _Runner:
    artifacts: Artifacts
    nodes: Nodes
    dialect: str
    columns_of: ColumnsOf

    def run(self, test: UnitTest, code: str) -> str:
        """How the outcome differs from what is expected; empty where it does not."""
        if not code.strip():
            raise _Failed("its model is not compiled as this test wants it")
        tables = {unique_id: f"t2s_given_{n}" for n, (unique_id, _) in enumerate(test.given)}
        statement = self._over_given(code, tables)
        with duck.open_memory() as connection:
            for unique_id, fixture in test.given:
                self._create(connection, tables[unique_id], unique_id, fixture)
            _run(connection, f"create table t2s_actual as {statement}", "its SQL")
            return self._difference(connection, test.expect)

    def _over_given(self, code: str, tables: dict[str, str]) -> str:
        """The model's SQL in DuckDB's dialect with the given tables in place of its inputs."""
        try:
            tree = language.parse_one(code, self.dialect)
        except language.SqlError as error:
            raise _Failed(f"its SQL cannot be read: {duck.first_line(str(error))}") from error
        stood_for = {
            name: table
            for unique_id, table in tables.items()
            for name in ephemeral_names(self.artifacts.node(unique_id))
        }
        _drop_ctes(tree, stood_for)
        ctes = {cte.alias.lower() for cte in tree.find_all(exp.CTE)}
        for each in list(tree.find_all(exp.Table)):
            bare = not each.args.get("db") and isinstance(each.this, exp.Identifier)
            name = each.name.lower()
            if not isinstance(each.this, exp.Identifier) or (bare and name in ctes):
                continue
            node = self.nodes.find(each)
            table = stood_for.get(name) if bare else None
            table = table or tables.get(node)
            if table is None:
                raise _Failed(f"{language.to_sql(each, self.dialect)} is read but not given")
            _rename(each, table)
        try:
            return language.to_sql(tree, "duckdb")
        except language.SqlError as error:
            raise _Failed(f"its SQL has no form in DuckDB: {error}") from error

    def _create(self, connection: Connection, table: str, unique_id: str, fixture: Fixture) -> None:
        if fixture.sql:
            selected = self._transpiled(fixture.sql)
            _run(connection, f"create table {table} as {selected}", f"the rows of {unique_id}")
            return
        known = {each.name.lower(): each for each in self.columns_of(unique_id)}
        types = {name: duck_type(each.type, self.dialect) for name, each in known.items()}
        built = bool(known) and all(each.origin == "catalog" for each in known.values())
        for name in fixture.columns:
            if name.lower() not in known and built:
                raise _Failed(f"{unique_id} has no column {name}")
            if not (name.lower() in known and known[name.lower()].type):
                types[name.lower()] = type_of(
                    [value for row in fixture.rows for n, value in row if n == name],
                    fixture.is_text,
                )
        if not types:
            raise _Failed(f"the columns of {unique_id} are not known")
        written = {each.lower(): each for each in fixture.columns}
        listed = ", ".join(
            f"{duck.quoted(known[n].name if n in known else written[n])} {kind}"
            for n, kind in types.items()
        )
        what = f"the rows of {unique_id}"
        _run(connection, f"create table {table} ({listed})", what)
        for row in fixture.rows:
            names = ", ".join(duck.quoted(name) for name, _ in row)
            values = ", ".join(f"cast({literal(v)} as {types[n.lower()]})" for n, v in row)
            _run(connection, f"insert into {table} ({names}) values ({values})", what)

    def _transpiled(self, sql: str) -> str:
        try:
            return language.transpile(sql, self.dialect, "duckdb")
        except language.SqlError as error:
            raise _Failed(f"a fixture's SQL cannot be read: {error}") from error

    def _difference(self, connection: Connection, expect: Fixture) -> str:
        actual = _run(connection, "select * from t2s_actual limit 0", "its outcome")
        kinds = {n.lower(): k for n, k in zip(actual.columns, _types(connection), strict=True)}
        if expect.sql:
            names = ", ".join(duck.quoted(each) for each in actual.columns)
            wanted = f"select {names} from ({self._transpiled(expect.sql)})"
        elif not expect.rows:
            names = "*"
            wanted = "select * from t2s_actual limit 0"
        else:
            columns = [name for name, _ in expect.rows[0]]
            for name in expect.columns:
                if name.lower() not in kinds:
                    raise _Failed(f"the model has no column {name}")
            names = ", ".join(duck.quoted(name) for name in columns)
            rows = (
                ", ".join(
                    f"cast({literal(dict(row).get(n))} as {kinds[n.lower()]})" for n in columns
                )
                for row in expect.rows
            )
            wanted = " union all ".join(f"select {row}" for row in rows)
        gold = _run(connection, wanted, "its expected rows")
        got = _run(connection, f"select {names} from t2s_actual", "its outcome")
        gold = replace(gold, columns=got.columns)
        return compare(gold, got, ordered=False, named=True).reason


def _drop_ctes(tree: exp.Expr, stood_for: dict[str, str]) -> None:
    """Takes out the CTEs that stand for given nodes, then dbt's others that nobody reads."""
    gone = set(stood_for)
    while True:
        found = [
            cte
            for cte in tree.find_all(exp.CTE)
            if cte.alias.lower() in gone or _is_unread(tree, cte)
        ]
        if not found:
            return
        for cte in found:
            with_ = cte.parent
            cte.pop()
            if with_ is not None and not with_.expressions:
                with_.pop()


def _is_unread(tree: exp.Expr, cte: exp.CTE) -> bool:
    name = cte.alias.lower()
    readers = (table.name.lower() for table in tree.find_all(exp.Table))
    return name.startswith(EPHEMERAL) and name not in readers


def _rename(table: exp.Table, name: str) -> None:
    """The table under another name; columns that bore its own name still do."""
    if not table.alias:
        table.set("alias", exp.TableAlias(this=exp.to_identifier(table.name, quoted=True)))
    table.set("this", exp.to_identifier(name))
    table.set("db", None)
    table.set("catalog", None)


def _types(connection: Connection) -> tuple[str, ...]:
    found = _run(connection, "describe t2s_actual", "its outcome")
    return tuple(str(row[1]) for row in found.rows)


def _run(connection: Connection, sql: str, what: str) -> Rows:
    found = duck.run(connection, sql, _MOST_ROWS)
    if isinstance(found, QueryError):
        raise _Failed(f"{what} fails in DuckDB: {duck.first_line(found.message)}")
    return found
