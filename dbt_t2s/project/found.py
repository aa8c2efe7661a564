"""A node's columns as the artifacts list them: in the catalog, the docs or a seed's header."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from dbt_t2s.project.artifacts import Artifacts, Node, section, text

# How far a type is to be trusted by where it was found: read off the built relation, written by
# a person (an enforced contract is checked by the warehouse), inferred from SQL, not known at all.
BUILT = 1.0
CONTRACT = 1.0
DECLARED = 0.9
INFERRED = 0.6
NAME_ONLY = 0.3


@dataclass(frozen=True)
class Found:
    """A column's name and type, where the two were found and how far that is to be trusted.

    ``sources`` and ``expression`` are what ``schema.Column`` says they are.
    """

    name: str
    type: str
    origin: str
    confidence: float = BUILT
    sources: tuple[str, ...] = ()
    expression: str = ""


def from_catalog(artifacts: Artifacts, unique_id: str) -> tuple[Found, ...]:
    """The built relation's columns, of a source too; empty where the catalog has none."""
    part = "sources" if unique_id.startswith("source.") else "nodes"
    listed = [
        column
        for column in section(artifacts.catalog, part, unique_id, "columns").values()
        if isinstance(column, dict) and column.get("name")
    ]
    listed.sort(key=_index)
    return tuple(Found(text(each, "name"), text(each, "type"), "catalog") for each in listed)


def _index(column: Node) -> int:
    index = column.get("index")
    return index if isinstance(index, int) else 0


def declared(node: Node) -> tuple[Found, ...]:
    """The documented columns; those without a type are names alone."""
    kinds = declared_types(node)
    return tuple(typed(each, kinds.get(each.lower(), ""), node) for each in _declared_names(node))


def _declared_names(node: Node) -> tuple[str, ...]:
    columns = section(node, "columns").values()
    names = (text(column, "name") for column in columns if isinstance(column, dict))
    return tuple(name for name in names if name)


def declared_types(node: Node) -> dict[str, str]:
    """Types that the docs (or a seed's ``column_types``) declare, by lower-case column."""
    given = section(node, "config", "column_types")
    kinds = {str(name).lower(): str(kind) for name, kind in given.items() if kind}
    for column in section(node, "columns").values():
        if isinstance(column, dict) and text(column, "data_type"):
            kinds[text(column, "name").lower()] = text(column, "data_type")
    return kinds


def typed(name: str, declared_type: str, node: Node) -> Found:
    """A column with its declared type, which a contract may enforce; else a name alone."""
    if not declared_type:
        return Found(name, "", "unknown", NAME_ONLY)
    enforced = section(node, "config", "contract").get("enforced") is True
    return Found(name, declared_type, "declared", CONTRACT if enforced else DECLARED)


def from_seed(node: Node, root: Path | None) -> tuple[Found, ...]:
    """A seed's columns: its file's header if the file is there, else the declared ones."""
    kinds = declared_types(node)
    names = _header(node, root) or tuple(section(node, "config", "column_types"))
    if not names:
        return declared(node)
    return tuple(typed(str(name), kinds.get(str(name).lower(), ""), node) for name in names)


def _header(node: Node, root: Path | None) -> tuple[str, ...]:
    """The first line of the seed's file; empty where there is no such file."""
    if root is None or not text(node, "original_file_path"):
        return ()
    folder = Path(text(node, "root_path")) if text(node, "root_path") else root
    path = folder / text(node, "original_file_path")
    delimiter = text(section(node, "config"), "delimiter") or ","
    if not path.is_file() or len(delimiter) != 1:
        return ()
    with path.open(encoding="utf-8-sig", errors="replace", newline="") as lines:
        return _names(next(csv.reader(lines, delimiter=delimiter), ()))


def _names(cells: Iterable[str]) -> tuple[str, ...]:
    return tuple(cell.strip() for cell in cells if cell.strip())
