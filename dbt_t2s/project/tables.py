"""Which nodes of a project people may query, and what they are called."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from dbt_t2s.errors import UsageError
from dbt_t2s.project import meta
from dbt_t2s.project.artifacts import Artifacts, Node, items, section, text
from dbt_t2s.project.schema import Issue, Level

_INNER_FOLDERS = frozenset({"staging", "stage", "stg", "intermediate", "int", "base"})
# Whose nodes may be queried where the settings do not say.
PACKAGES = ("all",)
_INNER_PREFIXES = ("stg_", "int_", "base_")


@dataclass(frozen=True)
class Chosen:
    """A node that becomes a table, under the name it goes by."""

    name: str
    node: Node

    @property
    def unique_id(self) -> str:
        return text(self.node, "unique_id")


def choose(
    artifacts: Artifacts,
    select: frozenset[str] | None = None,
    packages: Sequence[str] = PACKAGES,
) -> tuple[tuple[Chosen, ...], tuple[Issue, ...]]:
    """The queryable nodes, named; ``select`` (node ids) overrides the layers and ``packages``.

    ``packages`` are the names of those whose nodes are queryable, ``own`` the project itself and
    ``all`` every one; UsageError where there is none of a name.
    By default: public models where the project says which those are, else all but staging,
    intermediate, base and private models, else the seeds. Sources only when selected.
    """
    spines = {text(node, "unique_id") for node in time_spines(artifacts)}
    usable = [
        node
        for node in (*artifacts.nodes("model", "snapshot", "seed"), *_sources(artifacts))
        if _has_relation(node) and not meta.hidden(node) and text(node, "unique_id") not in spines
    ]
    issues = _left_out(artifacts)
    if select is not None:
        kept = [node for node in usable if text(node, "unique_id") in select]
    else:
        built = [node for node in usable if node.get("resource_type") != "source"]
        of_packages = _of_packages(artifacts, built, packages)
        if len(of_packages) < len(built):
            count = len(built) - len(of_packages)
            issues.append(_counted(count, "in a package that the setting packages does not name"))
        kept = _by_layer([node for node in of_packages if _is_latest_model(node)]) or [
            node for node in of_packages if node.get("resource_type") == "seed"
        ]
    if not kept:
        issues.append(
            Issue(
                Level.ERROR,
                "manifest.json",
                "no node of the project can be queried",
                "build models outside staging folders, or choose some with --select",
            )
        )
    return _named(kept, issues), tuple(issues)


def _sources(artifacts: Artifacts) -> list[Node]:
    """The enabled sources, sorted by their id."""
    found = sorted(section(artifacts.manifest, "sources").items())
    nodes = [node for _, node in found if isinstance(node, Mapping)]
    return [node for node in nodes if section(node, "config").get("enabled", True)]


def _left_out(artifacts: Artifacts) -> list[Issue]:
    """How many nodes are disabled or hidden, in one line each."""
    disabled = section(artifacts.manifest, "disabled")
    hidden = [n for n in artifacts.nodes("model", "snapshot", "seed") if meta.hidden(n)]
    counts = (
        (len(disabled), "disabled in the project"),
        (len(hidden), "hidden by meta.t2s.hidden"),
    )
    return [_counted(count, why) for count, why in counts if count]


def _counted(count: int, why: str) -> Issue:
    message = f"nodes left out because they are {why}: {count}"
    return Issue(Level.INFO, "manifest.json", message)


def _of_packages(
    artifacts: Artifacts, nodes: Sequence[Node], packages: Sequence[str]
) -> list[Node]:
    """The nodes of these packages; UsageError where one is not there."""
    own = text(section(artifacts.manifest, "metadata"), "project_name")
    there = {own, *(text(node, "package_name") for node in artifacts.nodes("model", "seed"))}
    wanted = {own if name == "own" else name for name in packages}
    for name in sorted(wanted - there - {"all"}):
        raise UsageError(
            f"the project has no package {name} with models or seeds",
            where="packages",
            hint=f"use own, all or some of: {', '.join(sorted(there - {''}))}",
        )
    return [node for node in nodes if "all" in wanted or text(node, "package_name") in wanted]


def _has_relation(node: Node) -> bool:
    materialized = text(section(node, "config"), "materialized")
    return bool(text(node, "relation_name")) and materialized != "ephemeral"


def _is_latest_model(node: Node) -> bool:
    version = node.get("version")
    latest = version is None or str(version) == str(node.get("latest_version"))
    return node.get("resource_type") == "model" and latest


def _by_layer(models: Sequence[Node]) -> list[Node]:
    public = [node for node in models if _access(node) == "public"]
    open_ones = [node for node in models if _access(node) != "private"]
    return public or [node for node in open_ones if not _is_inner(node)]


def _access(node: Node) -> str:
    return text(node, "access") or text(section(node, "config"), "access")


def _is_inner(node: Node) -> bool:
    folders = {str(part).lower() for part in items(node, "fqn")[1:-1]}
    return bool(folders & _INNER_FOLDERS) or text(node, "name").startswith(_INNER_PREFIXES)


def time_spines(artifacts: Artifacts) -> tuple[Node, ...]:
    """The calendars that MetricFlow joins metrics to: nobody asks for them, but metrics read them.

    They are declared so, bear the name that was theirs by rule, or lie where the semantic manifest
    says.
    """
    configuration = section(artifacts.semantic_manifest, "project_configuration")
    legacy = items(configuration, "time_spine_table_configurations")
    places = {
        section(each, "node_relation").get("relation_name") or each.get("location")
        for each in (*items(configuration, "time_spines"), *legacy)
        if isinstance(each, dict)
    }
    located = {str(place).lower() for place in places if place}
    nodes = (*artifacts.nodes("model", "snapshot", "seed"), *_sources(artifacts))
    return tuple(
        node
        for node in nodes
        if section(node, "time_spine")
        or (text(node, "name"), node.get("resource_type")) == ("metricflow_time_spine", "model")
        or text(node, "relation_name").lower() in located
    )


def _named(nodes: Iterable[Node], issues: list[Issue]) -> tuple[Chosen, ...]:
    """Give each node a name of its own: name, else alias, else with its version or package."""
    taken: dict[str, Chosen] = {}
    for node in nodes:
        base, version = text(node, "name"), node.get("version")
        candidates = [base, text(node, "alias"), f"{text(node, 'package_name')}__{base}"]
        if version is not None and str(version) != str(node.get("latest_version")):
            candidates = [f"{base}_v{version}", *candidates[1:]]
        elif version is not None:
            candidates.insert(1, f"{base}_v{version}")
        free = [each for each in candidates if each and each not in taken]
        if not free:
            issues.append(
                Issue(
                    Level.WARNING,
                    text(node, "unique_id"),
                    f"left out: {base} is already the name of {taken[base].unique_id}",
                    "rename one of the two",
                )
            )
            continue
        taken[free[0]] = Chosen(free[0], node)
    return tuple(taken[name] for name in sorted(taken))


def layer(node: Node) -> str:
    """The folder under the models folder that the node lies in."""
    parts = [str(part) for part in items(node, "fqn")]
    return parts[1] if len(parts) > 2 else ""


def entity(name: str, primary_entity: str) -> str:
    """The singular noun for one row: the primary entity's name, else read off the table's."""
    return _without_suffix(primary_entity) if primary_entity else _singular(name)


def _without_suffix(name: str) -> str:
    for suffix in ("_id", "_key", "_pk", "_sk"):
        if name.endswith(suffix) and len(name) > len(suffix):
            return name.removesuffix(suffix)
    return name


def _singular(table: str) -> str:
    """A plain English singular; empty where the name is no plural."""
    name = table
    for prefix in ("dim_", "fct_", "fact_", "mart_"):
        name = name.removeprefix(prefix)
    if name.endswith("ies") and len(name) > 4:
        return name[:-3] + "y"
    if name.endswith(("sses", "shes", "ches", "xes", "zes")):
        return name[:-2]
    if name.endswith("s") and not name.endswith(("ss", "us", "is")):
        return name[:-1]
    return ""
