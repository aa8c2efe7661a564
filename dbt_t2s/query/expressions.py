"""The project's own SQL fragments (metric expressions, rule predicates) made ready for a scope."""

from __future__ import annotations

from dbt_t2s import sql
from dbt_t2s.errors import QueryPlanError
from dbt_t2s.query.scope import marked


def mark_columns(fragment: str, dialect: str, table: str = "") -> str:
    """``fragment`` in DuckDB's SQL, every column carrying its table's mark.

    Bare columns belong to ``table``; QueryPlanError where the fragment cannot be read.
    """

    def place(node: sql.exp.Expr) -> sql.exp.Expr:
        if not isinstance(node, sql.exp.Column):
            return node
        owner = node.table or table
        name = sql.exp.to_identifier(node.name, quoted=sql.quote(node.name, "duckdb") != node.name)
        return sql.exp.Column(this=name, table=sql.exp.to_identifier(marked(owner), quoted=False))

    try:
        return sql.to_sql(sql.parse_one(fragment, dialect).transform(place), "duckdb")
    except sql.SqlError as error:
        raise QueryPlanError(f"cannot read {fragment!r}: {error}") from error
