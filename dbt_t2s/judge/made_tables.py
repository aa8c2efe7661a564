"""Generated rows as a table of DuckDB, with the expressions that tests want to hold."""

from __future__ import annotations

from collections.abc import Sequence

from dbt_t2s import duck
from dbt_t2s import sql as language
from dbt_t2s.duck import Connection, QueryError
from dbt_t2s.judge.fact_checks import transpiled
from dbt_t2s.judge.generated import Row
from dbt_t2s.judge.table_bounds import TableBounds
from dbt_t2s.sql import exp

_AT_ONCE = 200
_ORDERS = (exp.GT, exp.GTE, exp.LT, exp.LTE)


def create(
    connection: Connection, target: str, table: TableBounds, rows: Sequence[Row], dialect: str
) -> str:
    """Makes the table ``target`` (quoted); why that failed, empty if it did not."""
    listed = ", ".join(f"{duck.quoted(each.name)} {each.type}" for each in table.columns)
    statements = [f"create or replace table {target} ({listed})"]
    names = [f"c{n}" for n in range(len(table.columns))]
    picked = ", ".join(
        f"try_cast({name} as {each.type})" for name, each in zip(names, table.columns, strict=True)
    )
    for start in range(0, len(rows), _AT_ONCE):
        values = ", ".join(
            f"({', '.join(_text(value) for value in row)})"
            for row in rows[start : start + _AT_ONCE]
        )
        source = f"(values {values}) as made({', '.join(names)})"
        statements.append(f"insert into {target} select {picked} from {source}")
    for statement in statements:
        made = duck.run(connection, statement)
        if isinstance(made, QueryError):
            return duck.first_line(made.message)
    for expression in table.expressions:
        _hold(connection, target, expression, dialect)
    return ""


def keep(connection: Connection, target: str, kind: str) -> bool:
    """Makes a table of ``target`` (quoted), a table or view, if it has rows, else drops it.

    A view is worked out now: later its SQL could read what is no longer as it was.
    """
    found = duck.run(connection, f"select 1 from {target} limit 1")
    if isinstance(found, QueryError) or not found.rows:
        connection.execute(f"drop {kind} {target}")
        return False
    if kind == "view":
        connection.execute(f"create temp table t2s_kept as select * from {target}")
        connection.execute(f"drop view {target}")
        connection.execute(f"create table {target} as select * from t2s_kept")
        connection.execute("drop table t2s_kept")
    return True


def _text(value: object) -> str:
    """Every value as text, so that the columns of VALUES have one type; casts make the others."""
    if value is None:
        return "cast(null as varchar)"
    written = str(value).lower() if isinstance(value, bool) else str(value)
    return "'" + written.replace("'", "''") + "'"


def _hold(connection: Connection, target: str, expression: str, dialect: str) -> None:
    """Changes the rows that break an expression, else drops them if others stay.

    What does not work is left: the check on the finished table says so.
    """
    try:
        written = transpiled(expression, dialect)
        change = _change(language.parse_one(written, "duckdb"))
    except language.SqlError:
        return
    if change:
        duck.run(connection, f"update {target} set {change} where not ({written})")
    left = duck.run(connection, f"select count(*) from {target} where ({written}) is not false")
    if not isinstance(left, QueryError) and left.rows[0][0]:
        duck.run(connection, f"delete from {target} where not ({written})")


def _change(tree: exp.Expr) -> str:
    """The SET that makes an equation of one column, or an order of two columns, hold."""
    node = tree.unnest()
    if isinstance(node, exp.EQ):
        # Adding keeps amounts positive, so that is tried before taking away.
        plain = [
            f"{duck.quoted(own.name)} = {language.to_sql(other, 'duckdb')}"
            for own, other in ((node.left, node.right), (node.right, node.left))
            if isinstance(own, exp.Column)
        ]
        sums = [each for each in plain if " - " not in each]
        return next(iter((*sums, *_solved(node), *plain)), "")
    if isinstance(node, _ORDERS) and isinstance(node.left, exp.Column):
        other = node.right
        if isinstance(other, exp.Column):
            a, b = duck.quoted(node.left.name), duck.quoted(other.name)
            return f"{a} = {b}, {b} = {a}"
    return ""


def _solved(equation: exp.EQ) -> tuple[str, ...]:
    """``a - b = c`` solved for ``a``, where ``a`` stands first in a chain of + and -."""
    found: list[str] = []
    for here, there in (
        (equation.left, equation.right),
        (equation.right, equation.left),
    ):
        other = there.copy()
        while isinstance(here, exp.Add | exp.Sub):
            turned = exp.Sub if isinstance(here, exp.Add) else exp.Add
            other = turned(this=exp.paren(other), expression=exp.paren(here.right.copy()))
            here = here.left
        if isinstance(here, exp.Column) and other != there:
            found.append(f"{duck.quoted(here.name)} = {language.to_sql(other, 'duckdb')}")
    return tuple(found)
