"""Plans brought in line with what a question says of its numbers.

A network that reads "at least 5" as ``> 5`` or "between 5 and 9" as ``= 5 or = 9`` has the right
column and the right numbers: what is said in so many words is put right rather than guessed at.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import permutations

from dbt_t2s.query.plan import (
    OPPOSITE,
    Col,
    Compare,
    Diff,
    Expr,
    Has,
    Measure,
    Not,
    Only,
    Or,
    Plan,
    Pred,
    Rate,
    Value,
    is_measure,
)
from dbt_t2s.query.said_bounds import SaidBounds

Left = Measure | Col | Diff


def bounded(plan: Plan, said: SaidBounds) -> Plan:
    """``plan`` with each comparison as it is said; itself where nothing is said of a number."""
    if not said.operators and not said.ranges:
        return plan
    return replace(
        plan,
        select=tuple(_expression(each, said) for each in plan.select),
        where=_conditions(plan.where, said),
        having=_conditions(plan.having, said),
    )


def _expression(expression: Expr, said: SaidBounds) -> Expr:
    match expression:
        case Only(of, predicate):
            return Only(of, _as_said(predicate, said))
        case Rate(predicate):
            return Rate(_as_said(predicate, said))
    return expression


def _conditions(given: Sequence[Pred], said: SaidBounds) -> tuple[Pred, ...]:
    """Conditions that all hold: two that name the ends of a range become that range."""
    found = [_as_said(each, said) for each in given]
    for low, high in said.ranges:
        for each in given:
            if isinstance(each, Or) and _ends(each.left, each.right, low, high):
                at = found.index(each)
                found[at : at + 1] = (_end(each.left, low), _end(each.right, low))
        for one, other in permutations(given, 2):
            if one in found and other in found and _ends(one, other, low, high):
                found[found.index(one)] = _end(one, low)
                found[found.index(other)] = _end(other, low)
    return tuple(found)


def _ends(one: Pred, other: Pred, low: str, high: str) -> bool:
    """Whether the two compare the same with the lowest and with the highest number."""
    first, last = _side(one), _side(other)
    if first is None or last is None or first[0] != last[0]:
        return False
    return {first[1], last[1]} == {low, high}


def _side(pred: Pred) -> tuple[Left, str] | None:
    """What is compared with which number."""
    match pred:
        case Compare(_, left, str(number)):
            return left, number
        case Value(table, column, value):
            return Col(table, column), value
    return None


def _end(of: Pred, low: str) -> Pred:
    """One end of the range from ``low``."""
    side = _side(of)
    assert side is not None
    return Compare("GE" if side[1] == low else "LE", *side)


def _as_said(pred: Pred, said: SaidBounds) -> Pred:
    match pred:
        case Compare(operator, left, str(number)):
            return Compare(said.operator(number) or operator, left, number)
        case Value(table, column, value) if said.operator(value) not in ("", "EQ"):
            return Compare(said.operator(value), Col(table, column), value)
        case Not(Compare(operator, left, str(number))) if not is_measure(left):
            meant = said.operator(number)
            return Compare(meant, left, number) if meant not in ("", OPPOSITE[operator]) else pred
        case Or(left, right):
            return Or(_as_said(left, said), _as_said(right, said))
        case Has(table, where):
            return Has(table, _conditions(where, said))
    return pred
