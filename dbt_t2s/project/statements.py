"""The project's compiled SQL: what its people already ask of their data."""

from __future__ import annotations

from collections.abc import Sequence

from dbt_t2s.project import meta
from dbt_t2s.project.artifacts import Artifacts, text
from dbt_t2s.project.schema import SavedQuery


def collect(
    artifacts: Artifacts, saved_queries: Sequence[SavedQuery]
) -> tuple[tuple[str, str, str], ...]:
    """(node id, kind, SQL) of models, analyses, singular tests and saved queries."""
    found: list[tuple[str, str, str]] = []
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
