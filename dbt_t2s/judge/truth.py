"""Whether two conditions on one column are true of the same values, decided by order alone.

Comparisons with literals change their truth at the literals only: conditions that agree at every
literal, between all neighbours and at NULL agree everywhere. Conditions of several columns are
taken for what AND, OR and NOT make of their comparisons, each true, false or unknown by itself.
"""

from __future__ import annotations

import itertools
import operator
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal, InvalidOperation

from dbt_t2s import sql as language
from dbt_t2s.sql import exp

# 3^n cases are tried.
_MOST_ATOMS = 6
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


# Of a comparison, or of what it denies.
_SIGNS: dict[type[exp.Expr], str] = {
    exp.EQ: "=",
    exp.NEQ: "=",
    exp.GT: ">",
    exp.LTE: ">",
    exp.GTE: ">=",
    exp.LT: ">=",
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


def same_logic(before: Sequence[exp.Expr], after: Sequence[exp.Expr]) -> bool:
    """Whether all of ``before`` and all of ``after`` are true together whatever their comparisons
    say: AND, OR and NOT alone decide. False where there are too many comparisons to try.
    """
    atoms = sorted({name for part in (*before, *after) for name in _atoms(part)})
    if not atoms or len(atoms) > _MOST_ATOMS:
        return False
    for values in itertools.product((True, False, None), repeat=len(atoms)):
        held = dict(zip(atoms, values, strict=True))
        first = all(_of_atoms(part, held) is True for part in before)
        if first != all(_of_atoms(part, held) is True for part in after):
            return False
    return True


def _atoms(node: exp.Expr) -> set[str]:
    inner, _ = _positive(node)
    if isinstance(inner, exp.And | exp.Or):
        return _atoms(inner.left) | _atoms(inner.right)
    return set() if isinstance(inner, exp.Boolean) else {_atom(inner)}


def _of_atoms(node: exp.Expr, held: Mapping[str, bool | None]) -> bool | None:
    inner, denied = _positive(node)
    if isinstance(inner, exp.And | exp.Or):
        found = _joined((_of_atoms(inner.left, held), _of_atoms(inner.right, held)), inner)
    elif isinstance(inner, exp.Boolean):
        found = bool(inner.this)
    else:
        found = held[_atom(inner)]
    return found if found is None or not denied else not found


def _positive(node: exp.Expr) -> tuple[exp.Expr, bool]:
    """What stands under NOT and parentheses, and whether it is denied; ``x = FALSE`` denies x."""
    denied = False
    while True:
        if isinstance(node, exp.Paren):
            node = node.this
        elif isinstance(node, exp.Not):
            node, denied = node.this, not denied
        elif isinstance(node, exp.EQ) and isinstance(node.expression, exp.Boolean):
            denied = denied == bool(node.expression.this)
            node = node.this
        else:
            return node, denied != isinstance(node, exp.NEQ | exp.LT | exp.LTE)


def _atom(node: exp.Expr) -> str:
    """The text of a comparison, the same for it and for its denial."""
    sign = _SIGNS.get(type(node))
    if sign is None:
        return _text(node)
    return f"{_text(node.this)} {sign} {_text(node.expression)}"


def _joined(sides: tuple[bool | None, bool | None], node: exp.Expr) -> bool | None:
    settling = isinstance(node, exp.Or)
    if settling in sides:
        return settling
    return None if None in sides else not settling


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
        return _joined((_truth(node.left, point), _truth(node.right, point)), node)
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
