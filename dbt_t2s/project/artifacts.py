"""Tolerant reading of dbt's JSON artifacts: raw dicts, never dbt's own classes.

dbt's classes fail on manifests that dbt itself wrote a version earlier or later; the few keys
read here have stayed the same since v10.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dbt_t2s.errors import ProjectError
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
    """Read what lies under ``target_path``; only the manifest must be there."""
    manifest = _load(target_path / "manifest.json", "dbt parse")
    if not manifest:
        raise ProjectError(
            "there is no manifest", where=str(target_path / "manifest.json"), hint="dbt parse"
        )
    version = manifest_version(manifest)
    manifest = _with_code(manifest)
    issues = [] if version in KNOWN_MANIFESTS else [_unknown_version(version)]
    catalog = _load(target_path / "catalog.json", "dbt docs generate")
    if not catalog:
        issues.append(
            Issue(
                Level.INFO,
                "catalog.json",
                "there is no catalog: columns come from the warehouse or the declared ones",
                "dbt docs generate",
            )
        )
    issues += _uncompiled(manifest)
    return Artifacts(
        manifest=manifest,
        catalog=catalog,
        semantic_manifest=_load(target_path / "semantic_manifest.json", "dbt parse"),
        run_results=_load(target_path / "run_results.json", "dbt build"),
        manifest_version=version,
        issues=tuple(issues),
    )


def manifest_version(manifest: Node) -> str:
    """``v12`` of ``https://schemas.getdbt.com/dbt/manifest/v12.json``; empty when unsaid."""
    found = _VERSION.search(text(section(manifest, "metadata"), "dbt_schema_version"))
    return found.group(1) if found else ""


def _load(path: Path, command: str) -> Node:
    """The file's object; empty when there is no such file."""
    if path.exists() and not path.is_file():  # reading a pipe would wait for ever
        raise ProjectError("it is no regular file", where=str(path), hint=command)
    try:
        raw = path.read_bytes()
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise ProjectError(f"cannot read it: {error.strerror}", where=str(path)) from error
    try:
        found = json.loads(raw)
    except ValueError as error:  # not JSON, or not UTF-8
        what = "it is empty" if not raw.strip() else f"it is cut short or not JSON ({error})"
        raise ProjectError(what, where=str(path), hint=command) from error
    except RecursionError as error:
        raise ProjectError("it is nested too deeply", where=str(path), hint=command) from error
    if not isinstance(found, dict):
        raise ProjectError("it holds no JSON object", where=str(path), hint=command)
    return found


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
