"""Artifacts that nobody should write: a schema comes out, or one error that a person can act on.

A real project's artifacts are mutated: any value replaced by any JSON value, keys dropped, nodes
copied, values swapped; sections retyped, renamed, taken from another file; the files' bytes cut,
changed and moved. ``T2S_HOSTILE_EXAMPLES`` says how many are tried of each (100 when unset;
their number is printed then). What one example leaves as it was is not worked out again for the
next: MetricFlow's answers about one semantic manifest, parse trees, readings of statements.
"""

from __future__ import annotations

import copy
import json
import os
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from dbt_t2s import store
from dbt_t2s.corpus.patterns import mining
from dbt_t2s.corpus.readings import Reading
from dbt_t2s.duck import Execute
from dbt_t2s.errors import T2SError
from dbt_t2s.project import metric_set
from dbt_t2s.project.catalogue import pages
from dbt_t2s.project.catalogue_forms import as_text
from dbt_t2s.project.dbt import DbtProject
from dbt_t2s.project.distill import distill
from dbt_t2s.project.json_file import MAX_DEPTH
from dbt_t2s.project.metrics import MetricFlow, MetricFlowError
from dbt_t2s.project.schema import ProjectSchema
from dbt_t2s.project.statements import Trees
from tests.project.mutations import (
    FILES,
    MUTATIONS,
    SECTIONS,
    SLIPS,
    Mutation,
    Section,
    Slip,
    apply,
    retyped,
    slipped,
)

EXAMPLES = os.environ.get("T2S_HOSTILE_EXAMPLES", "")

# MetricFlow takes a second for all of the project's metrics: one of each kind is enough.
KEPT_METRICS = frozenset({"bookings", "takings", "done_share", "takings_growth"})


class RememberedFlow:
    """MetricFlow over one semantic manifest, asked each thing once."""

    def __init__(self, flow: MetricFlow) -> None:
        self._flow = flow
        self._said: dict[tuple[object, ...], Any] = {}

    def sql(self, metrics: Sequence[str], group_by: Sequence[str] = ()) -> str:
        return str(self._ask(self._flow.sql, tuple(metrics), tuple(group_by)))

    def saved_query(self, name: str) -> str:
        return str(self._ask(self._flow.saved_query, name))

    answers = ()

    def dimensions(self, metric: str) -> tuple[tuple[str, str, str, bool], ...]:
        found: tuple[tuple[str, str, str, bool], ...] = self._ask(self._flow.dimensions, metric)
        return found

    def _ask(self, question: Callable[..., Any], *of: object) -> Any:
        key = (question.__name__, *of)
        if key not in self._said:
            try:
                self._said[key] = question(*of)
            except MetricFlowError as error:
                self._said[key] = error
        if isinstance(self._said[key], MetricFlowError):
            raise self._said[key]
        return self._said[key]


@dataclass
class Memory:
    """What the examples share; ``outcomes`` counts them by what came of them."""

    trees: Trees
    readings: tuple[Reading, ...]
    flows: dict[str, RememberedFlow]
    outcomes: Counter[str]

    def flow(self, semantic_manifest: Any, dialect: str, _: object = ()) -> RememberedFlow:
        key = json.dumps([semantic_manifest, dialect])
        if key not in self.flows:
            # The unchanged manifest's comes first and is kept; the others rarely come twice.
            for old in list(self.flows)[1:]:
                del self.flows[old]
            self.flows[key] = RememberedFlow(MetricFlow(semantic_manifest, dialect))
        return self.flows[key]


@pytest.fixture(scope="module")
def memory(contents: dict[str, Any], kennel: DbtProject) -> Iterator[Memory]:
    """Filled from the unchanged artifacts."""
    found = Memory(Trees(), (), {}, Counter())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(metric_set, "MetricFlow", found.flow)
        yield found
    if "T2S_HOSTILE_EXAMPLES" in os.environ:
        print(f"\nhostile artifacts tried: {found.outcomes.total()} {dict(found.outcomes)}")


@pytest.fixture(scope="module")
def contents(kennel: DbtProject) -> dict[str, Any]:
    """The kennel's artifacts without what nothing here reads: dbt's own macros and docs."""
    found = {name: json.loads((kennel.target_path / f"{name}.json").read_text()) for name in FILES}
    for name in ("macros", "docs", "disabled", "parent_map", "child_map", "group_map"):
        found["manifest"][name] = {}
    metrics = found["semantic_manifest"]["metrics"]
    found["semantic_manifest"]["metrics"] = [m for m in metrics if m["name"] in KEPT_METRICS]
    return found


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("hostile")


