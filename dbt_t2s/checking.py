"""The stage that says what a change of the project does to its questions and its model.

Nothing is guessed: the models of both states run over the same seeds and sources, and each
question's SQL on what they give.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from dbt_t2s import check_forms, check_sarif, pipeline, store
from dbt_t2s.check_effects import Asked, BothStates, Warehouse, of_asked, of_examples, of_items
from dbt_t2s.check_findings import Baseline, Effect, Findings, baseline_of
from dbt_t2s.corpus.examples import Example
from dbt_t2s.errors import CheckError, StoreError, UsageError
from dbt_t2s.freshness import content_of
from dbt_t2s.instances import calendars_of, first_instance, tables_without_rows
from dbt_t2s.judge.replay import OtherRows, Replay, Side, affected_models, other_rows, replay
from dbt_t2s.judge.sandbox import Limits
from dbt_t2s.judge.suite import TestItem, read_suite
from dbt_t2s.logged import logged_questions
from dbt_t2s.pipeline import Trained
from dbt_t2s.project import artifacts, dbt, secrets
from dbt_t2s.project.diff import Change, by_weight, changes
from dbt_t2s.project.distill import distill
from dbt_t2s.project.schema import Column, ProjectSchema, Table
from dbt_t2s.workspace import Workspace

_SCHEMAS = ("t2s/schema.json", "schema.json")
_TRAINED = ("t2s/trained.json", "trained.json")
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
    examples = _examples(workspace, folder)
    with store.lock(workspace.folder, "check"):
        done = _consequences(workspace, folder, known, after, examples, bool(found))
    found = by_weight((*found, *done.rows))
    if select or exclude:
        chosen = dbt.select_nodes(workspace.project, select, exclude, folder)
        ids = {t.name: t.unique_id for t in (*before.schema.tables, *after.tables)}
        owners = ((each, ids.get(each.what.partition(".")[0])) for each in found)
        # Metrics and saved queries are no nodes that dbt selects by model: they stay.
        found = tuple(each for each, owner in owners if owner is None or owner in chosen)
    accepted = baseline or Baseline()
    kept = tuple(each for each in found if not accepted.accepts(each))
    fit = _fit(workspace, folder, schema)
    return Findings(
        project=schema.project,
        changes=kept,
        accepted=len(found) - len(kept),
        effects=done.effects,
        examples=len(examples),
        asked=done.asked,
        unproven=done.unproven,
        stale=fit.stale,
        unknown=fit.unknown,
        gone=fit.gone,
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


@dataclass(frozen=True)
class _Fit:
    """How the model fits the project, as ``Findings`` has it."""

    stale: bool | None = None
    unknown: tuple[str, ...] = ()
    gone: tuple[str, ...] = ()


def _fit(workspace: Workspace, folder: Path, schema: ProjectSchema) -> _Fit:
    """Whether the model was trained on another schema, and what it does not know of this one.

    Where this folder has no model, as in CI, it is the state's: the one that production answers
    with.
    """
    for path in (workspace.trained_path, *(folder / name for name in _TRAINED)):
        if path.is_file():
            trained = store.read_json(path, Trained, hint="dbt-t2s train")
            known, now = trained.items, pipeline.items_of(schema)
            unknown = _missing(now, frozenset(known))
            gone = _missing(known, frozenset(now))
            stale = trained.schema != content_of(workspace.schema_path)
            return _Fit(stale, unknown, gone)
    return _Fit()


def _missing(tokens: Sequence[str], known: frozenset[str]) -> tuple[str, ...]:
    """The names of the items that are not ``known``, without what kind they are of."""
    return tuple(each.partition(":")[2] for each in tokens if each not in known)


@dataclass(frozen=True)
class _Consequences:
    """What the change does: tables with other rows, and what became of which questions."""

    rows: tuple[Change, ...] = ()
    effects: tuple[Effect, ...] = ()
    asked: int = 0
    unproven: tuple[str, ...] = ()


def _consequences(
    workspace: Workspace,
    folder: Path,
    before: ProjectSchema,
    after: ProjectSchema,
    examples: Sequence[Example],
    is_changed: bool,
) -> _Consequences:
    """``is_changed`` says that the schemas differ: without that, and other SQL, there are none."""
    new = Side(after, secrets.scrub(artifacts.read(workspace.project.target_path)))
    told: list[str] = []
    if (folder / "manifest.json").is_file():
        old = Side(before, secrets.scrub(artifacts.read(folder)))
    else:
        old = replace(new, schema=before)
        told.append("the state has no manifest.json: what changed models gave is not known")
    if not is_changed and not affected_models(old.artifacts, new.artifacts):
        return _Consequences(unproven=tuple(told))
    data = first_instance(workspace, after)
    both = replay(old, new, data, workspace.folder / "check")
    others = other_rows(both, old, new)
    told += _unknown(both, old, new)
    empty = tables_without_rows(data, after)
    if empty:
        told.append(f"{len(empty):,} tables hold no rows here: {_shortened(empty)}")
    items = _test_items(workspace, after.dialect)
    asked = [*_saved(before, after), *_logged(workspace, told)]
    with BothStates(
        Warehouse(both.before.file, _readable(old)),
        Warehouse(both.after.file, _readable(new)),
        after.dialect,
        others,
        _LIMITS,
    ) as states:
        effects = (
            *of_items(items, states),
            *of_asked(asked, states),
            *of_examples(examples, before, after, states),
        )
    told += [
        f"{number:,} questions could not be compared: {reason}"
        for reason, number in states.unproven.most_common()
    ]
    paths = {table.name: table.path for table in after.tables}
    rows = tuple(_row_change(each, paths[each.table]) for each in others)
    return _Consequences(rows, effects, len(items) + len(asked), tuple(told))


def _readable(side: Side) -> tuple[str, ...]:
    return (*(table.relation for table in side.schema.tables), *calendars_of(side.artifacts))


def _unknown(both: Replay, before: Side, after: Side) -> list[str]:
    """The tables whose rows one state's SQL does not give here."""
    found = [
        f"what {names[node]} gave {when} is not known: {problem}"
        for when, problems, names in (
            ("before", both.before.problems, before.tables),
            ("now", both.after.problems, after.tables),
        )
        for node, problem in problems.items()
        if node in names
    ]
    return sorted(found)


