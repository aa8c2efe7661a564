"""Gold conditions as predicates: what a column is compared with, and what must exist elsewhere."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import Protocol

from dbt_t2s.project.schema import Column, Kind, ProjectSchema
from dbt_t2s.query.plan import (
    Agg,
    Col,
    Compare,
    Count,
    Flag,
    Like,
    Measure,
    Not,
    Null,
    Or,
    Pred,
    Value,
)
from dbt_t2s.sql import exp
from tests.tools.pretrain.source import NotConvertedError, Source

OPERATORS: dict[type[exp.Expr], str] = {
    exp.EQ: "EQ",
    exp.NEQ: "NE",
    exp.GT: "GT",
    exp.GTE: "GE",
    exp.LT: "LT",
    exp.LTE: "LE",
}
_MIRRORED = {"GT": "LT", "GE": "LE", "LT": "GT", "LE": "GE", "EQ": "EQ", "NE": "NE"}
_AGGREGATES: dict[type[exp.Expr], str] = {
    exp.Sum: "SUM",
    exp.Avg: "AVG",
    exp.Min: "MIN",
    exp.Max: "MAX",
}
_TRUE = frozenset({"1", "t", "true", "yes", "y"})
_FALSE = frozenset({"0", "f", "false", "no", "n"})


class Member(Protocol):
    """Reads ``column IN (SELECT …)``; the converter's own, since it needs whole SELECTs."""

    def __call__(
        self, of: Col, query: exp.Expr, source: Source, negated: bool
    ) -> tuple[Pred, ...]: ...


def column_of(schema: ProjectSchema, of: Col) -> Column:
    return schema.table(of.table).column(of.column)


def number(node: exp.Expr) -> str:
    """A literal as the plan writes numbers."""
    if isinstance(node, exp.Neg):
        return "-" + number(node.this)
    if not isinstance(node, exp.Literal):
        raise NotConvertedError("a comparison with something other than a number")
    try:
        value = Decimal(node.name.strip().replace(",", ""))
    except InvalidOperation as error:
        raise NotConvertedError("text compared with a number column") from error
    text = format(value.normalize(), "f")
    return text if "." not in text else text.rstrip("0").rstrip(".")


def measure(node: exp.Expr, source: Source, schema: ProjectSchema, finest: str) -> Measure:
    """An aggregate of the gold as a measure."""
    inner = node.this
    if isinstance(node, exp.Count):
        if isinstance(inner, exp.Distinct):
            return _distinct(inner, source, schema)
        if not isinstance(inner, exp.Star):
            source.column(inner)
        return Count(finest)
    function = _AGGREGATES.get(type(node))
    if function is None:
        raise NotConvertedError("an expression that is no measure")
    of = source.column(inner)
    kind = column_of(schema, of).kind
    if kind is not Kind.NUMBER and (function in ("SUM", "AVG") or kind is Kind.TEXT):
        raise NotConvertedError("an aggregate of a column that is no number")
    return Agg(function, of)


def _distinct(node: exp.Distinct, source: Source, schema: ProjectSchema) -> Measure:
    if len(node.expressions) != 1:
        raise NotConvertedError("a count of several columns")
    if isinstance(node.expressions[0], exp.Star):
        raise NotConvertedError("count(distinct *)")
    of = source.column(node.expressions[0])
    if schema.table(of.table).primary_key == (of.column,):
        return Count(of.table)
    return Agg("COUNT_DISTINCT", of)


def is_aggregate(node: exp.Expr) -> bool:
    return isinstance(node, exp.AggFunc)


def predicates(
    node: exp.Expr, source: Source, schema: ProjectSchema, member: Member
) -> tuple[Pred, ...]:
    """One conjunct of the gold's WHERE as predicates that must all hold."""
    node = node.unnest()
    negated = isinstance(node, exp.Not)
    if negated:
        node = node.this.unnest()
    if isinstance(node, exp.In) and node.args.get("query") is not None:
        return member(source.column(node.this), node.args["query"], source, negated)
    if isinstance(node, exp.Between):
        found = _between(node, source, schema)
        if negated:
            raise NotConvertedError("NOT BETWEEN")
        return found
    if isinstance(node, exp.And):
        raise NotConvertedError("an AND inside an OR or NOT")
    made = _single(node, source, schema, member)
    return (Not(made) if negated else made,)


def _single(node: exp.Expr, source: Source, schema: ProjectSchema, member: Member) -> Pred:
    if isinstance(node, exp.Or):
        return Or(*(_one(side, source, schema, member) for side in (node.this, node.expression)))
    if isinstance(node, exp.Like):
        return _like(node, source, schema)
    if isinstance(node, exp.Is) and isinstance(node.expression, exp.Null):
        return Null(source.column(node.this))
    if isinstance(node, exp.In):
        of = source.column(node.this)
        found = [_equals(of, literal, schema) for literal in node.expressions]
        chained = found[-1]
        for each in reversed(found[:-1]):
            chained = Or(each, chained)
        return chained
    if type(node) in OPERATORS:
        return _comparison(node, source, schema)
    raise NotConvertedError("a condition of another kind")


