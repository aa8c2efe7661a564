"""What a statement costs, by DuckDB's plan for it."""

from __future__ import annotations

import json
from collections.abc import Iterator

from dbt_t2s.duck import Execute, QueryError, Rows
from dbt_t2s.judge.outcomes import Cost

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
