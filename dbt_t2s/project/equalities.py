"""The pairs of expressions that a query holds equal."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from dbt_t2s.sql import Scope, exp


def find(scope: Scope) -> Iterator[tuple[exp.Expr, exp.Expr]]:
    """The pairs of expressions that a query's joins and its WHERE hold equal."""
    node = scope.expression
    joins: Iterable[exp.Expr] = node.args.get("joins") or ()
    start = node.args.get("from_")
    where = node.args.get("where")
    conditions = [join.args["on"] for join in joins if join.args.get("on") is not None]
    for condition in (*conditions, *([where.this] if where is not None else ())):
        for part in conjuncts(condition):
            if isinstance(part, exp.EQ):
                yield part.this, part.expression
    if start is None:
        return
    first = start.this.alias_or_name
    for join in joins:
        for name in join.args.get("using") or ():
            yield exp.column(name.name, first), exp.column(name.name, join.this.alias_or_name)


def conjuncts(node: exp.Expr) -> list[exp.Expr]:
    node = node.unnest()
    if not isinstance(node, exp.And):
        return [node]
    return [part for each in node.flatten() for part in conjuncts(each)]
