"""The verb ``improve``: from what people said of answers to a model that is better, or to none.

The new model is made and judged beside the one in use, and takes its place only where it holds
what that one knew. Killed midway, nothing has changed but for a folder that the next run clears.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from dbt_t2s import store, validation
from dbt_t2s.answers import TRAIN, open_trained, read_instances
from dbt_t2s.corpus.examples import Example
from dbt_t2s.corpus.generate import day_of
from dbt_t2s.duck import QueryError, first_line
from dbt_t2s.errors import LearnError
from dbt_t2s.hearing import all_instances
from dbt_t2s.instances import last_witnessed
from dbt_t2s.judge.report import Report
from dbt_t2s.judge.sandbox import Sandbox
from dbt_t2s.learning import trial as trials
from dbt_t2s.learning import versions
from dbt_t2s.learning.heard import CORRECTION, KEPT, Left, Lesson, lessons_of
from dbt_t2s.learning.plans import Planner
from dbt_t2s.learning.trial import Trial
from dbt_t2s.learning.wordings import Wordings, example
from dbt_t2s.lessons import keep
from dbt_t2s.model import remembered
from dbt_t2s.model.remembered import Entry
from dbt_t2s.pipeline import Trained
from dbt_t2s.project.schema import ProjectSchema
from dbt_t2s.query.linear import REFUSAL
from dbt_t2s.query.sql_source import NotConvertedError
from dbt_t2s.serve.log import QuestionLog
from dbt_t2s.suites import PEOPLE
from dbt_t2s.workspace import Workspace

if TYPE_CHECKING:
    from dbt_t2s.model.learner import Learner

MINUTES = 1.0
TRIAL = ".trial"
_WORDED = "reading what people said"
Tokens = tuple[str, ...]
# The plan that a model would sooner write for a question; None where it can write none.
Choose = Callable[[str, Sequence[Tokens]], Tokens | None]


@dataclass(frozen=True)
class Lessons:
    """What there is to learn: the plans of lessons, and what nothing can be learned from.

    ``judged`` are all lessons whose SQL runs; of those that have no plan, ``sql_only``, hub models
    may learn.
    """

    judged: tuple[Lesson, ...]
    plans: tuple[tuple[Lesson, Tokens], ...]
    left: tuple[Left, ...]
    sql_only: tuple[Lesson, ...] = ()


@dataclass(frozen=True)
class Improvement:
    """What came of it. ``version`` is the new model's where it was promoted, else empty."""

    lessons: Lessons
    examples: int = 0
    trial: Trial | None = None
    version: str = ""

    @property
    def why_not(self) -> tuple[str, ...]:
        """Why there is no new model; empty where there is one."""
        if self.trial is None:
            return ("there is nothing to learn",)
        return self.trial.against


def improve(workspace: Workspace, minutes: float, *, dry_run: bool = False) -> Improvement:
    """Teaches the model in use what people said; it stays where the new one loses anything.

    With ``dry_run`` nothing is trained, and it is told what would be learned. LearnError where
    another process improves it already.
    """
    from dbt_t2s.model.learner import Learner

    schema, _ = open_trained(workspace)
    with store.lock(workspace.folder, "improve"):
        parent = versions.keep_current(workspace)
        said = QuestionLog(workspace.project.root).said()
        heard, left = lessons_of(said)
        if not heard:
            return Improvement(Lessons((), (), left))
        learner = Learner(workspace.model_dir, schema)
        # Rows that tell test queries from their near misses tell a plan from its SQL, too.
        instances = last_witnessed(workspace, read_instances(workspace))
        with all_instances(workspace, schema, instances) as sandbox:
            lessons = _planned(workspace, schema, sandbox, heard, left, learner.likeliest)
        examples = _examples(workspace, schema, lessons.plans)
        if dry_run or not _teaches(lessons):
            return Improvement(lessons, len(examples))
        entries = _entries(lessons)
        more = [example(each.question, (), each.kind, each.sql) for each in lessons.sql_only]
        keep(workspace, (*examples, *more), entries)
        folder = workspace.versions_dir / TRIAL
        shutil.rmtree(folder, ignore_errors=True)
        try:
            _train(workspace, learner, examples, folder, minutes)
            remembered.write(folder / "model", entries)
            trial, report = _tried(workspace, folder, lessons.judged)
            if trial.against:
                return Improvement(lessons, len(examples), trial)
            version = _promoted(workspace, folder, parent, report)
        finally:
            shutil.rmtree(folder, ignore_errors=True)
    return Improvement(lessons, len(examples), trial, version)


def fail(found: Improvement) -> None:
    """LearnError where a new model was made and may not take the place of the one in use."""
    if found.trial is not None and not found.version:
        lost = [
            change.now.item.question
            for held in found.trial.held
            if not held.holds
            for change in held.found.regressions
        ]
        named = f"; lost: {'; '.join(lost)}" if lost else ""
        raise LearnError(
            f"the model in use stays: {'; '.join(found.why_not)}{named}",
            where="dbt-t2s improve",
            hint="look at the corrections; `dbt-t2s improve --minutes N` trains longer",
        )


