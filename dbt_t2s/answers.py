"""The stages that use a trained model: validate it, ask it. They never run dbt."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from dbt_t2s import store
from dbt_t2s.corpus.examples import Example
from dbt_t2s.duck import Execute
from dbt_t2s.errors import JudgeError, ModelError, ServeError, StoreError, WarehouseError
from dbt_t2s.instances import Instances, instances_of, readable
from dbt_t2s.judge.html import to_html
from dbt_t2s.judge.report import Report, to_json, to_junit
from dbt_t2s.judge.sandbox import Limits, Sandbox
from dbt_t2s.judge.suite import TestItem, read_suite
from dbt_t2s.judge.validate import Prediction, SuiteReport, validate
from dbt_t2s.model.generate import Candidate, Generator
from dbt_t2s.pipeline import COMPARED_ROWS, Trained
from dbt_t2s.project.schema import Issue, ProjectSchema
from dbt_t2s.project.warehouse import open_data
from dbt_t2s.serve.ask import Answer, Generate, answer
from dbt_t2s.serve.languages import foreign_language
from dbt_t2s.serve.roads import checked_alone, checked_first
from dbt_t2s.serve.statements import is_statement
from dbt_t2s.sql import SqlError, references
from dbt_t2s.workspace import Workspace, check_inputs

TRAIN = "run `dbt-t2s train`"
# Of the generator's own test split, which has thousands, this many are enough for an interval.
GENERATED_ITEMS = 200


def ask(workspace: Workspace, questions: Sequence[str]) -> Iterator[Answer]:
    """Answers in order, each as soon as it is there; the model is loaded once."""
    schema, _ = _open(workspace)
    limits = Limits(max_rows=workspace.settings.row_limit)
    instances = _instances(workspace)
    relations = readable(schema, instances)
    path = workspace.warehouse_dir / instances.files[0]
    with (
        Sandbox(path, relations, schema.dialect, limits) as sandbox,
        _road(workspace, schema, instances, sandbox) as (execute, missing),
    ):
        generate = _generate(workspace, _load_model(workspace, schema))
        for question in questions:
            found = answer(question, generate, execute)
            yield replace(found, reason=missing) if missing and found.status == "ok" else found


@contextmanager
def _road(
    workspace: Workspace, schema: ProjectSchema, instances: Instances, sandbox: Sandbox
) -> Iterator[tuple[Execute, str]]:
    """How SQL is run for a person, and why its rows are not known where they are not."""
    if not instances.made_up:
        yield sandbox.execute, ""
    elif workspace.project.database is not None:
        with _own_road(workspace, schema, instances, sandbox) as road:
            yield road
    else:
        workspace.console.info(f"reaching {workspace.project.adapter} through dbt")
        with open_data(workspace.project, workspace.settings.row_limit) as data:
            if isinstance(data, Issue):
                workspace.console.issues([data])
                yield checked_alone(sandbox.execute), "the SQL alone: the warehouse was not asked"
            else:
                yield checked_first(sandbox.execute, data.execute), ""


@contextmanager
def _own_road(
    workspace: Workspace, schema: ProjectSchema, instances: Instances, sandbox: Sandbox
) -> Iterator[tuple[Execute, str]]:
    """The project's DuckDB file answers, where there is one: some of it may be made up here."""
    if not instances.own:
        yield checked_alone(sandbox.execute), "the SQL alone: run `dbt build` and train again"
        return
    own = workspace.warehouse_dir / instances.own
    with Sandbox(own, readable(schema, instances), schema.dialect, sandbox.limits) as real:
        yield checked_first(sandbox.execute, real.execute), ""


def read_questions(path: Path) -> tuple[str, ...]:
    """The questions of a JSONL file; ServeError names the first line that has none."""
    try:
        lines = path.read_text(encoding="utf-8-sig").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not UTF-8 text"
        raise ServeError(
            f"the questions in {path.name} cannot be read: {reason}",
            where=str(path),
            hint="check the path given to --file",
        ) from error
    questions = []
    for number, line in enumerate(lines, 1):
        if line.strip():
            questions.append(_question(line, f"{path}, line {number}"))
    return tuple(questions)


