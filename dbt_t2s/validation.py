"""The stage that proves a trained model: answers test sets, judges the answers, reports."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime
from functools import cache, partial
from pathlib import Path

from dbt_t2s import store
from dbt_t2s.answers import (
    candidates,
    following,
    let_agree,
    load_model,
    mending,
    open_trained,
)
from dbt_t2s.dialogue_suites import GoldHistory, History, Talks, own_history
from dbt_t2s.errors import JudgeError, StoreError, T2SError, UsageError
from dbt_t2s.freshness import content_of, usable
from dbt_t2s.instances import (
    Instances,
    instances_of,
    last_witnessed,
    readable,
    rebuilt,
    witnessed,
)
from dbt_t2s.judge import fixture_inputs, unit_suite
from dbt_t2s.judge.baseline import Baseline, baseline_of
from dbt_t2s.judge.cost import explained
from dbt_t2s.judge.html import to_html
from dbt_t2s.judge.junit import to_junit
from dbt_t2s.judge.markdown import to_markdown
from dbt_t2s.judge.outcomes import SuiteReport, shares_by_type
from dbt_t2s.judge.parsed import read_by
from dbt_t2s.judge.rebuilt import above
from dbt_t2s.judge.report import Report, Section, to_json
from dbt_t2s.judge.sandbox import Limits, Sandbox
from dbt_t2s.judge.validate import House, NothingToJudge, Predict, Stopped, validate
from dbt_t2s.judge.verdicts import Everywhere, Rebuilding
from dbt_t2s.learning import versions
from dbt_t2s.model import shipped
from dbt_t2s.model.record import files_of
from dbt_t2s.pipeline import COMPARED_ROWS, Trained
from dbt_t2s.predicting import Ahead, Predicting
from dbt_t2s.project import artifacts
from dbt_t2s.project.schema import ProjectSchema
from dbt_t2s.suites import PEOPLE, Suite, business_of, suites_of
from dbt_t2s.workspace import Workspace, check_inputs

# Their golds must show rows, or they prove nothing.
_MACHINE_MADE = ("generated", "expected_rows")


def validate_model(workspace: Workspace) -> Report:
    """validation.json and report.json: every test set answered, executed and compared.

    Where the user or the warehouse ends it midway, report.json holds what was judged so far.
    """
    check_inputs(workspace)
    schema, trained = open_trained(workspace)
    with store.lock(workspace.folder, "validate"):
        instances = instances_of(workspace, schema)
        suites = suites_of(workspace, schema)
        _check_types(workspace, suites)
        settings = workspace.settings
        inputs = {
            "model": store.fingerprint([trained, files_of(workspace.model_dir)]),
            "schema": content_of(workspace.schema_path),
            "warehouse": instances.content,
            "suites": store.fingerprint([suite.items for suite in suites]),
            "unit_tests": _unit_test_stamp(workspace, schema),
            "settings": store.fingerprint([settings.refuse_under, settings.style]),
            "weights": shipped.stamp(shipped.ASKED_WITH) if trained.base == "embedded" else "",
        }
        ready = usable(workspace.validation_path, Report, inputs)
        if ready is not None and workspace.report_path.exists():
            workspace.console.info("validation: up to date")
            _write(workspace, ready)  # a run that broke off may have left its own there
            versions.judged(workspace, ready)
            return ready
        begun = Report(
            suites=(),
            project=schema.project,
            model=trained.base,
            stamp=inputs["model"],
            schema=trained.schema,
            dialect=schema.dialect,
            created_at=datetime.now(UTC).isoformat(timespec="seconds"),
            baseline=_baseline(workspace, inputs["model"]),
        )
        with ThreadPoolExecutor(1) as beside:
            # dbt compiles what they test, which takes half a minute of another process.
            tests = beside.submit(unit_suite.run_unit_suite, workspace.project)
            report = _judged(workspace, schema, instances, suites, begun)
            report = replace(report, sections=_told(workspace, tests.result()))
        _write(workspace, report)
        store.write_json(workspace.validation_path, report, inputs)
        versions.judged(workspace, report)
    return report


def standing(workspace: Workspace) -> Report | None:
    """The last report, where it is of the model in use; None where that was not judged."""
    try:
        report = store.read_json(workspace.validation_path, Report)
        trained = store.read_json(workspace.trained_path, Trained)
    except StoreError:
        return None
    stamp = store.fingerprint([trained, files_of(workspace.model_dir)])
    return report if report.stamp == stamp else None


def judge_apart(
    workspace: Workspace, folder: Path | None, more: Sequence[Suite] = (), *, people: bool = True
) -> Report:
    """What becomes of the business test set and of ``more`` with the model in ``folder``.

    None is the one in use. Kept nowhere, on the rows that the last validation judged on; the
    report has no suites where there is no question. ``people`` leaves out the business test set.
    """
    there = replace(workspace, other=folder)
    schema, trained = open_trained(there)
    suites = [business_of(there, schema)] if people else []
    suites = [suite for suite in (*suites, *more) if suite.items]
    begun = Report(
        suites=(),
        project=schema.project,
        model=trained.base,
        schema=trained.schema,
        dialect=schema.dialect,
        created_at=datetime.now(UTC).isoformat(timespec="seconds"),
    )
    if not suites:
        return begun
    instances = last_witnessed(there, instances_of(there, schema))
    return _judged(there, schema, instances, suites, begun, kept=False)


def judge_people(workspace: Workspace) -> SuiteReport | None:
    """What becomes of the questions that people wrote, kept nowhere; None without any."""
    schema, trained = open_trained(workspace)
    with store.lock(workspace.folder, "validate"):
        suite = business_of(workspace, schema)
        if not suite.items:
            return None
        instances = instances_of(workspace, schema)
        begun = Report(suites=(), project=schema.project, model=trained.base)
        return _judged(workspace, schema, instances, (suite,), begun).suites[0]


def _unit_test_stamp(workspace: Workspace, schema: ProjectSchema) -> str:
    """The same as long as the project's unit tests would give the same verdicts."""
    return fixture_inputs.stamp(
        schema, artifacts.read(workspace.project.target_path), workspace.project.root
    )


