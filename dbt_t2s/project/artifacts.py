"""Tolerant reading of dbt's JSON artifacts: raw dicts, never dbt's own classes.

dbt's classes fail on manifests that dbt itself wrote a version earlier or later; the few keys
read here have stayed the same since v10.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dbt_t2s.errors import ProjectError
from dbt_t2s.project.json_file import (
    CATALOG,
    MANIFEST,
    RUN_RESULTS,
    SEMANTIC_MANIFEST,
    load,
)
from dbt_t2s.project.schema import Issue, Level

Node = Mapping[str, Any]

# Manifest versions whose keys are known to mean what is read here.
KNOWN_MANIFESTS = frozenset({"v10", "v11", "v12", "v20"})

_VERSION = re.compile(r"/(v\d+)\.json")


@dataclass(frozen=True)
class Artifacts:
    """One project's artifacts as dbt wrote them; missing ones are empty."""

    manifest: Node
    catalog: Node = field(default_factory=dict)
    semantic_manifest: Node = field(default_factory=dict)
    run_results: Node = field(default_factory=dict)
    manifest_version: str = ""
    issues: tuple[Issue, ...] = ()

    def nodes(self, *resource_types: str) -> Iterator[Node]:
        """The enabled nodes of these types (``model``, ``test``, …), sorted by their id."""
        for _, node in sorted(section(self.manifest, "nodes").items()):
            kept = isinstance(node, Mapping) and node.get("resource_type") in resource_types
            if kept and section(node, "config").get("enabled", True):
                yield node

    def node(self, unique_id: str) -> Node:
        """The node, source or metric with this id; empty where there is none."""
        for name in ("nodes", "sources", "metrics", "semantic_models", "saved_queries"):
            found = section(self.manifest, name).get(unique_id)
            if isinstance(found, Mapping):
                return found
        return {}


def section(node: Node, *path: str) -> Node:
    """The mapping at ``path``; empty when anything on the way is missing, null or not a mapping."""
    here: Any = node
    for key in path:
        here = here.get(key) if _is_mapping(here) else None
    return here if _is_mapping(here) else {}


def _is_mapping(value: object) -> bool:
    # Nearly all are dicts, which asking for an abstract class finds out ten times slower.
    return type(value) is dict or isinstance(value, Mapping)


def items(node: Node, key: str) -> tuple[Any, ...]:
    """The list under ``key``; empty when missing, null or not a list."""
    found = node.get(key)
    return tuple(found) if isinstance(found, list | tuple) else ()


def text(node: Node, key: str) -> str:
    """The string under ``key``; empty when missing or null."""
    found = node.get(key)
    return "" if found is None else str(found)


def read(target_path: Path) -> Artifacts:
    """Read what lies under ``target_path``; only the manifest must be there.

    ProjectError names a file that cannot be used. Run results that cannot be are an issue: they
    say which tests failed, and making them again is a whole build.
    """
    manifest, issues = _manifest(target_path)
    catalog, found = load(target_path, CATALOG)
    issues += found or _about_catalog(catalog, manifest)
    semantic_manifest, found = load(target_path, SEMANTIC_MANIFEST)
    issues += found
    run_results, found = _run_results(target_path)
    return Artifacts(
        manifest=manifest,
        catalog=catalog,
        semantic_manifest=_with_names(semantic_manifest, manifest),
        run_results=run_results,
        manifest_version=manifest_version(manifest),
        issues=(*issues, *found),
    )


def _manifest(target_path: Path) -> tuple[Node, tuple[Issue, ...]]:
    loaded, issues = load(target_path, MANIFEST)
    where = target_path / MANIFEST.name
    if not loaded:
        what = "it is an empty object" if where.exists() else "there is no manifest"
        raise ProjectError(what, where=str(where), hint=MANIFEST.command)
    version = manifest_version(loaded)
    if version not in KNOWN_MANIFESTS:
        issues = (*issues, _unknown_version(version))
    manifest = _with_code(loaded)
    return manifest, (*issues, *_uncompiled(manifest))


def _about_catalog(catalog: Node, manifest: Node) -> tuple[Issue, ...]:
    """Whether there is a catalog, and whether it is this project's."""
    if not catalog:
        message = "there is no catalog: columns come from the warehouse or the declared ones"
        return (Issue(Level.INFO, CATALOG.name, message, CATALOG.command),)
    listed = {*section(catalog, "nodes"), *section(catalog, "sources")}
    if listed and not listed & {*section(manifest, "nodes"), *section(manifest, "sources")}:
        message = "the manifest has none of its relations: it is of another project"
        return (Issue(Level.WARNING, CATALOG.name, message, CATALOG.command),)
    return ()


def _run_results(target_path: Path) -> tuple[Node, tuple[Issue, ...]]:
    try:
        return load(target_path, RUN_RESULTS)
    except ProjectError as error:
        message = f"{error.what}; which tests failed is not known"
        return {}, (Issue(Level.WARNING, RUN_RESULTS.name, message, error.hint),)


def manifest_version(manifest: Node) -> str:
    """``v12`` of ``https://schemas.getdbt.com/dbt/manifest/v12.json``; empty when unsaid."""
    found = _VERSION.search(text(section(manifest, "metadata"), "dbt_schema_version"))
    return found.group(1) if found else ""


def _with_code(manifest: Node) -> Node:
    """The manifest with every node's SQL under the keys of v7 and later.

    Up to v6 (dbt 1.2) ``compiled_code`` was called ``compiled_sql`` and ``raw_code`` ``raw_sql``.
    """
    nodes = {
        name: {"compiled_code": node.get("compiled_sql"), "raw_code": node.get("raw_sql"), **node}
        if isinstance(node, Mapping) and ("compiled_sql" in node or "raw_sql" in node)
        else node
        for name, node in section(manifest, "nodes").items()
    }
    return {**manifest, "nodes": nodes}


def _with_names(semantic_manifest: Node, manifest: Node) -> Node:
    """The semantic manifest with every metric's label and meta.

    dbt 1.6 wrote labels, and up to 1.7 meta, to the manifest alone.
    """
    nodes = {text(node, "name"): node for node in section(manifest, "metrics").values()}
    metrics = []
    for metric in items(semantic_manifest, "metrics"):
        node = nodes.get(text(metric, "name"), {})
        meta = {**section(node, "meta"), **section(node, "config", "meta")}
        added = {"label": text(node, "label"), "config": {"meta": meta} if meta else None}
        missing = {key: value for key, value in added.items() if value and not metric.get(key)}
        metrics.append({**metric, **missing} if missing else metric)
    return {**semantic_manifest, "metrics": metrics} if metrics else semantic_manifest


def _uncompiled(manifest: Node) -> list[Issue]:
    """One issue when SQL models have no compiled SQL, which is where patterns come from."""
    models = [
        node
        for node in section(manifest, "nodes").values()
        if isinstance(node, Mapping)
        and node.get("resource_type") == "model"
        and text(node, "language") in ("", "sql")
    ]
    bare = [node for node in models if not text(node, "compiled_code").strip()]
    if not bare:
        return []
    message = f"{len(bare)} of {len(models)} models are not compiled: nothing is mined from them"
    return [Issue(Level.WARNING, "manifest.json", message, "dbt compile")]


def _unknown_version(version: str) -> Issue:
    known = ", ".join(sorted(KNOWN_MANIFESTS, key=lambda each: int(each[1:])))
    return Issue(
        Level.WARNING,
        "manifest.json",
        f"manifest version {version or '(unsaid)'} is not one of {known}; read as if it were",
        "dbt parse with a dbt version between 1.6 and 1.12",
    )
