"""The clauses of one SELECT: what it joins on, filters, groups by and does with dates."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from dbt_t2s import skeletons, sql
from dbt_t2s.sql import exp

_OPERATORS: tuple[tuple[type[exp.Expr], str], ...] = (
    (exp.EQ, "="),
    (exp.NEQ, "<>"),
    (exp.GTE, ">="),
    (exp.GT, ">"),
    (exp.LTE, "<="),
    (exp.LT, "<"),
    (exp.In, "in"),
    (exp.Between, "between"),
    (exp.Like, "like"),
    (exp.ILike, "like"),
)
_TRUNCATIONS = (exp.DateTrunc, exp.TimestampTrunc, exp.DatetimeTrunc, exp.TimeTrunc)
_STEPS = (
    *(exp.DateAdd, exp.DateSub, exp.DateDiff, exp.DatetimeAdd, exp.DatetimeSub, exp.DatetimeDiff),
    *(exp.TimestampAdd, exp.TimestampSub, exp.TimestampDiff, exp.TsOrDsAdd, exp.TsOrDsDiff),
)
_FIELDS = (exp.Year, exp.Quarter, exp.Month, exp.Week, exp.Day, exp.DayOfWeek, exp.DayOfYear)
_NOW = (exp.CurrentDate, exp.CurrentTimestamp, exp.CurrentDatetime)


def says_something(node: exp.Expr) -> bool:
    """Whether a query does more than pass columns on, as dbt's import CTEs do."""
    if not isinstance(node, exp.Select):
        return False
    clauses = ("where", "group", "joins", "having", "qualify", "distinct", "order", "limit")
    return any(node.args.get(clause) for clause in clauses) or any(
        each.find(exp.AggFunc, exp.Window) for each in node.selects
    )


def own(node: exp.Expr) -> Iterator[exp.Expr]:
    """The nodes under ``node``, itself first, without those of queries inside it."""
    pending = [node]  # no recursion: a chain of a thousand ORs is a thousand nodes deep
    while pending:
        one = pending.pop()
        yield one
        pending += [
            child
            for child in one.iter_expressions(reverse=True)
            if not isinstance(child, exp.Query | exp.With)
        ]


def join_conditions(node: exp.Expr) -> list[exp.Expr]:
    """The conditions of a query's joins, one by one."""
    found = [join.args.get("on") for join in node.args.get("joins") or ()]
    return [part for each in found if each is not None for part in sql.all_of(each)]


def comparisons(node: exp.Expr) -> Iterator[tuple[exp.Column, str, str]]:
    """(column, operator, type of value) of what WHERE, HAVING and QUALIFY ask.

    The type is number, text, date, timestamp, boolean, today, column, query or expression, and
    empty for tests for NULL. All sides of an OR are given.
    """
    for clause in ("where", "having", "qualify"):
        given = node.args.get(clause)
        if given is not None:
            yield from _compared(given.this)


def _compared(node: exp.Expr) -> Iterator[tuple[exp.Column, str, str]]:
    node = node.unnest()
    if isinstance(node, exp.And | exp.Or):
        for part in node.flatten():
            yield from _compared(part)
        return
    negated = isinstance(node, exp.Not)
    inner = node.this.unnest() if negated else node
    if isinstance(inner, exp.And | exp.Or):
        yield from _compared(inner)
        return
    operator = _operator(inner, negated)
    if not operator:
        return
    # What a window makes of a column says nothing about the column's values.
    columns = [
        each
        for each in own(inner)
        if isinstance(each, exp.Column) and not each.find_ancestor(exp.Window)
    ]
    left = {id(each) for each in own(inner.this)}
    types = {side: _value_type(inner, side) for side in (True, False)}
    for column in columns:
        yield column, operator, types[id(column) in left]


def _operator(node: exp.Expr, negated: bool) -> str:
    """How a condition compares; empty for conditions that are none of the plain ones."""
    if isinstance(node, exp.Column):
        return "is false" if negated else "is true"
    if isinstance(node, exp.Is):
        return "is not null" if negated else "is null"
    for kind, operator in _OPERATORS:
        if isinstance(node, kind):
            return f"not {operator}" if negated else operator
    return ""


