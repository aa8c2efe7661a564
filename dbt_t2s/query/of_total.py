"""What is made of the rows of a plan: how many there are, which share the first few have of all."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from dbt_t2s.errors import QueryPlanError
from dbt_t2s.query.plan import Plan, is_measure
from dbt_t2s.query.scope import quote


def around_sql(plan: Plan, sql_of: Callable[[Plan], str], alias_of: Callable[[Plan], str]) -> str:
    """One number made of the rows that the plan itself asks for."""
    if plan.of_total:
        return of_total_sql(plan, sql_of, alias_of(plan))
    rows = sql_of(replace(plan, counted=False))
    return f"select count(*) as how_many from (\n{rows}\n) as counted"


def of_total_sql(plan: Plan, sql_of: Callable[[Plan], str], alias: str) -> str:
    """One number: the sum of what ``plan`` orders its rows by over those that it keeps, as a share
    of that over all rows; ``alias`` is the name of it in what ``sql_of`` writes."""
    if plan.order is None or plan.limit is None or plan.per or plan.distinct:
        raise QueryPlanError("a share of the total is that of the first few")
    listed = tuple(e for e in plan.select if e != plan.order.by)
    kept = replace(plan, select=(*listed, plan.order.by), of_total=False)
    # What no row is shown for counts in the total: orders of nobody in particular.
    all_rows = is_measure(plan.order.by) and not plan.having
    select = (plan.order.by,) if all_rows else kept.select
    whole = replace(kept, select=select, order=None, limit=None, skip=None)
    parts = [f"(select sum({quote(alias)}) from (\n{sql_of(each)}\n) as {name})"
             for each, name in ((kept, "the_first"), (whole, "all_of_them"))]  # fmt: skip
    return f"select {parts[0]} * 1.0 / nullif({parts[1]}, 0) as share_of_{alias}"
