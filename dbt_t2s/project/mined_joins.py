"""Joins that the project's compiled SQL makes, counted and told in terms of queryable tables."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from dbt_t2s import sql
from dbt_t2s.project.known import Known, relation_key
from dbt_t2s.project.origins import Origins, Unresolved
from dbt_t2s.project.schema import Table
from dbt_t2s.project.statements import Trees
from dbt_t2s.sql import Scope, exp

Statement = tuple[str, str, str]

_JOINS = re.compile(r"\bjoin\b|\bwhere\b", re.IGNORECASE)
# Longer chains of models than this are not followed.
_DEEPEST = 50


@dataclass(frozen=True)
class Place:
    """A column of a node: a queryable table's name or another node's id, and the column."""

    node: str
    column: str


@dataclass(frozen=True)
class Mined:
    """Two tables that statements join by equal columns; ``nodes`` are the statements' ids."""

    table: str
    columns: tuple[str, ...]
    to_table: str
    to_columns: tuple[str, ...]
    nodes: tuple[str, ...]


def find(
    statements: Sequence[Statement],
    tables: Sequence[Table],
    relations: Mapping[str, str],
    dialect: str,
    trees: Trees | None = None,
) -> tuple[Mined, ...]:
    """The joins between ``tables``, direct ones and those of the models they are made from.

    ``relations`` maps lower-case relations of all nodes, queryable or not, to their ids. SQL that
    cannot be read gives no joins: the mining of patterns says so of each statement.
    """
    project = _Project(statements, tables, relations, dialect, trees or Trees())
    seen: dict[tuple[tuple[Place, Place], ...], dict[str, None]] = defaultdict(dict)
    for node_id, _, code in statements:
        if _JOINS.search(code):
            for pairs in project.joins(node_id):
                seen[pairs][node_id] = None
    found: dict[tuple[str, tuple[str, ...], str, tuple[str, ...]], dict[str, None]] = {}
    for pairs, nodes in sorted(seen.items(), key=lambda each: repr(each[0])):
        for key in project.told(pairs):
            found.setdefault(key, {}).update(nodes)
    return tuple(Mined(*key, tuple(nodes)) for key, nodes in found.items())


