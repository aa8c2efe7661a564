"""The stage that says what a change of the project does to its questions and its model.

Nothing is guessed: the models of both states run over the same seeds and sources, and each
question's SQL on what they give.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from dbt_t2s import pipeline, store
from dbt_t2s.check import forms, sarif
from dbt_t2s.check.consequences import consequences
from dbt_t2s.check.findings import Baseline, Findings, baseline_of
from dbt_t2s.check.state import comparable, examples_of, read_state, with_data_of
from dbt_t2s.errors import CheckError, StoreError, UsageError
from dbt_t2s.freshness import content_of
from dbt_t2s.pipeline import Trained
from dbt_t2s.project import dbt
from dbt_t2s.project.diff import by_weight, changes
from dbt_t2s.project.schema import ProjectSchema
from dbt_t2s.workspace import Workspace

_TRAINED = ("t2s/trained.json", "trained.json")


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
    after = pipeline.distill(workspace)
    before = read_state(workspace, folder)
    if before.schema.project != after.project:
        raise UsageError(
            f"this state is one of the project {before.schema.project}, and not of {after.project}",
            where=str(folder),
            hint="name the artifacts of this project's last run in production with --state",
        )
    known = comparable(before, after)
    found = changes(known, after)
    examples = examples_of(workspace, folder)
    with store.lock(workspace.folder, "check"):
        state = replace(before, schema=with_data_of(known, after))
        try:
            done = consequences(workspace, state, after, examples, bool(found))
        finally:
            # The warehouses of both states are as large as the project's own.
            shutil.rmtree(workspace.check_dir, ignore_errors=True)
    found = by_weight((*found, *done.rows))
    if select or exclude:
        chosen = dbt.select_nodes(workspace.project, select, exclude, folder)
        ids = {t.name: t.unique_id for t in (*before.schema.tables, *after.tables)}
        owners = ((each, ids.get(each.what.partition(".")[0])) for each in found)
        # Metrics and saved queries are no nodes that dbt selects by model: they stay.
        found = tuple(each for each, owner in owners if owner is None or owner in chosen)
    accepted = baseline or Baseline()
    kept = tuple(each for each in found if not accepted.accepts(each))
    fit = _fit(workspace, folder, after)
    return Findings(
        project=after.project,
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
            try:
                trained = store.read_json(path, Trained)
            except StoreError:
                return _Fit(stale=True)  # one of another version answers nothing here
            known, now = trained.items, pipeline.items_of(schema)
            unknown = _missing(now, frozenset(known))
            gone = _missing(known, frozenset(now))
            stale = trained.schema != content_of(workspace.schema_path)
            return _Fit(stale, unknown, gone)
    return _Fit()


def _missing(tokens: Sequence[str], known: frozenset[str]) -> tuple[str, ...]:
    """The names of the items that are not ``known``, without what kind they are of."""
    return tuple(each.partition(":")[2] for each in tokens if each not in known)


def write(
    found: Findings,
    fail_on: Sequence[str],
    *,
    junit: Path | None = None,
    sarif_file: Path | None = None,
    comment: Path | None = None,
    baseline: Path | None = None,
    place: str = "",
) -> None:
    """The findings in the forms that were asked for; ``place`` as in ``sarif``."""
    wanted: tuple[tuple[Path | None, Callable[[], str]], ...] = (
        (junit, partial(forms.to_junit, found, fail_on)),
        (sarif_file, partial(sarif.to_sarif, found, place)),
        (comment, partial(forms.to_markdown, found)),
        (baseline, partial(baseline_of, found.changes)),
    )
    for path, form in wanted:
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
