"""Rebuilt files: other rows in a project's inputs, and its models run over them.

A project's tables are computed from one another: a product's stored number of units sold is a sum
of lines. In files whose tables are changed each on its own (``instances``, ``witnesses``,
``few_rows``) that no longer holds, and SQL that adds up the lines is told from SQL that reads the
total though both are right. Here it holds, because what made it so ran again.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path

from dbt_t2s import duck
from dbt_t2s import sql as language
from dbt_t2s.duck import QueryError
from dbt_t2s.errors import WarehouseError
from dbt_t2s.judge import dag, fact_checks, input_tables, thinned_inputs
from dbt_t2s.judge.dag import Step
from dbt_t2s.judge.fixture_inputs import is_stored, today_of
from dbt_t2s.judge.layout import Layout, layout_of
from dbt_t2s.judge.relations import full_path, split_name
from dbt_t2s.judge.thinned_inputs import TURNS, Luck
from dbt_t2s.project import evidence
from dbt_t2s.project.artifacts import Artifacts, items, section
from dbt_t2s.project.assertions import Fact
from dbt_t2s.project.schema import ProjectSchema

# Of ten rows that chance may take away how many stay, for each file: where few are, little makes up
# for what a wrong query forgets. As many files as there are turns.
_KEPT_IN_TEN = (7, 5, 8, 4)
_KEPT_AT_MOST = 9
_MODEL_S = 20.0
# All files together: a warehouse whose models take longer is judged as one without rebuilt files.
_MOST_S = 240.0
_MODELS = ("model", "snapshot")


@dataclass(frozen=True)
class Rebuilt:
    """The ``files``, or the ``problem`` that there are none for."""

    files: tuple[Path, ...]
    problem: str = ""


class _GivenUp(Exception):
    """Why a file cannot be rebuilt."""


@dataclass(frozen=True)
class _Project:
    schema: ProjectSchema
    artifacts: Artifacts
    layout: Layout
    order: tuple[str, ...]
    steps: dict[str, Step] = field(default_factory=dict)

    def name(self, node: str) -> str:
        """The quoted name of a node's relation in the file; empty where it has none."""
        found = self.artifacts.node(self.layout.owner(node))
        return (
            duck.quoted(self.layout.catalog, *self.layout.of_node(found))
            if found and is_stored(found)
            else ""
        )

    def step(self, node: str) -> Step:
        """A model as it is run, read once for all files."""
        if node not in self.steps:
            self.steps[node] = dag.step(
                self.artifacts.node(node),
                self.layout,
                self.schema.dialect,
                today_of(self.schema, self.artifacts),
                lambda _: frozenset(),
            )
        return self.steps[node]

    def is_model(self, node: str) -> bool:
        return self.artifacts.node(node).get("resource_type") in _MODELS


def make_rebuilt(
    source: Path, directory: Path, schema: ProjectSchema, artifacts: Artifacts, seed: int = 0
) -> Rebuilt:
    """Files of the same name as ``source``, in folders of their own below ``directory``.

    What the tests promise and ``source`` holds does hold in them, or there are none. The same seed
    gives the same rows.
    """
    project = _project(schema, artifacts)
    files: list[Path] = []
    deadline = time.monotonic() + _MOST_S
    try:
        if project.layout.catalog != source.stem:
            raise _GivenUp(f"most tables are in another database: {project.layout.catalog}")
        before = _broken(project, source)
        for turn, kept in enumerate(_KEPT_IN_TEN):
            folder = directory / f"rebuilt_{turn}"
            luck = Luck(seed, turn, kept)
            files.append(_made(project, source, folder, before, luck, deadline))
    except (_GivenUp, WarehouseError) as error:
        for turn in range(TURNS):
            shutil.rmtree(directory / f"rebuilt_{turn}", ignore_errors=True)
        return Rebuilt((), str(error) if isinstance(error, _GivenUp) else error.what)
    return Rebuilt(tuple(files))


def above(schema: ProjectSchema, artifacts: Artifacts) -> Mapping[str, frozenset[str]]:
    """By the name of each table the ids of its own node and of all that it is made from."""
    layout = layout_of(artifacts, (table.unique_id for table in schema.tables))
    return {
        table.name: frozenset(dag.ordered((table.unique_id,), layout)) for table in schema.tables
    }


def _project(schema: ProjectSchema, artifacts: Artifacts) -> _Project:
    queryable = tuple(table.unique_id for table in schema.tables)
    layout = layout_of(artifacts, queryable)
    return _Project(schema, artifacts, layout, dag.ordered(queryable, layout))


def _made(
    project: _Project,
    source: Path,
    folder: Path,
    before: frozenset[Fact],
    luck: Luck,
    deadline: float,
) -> Path:
    """With other amounts, where the tests bear them, else with fewer rows alone, or a few fewer."""
    problem = ""
    gentle = replace(luck, kept=_KEPT_AT_MOST, even=True)
    for tried, scaled in ((luck, True), (luck, False), (gentle, False)):
        path = duck.copy_warehouse(source, folder)
        try:
            names = _thinned(project, path, tried, scaled=scaled)
            _run(project, path, names, deadline)
            broken = _broken(project, path) - before
            if not broken:
                return path
            problem = f"it breaks {_said(broken)}"
        except _GivenUp as error:
            problem = str(error)
    raise _GivenUp(problem)


