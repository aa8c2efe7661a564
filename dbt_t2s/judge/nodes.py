"""Which node of the project a table in compiled SQL is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from dbt_t2s.project.artifacts import Artifacts, Node, section, text
from dbt_t2s.sql import exp

EPHEMERAL = "__dbt__cte__"


class Nodes:
    """Node ids by all parts of their relation's name, and by as many as tell a node apart."""

    def __init__(self, artifacts: Artifacts) -> None:
        self._ids: dict[tuple[str, ...], str] = {}
        for node in readable(artifacts):
            unique_id = text(node, "unique_id")
            parts = relation_parts(node)
            for start in range(len(parts)):
                short = tuple(part.lower() for part in parts[start:])
                same = self._ids.get(short, unique_id) == unique_id
                self._ids[short] = unique_id if same else ""

    def find(self, table: exp.Table) -> str:
        """The node's id; empty where no node or several are called so."""
        parts = (part.name.lower() for part in table.parts if isinstance(part, exp.Identifier))
        return self._ids.get(tuple(parts), "")


def readable(artifacts: Artifacts) -> Iterator[Node]:
    """The nodes and sources that have a relation."""
    for node in artifacts.nodes("model", "snapshot", "seed"):
        if text(node, "relation_name"):
            yield node
    for _, node in sorted(section(artifacts.manifest, "sources").items()):
        if isinstance(node, Mapping) and section(node, "config").get("enabled", True):
            yield node


def relation_parts(node: Node) -> tuple[str, ...]:
    """Database, schema and name of a node's relation, without those that it has not."""
    name = text(node, "identifier") or text(node, "alias") or text(node, "name")
    whole = (text(node, "database"), text(node, "schema"), name)
    return tuple(part for part in whole if part)


def ephemeral_names(node: Node) -> frozenset[str]:
    """What dbt calls the CTE that stands for a node: an ephemeral model, or a unit test's input."""
    names = {text(node, "name"), text(node, "alias"), text(node, "identifier")}
    if text(node, "source_name"):
        names.add(f"{text(node, 'source_name')}__{text(node, 'name')}")
    return frozenset(f"{EPHEMERAL}{name}".lower() for name in names if name)
