"""What an output of a query rests on: the columns that fill it and the keys that keep it unique."""

from __future__ import annotations

from collections.abc import Iterator

from dbt_t2s.judge.query_columns import (
    CARRIES,
    Key,
    Place,
    QueryColumns,
    Source,
    behind_stars,
    is_grouped,
    names_of,
)
from dbt_t2s.sql import Scope, exp


class ColumnNeeds:
    """What the outputs of the scopes of one query need."""

    def __init__(self, columns: QueryColumns) -> None:
        self._columns = columns
        # By the scope's identity; the scope is kept so that the identity stays its own.
        self._needed: dict[tuple[int, str], tuple[Scope, tuple[Place, ...]]] = {}

    def all_needs(self, scope: Scope) -> Iterator[tuple[str, tuple[Place, ...]]]:
        """By output, the places that must be filled for it to be filled."""
        for name in dict.fromkeys(self._columns.all_names(scope)):
            yield name, self._needs(scope, name)

    def _needs(self, source: Source, name: str) -> tuple[Place, ...]:
        """The places that must be filled for a source's column to be filled."""
        if not isinstance(source, Scope):
            node = self._columns.node(source)
            return ((node, name),) if node else ()
        key = (id(source), name)
        if key not in self._needed:
            self._needed[key] = (source, ())
            self._needed[key] = (source, tuple(dict.fromkeys(self._rests_on(source, name))))
        return self._needed[key][1]

    def _rests_on(self, scope: Scope, name: str) -> Iterator[Place]:
        branches = scope.set_operation_scopes
        if branches:
            names = names_of(branches[0])
            at = names.index(name) if name in names and "*" not in names else -1
            for branch in branches:
                others = names_of(branch)
                same = at >= 0 and "*" not in others and at < len(others)
                yield from self._needs(branch, others[at] if same else name)
        elif isinstance(scope.expression, exp.Select):
            for column in self._decisive(scope, scope.expression, name):
                source = self._columns.source(scope, column)
                if source is not None:
                    yield from self._needs(source, column.name.lower())
                    yield from self._joined_by(scope, source)

    def _decisive(self, scope: Scope, query: exp.Select, name: str) -> Iterator[exp.Column]:
        """The columns of a SELECT that make its output ``name`` NULL when they are."""
        for item in query.selects:
            if not item.is_star and item.alias_or_name.lower() == name:
                yield from _strict_columns(item.unalias())
                return
        for each, (_, source) in scope.selected_sources.items():
            if (
                source in tuple(behind_stars(scope))
                and self._columns.has(source, name) is not False
            ):
                yield exp.column(name, table=each)

    def _joined_by(self, scope: Scope, source: Source) -> Iterator[Place]:
        """What a LEFT JOIN finds its rows by: where that is NULL, so is all that it adds."""
        for join in scope.expression.args.get("joins") or ():
            joined = scope.selected_sources.get(join.alias_or_name)
            on = join.args.get("on")
            if join.side == "LEFT" and joined is not None and joined[1] is source and on:
                for column in on.find_all(exp.Column):
                    yield from (each.place for each in self._columns.origins(scope, column))

    def all_matched(self, scope: Scope) -> Iterator[tuple[str, tuple[Key, ...]]]:
        """By output, the keys that must be unique for its rows not to be multiplied."""
        for name in dict.fromkeys(self._columns.all_names(scope)):
            if found := tuple(dict.fromkeys(self._matched(scope, name))):
                yield name, found

    def _matched(self, scope: Scope, name: str) -> Iterator[Key]:
        """The keys that must be unique for each row with this output to come out once."""
        query = scope.expression
        if not isinstance(query, exp.Select) or is_grouped(query):
            return
        column = self._passed(scope, query, name)
        source = self._columns.source(scope, column) if column is not None else None
        if column is None or source is None:
            return
        if isinstance(source, Scope):
            yield from self._matched(source, column.name.lower())
        sources = {n.lower(): s for n, (_, s) in scope.selected_sources.items()}
        reached = {alias for alias, each in sources.items() if each is source}
        pairs = list(self._join_pairs(scope))
        while True:
            fresh: dict[str, list[str]] = {}
            for one, other in (*pairs, *((b, a) for a, b in pairs)):
                if one[0] in reached and other[0] not in reached and other[0] in sources:
                    fresh.setdefault(other[0], []).append(other[1])
            if not fresh:
                return
            reached |= set(fresh)
            for alias, names in fresh.items():
                yield from self._key(sources[alias], names)

    def _passed(self, scope: Scope, query: exp.Select, name: str) -> exp.Column | None:
        """The column that a SELECT passes on as its output ``name``."""
        for item in query.selects:
            if not item.is_star and item.alias_or_name.lower() == name:
                value = item.unalias()
                while isinstance(value, CARRIES):
                    value = value.this
                return value if isinstance(value, exp.Column) else None
        for each, (_, source) in scope.selected_sources.items():
            if (
                source in tuple(behind_stars(scope))
                and self._columns.has(source, name) is not False
            ):
                return exp.column(name, table=each)
        return None

    def _join_pairs(self, scope: Scope) -> Iterator[tuple[Place, Place]]:
        """What joins equate, as (alias, column) pairs."""
        for join in scope.expression.args.get("joins") or ():
            on = join.args.get("on")
            for each in on.find_all(exp.EQ) if on else ():
                left, right = each.left.unnest(), each.right.unnest()
                if isinstance(left, exp.Column) and isinstance(right, exp.Column):
                    yield (
                        (left.table.lower(), left.name.lower()),
                        (right.table.lower(), right.name.lower()),
                    )

    def _key(self, source: Source, names: list[str]) -> Iterator[Key]:
        """The same columns where they come from, if that is one node and no rows are merged."""
        found = [self._columns.of_source(source, name) for name in names]
        nodes = {each.place[0] for origins in found for each in origins}
        whole = all(len(origins) == 1 and not origins[0].grouped for origins in found)
        if len(nodes) == 1 and whole:
            yield nodes.pop(), tuple(sorted({origins[0].place[1] for origins in found}))


def _strict_columns(value: exp.Expr) -> Iterator[exp.Column]:
    """The columns that make an expression NULL when they are."""
    if isinstance(value, exp.Column):
        yield value
    elif isinstance(value, exp.Case):
        branches = value.args["ifs"]
        parts = [each.args["true"] for each in branches]
        default = value.args.get("default")
        # Without an ELSE, what meets no branch is NULL.
        parts += [default] if default else [value.this, *(each.this for each in branches)]
        for each in parts:
            yield from _strict_columns(each) if isinstance(each, exp.Expr) else ()
    elif isinstance(value, exp.Coalesce):
        parts = [value.this, *value.expressions]
        if all(each.find(exp.Column) for each in parts):
            yield from _strict_columns(parts[-1])
    elif not isinstance(value, exp.Count | exp.Is | exp.Exists | exp.Subquery | exp.Window):
        for child in value.iter_expressions():
            yield from _strict_columns(child)
    elif isinstance(value, exp.Window) and not isinstance(value.this, exp.Lag | exp.Lead):
        yield from _strict_columns(value.this)
