"""Metrics that only MetricFlow can write (cumulative, conversion, offsets): its SQL, wrapped."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, timedelta

from dateutil.relativedelta import relativedelta

from dbt_t2s.errors import QueryPlanError
from dbt_t2s.project.schema import CompiledMetric, Metric
from dbt_t2s.query.measures import Measures
from dbt_t2s.query.plan import GRAINS, Bucket, Col, Dim, During, MetricRef, Plan, Range, Time
from dbt_t2s.query.predicates import during
from dbt_t2s.query.scope import quote


def compiled_metrics(plan: Plan, measures: Measures) -> tuple[str, ...]:
    """The metrics in the plan's SELECT for which MetricFlow's SQL is all there is."""
    return tuple(
        e.name for e in plan.select if isinstance(e, MetricRef) and not measures.usable(e.name)
    )


def compiled_sql(plan: Plan, metrics: tuple[str, ...], measures: Measures) -> str:
    """One such metric, by at most one dimension, with dates, order and limit around it."""
    dims = [e for e in plan.select if isinstance(e, Dim)]
    if len(metrics) == 1 and not dims and plan.where:
        return _figure(plan, measures.metric(metrics[0]))
    if len(metrics) != 1 or len(dims) > 1 or len(plan.select) != 1 + len(dims):
        raise QueryPlanError(f"metric {metrics[0]!r} can be asked for by one dimension at most")
    if plan.having or plan.per or plan.skip:
        raise QueryPlanError(f"metric {metrics[0]!r} cannot be filtered or ranked by group")
    made = _find(metrics[0], dims[0] if dims else None, measures)
    columns = [made.metric_alias] if not dims else [made.column_alias, made.metric_alias]
    if plan.select and isinstance(plan.select[0], MetricRef):
        columns.reverse()
    listed = ", ".join(quote(c) for c in columns)
    lines = [f"select {listed}", f"from (\n{made.sql}\n) as metric"]
    conditions = [_condition(p, made, metrics[0]) for p in plan.where]
    if conditions:
        lines.append("where " + " and ".join(conditions))
    if plan.order:
        by = made.metric_alias if isinstance(plan.order.by, MetricRef) else made.column_alias
        if not by:
            raise QueryPlanError("the order is by something not selected")
        lines.append(f"order by {quote(by)} {'desc' if plan.order.descending else 'asc'}")
    elif dims and isinstance(dims[0], Bucket):
        lines.append(f"order by {quote(made.column_alias)}")
    if plan.limit:
        lines.append(f"limit {plan.limit}")
    return "\n".join(lines)


def one_period(span: Range, grains: Collection[str]) -> str:
    """The grain (``MONTH``) of which ``span`` is exactly one period; empty where it is none."""
    if not span.start or not span.end:
        return ""
    start, end = date.fromisoformat(span.start), date.fromisoformat(span.end)
    return next((g for g in GRAINS if g in grains and end == _next_period(start, g)), "")


def _next_period(start: date, grain: str) -> date | None:
    """The first day after the period that begins on ``start``; None where none begins there."""
    if grain == "DAY" or (grain == "WEEK" and start.weekday() == 0):
        return start + timedelta(days=1 if grain == "DAY" else 7)
    months = {"MONTH": 1, "QUARTER": 3, "YEAR": 12}.get(grain)
    if months is None or start.day != 1 or (start.month - 1) % months:
        return None
    return start + relativedelta(months=months)


def _figure(plan: Plan, metric: Metric) -> str:
    """The metric over one span of time: what has come together at its end, or its one period."""
    said = plan.where[0]
    if len(plan.select) != 1 or len(plan.where) != 1 or plan.having or plan.order or plan.per:
        raise QueryPlanError(f"metric {metric.name!r} over a time is asked for alone")
    if not isinstance(said, During) or not isinstance(said.of, Time):
        raise QueryPlanError(f"metric {metric.name!r} can be limited in time alone")
    by_grain = {c.grain.upper(): c for c in metric.compiled if c.group_by[:13] == "metric_time__"}
    adds_up = metric.type == "cumulative"
    grain = "DAY" if adds_up and "DAY" in by_grain else one_period(said.range, by_grain)
    if not grain:
        raise QueryPlanError(f"metric {metric.name!r} has no period of that length")
    made = by_grain[grain]
    when = quote(made.column_alias)
    lines = [f"select {quote(made.metric_alias)}", f"from (\n{made.sql}\n) as metric"]
    lines.append(f"where {during(when, said.range)}")
    if adds_up:
        lines += [f"order by {when} desc", "limit 1"]
    return "\n".join(lines)


def _condition(pred: object, made: CompiledMetric, metric: str) -> str:
    if isinstance(pred, During) and isinstance(pred.of, Time) and made.grain:
        return during(quote(made.column_alias), pred.range)
    raise QueryPlanError(f"metric {metric!r} can be limited in time, along time, alone")


def _find(metric: str, dim: Dim | None, measures: Measures) -> CompiledMetric:
    for made in measures.metric(metric).compiled:
        if dim is None and not made.group_by:
            return made
        if isinstance(dim, Bucket) and isinstance(dim.of, Time):
            if made.group_by == f"metric_time__{dim.grain.lower()}":
                return made
        elif isinstance(dim, Col) and (made.table, made.column) == (dim.table, dim.column):
            return made
    raise QueryPlanError(f"MetricFlow does not give {metric!r} by that")
