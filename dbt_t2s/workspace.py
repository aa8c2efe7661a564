"""One dbt project with its settings, and where its artefacts lie."""

from __future__ import annotations

import difflib
import hashlib
import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from dbt_t2s.config import Settings, load_settings
from dbt_t2s.console import Console
from dbt_t2s.corpus import query_log
from dbt_t2s.duck import copy_warehouse
from dbt_t2s.errors import EmptyWarehouseError, UsageError
from dbt_t2s.project.dbt import DbtProject, open_project
from dbt_t2s.project.schema import Issue, Level

EMBEDDED = "embedded"
# Above this size a file is known by size and time, not by what is in it.
HASHED_BYTES = 512 << 20


@dataclass(frozen=True)
class Workspace:
    """What every stage is given: the project, its settings and the console of this run.

    ``other`` is the folder of another model than the one in use: a version, or one on trial.
    """

    project: DbtProject
    settings: Settings
    console: Console
    other: Path | None = None

    @property
    def folder(self) -> Path:
        return self.project.target_path / "t2s"

    @property
    def schema_path(self) -> Path:
        return self.folder / "schema.json"

    @property
    def rules_path(self) -> Path:
        return self.folder / "rules.json"

    @property
    def patterns_path(self) -> Path:
        return self.folder / "patterns.parquet"

    @property
    def readings_dir(self) -> Path:
        """What each statement was found to say, so that only changed ones are read again."""
        return self.folder / "readings"

    @property
    def examples_path(self) -> Path:
        return self.folder / "examples.parquet"

    @property
    def coverage_path(self) -> Path:
        return self.folder / "coverage.json"

    @property
    def reviewed_path(self) -> Path:
        """What people made of examples: the project's own, beside its test questions."""
        return self.project.root / "t2s" / "reviewed.jsonl"

    @property
    def card_path(self) -> Path:
        return self.dataset_dir / "CARD.md"

    @property
    def chunks_dir(self) -> Path:
        """What was drawn of a corpus that is not whole yet."""
        return self.folder / "chunks"

    @property
    def dataset_dir(self) -> Path:
        return self.folder / "dataset"

    @property
    def model_dir(self) -> Path:
        return (self.other or self.folder) / "model"

    @property
    def trained_path(self) -> Path:
        return (self.other or self.folder) / "trained.json"

    @property
    def versions_dir(self) -> Path:
        return self.folder / "models"

    @property
    def warehouse_dir(self) -> Path:
        return self.folder / "warehouse"

    @property
    def check_dir(self) -> Path:
        """The warehouses of both states, while a check runs."""
        return self.folder / "check"

    @property
    def instances_path(self) -> Path:
        return self.warehouse_dir / "instances.json"

    @property
    def validation_path(self) -> Path:
        return self.folder / "validation.json"

    @property
    def report_path(self) -> Path:
        return self.folder / "report.json"

    @property
    def html_path(self) -> Path:
        return self.folder / "report.html"

    @property
    def questions_path(self) -> Path | None:
        return self.settings.questions_path(self.project.root)

    @property
    def place(self) -> str:
        """The project's folder in its git repository; empty where it is the root, or in none."""
        root = self.project.root.resolve()
        for folder in (root, *root.parents):
            if (folder / ".git").exists():
                return root.relative_to(folder).as_posix() if folder != root else ""
        return ""

    def data(self) -> tuple[Path | None, tuple[Issue, ...]]:
        """A copy of the warehouse; None, and why, where there is nothing to copy."""
        database = self.project.database
        if database is None:
            return None, ()
        try:
            return copy_warehouse(database, self.warehouse_dir), ()
        except EmptyWarehouseError as empty:
            message = (
                f"{empty.what}: columns come from the catalog and the SQL, and no values are known"
            )
            return None, (Issue(Level.WARNING, database.name, message, "dbt build"),)


def open_workspace(
    console: Console,
    *,
    project_dir: Path | None = None,
    profiles_dir: Path | None = None,
    profile: str | None = None,
    target: str | None = None,
    target_path: Path | None = None,
    flags: Mapping[str, object] | None = None,
) -> Workspace:
    """Finds the project and reads its settings; errors name what is wrong before any work."""
    project = open_project(
        project_dir,
        profiles_dir=profiles_dir,
        profile=profile,
        target=target,
        target_path=target_path,
    )
    settings = load_settings(project.root, os.environ, flags)
    return Workspace(project, settings, console)


def check_inputs(workspace: Workspace) -> None:
    """What a long run needs and can be checked at once, so that it does not fail at its end."""
    _check_base(workspace)
    if workspace.settings.query_log:
        query_log.file_of(workspace.settings.query_log, workspace.project.root)
    path = workspace.questions_path
    if path is not None and not path.is_file():
        raise UsageError(
            f"there is no test set {path.name}",
            where=str(path),
            hint="name a JSONL file with --questions, or leave the setting out",
        )


def file_stamp(path: Path | None) -> str:
    """What tells two versions of a file apart; empty when there is none."""
    if path is None or not path.is_file():
        return ""
    status = path.stat()
    if status.st_size > HASHED_BYTES:
        return f"{status.st_size}-{status.st_mtime_ns}"
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def query_log_stamp(workspace: Workspace) -> str:
    """What tells two states of the query log apart; empty when the settings name none."""
    setting, project = workspace.settings.query_log, workspace.project
    if not setting:
        return ""
    path = query_log.file_of(setting, project.root)
    if path is None and project.adapter != "duckdb":
        return f"{setting} {date.today()}"  # nothing tells whether it has grown
    return f"{setting} {file_stamp(project.database if path is None else path)}"


def _check_base(workspace: Workspace) -> None:
    base = workspace.settings.base
    if base == EMBEDDED or base_folder(workspace) is not None:
        return
    near = bool(difflib.get_close_matches(base, [EMBEDDED], cutoff=0.7))
    # org/name may be in the hub's local cache; anything else was meant as a path.
    if near or base.count("/") != 1 or base.startswith((".", "/", "~")):
        guess = f"; did you mean {EMBEDDED}?" if near else ""
        raise UsageError(
            f"there is no base model {base}{guess}",
            where=f"--base {base}",
            hint=f"--base {EMBEDDED}, or --base with the folder of a causal transformers model",
        )


def base_folder(workspace: Workspace) -> Path | None:
    """The folder that the base names, relative to the project; None if it names none."""
    path = workspace.project.root / Path(workspace.settings.base).expanduser()
    return path if workspace.settings.base not in ("", EMBEDDED) and path.is_dir() else None


def base_of(workspace: Workspace) -> str:
    """The base as training takes it: a folder's whole path, another name as it is."""
    folder = base_folder(workspace)
    return workspace.settings.base if folder is None else str(folder)
