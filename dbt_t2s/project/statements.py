"""The project's compiled SQL: what its people already ask of their data."""

from __future__ import annotations

from collections.abc import Sequence

from dbt_t2s import sql
from dbt_t2s.project import meta
from dbt_t2s.project.artifacts import Artifacts, text
from dbt_t2s.project.schema import SavedQuery

# (node id, kind of node, SQL)
Statement = tuple[str, str, str]


def collect(artifacts: Artifacts, saved_queries: Sequence[SavedQuery]) -> tuple[Statement, ...]:
    """The SQL of models, analyses, singular tests and saved queries."""
    found: list[Statement] = []
    for kind in ("model", "snapshot", "analysis", "test"):
        for node in artifacts.nodes(kind):
            # Generic tests are dbt's own SQL, not somebody's question.
            generic = kind == "test" and node.get("test_metadata")
            code = text(node, "compiled_code").strip()
            if (
                code
                and not generic
                and not meta.hidden(node)
                and text(node, "language") in ("", "sql")
            ):
                found.append((text(node, "unique_id"), kind, code))
    found += [(f"saved_query.{q.name}", "saved_query", q.sql) for q in saved_queries if q.sql]
    return tuple(found)


def is_injected(node: sql.exp.Expr) -> bool:
    """Whether dbt put this here: an ephemeral model's SQL, which is a statement of its own."""
    cte = node.find_ancestor(sql.exp.CTE)
    while cte is not None:
        if cte.alias.startswith("__dbt__cte__"):
            return True
        cte = cte.find_ancestor(sql.exp.CTE)
    return False


class Trees:
    """Parse trees and scopes by their text, each read once: all mining is of the same SQL.

    They are shared by everyone who asks: look at them, copy them, do not change them. The last to
    look takes them out (``take``) and may do with them what it likes.
    """

    def __init__(self) -> None:
        self._read: dict[tuple[str, str], sql.exp.Expr | sql.SqlError] = {}
        self._scopes: dict[tuple[str, str], tuple[sql.Scope, ...]] = {}

    def parse(self, code: str, dialect: str) -> sql.exp.Expr:
        """The tree of ``code``; ``SqlError``, each time, where it cannot be read."""
        key = (code, dialect)
        if key not in self._read:
            try:
                self._read[key] = sql.parse_one(code, dialect)
            except sql.SqlError as error:
                self._read[key] = error
        found = self._read[key]
        if isinstance(found, sql.SqlError):
            raise found
        return found

    def scopes(self, code: str, dialect: str) -> tuple[sql.Scope, ...]:
        """A query's scopes, inner ones first and itself last; none where it is no query.

        ``SqlError`` where it cannot be read.
        """
        key = (code, dialect)
        if key not in self._scopes:
            tree = self.parse(code, dialect)
            self._scopes[key] = sql.scopes(tree) if sql.is_select(tree) else ()
        return self._scopes[key]

    def take(self, code: str, dialect: str) -> sql.exp.Expr | None:
        """The tree, forgotten here; None where none was read."""
        key = (code, dialect)
        self._scopes.pop(key, None)
        found = self._read.pop(key, None)
        return found if isinstance(found, sql.exp.Expr) else None
