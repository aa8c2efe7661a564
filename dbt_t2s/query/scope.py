"""One SELECT's scope: a root table, the tables joined to it, and how their columns are written."""

from __future__ import annotations

import re
from collections.abc import Iterable

from dbt_t2s.errors import QueryPlanError
from dbt_t2s.project.schema import Join, ProjectSchema, Table
from dbt_t2s.query.joins import JoinGraph
from dbt_t2s.query.plan import Col

# A column's table is written between marks until the scope knows whether it must be named.
_MARK = re.compile(r"t2s__(.+?)__t2s\.")
_COLUMN = re.compile(r't2s__.+?__t2s\.(?:"[^"]+"|\w+)')
_PLAIN = re.compile(r"[a-z_][a-z0-9_]*\Z")
RESERVED = frozenset((
    "all", "and", "any", "as", "asc", "between", "by", "case", "cast", "check", "column",
    "constraint", "create", "cross", "current_date", "date", "default", "desc", "distinct",
    "do", "else", "end", "except", "exists", "false", "fetch", "filter", "for", "foreign",
    "from", "full", "grant", "group", "having", "in", "inner", "intersect", "interval", "into",
    "is", "join", "key", "lateral", "left", "like", "limit", "natural", "not", "null", "offset",
    "on", "or", "order", "outer", "over", "partition", "pivot", "primary", "qualify",
    "references", "right", "row", "rows", "select", "set", "show", "some", "table", "then",
    "time", "timestamp", "to", "true", "union", "unique", "update", "user", "using", "values",
    "when", "where", "window", "with", "year", "month", "day", "hour",
))  # fmt: skip


def quote(name: str) -> str:
    """An identifier, quoted only where it must be."""
    if _PLAIN.match(name) and name not in RESERVED:
        return name
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def marked(table: str) -> str:
    return f"t2s__{table}__t2s"


def column(of: Col) -> str:
    """A column with its table marked, to be settled by ``Scope.settle``."""
    return f"{marked(of.table)}.{quote(of.column)}"


def tables_in(fragment: str) -> frozenset[str]:
    """The tables whose columns a fragment of SQL reads."""
    return frozenset(_MARK.findall(fragment))


def columns_in(fragment: str) -> frozenset[str]:
    """The marked columns that a fragment of SQL reads."""
    return frozenset(_COLUMN.findall(fragment))


class Scope:
    """FROM and JOIN for a root table and what it must reach.

    Tables that are ``needed`` are joined so that rows without a partner fall away (nobody asking
    for sales by store wants a line for no store); ``optional`` ones keep them.

    ``settle`` turns marked fragments into SQL: columns are qualified only when tables are joined,
    or when the scope is nested inside another one (``outer``).
    """

    def __init__(
        self,
        schema: ProjectSchema,
        graph: JoinGraph,
        root: str,
        needed: Iterable[str],
        optional: Iterable[str] = (),
    ) -> None:
        self._tables = {table.name: table for table in schema.tables}
        if root not in self._tables:
            raise QueryPlanError(f"no table is called {root!r}")
        self.root = self._tables[root]
        self._graph = graph
        self._joins: dict[str, Join] = {}
        for name in needed:
            self._join(name)
        required = frozenset(self._joins)
        for name in optional:
            self._join(name)
        self._optional = frozenset(self._joins) - required

    def _join(self, name: str) -> None:
        path = self._graph.path(self.root.name, name)
        if path is None:
            raise QueryPlanError(f"{name!r} cannot be joined to {self.root.name!r} row by row")
        for step in path:
            self._joins.setdefault(step.to_table, step)

    @property
    def joined(self) -> bool:
        return bool(self._joins)

    def table(self, name: str) -> Table:
        return self._tables[name]

    def from_clause(self, nested: bool = False) -> str:
        """``FROM root JOIN …`` with tables under their own names."""
        lines = [f"from {self._relation(self.root, self.joined or nested)}"]
        for name, join in self._joins.items():
            pairs = zip(join.columns, join.to_columns, strict=True)
            condition = " and ".join(
                f"{quote(join.table)}.{quote(left)} = {quote(name)}.{quote(right)}"
                for left, right in pairs
            )
            kind = "left join" if name in self._optional else "join"
            lines.append(f"{kind} {self._relation(self._tables[name], True)} on {condition}")
        return "\n".join(lines)

    @staticmethod
    def _relation(table: Table, aliased: bool) -> str:
        bare = table.relation.rsplit(".", 1)[-1].strip('"`')
        if not aliased or bare == table.name:
            return table.relation
        return f"{table.relation} as {quote(table.name)}"

    def settle(self, fragment: str, nested: bool = False) -> str:
        if self.joined or nested:
            return _MARK.sub(lambda found: f"{quote(found.group(1))}.", fragment)
        return _MARK.sub("", fragment)
