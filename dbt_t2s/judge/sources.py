"""What a query reads, as the schema knows it: which table a column is of, which joins fan out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from dbt_t2s import sql as language
from dbt_t2s.judge.relations import split_name
from dbt_t2s.project.schema import Column, ProjectSchema, RuleKind, Table
from dbt_t2s.sql import exp

# What proves that a reference is always found: a dbt test, or a constraint of the database.
PROOFS = ("test.", "constraint")


@dataclass(frozen=True)
class Known:
    """A column of a query that is one of the schema; ``source`` is the table's name in the query.

    ``optional`` where an outer join may leave it empty.
    """

    source: str
    table: Table
    column: Column
    optional: bool = False

    @property
    def never_null(self) -> bool:
        return not self.column.nullable and not self.optional


class Sources:
    """The tables that one parse tree reads; columns of CTEs and subqueries are not known."""

    def __init__(self, tree: exp.Expr, schema: ProjectSchema) -> None:
        self.schema = schema
        self.dialect = schema.dialect
        self._ctes = {cte.alias.lower() for cte in tree.find_all(exp.CTE)}
        self._tables = tuple(
            (tuple(part.lower() for part in split_name(table.relation)), table)
            for table in schema.tables
        )
        self._listed = listed_values(schema)

    def table(self, node: exp.Expr) -> Table | None:
        """The schema's table that a FROM or JOIN names."""
        if not isinstance(node, exp.Table) or isinstance(node.this, exp.Func):
            return None
        parts = tuple(part.name.lower() for part in node.parts)
        if len(parts) == 1 and parts[0] in self._ctes:
            return None
        found = [table for name, table in self._tables if name[-len(parts) :] == parts]
        return found[0] if len(found) == 1 else None

    def of_select(self, select: exp.Expr) -> tuple[tuple[str, Table | None, bool], ...]:
        """(name in the query, table, optional) of everything in FROM and JOIN, in order."""
        found: list[tuple[str, Table | None, bool]] = []
        for node, side in _sources(select):
            if side in ("RIGHT", "FULL"):
                found = [(name, table, True) for name, table, _ in found]
            optional = side in ("LEFT", "FULL")
            found.append((node.alias_or_name.lower(), self.table(node), optional))
        return tuple(found)

    def column(self, node: exp.Expr) -> Known | None:
        """The schema's column that ``node`` is, if that is certain."""
        select = node.find_ancestor(exp.Select)
        if not isinstance(node, exp.Column) or select is None:
            return None
        sources = self.of_select(select)
        if node.table:
            sources = tuple(each for each in sources if each[0] == node.table.lower())
        elif any(table is None for _, table, _ in sources):
            return None
        found = [
            Known(name, table, column, optional)
            for name, table, optional in sources
            if table is not None
            for column in table.columns
            if column.name.lower() == node.name.lower()
        ]
        return found[0] if len(found) == 1 else None

    def repeats_rows(self, select: exp.Expr) -> bool:
        """Whether a row of the first table may come out more than once."""
        sources = self.of_select(select)
        known = {name: table for name, table, _ in sources}
        for join in select.args.get("joins") or ():
            table = known.get(join.this.alias_or_name.lower())
            if table is None or not _pins_key(join, table):
                return True
        return not sources or sources[0][1] is None

    def keeps_rows(self, select: exp.Expr, name: str) -> bool:
        """Whether a row of the table that the SELECT calls ``name`` comes out once at most.

        As where every other table's key is set by the columns of tables that do not repeat it.
        """
        found = self.of_select(select)
        tables = {source: table for source, table, _ in found if table is not None}
        if len(tables) != len(found) or name not in tables:
            return False
        joins = select.args.get("joins") or ()
        if found[0][0] != name and any(join.side for join in joins):
            return False
        if any(join.side in ("RIGHT", "FULL") for join in joins):
            return False
        pinned = {name}
        pairs = {source: _setting(source, joins) for source in tables}
        while grown := {
            source
            for source, table in tables.items()
            if source not in pinned and _is_pinned(source, table, pairs[source], pinned)
        }:
            pinned |= grown
        return pinned == set(tables)

    def listed(self, table: Table, column: str) -> tuple[str, ...]:
        """The values that a test allows a column, empty where none lists them."""
        return self._listed.get((table.name, column.lower()), ())

    def is_key(self, known: Known) -> bool:
        """Whether a column tells the rows of its table apart, by the project's own tests."""
        return known.table.primary_key == (known.column.name,) or known.column.unique


def listed_values(schema: ProjectSchema) -> dict[tuple[str, str], tuple[str, ...]]:
    """The values that a test allows, by (table, column in lower case)."""
    tested = {
        (rule.table, column.lower())
        for rule in schema.rules
        if rule.kind is RuleKind.VALUE and any(each.startswith("test.") for each in rule.evidence)
        for column in (rule.predicate.partition(" IN (")[0].strip('"`[]'),)
    }
    return {
        (table.name, column.name.lower()): column.values
        for table in schema.tables
        for column in table.columns
        if column.values_complete and (table.name, column.name.lower()) in tested
    }


def _setting(source: str, joins: Sequence[exp.Expr]) -> list[tuple[exp.Column, exp.Column]]:
    """The equal columns of all joins that bind a source: LEFT binds the one that it adds alone."""
    binding = [
        each
        for each in joins
        if not each.args.get("side") or each.this.alias_or_name.lower() == source
    ]
    return [pair for join in binding for pair in _column_pairs(join)]


def _column_pairs(join: exp.Expr) -> list[tuple[exp.Column, exp.Column]]:
    """The columns that a join's condition makes equal."""
    condition = join.args.get("on")
    parts = language.all_of(condition) if isinstance(condition, exp.Expr) else []
    return [
        (part.this, part.expression)
        for part in parts
        if isinstance(part, exp.EQ)
        and isinstance(part.this, exp.Column)
        and isinstance(part.expression, exp.Column)
    ]


def _is_pinned(
    source: str, table: Table, pairs: list[tuple[exp.Column, exp.Column]], by: set[str]
) -> bool:
    """Whether columns of ``by`` set a key of ``table``, called ``source``."""
    own = {
        a.name.lower()
        for pair in pairs
        for a, b in (pair, pair[::-1])
        if a.table.lower() == source and b.table.lower() in by
    }
    key = {each.lower() for each in table.primary_key}
    unique = {each.name.lower() for each in table.columns if each.unique}
    return bool(own & unique) or (bool(key) and key <= own)


def _sources(select: exp.Expr) -> Iterator[tuple[exp.Expr, str]]:
    start = select.args.get("from_")
    if isinstance(start, exp.From):
        yield start.this, ""
    for join in select.args.get("joins") or ():
        yield join.this, str(join.side or "").upper()


def _pins_key(join: exp.Expr, table: Table) -> bool:
    """Whether a join's condition sets the whole primary key of the table that it adds."""
    condition = join.args.get("on")
    if not isinstance(condition, exp.Expr) or not table.primary_key:
        return False
    name = join.this.alias_or_name.lower()
    pinned: set[str] = set()
    for part in language.all_of(condition):
        sides = (part.left, part.right) if isinstance(part, exp.EQ) else ()
        columns = [each for each in sides if isinstance(each, exp.Column)]
        if len(columns) == 2 and len({each.table.lower() for each in columns}) == 2:
            pinned |= {each.name.lower() for each in columns if each.table.lower() == name}
    return {each.lower() for each in table.primary_key} <= pinned
