"""Where the columns of a query come from: through CTEs and subqueries down to a relation."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from dbt_t2s.project.known import Known
from dbt_t2s.sql import Scope, exp

# Words that name a unit of time where a function that the parser does not know takes them bare.
_UNITS = frozenset(
    "year quarter month week day hour minute second millisecond microsecond dayofweek dayofyear"
    " isoweek years quarters months weeks days hours minutes seconds yy qq mm dd hh".split()
)


class Unresolved(ValueError):
    """A column whose source cannot be told; ``reason`` is the kind of trouble, the text all."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason


@dataclass
class Origins:
    """The origins of one statement's columns, each worked out once.

    ``exact`` ones end at a cast and at a union, where a column is no longer the one it was; else
    a cast is no computation, and of a union the first query is followed.
    """

    known: Known
    exact: bool = False
    _having: dict[tuple[int, str], bool | None] = field(default_factory=dict)
    _outputs: dict[tuple[int, str], str | Unresolved] = field(default_factory=dict)

    def origin(self, scope: Scope, column: exp.Column) -> str:
        """``relation.column`` that ``column`` reads; "" where it is computed on the way.

        Of a struct, the column that holds it is what is read.
        """
        parts = [part.name for part in column.parts]
        try:
            return self._place(scope, parts)
        except RecursionError as error:
            raise _too_deep(parts[-1]) from error

    def tables(self, scope: Scope) -> tuple[str, ...]:
        """The relations that a query reads, its CTEs' and subqueries' included."""
        found: dict[str, None] = {}
        pending, seen = [scope], {id(scope)}
        while pending:
            one = pending.pop()
            inner = list(one.set_operation_scopes)
            for source in _sources(one).values():
                if isinstance(source, exp.Table) and not _is_made(source):
                    found[self.known.relation(source)] = None
                elif isinstance(source, Scope):
                    inner.append(source)
            pending += [each for each in reversed(inner) if id(each) not in seen]
            seen.update(id(each) for each in inner)
        return tuple(found)

    def _place(self, scope: Scope, parts: list[str]) -> str:
        if len(parts) == 1:
            return self._bare(scope, parts[0])
        # ``schema.table.column`` first, then structs from the left: ``table.column.field``.
        for index in (len(parts) - 2, *range(len(parts) - 2)):
            source = _named(scope, parts[index])
            if source is not None:
                return self.output(source, parts[index + 1])
        if not _sources(scope):
            raise Unresolved("a table that is not in the query", f"{parts[-2]} is not in its query")
        try:
            return self._bare(scope, parts[0])
        except Unresolved as why:
            detail = f"{parts[-2]} has no source in its query"
            raise Unresolved("a table that is not in the query", detail) from why

    def _bare(self, scope: Scope, name: str) -> str:
        """The origin of an unqualified column: see ``_chosen``; then aliases, outer queries."""
        sources = _sources(scope)
        having = {key: self.has(each, name) for key, each in sources.items()}
        sure = [key for key, has in having.items() if has]
        maybe = [key for key, has in having.items() if has is None]
        if len(sure) == 1 or (sure and _is_merged(scope, name)):
            return self.output(sources[sure[0]], name)
        if sure:
            raise _ambiguous(name, sure)
        alias = _alias(scope, name)
        outer = _outer(scope)
        if outer is not None and self._is_outer(outer, name):
            return self._bare(outer, name)
        if alias is not None and (not maybe or len(sources) > 1):
            return self._value(scope, alias)
        if len(maybe) == 1 or (maybe and _is_merged(scope, name)):
            return self.output(sources[maybe[0]], name)
        if maybe:
            raise _ambiguous(name, maybe)
        if len(sources) == 1:  # what the schema knows of a table may be less than it has
            return self.output(next(iter(sources.values())), name)
        if name.lower() in _UNITS:
            return ""
        if sources:
            raise _ambiguous(name, list(sources))
        raise Unresolved("no table to read from", f"{name} is in a query that reads no table")

    def merged(self, scope: Scope) -> tuple[tuple[str, str], ...]:
        """The columns that USING sets equal, where both sides are columns of relations.

        Unresolved where the source of one of them cannot be told.
        """
        try:
            return tuple(self._merged(scope))
        except RecursionError as error:
            raise _too_deep("a column that USING joins on") from error

    def _merged(self, scope: Scope) -> Iterator[tuple[str, str]]:
        sources = _sources(scope)
        for join in scope.expression.args.get("joins") or ():
            right = sources.get(join.this.alias_or_name)
            for name in [each.name for each in join.args.get("using") or ()]:
                left = [
                    each
                    for each in sources.values()
                    if each is not right and self.has(each, name) is not False
                ]
                if right is None or not left:
                    continue
                ends = self.output(left[0], name), self.output(right, name)
                if all(ends) and ends[0] != ends[1]:
                    yield ends

    def _is_outer(self, scope: Scope, name: str) -> bool:
        """Whether an outer query surely has a column that none of the inner one's tables has."""
        outer = _outer(scope)
        return any(self.has(source, name) for source in _sources(scope).values()) or (
            outer is not None and self._is_outer(outer, name)
        )

    def has(self, source: exp.Table | Scope, name: str) -> bool | None:
        """Whether a source has the column ``name``; None where that cannot be told."""
        key = (id(source), name.lower())
        if key not in self._having:
            self._having[key] = None  # what asks for itself, as recursive CTEs do, cannot tell
            self._having[key] = self._has(source, name.lower())
        return self._having[key]

    def _has(self, source: exp.Table | Scope, name: str) -> bool | None:
        if isinstance(source, exp.Table):
            columns = self.known.columns.get(self.known.relation(source))
            if columns is not None and name in columns and not _is_made(source):
                return True
            return None if not columns or _is_made(source) else False
        offset = source.expression.args.get("offset")  # unnest(…) with offset as …
        if isinstance(offset, exp.Identifier) and offset.name.lower() == name:
            return True
        if source.outer_columns:
            return name in (each.lower() for each in source.outer_columns)
        if not isinstance(source.expression, exp.Query):
            return True if name == _label(source).lower() else None
        if source.set_operation_scopes:
            return self.has(source.set_operation_scopes[0], name)
        stars: list[bool | None] = []
        for each in _selects(source):
            if _is_star(each):
                stars += [self.has(inner, name) for inner in _starred(source, each, name)]
            elif each.alias_or_name.lower() == name:
                return True
        if any(stars):
            return True
        return None if None in stars or _pivots(source) else False

    def output(self, source: exp.Table | Scope, name: str) -> str:
        """What the column ``name`` of a source reads; "" where it is computed there."""
        key = (id(source), name.lower())
        if key not in self._outputs:
            self._outputs[key] = ""  # a column that is defined by itself is computed
            try:
                self._outputs[key] = self._output(source, name)
            except Unresolved as why:
                self._outputs[key] = why
            except RecursionError:
                self._outputs[key] = _too_deep(name)
        found = self._outputs[key]
        if isinstance(found, Unresolved):
            raise found
        return found

    def _output(self, source: exp.Table | Scope, name: str) -> str:
        if isinstance(source, exp.Table):
            if _is_made(source):
                return ""
            if source.args.get("pivots") and not self.has(source, name):
                return ""
            return f"{self.known.relation(source)}.{name}"
        if not isinstance(source.expression, exp.Query):
            return ""  # a function's output, a lateral view, a list of values
        if source.set_operation_scopes:
            if self.exact:
                return ""
            inner = source.set_operation_scopes[0]
            if source.outer_columns:
                return self._renamed(source, inner, name)
            return self.output(inner, name)
        if source.outer_columns:
            return self._renamed(source, source, name)
        return self._selected(source, name)

    def _renamed(self, source: Scope, inner: Scope, name: str) -> str:
        """The column that ``with t(name, …) as`` calls ``name``, by its position."""
        names = [each.lower() for each in source.outer_columns]
        outputs = _selects(inner)
        position = names.index(name.lower()) if name.lower() in names else len(outputs)
        if any(_is_star(each) for each in outputs[: position + 1]) or position >= len(outputs):
            raise _no_output(name)
        return self._value(inner, outputs[position])

    def _selected(self, scope: Scope, name: str) -> str:
        inner: list[exp.Table | Scope] = []
        for each in _selects(scope):
            if _is_star(each):
                inner += _starred(scope, each, name.lower())
            elif each.alias_or_name.lower() == name.lower():
                return self._value(scope, each)
        sure = [each for each in inner if self.has(each, name)]
        maybe = [each for each in inner if self.has(each, name) is None]
        found = sure[:1] or maybe
        if len(found) == 1 or (found and _is_merged(scope, name)):
            return self.output(found[0], name)
        if _pivots(scope):
            return ""
        if len(inner) == 1:
            return self.output(inner[0], name)
        raise _ambiguous(name, [_label(each) for each in found]) if found else _no_output(name)

    def _value(self, scope: Scope, node: exp.Expr) -> str:
        node = node.unalias()
        passed = exp.Paren if self.exact else exp.Cast | exp.Paren
        while isinstance(node, passed):
            node = node.this
        return self.origin(scope, node) if isinstance(node, exp.Column) else ""


