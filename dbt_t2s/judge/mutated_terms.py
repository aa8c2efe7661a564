"""Mistakes inside expressions: aggregates, comparisons, literals, columns, AND for OR, NOT."""

from __future__ import annotations

import calendar
from collections.abc import Iterator
from datetime import date

from dbt_t2s import sql as language
from dbt_t2s.judge.sources import Known, Sources
from dbt_t2s.project.schema import Role
from dbt_t2s.sql import exp

Change = tuple[str, exp.Expr | None]

_OTHER_AGGREGATE: dict[type[exp.Expr], type[exp.Expr]] = {
    exp.Sum: exp.Avg,
    exp.Avg: exp.Sum,
    exp.Min: exp.Max,
    exp.Max: exp.Min,
    exp.Median: exp.Avg,
}
_OTHER_COMPARISON: dict[type[exp.Expr], type[exp.Expr]] = {
    exp.LT: exp.LTE,
    exp.LTE: exp.LT,
    exp.GT: exp.GTE,
    exp.GTE: exp.GT,
    exp.EQ: exp.NEQ,
    exp.NEQ: exp.EQ,
}
_COMPARED = (exp.EQ, exp.NEQ, exp.LT, exp.LTE, exp.GT, exp.GTE, exp.Between, exp.In)


def aggregates(node: exp.Expr, sources: Sources) -> Iterator[Change]:
    """Sum for average, minimum for maximum, count for count distinct."""
    other = _OTHER_AGGREGATE.get(type(node))
    if other is not None:
        yield "aggregate", other(this=node.this.copy())
    if not isinstance(node, exp.Count) or isinstance(node.this, exp.Star | exp.Literal):
        return
    if isinstance(node.this, exp.Distinct):
        if len(node.this.expressions) == 1:
            yield "count distinct", exp.Count(this=node.this.expressions[0].copy())
    elif not isinstance(node.parent, exp.Window):
        distinct = exp.Distinct(expressions=[node.this.copy()])
        yield "count distinct", exp.Count(this=distinct)


def comparisons(node: exp.Expr, sources: Sources) -> Iterator[Change]:
    """``<`` for ``<=`` and the like, at the end of a span of dates too."""
    other = _OTHER_COMPARISON.get(type(node))
    if other is None or isinstance(node.parent, exp.Join) or _joins_columns(node):
        return
    kind = "comparison" if not isinstance(node, exp.EQ | exp.NEQ) else "equality"
    if _date_of(node.expression) is not None and kind == "comparison":
        kind = "date boundary"
    yield kind, other(this=node.this.copy(), expression=node.expression.copy())


def spans(node: exp.Expr, sources: Sources) -> Iterator[Change]:
    """BETWEEN without its end."""
    if isinstance(node, exp.Between):
        low = exp.GTE(this=node.this.copy(), expression=node.args["low"].copy())
        high = exp.LT(this=node.this.copy(), expression=node.args["high"].copy())
        yield "comparison", exp.paren(exp.and_(low, high))


def literals(node: exp.Expr, sources: Sources) -> Iterator[Change]:
    """A number one higher, a date one month on or back, another value of the same column."""
    if not isinstance(node, exp.Literal):
        return
    compared = _compared(node)
    if compared is None:
        return
    day = _date_of(node)
    if day is not None:
        yield "date", exp.Literal.string(_months_on(day, 1).isoformat())
        yield "date", exp.Literal.string(_months_on(day, -1).isoformat())
    elif not node.is_string:
        plus = _one_more(node.this)
        if plus:
            yield "literal", exp.Literal.number(plus)
    else:
        for value in _other_values(node, compared, sources):
            yield "value", exp.Literal.string(value)


def logic(node: exp.Expr, sources: Sources) -> Iterator[Change]:
    """OR for AND and back, a NOT that is lost, IS NULL for IS NOT NULL."""
    if node.find_ancestor(exp.Join) is not None:
        return
    if isinstance(node, exp.And):
        yield "and/or", exp.paren(exp.Or(this=node.left.copy(), expression=node.right.copy()))
    elif isinstance(node, exp.Or):
        yield "and/or", exp.paren(exp.And(this=node.left.copy(), expression=node.right.copy()))
    elif isinstance(node, exp.Not):
        yield "not", node.this.copy()
    elif isinstance(node, exp.Is) and not isinstance(node.parent, exp.Not):
        yield "is null", exp.not_(node.copy())


OPERATORS = (aggregates, comparisons, spans, literals, logic)


def other_columns(tree: exp.Expr, sources: Sources) -> Iterator[tuple[exp.Expr, exp.Expr]]:
    """(a column, the tree with another one in its place wherever it stands).

    The other has the same type and role and is of the same table; joins keep theirs.
    """
    done: set[tuple[str, str]] = set()
    for node in tree.find_all(exp.Column):
        known = sources.column(node)
        if known is None or (known.source, known.column.name) in done:
            continue
        done.add((known.source, known.column.name))
        name = _neighbour(known)
        if name and not isinstance(node.this, exp.Star):
            yield node, _renamed(tree, known, name, sources)


def _renamed(tree: exp.Expr, known: Known, name: str, sources: Sources) -> exp.Expr:
    copy = tree.copy()
    for original, node in zip(language.walk(tree), list(language.walk(copy)), strict=True):
        if not isinstance(node, exp.Column) or node.find_ancestor(exp.Join) is not None:
            continue
        found = sources.column(original)
        if found is not None and (found.source, found.column) == (known.source, known.column):
            output = node.parent if isinstance(node.parent, exp.Select) else None
            node.set("this", exp.to_identifier(name, quoted=not name.isidentifier()))
            if output is not None and node.arg_key == "expressions":
                # The output keeps its name, which ORDER BY may use.
                node.replace(exp.alias_(node.copy(), known.column.name))
    return copy


def _neighbour(known: Known) -> str:
    """The next column of the same type and role."""
    alike = [
        each.name
        for each in known.table.columns
        if (each.kind, each.role) == (known.column.kind, known.column.role)
        and each.type == known.column.type
    ]
    return alike[(alike.index(known.column.name) + 1) % len(alike)] if len(alike) > 1 else ""


def _joins_columns(node: exp.Expr) -> bool:
    return all(isinstance(each, exp.Column) for each in (node.this, node.expression)) and (
        node.find_ancestor(exp.Join) is not None
    )


def _compared(node: exp.Expr) -> exp.Expr | None:
    """The comparison that a literal is one side of."""
    parent = node.parent.parent if isinstance(node.parent, exp.Cast | exp.Neg) else node.parent
    return parent if isinstance(parent, _COMPARED) else None


def _date_of(node: object) -> date | None:
    """The day that a literal, cast or not, names."""
    inner = node.this if isinstance(node, exp.Cast) else node
    if not isinstance(inner, exp.Literal) or not inner.is_string:
        return None
    try:
        return date.fromisoformat(inner.name)
    except ValueError:
        return None


def _months_on(day: date, months: int) -> date:
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    year = min(max(year, 1), 9999)
    return date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))


def _one_more(number: str) -> str:
    try:
        return str(int(number) + 1)
    except ValueError:
        return f"{number}1" if "." in number and "e" not in number.lower() else ""


def _other_values(literal: exp.Expr, compared: exp.Expr, sources: Sources) -> tuple[str, ...]:
    """The next known value of the column that a text is compared with."""
    known = sources.column(compared.this)
    if known is None or known.column.role is Role.KEY:
        return ()
    values = [each for each in known.column.values if each != literal.name]
    later = [each for each in values if each > literal.name]
    return tuple((later or values)[:1])
