"""What a plan is made of: its measures, its dimensions, the tables that these name."""

from __future__ import annotations

from dbt_t2s.project.schema import Table
from dbt_t2s.query.naming import display_column
from dbt_t2s.query.plan import (
    Agg,
    Average,
    Bucket,
    Col,
    Compare,
    Diff,
    Dim,
    Expr,
    Like,
    Measure,
    Plan,
    Pred,
    Value,
)


def measures_of(plan: Plan) -> tuple[Measure, ...]:
    """Every measure that the plan aggregates, in SELECT, HAVING and ORDER BY."""
    found: list[Measure] = [e for e in plan.select if not isinstance(e, Dim)]
    found += [
        p.left for p in plan.having if isinstance(p, Compare) and not isinstance(p.left, Col | Diff)
    ]
    if plan.order and not isinstance(plan.order.by, Dim):
        found.append(plan.order.by)
    return tuple(found)


def dims_of(plan: Plan) -> tuple[Dim, ...]:
    found: list[Dim] = [e for e in plan.select if isinstance(e, Dim)]
    if plan.order and isinstance(plan.order.by, Dim):
        found.append(plan.order.by)
    if plan.per:
        found.append(plan.per)
    return tuple(found)


def table_of_expression(expression: Expr) -> str:
    """The table a dimension names, empty for the default time and for measures."""
    if isinstance(expression, Col | Diff):
        return expression.table
    if isinstance(expression, Bucket) and isinstance(expression.of, Col):
        return expression.of.table
    if isinstance(expression, Agg):
        return expression.of.table
    return ""


def is_with_average(pred: Pred) -> bool:
    """Whether groups are compared with the average of all groups."""
    return isinstance(pred, Compare) and (pred.right is None or isinstance(pred.right, Average))


def limit_of(plan: Plan) -> str:
    """How many rows, and after how many, as SQL says it."""
    return (plan.limit or "") + (f" offset {plan.skip}" if plan.skip else "")


def names_one_row(plan: Plan, table: Table) -> bool:
    """Whether one row is asked for by its key or name: it is shown, counted or not."""
    display = display_column(table)
    names = {*table.primary_key, *((display.name,) if display else ())}
    for pred in plan.where:
        of: Col | None = None
        if isinstance(pred, Value):
            of = Col(pred.table, pred.column)
        elif isinstance(pred, Compare) and pred.operator == "EQ":
            of = pred.left if isinstance(pred.left, Col) else None
        elif isinstance(pred, Like):
            of = pred.of
        known = of is not None and of.table == table.name
        if known and of and (of.column in names or table.column(of.column).unique):
            return True
    return False
