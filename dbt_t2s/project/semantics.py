"""Semantic models as dbt wrote them, tied to the schema's tables and columns."""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass, replace

from dbt_t2s import sql
from dbt_t2s.project import meta
from dbt_t2s.project.artifacts import Artifacts, Node, items, section, text


@dataclass(frozen=True)
class Hints:
    """What the semantic layer says of a table and its columns (lower-case column names)."""

    primary_entity: str = ""
    time_column: str = ""
    label: str = ""
    description: str = ""
    keys: frozenset[str] = frozenset()
    foreign: frozenset[str] = frozenset()
    categories: frozenset[str] = frozenset()
    labels: tuple[tuple[str, str], ...] = ()
    descriptions: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class SemanticModel:
    """One semantic model; ``table`` is the schema's name for its relation, "" if not queryable."""

    name: str
    table: str
    relation: str
    node: Node

    def elements(self, kind: str) -> tuple[Node, ...]:
        """Its ``entities``, ``dimensions`` or ``measures``."""
        return tuple(each for each in items(self.node, kind) if isinstance(each, dict))

    def element(self, kind: str, name: str) -> Node | None:
        return next((e for e in self.elements(kind) if text(e, "name") == name), None)

    @property
    def primary_entity(self) -> str:
        primary = [e for e in self.elements("entities") if e.get("type") == "primary"]
        return text(primary[0], "name") if primary else text(self.node, "primary_entity")

    def holds(self, entity: str) -> bool:
        """Whether a row of it is one ``entity``, so that its dimensions go by that name."""
        if entity == self.primary_entity:
            return True
        found = self.element("entities", entity)
        return found is not None and found.get("type") in ("primary", "unique", "natural")

    def time_dimension(self, measure: Node) -> str:
        """The name of the dimension that dates a measure."""
        default = text(section(self.node, "defaults"), "agg_time_dimension")
        return text(measure, "agg_time_dimension") or default


def expression(element: Node) -> str:
    """An element's SQL over its model's columns: its expr, or the column that it is named after."""
    return text(element, "expr").strip() or text(element, "name")


def read(
    artifacts: Artifacts, relations: Mapping[str, str], dialect: str
) -> tuple[SemanticModel, ...]:
    """The project's semantic models; ``relations`` maps lower-case relations to table names."""
    listed: Iterable[object] = items(artifacts.semantic_manifest, "semantic_models")
    listed = listed or section(artifacts.manifest, "semantic_models").values()
    found = []
    for node in listed:
        if not isinstance(node, dict):
            continue
        written = text(section(node, "node_relation"), "relation_name")
        try:
            relation = sql.relation(written, dialect) if written else ""
        except sql.SqlError:
            relation = written
        table = relations.get(relation.lower(), "")
        found.append(SemanticModel(text(node, "name"), table, relation, node))
    return tuple(found)


def among(models: Iterable[SemanticModel], names: Container[str]) -> tuple[SemanticModel, ...]:
    """The models, those over a table that was left out (not in ``names``) tied to none."""
    return tuple(each if each.table in names else replace(each, table="") for each in models)


def hints(models: Iterable[SemanticModel], table: str) -> Hints:
    """What the semantic models over ``table`` say; with several, the first wins on what is one."""
    about = [model for model in models if model.table == table]
    if not about:
        return Hints()
    keys: set[str] = set()
    foreign: set[str] = set()
    categories: set[str] = set()
    labels: dict[str, str] = {}
    descriptions: dict[str, str] = {}
    for model in about:
        for entity in model.elements("entities"):
            group = foreign if entity.get("type") == "foreign" else keys
            group.add(expression(entity).lower())
        for dimension in model.elements("dimensions"):
            name = expression(dimension).lower()
            if dimension.get("type") == "categorical":
                categories.add(name)
            labels.setdefault(name, meta.label(dimension))
            descriptions.setdefault(name, meta.description(dimension))
    first = about[0]
    default = first.element("dimensions", first.time_dimension({}))
    return Hints(
        primary_entity=first.primary_entity,
        time_column=expression(default) if default else "",
        label=meta.label(first.node),
        description=meta.description(first.node),
        keys=frozenset(keys - foreign),
        foreign=frozenset(foreign),
        categories=frozenset(categories),
        labels=tuple(labels.items()),
        descriptions=tuple(descriptions.items()),
    )
