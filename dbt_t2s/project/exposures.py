"""Who stands behind a table and what is built on it: groups, owners, exposures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from dbt_t2s.project import meta
from dbt_t2s.project.artifacts import Artifacts, Node, items, section, text
from dbt_t2s.project.schema import Exposure, Metric, Table


def group(node: Node) -> str:
    """The name of the node's group; empty where it is in none."""
    return text(node, "group") or text(section(node, "config"), "group")


def owners(artifacts: Artifacts) -> Mapping[str, str]:
    """Who owns each group, by the group's name."""
    groups = section(artifacts.manifest, "groups").values()
    return {text(each, "name"): owner(each) for each in groups}


def owner(node: Node) -> str:
    """``Ada (ada@example.org)``, or what is known of that."""
    name, address = _named(node), _address(node)
    return f"{name} ({address})" if name and address else name or address


def _named(node: Node) -> str:
    return meta.clean(section(node, "owner").get("name"))


def _address(node: Node) -> str:
    """The owner's e-mail address; since dbt 1.10 there may be several."""
    said = section(node, "owner")
    addresses = items(said, "email") or (text(said, "email"),)
    return ", ".join(meta.clean(each) for each in addresses if each)


def read(
    artifacts: Artifacts, tables: Sequence[Table], metrics: Sequence[Metric]
) -> tuple[Exposure, ...]:
    """The project's exposures, by name; what they read of it is that which can be asked for."""
    names = {table.unique_id: table.name for table in tables}
    measured = {metric.unique_id: metric for metric in metrics if metric.unique_id}
    found = []
    for unique_id, node in section(artifacts.manifest, "exposures").items():
        needs = [str(each) for each in items(section(node, "depends_on"), "nodes")]
        asked = [measured[each] for each in needs if each in measured]
        read_by = [names[each] for each in needs if each in names]
        read_by += [name for metric in asked for name in metric.tables]
        found.append(
            Exposure(
                name=text(node, "name"),
                type=text(node, "type"),
                unique_id=unique_id,
                label=meta.label(node),
                description=meta.description(node),
                owner=_named(node) or _address(node),
                contact=_address(node),
                tables=tuple(dict.fromkeys(read_by)),
                metrics=tuple(dict.fromkeys(metric.name for metric in asked)),
            )
        )
    return tuple(sorted(found, key=lambda each: (each.name, each.unique_id)))
