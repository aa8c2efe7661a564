"""Comparisons of one value with literals, as WHERE, ON and CASE write them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from dbt_t2s.sql import exp

_SYMBOLS: tuple[tuple[type[exp.Expr], str, str], ...] = (
    (exp.EQ, "=", "="),
    (exp.NEQ, "<>", "<>"),
    (exp.GT, ">", "<"),
    (exp.GTE, ">=", "<="),
    (exp.LT, "<", ">"),
    (exp.LTE, "<=", ">="),
)
COMPARISONS: tuple[type[exp.Expr], ...] = (
    *(kind for kind, _, _ in _SYMBOLS),
    exp.In,
    exp.Between,
    exp.Like,
    exp.ILike,
    exp.Is,
)
_NEGATED = {
    "=": "<>", "<>": "=", ">": "<=", "<=": ">", "<": ">=", ">=": "<", "null": "not null",
    "not null": "null", "true": "false", "false": "true",
}  # fmt: skip


@dataclass(frozen=True)
class Condition:
    """``operator`` is =, <>, <, <=, >, >=, null, not null, true or false; = may name several.

    ``values`` are literals as text, ``kind`` how they are written: number, text or boolean.
    """

    operator: str
    values: tuple[str, ...] = ()
    kind: str = "text"


def conjuncts(condition: object) -> Iterator[exp.Expr]:
    """The parts of a condition that all must hold; of alternatives the first."""
    if not isinstance(condition, exp.Expr):
        return
    node = condition.unnest()
    if isinstance(node, exp.And):
        yield from conjuncts(node.left)
        yield from conjuncts(node.right)
    elif isinstance(node, exp.Or):
        yield from conjuncts(node.left)
    else:
        yield node


def read(node: exp.Expr) -> tuple[exp.Expr, Condition] | None:
    """The compared value and the condition on it; None where no literal is compared."""
    node = node.unnest()
    if isinstance(node, exp.Not):
        inner = read(node.this)
        if inner is None or inner[1].operator not in _NEGATED:
            return None
        value, found = inner
        return value, Condition(_NEGATED[found.operator], found.values, found.kind)
    if isinstance(node, exp.Column):
        return node, Condition("true")
    if isinstance(node, exp.Is) and isinstance(node.expression, exp.Null):
        return node.this, Condition("null")
    if isinstance(node, exp.In):
        return _compared(node.this, "=", node.expressions)
    if isinstance(node, exp.Between):
        return _compared(node.this, ">=", [node.args["low"]])
    if isinstance(node, exp.Like | exp.ILike):
        return _like(node)
    for kind, symbol, mirrored in _SYMBOLS:
        if isinstance(node, kind):
            if _literal(node.expression) is None:
                return _compared(node.expression, mirrored, [node.this])
            return _compared(node.this, symbol, [node.expression])
    return None


def of_case(node: exp.Case) -> tuple[exp.Expr, Condition] | None:
    """The operand of ``case x when 'a' then …`` and the literals it is compared with."""
    if not isinstance(node.this, exp.Expr):
        return None
    return _compared(node.this, "=", [each.this for each in node.args["ifs"]])


def _compared(
    value: exp.Expr, operator: str, literals: list[exp.Expr]
) -> tuple[exp.Expr, Condition] | None:
    read_ones = [_literal(each) for each in literals]
    known = [each for each in read_ones if each is not None]
    if not known or len(known) < len(read_ones) or _literal(value) is not None:
        return None
    kind = known[0][1]
    if kind == "boolean" and operator in ("=", "<>"):
        truth = (known[0][0] == "true") is (operator == "=")
        return value, Condition("true" if truth else "false")
    return value, Condition(operator, tuple(text for text, _ in known), kind)


def _like(node: exp.Expr) -> tuple[exp.Expr, Condition] | None:
    pattern = _literal(node.expression)
    if pattern is None:
        return None
    text = pattern[0].replace("%", "").replace("_", "a")
    return (node.this, Condition("=", (text,))) if text else None


def _literal(node: exp.Expr) -> tuple[str, str] | None:
    """A literal's text and how it is written; dates and casts of literals are text."""
    while isinstance(node, exp.Cast | exp.Paren | exp.TsOrDsToDate | exp.Date):
        if not isinstance(node.this, exp.Expr):
            return None
        node = node.this
    if isinstance(node, exp.Boolean):
        return ("true" if node.this else "false"), "boolean"
    if isinstance(node, exp.Neg) and isinstance(node.this, exp.Literal):
        return f"-{node.this.name}", "number"
    if isinstance(node, exp.Literal):
        return node.name, "text" if node.is_string else "number"
    return None