def _value_type(node: exp.Expr, left: bool) -> str:
    """The type of what a column on the left (or right) side of a condition is compared with."""
    if isinstance(node, exp.Column | exp.Is):
        return ""
    if isinstance(node, exp.In):
        values = node.expressions
        return _type(values[0]) if values else "query"
    if isinstance(node, exp.Between):
        return _type(node.args["low"])
    return _type(node.expression if left else node.this)


def _type(node: exp.Expr) -> str:
    node = node.unnest()
    if isinstance(node, exp.Cast) and isinstance(node.this, exp.Literal):
        return skeletons.literal_type(node.this)
    if isinstance(node, exp.Literal):
        return skeletons.literal_type(node)
    if isinstance(node, exp.Neg):
        return _type(node.this)
    if isinstance(node, exp.Boolean):
        return "boolean"
    if isinstance(node, exp.Query):
        return "query"
    if node.find(*_NOW):
        return "today"
    return "column" if node.find(exp.Column) else "expression"


def groupings(node: exp.Expr, nodes: Sequence[exp.Expr]) -> Iterator[exp.Expr]:
    """GROUP BY's expressions, with positions, output names and ALL looked up."""
    group = node.args.get("group")
    if group is None or not isinstance(node, exp.Select):
        return
    keys = list(group.expressions)
    for sets in ("cube", "rollup", "grouping_sets"):
        for each in group.args.get(sets) or ():
            keys += [key for part in each.expressions for key in (part.expressions or [part])]
    if group.args.get("all"):
        keys += [each for each in node.selects if not each.find(exp.AggFunc)]
    outputs = {each.alias: each.unalias() for each in node.selects if isinstance(each, exp.Alias)}
    for key in keys:
        if isinstance(key, exp.Literal) and not key.is_string and key.name.isdigit():
            position = int(key.name)
            key = node.selects[position - 1] if 0 < position <= len(node.selects) else key
        elif isinstance(key, exp.Column) and not key.table and key.name in outputs:
            key = outputs[key.name]
        yield key.unalias()


def dates(nodes: Sequence[exp.Expr]) -> Iterator[tuple[str, exp.Expr | None]]:
    """Date arithmetic: what is done (``DATE_TRUNC month``, ``INTERVAL 3 day``) and to what."""
    for node in nodes:
        unit = node.args.get("unit")
        grain = unit.name.lower() if isinstance(unit, exp.Expr) else ""
        if isinstance(node, _TRUNCATIONS):
            yield f"DATE_TRUNC {grain}", node.this
        elif isinstance(node, exp.Extract):
            yield f"EXTRACT {node.this.name.lower()}", node.expression
        elif isinstance(node, _FIELDS):
            yield f"EXTRACT {node.key}", node.this
        elif isinstance(node, _STEPS):
            yield f"{node.sql_name()} {grain}".rstrip(), node.this
        elif isinstance(node, exp.Interval):
            amount = node.this.name if isinstance(node.this, exp.Literal) else ""
            yield " ".join(f"INTERVAL {amount} {grain}".split()), None
        elif isinstance(node, _NOW):
            yield node.sql_name(), None


def conditions(node: exp.Expr, nodes: Sequence[exp.Expr]) -> Iterator[exp.Expr]:
    """The conditions that rows are chosen by: of WHERE, and of aggregates over some rows only."""
    where = node.args.get("where")
    if where is not None:
        yield from sql.all_of(where.this)
    for each in nodes:
        if isinstance(each, exp.Filter) and isinstance(each.expression, exp.Where):
            yield from sql.all_of(each.expression.this)
        elif isinstance(each, exp.CountIf) or (
            isinstance(each, exp.If) and each.find_ancestor(exp.AggFunc)
        ):
            yield from sql.all_of(each.this)