def _told(workspace: Workspace, suite: unit_suite.UnitSuite) -> tuple[Section, ...]:
    """What became of the project's own unit tests; nothing where it has none."""
    workspace.console.issues(suite.issues)
    if not suite.verdicts:
        return ()
    content = json.dumps(unit_suite.to_json(suite))
    return (Section("unit_tests", tuple(unit_suite.lines(suite)), content),)


def write_reports(
    report: Report,
    *,
    html: Path | None = None,
    junit: Path | None = None,
    markdown: Path | None = None,
) -> None:
    """The report in the forms that were asked for."""
    for path, form in ((html, to_html), (junit, to_junit), (markdown, to_markdown)):
        if path is not None:
            store.write_text(path, form(report))


def summary(report: Report) -> dict[str, object]:
    """What report.json holds, without the single questions."""
    return to_json(report, outcomes=False)


def check_floors(workspace: Workspace, report: Report) -> None:
    """JudgeError with all that is under a floor that the settings set, and every regression."""
    settings = workspace.settings
    failed = [*_under_floor(report, settings.fail_under)]
    failed += _types_under_floor(report, settings.fail_under_type)
    if settings.fail_on_regression and report.comparison is not None:
        lost = report.comparison.regressions
        named = "; ".join(each.now.item.question for each in lost[:3])
        more = f" and {len(lost) - 3} more" if len(lost) > 3 else ""
        if lost:
            failed.append(f"the last model answered {len(lost)} more right: {named}{more}")
    if failed:
        raise JudgeError(
            "; ".join(failed),
            where=str(workspace.report_path),
            hint="look at the wrong answers there; `dbt-t2s train --minutes N` trains longer",
        )


def _under_floor(report: Report, floor: float | None) -> Iterator[str]:
    """The floor is held against the business test set, where there is one: people wrote that."""
    if floor is None:
        return
    suite = report.suites[0]
    reached = suite.ex.value
    if reached is None or reached < floor:
        shown = "no answerable question" if reached is None else f"{reached:.1%}"
        yield f"execution accuracy on the {suite.name} test set is {shown}, under {floor:.1%}"


def _types_under_floor(report: Report, floors: Sequence[tuple[str, float]]) -> Iterator[str]:
    reached = dict(shares_by_type(report.outcomes))
    for name, floor in floors:
        share = reached.get(name)
        if share is None or share.value is None:
            yield f"no question of the type {name} was judged"
        elif share.value < floor:
            yield f"accuracy on {name} questions is {share.value:.1%}, under {floor:.1%}"


def _check_types(workspace: Workspace, suites: Sequence[Suite]) -> None:
    known = sorted({item.type for suite in suites for item in suite.items})
    for name, _ in workspace.settings.fail_under_type:
        if name not in known:
            raise UsageError(
                f"no test question is of the type {name}",
                where="fail_under_type",
                hint=f"use one of: {', '.join(known)}",
            )


def _baseline(workspace: Workspace, stamp: str) -> Baseline | None:
    """What the model before this one answered, out of the report that will be replaced."""
    if not workspace.validation_path.exists():
        return None
    try:
        last = store.read_json(workspace.validation_path, Report)
    except StoreError:
        workspace.console.info("the last report is of another version: nothing to compare with")
        return None
    if last.stamp == stamp:
        return last.baseline
    return baseline_of(last.suites, last.model, last.created_at)


def _write(workspace: Workspace, report: Report) -> None:
    store.write_text(workspace.html_path, to_html(report))
    store.write_text(workspace.report_path, json.dumps(to_json(report), indent=1) + "\n")


