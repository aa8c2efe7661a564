"""Artifacts that nobody should write: a schema comes out, or one error that a person can act on.

A real project's artifacts are mutated: any value replaced by any JSON value, keys dropped, nodes
copied, values swapped. ``T2S_HOSTILE_EXAMPLES`` says how many are tried (100 when unset; their
number is printed then). What one example leaves as it was is not worked out again for the next:
MetricFlow's answers about one semantic manifest, parse trees, readings of statements.
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
from hypothesis import HealthCheck, given, settings
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
from dbt_t2s.project.metrics import MetricFlow, MetricFlowError
from dbt_t2s.project.schema import ProjectSchema
from dbt_t2s.project.statements import Trees

EXAMPLES = int(os.environ.get("T2S_HOSTILE_EXAMPLES", "100"))
FILES = ("manifest", "catalog", "semantic_manifest", "run_results")

# MetricFlow takes a second for all of the project's metrics: one of each kind is enough.
KEPT_METRICS = frozenset({"bookings", "takings", "done_share", "takings_growth"})

NASTY = (
    "", " ", "\x00", "\ud800", "é\u202e", "'; drop table bookings; --", '"',
    "{{ ref('bookings') }}",
    "{{ Dimension('booking__status') }} = ", "{% for x in y %}", "a.b.c.d", "select 1; select 2",
    "select * from (" * 30, "(" * 500, "model.kennel.bookings", "test", "1e999", "x" * 200_000,
)  # fmt: skip
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-3, 3)
    | st.sampled_from((2**63, -(10**30), float("nan"), float("inf"), 0.5))
    | st.sampled_from(NASTY)
    | st.text(max_size=8)
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=6,
)


@dataclass(frozen=True)
class Mutation:
    """One change: ``walk`` leads to a container (numbers, modulo its size), ``last`` into it."""

    file: str
    walk: tuple[int, ...]
    last: int
    what: str
    value: Any


MUTATIONS = st.builds(
    Mutation,
    st.sampled_from(("manifest", "manifest", *FILES)),
    st.lists(st.integers(0, 400), max_size=6).map(tuple),
    st.integers(0, 400),
    st.sampled_from(("replace", "replace", "drop", "copy", "swap")),
    VALUES,
)


def keys(container: Any) -> list[Any]:
    if isinstance(container, dict):
        return list(container)
    return list(range(len(container))) if isinstance(container, list) else []


def apply(content: Any, mutation: Mutation) -> None:
    """Change ``content`` in place; nothing happens where the walk ends in an empty container."""
    here = content
    for step in mutation.walk:
        inside = [key for key in keys(here) if keys(here[key])]
        if not inside:
            break
        here = here[inside[step % len(inside)]]
    names = keys(here)
    if not names:
        return
    key, other = names[mutation.last % len(names)], names[(mutation.last * 7 + 1) % len(names)]
    if mutation.what == "replace":
        here[key] = mutation.value
    elif mutation.what == "drop":
        del here[key]
    elif mutation.what == "swap":
        here[key], here[other] = here[other], here[key]
    elif isinstance(here, dict):
        here[f"{key}_again"] = copy.deepcopy(here[key])
    else:
        here.append(copy.deepcopy(here[key]))


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


def read(
    contents: dict[str, Any],
    kennel: DbtProject,
    folder: Path,
    execute: Execute | None,
    memory: Memory,
) -> ProjectSchema | T2SError:
    """What comes of the artifacts: written, distilled, mined, stored, read back and shown."""
    for name, content in contents.items():
        (folder / f"{name}.json").write_text(json.dumps(content))
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


def mutated(contents: dict[str, Any], mutations: Sequence[Mutation]) -> dict[str, Any]:
    changed = copy.deepcopy(contents)
    for mutation in mutations:
        apply(changed[mutation.file], mutation)
    return changed


def test_the_unchanged_artifacts_are_read(
    contents: dict[str, Any], kennel: DbtProject, tmp_path: Path, memory: Memory
) -> None:
    found = read(contents, kennel, tmp_path, None, memory)
    assert isinstance(found, ProjectSchema)
    assert [table.name for table in found.tables] == ["bookings", "owners"]
    assert {metric.name for metric in found.metrics} == KEPT_METRICS


@settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize="T2S_HOSTILE_EXAMPLES" not in os.environ,
    suppress_health_check=list(HealthCheck),
)
@given(mutations=st.lists(MUTATIONS, min_size=1, max_size=8), with_data=st.booleans())
def test_mutated_artifacts_give_a_schema_or_one_clear_error(
    contents: dict[str, Any],
    kennel: DbtProject,
    execute: Execute,
    memory: Memory,
    tmp_path_factory: pytest.TempPathFactory,
    mutations: Sequence[Mutation],
    with_data: bool,
) -> None:
    folder = tmp_path_factory.getbasetemp() / "hostile"
    folder.mkdir(exist_ok=True)
    changed = mutated(contents, mutations)
    found = read(changed, kennel, folder, execute if with_data else None, memory)
    memory.outcomes[type(found).__name__] += 1
    if isinstance(found, T2SError):
        assert found.what
        assert found.where or found.hint
