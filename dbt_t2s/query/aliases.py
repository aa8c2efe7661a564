"""What computed columns are called in a result."""

from __future__ import annotations

import re

from dbt_t2s.query.plan import (
    Average,
    Col,
    Compare,
    Diff,
    During,
    Flag,
    Has,
    Like,
    Not,
    Null,
    Or,
    Overall,
    Peers,
    Pred,
    Product,
    RuleRef,
    Value,
    Weekdays,
)

_LONGEST = 40


def row_alias(of: Diff | Product) -> str:
    between = "minus" if isinstance(of, Diff) else "times"
    return f"{of.left.column}_{between}_{of.right.column}"


def condition_alias(pred: Pred) -> str:
    """A condition as part of a name: ``returned``, ``not_returned``, ``2025_01_01``."""
    return re.sub(r"\W+", "_", _words(pred).lower()).strip("_")[:_LONGEST] or "some"


def _words(pred: Pred) -> str:
    match pred:
        case Value(_, _, value):
            return value
        case During(_, span):
            return f"from {span.start}" if span.start else f"before {span.end}"
        case Weekdays(_, days):
            return "_".join(days)
        case RuleRef(name):
            return name
        case Flag(of):
            return of.column
        case Not(inner):
            return f"not {_words(inner)}"
        case Or(left, right):
            return f"{_words(left)} or {_words(right)}"
        case Compare(operator, left_side, right):
            side = left_side.column if isinstance(left_side, Col) else "value"
            other = (
                "average"
                if right is None or isinstance(right, Average | Peers | Overall)
                else right
            )
            other = other.column if isinstance(other, Col) else other
            return f"{side} {operator} {other}"
        case Null(of):
            return f"no {of.column}"
        case Has(table, _):
            return f"with {table}"
        case Like(_, text):
            return text
