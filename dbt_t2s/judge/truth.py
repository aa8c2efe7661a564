"""Whether two conditions on one column are true of the same values, decided by order alone.

Comparisons with literals change their truth at the literals only: conditions that agree at every
literal, between all neighbours and at NULL agree everywhere.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from datetime import datetime
from decimal import Decimal, InvalidOperation

from dbt_t2s import sql as language
from dbt_t2s.sql import exp

# A value: a literal's, and -1, 0 or 1 for just below it, at it and just above it.
Point = tuple[Decimal, int]
_COMPARED: dict[type[exp.Expr], Callable[[Point, Point], bool]] = {
    exp.EQ: operator.eq,
    exp.NEQ: operator.ne,
    exp.LT: operator.lt,
    exp.LTE: operator.le,
    exp.GT: operator.gt,
    exp.GTE: operator.ge,
}


class _UnreadError(ValueError):
    """A condition that says more than comparisons of one column with literals."""


def same_truth(before: Sequence[exp.Expr], after: Sequence[exp.Expr]) -> bool:
    """Whether all of ``before`` and all of ``after`` hold of the same values of one column.

    False where that is not known: other columns, functions, texts that are no dates.
    """
    if not before or not after:
        return False
    try:
        columns = {_text(node) for part in (*before, *after) for node in part.find_all(exp.Column)}
        if len(columns) != 1:
            return False
        literals = {
            _number(node) for part in (*before, *after) for node in part.find_all(exp.Literal)
        }
        points: list[Point | None] = [(each, side) for each in literals for side in (-1, 0, 1)]
        points.append(None)
        return all(_all(before, point) == _all(after, point) for point in points)
    except _UnreadError:
        return False


def _text(node: exp.Expr) -> str:
    return language.to_sql(node, "duckdb").lower()


def _number(node: exp.Expr) -> Decimal:
    """A literal's place in the order: numbers as they are, days and moments in seconds."""
    try:
        if not node.is_string:
            return Decimal(node.name)
        return Decimal(int((datetime.fromisoformat(node.name) - datetime(1, 1, 1)).total_seconds()))
    except (InvalidOperation, ValueError, TypeError) as error:
        raise _UnreadError(node.name) from error


def _all(parts: Sequence[exp.Expr], point: Point | None) -> bool:
    """WHERE takes what is true; unknown and false are the same to it."""
    return all(_truth(part, point) is True for part in parts)


def _truth(node: exp.Expr, point: Point | None) -> bool | None:
    """True, False, or None for unknown."""
    if isinstance(node, exp.Paren):
        return _truth(node.this, point)
    if isinstance(node, exp.Not):
        held = _truth(node.this, point)
        return None if held is None else not held
    if isinstance(node, exp.And | exp.Or):
        sides = (_truth(node.left, point), _truth(node.right, point))
        settling = isinstance(node, exp.Or)
        if settling in sides:
            return settling
        return None if None in sides else not settling
    if isinstance(node, exp.Is) and isinstance(node.expression, exp.Null):
        _column(node.this)
        return point is None
    return _compared(node, point)


def _compared(node: exp.Expr, point: Point | None) -> bool | None:
    if isinstance(node, exp.Between):
        _column(node.this)
        low, high = _point(node.args["low"]), _point(node.args["high"])
        return None if point is None else low <= point <= high
    if isinstance(node, exp.In) and node.expressions:
        _column(node.this)
        listed = [_point(each) for each in node.expressions]
        return None if point is None else point in listed
    compare = _COMPARED.get(type(node))
    if compare is None:
        raise _UnreadError(_text(node))
    _column(node.this)
    wanted = _point(node.expression)
    return None if point is None else compare(point, wanted)


def _column(node: exp.Expr) -> None:
    if not isinstance(node, exp.Column):
        raise _UnreadError(_text(node))


def _point(node: exp.Expr) -> Point:
    inner = node.this if isinstance(node, exp.Cast | exp.Paren) else node
    if not isinstance(inner, exp.Literal):
        raise _UnreadError(_text(node))
    return _number(inner), 0
