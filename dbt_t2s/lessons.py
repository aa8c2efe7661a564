"""What is learned beside the examples: a teacher's wordings, wrong SQL to mend, SQL to read.

Each kind has a file of its own in the dataset; ``train``, ``dev`` and ``test`` stay as they are.
Mending and reading are for hub models alone, and made only where one is to be trained.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from datetime import date
from pathlib import Path

from dbt_t2s import __version__, store
from dbt_t2s.corpus import teacher as teaching
from dbt_t2s.corpus.examples import Corpus, Example
from dbt_t2s.corpus.lessons import Recovery, Variation
from dbt_t2s.corpus.recovery import recoveries
from dbt_t2s.corpus.teacher_client import KEY, Endpoint, Teacher
from dbt_t2s.corpus.variations import variations
from dbt_t2s.duck import Execute, Rows
from dbt_t2s.freshness import content_of, is_fresh
from dbt_t2s.instances import instances_of, readable
from dbt_t2s.judge import mutants
from dbt_t2s.judge.compare import compare
from dbt_t2s.judge.gold_order import is_ordered, sort_keys
from dbt_t2s.judge.sandbox import Limits, Sandbox
from dbt_t2s.model import remembered
from dbt_t2s.project.schema import Issue, Level, ProjectSchema
from dbt_t2s.serve.log import FOLDER
from dbt_t2s.workspace import EMBEDDED, Workspace

TAUGHT, RECOVERY, VARIATIONS = FILES = ("taught", "recovery", "variations")
# What people said of answers, which ``improve`` writes.
LEARNED = "learned"
# More rows say nothing about two queries that fewer do not.
_COMPARED_ROWS = 1_000
# Of a budget, the part that goes into new questions: they are of use to hub models alone.
_PROPOSED = 0.2


def write(workspace: Workspace, schema: ProjectSchema, corpus: Corpus) -> None:
    """taught.parquet, recovery.parquet and variations.parquet, as the settings want them."""
    _bring(workspace)
    made_from = {
        "train": content_of(workspace.dataset_dir / "train.parquet"),
        "seed": str(workspace.settings.seed),
        "version": __version__,
    }
    _teach(workspace, schema, corpus, made_from)
    _for_hub_models(workspace, schema, corpus, made_from)


def keep(
    workspace: Workspace, examples: Sequence[Example], entries: Sequence[remembered.Entry]
) -> None:
    """What people said of answers, beside the log of them: ``dbt clean`` empties the target."""
    folder = _kept(workspace)
    folder.mkdir(parents=True, exist_ok=True)
    store.write_rows(folder / f"{LEARNED}.parquet", examples, Example)
    remembered.write(folder, entries)
    _bring(workspace)


def _kept(workspace: Workspace) -> Path:
    return workspace.project.root / FOLDER / "lessons"


def _bring(workspace: Workspace) -> None:
    """Lays what was kept beside the examples, for a training to learn from."""
    for name in (f"{LEARNED}.parquet", remembered.FILE):
        kept = _kept(workspace) / name
        if kept.is_file():
            shutil.copyfile(kept, workspace.dataset_dir / name)


def _path(workspace: Workspace, name: str) -> Path:
    return workspace.dataset_dir / f"{name}.parquet"


def _teach(
    workspace: Workspace, schema: ProjectSchema, corpus: Corpus, made_from: Mapping[str, str]
) -> None:
    settings, console, path = workspace.settings, workspace.console, _path(workspace, TAUGHT)
    if not settings.teacher:
        header = store.read_header(path)
        if header is None or not made_from.items() <= dict(header.inputs).items():
            path.unlink(missing_ok=True)  # it reworded an earlier corpus
        return
    endpoint = Endpoint(settings.teacher, settings.teacher_model, os.environ.get(KEY, ""))
    proposing = settings.base != EMBEDDED
    asked = store.fingerprint(
        [endpoint.address, endpoint.model, settings.teacher_budget, proposing]
    )
    inputs = {**made_from, "teacher": asked}
    if is_fresh(path, Example, inputs):
        console.info("what the teacher said: up to date")
        return
    console.info(f"asking {endpoint.model} at {endpoint.address}")
    teacher = Teacher(endpoint, workspace.folder / "teacher", settings.teacher_budget)
    today = date.fromisoformat(settings.as_of or schema.as_of or date.today().isoformat())
    found, issues = _taught(workspace, schema, corpus.examples, teacher, today)
    why = [
        Issue(Level.WARNING, endpoint.address, f"the teacher: {what} ({count:,})", "run it again")
        for what, count in teacher.problems.items()
    ]
    console.issues(why)
    for issue in issues:  # no file holds them, and they say why so little came of the answers
        console.info(f"the teacher: {issue.message}")
    console.info(
        f"the teacher added {len(found):,} examples; {teacher.asked:,} requests,"
        f" {teacher.remembered:,} answers of earlier runs"
    )
    if teacher.problems:
        inputs["teacher"] = "not all was answered"  # so that the next run asks again
    store.write_rows(path, found, Example, inputs)


def _taught(
    workspace: Workspace,
    schema: ProjectSchema,
    examples: Sequence[Example],
    teacher: Teacher,
    today: date,
) -> tuple[tuple[Example, ...], tuple[Issue, ...]]:
    seed = workspace.settings.seed
    budget = teacher.left
    found: tuple[Example, ...] = ()
    issues: tuple[Issue, ...] = ()

    def ask(system: str, question: str, number: int) -> str | None:
        return teacher.ask(system, question, seed=number)

    if workspace.settings.base != EMBEDDED:
        teacher.left = round(budget * _PROPOSED)
        with ExitStack() as stack:
            execute = executes(workspace, schema, stack)[0]
            made = teaching.proposals(examples, schema, ask, execute, today, seed=seed)
        found, issues = made.examples, made.issues
        teacher.left += budget - round(budget * _PROPOSED)
    reworded = teaching.paraphrases((*examples, *found), schema, ask, today, seed=seed)
    return (*reworded.examples, *found), (*issues, *reworded.issues)


def _for_hub_models(
    workspace: Workspace, schema: ProjectSchema, corpus: Corpus, made_from: Mapping[str, str]
) -> None:
    settings, console = workspace.settings, workspace.console
    paths = {name: _path(workspace, name) for name in (RECOVERY, VARIATIONS)}
    if settings.base == EMBEDDED:
        for path in paths.values():
            path.unlink(missing_ok=True)
        return
    shares = store.fingerprint([settings.recovery, settings.reading])
    inputs = {**made_from, "shares": shares}
    if is_fresh(paths[RECOVERY], Recovery, inputs) and is_fresh(
        paths[VARIATIONS], Variation, inputs
    ):
        console.info("mending and reading: up to date")
        return
    console.info("making wrong SQL to mend and SQL to read")
    train = sum(example.split == "train" for example in corpus.examples)

    def same(gold: Rows, got: Rows, sql: str) -> bool:
        ordered, keys = is_ordered(sql, schema.dialect), sort_keys(sql, schema.dialect)
        return compare(gold, got, ordered, keys).equal

    def near_misses(sql: str) -> list[tuple[str, str]]:
        return [(each.kind, each.sql) for each in mutants.mutants(sql, schema) if not each.law]

    with ExitStack() as stack:
        everywhere = executes(workspace, schema, stack)
        wrong = recoveries(
            corpus.examples,
            schema,
            everywhere,
            same,
            near_misses,
            seed=settings.seed,
            most=round(settings.recovery * train),
        )
        forms = variations(
            corpus.examples,
            schema,
            everywhere,
            same,
            seed=settings.seed,
            most=round(settings.reading * train),
        )
    console.info(f"{len(wrong):,} wrong queries to mend, {len(forms):,} queries to read")
    store.write_rows(paths[RECOVERY], wrong, Recovery, inputs)
    store.write_rows(paths[VARIATIONS], forms, Variation, inputs)


def executes(workspace: Workspace, schema: ProjectSchema, stack: ExitStack) -> list[Execute]:
    """One for each instance of the warehouse, open until the stack closes."""
    instances = instances_of(workspace, schema)
    relations, limits = readable(schema, instances), Limits(max_rows=_COMPARED_ROWS)
    files = [workspace.warehouse_dir / name for name in instances.files]
    opened = [Sandbox(file, relations, schema.dialect, limits) for file in files]
    return [stack.enter_context(sandbox).execute for sandbox in opened]
