"""Where the columns of a query come from: through CTEs and subqueries down to a relation."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from dbt_t2s import sql
from dbt_t2s.sql import Scope, exp

# Deeper chains of CTEs than this are not followed; it also ends recursive ones.
_DEEPEST = 50


class Unresolved(ValueError):
    """A column whose source cannot be told; the message says why."""


@dataclass(frozen=True)
class Known:
    """The schema's tables: name and lower-case columns by lower-case relation."""

    names: Mapping[str, str]
    columns: Mapping[str, frozenset[str]]
    dialect: str

    def name(self, table: exp.Table) -> str:
        """The schema's name for a relation; the last part of any other relation's."""
        found = self.names.get(sql.table_name(table, self.dialect).lower())
        return found or table.name


def origin(scope: Scope, column: exp.Column, known: Known) -> str:
    """``table.column`` that ``column`` reads; "" where it is computed on the way."""
    return _through(scope, column.table, column.name, known, 0)


def output(scope: Scope, name: str, known: Known) -> str:
    """``table.column`` that the query's output ``name`` passes on; "" where it is computed."""
    return _output(scope, name, known, 0)


def tables_of(scope: Scope, known: Known, depth: int = 0) -> Iterator[str]:
    """The tables that a query reads, its CTEs' and subqueries' included."""
    if depth > _DEEPEST:
        return
    for name in scope.selected_sources:
        source = scope.sources.get(name)
        if isinstance(source, exp.Table):
            yield known.name(source)
        elif isinstance(source, Scope):
            yield from tables_of(source, known, depth + 1)
    for branch in scope.set_operation_scopes:
        yield from tables_of(branch, known, depth + 1)


def _through(scope: Scope, table: str, name: str, known: Known, depth: int) -> str:
    if depth > _DEEPEST:
        raise Unresolved(f"{name} is defined by itself")
    source = scope.sources.get(table) if table else _only_source(scope, name, known)
    if source is None and scope.parent is not None and scope.is_subquery:
        return _through(scope.parent, table, name, known, depth + 1)
    if source is None:
        raise Unresolved(f"{table or name} has no source in its query")
    if isinstance(source, exp.Table):
        return f"{known.name(source)}.{name}"
    if not isinstance(source, Scope):
        return ""  # a function's output, a lateral view
    return _output(source, name, known, depth + 1)


def _only_source(scope: Scope, name: str, known: Known) -> object:
    """The source of an unqualified column: the only one, or the only one known to have it."""
    sources = {key: scope.sources[key] for key in scope.selected_sources if key in scope.sources}
    if len(sources) == 1:
        return next(iter(sources.values()))
    having = [each for each in sources.values() if _has(each, name, known)]
    if len(having) == 1:
        return having[0]
    if not sources:
        return None
    raise Unresolved(f"{name} may come from any of {', '.join(sorted(sources))}")


def _has(source: object, name: str, known: Known) -> bool:
    if isinstance(source, exp.Table):
        relation = sql.table_name(source, known.dialect).lower()
        return name.lower() in known.columns.get(relation, frozenset())
    if isinstance(source, Scope):
        names = {each.alias_or_name.lower() for each in _selects(source)}
        if name.lower() in names:
            return True
        inner = [source.sources.get(key) for key in source.selected_sources]
        return "*" in names and any(_has(each, name, known) for each in inner)
    return False


def _selects(scope: Scope) -> list[exp.Expr]:
    """The output expressions; of set operations, the first branch's."""
    node: exp.Expr = scope.expression
    while isinstance(node, exp.SetOperation | exp.Subquery):
        node = node.this
    return list(node.selects) if isinstance(node, exp.Select) else []


def _output(scope: Scope, name: str, known: Known, depth: int) -> str:
    """What the output column ``name`` of an inner query reads."""
    inner = scope.set_operation_scopes[0] if scope.set_operation_scopes else scope
    if inner is not scope:
        return _output(inner, name, known, depth + 1)
    stars: list[str] = []
    for each in _selects(scope):
        if each.alias_or_name.lower() == name.lower():
            node = each.unalias()
            while isinstance(node, exp.Cast):
                node = node.this  # the same value in another type
            if isinstance(node, exp.Column):
                return _through(scope, node.table, node.name, known, depth)
            return ""
        if each.is_star and not isinstance(each, exp.Count):
            stars.append(each.table if isinstance(each, exp.Column) else "")
    for table in stars:
        return _through(scope, table, name, known, depth)
    raise Unresolved(f"{name} is no output of the query it is read from")
