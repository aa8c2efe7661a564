"""What a query holds equal: pairs of expressions in its joins, its WHERE and its subqueries."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass

from dbt_t2s import sql
from dbt_t2s.sql import Scope, exp

# The names of a table's columns; nothing where they are not known.
Columns = Callable[[exp.Table], Collection[str]]


@dataclass(frozen=True, eq=False)
class Side:
    """An expression and the query whose sources its columns name (or those of a query around)."""

    scope: Scope
    expression: exp.Expr


Pair = tuple[Side, Side]


def find(scope: Scope, columns: Columns = lambda table: ()) -> Iterator[Pair]:
    """The pairs that hold equal where ``scope``, a SELECT, finds a row; in the order written.

    ON, WHERE, USING and NATURAL joins, ``x in (select y …)`` and ``x = any (select y …)``, negated
    or not: an anti-join compares the same columns. Row values are taken apart. The equalities of
    ``exists (select …)`` are those of the inner query's own scope. A NATURAL join gives nothing
    where the columns of a side are not known. Sides may be any expressions, not only columns.
    """
    node = scope.expression
    joins: list[exp.Join] = list(node.args.get("joins") or ())
    where = node.args.get("where")
    conditions = [join.args["on"] for join in joins if join.args.get("on") is not None]
    for condition in (*conditions, *([where.this] if where is not None else ())):
        for part in sql.all_of(condition):
            yield from _compared(scope, part)
    yield from _merged(scope, joins, columns)


def _compared(scope: Scope, condition: exp.Expr) -> Iterator[Pair]:
    negated = False
    while isinstance(condition, exp.Not | exp.Paren):
        negated ^= isinstance(condition, exp.Not)
        condition = condition.this
    if isinstance(condition, exp.EQ | exp.NullSafeEQ):
        if negated:  # what differs is no join
            return
        left, right = condition.this, condition.expression
        if isinstance(right, exp.Any):
            yield from _searched(scope, left, right.this)
        else:
            for one, other in zip(_row(left), _row(right), strict=False):
                yield Side(scope, one), Side(scope, other)
    elif isinstance(condition, exp.In) and condition.args.get("query") is not None:
        yield from _searched(scope, condition.this, condition.args["query"])


def _row(node: exp.Expr) -> list[exp.Expr]:
    """The values of a row value, else the value itself."""
    node = node.unnest()
    return list(node.expressions) if isinstance(node, exp.Tuple) else [node]


def _searched(scope: Scope, value: exp.Expr, query: exp.Expr) -> Iterator[Pair]:
    """Each value with the column of the subquery that it is looked for in, in each arm of it."""
    inner = query.unnest()
    for each in scope.subquery_scopes:
        if each.expression is inner:
            for arm, select in _arms(each):
                selected = (item.unalias() for item in select.expressions)
                for one, other in zip(_row(value), selected, strict=False):
                    if not other.is_star:
                        yield Side(scope, one), Side(arm, other)


def _arms(scope: Scope) -> Iterator[tuple[Scope, exp.Select]]:
    """The SELECTs that a query's rows come from."""
    if scope.set_operation_scopes:
        for each in scope.set_operation_scopes:
            yield from _arms(each)
    elif isinstance(scope.expression, exp.Select):
        yield scope, scope.expression


def _merged(scope: Scope, joins: Iterable[exp.Join], columns: Columns) -> Iterator[Pair]:
    """USING and NATURAL: the joined source's column and that of the first source to have it."""
    start = scope.expression.args.get("from_")
    before = [start.this.alias_or_name] if start is not None else []
    for join in joins if before else ():
        joined = join.this.alias_or_name
        here = _names(scope, joined, columns)
        shared = [each.name for each in join.args.get("using") or ()]
        if join.method == "NATURAL":
            there = {name for each in before for name in _names(scope, each, columns)}
            shared = [name for name in here if name in there]
        for name in shared:
            owner = _owner(scope, before, name.lower(), columns)
            one, other = exp.column(name, owner), exp.column(name, joined)
            yield Side(scope, one), Side(scope, other)
        before.append(joined)


def _owner(scope: Scope, before: list[str], name: str, columns: Columns) -> str:
    having = [each for each in before if name in _names(scope, each, columns)]
    return (having or before)[0]


def _names(scope: Scope, alias: str, columns: Columns) -> tuple[str, ...]:
    """The lower-case columns of a source, in order; nothing where not all of them are known."""
    return _source_names(scope.sources.get(alias), columns, frozenset())


def _source_names(
    source: Scope | exp.Expr | None, columns: Columns, seen: frozenset[int]
) -> tuple[str, ...]:
    if isinstance(source, exp.Table):
        return tuple(name.lower() for name in columns(source))
    # A recursive CTE reads itself.
    if not isinstance(source, Scope) or id(source) in seen:
        return ()
    found: list[str] = []
    first = next(_arms(source), None)
    if first is None:
        return ()
    arm, select = first
    for item in select.expressions:
        if not item.is_star:
            found.append(item.alias_or_name.lower())
            continue
        named = item.table if isinstance(item, exp.Column) else ""
        for alias in (named,) if named else tuple(arm.selected_sources):
            inner = _source_names(arm.sources.get(alias), columns, seen | {id(source)})
            if not inner:
                return ()
            found += inner
    return tuple(dict.fromkeys(found))
