"""Secrets that dbt wrote into its artifacts, taken out before anything is kept."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from dbt_t2s.project.artifacts import Artifacts, Node, section, text

MASK = "***"

_ENV_VAR = re.compile(r"""env_var\(\s*['"]([^'"]+)['"]""")
_TELLING = re.compile(r"PASS|TOKEN|SECRET|KEY|CREDENTIAL", re.IGNORECASE)
_CUSTOM = "DBT_ENV_CUSTOM_ENV_"

# Masking shorter values would cut up the SQL and hide nothing.
_SHORTEST = 4

# Names that SQL must find again; everything else in a node may be masked.
_STRUCTURE_KEYS = """
    unique_id name alias schema database relation_name fqn resource_type package_name path
    original_file_path depends_on refs sources metrics node_relation attached_node type role agg
    materialized adapter_type dbt_schema_version project_name
"""
_STRUCTURE = frozenset(_STRUCTURE_KEYS.split())


def values(artifacts: Artifacts) -> frozenset[str]:
    """The values to mask: custom metadata, and variables read in the project with telling names."""
    found: set[str] = set()
    recorded = {
        **section(artifacts.run_results, "metadata", "env"),
        **section(artifacts.manifest, "metadata", "env"),
    }
    found |= {str(value) for value in recorded.values()}
    for name, value in os.environ.items():
        if name.startswith((_CUSTOM, "DBT_ENV_SECRET_")):
            found.add(value)
    for name in set(_variables_read(artifacts)):
        if _TELLING.search(name) and name in os.environ:
            found.add(os.environ[name])
    return frozenset(value for value in found if len(value) >= _SHORTEST) - _names(artifacts)


def _names(artifacts: Artifacts) -> frozenset[str]:
    """The names of databases, schemas and nodes: no secrets, and SQL breaks without them."""
    nodes = (
        *section(artifacts.manifest, "nodes").values(),
        *section(artifacts.manifest, "sources").values(),
    )
    keys = ("database", "schema", "name", "alias", "identifier")
    return frozenset(text(node, key) for node in nodes if isinstance(node, dict) for key in keys)


def _variables_read(artifacts: Artifacts) -> Iterator[str]:
    for part in ("nodes", "macros"):
        for node in section(artifacts.manifest, part).values():
            if isinstance(node, dict):
                code = text(node, "raw_code") or text(node, "macro_sql")
                yield from _ENV_VAR.findall(code)


def unknown(node: Node) -> bool:
    """Whether the node reads a telling variable that is not set now: its value is not known."""
    names = _ENV_VAR.findall(text(node, "raw_code"))
    return any(_TELLING.search(name) and name not in os.environ for name in names)


def scrub(artifacts: Artifacts) -> Artifacts:
    """The artifacts with every secret value masked, and unknown ones' compiled SQL taken out."""
    hidden = _pattern(artifacts)
    manifest = {name: _masked(part, hidden) for name, part in artifacts.manifest.items()}
    nodes = {
        unique_id: {**node, "compiled_code": ""} if _may_leak(node) else node
        for unique_id, node in section(manifest, "nodes").items()
    }
    return replace(
        artifacts,
        manifest={**manifest, "nodes": nodes},
        semantic_manifest={k: _masked(v, hidden) for k, v in artifacts.semantic_manifest.items()},
    )


def masker(artifacts: Artifacts) -> Callable[[str], str]:
    """What masks the project's secret values in a text from elsewhere."""
    hidden = _pattern(artifacts)
    return lambda written: written if hidden is None else hidden.sub(MASK, written)


def _pattern(artifacts: Artifacts) -> re.Pattern[str] | None:
    """What finds secret values; None where there are none."""
    found = sorted(values(artifacts), key=len, reverse=True)
    # Whole words only: a short value is part of many a name.
    alternatives = "|".join(re.escape(value) for value in found)
    return re.compile(rf"(?<!\w)(?:{alternatives})(?!\w)") if found else None


def _may_leak(node: Any) -> bool:
    return isinstance(node, Mapping) and unknown(node)


def _masked(value: Any, hidden: re.Pattern[str] | None) -> Any:
    if hidden is None:
        return value
    if isinstance(value, str):
        return hidden.sub(MASK, value)
    if isinstance(value, list):
        return [_masked(each, hidden) for each in value]
    if isinstance(value, dict):
        return {
            key: each if key in _STRUCTURE else _masked(each, hidden) for key, each in value.items()
        }
    return value
