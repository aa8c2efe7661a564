"""Where the columns of one query come from: through its CTEs and subqueries to nodes' columns."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from dbt_t2s.sql import Scope, exp

Place = tuple[str, str]
"""A node's id and its column in lower case."""

Key = tuple[str, tuple[str, ...]]
"""A node's id and some of its columns in lower case."""

Source = exp.Expr | Scope
Find = Callable[[exp.Table], str]
ColumnsOf = Callable[[str], frozenset[str]]

# What passes a value on, perhaps in another spelling.
CARRIES = (exp.Cast, exp.Paren, exp.Lower, exp.Upper, exp.Trim, exp.Nullif, exp.TsOrDsToDate)


@dataclass(frozen=True)
class Origin:
    """Where an output's values come from; ``grouped`` if rows were merged on the way, ``scaled`` if
    numbers were divided, multiplied or rounded by a constant."""

    place: Place
    grouped: bool = False
    scaled: bool = False

    def after(self, grouped: bool, scaled: bool = False) -> Origin:
        """The same seen from further down."""
        return Origin(self.place, self.grouped or grouped, self.scaled or scaled)


class QueryColumns:
    """The columns of a query's scopes.

    ``find`` gives the node that a table is (empty for none), ``known`` the lower-case columns of a
    node, empty where not all are known.
    """

    def __init__(self, find: Find, known: ColumnsOf) -> None:
        self._find = find
        self.known = known
        # By the scope's identity; the scope is kept so that the identity stays its own.
        self._projected: dict[tuple[int, str], tuple[Scope, tuple[Origin, ...]]] = {}

    def origins(self, scope: Scope, column: exp.Column) -> tuple[Origin, ...]:
        """The columns of nodes that ``column`` of ``scope`` is; none where that is not certain."""
        source = self.source(scope, column)
        return self.of_source(source, column.name.lower()) if source is not None else ()

    def source(self, scope: Scope, column: exp.Column) -> Source | None:
        """What a column is of: here or, in a correlated subquery, further out."""
        here: Scope | None = scope
        while here is not None:
            sources = {n.lower(): s for n, (_, s) in here.selected_sources.items()}
            if column.table.lower() in sources:
                return sources[column.table.lower()]
            if not column.table and sources:
                found = self._among(tuple(sources.values()), column.name.lower())
                if found is not None:
                    return found
            here = here.parent if here.is_subquery or here.is_udtf else None
        return None

    def _among(self, sources: tuple[Source, ...], name: str) -> Source | None:
        """Of several sources the one that has the column, or the only one that may have it."""
        having = [each for each in sources if self.has(each, name) is True]
        maybe = [each for each in sources if self.has(each, name) is None]
        chosen = having if len(having) == 1 else maybe if not having and len(maybe) == 1 else []
        return chosen[0] if chosen else None

    def has(self, source: Source, name: str) -> bool | None:
        """Whether a source has the column; None where that is not known."""
        if isinstance(source, Scope):
            named = names_of(source)
            if name in named:
                return True
            return None if "*" in named else False
        known = self.known(self.node(source))
        return name in known if known else None

    def of_source(self, source: Source, name: str) -> tuple[Origin, ...]:
        """The columns of nodes that a source's column is."""
        if isinstance(source, Scope):
            return self._put_out(source, name)
        node = self.node(source)
        return (Origin((node, name)),) if node else ()

    def node(self, source: exp.Expr) -> str:
        """The id of the node that a table in FROM is; empty for anything else."""
        return self._find(source) if isinstance(source, exp.Table) else ""

    def _put_out(self, scope: Scope, name: str) -> tuple[Origin, ...]:
        key = (id(scope), name)
        if key not in self._projected:
            self._projected[key] = (scope, ())  # a recursive CTE reads itself
            self._projected[key] = (scope, self._project(scope, name))
        return self._projected[key][1]

    def _project(self, scope: Scope, name: str) -> tuple[Origin, ...]:
        query = scope.expression
        if isinstance(query, exp.SetOperation):
            return self._of_branches(scope, name)
        if not isinstance(query, exp.Select):
            return ()
        found = self._selected(scope, query, name)
        return tuple(each.after(is_grouped(query)) for each in found)

    def _selected(self, scope: Scope, query: exp.Select, name: str) -> tuple[Origin, ...]:
        for item in query.selects:
            if not item.is_star and item.alias_or_name.lower() == name:
                return self.carried(scope, item.unalias())
        sources = {n.lower(): s for n, (_, s) in scope.selected_sources.items()}
        for item in query.selects:
            if item.is_star and name not in _excepted(item):
                table = item.table.lower() if isinstance(item, exp.Column) else ""
                behind = [s for n, s in sources.items() if not table or n == table]
                source = self._among(tuple(behind), name)
                if source is not None:
                    return self.of_source(source, name)
        return ()

    def _of_branches(self, scope: Scope, name: str) -> tuple[Origin, ...]:
        """A set operation's column: the first branch names it, the others hold it by its place."""
        branches = scope.set_operation_scopes
        if not branches:
            return ()
        names = names_of(branches[0])
        found = list(self._put_out(branches[0], name))
        at = names.index(name) if name in names and "*" not in names else -1
        for branch in branches[1:]:
            others = names_of(branch)
            same = at >= 0 and "*" not in others and at < len(others)
            found += self._put_out(branch, others[at] if same else name)
        query = scope.expression
        grouped = not isinstance(query, exp.Union) or bool(query.args.get("distinct"))
        return tuple(dict.fromkeys(each.after(grouped) for each in found))

    def carried(self, scope: Scope, value: exp.Expr) -> tuple[Origin, ...]:
        """The columns whose values an expression passes on, perhaps in another spelling."""
        scaled = False
        while isinstance(value, CARRIES) or _is_scaling(value):
            scaled = scaled or _is_scaling(value)
            value = value.this
        if isinstance(value, exp.Case) and value.this is not None:
            # Some values are spelled anew, the others stay.
            found = list(self.carried(scope, value.args.get("default") or exp.null()))
        elif isinstance(value, exp.Coalesce):
            parts = (value.this, *value.expressions)
            found = [each for part in parts for each in self.carried(scope, part)]
        else:
            found = list(self.origins(scope, value)) if isinstance(value, exp.Column) else []
        return tuple(dict.fromkeys(each.after(False, scaled) for each in found))

    def outputs(self, scope: Scope) -> Iterator[tuple[str, tuple[Origin, ...]]]:
        """Each output by its name with where it comes from, nowhere if it is computed."""
        for name in dict.fromkeys(self.all_names(scope)):
            yield name, self._put_out(scope, name)

    def all_names(self, scope: Scope) -> Iterator[str]:
        """The lower-case names of a query's outputs as far as they are known, some twice."""
        if scope.set_operation_scopes:
            yield from self.all_names(scope.set_operation_scopes[0])
            return
        yield from (name for name in names_of(scope) if name != "*")
        for source in behind_stars(scope):
            if isinstance(source, Scope):
                yield from self.all_names(source)
            else:
                yield from sorted(self.known(self.node(source)))

    def open_nodes(self, scope: Scope) -> tuple[str, ...]:
        """The nodes of which all columns are passed on without being known."""
        if scope.set_operation_scopes:
            return self.open_nodes(scope.set_operation_scopes[0])
        found: dict[str, None] = {}
        for source in behind_stars(scope):
            if isinstance(source, Scope):
                found |= dict.fromkeys(self.open_nodes(source))
            elif not self.known(self.node(source)):
                found[self.node(source)] = None
        return tuple(found)