def _question(line: str, where: str) -> str:
    try:
        found = json.loads(line)
    except (ValueError, RecursionError):
        found = None
    question = found.get("question") if isinstance(found, dict) else found
    if not isinstance(question, str):
        raise ServeError(
            "this line has no question",
            where=where,
            hint='write one JSON object a line: {"question": "How many orders?"}',
        )
    return question


def validate_model(workspace: Workspace) -> Report:
    """validation.json and report.json: every test set answered, executed and compared."""
    check_inputs(workspace)
    schema, trained = _open(workspace)
    with store.lock(workspace.folder, "validate"):
        instances = instances_of(workspace, schema)
        suites = _suites(workspace, schema)
        inputs = {
            "model": store.fingerprint([trained, _model_stamp(workspace)]),
            "schema": _fingerprint(workspace.schema_path),
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


def _open(workspace: Workspace) -> tuple[ProjectSchema, Trained]:
    """The schema as it is on disk, and what the model was trained with."""
    if not workspace.trained_path.exists():
        raise ModelError(
            "there is no trained model yet", where=str(workspace.model_dir), hint=TRAIN
        )
    trained = store.read_json(workspace.trained_path, Trained, hint=TRAIN)
    schema = store.read_json(workspace.schema_path, ProjectSchema, hint=TRAIN)
    if trained.schema != _fingerprint(workspace.schema_path):
        workspace.console.warn(
            "the schema has changed since the model was trained; it may answer wrongly",
            where=str(workspace.schema_path),
            hint=TRAIN,
        )
    return schema, trained


def _load_model(workspace: Workspace, schema: ProjectSchema) -> Generator:
    from dbt_t2s.model.generate import load

    return load(workspace.model_dir, schema)


def _generate(workspace: Workspace, model: Generator) -> Generate:
    """The model's candidates; a refusal of what is no question, and of what is under the floor."""
    floor = workspace.settings.refuse_under

    def generate(questions: Sequence[str]) -> list[tuple[Candidate, ...]]:
        reasons = [_unreadable(each) for each in questions]
        asked = [each for each, why in zip(questions, reasons, strict=True) if not why]
        given = iter(model.generate(asked) if asked else ())
        return [
            (Candidate("", 1.0, why),) if why else _doubted(next(given), floor) for why in reasons
        ]

    return generate


def _unreadable(question: str) -> str:
    """Why the text is no question that the model could read; empty when it may be one."""
    if is_statement(question):
        return "this is a SQL statement and not a question"
    language = foreign_language(question)
    return f"questions are read in English; this one is in {language}" if language else ""


def _doubted(candidates: tuple[Candidate, ...], floor: float | None) -> tuple[Candidate, ...]:
    if floor is None or not candidates or candidates[0].confidence >= floor:
        return candidates
    confidence = candidates[0].confidence
    reason = f"not sure enough: confidence {confidence:.2f} is under refuse_under {floor:.2f}"
    return (Candidate("", confidence, reason),)


def _instances(workspace: Workspace) -> Instances:
    instances = store.read_json(workspace.instances_path, Instances, hint=TRAIN)
    path = workspace.warehouse_dir / instances.files[0]
    if not path.exists():
        raise WarehouseError("the copy of the warehouse is gone", where=str(path), hint=TRAIN)
    return instances


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
    generate = _generate(workspace, _load_model(workspace, schema))
    reports = []
    golds = [gold for _, items in suites for item in items for gold in item.golds]
    relations = dict.fromkeys((*readable(schema, instances), *_read_by(golds, schema.dialect)))
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


def _fingerprint(path: Path) -> str:
    header = store.read_header(path)
    return header.fingerprint if header is not None else ""


def _model_stamp(workspace: Workspace) -> tuple[tuple[str, int, int], ...]:
    """Which files the model is, so that another one under the same settings is seen."""
    files = sorted(path for path in workspace.model_dir.rglob("*") if path.is_file())
    return tuple(
        (str(path.relative_to(workspace.model_dir)), path.stat().st_size, path.stat().st_mtime_ns)
        for path in files
    )
