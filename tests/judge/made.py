"""Small projects as manifests, and the warehouses that are made up for them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dbt_t2s import duck
from dbt_t2s.duck import Rows
from dbt_t2s.judge import fixtures
from dbt_t2s.judge.fixtures import Fixtures
from dbt_t2s.project import artifacts
from dbt_t2s.project.dbt import DbtProject
from dbt_t2s.project.distill import distill
from dbt_t2s.project.schema import ProjectSchema

VERSION = "https://schemas.getdbt.com/dbt/manifest/v12.json"


@dataclass
class Manifest:
    """A manifest, grown node by node; relations are ``<database>.<schema>.<name>``."""

    adapter: str = "duckdb"
    database: str = "shop"
    schema: str = "main"
    nodes: dict[str, Any] = field(default_factory=dict)
    sources: dict[str, Any] = field(default_factory=dict)
    unit_tests: dict[str, Any] = field(default_factory=dict)

    def _relation(self, *parts: str) -> str:
        quote = "`" if self.adapter == "bigquery" else '"'
        return ".".join(f"{quote}{part}{quote}" for part in parts)

    def source(self, name: str, database: str = "", **columns: str) -> Manifest:
        """A source, of which ``columns`` are documented with a type (empty for none)."""
        place = database or self.database
        unique_id = f"source.shop.raw.{name}"
        self.sources[unique_id] = {
            "unique_id": unique_id, "resource_type": "source", "name": name, "source_name": "raw",
            "identifier": name, "database": place, "schema": "raw", "package_name": "shop",
            "relation_name": self._relation(place, "raw", name), "fqn": ["shop", "raw", name],
            "columns": {c: {"name": c, "data_type": t or None} for c, t in columns.items()},
        }  # fmt: skip
        return self

    def node(self, kind: str, name: str, code: str = "", **more: Any) -> Manifest:
        unique_id = f"{kind}.shop.{name}"
        parents = more.pop("parents", ())
        database = more.pop("database", self.database)
        self.nodes[unique_id] = {
            "unique_id": unique_id, "resource_type": kind, "name": name, "alias": name,
            "database": database, "schema": self.schema, "package_name": "shop",
            "relation_name": self._relation(database, self.schema, name),
            "fqn": ["shop", "marts", name], "language": "sql", "compiled_code": code,
            "original_file_path": f"{kind}s/{name}.sql", "depends_on": {"nodes": list(parents)},
            "config": {"materialized": "table"}, "columns": {}, **more,
        }  # fmt: skip
        return self

    def model(self, name: str, code: str, *parents: str, **more: Any) -> Manifest:
        """A model; ``parents`` are names of models, or ids of other nodes."""
        ids = [each if "." in each else f"model.shop.{each}" for each in parents]
        return self.node("model", name, code, parents=ids, **more)

    def test(self, kind: str, subject: str, column: str = "", **arguments: Any) -> Manifest:
        """A generic test of a node (its id); ``to`` is the id of a relationship's other node."""
        number = len(self.nodes)
        unique_id = f"test.shop.{kind}_{number}"
        to = arguments.pop("to", None)
        self.nodes[unique_id] = {
            "unique_id": unique_id, "resource_type": "test", "name": f"{kind}_{number}",
            "test_metadata": {"name": kind, "kwargs": {"column_name": column, **arguments}},
            "attached_node": subject, "depends_on": {"nodes": [*([to] if to else []), subject]},
            "config": {}, "columns": {},
        }  # fmt: skip
        return self

    def write(self, root: Path) -> DbtProject:
        target = root / "target"
        target.mkdir(parents=True, exist_ok=True)
        written = {
            "metadata": {
                "dbt_schema_version": VERSION, "adapter_type": self.adapter,
                "project_name": "shop", "generated_at": "2024-06-30T12:00:00Z",
            },
            "nodes": self.nodes, "sources": self.sources, "unit_tests": self.unit_tests,
        }  # fmt: skip
        (target / "manifest.json").write_text(json.dumps(written))
        return DbtProject("shop", root, target, root, "", "", self.adapter, self.adapter)


@dataclass(frozen=True)
class Made:
    """A made-up warehouse and what it was made for."""

    fixtures: Fixtures
    schema: ProjectSchema

    def rows(self, sql: str) -> tuple[tuple[object, ...], ...]:
        connection = duck.open_read_only(self.fixtures.path)
        try:
            found = duck.run(connection, sql, 10_000)
        finally:
            connection.close()
        assert isinstance(found, Rows), found
        return found.rows

    def values(self, sql: str) -> list[Any]:
        return [row[0] for row in self.rows(sql)]

    @property
    def how(self) -> Mapping[str, str]:
        return {each.node.rpartition(".")[2]: each.how for each in self.fixtures.tables}

    @property
    def messages(self) -> Sequence[str]:
        return [f"{each.where}: {each.message}" for each in self.fixtures.issues]

    def contents(self) -> dict[str, tuple[tuple[object, ...], ...]]:
        return {t.node: self.rows(f"from {t.relation}") for t in self.fixtures.tables}


def make(manifest: Manifest, root: Path, seed: int = 0, folder: str = "made") -> Made:
    project = manifest.write(root)
    schema = distill(project)
    read = artifacts.read(project.target_path)
    return Made(fixtures.build(schema, read, root / folder, root=root, seed=seed), schema)