def _one(node: exp.Expr, source: Source, schema: ProjectSchema, member: Member) -> Pred:
    found = predicates(node, source, schema, member)
    if len(found) != 1:
        raise NotConvertedError("an AND inside an OR or NOT")
    return found[0]


def _between(node: exp.Between, source: Source, schema: ProjectSchema) -> tuple[Pred, ...]:
    of = source.column(node.this)
    if column_of(schema, of).kind is not Kind.NUMBER:
        raise NotConvertedError("a range of dates or text")
    low, high = number(node.args["low"]), number(node.args["high"])
    return (Compare("GE", of, low), Compare("LE", of, high))


def _like(node: exp.Like, source: Source, schema: ProjectSchema) -> Pred:
    of, pattern = source.column(node.this), node.expression
    if not isinstance(pattern, exp.Literal) or column_of(schema, of).kind is not Kind.TEXT:
        raise NotConvertedError("LIKE on something other than text")
    text = pattern.name
    inside = text.strip("%")
    if not (text.startswith("%") and text.endswith("%")):
        raise NotConvertedError("LIKE at the start or end alone")
    if not inside.strip() or "%" in inside or "_" in inside:
        raise NotConvertedError("LIKE with a pattern")
    return Like(of, inside.strip())


def _comparison(node: exp.Expr, source: Source, schema: ProjectSchema) -> Pred:
    operator = OPERATORS[type(node)]
    left, right = node.this, node.expression
    if isinstance(left, exp.Literal):
        left, right, operator = right, left, _MIRRORED[operator]
    of = source.column(left)
    if isinstance(right, exp.Subquery):
        return _against_average(of, operator, right.unnest(), source)
    if operator in ("EQ", "NE"):
        equal = _equals(of, right, schema)
        if operator == "EQ":
            return equal
        return Compare("NE", of, equal.right) if isinstance(equal, Compare) else _not(equal)
    if column_of(schema, of).kind is not Kind.NUMBER:
        raise NotConvertedError("a range of dates or text")
    return Compare(operator, of, number(right))


def _not(pred: Pred) -> Pred:
    return pred.of if isinstance(pred, Not) else Not(pred)


def _equals(of: Col, literal: exp.Expr, schema: ProjectSchema) -> Pred:
    column = column_of(schema, of)
    if column.kind is Kind.NUMBER:
        return Compare("EQ", of, number(literal))
    if not isinstance(literal, exp.Literal | exp.Boolean):
        raise NotConvertedError("a comparison with something other than a literal")
    said = literal.name.strip() if isinstance(literal, exp.Literal) else str(literal.this)
    if column.kind is Kind.BOOLEAN:
        if said.lower() in _TRUE:
            return Flag(of)
        if said.lower() in _FALSE:
            return Not(Flag(of))
        raise NotConvertedError("a flag compared with something else")
    if column.kind in (Kind.DATE, Kind.TIMESTAMP):
        raise NotConvertedError("a date compared with a literal")
    spelled = next((v for v in column.values if v.lower() == said.lower()), None)
    if spelled is None:
        raise NotConvertedError("a literal that is not among the column's values")
    return Value(of.table, of.column, spelled)


def _against_average(of: Col, operator: str, query: exp.Expr, source: Source) -> Pred:
    """``col > (SELECT avg(col) FROM its table)``."""
    if not isinstance(query, exp.Select) or set(_clauses(query)) - {"from_", "expressions"}:
        raise NotConvertedError("a comparison with a subquery")
    start = query.args["from_"].this
    average = query.expressions[0].unalias()
    if not isinstance(average, exp.Avg) or not isinstance(start, exp.Table):
        raise NotConvertedError("a comparison with a subquery")
    inner = Source(source.names, {start.alias_or_name.lower(): source.names.table(start.name)})
    if inner.column(average.this) != of:
        raise NotConvertedError("a comparison with a subquery")
    return Compare(operator, of, None)


def superlative(node: exp.Expr, source: Source) -> tuple[Col, bool] | None:
    """The column and whether its greatest is wanted, in ``col = (SELECT max(col) FROM …)``."""
    if not isinstance(node, exp.EQ) or not isinstance(node.expression, exp.Subquery):
        return None
    query = node.expression.unnest()
    if not isinstance(query, exp.Select) or set(_clauses(query)) - {"from_", "expressions"}:
        return None
    extreme, start = query.expressions[0].unalias(), query.args["from_"].this
    if not isinstance(extreme, exp.Max | exp.Min) or not isinstance(start, exp.Table):
        return None
    of = source.column(node.this)
    inner = Source(source.names, {start.alias_or_name.lower(): source.names.table(start.name)})
    return (of, isinstance(extreme, exp.Max)) if inner.column(extreme.this) == of else None


def _clauses(select: exp.Select) -> list[str]:
    return [name for name, value in select.args.items() if value]
