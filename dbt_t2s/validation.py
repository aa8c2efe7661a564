"""The stage that proves a trained model: answers test sets, judges the answers, reports."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from dbt_t2s import store
from dbt_t2s.answers import (
    TRAIN,
    candidates,
    fingerprint_at,
    load_model,
    open_trained,
    relations_of,
)
from dbt_t2s.corpus.examples import Example
from dbt_t2s.duck import Execute
from dbt_t2s.errors import JudgeError, StoreError
from dbt_t2s.judge.html import to_html
from dbt_t2s.judge.report import Report, to_json, to_junit
from dbt_t2s.judge.sandbox import Limits, Sandbox
from dbt_t2s.judge.suite import TestItem, read_suite
from dbt_t2s.judge.validate import Prediction, SuiteReport, validate
from dbt_t2s.pipeline import COMPARED_ROWS, Instances, instances_of
from dbt_t2s.project.schema import ProjectSchema
from dbt_t2s.serve.ask import Answer, answer
from dbt_t2s.sql import SqlError, references
from dbt_t2s.workspace import Workspace, check_inputs

# Of the generator's own test split, which has thousands, this many are enough for an interval.
GENERATED_ITEMS = 200


def validate_model(workspace: Workspace) -> Report:
    """validation.json and report.json: every test set answered, executed and compared."""
    check_inputs(workspace)
    schema, trained = open_trained(workspace)
    with store.lock(workspace.folder, "validate"):
        instances = instances_of(workspace, schema)
        suites = _suites(workspace, schema)
        inputs = {
            "model": store.fingerprint([trained, _model_stamp(workspace)]),
            "schema": fingerprint_at(workspace.schema_path),
            "warehouse": instances.content,
            "suites": store.fingerprint([items for _, items in suites]),
            "settings": store.fingerprint(workspace.settings.refuse_under),
        }
        ready = _ready_report(workspace, inputs)
        if ready is not None:
            workspace.console.info("validation: up to date")
            return ready
        report = Report(
            suites=_judge(workspace, schema, instances, suites),
            project=schema.project,
            model=trained.base,
            schema=trained.schema,
            dialect=schema.dialect,
            created_at=datetime.now(UTC).isoformat(timespec="seconds"),
        )
        store.write_text(workspace.html_path, to_html(report))
        store.write_text(workspace.report_path, json.dumps(to_json(report), indent=1) + "\n")
        store.write_json(workspace.validation_path, report, inputs)
    return report


def write_reports(report: Report, *, html: Path | None, junit: Path | None) -> None:
    """The report in the forms that were asked for."""
    if html is not None:
        store.write_text(html, to_html(report))
    if junit is not None:
        store.write_text(junit, to_junit(report))


def check_floor(workspace: Workspace, report: Report) -> None:
    """JudgeError if the accuracy is under the project's floor.

    The floor is held against the business test set, where there is one: people wrote that.
    """
    floor = workspace.settings.fail_under
    if floor is None:
        return
    suite = report.suites[0]
    reached = suite.ex.value
    if reached is None or reached < floor:
        shown = "no answerable question" if reached is None else f"{reached:.1%}"
        raise JudgeError(
            f"execution accuracy on the {suite.name} test set is {shown}, under {floor:.1%}",
            where=str(workspace.report_path),
            hint="look at the wrong answers there; `dbt-t2s train --minutes N` trains longer",
        )


def _suites(
    workspace: Workspace, schema: ProjectSchema
) -> tuple[tuple[str, tuple[TestItem, ...]], ...]:
    """The business test set, where there is one, and a sample of the generated one."""
    suites: list[tuple[str, tuple[TestItem, ...]]] = []
    path = workspace.questions_path
    if path is not None:
        items, issues = read_suite(path, schema.dialect)
        workspace.console.issues(issues)
        suites.append(("business", items))
    test = store.read_rows(workspace.dataset_dir / "test.parquet", Example, hint=TRAIN)
    kept = sorted(test, key=lambda each: store.fingerprint(each.id))[:GENERATED_ITEMS]
    if kept:
        suites.append(("generated", tuple(_as_item(example) for example in kept)))
    return tuple(suites)


def _as_item(example: Example) -> TestItem:
    golds = (example.sql,) if example.sql else ()
    return TestItem(str(example.id), example.question, golds, example.type)


def _judge(
    workspace: Workspace,
    schema: ProjectSchema,
    instances: Instances,
    suites: Sequence[tuple[str, tuple[TestItem, ...]]],
) -> tuple[SuiteReport, ...]:
    generate = candidates(workspace, load_model(workspace, schema))
    reports = []
    golds = [gold for _, items in suites for item in items for gold in item.golds]
    relations = dict.fromkeys((*relations_of(schema), *_read_by(golds, schema.dialect)))
    with _sandboxes(workspace, tuple(relations), schema.dialect, instances) as executes:

        def predict(questions: Sequence[str]) -> list[Prediction]:
            return [_prediction(answer(each, generate, executes[0])) for each in questions]

        for name, items in suites:
            with workspace.console.progress(f"validating {name}") as progress:
                tell = partial(progress, f"validating {name}")
                reports.append(
                    validate(items, predict, executes, schema.dialect, name=name, progress=tell)
                )
    return tuple(reports)


@contextmanager
def _sandboxes(
    workspace: Workspace, relations: Sequence[str], dialect: str, instances: Instances
) -> Iterator[tuple[Execute, ...]]:
    limits = Limits(max_rows=COMPARED_ROWS)
    paths = [workspace.warehouse_dir / file for file in instances.files]
    sandboxes = [Sandbox(path, relations, dialect, limits) for path in paths]
    try:
        yield tuple(sandbox.execute for sandbox in sandboxes)
    finally:
        for sandbox in sandboxes:
            sandbox.close()


def _read_by(golds: Sequence[str], dialect: str) -> Iterator[str]:
    """What golds read: people may use tables that the model does not, such as a calendar."""
    for gold in golds:
        try:
            yield from references(gold, dialect)
        except SqlError:
            continue  # it will fail in the sandbox, and be named there


def _prediction(given: Answer) -> Prediction:
    return Prediction(given.status, given.sql, given.confidence, given.latency_ms, given.reason)


def _ready_report(workspace: Workspace, inputs: dict[str, str]) -> Report | None:
    header = store.read_header(workspace.validation_path)
    if header is None or not header.matches(inputs) or not workspace.report_path.exists():
        return None
    try:
        return store.read_json(workspace.validation_path, Report)
    except StoreError:
        return None


def _model_stamp(workspace: Workspace) -> tuple[tuple[str, int, int], ...]:
    """Which files the model is, so that another one under the same settings is seen."""
    files = sorted(path for path in workspace.model_dir.rglob("*") if path.is_file())
    return tuple(
        (str(path.relative_to(workspace.model_dir)), path.stat().st_size, path.stat().st_mtime_ns)
        for path in files
    )
