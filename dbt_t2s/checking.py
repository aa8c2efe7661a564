"""The stage that says what a change of the project does to its questions and its model.

Nothing is guessed: each example's plan is written as SQL again for the schema as it is now, and
where that is other SQL than before, both run on the warehouse of today. Test questions' own SQL
runs there as it is.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from dbt_t2s import check_forms, pipeline, store, validation
from dbt_t2s.check_findings import Baseline, Effect, Findings, Harm, baseline_of
from dbt_t2s.corpus.examples import Example
from dbt_t2s.duck import Execute, QueryError, first_line
from dbt_t2s.errors import CheckError, QueryPlanError, StoreError, UsageError
from dbt_t2s.freshness import content_of
from dbt_t2s.instances import instances_of, readable
from dbt_t2s.judge.compare import compare
from dbt_t2s.judge.gold_order import is_ordered, sort_keys
from dbt_t2s.judge.report import Report
from dbt_t2s.judge.sandbox import Limits, Sandbox
from dbt_t2s.judge.suite import TestItem, read_suite
from dbt_t2s.pipeline import Trained
from dbt_t2s.project import dbt
from dbt_t2s.project.diff import changes
from dbt_t2s.project.distill import distill
from dbt_t2s.project.schema import Column, ProjectSchema, Table
from dbt_t2s.query.bind import Binder
from dbt_t2s.query.linear import from_tokens
from dbt_t2s.sql import SqlError, transpile
from dbt_t2s.workspace import Workspace

_SCHEMAS = ("t2s/schema.json", "schema.json")
_EXAMPLES = ("t2s/examples.parquet", "examples.parquet")
_LIMITS = Limits(max_rows=pipeline.COMPARED_ROWS, timeout_s=10)


@dataclass(frozen=True)
class State:
    """A state of the project: its ``schema``; ``is_profiled`` says that data was looked at."""

    schema: ProjectSchema
    is_profiled: bool


def check(
    workspace: Workspace,
    folder: Path,
    *,
    select: Sequence[str] = (),
    exclude: Sequence[str] = (),
    baseline: Baseline | None = None,
) -> Findings:
    """What changed since the state in ``folder``: dbt's artifacts, or a target folder of ours.

    ``select`` and ``exclude`` (dbt's syntax, ``state:modified+`` too) narrow it to some models;
    what ``baseline`` names is left out. UsageError where the state is missing or another
    project's.
    """
    if folder.resolve() in (workspace.project.target_path.resolve(), workspace.folder.resolve()):
        raise UsageError(
            "this is the folder of the project as it is now: there is nothing to compare with",
            where=str(folder),
            hint="keep a copy of the target folder of the last run in production",
        )
    schema = pipeline.distill(workspace)
    before = read_state(workspace, folder)
    if before.schema.project != schema.project:
        raise UsageError(
            f"this state is one of the project {before.schema.project},"
            f" and not of {schema.project}",
            where=str(folder),
            hint="name the artifacts of this project's last run in production with --state",
        )
    after = schema
    known = before.schema if before.is_profiled else _as_profiled(before.schema, after)
    found = changes(known, after)
    if select or exclude:
        chosen = dbt.select_nodes(workspace.project, select, exclude, folder)
        ids = {t.name: t.unique_id for t in (*before.schema.tables, *after.tables)}
        owners = ((each, ids.get(each.what.partition(".")[0])) for each in found)
        # Metrics and saved queries are no nodes that dbt selects by model: they stay.
        found = tuple(each for each, owner in owners if owner is None or owner in chosen)
    accepted = baseline or Baseline()
    kept = tuple(each for each in found if not accepted.accepts(each))
    examples = _examples(workspace, folder)
    with store.lock(workspace.folder, "check"):
        effects = tuple(_effects(workspace, schema, examples)) if found else ()
    return Findings(
        project=schema.project,
        changes=kept,
        accepted=len(found) - len(kept),
        effects=effects,
        examples=len(examples),
        stale=_stale(workspace),
    )


def read_state(workspace: Workspace, folder: Path) -> State:
    """The state that ``folder`` holds; UsageError where it holds none that can be read."""
    for name in _SCHEMAS:
        path = folder / name
        if path.is_file():
            try:
                return State(store.read_json(path, ProjectSchema), True)
            except StoreError as error:
                if not (folder / "manifest.json").is_file():
                    raise UsageError(
                        f"the state cannot be read: {error.what}",
                        where=str(path),
                        hint="take it from a run of this version, or keep dbt's artifacts instead",
                    ) from error
    if not (folder / "manifest.json").is_file():
        raise UsageError(
            "there is no manifest.json and no t2s/schema.json in the state folder",
            where=str(folder),
            hint="--state names a copy of the target folder of the last run in production",
        )
    return State(_distilled(workspace, folder), False)


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


def _distilled(workspace: Workspace, folder: Path) -> ProjectSchema:
    """The schema as the artifacts alone tell it: what the data adds would seem to have changed."""
    settings = workspace.settings
    return distill(
        replace(workspace.project, target_path=folder),
        as_of=settings.as_of,
        personal=settings.personal,
        packages=settings.packages,
    )


def _examples(workspace: Workspace, folder: Path) -> tuple[Example, ...]:
    """Those of the state, else this folder's own; none where nothing was generated yet."""
    for path in (*(folder / name for name in _EXAMPLES), workspace.examples_path):
        if path.is_file():
            try:
                return store.read_rows(path, Example)
            except StoreError:  # of another version: the next place may have newer ones
                continue
    return ()


def _stale(workspace: Workspace) -> bool | None:
    """Whether the model was trained on another schema; None where there is no model."""
    if not workspace.trained_path.is_file():
        return None
    trained = store.read_json(workspace.trained_path, Trained, hint="dbt-t2s train")
    return trained.schema != content_of(workspace.schema_path)


def _effects(
    workspace: Workspace, schema: ProjectSchema, examples: Sequence[Example]
) -> Iterator[Effect]:
    """What became of each question, those that people wrote first."""
    items: tuple[TestItem, ...] = ()
    if workspace.questions_path is not None and workspace.questions_path.is_file():
        items, _ = read_suite(workspace.questions_path, schema.dialect)
    instances = instances_of(workspace, schema)
    first = workspace.warehouse_dir / instances.files[0]
    with Sandbox(first, readable(schema, instances), schema.dialect, _LIMITS) as sandbox:
        yield from _of_items(items, sandbox.execute)
        yield from _of_examples(examples, schema, sandbox.execute)


def _of_items(items: Sequence[TestItem], execute: Execute) -> Iterator[Effect]:
    """Test questions whose own SQL no longer runs: all of their golds fail."""
    for item in items:
        errors = [found for g in item.golds if isinstance(found := execute(g), QueryError)]
        if item.golds and len(errors) == len(item.golds):
            reason = first_line(errors[0].message)
            yield Effect(Harm.BROKEN, item.question, "test question", reason, item.golds[0])


def _of_examples(
    examples: Sequence[Example], schema: ProjectSchema, execute: Execute
) -> Iterator[Effect]:
    binder = Binder(schema)
    verdicts: dict[tuple[str, str], Effect | None] = {}
    for example in examples:
        if not example.sql:
            continue
        tokens = tuple(json.loads(example.plan))
        key = (example.plan, example.sql)
        if key not in verdicts:
            verdicts[key] = _of_plan(
                example, _written(binder, tokens, schema), schema.dialect, execute
            )
        found = verdicts[key]
        if found is not None:
            yield replace(found, question=example.question)


def _written(binder: Binder, tokens: Sequence[str], schema: ProjectSchema) -> str | QueryPlanError:
    """The plan as the project's own SQL for the schema as it is now, or why there is none."""
    plan = from_tokens(tokens)
    if plan is None:
        return QueryPlanError("its plan cannot be read")
    try:
        sql = binder.sql(plan)
        return sql if schema.dialect == "duckdb" else transpile(sql, "duckdb", schema.dialect)
    except (QueryPlanError, SqlError) as error:
        return QueryPlanError(str(error).split("\n", 1)[0])
    except KeyError as missing:
        return QueryPlanError(f"there is no {missing.args[0]}")


def _of_plan(
    example: Example, now: str | QueryPlanError, dialect: str, execute: Execute
) -> Effect | None:
    """None where the question is answered as before."""
    if isinstance(now, QueryPlanError):
        return Effect(Harm.BROKEN, "", "example", now.what, example.sql)
    if now == example.sql:
        return None
    ran = execute(now)
    if isinstance(ran, QueryError):
        return Effect(Harm.BROKEN, "", "example", first_line(ran.message), example.sql, now)
    was = execute(example.sql)
    if isinstance(was, QueryError):
        return None  # only its SQL had to change, which the next answer has
    ordered, keys = is_ordered(now, dialect), sort_keys(now, dialect)
    verdict = compare(was, ran, ordered, keys)
    if verdict.equal:
        return None
    return Effect(Harm.CHANGED, "", "example", verdict.reason, example.sql, now)


def write(
    found: Findings,
    fail_on: Sequence[str],
    *,
    junit: Path | None = None,
    sarif: Path | None = None,
    comment: Path | None = None,
    baseline: Path | None = None,
) -> None:
    """The findings in the forms that were asked for."""
    forms: tuple[tuple[Path | None, Callable[[], str]], ...] = (
        (junit, partial(check_forms.to_junit, found, fail_on)),
        (sarif, partial(check_forms.to_sarif, found)),
        (comment, partial(check_forms.to_markdown, found)),
        (baseline, partial(baseline_of, found.changes)),
    )
    for path, form in forms:
        if path is not None:
            store.write_text(path, form())


def fix(workspace: Workspace, found: Findings) -> tuple[Findings, str]:
    """Trains again where the model is stale; what is found then, and a line on what came of it."""
    if found.stale is False:
        return found, "the model fits: nothing to mend"
    before = _accuracy(workspace)
    pipeline.train(workspace)
    reached = validation.validate_model(workspace).suites[0].ex.value
    was = f"{before:.1%} before, " if before is not None else ""
    now = "no answerable question" if reached is None else f"{reached:.1%} now"
    return replace(found, stale=False), f"trained again: execution accuracy {was}{now}"


def _accuracy(workspace: Workspace) -> float | None:
    """The last validation's, on its first test set; None where there is none."""
    try:
        last = store.read_json(workspace.validation_path, Report)
    except StoreError:
        return None
    return last.suites[0].ex.value if last.suites else None


def fail(found: Findings, fail_on: Sequence[str], state: Path) -> None:
    """CheckError with what fails, where something does."""
    reasons = found.failures(fail_on)
    if reasons:
        raise CheckError(
            f"the check fails: {', '.join(reasons)}",
            where=f"since {state}",
            hint="mend them, accept them with --write-baseline FILE, or train again with --fix",
        )
