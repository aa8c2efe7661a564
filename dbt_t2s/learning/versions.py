"""The models of a project, each kept with what it was made from and how well it answered.

``models/VERSION`` below ``target/t2s`` holds a copy of a model, its record as a ``Version`` and,
once it was judged, what became of each test question. ``model/`` is the one in use.
"""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from dbt_t2s import store
from dbt_t2s.errors import LearnError, ModelError, StoreError
from dbt_t2s.judge.outcomes import SuiteReport, refused
from dbt_t2s.judge.report import Report
from dbt_t2s.model.record import FILE as RECORD
from dbt_t2s.model.record import NETWORK, read_record
from dbt_t2s.workspace import Workspace, file_stamp

FILE, JUDGED = "version.json", "validation.json"
# Names that stand for a version.
CURRENT, PARENT = "current", "parent"
_DIGITS = 12


@dataclass(frozen=True)
class Figures:
    """How one test set went: right answers of ``answerable``, refusals of ``unanswerable``."""

    suite: str
    right: int
    answerable: int
    refused: int
    unanswerable: int


@dataclass(frozen=True)
class Version:
    """One model. ``id`` tells it from all others, ``parent`` is the one it went on from.

    ``schema``, ``data`` and ``metrics`` are digests of what it was trained on and of what became
    of each test question; the last is empty, and so are ``figures``, until it is judged. ``how`` is
    what made it: train, train --from, improve.
    """

    id: str
    created_at: str
    how: str
    base: str
    parent: str
    schema: str
    data: str
    metrics: str
    seed: int
    steps: int
    examples: int
    seconds: float
    figures: tuple[Figures, ...] = ()


def id_of(model_dir: Path) -> str:
    """What tells the model in ``model_dir`` from those before it; empty where there is none."""
    return file_stamp(model_dir / RECORD)[:_DIGITS]


def current_id(workspace: Workspace) -> str:
    """The version in use; empty where there is no model."""
    return id_of(workspace.folder / "model")


def folder_of(workspace: Workspace, version: str) -> Path:
    return workspace.versions_dir / version


def keep(workspace: Workspace, how: str, parent: str = "") -> str:
    """Keeps the model in use as a version, unless it is one already; its id, empty without one.

    The oldest ones go where more than ``keep_models`` are kept; never the one in use.
    """
    version = current_id(workspace)
    if not version or (folder_of(workspace, version) / FILE).is_file():
        return version
    model = workspace.folder / "model"
    try:
        record = read_record(model)
    except ModelError:
        return ""  # of another version of the program: it answers nothing, nor will it later
    made = Version(
        id=version,
        created_at=datetime.now(UTC).isoformat(timespec="seconds"),
        how=how,
        base=record.base,
        parent=parent,
        schema=record.schema,
        data=record.dataset,
        metrics="",
        seed=record.seed,
        steps=record.steps,
        examples=record.examples,
        seconds=record.seconds,
    )
    with store.replace_directory(folder_of(workspace, version)) as folder:
        copy_model(model, folder / "model")
        shutil.copy2(workspace.folder / workspace.trained_path.name, folder)
        store.write_json(folder / FILE, made)
    _prune(workspace)
    return version


def copy_model(model: Path, to: Path) -> None:
    """A copy of a model folder; weights that are only ever replaced whole share their bytes."""
    shared = read_record(model).kind == "embedded"

    def copy(source: str, target: str) -> str:
        if shared and Path(source).parent.name == NETWORK:
            try:
                os.link(source, target)
                return target
            except OSError:
                pass  # another file system, or one without links: the bytes are copied
        return shutil.copy2(source, target)

    left_out = shutil.ignore_patterns(".*", "checkpoint*")
    shutil.copytree(model, to, copy_function=copy, ignore=left_out)


def listed(workspace: Workspace) -> tuple[Version, ...]:
    """The versions that are kept, the newest first; what cannot be read is told and left out."""
    found = []
    for path in workspace.versions_dir.glob(f"*/{FILE}"):
        try:
            found.append(store.read_json(path, Version))
        except StoreError as failure:
            workspace.console.warn(failure.what, str(path), f"rm -r {path.parent}")
    return tuple(sorted(found, key=lambda each: (each.created_at, each.id), reverse=True))