def _judged(
    workspace: Workspace,
    schema: ProjectSchema,
    instances: Instances,
    suites: Sequence[Suite],
    begun: Report,
    *,
    kept: bool = True,
) -> Report:
    """The report of all test sets; what was judged so far is written where that breaks off.

    What is not to be ``kept`` is judged on the instances as they are.
    """
    model = load_model(workspace, schema)
    reports: list[SuiteReport] = []
    golds = [gold for suite in suites for item in suite.items for gold in item.golds]
    made_for = [g for suite in suites if not suite.file for i in suite.items for g in i.golds]
    if kept:
        instances = witnessed(workspace, schema, instances, made_for)
    relations = dict.fromkeys((*readable(schema, instances), *read_by(golds, schema.dialect)))
    with ExitStack() as opened:
        opens = partial(_opened, opened, workspace, tuple(relations), schema.dialect)
        sandbox = opens(instances.files)
        few = opens(instances.few).execute_each if instances.few else None
        rebuilding = _rebuilding(workspace, schema, instances, opens)
        answering = opens(instances.files)  # another process, so that judging waits for none of it
        let_agree(model, answering.execute)
        explain = partial(explained, sandbox)
        house = House(schema.tables, schema.rules, workspace.settings.style, explain)

        generate, follow = candidates(workspace, model, schema), following(workspace, model, schema)
        given = Predicting(generate, follow, mending(model), answering.execute)
        for suite in suites:
            if not suite.dialogues:
                given.time([item.question for item in suite.items])
        ahead = opened.enter_context(Ahead())
        history = GoldHistory(given.generate, given.follow, answering.execute_each, schema.dialect)
        # Turns take long to answer, and can be while the others are judged.
        in_turn = sorted(suites, key=lambda suite: bool(suite.dialogues))
        predicts = [_planned(ahead, suite, given, history) for suite in in_turn]
        try:
            for suite, predict in zip(in_turn, predicts, strict=True):
                ground, files = sandbox, len(instances.files)
                if suite.file:
                    ground, files = opens((suite.file,)), 1
                with workspace.console.progress(f"validating {suite.name}") as progress:
                    judge = partial(
                        validate,
                        suite.items,
                        predict,
                        ground.execute_each,
                        files,
                        schema.dialect,
                        name=suite.name,
                        house=house,
                        few=None if suite.file else few,
                        rebuilding=None if suite.file else rebuilding,
                        rows_needed=suite.name in _MACHINE_MADE,
                        progress=partial(progress, f"validating {suite.name}"),
                    )
                    reports.append(_suite_report(suite, judge, files))
        except Stopped as stopped:
            if kept:
                _keep(workspace, replace(begun, suites=(*reports, stopped.report)))
            raise stopped.reason from None
        except (KeyboardInterrupt, T2SError):
            if reports and kept:
                last = replace(reports[-1], partial="the test sets after this one were not judged")
                _keep(workspace, replace(begun, suites=(*reports[:-1], last)))
            raise
    judged = {report.name: report for report in reports}
    return replace(begun, suites=tuple(judged[suite.name] for suite in suites))


def _rebuilding(
    workspace: Workspace,
    schema: ProjectSchema,
    instances: Instances,
    opens: Callable[[Sequence[str]], Sandbox],
) -> Rebuilding:
    """Rebuilt files, made when the first answer needs them."""

    @cache
    def files() -> Everywhere | None:
        found = rebuilt(workspace, schema, instances).files
        return opens(found).execute_each if found else None

    return Rebuilding(files, above(schema, artifacts.read(workspace.project.target_path)))


def _planned(ahead: Ahead, suite: Suite, given: Predicting, right: History) -> Predict:
    """Answers to a test set; to turns after the ``right`` ones, or its own (``dialogues_own``)."""
    predict: Predict = given.predict
    if suite.dialogues:
        # After right answers it is asked first; after its own, much of the same again.
        first = suite.name == "dialogues"
        history = right if first else own_history
        predict = Talks(suite.dialogues, given.ask, history, timed=first).predict
    return ahead.plan(predict, [item.question for item in suite.items])


def _suite_report(suite: Suite, judge: Callable[[], SuiteReport], instances: int) -> SuiteReport:
    """What became of a test set; JudgeError where no question of people's can be judged.

    A test set that was made from the project may have none: its issues say why.
    """
    try:
        found = judge()
    except NothingToJudge as nothing:
        if suite.name == PEOPLE:
            raise
        found = SuiteReport(suite.name, (), nothing.issues, instances)
    return replace(found, issues=(*suite.issues, *found.issues))


def _keep(workspace: Workspace, report: Report) -> None:
    """A partial report in place of the last one; the next run does not take it for done."""
    _write(workspace, report)
    judged = sum(len(suite.outcomes) for suite in report.suites)
    workspace.console.warn(
        f"not all test questions were judged; the report holds the {judged} that were",
        where=str(workspace.report_path),
        hint="dbt-t2s validate",
    )


def _opened(
    held: ExitStack,
    workspace: Workspace,
    relations: Sequence[str],
    dialect: str,
    files: Sequence[str],
) -> Sandbox:
    """All files in one process: a statement is sent and checked once for all of them."""
    first, *others = (workspace.warehouse_dir / file for file in files)
    limits = Limits(max_rows=COMPARED_ROWS)
    return held.enter_context(Sandbox(first, relations, dialect, limits, others=others))