def _ambiguous(name: str, among: list[str]) -> Unresolved:
    tables = ", ".join(sorted(among))
    return Unresolved("an unqualified column", f"{name} may come from any of {tables}")


def _too_deep(name: str) -> Unresolved:
    return Unresolved("nested too deeply", f"{name} is nested too deeply to be followed")


def _no_output(name: str) -> Unresolved:
    detail = f"{name} is no output of the query it is read from"
    return Unresolved("a column that its query does not give", detail)


def _sources(scope: Scope) -> dict[str, exp.Table | Scope]:
    """The sources that a query selects from, by alias."""
    return {key: source for key, (_, source) in scope.selected_sources.items()}


def _named(scope: Scope | None, name: str) -> exp.Table | Scope | None:
    """The source called ``name`` in the query or one around it; the case does not count."""
    while scope is not None:
        sources = _sources(scope)
        found = sources.get(name)
        if found is not None:
            return found
        for key, source in sources.items():
            if key.lower() == name.lower() or name.lower() in _pivots(source):
                return source
        scope = _outer(scope)
    return None


def _outer(scope: Scope) -> Scope | None:
    """The query whose columns ``scope`` may read too; one in FROM does not see its neighbours."""
    while scope.is_derived_table and scope.parent is not None:
        scope = scope.parent
    return None if scope.is_cte else scope.parent


