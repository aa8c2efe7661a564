"""The test sets of a project: where each comes from, and its questions with their golds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from dbt_t2s import store
from dbt_t2s.answers import TRAIN
from dbt_t2s.config import DIALOGUES, SUITES
from dbt_t2s.corpus.examples import Example
from dbt_t2s.dialogue_suites import items_of
from dbt_t2s.errors import StoreError, UsageError
from dbt_t2s.instances import instances_of, tested
from dbt_t2s.judge.dialogues import Dialogue, read_dialogues
from dbt_t2s.judge.oracle import metric_items, saved_query_items
from dbt_t2s.judge.parsed import relations_read
from dbt_t2s.judge.suite import TestItem, read_suite
from dbt_t2s.project.json_file import SEMANTIC_MANIFEST, load
from dbt_t2s.project.metrics import Answer as Compiled
from dbt_t2s.project.metrics import MetricFlow, MetricFlowError, with_ratio_aliases
from dbt_t2s.project.schema import Issue, Level, ProjectSchema
from dbt_t2s.workspace import Workspace

# Of the generator's own test split, which has thousands, this many are enough for an interval.
GENERATED_ITEMS = 200
# The test set that people wrote.
PEOPLE = "business"


@dataclass(frozen=True)
class Suite:
    """One test set as it was read, and what is wrong with it.

    ``file``, below ``warehouse/``, is what it is judged on where that is not the instances;
    ``dialogues`` are what the items are turns of, where they are.
    """

    name: str
    items: tuple[TestItem, ...]
    issues: tuple[Issue, ...] = ()
    file: str = ""
    dialogues: tuple[Dialogue, ...] = ()


def suites_of(workspace: Workspace, schema: ProjectSchema) -> tuple[Suite, ...]:
    """The test sets that have questions; UsageError where the settings leave none."""
    wanted = workspace.settings.suites or SUITES
    makers: dict[str, Callable[[Workspace, ProjectSchema], Suite]] = {
        "business": business_of,
        "dialogues": partial(_dialogues, "dialogues"),
        "dialogues_own": partial(_dialogues, "dialogues_own"),
        "saved_queries": lambda _, schema: Suite("saved_queries", *saved_query_items(schema)),
        "metrics": _metrics,
        "generated": _generated,
        "expected_rows": _expected_rows,
    }
    suites = [makers[name](workspace, schema) for name in SUITES if name in wanted]
    found = tuple(suite for suite in suites if suite.items)
    for suite in suites:
        workspace.console.issues(suite.issues)
    if not found:
        raise UsageError(
            f"there is no test question in {', '.join(wanted)}",
            where="--suite",
            hint=f"name others of: {', '.join(SUITES)}; --questions names a test set of yours",
        )
    return found


def business_of(workspace: Workspace, schema: ProjectSchema) -> Suite:
    """What people wrote; empty where nobody did."""
    path = workspace.questions_path
    return Suite("business", *(((), ()) if path is None else read_suite(path, schema.dialect)))


def _dialogues(name: str, workspace: Workspace, schema: ProjectSchema) -> Suite:
    """The turns of people's conversations after the first; empty where nobody wrote any."""
    path = workspace.project.root / DIALOGUES
    if not path.exists():
        return Suite(name, ())
    found, issues = read_dialogues(path, schema.dialect)
    return Suite(name, items_of(found), issues, dialogues=found)


def _metrics(workspace: Workspace, schema: ProjectSchema) -> Suite:
    """Metric questions; an issue instead where MetricFlow cannot read the manifest."""
    if not schema.metrics:
        return Suite("metrics", ())
    try:
        found, _ = load(workspace.project.target_path, SEMANTIC_MANIFEST)
        manifest, _ = with_ratio_aliases(found)
        flow = MetricFlow(manifest, schema.dialect, _remembered(workspace))
        return Suite("metrics", *metric_items(schema, flow))
    except MetricFlowError as error:
        issue = Issue(Level.WARNING, "semantic_manifest.json", f"MetricFlow: {error}", "dbt parse")
        return Suite("metrics", (), (issue,))


def _remembered(workspace: Workspace) -> tuple[Compiled, ...]:
    """What MetricFlow said while the project was distilled; nothing where that cannot be used."""
    path = workspace.readings_dir / "answers.parquet"
    try:
        return store.read_rows(path, Compiled) if path.exists() else ()
    except StoreError:  # of another version: MetricFlow is asked again
        return ()


def _generated(workspace: Workspace, _: ProjectSchema) -> Suite:
    """A sample of the generated questions that were held out."""
    kept = _held_out(workspace)[:GENERATED_ITEMS]
    return Suite("generated", tuple(_as_item(example) for example in kept))


def _held_out(workspace: Workspace) -> list[Example]:
    test = store.read_rows(workspace.dataset_dir / "test.parquet", Example, hint=TRAIN)
    return sorted(test, key=lambda each: store.fingerprint(each.id))


def _expected_rows(workspace: Workspace, schema: ProjectSchema) -> Suite:
    """Questions about models with unit tests, on the rows that these expect."""
    found = tested(workspace, schema, instances_of(workspace, schema))
    about = frozenset(found.relations)
    kept = [
        example
        for example in _held_out(workspace)
        if example.sql and about.intersection(relations_read(example.sql, schema.dialect))
    ]
    items = tuple(_as_item(example) for example in kept[:GENERATED_ITEMS])
    return Suite("expected_rows", items if found.file else (), found.issues, found.file)


def _as_item(example: Example) -> TestItem:
    golds = (example.sql,) if example.sql else ()
    return TestItem(str(example.id), example.question, golds, example.type, phase=example.phase)