def _teaches(lessons: Lessons) -> bool:
    """Whether there is more to learn than that right answers are right."""
    return any(lesson.kind != KEPT for lesson, _ in lessons.plans)


def _planned(
    workspace: Workspace,
    schema: ProjectSchema,
    sandbox: Sandbox,
    heard: Sequence[Lesson],
    left: Sequence[Left],
    choose: Choose,
) -> Lessons:
    """The lessons with their plans; those that have none, and why."""
    planner = Planner(schema, sandbox.execute_each, day_of(schema, workspace.settings.as_of))
    judged: list[Lesson] = []
    plans: list[tuple[Lesson, Tokens]] = []
    sql_only: list[Lesson] = []
    unusable = list(left)
    with workspace.console.progress(_WORDED) as progress:
        for number, lesson in enumerate(heard, 1):
            progress(_WORDED, number, len(heard))
            if not lesson.sql:
                judged.append(lesson)
                plans.append((lesson, REFUSAL))
                continue
            failed = [r for r in sandbox.execute_each(lesson.sql) if isinstance(r, QueryError)]
            if failed:
                why = f"its SQL does not run any more: {first_line(failed[0].message)}"
                unusable.append(Left(lesson.question, why))
                continue
            judged.append(lesson)
            try:
                plan = choose(lesson.question, planner.plans(lesson.question, lesson.sql))
            except NotConvertedError as error:
                plan, why = None, error.what
            else:
                why = "the model does not meet what it needs among the words of the question"
            if plan is None:
                sql_only.append(lesson)
                unusable.append(Left(lesson.question, f"kept for hub models: {why}"))
            else:
                plans.append((lesson, plan))
    return Lessons(tuple(judged), tuple(plans), tuple(unusable), tuple(sql_only))


def _examples(
    workspace: Workspace, schema: ProjectSchema, plans: Sequence[tuple[Lesson, Tokens]]
) -> tuple[Example, ...]:
    """Training examples of all lessons; what was right needs its own words alone."""
    settings = workspace.settings
    worded = Wordings(schema, day_of(schema, settings.as_of), settings.seed)
    found: dict[str, Example] = {}
    for lesson, plan in plans:
        made = worded.examples(lesson.question, plan, lesson.kind)
        for each in made[:1] if lesson.kind == KEPT else made:
            found.setdefault(each.question.lower(), each)
    return tuple(found.values())


def _entries(lessons: Lessons) -> tuple[Entry, ...]:
    """What the model is to know by heart: all that was said, with its plan or else its SQL."""
    planned = (Entry(lesson.question, plan) for lesson, plan in lessons.plans)
    return (*planned, *(Entry(each.question, (), each.sql) for each in lessons.sql_only))


def _train(
    workspace: Workspace,
    learner: Learner,
    examples: Sequence[Example],
    folder: Path,
    minutes: float,
) -> None:
    """The model on trial, in ``folder``."""
    corpus = store.read_rows(workspace.dataset_dir / "train.parquet", Example, hint=TRAIN)
    with workspace.console.progress("training") as progress:
        learner.learn(
            examples,
            corpus,
            folder / "model",
            seed=workspace.settings.seed,
            minutes=minutes,
            progress=progress,
        )
    trained = store.read_json(workspace.trained_path, Trained)
    made_from: Mapping[str, str] = {"improved": versions.current_id(workspace)}
    store.write_json(
        folder / workspace.trained_path.name, replace(trained, minutes=minutes), made_from
    )


def _tried(workspace: Workspace, folder: Path, lessons: Sequence[Lesson]) -> tuple[Trial, Report]:
    """The trial, and what became of the business test set with the new model."""
    suites = trials.suites_of(lessons)
    standing = validation.standing(workspace)
    known = standing and [s for s in standing.suites if s.name == PEOPLE]
    before = validation.judge_apart(workspace, None, suites, people=not known)
    if known:
        before = replace(before, suites=(*known, *before.suites))
    now = validation.judge_apart(workspace, folder, suites)
    people = tuple(s for s in now.suites if s.name == PEOPLE)
    return trials.tried(before, now), replace(now, suites=people)


def _promoted(
    workspace: Workspace,
    folder: Path,
    parent: str,
    report: Report,
) -> str:
    """Puts the model on trial in the place of the one in use; its version."""
    versions.put(workspace, folder)
    version = versions.keep(workspace, "improve", parent)
    if report.suites:
        versions.judged(workspace, report)
    return version


def kinds(lessons: Lessons) -> Mapping[str, int]:
    """How many lessons of each kind have a plan."""
    found = dict.fromkeys((CORRECTION, "refusal", KEPT), 0)
    for lesson, _ in lessons.plans:
        found[lesson.kind] += 1
    return found
