"""Query patterns: the shapes, joins, filters and groupings that the project's own SQL shows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from dbt_t2s import sql
from dbt_t2s.project.origins import Known, Unresolved, origin, tables_of
from dbt_t2s.project.schema import Issue, Level, ProjectSchema
from dbt_t2s.sql import Scope, exp

_INSTANCES = 2
_LONGEST = 200

_OPERATORS: tuple[tuple[type[exp.Expr], str], ...] = (
    (exp.EQ, "="),
    (exp.NEQ, "<>"),
    (exp.GTE, ">="),
    (exp.GT, ">"),
    (exp.LTE, "<="),
    (exp.LT, "<"),
    (exp.In, "in"),
    (exp.Between, "between"),
    (exp.Like, "like"),
    (exp.ILike, "like"),
)


@dataclass(frozen=True)
class Pattern:
    """One shape of query and what it was used for.

    ``support`` counts the queries (scopes of statements) of this shape; the lists hold what any
    of them does: ``joins`` as ``a.x = b.y``, ``filters`` as ``a.x >=``, ``aggregations`` as
    ``SUM(a.x)``, ``groupings`` as ``a.x``. ``sources`` are node ids, ``instances`` up to two
    queries as written.
    """

    skeleton: str
    support: int
    tables: tuple[str, ...] = ()
    joins: tuple[str, ...] = ()
    filters: tuple[str, ...] = ()
    aggregations: tuple[str, ...] = ()
    groupings: tuple[str, ...] = ()
    instances: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()


@dataclass(frozen=True)
class Mined:
    """The patterns, and how much of the SQL they stand for."""

    patterns: tuple[Pattern, ...]
    scopes: int
    resolved: int
    issues: tuple[Issue, ...] = ()

    @property
    def share_resolved(self) -> float:
        return self.resolved / self.scopes if self.scopes else 1.0


@dataclass(frozen=True)
class _Seen:
    """One scope, read."""

    skeleton: str
    source: str
    instance: str
    tables: tuple[str, ...]
    joins: tuple[str, ...]
    filters: tuple[str, ...]
    aggregations: tuple[str, ...]
    groupings: tuple[str, ...]


def mine(schema: ProjectSchema) -> tuple[Pattern, ...]:
    """The patterns of the project's compiled SQL, the most used first."""
    return mining(schema).patterns


def mining(schema: ProjectSchema) -> Mined:
    """``mine`` with its issues and the share of scopes that it could read."""
    known = Known(
        names={table.relation.lower(): table.name for table in schema.tables},
        columns={
            table.relation.lower(): frozenset(column.name.lower() for column in table.columns)
            for table in schema.tables
        },
        dialect=schema.dialect,
    )
    seen: list[_Seen] = []
    issues: list[Issue] = []
    scopes = 0
    for node_id, _, code in schema.statements:
        try:
            tree = sql.parse_one(code, schema.dialect)
            found = [
                scope
                for scope in sql.scopes(tree)
                if _says_something(scope.expression) and not _is_injected(scope.expression)
            ]
        except sql.SqlError as error:
            scopes += 1
            issues.append(Issue(Level.INFO, node_id, f"its SQL cannot be read: {error}"))
            continue
        for scope in found:
            scopes += 1
            try:
                seen.append(_read(scope, node_id, known))
            except (Unresolved, sql.SqlError) as why:
                issues.append(Issue(Level.INFO, node_id, f"a query of it is left out: {why}"))
    return Mined(tuple(_grouped(seen)), scopes, len(seen), tuple(issues))


def _says_something(node: exp.Expr) -> bool:
    """Whether a query does more than pass columns on, as dbt's import CTEs do."""
    if not isinstance(node, exp.Select):
        return False
    clauses = ("where", "group", "joins", "having", "qualify", "distinct", "order", "limit")
    return any(node.args.get(clause) for clause in clauses) or any(
        each.find(exp.AggFunc, exp.Window) for each in node.selects
    )


def _is_injected(node: exp.Expr) -> bool:
    """Whether dbt put this here: an ephemeral model's SQL, which is a statement of its own."""
    cte = node.find_ancestor(exp.CTE)
    while cte is not None:
        if cte.alias.startswith("__dbt__cte__"):
            return True
        cte = cte.find_ancestor(exp.CTE)
    return False


def _read(scope: Scope, node_id: str, known: Known) -> _Seen:
    node = scope.expression
    bare = node.copy()
    bare.set("with_", None)
    return _Seen(
        skeleton=sql.skeleton_of(bare, known.dialect),
        source=node_id,
        instance=sql.to_sql(bare, known.dialect),
        tables=_unique(tables_of(scope, known)),
        joins=_unique(_joins(scope, known)),
        filters=_unique(_filters(scope, known)),
        aggregations=_unique(_aggregations(scope, known)),
        groupings=_unique(_groupings(scope, known)),
    )


