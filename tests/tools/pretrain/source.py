"""What a gold SELECT reads: its tables under their aliases, the edges it joins them by."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from dbt_t2s.project.schema import Join, ProjectSchema
from dbt_t2s.query.plan import Col
from dbt_t2s.sql import SqlError, exp, parse_one
from tests.tools.pretrain.names import canonical

_COMPARED = (exp.EQ, exp.NEQ, exp.GT, exp.GTE, exp.LT, exp.LTE, exp.Like, exp.Between, exp.In)


class NotConvertedError(ValueError):
    """Gold SQL that no plan says; its text is the reason, the same for all rows of a kind."""


@dataclass(frozen=True)
class Names:
    """The schema's names by their canonical spelling."""

    tables: Mapping[str, str]
    columns: Mapping[str, Mapping[str, str]]

    def table(self, name: str) -> str:
        found = self.tables.get(canonical(name))
        if found is None:
            raise NotConvertedError("a table that the schema lacks")
        return found

    def column(self, table: str, name: str) -> str | None:
        return self.columns[table].get(canonical(name))


def names_of(schema: ProjectSchema) -> Names:
    return Names(
        {canonical(t.name): t.name for t in schema.tables},
        {t.name: {canonical(c.name): c.name for c in t.columns} for t in schema.tables},
    )


@dataclass(frozen=True)
class Source:
    """``aliases`` maps lower-case aliases to tables, in FROM's order."""

    names: Names
    aliases: Mapping[str, str]
    edges: frozenset[Join] = field(default=frozenset())

    @property
    def tables(self) -> tuple[str, ...]:
        return tuple(self.aliases.values())

    def column(self, node: exp.Expr) -> Col:
        """The column that ``node`` names."""
        if not isinstance(node, exp.Column) or isinstance(node.this, exp.Star):
            raise NotConvertedError("an expression where a column is needed")
        wanted: tuple[str, ...]
        if node.table:
            table = self.aliases.get(node.table.lower())
            wanted = (table,) if table else ()
        else:
            wanted = self.tables
        for candidate in wanted:
            found = self.names.column(candidate, node.name)
            if found:
                return Col(candidate, found)
        raise NotConvertedError("a column that its tables lack")


def parsed(text: str, names: Names) -> exp.Expr:
    """The gold's tree, with what SQLite takes for text in double quotes made text."""
    try:
        tree = parse_one(text, "sqlite")
    except SqlError as error:
        raise NotConvertedError("SQL that cannot be read") from error
    known = {name for columns in names.columns.values() for name in columns}
    for column in list(tree.find_all(exp.Column)):
        if column.table or not isinstance(column.this, exp.Identifier) or not column.this.quoted:
            continue
        right = isinstance(column.parent, _COMPARED) and column.parent.this is not column
        if right or canonical(column.name) not in known:
            column.replace(exp.Literal.string(column.name))
    return tree


def joined_by(conditions: list[exp.Expr], source: Source, schema: ProjectSchema) -> frozenset[Join]:
    """The schema's edges that equalities between columns spell; every one must be used up."""
    pairs = set()
    for condition in conditions:
        left, right = source.column(condition.this), source.column(condition.expression)
        pairs |= {(left, right), (right, left)}
    found: set[Join] = set()
    used: set[tuple[Col, Col]] = set()
    for join in schema.joins:
        needed = {
            (Col(join.table, a), Col(join.to_table, b))
            for a, b in zip(join.columns, join.to_columns, strict=True)
        }
        if needed <= pairs:
            found.add(join)
            used |= needed | {(b, a) for a, b in needed}
    if pairs - used:
        raise NotConvertedError("a join that is no foreign key")
    return frozenset(found)


def read_source(
    select: exp.Select, names: Names, schema: ProjectSchema
) -> tuple[Source, list[exp.Expr]]:
    """FROM and its joins, and the conditions that are left."""
    aliases: dict[str, str] = {}
    conditions: list[exp.Expr] = []
    for table in _relations(select):
        if not isinstance(table, exp.Table):
            raise NotConvertedError("a subquery in FROM")
        aliases[table.alias_or_name.lower()] = names.table(table.name)
    for join in select.args.get("joins") or ():
        if join.args.get("using") or join.side == "LEFT":
            raise NotConvertedError("an outer join or USING")
        if join.args.get("on"):
            conditions += _conjuncts(join.args["on"])
    if len(set(aliases.values())) != len(aliases):
        raise NotConvertedError("a table joined to itself")
    if select.args.get("where"):
        conditions += _conjuncts(select.args["where"].this)
    joins = [c for c in conditions if _is_join(c)]
    plain = Source(names, aliases)
    edges = joined_by(joins, plain, schema)
    if len({e.table for e in edges} | {e.to_table for e in edges}) < len(aliases) > 1:
        raise NotConvertedError("a table joined without a condition")
    if len(edges) >= len(aliases) > 1:
        raise NotConvertedError("joins in a circle")
    return Source(names, aliases, edges), [c for c in conditions if not _is_join(c)]


def _relations(select: exp.Select) -> Iterator[exp.Expr]:
    start = select.args.get("from_")
    if start is None:
        raise NotConvertedError("no FROM")
    yield start.this
    for join in select.args.get("joins") or ():
        yield join.this


def _conjuncts(node: exp.Expr) -> list[exp.Expr]:
    inner = node.unnest()
    if isinstance(inner, exp.And):
        return [*_conjuncts(inner.this), *_conjuncts(inner.expression)]
    return [inner]


def _is_join(node: exp.Expr) -> bool:
    return (
        isinstance(node, exp.EQ)
        and isinstance(node.this, exp.Column)
        and isinstance(node.expression, exp.Column)
    )
