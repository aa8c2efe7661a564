"""The stage that reads a dbt project: its schema, its rules, and what was read, for next time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TypeVar

from dbt_t2s import __version__, sql, store
from dbt_t2s.errors import ProjectError, StoreError
from dbt_t2s.freshness import is_fresh, usable
from dbt_t2s.judge.sandbox import Sandbox
from dbt_t2s.project import dbt
from dbt_t2s.project import warehouse as dbt_warehouse
from dbt_t2s.project.asked import Asked
from dbt_t2s.project.memory import Memory
from dbt_t2s.project.metrics import Answer
from dbt_t2s.project.node_sql import NodeSql
from dbt_t2s.project.schema import ProjectSchema, Rule
from dbt_t2s.project.statements import Trees
from dbt_t2s.workspace import Workspace, file_stamp

T = TypeVar("T")
_ARTIFACTS = ("manifest.json", "catalog.json", "semantic_manifest.json", "run_results.json")
# What readings hold for, beside their own keys.
READ_BY = {"version": __version__, "sql": sql.READER}
_READINGS: Mapping[str, type] = {"nodes": NodeSql, "asked": Asked, "answers": Answer}


@dataclass(frozen=True)
class BusinessRules:
    """rules.json: the rules of the schema on their own, for a person to read."""

    rules: tuple[Rule, ...]


def distilled_schema(
    workspace: Workspace, *, fresh: bool, trees: Trees | None = None
) -> ProjectSchema:
    """schema.json and rules.json, made anew where what they are made of has changed.

    ``trees`` keeps what is parsed, for whoever reads the same statements next. Expects the lock.
    """
    project, settings, console = workspace.project, workspace.settings, workspace.console
    console.issues(dbt.ensure_artifacts(project, console.info))
    inputs = {
        **{name: file_stamp(project.target_path / name) for name in _ARTIFACTS},
        "warehouse": file_stamp(project.database),
        "settings": store.fingerprint(
            [
                settings.select,
                settings.exclude,
                settings.as_of,
                settings.profile_rows,
                settings.personal,
                settings.packages,
                settings.fiscal_year_start,
                settings.fiscal_year_named,
            ]
        ),
        "version": __version__,
    }
    ready = None if fresh else usable(workspace.schema_path, ProjectSchema, inputs)
    if ready is not None and is_fresh(workspace.rules_path, BusinessRules, inputs):
        console.info("schema: up to date")
        return ready
    memory = Memory() if fresh else _memory(workspace)
    schema = _distilled(workspace, trees, memory)
    if dbt_warehouse.is_unread(schema.issues):
        inputs["warehouse"] = "not read"  # so that the next run asks again
    for name, reading in _READINGS.items():
        path = workspace.readings_dir / f"{name}.parquet"
        store.write_rows(path, getattr(memory, name), reading, READ_BY)
    # The schema goes last: its header says that both are there.
    store.write_json(workspace.rules_path, BusinessRules(schema.rules), inputs)
    store.write_json(workspace.schema_path, schema, inputs)
    console.issues(schema.issues)
    return schema


def _memory(workspace: Workspace) -> Memory:
    folder = workspace.readings_dir
    return Memory(
        **{name: remembered(folder / f"{name}.parquet", each) for name, each in _READINGS.items()}
    )


def remembered(path: Path, reading: type[T]) -> tuple[T, ...]:
    """What an earlier run of this version read; nothing where that cannot be used."""
    if not is_fresh(path, reading, READ_BY):
        return ()
    try:
        return store.read_rows(path, reading)
    except StoreError:  # torn or edited: what is not remembered is read again
        return ()


def _distilled(workspace: Workspace, trees: Trees | None, memory: Memory) -> ProjectSchema:
    from dbt_t2s.project.distill import distill

    project, settings, console = workspace.project, workspace.settings, workspace.console
    console.info(f"distilling {project.name}")
    chosen = None
    if settings.select or settings.exclude:
        chosen = dbt.select_nodes(project, settings.select, settings.exclude)
        if not chosen:
            raise ProjectError(
                "the selection holds no models",
                where=f"select {' '.join(settings.select)}, exclude {' '.join(settings.exclude)}",
                hint="`dbt ls` with the same selection shows what it picks",
            )
    with console.progress("distilling") as progress:
        distilled = partial(
            distill,
            project,
            as_of=settings.as_of,
            select=chosen,
            progress=progress,
            personal=settings.personal,
            packages=settings.packages,
            fiscal_year=settings.fiscal_year(),
            trees=trees,
            memory=memory,
        )
        if project.adapter != "duckdb":
            with dbt_warehouse.open_data(project) as data:
                return distilled(data=data, profile_rows=settings.profile_rows)
        warehouse, issues = workspace.data()
        if warehouse is None:
            schema = distilled()
            return replace(schema, issues=(*issues, *schema.issues))
        with Sandbox(warehouse, ()) as sandbox:
            return distilled(execute=sandbox.execute_trusted, profile_rows=settings.profile_rows)
