"""Nothing is counted by itself: the number of products sold, by product, is one for each.

A network that takes "top products by quantity sold" for such a number has misread what is sold. No
plan written for 125,000 questions counts the rows that it names one by one.
"""

from __future__ import annotations

from dbt_t2s.project.schema import ProjectSchema
from dbt_t2s.query.naming import display_column, is_shared_name
from dbt_t2s.query.plan import Agg, Col, Count, Expr, MetricRef, Plan


def counts_itself(plan: Plan, schema: ProjectSchema) -> bool:
    """Whether what the plan counts is what each of its groups is one of."""
    shown = {each.table for each in plan.select if isinstance(each, Col) and _names(each, schema)}
    measured = [*plan.select, *([plan.order.by] if plan.order else [])]
    return any(_counted(each, schema) in shown for each in measured)


def _names(column: Col, schema: ProjectSchema) -> bool:
    """Whether the column tells the rows of its table apart."""
    table = schema.table(column.table)
    display = display_column(table)
    named = display is not None and display.name == column.column
    alone = (column.column,) == table.primary_key or table.column(column.column).unique
    return alone or (named and not is_shared_name(table, column.column))


def _counted(expression: Expr, schema: ProjectSchema) -> str:
    """The table whose rows are counted, each once; empty where none is."""
    match expression:
        case Count(table):
            return table
        case Agg("COUNT_DISTINCT", Col(table, column)):
            return _key_of(table, column, schema)
        case MetricRef(name):
            measures = [m.measure for m in schema.metrics if m.name == name and m.measure]
            for measure in measures:
                if measure.aggregation == "count_distinct":
                    return _key_of(measure.table, measure.expression, schema)
    return ""


def _key_of(table: str, column: str, schema: ProjectSchema) -> str:
    """The table that the column is a key of: its own, or one that it points at."""
    if schema.table(table).primary_key == (column,):
        return table
    edges = [j for j in schema.joins if j.table == table and j.columns == (column,)]
    return edges[0].to_table if edges else ""