def read(
    files: dict[str, bytes],
    kennel: DbtProject,
    folder: Path,
    execute: Execute | None,
    memory: Memory,
) -> ProjectSchema | T2SError:
    """What comes of the artifacts: written, distilled, mined, stored, read back and shown."""
    for name, content in files.items():
        (folder / f"{name}.json").write_bytes(content)
    try:
        project = replace(kennel, target_path=folder)
        schema = distill(project, execute=execute, trees=memory.trees)
        mined = mining(schema, remembered=memory.readings)
        store.write_json(folder / "schema.json", schema)
    except T2SError as error:
        return error
    memory.readings = memory.readings or mined.readings
    assert store.read_json(folder / "schema.json", ProjectSchema) == schema
    as_text(pages(schema))
    return schema


def written(contents: dict[str, Any]) -> dict[str, bytes]:
    return {name: json.dumps(content).encode() for name, content in contents.items()}


def mutated(contents: dict[str, Any], mutations: Sequence[Mutation]) -> dict[str, Any]:
    changed = copy.deepcopy(contents)
    for mutation in mutations:
        apply(changed[mutation.file], mutation)
    return changed


def test_the_unchanged_artifacts_are_read(
    contents: dict[str, Any], kennel: DbtProject, tmp_path: Path, memory: Memory
) -> None:
    found = read(written(contents), kennel, tmp_path, None, memory)
    assert isinstance(found, ProjectSchema)
    assert [table.name for table in found.tables] == ["bookings", "owners"]
    assert {metric.name for metric in found.metrics} == KEPT_METRICS


def test_meta_may_be_nested_as_deep_as_a_file_may_be(
    contents: dict[str, Any],
    kennel: DbtProject,
    folder: Path,
    memory: Memory,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("KENNEL_API_TOKEN", "a-secret-that-is-looked-for-at-every-depth")
    changed = copy.deepcopy(contents)
    deep: object = "a-secret-that-is-looked-for-at-every-depth"
    for _ in range(MAX_DEPTH - 10):
        deep = {"meta": deep}
    bookings = changed["manifest"]["nodes"]["model.kennel.bookings"]
    bookings["config"]["meta"] = bookings["meta"] = bookings["columns"]["price"]["meta"] = deep
    changed["semantic_manifest"]["metrics"][0]["config"] = {"meta": deep}
    assert isinstance(read(written(changed), kennel, folder, None, memory), ProjectSchema)


tried = settings(
    max_examples=int(EXAMPLES or 100),
    deadline=None,
    derandomize=not EXAMPLES,
    suppress_health_check=list(HealthCheck),
)


def assert_clear(found: ProjectSchema | T2SError, memory: Memory) -> None:
    memory.outcomes[type(found).__name__] += 1
    if isinstance(found, T2SError):
        assert found.what
        assert found.where or found.hint


@tried
@example(
    mutations=[Mutation("semantic_manifest", (0, 115), 0, "replace", "\ud800")], with_data=False
)
@given(mutations=st.lists(MUTATIONS, min_size=1, max_size=8), with_data=st.booleans())
def test_mutated_artifacts_give_a_schema_or_one_clear_error(
    contents: dict[str, Any],
    kennel: DbtProject,
    execute: Execute,
    memory: Memory,
    folder: Path,
    mutations: Sequence[Mutation],
    with_data: bool,
) -> None:
    files = written(mutated(contents, mutations))
    assert_clear(read(files, kennel, folder, execute if with_data else None, memory), memory)


@tried
@given(
    sections=st.lists(SECTIONS, max_size=3),
    slips=st.lists(SLIPS, max_size=3),
    with_data=st.booleans(),
)
def test_files_that_are_broken_give_a_schema_or_their_name(
    contents: dict[str, Any],
    kennel: DbtProject,
    execute: Execute,
    memory: Memory,
    folder: Path,
    sections: Sequence[Section],
    slips: Sequence[Slip],
    with_data: bool,
) -> None:
    changed = copy.deepcopy(contents)
    for section in sections:
        retyped(changed, section)
    files = written(changed)
    for slip in slips:
        files[slip.file] = slipped(files[slip.file], slip)
    found = read(files, kennel, folder, execute if with_data else None, memory)
    assert_clear(found, memory)
    if isinstance(found, T2SError):
        broken = {each.file for each in sections} | {each.file for each in slips}
        assert Path(found.where).stem in broken
        assert found.hint.startswith("dbt ")
