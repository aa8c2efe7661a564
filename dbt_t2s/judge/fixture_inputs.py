"""What a made-up warehouse is made from, known before its first row is."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from functools import cached_property
from pathlib import Path

from dbt_t2s import codec
from dbt_t2s.judge import dag, seed_files, unit_tests
from dbt_t2s.judge.bounds import Bounds
from dbt_t2s.judge.dag import Step
from dbt_t2s.judge.fact_checks import CHECKED
from dbt_t2s.judge.layout import layout_of
from dbt_t2s.judge.nodes import relation_parts
from dbt_t2s.judge.query_columns import Place
from dbt_t2s.project import evidence
from dbt_t2s.project import found as listed
from dbt_t2s.project.artifacts import Artifacts, Node, section, text
from dbt_t2s.project.assertions import Fact, plain
from dbt_t2s.project.found import Found
from dbt_t2s.project.lineage import Lineage
from dbt_t2s.project.schema import ProjectSchema
from dbt_t2s.project.tables import time_spines

# What dbt writes anew into each node without it being another.
_PASSING = frozenset({"created_at", "build_path", "compiled", "compiled_path", "root_path"})


class FixtureInputs:
    """Queryable nodes, time spines and all above: their order, SQL, relations and bounds."""

    def __init__(self, schema: ProjectSchema, artifacts: Artifacts, root: Path | None) -> None:
        self.schema = schema
        self.artifacts = artifacts
        self.root = root
        queryable = tuple(table.unique_id for table in schema.tables)
        self.layout = layout_of(artifacts, queryable)
        self.as_of = today_of(schema, artifacts)
        spines = (text(node, "unique_id") for node in time_spines(artifacts))
        self.order = dag.ordered((*queryable, *spines), self.layout)
        self._lineage = Lineage(artifacts, schema.dialect, root)
        self.steps: dict[str, Step] = {}
        self._read_models()
        self.others = {
            name: parts for each in self.steps.values() for name, parts in each.relations
        }
        proof = evidence.gather(artifacts)
        owner = self.layout.owner
        self.facts = tuple(
            replace(fact, subject=owner(fact.subject), target=fact.target and owner(fact.target))
            for fact in proof.facts
        )
        owned = tuple(replace(each, unique_id=owner(each.unique_id)) for each in schema.tables)
        usages = {node: step.usage for node, step in self.steps.items() if step.usage is not None}
        owned_schema = replace(schema, tables=owned)
        self.bounds = Bounds(owned_schema, self.facts, usages, self.columns_of, self._examples())

    def _read_models(self) -> None:
        outputs = dag.known_outputs(self.steps)

        def columns(node: str) -> frozenset[str]:
            found = outputs(node)
            if found or node in self.steps:
                return found
            return frozenset(
                each.name.lower() for each in listed.from_catalog(self.artifacts, node)
            )

        for node in self.order:
            found = self.artifacts.node(node)
            if found.get("resource_type") in ("model", "snapshot"):
                self.steps[node] = dag.step(
                    found, self.layout, self.schema.dialect, self.as_of, columns
                )

    def columns_of(self, node: str) -> Sequence[Found]:
        """The columns that artifacts know; of a model also those that its SQL implies."""
        found = self.artifacts.node(node)
        if not found:
            return ()
        if found.get("resource_type") in ("model", "snapshot"):
            return self._lineage.columns(node)
        return listed.from_catalog(self.artifacts, node) or (
            listed.from_seed(found, self.root)
            if found.get("resource_type") == "seed"
            else listed.declared(found)
        )

    def _examples(self) -> Mapping[Place, tuple[str, ...]]:
        """The values that people wrote into the inputs of unit tests, as text."""
        found: dict[Place, dict[str, None]] = {}
        # A unit test that cannot be read is said to be so by whoever runs it.
        tests, _ = unit_tests.read(self.artifacts)
        for test in tests:
            for node, fixture in test.given:
                for name, value in (pair for row in fixture.rows for pair in row):
                    if isinstance(value, str | int | float | date):
                        place = (self.layout.owner(node), name.lower())
                        found.setdefault(place, {})[plain(value)] = None
        return {place: tuple(values) for place, values in found.items()}

    def facts_of(self, node: str) -> tuple[Fact, ...]:
        """What tests say of a node and a warehouse can be held against."""
        return self._facts.get(node, ())

    @cached_property
    def _facts(self) -> Mapping[str, tuple[Fact, ...]]:
        found: dict[str, dict[Fact, None]] = {}
        for fact in self.facts:
            if fact.kind in CHECKED:
                found.setdefault(fact.subject, {})[fact] = None
        return {node: tuple(facts) for node, facts in found.items()}

    def parts_of(self, node: str) -> tuple[str, ...]:
        """The parts of a node's relation, or of a relation that is no node."""
        return self.others.get(node) or relation_parts(self.artifacts.node(node))

    @cached_property
    def roots(self) -> tuple[str, ...]:
        """What everything is made from, those that others point at first."""
        plain = [n for n in self.order if n not in self.steps and is_stored(self.artifacts.node(n))]
        waiting = [*plain, *sorted(self.others)]
        points = {
            each: {node for p in self.bounds.of(each).pointers for node, _ in p.targets} - {each}
            for each in waiting
        }
        done: list[str] = []
        while waiting:
            free = [each for each in waiting if not points[each] & set(waiting)]
            done += free or waiting[:1]
            waiting = [each for each in waiting if each not in done]
        return tuple(done)


def stamp(schema: ProjectSchema, artifacts: Artifacts, root: Path | None) -> str:
    """The same as long as the same rows would be made up from the same seed.

    Of tests it is what they say that counts, and which of them failed.
    """
    kept = {
        part: {
            unique_id: {name: value for name, value in node.items() if name not in _PASSING}
            for unique_id, node in section(artifacts.manifest, part).items()
            if isinstance(node, Mapping) and node.get("resource_type") != "test"
        }
        for part in ("nodes", "sources", "unit_tests")
    }
    columns = {
        unique_id: section(node, "columns")
        for part in ("nodes", "sources")
        for unique_id, node in section(artifacts.catalog, part).items()
    }
    seeds = [_seed_stamp(node, root) for node in artifacts.nodes("seed")]
    day = today_of(schema, artifacts).isoformat()
    return codec.fingerprint([kept, columns, evidence.gather(artifacts).facts, seeds, day])


def _seed_stamp(node: Node, root: Path | None) -> str:
    """Of a large seed's rows the manifest has no checksum."""
    path = seed_files.file_of(node, root) if root is not None else None
    return hashlib.sha256(path.read_bytes()).hexdigest() if path is not None else ""


def is_stored(node: Node) -> bool:
    """Whether the node has a relation of its own; a relation that is no node has one, too."""
    return text(section(node, "config"), "materialized") != "ephemeral" and (
        node.get("resource_type") in ("model", "snapshot", "seed", "source", None)
    )


def today_of(schema: ProjectSchema, artifacts: Artifacts) -> date:
    """What today is: as the settings say, else the day on which dbt wrote its manifest."""
    written = text(section(artifacts.manifest, "metadata"), "generated_at")
    for each in (schema.as_of, written):
        try:
            return date.fromisoformat(each[:10])
        except ValueError:
            continue
    return date(2024, 6, 30)
