"""SQL without what changes only how its numbers are written."""

from __future__ import annotations

from dbt_t2s.sql import exp


def unscaled(tree: exp.Expr) -> exp.Expr:
    """The query with shares for percentages (``100.0 * a / b``), and nothing rounded."""
    made = tree.copy()
    for node in list(made.find_all(exp.Round, exp.Mul)):
        inner = _inner(node)
        if inner is not None:
            node.replace(inner)
    return made


def _inner(node: exp.Expr) -> exp.Expr | None:
    """What is rounded, or taken a hundred times; None for any other product."""
    sides: list[exp.Expr] = [node.this]
    if isinstance(node, exp.Mul):
        sides.append(node.expression)
    left = [side for side in sides if not _is_hundred(side)]
    return left[0] if len(left) == 1 else None


def _is_hundred(node: exp.Expr) -> bool:
    node = node.unnest()
    return isinstance(node, exp.Literal) and not node.is_string and float(node.name) == 100
