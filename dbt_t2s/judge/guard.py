"""Statements of another dialect than DuckDB's: what may be said in it, and what it means in DuckDB.

Refused here are statements and clauses that would do harm in the project's own warehouse and that a
translation might leave out. Which functions and relations a translation may use, and whether it may
run, is decided on DuckDB's own parse tree (``tree``).

Run it under limits alone: some functions' translations repeat their arguments, so that fourteen
calls within each other take gigabytes.
"""

from __future__ import annotations

from collections.abc import Iterator

from dbt_t2s import sql as language
from dbt_t2s.duck import QueryError
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


def translated(text: str, dialect: str) -> str | QueryError:
    """The DuckDB statement for a SELECT in ``dialect``, or why there is none."""
    try:
        node = language.parse_one(text, dialect)
        refused = next(_objections(node), None)
        if refused is not None:
            return QueryError("forbidden", refused)
        return language.to_sql(node, "duckdb")
    except language.SqlError as error:
        many = "more than one statement" in str(error) or "cannot read a" in str(error)
        return QueryError("forbidden" if many else "parse", str(error))


def _objections(node: exp.Expr) -> Iterator[str]:
    if not isinstance(node, _QUERIES) or not language.is_select(node):
        yield f"only a SELECT may run, not {_plain(node)}"
    for each in language.walk(node):
        if isinstance(each, _FORBIDDEN) and not isinstance(each, _QUERIES):
            yield f"{_plain(each)} is not allowed"


def _plain(node: exp.Expr) -> str:
    return type(node).__name__.upper()
