"""Puts beside an answer what it rests on, and beside a refusal what can be asked instead."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path

from dbt_t2s import store
from dbt_t2s.corpus.examples import Example
from dbt_t2s.errors import ProjectError, StoreError
from dbt_t2s.project.artifacts import Artifacts, section, text
from dbt_t2s.project.json_file import MANIFEST, RUN_RESULTS, load
from dbt_t2s.project.places import Places
from dbt_t2s.project.schema import ProjectSchema
from dbt_t2s.query.preamble import left_out
from dbt_t2s.serve.ask import Answer
from dbt_t2s.serve.assumed import assumed
from dbt_t2s.serve.evidence import basis_of
from dbt_t2s.serve.nearest import Known, Nearest
from dbt_t2s.serve.wellspoken import Wellspoken
from dbt_t2s.workspace import EMBEDDED, Workspace

# dbt's commands that build data.
_BUILDS = frozenset({"build", "run", "seed", "snapshot", "retry", "clone"})


class Explainer:
    """What is known of a project beside its schema, each read when it is first asked for."""

    def __init__(self, workspace: Workspace, schema: ProjectSchema, data: Path | None) -> None:
        """``data`` is the copy of the project's DuckDB file that answers; None for none."""
        self._workspace = workspace
        self._schema = schema
        self._data = data
        self._found: dict[str, str] = {}

    def explain(self, answer: Answer) -> Answer:
        """The answer with what it rests on; a refusal or an error with the nearest questions."""
        if answer.status != "ok":
            return replace(answer, nearest=self.nearest.find(answer.read_as or answer.question))
        return replace(
            answer,
            rests_on=basis_of(answer.sql, answer.items, self._schema, self.place_of),
            assumed=(*self._unread(answer), *self._assumed(answer)),
            built=self.built,
        )

    def _assumed(self, answer: Answer) -> tuple[str, ...]:
        return assumed(answer.read_as or answer.question, answer.sql, self._schema)

    def _unread(self, answer: Answer) -> Iterator[str]:
        """The small talk that the embedded model does not read; a follow-up it reads whole."""
        alone = self._workspace.settings.base == EMBEDDED and not answer.read_as
        if alone and (told := left_out(answer.question)):
            yield f"“{told}” is no part of the question."

    @cached_property
    def nearest(self) -> Nearest:
        """The training questions that have an answer; none where they cannot be read."""
        try:
            rows = store.read_rows(self._workspace.examples_path, Example)
        except StoreError:
            return Nearest(())  # a trained model answers without the corpus that it learned from
        good = Wellspoken([row.question for row in rows], self._schema)
        return Nearest(
            [
                Known(row.question, row.skeleton, _topic(row.plan), good.said(row.question))
                for row in rows
                if row.sql
            ]
        )

    def place_of(self, unique_id: str) -> str:
        """The file and line where the project says what this id names; empty where nobody knows."""
        if unique_id not in self._found:
            self._found[unique_id] = self._place(unique_id)
        return self._found[unique_id]

    def _place(self, unique_id: str) -> str:
        node = self._artifacts.node(unique_id)
        if not node:
            return ""
        attached = self._artifacts.node(text(node, "attached_node"))
        if attached:  # a test stands below the column that it is of
            file = text(node, "original_file_path")
            named = {**attached, "patch_path": "", "original_file_path": file}
            return self._places.in_properties(named, text(node, "column_name"))
        if text(node, "resource_type") in ("model", "analysis", "seed", "snapshot", "test"):
            return text(node, "original_file_path")
        return self._places.in_properties(node, text(node, "name"))

    @cached_property
    def _artifacts(self) -> Artifacts:
        """dbt's manifest alone; empty where there is none to read any more."""
        try:
            manifest, _ = load(self._workspace.project.target_path, MANIFEST)
        except ProjectError:
            manifest = {}
        return Artifacts(manifest)

    @cached_property
    def _places(self) -> Places:
        project = self._workspace.project
        return Places(project.root, project.name)

    @property
    def built(self) -> str:
        """When the data that is asked was last built (ISO, UTC); empty where nobody knows.

        Of a DuckDB file that is when it was last written, but no later than it was copied.
        """
        database = self._workspace.project.database
        if database is None:
            return self._by_dbt
        if self._data is None:
            return ""
        copied = _written(self._data)
        return min(filter(None, (copied, _written(database))), default="")

    @cached_property
    def _by_dbt(self) -> str:
        try:
            results, _ = load(self._workspace.project.target_path, RUN_RESULTS)
        except ProjectError:
            return ""
        which = text(section(results, "args"), "which")
        return text(section(results, "metadata"), "generated_at") if which in _BUILDS else ""


def _topic(plan: str) -> str:
    """What a plan is about: its first metric, else the first table that it names."""
    tokens = [token for token in json.loads(plan) if isinstance(token, str)]
    metric = next((token for token in tokens if token[:2] == "m:"), "")
    named = (token[2:].partition(".")[0] for token in tokens if token[:2] in ("t:", "c:", "v:"))
    return metric or next(named, "")


def _written(path: Path) -> str:
    try:
        moment = path.stat().st_mtime
    except OSError:
        return ""
    return datetime.fromtimestamp(moment, UTC).isoformat(timespec="seconds")