class _Project:
    """The project's SQL, each statement parsed once and only if it is needed."""

    def __init__(
        self,
        statements: Sequence[Statement],
        tables: Sequence[Table],
        relations: Mapping[str, str],
        dialect: str,
        trees: Trees,
    ) -> None:
        self._trees = trees
        self._tables = {table.name: table for table in tables}
        self._names = {table.unique_id: table.name for table in tables}
        self._code = {node_id: code for node_id, _, code in statements}
        self._scopes: dict[str, tuple[Scope, ...]] = {}
        self._roots: dict[Place, Place] = {}
        self._ids = {relation_key(name): node_id for name, node_id in relations.items()}
        columns = {
            relation_key(table.relation): {c.name.lower(): c.role for c in table.columns}
            for table in tables
        }
        self._dialect = dialect
        self._origins = Origins(Known({}, columns, dialect))

    def joins(self, node_id: str) -> Iterator[tuple[tuple[Place, Place], ...]]:
        """Each join of a statement: the pairs of columns that it holds equal, in order."""
        for scope in self._scopes_of(node_id):
            if not isinstance(scope.expression, exp.Select) or _is_injected(scope.expression):
                continue
            between: dict[tuple[str, str], set[tuple[Place, Place]]] = defaultdict(set)
            for left, right in _equalities(scope):
                ends = [self._place(scope, left), self._place(scope, right)]
                if None in ends:
                    continue
                one, two = sorted((end for end in ends if end), key=lambda e: (e.node, e.column))
                if one.node != two.node:
                    between[one.node, two.node].add((one, two))
            for pairs in between.values():
                yield tuple(sorted(pairs, key=lambda pair: (pair[0].column, pair[1].column)))

    def told(
        self, pairs: Sequence[tuple[Place, Place]]
    ) -> Iterator[tuple[str, tuple[str, ...], str, tuple[str, ...]]]:
        """The join in terms of queryable tables; nothing where these do not pass the columns on."""
        (left, right) = (pairs[0][0].node, pairs[0][1].node)
        if left in self._names and right in self._names:
            yield (
                self._names[left],
                tuple(one.column for one, _ in pairs),
                self._names[right],
                tuple(two.column for _, two in pairs),
            )
            return
        if len(pairs) > 1:
            return
        ends = [self._carriers.get(self._root(each), ()) for each in pairs[0]]
        for many, ones in (ends, ends[::-1]):
            keys = [each for each in ones if self._tables[each.node].primary_key == (each.column,)]
            if len(keys) == 1:
                key = keys[0]
                for each in many:
                    if each.node != key.node:
                        yield (each.node, (each.column,), key.node, (key.column,))

    @cached_property
    def _carriers(self) -> Mapping[Place, tuple[Place, ...]]:
        """The queryable columns by the column that they pass on."""
        found: dict[Place, list[Place]] = defaultdict(list)
        for table in self._tables.values():
            for column in table.columns:
                if column.name in table.primary_key or _may_refer(column.name):
                    root = self._root(Place(table.unique_id, column.name.lower()))
                    found[root].append(Place(table.name, column.name))
        return {root: tuple(places) for root, places in found.items()}

    def _root(self, place: Place, depth: int = 0) -> Place:
        """The column that ``place`` passes on, followed through the models before it."""
        if place not in self._roots:
            scopes = self._scopes_of(place.node)
            before: Place | None = None
            if scopes and depth < _DEEPEST:
                try:
                    before = self._placed(self._origins.output(scopes[-1], place.column))
                except Unresolved:
                    before = None  # computed, or behind a star: it is its own root
            goes_on = before is not None and before.node != place.node
            found = self._root(before, depth + 1) if before and goes_on else place
            self._roots[place] = found
        return self._roots[place]

    def _place(self, scope: Scope, column: exp.Expr) -> Place | None:
        """Where a side of an equality comes from; None for what is computed or cannot be told."""
        while isinstance(column, exp.Cast | exp.Paren):
            column = column.this
        if not isinstance(column, exp.Column):
            return None
        try:
            return self._placed(self._origins.origin(scope, column))
        except Unresolved:
            return None

    def _placed(self, written: str) -> Place | None:
        """``relation.column`` as a place; None for what is computed on the way."""
        relation, _, column = written.rpartition(".")
        return Place(self._ids.get(relation, relation), column.lower()) if relation else None

    def _scopes_of(self, node_id: str) -> tuple[Scope, ...]:
        if node_id not in self._scopes:
            self._scopes[node_id] = ()
            if node_id in self._code:
                try:
                    found = self._trees.scopes(self._code[node_id], self._dialect)
                    self._scopes[node_id] = found
                except sql.SqlError:
                    self._scopes[node_id] = ()
        return self._scopes[node_id]


def _may_refer(name: str) -> bool:
    """Whether a column is called like a key; only such ones are followed, which keeps it quick."""
    return bool(re.search(r"(id|key|code|no|num|number|sk|fk|pk|email|sku)$", name.lower()))


def _equalities(scope: Scope) -> Iterator[tuple[exp.Expr, exp.Expr]]:
    """The pairs of expressions that a query's joins and its WHERE hold equal."""
    node = scope.expression
    joins: Iterable[exp.Expr] = node.args.get("joins") or ()
    start = node.args.get("from_")
    where = node.args.get("where")
    conditions = [join.args["on"] for join in joins if join.args.get("on") is not None]
    for condition in (*conditions, *([where.this] if where is not None else ())):
        for part in _conjuncts(condition):
            if isinstance(part, exp.EQ):
                yield part.this, part.expression
    if start is None:
        return
    first = start.this.alias_or_name
    for join in joins:
        for name in join.args.get("using") or ():
            yield exp.column(name.name, first), exp.column(name.name, join.this.alias_or_name)


def _conjuncts(node: exp.Expr) -> list[exp.Expr]:
    node = node.unnest()
    if not isinstance(node, exp.And):
        return [node]
    return [part for each in node.flatten() for part in _conjuncts(each)]


def _is_injected(node: exp.Expr) -> bool:
    """Whether dbt put this here: an ephemeral model's SQL, which is a statement of its own."""
    cte = node.find_ancestor(exp.CTE)
    while cte is not None:
        if cte.alias.startswith("__dbt__cte__"):
            return True
        cte = cte.find_ancestor(exp.CTE)
    return False
