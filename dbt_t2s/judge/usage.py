"""What a model's SQL says about the columns that it reads: a warehouse made up must suit it."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from dbt_t2s import sql as language
from dbt_t2s.judge import conditions
from dbt_t2s.judge.conditions import Condition
from dbt_t2s.sql import Scope, exp

Place = tuple[str, str]
"""A node's id and its column in lower case."""

Key = tuple[str, tuple[str, ...]]
"""A node's id and some of its columns in lower case."""

Source = exp.Expr | Scope
Find = Callable[[exp.Table], str]
ColumnsOf = Callable[[str], frozenset[str]]

# What passes a value on, perhaps in another spelling.
_CARRIES = (exp.Cast, exp.Paren, exp.Lower, exp.Upper, exp.Trim, exp.Nullif, exp.TsOrDsToDate)
_EQUAL = (exp.EQ, exp.NullSafeEQ)
_COMPUTES = (
    exp.Sum, exp.Avg, exp.Mul, exp.Div, exp.Round, exp.Abs, exp.Stddev, exp.Median, exp.Add,
    exp.Sub,
)  # fmt: skip
_DATES = (
    exp.DateTrunc, exp.TimestampTrunc, exp.DateDiff, exp.TimestampDiff, exp.Extract, exp.DateAdd,
    exp.DateSub, exp.Year, exp.Month, exp.Day, exp.TsOrDsAdd, exp.TsOrDsDiff, exp.DayOfWeek,
)  # fmt: skip
_TEXTS = (exp.Lower, exp.Upper, exp.Trim, exp.Like, exp.ILike, exp.Length, exp.Substring)


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


@dataclass(frozen=True)
class Usage:
    """One statement read.

    ``outputs`` are (lower-case name, origins), the latter none where a value is computed; ``open``
    are the nodes of which unknown columns are passed on besides. ``types`` are the types or kinds of type (``number``, ``date``, ``text``, ``boolean``) that casts
    and functions ask for, ``equal`` the places that joins compare, ``scenarios`` the conditions
    that rows must meet together, ``seen`` those that some expression asks about. ``needs`` are the
    places that must be filled for an output to be.
    """

    reads: tuple[Place, ...] = ()
    outputs: tuple[tuple[str, tuple[Origin, ...]], ...] = ()
    open: tuple[str, ...] = ()
    types: tuple[tuple[Place, str], ...] = ()
    equal: tuple[tuple[Place, Place], ...] = ()
    scenarios: tuple[tuple[tuple[Place, Condition], ...], ...] = ()
    seen: tuple[tuple[Place, Condition], ...] = ()
    needs: tuple[tuple[str, tuple[Place, ...]], ...] = ()
    matched: tuple[tuple[str, tuple[Key, ...]], ...] = ()
    compared: tuple[tuple[Place, Place], ...] = ()
    decoded: tuple[tuple[Place, tuple[str, ...]], ...] = ()
    formats: tuple[tuple[Place, str], ...] = ()


def read(tree: exp.Expr, dialect: str, find: Find, columns_of: ColumnsOf) -> Usage:
    """What the query ``tree`` says; ``SqlError`` where its scopes cannot be told.

    ``find`` gives the node that a table is (empty for none), ``columns_of`` the lower-case columns
    of a node, empty where not all are known.
    """
    language.match_ctes(tree)
    scopes = language.scopes(tree) if language.is_select(tree) else ()
    if not scopes:
        return Usage()
    reader = _Reader(dialect, find, columns_of)
    reads = (place for scope in scopes for place in reader.reads(scope))
    types = (each for scope in scopes for each in reader.types(scope))
    equal = (pair for scope in scopes for pair in reader.equal(scope))
    scenarios = (reader.scenario(scope) for scope in scopes)
    seen = (each for scope in scopes for each in reader.seen(scope))
    return Usage(
        tuple(dict.fromkeys(reads)),
        tuple(reader.outputs(scopes[-1])),
        reader.open_nodes(scopes[-1]),
        tuple(dict.fromkeys(types)),
        tuple(dict.fromkeys(equal)),
        tuple(dict.fromkeys(each for each in scenarios if each)),
        tuple(dict.fromkeys(seen)),
        tuple(reader.all_needs(scopes[-1])),
        tuple(reader.all_matched(scopes[-1])),
        tuple(dict.fromkeys(pair for scope in scopes for pair in reader.compared(scope))),
        tuple(dict.fromkeys(each for scope in scopes for each in reader.decoded(scope))),
        tuple(dict.fromkeys(each for scope in scopes for each in reader.formats(scope))),
    )