def names_of(scope: Scope) -> tuple[str, ...]:
    """What a query's outputs are called, ``*`` for stars; a CTE may rename them."""
    query = scope.expression
    while isinstance(query, exp.SetOperation):
        query = query.this.unnest()
    selects = query.selects if isinstance(query, exp.Select) else []
    return tuple("*" if each.is_star else each.alias_or_name.lower() for each in selects)


def behind_stars(scope: Scope) -> Iterator[Source]:
    """The sources of which a SELECT takes all columns."""
    query = scope.expression
    selects = query.selects if isinstance(query, exp.Select) else []
    stars = [each for each in selects if each.is_star]
    tables = {each.table.lower() if isinstance(each, exp.Column) else "" for each in stars}
    for name, (_, source) in scope.selected_sources.items():
        if tables & {"", name.lower()}:
            yield source


def _excepted(star: exp.Expr) -> frozenset[str]:
    inner = star.this if isinstance(star, exp.Column) else star
    return frozenset(each.name.lower() for each in inner.args.get("except_") or ())


def is_grouped(query: exp.Select) -> bool:
    """Whether a SELECT merges rows, or picks some of those that are alike."""
    return any(query.args.get(each) for each in ("group", "distinct", "qualify"))


def _is_scaling(value: exp.Expr) -> bool:
    """A number times, over or rounded to a constant."""
    if isinstance(value, exp.Round):
        return True
    return isinstance(value, exp.Mul | exp.Div) and isinstance(
        value.expression.unnest(), exp.Literal
    )