def _row_change(found: OtherRows, path: str) -> Change:
    where = f"in {_shortened(found.columns)}" if found.columns else "as its values stand together"
    return Change(
        "T2S105",
        found.table,
        f"{found.table} has other rows than its SQL gave before, {where}",
        f"{found.was:,} rows",
        f"{found.now:,} rows",
        path,
    )


def _shortened(names: Sequence[str]) -> str:
    """The first few names."""
    return ", ".join(names[:5]) + (", …" if len(names) > 5 else "")


def _test_items(workspace: Workspace, dialect: str) -> tuple[TestItem, ...]:
    path = workspace.questions_path
    if path is None or not path.is_file():
        return ()
    return read_suite(path, dialect)[0]


def _saved(before: ProjectSchema, after: ProjectSchema) -> Iterator[Asked]:
    """Saved queries of both states; one that is gone is a change, and no question any more."""
    old = {each.name: each.sql for each in before.saved_queries if each.sql}
    for each in after.saved_queries:
        if each.sql and each.name in old:
            yield Asked(each.label or each.name, "saved query", old[each.name], each.sql)


def _logged(workspace: Workspace, told: list[str]) -> Iterator[Asked]:
    """Logged questions; ``told`` gets why there are none, if that is so."""
    database = workspace.project.database
    own = workspace.warehouse_dir / database.name if database is not None else None
    if own is not None and not own.exists():
        return
    found, problem = logged_questions(workspace.project, own)
    if problem:
        told.append(f"the logged questions could not be read: {problem}")
    for question, sql in found:
        yield Asked(question, "logged question", sql, sql)


def write(
    found: Findings,
    fail_on: Sequence[str],
    *,
    junit: Path | None = None,
    sarif: Path | None = None,
    comment: Path | None = None,
    baseline: Path | None = None,
    place: str = "",
) -> None:
    """The findings in the forms that were asked for; ``place`` as in ``check_sarif``."""
    forms: tuple[tuple[Path | None, Callable[[], str]], ...] = (
        (junit, partial(check_forms.to_junit, found, fail_on)),
        (sarif, partial(check_sarif.to_sarif, found, place)),
        (comment, partial(check_forms.to_markdown, found)),
        (baseline, partial(baseline_of, found.changes)),
    )
    for path, form in forms:
        if path is not None:
            store.write_text(path, form())


def fail(found: Findings, fail_on: Sequence[str], state: Path) -> None:
    """CheckError with what fails, where something does."""
    reasons = found.failures(fail_on)
    mends = "; --fix mends the model" if found.stale else ""
    if reasons:
        raise CheckError(
            f"the check fails: {', '.join(reasons)}",
            where=f"since {state}",
            hint=f"mend them, or accept them with --write-baseline FILE{mends}",
        )