class _Reader:
    def __init__(self, dialect: str, find: Find, columns_of: ColumnsOf) -> None:
        self._dialect = dialect
        self._find = find
        self._columns_of = columns_of
        # By the scope's identity; the scope is kept so that the identity stays its own.
        self._projected: dict[tuple[int, str], tuple[Scope, tuple[Origin, ...]]] = {}
        self._needed: dict[tuple[int, str], tuple[Scope, tuple[Place, ...]]] = {}

    # --- where columns come from ---------------------------------------------------------------

    def origins(self, scope: Scope, column: exp.Column) -> tuple[Origin, ...]:
        """The columns of nodes that ``column`` of ``scope`` is; none where that is not certain."""
        source = self._source(scope, column)
        return self._of_source(source, column.name.lower()) if source is not None else ()

    def _source(self, scope: Scope, column: exp.Column) -> Source | None:
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
            here = here.parent
        return None

    def _among(self, sources: tuple[Source, ...], name: str) -> Source | None:
        """Of several sources the one that has the column, or the only one that may have it."""
        having = [each for each in sources if self._has(each, name) is True]
        maybe = [each for each in sources if self._has(each, name) is None]
        chosen = having if len(having) == 1 else maybe if not having and len(maybe) == 1 else []
        return chosen[0] if chosen else None

    def _has(self, source: Source, name: str) -> bool | None:
        """Whether a source has the column; None where that is not known."""
        if isinstance(source, Scope):
            named = _names(source)
            if name in named:
                return True
            return None if "*" in named else False
        known = self._columns_of(self._node(source))
        return name in known if known else None

    def _of_source(self, source: Source, name: str) -> tuple[Origin, ...]:
        if isinstance(source, Scope):
            return self._put_out(source, name)
        node = self._node(source)
        return (Origin((node, name)),) if node else ()

    def _node(self, source: exp.Expr) -> str:
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
        return tuple(each.after(_is_grouped(query)) for each in found)

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
                    return self._of_source(source, name)
        return ()

    def _of_branches(self, scope: Scope, name: str) -> tuple[Origin, ...]:
        """A set operation's column: the first branch names it, the others hold it by its place."""
        branches = scope.set_operation_scopes
        if not branches:
            return ()
        names = _names(branches[0])
        found = list(self._put_out(branches[0], name))
        at = names.index(name) if name in names and "*" not in names else -1
        for branch in branches[1:]:
            others = _names(branch)
            same = at >= 0 and "*" not in others and at < len(others)
            found += self._put_out(branch, others[at] if same else name)
        query = scope.expression
        grouped = not isinstance(query, exp.Union) or bool(query.args.get("distinct"))
        return tuple(each.after(grouped) for each in found)

    def carried(self, scope: Scope, value: exp.Expr) -> tuple[Origin, ...]:
        """The columns whose values an expression passes on, perhaps in another spelling."""
        scaled = False
        while isinstance(value, _CARRIES) or _is_scaling(value):
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
        return tuple(each.after(False, scaled) for each in found)

    def outputs(self, scope: Scope) -> Iterator[tuple[str, tuple[Origin, ...]]]:
        """Each output by its name with where it comes from, nowhere if it is computed."""
        for name in dict.fromkeys(self._all_names(scope)):
            yield name, self._put_out(scope, name)

    def _all_names(self, scope: Scope) -> Iterator[str]:
        if scope.set_operation_scopes:
            yield from self._all_names(scope.set_operation_scopes[0])
            return
        yield from (name for name in _names(scope) if name != "*")
        for source in _behind_stars(scope):
            if isinstance(source, Scope):
                yield from self._all_names(source)
            else:
                yield from sorted(self._columns_of(self._node(source)))

    def open_nodes(self, scope: Scope) -> tuple[str, ...]:
        """The nodes of which all columns are passed on without being known."""
        if scope.set_operation_scopes:
            return self.open_nodes(scope.set_operation_scopes[0])
        found: dict[str, None] = {}
        for source in _behind_stars(scope):
            if isinstance(source, Scope):
                found |= dict.fromkeys(self.open_nodes(source))
            elif not self._columns_of(self._node(source)):
                found[self._node(source)] = None
        return tuple(found)

    # --- what they rest on ---------------------------------------------------------------------

    def all_needs(self, scope: Scope) -> Iterator[tuple[str, tuple[Place, ...]]]:
        for name in dict.fromkeys(self._all_names(scope)):
            yield name, self._needs(scope, name)

    def _needs(self, source: Source, name: str) -> tuple[Place, ...]:
        """The places that must be filled for a source's column to be filled."""
        if not isinstance(source, Scope):
            node = self._node(source)
            return ((node, name),) if node else ()
        key = (id(source), name)
        if key not in self._needed:
            self._needed[key] = (source, ())
            self._needed[key] = (source, tuple(dict.fromkeys(self._rests_on(source, name))))
        return self._needed[key][1]

    def _rests_on(self, scope: Scope, name: str) -> Iterator[Place]:
        branches = scope.set_operation_scopes
        if branches:
            names = _names(branches[0])
            at = names.index(name) if name in names and "*" not in names else -1
            for branch in branches:
                others = _names(branch)
                same = at >= 0 and "*" not in others and at < len(others)
                yield from self._needs(branch, others[at] if same else name)
        elif isinstance(scope.expression, exp.Select):
            for column in self._decisive(scope, scope.expression, name):
                source = self._source(scope, column)
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
            if source in tuple(_behind_stars(scope)) and self._has(source, name) is not False:
                yield exp.column(name, table=each)

    def _joined_by(self, scope: Scope, source: Source) -> Iterator[Place]:
        """What a LEFT JOIN finds its rows by: where that is NULL, so is all that it adds."""
        for join in scope.expression.args.get("joins") or ():
            joined = scope.selected_sources.get(join.alias_or_name)
            on = join.args.get("on")
            if join.side == "LEFT" and joined is not None and joined[1] is source and on:
                for column in on.find_all(exp.Column):
                    yield from (each.place for each in self.origins(scope, column))

    # --- what they are joined to ---------------------------------------------------------------

    def all_matched(self, scope: Scope) -> Iterator[tuple[str, tuple[Key, ...]]]:
        for name in dict.fromkeys(self._all_names(scope)):
            if found := tuple(dict.fromkeys(self._matched(scope, name))):
                yield name, found

    def _matched(self, scope: Scope, name: str) -> Iterator[Key]:
        """The keys that must be unique for each row with this output to come out once."""
        query = scope.expression
        if not isinstance(query, exp.Select) or _is_grouped(query):
            return
        column = self._passed(scope, query, name)
        source = self._source(scope, column) if column is not None else None
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
                while isinstance(value, _CARRIES):
                    value = value.this
                return value if isinstance(value, exp.Column) else None
        for each, (_, source) in scope.selected_sources.items():
            if source in tuple(_behind_stars(scope)) and self._has(source, name) is not False:
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
        found = [self._of_source(source, name) for name in names]
        nodes = {each.place[0] for origins in found for each in origins}
        whole = all(len(origins) == 1 and not origins[0].grouped for origins in found)
        if len(nodes) == 1 and whole:
            yield nodes.pop(), tuple(sorted({origins[0].place[1] for origins in found}))

    # --- what is asked of them -----------------------------------------------------------------

    def reads(self, scope: Scope) -> Iterator[Place]:
        for column in scope.columns:
            yield from (each.place for each in self.origins(scope, column))

    def equal(self, scope: Scope) -> Iterator[tuple[Place, Place]]:
        pairs = [(each.left, each.right) for each in scope.find_all(*_EQUAL)]
        for left, right in pairs:
            yield from self._pairs(self.carried(scope, left), self.carried(scope, right))
        for join in scope.expression.args.get("joins") or ():
            for name in join.args.get("using") or ():
                sources = [source for _, source in scope.selected_sources.values()]
                of_all = [self._of_source(s, name.name.lower()) for s in sources]
                held = [each for each in of_all if each]
                for one, other in itertools.pairwise(held):
                    yield from self._pairs(one, other)

    def _pairs(
        self, left: tuple[Origin, ...], right: tuple[Origin, ...]
    ) -> Iterator[tuple[Place, Place]]:
        for a in left:
            for b in right:
                if a.place != b.place and not a.scaled and not b.scaled:
                    yield a.place, b.place

    def types(self, scope: Scope) -> Iterator[tuple[Place, str]]:
        for cast in scope.find_all(exp.Cast):
            if isinstance(cast.this, exp.Column) and not cast.to.is_type(*exp.DataType.TEXT_TYPES):
                written = language.to_sql(cast.to, "duckdb")
                yield from ((each.place, written) for each in self.origins(scope, cast.this))
        for kind, functions in (("number", _COMPUTES), ("date", _DATES), ("text", _TEXTS)):
            for function in scope.find_all(*functions):
                parts = (function.this, function.args.get("expression"))
                for part in parts if kind != "text" else parts[:1]:
                    value = part.unnest() if isinstance(part, exp.Expr) else None
                    if isinstance(value, exp.Column):
                        yield from ((o.place, kind) for o in self.origins(scope, value))
        for each in scope.find_all(exp.Div):
            # What is divided so comes in cents, which are whole.
            if each.expression.name in ("100", "100.0") and isinstance(each.this, exp.Column):
                yield from ((o.place, "BIGINT") for o in self.origins(scope, each.this))

    def formats(self, scope: Scope) -> Iterator[tuple[Place, str]]:
        """The strftime formats in which columns hold moments as text."""
        for each in scope.find_all(exp.StrToTime, exp.StrToDate, exp.StrToUnix):
            written = each.args.get("format")
            if isinstance(written, exp.Literal):
                yield from ((o.place, written.name) for o in self.carried(scope, each.this))

    def compared(self, scope: Scope) -> Iterator[tuple[Place, Place]]:
        """The columns whose values are put in order with one another."""
        for each in scope.find_all(exp.GT, exp.GTE, exp.LT, exp.LTE, exp.Between):
            bounds = (each.args.get("expression"), each.args.get("low"), each.args.get("high"))
            for bound in bounds:
                if isinstance(bound, exp.Expr):
                    yield from self._pairs(
                        self.carried(scope, each.this), self.carried(scope, bound)
                    )

    def scenario(self, scope: Scope) -> tuple[tuple[Place, Condition], ...]:
        """The conditions of WHERE and ON that compare a column with literals."""
        found: list[tuple[Place, Condition]] = []
        joins = [join.args.get("on") for join in scope.expression.args.get("joins") or ()]
        where = scope.expression.args.get("where")
        for condition in (where.this if where else None, *joins):
            for part in conditions.conjuncts(condition):
                read = conditions.read(part)
                if read is not None:
                    found += self._placed(scope, *read)
        return tuple(found)

    def seen(self, scope: Scope) -> Iterator[tuple[Place, Condition]]:
        """Every comparison of a column with literals, wherever it stands."""
        for each in scope.find_all(*conditions.COMPARISONS):
            read = conditions.read(each)
            if read is not None:
                yield from self._placed(scope, *read)
        for each in scope.find_all(exp.Case):
            read = conditions.of_case(each)
            if read is not None:
                yield from self._placed(scope, *read)

    def decoded(self, scope: Scope) -> Iterator[tuple[Place, tuple[str, ...]]]:
        """The values that a CASE without an ELSE knows: others become NULL."""
        for each in scope.find_all(exp.Case):
            read = conditions.of_case(each)
            if read is not None and each.args.get("default") is None:
                for place, condition in self._placed(scope, *read):
                    yield place, condition.values

    def _placed(
        self, scope: Scope, value: exp.Expr, condition: Condition
    ) -> Iterator[tuple[Place, Condition]]:
        while isinstance(value, (*_CARRIES, exp.DateTrunc, exp.TimestampTrunc, exp.Coalesce)):
            value = value.this
        if isinstance(value, exp.Column):
            yield from ((each.place, condition) for each in self.origins(scope, value))


def _names(scope: Scope) -> tuple[str, ...]:
    """What a query's outputs are called, ``*`` for stars; a CTE may rename them."""
    query = scope.expression
    while isinstance(query, exp.SetOperation):
        query = query.this.unnest()
    selects = query.selects if isinstance(query, exp.Select) else []
    return tuple("*" if each.is_star else each.alias_or_name.lower() for each in selects)


def _behind_stars(scope: Scope) -> Iterator[Source]:
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


def _is_grouped(query: exp.Select) -> bool:
    """Whether a SELECT merges rows, or picks some of those that are alike."""
    return any(query.args.get(each) for each in ("group", "distinct", "qualify"))


def _is_scaling(value: exp.Expr) -> bool:
    """A number times, over or rounded to a constant."""
    if isinstance(value, exp.Round):
        return True
    return isinstance(value, exp.Mul | exp.Div) and isinstance(
        value.expression.unnest(), exp.Literal
    )


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
