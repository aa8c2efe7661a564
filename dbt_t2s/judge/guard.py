"""The first wall: what a statement says, read before anything runs it.

It gives clear messages and turns the project's dialect into DuckDB's. The worker decides again on
DuckDB's own parse tree (``tree``), because two parsers may read one text differently.
"""

from __future__ import annotations

from collections.abc import Iterator

from dbt_t2s import sql as language
from dbt_t2s.duck import QueryError
from dbt_t2s.judge.functions import is_allowed
from dbt_t2s.judge.relations import Allowed
from dbt_t2s.sql import exp

# Statements and clauses that no question needs, wherever in the tree they stand.
_FORBIDDEN = (
    exp.DML,
    exp.DDL,
    exp.Command,
    exp.Pragma,
    exp.Set,
    exp.Use,
    exp.Attach,
    exp.Detach,
    exp.Copy,
    exp.Describe,
    exp.Summarize,
    exp.Show,
    exp.Transaction,
    exp.Commit,
    exp.Rollback,
    exp.Alter,
    exp.Drop,
    exp.TruncateTable,
    exp.Merge,
    exp.Cache,
    exp.Kill,
    exp.Into,
    exp.Lock,
    exp.Parameter,
    exp.Placeholder,
    exp.SessionParameter,
)
_QUERIES = (exp.Select, exp.SetOperation, exp.Subquery)
# exp.Func in sqlglot's eyes, syntax in everyone else's.
_SYNTAX = (
    exp.Connector,
    exp.Case,
    exp.If,
    exp.Cast,
    exp.Binary,
    exp.Predicate,
    exp.SubqueryPredicate,
)


def check_sql(
    text: str, allowed: Allowed, dialect: str = "duckdb", max_length: int = 10_000
) -> str | QueryError:
    """The DuckDB statement to run, or why none may run."""
    if len(text) > max_length:
        return QueryError("forbidden", f"the statement is longer than {max_length:,} characters")
    if "\x00" in text:
        return QueryError("parse", "the statement holds a NUL character")
    try:
        node = language.parse_one(text, dialect)
        refused = next(_objections(node, allowed if dialect == "duckdb" else None), None)
        if refused is not None:
            return QueryError("forbidden", refused)
        # DuckDB gets the text as it was written: printing it anew could change what it means.
        return text if dialect == "duckdb" else language.to_sql(node, "duckdb")
    except language.SqlError as error:
        many = "more than one statement" in str(error) or "cannot read a" in str(error)
        return QueryError("forbidden" if many else "parse", str(error))
    except RecursionError:
        return QueryError("forbidden", "the statement is nested too deeply")


def _objections(node: exp.Expr, allowed: Allowed | None) -> Iterator[str]:
    """Every reason against the statement; relations are left out when ``allowed`` is None."""
    if not isinstance(node, _QUERIES) or not language.is_select(node):
        yield f"only a SELECT may run, not {_plain(node)}"
    ctes = {each.alias.lower() for each in node.find_all(exp.CTE)}
    for each in language.walk(node):
        if isinstance(each, _FORBIDDEN) and not isinstance(each, _QUERIES):
            yield f"{_plain(each)} is not allowed"
        elif isinstance(each, exp.Table):
            yield from _table_objections(each, allowed, ctes)
        elif isinstance(each, exp.Func) and not isinstance(each, _SYNTAX):
            yield from _function_objections(_names(each))


def _table_objections(table: exp.Table, allowed: Allowed | None, ctes: set[str]) -> Iterator[str]:
    if isinstance(table.this, exp.Func) or allowed is None:
        return
    parts = tuple(part.name for part in table.parts)
    if len(parts) == 1 and parts[0].lower() in ctes:
        return
    if not allowed.permits(parts):
        yield f"the table {'.'.join(parts)} is not one of the queryable tables"


def _function_objections(names: tuple[str, ...]) -> Iterator[str]:
    if not any(is_allowed(name) for name in names):
        yield f"the function {names[0]} is not allowed"


def _names(function: exp.Func) -> tuple[str, ...]:
    if isinstance(function, exp.Anonymous | exp.AnonymousAggFunc):
        return (function.name,)
    return tuple(name.lower() for name in function.sql_names())


def _plain(node: exp.Expr) -> str:
    return type(node).__name__.upper()