def _unique(found: Iterator[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(each for each in found if each))


def _joins(scope: Scope, known: Known) -> Iterator[str]:
    """Equalities between columns of two sources, the smaller name first."""
    for join in scope.expression.args.get("joins") or ():
        condition = join.args.get("on")
        for part in _conjuncts(condition) if condition is not None else ():
            sides = (part.this, part.expression) if isinstance(part, exp.EQ) else ()
            ends = [origin(scope, e, known) for e in sides if isinstance(e, exp.Column)]
            if len(ends) == 2 and all(ends) and ends[0] != ends[1]:
                yield " = ".join(sorted(ends))
        for name in join.args.get("using") or ():
            yield f"using {name.name}"


def _filters(scope: Scope, known: Known) -> Iterator[str]:
    where = scope.expression.args.get("where")
    for part in _conjuncts(where.this) if where is not None else ():
        negated = isinstance(part, exp.Not)
        inner = part.this.unnest() if negated else part
        operator = _operator(inner, negated)
        for column in inner.find_all(exp.Column, bfs=False) if operator else ():
            if column.find_ancestor(exp.Query) is scope.expression:
                place = origin(scope, column, known)
                yield f"{place} {operator}" if place else ""


def _operator(node: exp.Expr, negated: bool) -> str:
    """How a condition compares; empty for conditions that are none of the plain ones."""
    if isinstance(node, exp.Column):
        return "is false" if negated else "is true"
    if isinstance(node, exp.Is):
        return "is not null" if negated else "is null"
    for kind, operator in _OPERATORS:
        if isinstance(node, kind):
            return f"not {operator}" if negated else operator
    return ""


def _conjuncts(node: exp.Expr) -> list[exp.Expr]:
    node = node.unnest()
    if not isinstance(node, exp.And):
        return [node]
    return [part for each in node.flatten() for part in _conjuncts(each)]


def _aggregations(scope: Scope, known: Known) -> Iterator[str]:
    for each in scope.expression.find_all(exp.AggFunc, bfs=False):
        if each.find_ancestor(exp.Query) is scope.expression:
            yield _written(each, scope, known)


def _groupings(scope: Scope, known: Known) -> Iterator[str]:
    """GROUP BY's expressions, with positions, output names and ALL looked up."""
    node = scope.expression
    group = node.args.get("group")
    if group is None or not isinstance(node, exp.Select):
        return
    keys = list(group.expressions)
    if group.args.get("all"):
        keys = [each for each in node.selects if not each.find(exp.AggFunc)]
    outputs = {each.alias: each.unalias() for each in node.selects if isinstance(each, exp.Alias)}
    for key in keys:
        if isinstance(key, exp.Literal) and not key.is_string and key.name.isdigit():
            position = int(key.name)
            key = node.selects[position - 1] if 0 < position <= len(node.selects) else key
        elif isinstance(key, exp.Column) and not key.table and key.name in outputs:
            key = outputs[key.name]
        yield _written(key.unalias(), scope, known)


def _written(node: exp.Expr, scope: Scope, known: Known) -> str:
    """``node`` with every column under the name of the table it comes from."""

    def place(part: exp.Expr) -> exp.Expr:
        if not isinstance(part, exp.Column) or isinstance(part.this, exp.Star):
            return part
        table, _, name = origin(scope, part, known).partition(".")
        return exp.column(name, table) if name else part

    copy = node.transform(place) if node.find(exp.Column) else node
    return sql.to_sql(copy, known.dialect)[:_LONGEST]


def _grouped(seen: Sequence[_Seen]) -> Iterator[Pattern]:
    by_skeleton: dict[str, list[_Seen]] = {}
    for each in seen:
        by_skeleton.setdefault(each.skeleton, []).append(each)
    ordered = sorted(by_skeleton.items(), key=lambda pair: (-len(pair[1]), pair[0]))
    for skeleton, group in ordered:
        yield Pattern(
            skeleton=skeleton,
            support=len(group),
            tables=_unique(name for each in group for name in each.tables),
            joins=_unique(name for each in group for name in each.joins),
            filters=_unique(name for each in group for name in each.filters),
            aggregations=_unique(name for each in group for name in each.aggregations),
            groupings=_unique(name for each in group for name in each.groupings),
            instances=_unique(each.instance for each in group)[:_INSTANCES],
            sources=_unique(each.source for each in group),
        )