def find(workspace: Workspace, name: str) -> Version:
    """The version whose id begins with ``name``, the current one or its parent; LearnError else."""
    known = listed(workspace)
    by_id = {each.id: each for each in known}
    wanted = name.lower()
    if wanted in (CURRENT, PARENT):
        now = by_id.get(current_id(workspace))
        wanted = now.id if now and wanted == CURRENT else now.parent if now else ""
    matches = [each for each in known if wanted and each.id.startswith(wanted)]
    if len(matches) == 1:
        return matches[0]
    if not known:
        raise LearnError(
            "no version of a model is kept yet",
            where=str(workspace.versions_dir),
            hint="dbt-t2s train",
        )
    shown = ", ".join(each.id for each in known)
    raise LearnError(
        f"{'several versions begin' if matches else 'no version begins'} with {name!r}",
        where=str(workspace.versions_dir),
        hint=f"use one of: {shown}",
    )


def use(workspace: Workspace, version: Version) -> None:
    """Puts ``version`` in the place of the model in use, which stays kept.

    LearnError where it was trained on another schema than there is now: it could not answer.
    """
    from dbt_t2s.pipeline import Trained

    folder = folder_of(workspace, version.id)
    with store.lock(workspace.folder, f"models use {version.id}"):
        trained = store.read_json(folder / workspace.trained_path.name, Trained)
        header = store.read_header(workspace.schema_path)
        if header is None or header.fingerprint != trained.schema:
            raise LearnError(
                f"version {version.id} was trained on another schema than there is now",
                where=str(folder),
                hint=f"dbt-t2s train --from {folder / 'model'}",
            )
        keep(workspace, "train")
        put(workspace, folder)


def put(workspace: Workspace, folder: Path) -> None:
    """Makes the model of a version's folder the one in use; whole, or as it was before."""
    with store.replace_directory(workspace.folder / "model") as made:
        made.rmdir()
        copy_model(folder / "model", made)
    store.write_bytes(workspace.trained_path, (folder / workspace.trained_path.name).read_bytes())


def keep_current(workspace: Workspace) -> str:
    """``keep``, with what became of the test questions where the model in use was judged."""
    from dbt_t2s.validation import standing

    version = keep(workspace, "train")
    report = standing(workspace)
    if version and report is not None and not (folder_of(workspace, version) / JUDGED).exists():
        judged(workspace, report)
    return version


def judged(workspace: Workspace, report: Report) -> None:
    """Keeps, with the version in use, what became of the test questions."""
    folder = folder_of(workspace, current_id(workspace))
    if not (folder / FILE).is_file():
        return
    version = store.read_json(folder / FILE, Version)
    store.write_json(folder / JUDGED, report)
    digest = store.fingerprint([(s.name, [o.correct for o in s.outcomes]) for s in report.suites])
    figures = tuple(map(figures_of, report.suites))
    store.write_json(folder / FILE, replace(version, metrics=digest, figures=figures))


def judgement(workspace: Workspace, version: Version) -> Report | None:
    """What became of the test questions with a version; None where it was not judged."""
    path = folder_of(workspace, version.id) / JUDGED
    try:
        return store.read_json(path, Report)
    except StoreError:
        return None


def figures_of(suite: SuiteReport) -> Figures:
    return Figures(
        suite.name,
        sum(each.correct for each in suite.answerable),
        len(suite.answerable),
        refused(suite.unanswerable),
        len(suite.unanswerable),
    )


def _prune(workspace: Workspace) -> None:
    """Removes the oldest versions above the bound: the one in use and its parent stay longest."""
    known = listed(workspace)
    now = current_id(workspace)
    parents = {each.parent for each in known if each.id == now}
    spare = [each for each in known if each.id != now and each.id not in parents]
    held = len(known) - len(spare)
    for each in spare[max(workspace.settings.keep_models - held, 0) :]:
        shutil.rmtree(folder_of(workspace, each.id), ignore_errors=True)
