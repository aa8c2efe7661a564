"""What a SELECT reads: its tables under their aliases, the edges it joins them by."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from dbt_t2s.errors import QueryPlanError
from dbt_t2s.project.schema import Join, ProjectSchema
from dbt_t2s.query.plan import Col
from dbt_t2s.sql import SqlError, exp, parse_one


class NotConvertedError(QueryPlanError):
    """SQL that no plan says; its text is the reason, the same for all queries of a kind."""


@dataclass(frozen=True)
class Names:
    """The schema's names by their spelling; ``spell`` gives what two spellings of one share.

    Tables are found by their own names and by the last part of their relations.
    """

    tables: Mapping[str, str]
    columns: Mapping[str, Mapping[str, str]]
    spell: Callable[[str], str] = str.lower

    def table(self, name: str) -> str:
        found = self.tables.get(self.spell(name))
        if found is None:
            raise NotConvertedError("a table that the schema lacks")
        return found

    def column(self, table: str, name: str) -> str | None:
        return self.columns[table].get(self.spell(name))


def names_of(schema: ProjectSchema, spell: Callable[[str], str] = str.lower) -> Names:
    """The names of ``schema``; a relation's name that several tables share names none of them."""
    relations: dict[str, set[str]] = {}
    for table in schema.tables:
        bare = table.relation.rsplit(".", 1)[-1].strip('"`')
        relations.setdefault(spell(bare), set()).add(table.name)
    tables = {spell(t.name): t.name for t in schema.tables}
    for name, found in relations.items():
        if len(found) == 1:
            tables[name] = next(iter(found))
        else:
            tables.pop(name, None)
    columns = {t.name: {spell(c.name): c.name for c in t.columns} for t in schema.tables}
    return Names(tables, columns, spell)


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


def parsed(text: str, dialect: str) -> exp.Expr:
    """The tree of one query."""
    try:
        return parse_one(text, dialect)
    except SqlError as error:
        raise NotConvertedError("SQL that cannot be read") from error


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
    outer: list[str] = []
    for join in select.args.get("joins") or ():
        if join.side in ("RIGHT", "FULL") or join.kind in ("SEMI", "ANTI", "ASOF"):
            raise NotConvertedError("an outer join")
        if join.side == "LEFT":
            outer.append(join.this.alias_or_name.lower())
        if join.args.get("on"):
            conditions += _conjuncts(join.args["on"])
        conditions += _using(join, select, Source(names, aliases))
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
    left = [c for c in conditions if not _is_join(c)]
    for alias in outer:
        _check_outer(aliases[alias], edges, left, plain, schema)
    return Source(names, aliases, edges), left


def _using(join: exp.Join, select: exp.Select, source: Source) -> Iterator[exp.Expr]:
    """What USING says, as equalities with a table named before."""
    mine = join.this.alias_or_name.lower()
    for name in join.args.get("using") or ():
        for alias, table in source.aliases.items():
            if alias == mine:
                break
            if source.names.column(table, name.name):
                yield exp.EQ(
                    this=exp.column(name.name, alias), expression=exp.column(name.name, mine)
                )
                break


def _check_outer(
    table: str,
    edges: frozenset[Join],
    conditions: list[exp.Expr],
    source: Source,
    schema: ProjectSchema,
) -> None:
    """An outer join keeps no rows that an inner one loses, or NotConvertedError."""
    for edge in edges:
        if edge.to_table == table and not edge.orphan_share:
            columns = [schema.table(edge.table).column(name) for name in edge.columns]
            if all(not c.nullable or c.null_share == 0 for c in columns):
                return
    for condition in conditions:
        read = {source.column(c).table for c in condition.find_all(exp.Column)}
        if table in read and not condition.find(exp.Is, exp.Coalesce, exp.Not, exp.Or):
            return
    raise NotConvertedError("an outer join")


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
    """Whether two columns of different tables are said to be equal (or of tables unsaid)."""
    if not isinstance(node, exp.EQ):
        return False
    left, right = node.this, node.expression
    if not isinstance(left, exp.Column) or not isinstance(right, exp.Column):
        return False
    return not left.table or left.table.lower() != right.table.lower()
