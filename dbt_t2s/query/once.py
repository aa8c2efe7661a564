"""One number is given once: no row count beside a metric that counts these rows.

A network that is not sure which of the two is meant now and then gives both. Of 108,600 questions
written about invented projects one asks for both, and says "all".
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from dbt_t2s.project.schema import Measure, ProjectSchema
from dbt_t2s.query.plan import Agg, Col, Count, Expr, MetricRef, Plan

_ALL = re.compile(r"\b(?:all|altogether|overall|total)\b", re.IGNORECASE)


def given_once(plan: Plan, text: str, schema: ProjectSchema) -> Plan:
    """``plan`` without aggregates that a metric beside them gives under its own filter; as it is
    where ``text`` asks for all there is, which may be another number."""
    if _ALL.search(text):
        return plan
    measures = _measured(plan, schema)
    select = tuple(each for each in plan.select if not _is_given(each, measures, schema))
    by_given = plan.order is not None and _is_given(plan.order.by, measures, schema)
    return plan if by_given else replace(plan, select=tuple(dict.fromkeys(select)))


def _measured(plan: Plan, schema: ProjectSchema) -> list[Measure]:
    named = {each.name for each in plan.select if isinstance(each, MetricRef)}
    return [m.measure for m in schema.metrics if m.name in named and m.measure is not None]


def _is_given(each: Expr, measures: Sequence[Measure], schema: ProjectSchema) -> bool:
    match each:
        case Count(table):
            return any(m.table == table and _counts_rows(m, schema) for m in measures)
        case Agg(function, Col(table, column)):
            wanted = (table, function.lower(), column)
            return any((m.table, m.aggregation, m.expression) == wanted for m in measures)
    return False


def _counts_rows(measure: Measure, schema: ProjectSchema) -> bool:
    if measure.aggregation == "count":
        return True
    key = schema.table(measure.table).primary_key
    return measure.aggregation == "count_distinct" and key == (measure.expression,)
