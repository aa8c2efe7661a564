"""Where a project's relations lie in one DuckDB file, which has one catalog."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from dbt_t2s import duck
from dbt_t2s.judge.nodes import Nodes, readable, relation_parts
from dbt_t2s.judge.relations import DEFAULT_SCHEMA
from dbt_t2s.project.artifacts import Artifacts, Node, text
from dbt_t2s.sql import exp

# Names that DuckDB keeps for itself, or that cannot be a file's.
_TAKEN = frozenset({"system", "temp", "main", ""})
_FALLBACK = "fixtures"


@dataclass(frozen=True)
class Layout:
    """``catalog`` is the database that most relations are in, and the file's name.

    Relations of another database lie in a schema that is called after both. ``owners`` are the
    nodes by lower-case (schema, name): a table may be declared as a source twice, or be a model's
    as well.
    """

    catalog: str
    artifacts: Artifacts
    nodes: Nodes
    owners: Mapping[tuple[str, str], str]

    def owner(self, unique_id: str) -> str:
        """The node that stands for all with the same relation: a model or seed before a source."""
        node = self.artifacts.node(unique_id)
        return self.owners.get(_lower(self.of_node(node)), unique_id) if node else unique_id

    def find(self, table: exp.Table) -> str:
        """The node that a table in SQL is; empty where it is none."""
        parts = [part.name for part in table.parts if isinstance(part, exp.Identifier)]
        if not parts or not isinstance(table.this, exp.Identifier):
            return ""
        found = self.nodes.find(table)
        return self.owner(found) if found else self.owners.get(_lower(self.of_parts(parts)), "")

    def of_node(self, node: Node) -> tuple[str, str]:
        """(schema, name) of a node's relation."""
        return self.of_parts(relation_parts(node))

    def of_parts(self, parts: Sequence[str]) -> tuple[str, str]:
        """(schema, name) of a relation that is called so."""
        database, schema, name = ("", DEFAULT_SCHEMA, parts[-1])
        if len(parts) > 1:
            schema = parts[-2]
        if len(parts) > 2:
            database = parts[-3]
        if not database or database.lower() == self.catalog.lower():
            return schema, name
        return f"{database}__{schema}", name

    def quoted(self, parts: Sequence[str]) -> str:
        """The relation's full name in the file."""
        return duck.quoted(self.catalog, *self.of_parts(parts))

    def rewrite(self, tree: exp.Expr) -> bool:
        """Gives every relation in the query its name in the file; whether any name changed."""
        ctes = {cte.alias.lower() for cte in tree.find_all(exp.CTE)}
        changed = False
        for table in list(tree.find_all(exp.Table)):
            parts = [part.name for part in table.parts if isinstance(part, exp.Identifier)]
            bare = len(parts) == 1 and parts[0].lower() in ctes
            if not isinstance(table.this, exp.Identifier) or bare or not parts:
                continue
            node = self.artifacts.node(self.find(table))
            schema, name = self.of_node(node) if node else self.of_parts(parts)
            full = (self.catalog, schema, name)
            if [each.lower() for each in full] != [each.lower() for each in parts]:
                _rename(table, full)
                changed = True
        if changed:
            for column in tree.find_all(exp.Column):
                column.args.update(db=None, catalog=None)
        return changed


def layout_of(artifacts: Artifacts, queryable: Iterable[str]) -> Layout:
    """The layout that leaves the names of most ``queryable`` nodes as they are."""
    parts = [relation_parts(artifacts.node(each)) for each in sorted(queryable)]
    databases = Counter(each[0] for each in parts if len(each) == 3)
    catalog = databases.most_common(1)[0][0] if databases else _FALLBACK
    if catalog.lower() in _TAKEN or any(each in catalog for each in "/\\\0"):
        catalog = _FALLBACK
    owners: dict[tuple[str, str], str] = {}
    layout = Layout(catalog, artifacts, Nodes(artifacts), owners)
    for node in readable(artifacts):
        owners.setdefault(_lower(layout.of_node(node)), text(node, "unique_id"))
    return layout


def _lower(place: tuple[str, str]) -> tuple[str, str]:
    return place[0].lower(), place[1].lower()


def _rename(table: exp.Table, full: tuple[str, str, str]) -> None:
    """Another name; columns that bear the old one still do."""
    if not table.alias:
        table.set("alias", exp.TableAlias(this=exp.to_identifier(table.name)))
    catalog, schema, name = (exp.to_identifier(each, quoted=True) for each in full)
    table.args.update(this=name, db=schema, catalog=catalog)
    for each in (catalog, schema, name):
        each.parent = table
