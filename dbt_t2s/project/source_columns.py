"""Where a column of a query comes from: through CTEs and subqueries to the schema's tables."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

from dbt_t2s import sql
from dbt_t2s.project.known import relation_key
from dbt_t2s.project.schema import Table

Source = sql.exp.Table | sql.Scope
Outputs = tuple[Mapping[str, sql.exp.Expr], tuple[str, ...]]
Placed = tuple[sql.Scope, sql.exp.Expr]


def _key_of(table: sql.exp.Table) -> str:
    """The ``relation_key`` of what a query names."""
    return ".".join(part.name for part in table.parts).lower()


class SourceColumns:
    """Follows columns that are passed on as they are; what is computed ends the trail.

    ``upstream`` gives the last scope of the query that makes a relation which is no table of the
    schema (by its ``relation_key``), so that a trail may go on through other nodes.
    """

    def __init__(
        self,
        tables: Sequence[Table],
        dialect: str,
        upstream: Callable[[str], sql.Scope | None] = lambda relation: None,
    ) -> None:
        self._tables = {relation_key(table.relation): table for table in tables}
        self._columns: Mapping[str, Mapping[str, str]] = {
            table.name: {column.name.lower(): column.name for column in table.columns}
            for table in tables
        }
        self._dialect = dialect
        # By the scope's identity; the scope is kept so that the identity stays its own.
        self._made: dict[tuple[int, str], Placed | None] = {}
        self._outputs: dict[int, tuple[sql.Scope, Outputs]] = {}
        self._upstream = upstream

    def table(self, source: Source) -> Table | None:
        """The schema's table that a source is; None for a CTE, a subquery, another relation."""
        if not isinstance(source, sql.exp.Table):
            return None
        return self._tables.get(_key_of(source))

    def tables_read(self, scopes: Sequence[sql.Scope]) -> Iterator[Table]:
        """The schema's tables that a query's scopes select from, each once."""
        found = (self.table(s) for scope in scopes for s in _sources(scope).values())
        yield from {table.name: table for table in found if table is not None}.values()

    def column(self, scope: sql.Scope, column: sql.exp.Column) -> tuple[Table, str] | None:
        """The table and column that ``column`` of ``scope`` is; None where it is computed,
        ambiguous or of a relation outside the schema."""
        source = self.source(scope, column.table, column.name)
        if source is None or isinstance(source, sql.exp.Table):
            return self._of_table(source, column.name)
        found = self._projected(source, column.name)
        if found is None:
            return None
        inner, made = found
        return self.column(inner, made) if isinstance(made, sql.exp.Column) else None

    def bare(self, scope: sql.Scope, part: sql.exp.Expr) -> tuple[Table, sql.exp.Expr] | None:
        """A copy of ``part`` over the bare columns of the one table that all of them are of.

        None where they are of several tables, computed, or none at all.
        """
        columns = list(part.find_all(sql.exp.Column))
        places = [place for each in columns if (place := self.column(scope, each)) is not None]
        if not columns or len(places) < len(columns) or len({t.name for t, _ in places}) > 1:
            return None
        copy = part.copy()
        for column, (_, name) in zip(list(copy.find_all(sql.exp.Column)), places, strict=True):
            quoted = sql.quote(name, self._dialect) != name
            new = sql.exp.column(sql.exp.to_identifier(name, quoted=quoted))
            copy = new if column is copy else copy
            column.replace(new)
        return places[0][0], copy

    def definition(self, scope: sql.Scope, name: str) -> Placed | None:
        """The expression that makes the output ``name`` of a query, with the scope it stands in.

        Goes on through the queries of upstream relations; None where there is no more to follow.
        """
        key = (id(scope), name.lower())
        if key not in self._made:
            self._made[key] = None  # a circle of relations defines nothing
            self._made[key] = self._define(scope, name)
        return self._made[key]

    def _define(self, scope: sql.Scope, name: str) -> Placed | None:
        found = self._projected(scope, name)
        if found is None or not isinstance(column := found[1], sql.exp.Column):
            return found
        source = self.source(found[0], column.table, column.name)
        if isinstance(source, sql.exp.Table):
            source = self._upstream(_key_of(source))
        return self.definition(source, column.name) if source is not None else None

    def source(self, scope: sql.Scope, table: str, name: str) -> Source | None:
        """The source of ``scope`` that a column is of; None where that is not certain."""
        sources = _sources(scope)
        if table:
            return next((s for n, s in sources.items() if n.lower() == table.lower()), None)
        if len(sources) == 1:
            return next(iter(sources.values()))
        having = [source for source in sources.values() if self._has(source, name)]
        return having[0] if len(having) == 1 else None

    def _of_table(self, source: sql.exp.Table | None, name: str) -> tuple[Table, str] | None:
        table = self.table(source) if source is not None else None
        known = self._columns[table.name].get(name.lower()) if table is not None else None
        return (table, known) if table is not None and known is not None else None

    def _has(self, source: Source, name: str) -> bool:
        if isinstance(source, sql.exp.Table):
            return self._of_table(source, name) is not None
        return self._projected(source, name) is not None

    def _projected(self, scope: sql.Scope, name: str) -> Placed | None:
        """What a query puts out as ``name``: an expression, behind ``*`` a column."""
        named, stars = self._put_out(scope)
        if name.lower() in named:
            return scope, named[name.lower()]
        for table in stars:
            source = self.source(scope, table, name)
            if source is None:
                continue
            certain = isinstance(source, sql.exp.Table) and (table or len(_sources(scope)) == 1)
            if certain or self._has(source, name):
                owner = next(n for n, s in _sources(scope).items() if s is source)
                return scope, sql.exp.column(name, table=owner)
        return None

    def _put_out(self, scope: sql.Scope) -> Outputs:
        """What a SELECT puts out by lower-case name, and the tables of its stars ("" for all)."""
        known = self._outputs.get(id(scope))
        if known is not None:
            return known[1]
        query = scope.expression
        selects = query.selects if isinstance(query, sql.exp.Select) else []
        stars = [each for each in selects if each.is_star]
        tables = (each.table if isinstance(each, sql.exp.Column) else "" for each in stars)
        plain = [each for each in reversed(selects) if not each.is_star]
        named = {each.alias_or_name.lower(): each.unalias() for each in plain}
        self._outputs[id(scope)] = (scope, (named, tuple(tables)))
        return self._outputs[id(scope)][1]


def _sources(scope: sql.Scope) -> dict[str, Source]:
    """What a scope's FROM and JOINs name, by their aliases."""
    return {name: source for name, (_, source) in scope.selected_sources.items()}
