"""Conditions in SQL as predicates: what a column is compared with, what must exist elsewhere."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import Protocol

from dbt_t2s.project.schema import Column, Kind, ProjectSchema
from dbt_t2s.query.plan import (
    Col,
    Compare,
    Diff,
    Flag,
    Like,
    Not,
    Null,
    Or,
    Pred,
    Value,
)
from dbt_t2s.query.sql_averages import against_average
from dbt_t2s.query.sql_dates import date_condition
from dbt_t2s.query.sql_source import NotConvertedError, Source
from dbt_t2s.sql import all_of, exp

OPERATORS: dict[type[exp.Expr], str] = {
    exp.EQ: "EQ",
    exp.NEQ: "NE",
    exp.GT: "GT",
    exp.GTE: "GE",
    exp.LT: "LT",
    exp.LTE: "LE",
}
_MIRRORED = {"GT": "LT", "GE": "LE", "LT": "GT", "LE": "GE", "EQ": "EQ", "NE": "NE"}
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


def row(node: exp.Expr, source: Source, schema: ProjectSchema) -> Col | Diff:
    """What one row says: a column, or what one has more than another."""
    node = node.unnest()
    if isinstance(node, exp.Column):
        return source.column(node)
    left = right = None
    if isinstance(node, exp.Sub):
        left, right = node.this.unnest(), node.expression.unnest()
    elif isinstance(node, exp.DateDiff) and node.text("unit").upper() == "DAY":
        left, right = (_uncast(n) for n in (node.this, node.expression))
    if not isinstance(left, exp.Column) or not isinstance(right, exp.Column):
        raise NotConvertedError("an expression where a column is needed")
    first, second = source.column(left), source.column(right)
    if first.table != second.table:
        raise NotConvertedError("a difference between columns of two tables")
    return Diff(first, second)


def _uncast(node: exp.Expr) -> exp.Expr:
    return node.this.unnest() if isinstance(node, exp.Cast) else node.unnest()


def predicates(
    node: exp.Expr, source: Source, schema: ProjectSchema, member: Member
) -> tuple[Pred, ...]:
    """One conjunct of a WHERE as predicates that must all hold."""
    node = node.unnest()
    negated = isinstance(node, exp.Not)
    if negated:
        node = node.this.unnest()
    if isinstance(node, exp.In) and node.args.get("query") is not None:
        return member(source.column(node.this), node.args["query"], source, negated)
    if isinstance(node, exp.Exists):
        return _exists(node, source, member, negated)
    if isinstance(node, exp.EQ) and _is_looked_up(node.expression):
        return member(source.column(node.this), node.expression, source, negated)
    said = date_condition(node, source, schema)
    if said is not None:
        return (Not(said) if negated else said,)
    if isinstance(node, exp.Between):
        found = _between(node, source, schema)
        if negated:
            raise NotConvertedError("NOT BETWEEN")
        return found
    if isinstance(node, exp.And):
        raise NotConvertedError("an AND inside an OR or NOT")
    made = _single(node, source, schema, member)
    return (_not(made) if negated else made,)


def _is_looked_up(node: exp.Expr) -> bool:
    """Whether it is the key of a row found by conditions: ``= (SELECT id FROM … WHERE …)``."""
    query = node.unnest() if isinstance(node, exp.Subquery) else node
    if not isinstance(query, exp.Select) or len(query.expressions) != 1:
        return False
    return isinstance(query.expressions[0].unalias(), exp.Column) and bool(query.args.get("where"))


def _exists(node: exp.Exists, source: Source, member: Member, negated: bool) -> tuple[Pred, ...]:
    """EXISTS over rows that are joined to those outside by one equality, as an IN."""
    query = node.this.unnest()
    if not isinstance(query, exp.Select) or not query.args.get("where"):
        raise NotConvertedError("EXISTS over rows that nothing joins")
    kept: list[exp.Expr] = []
    links: list[tuple[exp.Expr, exp.Expr]] = []
    for part in all_of(query.args["where"].this):
        sides = [part.this, part.expression] if isinstance(part, exp.EQ) else []
        outer = [s for s in sides if isinstance(s, exp.Column) and _is_of(s, source, query)]
        if len(outer) == 1:
            links.append((outer[0], sides[1] if outer[0] is sides[0] else sides[0]))
        else:
            kept.append(part)
    if len(links) != 1:
        raise NotConvertedError("EXISTS over rows that no single column joins")
    outside, inside = links[0]
    inner = query.copy()
    inner.set("expressions", [inside.copy()])
    inner.set("where", exp.Where(this=exp.and_(*kept, copy=True)) if kept else None)
    return member(source.column(outside), inner, source, negated)


def _is_of(column: exp.Column, source: Source, query: exp.Select) -> bool:
    """Whether a column of EXISTS names a table outside it."""
    own = {table.alias_or_name.lower() for table in query.find_all(exp.Table)}
    return column.table.lower() in source.aliases and column.table.lower() not in own


def _single(node: exp.Expr, source: Source, schema: ProjectSchema, member: Member) -> Pred:
    if isinstance(node, exp.Or):
        return Or(*(_one(side, source, schema, member) for side in (node.this, node.expression)))
    if isinstance(node, exp.Like):
        return _like(node, source, schema)
    if isinstance(node, exp.Is) and isinstance(node.expression, exp.Null):
        return Null(source.column(node.this))
    if isinstance(node, exp.Column):
        return _flag(source.column(node), schema)
    if isinstance(node, exp.Is) and isinstance(node.expression, exp.Boolean):
        found = _flag(source.column(node.this), schema)
        return found if node.expression.this else Not(found)
    if isinstance(node, exp.ILike):
        return _like(node, source, schema)
    if isinstance(node, exp.In):
        of = source.column(node.this)
        listed = [_equals(of, literal, schema) for literal in node.expressions]
        chained = listed[-1]
        for each in reversed(listed[:-1]):
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


def _like(node: exp.Like | exp.ILike, source: Source, schema: ProjectSchema) -> Pred:
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
    if isinstance(right, exp.Column):
        return _columns(operator, source.column(left), source.column(right))
    of = row(left, source, schema)
    if isinstance(of, Diff):
        return Compare(operator, of, number(right))
    if isinstance(right, exp.Subquery):
        return against_average(of, operator, right.unnest(), source)
    if operator in ("EQ", "NE"):
        equal = _equals(of, right, schema)
        if operator == "EQ":
            return equal
        return Compare("NE", of, equal.right) if isinstance(equal, Compare) else _not(equal)
    if column_of(schema, of).kind is not Kind.NUMBER:
        raise NotConvertedError("a range of dates or text")
    return Compare(operator, of, number(right))


def _columns(operator: str, left: Col, right: Col) -> Pred:
    if left.table != right.table:
        raise NotConvertedError("a comparison of columns of two tables")
    return Compare(operator, left, right)


def _flag(of: Col, schema: ProjectSchema) -> Pred:
    if column_of(schema, of).kind is not Kind.BOOLEAN:
        raise NotConvertedError("a condition that is no flag")
    return Flag(of)


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
    if spelled is None and column.values_complete:
        raise NotConvertedError("a literal that is not among the column's values")
    if spelled is None:
        # Models write text that is no known value as something to search for.
        return Like(of, said)
    return Value(of.table, of.column, spelled)
