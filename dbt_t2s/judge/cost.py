"""What a statement costs, by DuckDB's plan for it."""

from __future__ import annotations

import json
from collections.abc import Iterator

from dbt_t2s.duck import Execute, QueryError, Rows
from dbt_t2s.judge.outcomes import Cost
from dbt_t2s.judge.sandbox import Sandbox
from dbt_t2s.sql import SqlError, transpile

_ROWS = "Estimated Cardinality"


def cost_of(sql: str, ran: Rows, explain: Execute) -> Cost | None:
    """The cost of a statement that gave ``ran``; None where there is no plan for it.

    ``explain`` gives the rows of ``EXPLAIN (FORMAT json)`` for a statement.
    """
    explained = explain(sql)
    if isinstance(explained, QueryError) or not explained.rows:
        return None
    try:
        plan = json.loads(str(explained.rows[0][-1]))
    except ValueError:
        return None
    return Cost(sum(_estimates(plan)), ran.elapsed_ms)


def _estimates(plan: object) -> Iterator[int]:
    """The estimate of each operator of a plan."""
    for node in plan if isinstance(plan, list) else [plan]:
        if not isinstance(node, dict):
            continue
        extra = node.get("extra_info")
        shown = extra.get(_ROWS) if isinstance(extra, dict) else None
        if isinstance(shown, str) and shown.isdecimal():
            yield int(shown)
        yield from _estimates(node.get("children", []))


def explained(sandbox: Sandbox, sql: str) -> Rows | QueryError:
    """The plan of a statement that has run: it passed the sandbox's checks before."""
    try:
        text = sql if sandbox.dialect == "duckdb" else transpile(sql, sandbox.dialect, "duckdb")
    except SqlError as error:
        return QueryError("parse", str(error))
    return sandbox.execute_trusted(f"explain (format json) {text}")