def _is_made(table: exp.Table) -> bool:
    """Whether no relation is behind it: a table function, or a recursive query's own name."""
    if isinstance(table.this, exp.Func):
        return True
    if table.args.get("db") is not None:
        return False
    cte = table.find_ancestor(exp.CTE)
    while cte is not None:
        if cte.alias.lower() == table.name.lower():
            return True
        cte = cte.find_ancestor(exp.CTE)
    return False


def _pivots(source: exp.Table | Scope) -> tuple[str, ...]:
    """The lower-case aliases of what pivots a source ("" for none given); empty: no pivot."""
    node = source if isinstance(source, exp.Table) else source.expression.parent
    pivots = node.args.get("pivots") if node is not None else None
    return tuple(each.alias.lower() for each in pivots or ())


def _label(source: exp.Table | Scope) -> str:
    node = source if isinstance(source, exp.Table) else source.expression
    return node.alias_or_name or "a subquery"


def _alias(scope: Scope, name: str) -> exp.Expr | None:
    """The output expression called ``name``, unless it is a column of that very name."""
    for each in _selects(scope):
        if isinstance(each, exp.Alias) and each.alias.lower() == name.lower():
            inner = [column.name.lower() for column in each.find_all(exp.Column)]
            return None if name.lower() in inner else each
    return None


def _selects(scope: Scope) -> list[exp.Expr]:
    """The output expressions; of set operations, the first branch's."""
    node: exp.Expr = scope.expression
    while isinstance(node, exp.SetOperation | exp.Subquery):
        node = node.this
    return list(node.selects) if isinstance(node, exp.Select) else []


def _is_star(node: exp.Expr) -> bool:
    return isinstance(node, exp.Star) or (
        isinstance(node, exp.Column) and isinstance(node.this, exp.Star)
    )


def _starred(scope: Scope, star: exp.Expr, name: str) -> Iterator[exp.Table | Scope]:
    """The sources whose column ``name`` a star passes on under that name."""
    node = star.this if isinstance(star, exp.Column) else star
    left_out = {each.name.lower() for each in node.args.get("except_") or ()}
    renamed = {each.alias.lower() for each in node.args.get("rename") or ()}
    if name in left_out or name in renamed:
        return
    if isinstance(star, exp.Column) and star.table:
        source = _named(scope, star.table)
        if source is not None:
            yield source
        return
    yield from _sources(scope).values()


def _is_merged(scope: Scope, name: str) -> bool:
    """Whether USING or a natural join makes one column of those called ``name``."""
    for join in scope.expression.args.get("joins") or ():
        using = [each.name.lower() for each in join.args.get("using") or ()]
        if name.lower() in using or join.args.get("method") == "NATURAL":
            return True
    return False
