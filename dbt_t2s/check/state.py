"""A state of the project to compare with: a folder of dbt's artifacts, or of ours, or both."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from dbt_t2s import store
from dbt_t2s.corpus.examples import Example
from dbt_t2s.errors import ProjectError, StoreError, UsageError
from dbt_t2s.project import artifacts, secrets
from dbt_t2s.project.artifacts import Artifacts
from dbt_t2s.project.distill import distill
from dbt_t2s.project.schema import Column, ProjectSchema, Table
from dbt_t2s.workspace import Workspace

_SCHEMAS = ("t2s/schema.json", "schema.json")
_EXAMPLES = ("t2s/examples.parquet", "examples.parquet")


@dataclass(frozen=True)
class State:
    """A state of the project: its ``schema``; ``is_profiled`` says that data was looked at.

    ``artifacts`` are dbt's, secrets masked; None where the folder has none.
    """

    schema: ProjectSchema
    is_profiled: bool
    artifacts: Artifacts | None = None


def read_state(workspace: Workspace, folder: Path) -> State:
    """The state that ``folder`` holds; UsageError where it holds none that can be read."""
    found = _artifacts(folder)
    for name in _SCHEMAS:
        path = folder / name
        if path.is_file():
            try:
                return State(store.read_json(path, ProjectSchema), True, found)
            except StoreError as error:
                if found is None:
                    raise UsageError(
                        f"the state cannot be read: {error.what}",
                        where=str(path),
                        hint="take it from a run of this version, or keep dbt's artifacts instead",
                    ) from error
    if found is None:
        raise UsageError(
            "there is no manifest.json and no t2s/schema.json in the state folder",
            where=str(folder),
            hint="--state names a copy of the target folder of the last run in production",
        )
    return State(_distilled(workspace, folder), False, found)


def _artifacts(folder: Path) -> Artifacts | None:
    """dbt's artifacts in the folder; UsageError where they are not whole."""
    if not (folder / "manifest.json").is_file():
        return None
    try:
        return secrets.scrub(artifacts.read(folder))
    except ProjectError as error:
        raise UsageError(
            f"the state cannot be read: {error.what}",
            where=error.where or str(folder),
            hint="copy the target folder again, once dbt has ended",
        ) from error


def comparable(before: State, after: ProjectSchema) -> ProjectSchema:
    """The state's schema, with what it cannot know taken from now."""
    return before.schema if before.is_profiled else _as_profiled(before.schema, after)


def _as_profiled(before: ProjectSchema, after: ProjectSchema) -> ProjectSchema:
    """What only data tells of a column, taken from now: artifacts alone say nothing about it."""
    columns = {(t.name, c.name): c for t in after.tables for c in t.columns}

    def known(table: Table, column: Column) -> Column:
        now = columns.get((table.name, column.name))
        if now is None:
            return column
        told = column.type_origin != "unknown"
        return replace(
            column,
            type=column.type if told else now.type,
            kind=column.kind if told else now.kind,
            values=column.values if column.values_complete else now.values,
            values_complete=column.values_complete and now.values_complete,
            unique=column.unique or now.unique,
            nullable=column.nullable and now.nullable,
        )

    tables = (replace(t, columns=tuple(known(t, c) for c in t.columns)) for t in before.tables)
    return replace(before, tables=tuple(tables))


def with_data_of(before: ProjectSchema, after: ProjectSchema) -> ProjectSchema:
    """The state's schema with the counts of its data as they are now.

    How a question's SQL is written hangs on them (whether gaps must be left out, whether a name
    tells rows apart), and other data is no change of the project.
    """
    columns = {(t.name, c.name): c for t in after.tables for c in t.columns}
    rows = {table.name: table.rows for table in after.tables}

    def counted(table: Table, column: Column) -> Column:
        now = columns.get((table.name, column.name))
        if now is None:
            return column
        return replace(
            column,
            distinct=now.distinct,
            null_share=now.null_share,
            minimum=now.minimum,
            maximum=now.maximum,
        )

    tables = (
        replace(
            table,
            rows=rows.get(table.name, table.rows),
            columns=tuple(counted(table, column) for column in table.columns),
        )
        for table in before.tables
    )
    return replace(before, tables=tuple(tables))


def _distilled(workspace: Workspace, folder: Path) -> ProjectSchema:
    """The schema as the artifacts alone tell it: what the data adds would seem to have changed."""
    settings = workspace.settings
    return distill(
        replace(workspace.project, target_path=folder),
        as_of=settings.as_of,
        personal=settings.personal,
        packages=settings.packages,
        fiscal_year=settings.fiscal_year(),
    )


def examples_of(workspace: Workspace, folder: Path) -> tuple[Example, ...]:
    """Those of the state, else this folder's own; none where nothing was generated yet."""
    for path in (*(folder / name for name in _EXAMPLES), workspace.examples_path):
        if path.is_file():
            try:
                return store.read_rows(path, Example)
            except StoreError:  # of another version: the next place may have newer ones
                continue
    return ()