def _thinned(project: _Project, path: Path, luck: Luck, *, scaled: bool) -> dict[str, str]:
    """Thins the inputs; the quoted names of the models to run, by their ids, parents first."""
    kinds = {
        full_path((catalog, schema, name), path.stem): kind
        for catalog, schema, name, kind in duck.relations_of(path)
    }
    names = {node: project.name(node) for node in project.order}
    inputs = {
        names[node]: node
        for node in project.order
        if not project.is_model(node) and kinds.get(_place(names[node], path)) == "table"
    }
    with duck.open_writable(path) as connection:
        connection.execute("begin transaction")
        tables = [
            input_tables.look(connection, name, split_name(name)[-1]) for name in sorted(inputs)
        ]
        found = input_tables.references(connection, tables)
        changed = thinned_inputs.thin(connection, tables, found, luck, scaled=scaled)
        affected = _below({inputs[name] for name in changed}, project)
        for node in affected:
            kind = kinds.get(_place(names[node], path))
            if kind == "view":
                connection.execute(f"drop view {names[node]}")
            elif kind == "table":
                # A model that reads what it was before runs as it did when nothing was in it.
                connection.execute(
                    f"create or replace table {names[node]} as from {names[node]} limit 0"
                )
        connection.execute("commit")
        connection.execute("checkpoint")
    if not affected:
        raise _GivenUp("no table that the models read is in the file, or none can lose rows")
    return {node: names[node] for node in affected}


def _place(name: str, path: Path) -> tuple[str, str, str]:
    return full_path(split_name(name), path.stem)


def _below(changed: set[str], project: _Project) -> tuple[str, ...]:
    """The stored models that read what changed, by however many others, parents first."""
    touched = set(changed)
    found: list[str] = []
    for node in project.order:
        parents = items(section(project.artifacts.node(node), "depends_on"), "nodes")
        if touched & {project.layout.owner(str(each)) for each in parents}:
            touched.add(node)
            found += [node] if is_stored(project.artifacts.node(node)) else []
    return tuple(found)


def _run(project: _Project, path: Path, names: Mapping[str, str], deadline: float) -> None:
    with duck.open_for_models(path, _MODEL_S) as connection:
        for node, name in names.items():
            step = project.step(node)
            try:
                problem = step.problem or dag.run(connection, name, step.sql)
            except language.SqlError as error:
                problem = duck.first_line(str(error))
            if problem:
                raise _GivenUp(f"{node} cannot be run again: {problem}")
            if time.monotonic() > deadline:
                raise _GivenUp(f"it takes over {_MOST_S:.0f} s to run the models again")
        connection.execute("checkpoint")


def _broken(project: _Project, path: Path) -> frozenset[Fact]:
    """What is said of the queryable tables and does not hold in the file, or cannot be checked."""
    there = {(c.lower(), s.lower(), n.lower()) for c, s, n, _ in duck.relations_of(path)}

    def name_of(node: str) -> str:
        name = project.name(node)
        return name if name and _place(name, path) in there else ""

    with closing(duck.open_read_only(path)) as connection:
        checks = fact_checks.check(_facts(project), connection, name_of, project.schema.dialect)
        broken = {each.fact for each in checks if not each.holds}
        for table in project.schema.tables:
            name = name_of(table.unique_id)
            found = duck.run(connection, f"select 1 from {name} limit 1") if name else None
            if found is None or isinstance(found, QueryError) or not found.rows:
                broken.add(Fact("rows", table.unique_id, (), table.unique_id))
    return frozenset(broken)


def _facts(project: _Project) -> Iterator[Fact]:
    """What tests say of the queryable tables, and what the schema knows besides."""
    owner = project.layout.owner
    queryable = {table.name: table for table in project.schema.tables}
    ids = {owner(table.unique_id) for table in queryable.values()}
    for fact in evidence.gather(project.artifacts).facts:
        if owner(fact.subject) in ids:
            yield replace(
                fact, subject=owner(fact.subject), target=fact.target and owner(fact.target)
            )
    for table in queryable.values():
        node = table.unique_id
        unique = {(column.name,) for column in table.columns if column.unique}
        for key in sorted({*unique, *((table.primary_key,) if table.primary_key else ())}):
            yield Fact("unique", node, key, node)
        for column in table.columns:
            if not column.nullable:
                yield Fact("not_null", node, (column.name,), node)
    for join in project.schema.joins:
        if {join.table, join.to_table} <= queryable.keys():
            node, target = (queryable[each].unique_id for each in (join.table, join.to_table))
            yield Fact(
                "points_at", node, join.columns, node, target=target, target_columns=join.to_columns
            )


def _said(broken: frozenset[Fact]) -> str:
    first = min(broken, key=lambda each: (each.subject, each.kind, each.columns, each.expression))
    what = f"{first.kind} of {first.subject} {', '.join(first.columns) or first.expression}".strip()
    return f"{what} and {len(broken) - 1} more" if len(broken) > 1 else what
