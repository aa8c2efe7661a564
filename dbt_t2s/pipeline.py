"""The stages in order; one whose inputs' fingerprints have not changed is skipped.

What a stage was made from is in its artefact's header. A stage depends on the content of the one
before, not on its age: a dbt run that changes nothing worth knowing costs a distillation and no
training. Public functions take the lock; those with an underscore expect it to be held.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from dbt_t2s import __version__, hub_training, lessons, store
from dbt_t2s.config import Settings, with_settings_block
from dbt_t2s.corpus.examples import Corpus, Coverage, Example
from dbt_t2s.corpus.patterns import Pattern, Statement
from dbt_t2s.corpus.readings import Reading
from dbt_t2s.corpus.splits import SPLITS
from dbt_t2s.distilling import READ_BY, distilled_schema, remembered
from dbt_t2s.duck import copy_warehouse
from dbt_t2s.errors import CorpusError, UsageError
from dbt_t2s.freshness import content_of, is_fresh
from dbt_t2s.instances import instances_of, readable
from dbt_t2s.judge.sandbox import Limits, Sandbox
from dbt_t2s.learning import versions
from dbt_t2s.model import shipped
from dbt_t2s.model.record import FILE as RECORD_FILE
from dbt_t2s.project import artifacts, dbt, secrets
from dbt_t2s.project import warehouse as dbt_warehouse
from dbt_t2s.project.schema import Issue, ProjectSchema
from dbt_t2s.project.statements import Trees
from dbt_t2s.query.bind import Binder
from dbt_t2s.query.items import schema_items
from dbt_t2s.workspace import (
    EMBEDDED,
    Workspace,
    base_of,
    check_inputs,
    file_stamp,
    query_log_stamp,
)

# Results are compared whole up to this many rows; a person is shown fewer.
COMPARED_ROWS = 10_000
T = TypeVar("T")


@dataclass(frozen=True)
class Trained:
    """What the model in ``model/`` was trained with; ``schema`` is that artefact's fingerprint.

    ``items`` are the tokens of the tables, columns, metrics and rules that it knows.
    """

    base: str
    seed: int
    minutes: float
    schema: str
    items: tuple[str, ...] = ()


def distill(workspace: Workspace) -> ProjectSchema:
    """schema.json and rules.json."""
    with store.lock(workspace.folder, "distill"):
        return distilled_schema(workspace, fresh=False)


def mine(workspace: Workspace) -> tuple[Pattern, ...]:
    """patterns.parquet, and what it needs."""
    with store.lock(workspace.folder, "mine"):
        trees = Trees()  # what distilling parses need not be parsed again
        schema = distilled_schema(workspace, fresh=False, trees=trees)
        return _mine(workspace, schema, fresh=False, trees=trees)


def generate(workspace: Workspace, review: Path | None = None, rows: int = 0) -> Corpus:
    """examples.parquet, coverage.json and dataset/, and what they need.

    ``review`` is a sheet: where there is none, ``rows`` examples are written to it; where there is
    one, what a person made of it is taken in.
    """
    from dbt_t2s import reviewing

    if review is not None:
        reviewing.check_sheet(review)
    with store.lock(workspace.folder, "generate"):
        schema = distilled_schema(workspace, fresh=False)
        corpus = _generate(workspace, schema, fresh=False)
        if review is not None and not review.exists():
            reviewing.give_out(workspace, corpus, review, rows)
        elif review is not None and reviewing.take_in(workspace, schema, corpus, review):
            header = store.read_header(workspace.examples_path)
            inputs = dict(header.inputs) if header else {}
            corpus = reviewing.write_reviewed(workspace, schema, corpus, inputs)
        lessons.write(workspace, schema, corpus)
        return corpus


def train(workspace: Workspace, *, resume: bool = True) -> ProjectSchema:
    """model/, and everything it needs; ``resume=False`` makes all of it again."""
    check_inputs(workspace)
    hub_training.check_base(workspace)
    with store.lock(workspace.folder, "train"):
        schema = distilled_schema(workspace, fresh=not resume)
        corpus = _generate(workspace, schema, fresh=not resume)
        lessons.write(workspace, schema, corpus)
        versions.keep(workspace, "train")  # one from before there were versions
        _train(workspace, schema, resume=resume)
        versions.keep(workspace, "train")
    return schema


def go_on(workspace: Workspace, renamed: Mapping[str, str], last: Path | None = None) -> bool:
    """model/ of the project as it is now, from the last model: seconds of training, not minutes.

    ``renamed`` are new names of tables and columns by their old ones. False where there is no
    model to go on from, and all of it was trained; UsageError where ``last``, a model folder,
    names one that is none.
    """
    from dbt_t2s.model.going_on import MINUTES, go_on

    check_inputs(workspace)
    settings = workspace.settings
    minutes = min(MINUTES, settings.budget)  # a smaller budget holds here, too
    with store.lock(workspace.folder, "train"):
        schema = distilled_schema(workspace, fresh=False)
        lessons.write(workspace, schema, _generate(workspace, schema, fresh=False))
        parent = versions.keep(workspace, "train")
        parent = versions.id_of(last) if last else parent
        with workspace.console.progress("training") as progress:
            record = None
            if settings.base == EMBEDDED:
                record = go_on(
                    workspace.dataset_dir,
                    schema,
                    workspace.model_dir,
                    last=last or workspace.model_dir,
                    renamed=renamed,
                    seed=settings.seed,
                    minutes=minutes,
                    progress=progress,
                )
        if record is None and last is not None:
            raise UsageError(
                "there is no embedded model of this version to go on from",
                where=str(last),
                hint="--from names the folder model/ of a run; or leave it out",
            )
        if record is None:
            _train(workspace, schema, resume=True)
            versions.keep(workspace, "train")
            return False
        made = _trained(workspace, schema, EMBEDDED, minutes)
        # Not the inputs of a training: to `train` this model is not what it would make.
        store.write_json(workspace.trained_path, made, {"gone_on": made.schema})
        versions.keep(workspace, "train --from", parent)
    return True


def _mine(
    workspace: Workspace, schema: ProjectSchema, *, fresh: bool, trees: Trees | None = None
) -> tuple[Pattern, ...]:
    from dbt_t2s.corpus.patterns import mining

    path = workspace.patterns_path
    inputs = {
        **_schema_input(workspace),
        "query_log": query_log_stamp(workspace),
        "version": __version__,
    }
    if not fresh and is_fresh(path, Pattern, inputs):
        workspace.console.info("patterns: up to date")
        return store.read_rows(path, Pattern)
    workspace.console.info("mining query patterns")
    kept = workspace.readings_dir / "queries.parquet"
    log = _query_log(workspace)
    mined = mining(schema, log, () if fresh else remembered(kept, Reading), trees)
    workspace.console.info(
        f"{mined.resolved:,} of {mined.scopes:,} queries in {mined.statements:,} statements could"
        f" be read ({mined.share_resolved:.1%})"
    )
    for reason in mined.reasons:
        workspace.console.info(f"left out for {reason.text}: {reason.queries:,}")
    store.write_rows(path, mined.patterns, Pattern, inputs)
    store.write_rows(kept, mined.readings, Reading, READ_BY)
    return mined.patterns


def _query_log(workspace: Workspace) -> tuple[Statement, ...]:
    """The statements of the query log that the settings name; none where they name none."""
    from dbt_t2s.corpus import query_log

    project, setting = workspace.project, workspace.settings.query_log
    if not setting:
        return ()
    mask = secrets.masker(artifacts.read(project.target_path))
    of_file = query_log.file_of(setting, project.root) is not None
    if not of_file and project.adapter != "duckdb":
        with dbt_warehouse.open_data(project, query_log.MAX_STATEMENTS + 1) as data:
            if isinstance(data, Issue):
                raise CorpusError(data.message, where=f"query_log {setting}", hint=data.hint)
            log = query_log.read(setting, project.root, data.execute, mask, project.dialect)
    elif of_file or project.database is None or not project.database.exists():
        log = query_log.read(setting, project.root, None, mask)
    else:
        warehouse = copy_warehouse(project.database, workspace.warehouse_dir)
        limits = Limits(timeout_s=120, max_rows=query_log.MAX_STATEMENTS + 1)
        with Sandbox(warehouse, (), limits=limits) as sandbox:
            log = query_log.read(setting, project.root, sandbox.execute_trusted, mask)
    workspace.console.info(f"{len(log.statements):,} statements of the query log {setting}")
    workspace.console.issues(log.issues)
    return log.statements


def _generate(workspace: Workspace, schema: ProjectSchema, *, fresh: bool) -> Corpus:
    from dbt_t2s.corpus.generate import collect, day_of
    from dbt_t2s.drawing import Drawing, Task, processes_for
    from dbt_t2s.reviewing import write_reviewed

    settings, console = workspace.settings, workspace.console
    instances = instances_of(workspace, schema)
    patterns = _mine(workspace, schema, fresh=fresh)
    inputs = {
        **_schema_input(workspace),
        "patterns": content_of(workspace.patterns_path),
        "warehouse": instances.content,
        "settings": store.fingerprint([settings.as_of, settings.seed, settings.max_examples]),
        "version": __version__,
    }
    reviewed = {"reviewed": file_stamp(workspace.reviewed_path)}
    if not fresh and _corpus_is_fresh(workspace, {**inputs, **reviewed}):
        console.info("examples: up to date")
        return Corpus(
            examples=store.read_rows(workspace.examples_path, Example),
            coverage=store.read_json(workspace.coverage_path, Coverage),
        )
    console.info("generating examples")
    today = day_of(schema, settings.as_of)
    task = Task(
        schema,
        patterns,
        workspace.warehouse_dir / instances.files[0],
        readable(schema, instances),
        today,
        settings.seed,
    )
    # A run that was stopped goes on, but not on another day: one corpus knows one today.
    drawn_from = {**inputs, "today": today.isoformat()}
    processes = processes_for(settings.max_examples)
    with (
        Drawing(task, workspace.chunks_dir, drawn_from, processes) as drawing,
        console.progress("generating") as progress,
    ):
        most = settings.max_examples
        corpus = collect(schema, patterns, drawing.draw, max_examples=most, progress=progress)
    corpus = write_reviewed(workspace, schema, corpus, inputs)
    drawing.forget()
    console.issues(corpus.coverage.issues, file=str(workspace.coverage_path))
    return corpus


def _corpus_is_fresh(workspace: Workspace, inputs: Mapping[str, str]) -> bool:
    rows = [workspace.examples_path]
    rows += [workspace.dataset_dir / f"{split}.parquet" for split in SPLITS]
    return all(is_fresh(path, Example, inputs) for path in rows) and is_fresh(
        workspace.coverage_path, Coverage, inputs
    )


def _train(workspace: Workspace, schema: ProjectSchema, *, resume: bool) -> None:
    from dbt_t2s.model.train import train

    settings, console = workspace.settings, workspace.console
    base = base_of(workspace)
    inputs = {
        **_schema_input(workspace),
        **{split: content_of(workspace.dataset_dir / f"{split}.parquet") for split in SPLITS[:2]},
        **{name: content_of(workspace.dataset_dir / f"{name}.parquet") for name in lessons.FILES},
        **_learned_input(workspace),
        "settings": store.fingerprint([base, settings.seed, settings.budget, *_of_hub(settings)]),
        "version": __version__,
    }
    if base == "embedded":
        inputs["weights"] = shipped.stamp(shipped.LEARNED_FROM)
    written = (workspace.model_dir / RECORD_FILE).is_file()
    if resume and written and is_fresh(workspace.trained_path, Trained, inputs):
        console.info("model: up to date")
        return
    budget = settings.budget
    unit = "minute" if budget == 1 else "minutes"
    console.info(f"training {settings.base} for up to {budget:g} {unit}")
    with hub_training.options(workspace, schema) as hub, console.progress("training") as progress:
        train(
            workspace.dataset_dir,
            schema,
            workspace.model_dir,
            base=base,
            seed=settings.seed,
            minutes=budget,
            resume=resume,
            progress=progress,
            hub=hub,
        )
    trained = _trained(workspace, schema, base, budget)
    store.write_json(workspace.trained_path, trained, inputs)


def _learned_input(workspace: Workspace) -> dict[str, str]:
    """What people said of answers; nothing where they said nothing."""
    learned = content_of(workspace.dataset_dir / f"{lessons.LEARNED}.parquet")
    return {lessons.LEARNED: learned} if learned else {}


def _of_hub(settings: Settings) -> tuple[str, ...]:
    """What beside the base makes one hub model another than the next."""
    if settings.base == EMBEDDED:
        return ()
    return (settings.method, settings.schema_context, settings.answers)


def _trained(workspace: Workspace, schema: ProjectSchema, base: str, minutes: float) -> Trained:
    content = content_of(workspace.schema_path)
    return Trained(base, workspace.settings.seed, minutes, content, items_of(schema))


def items_of(schema: ProjectSchema) -> tuple[str, ...]:
    """The tokens of all that can be asked for by name: tables, columns, metrics and rules."""
    return tuple(item.token for item in schema_items(schema, Binder(schema)))


def _schema_input(workspace: Workspace) -> dict[str, str]:
    return {"schema": content_of(workspace.schema_path)}


def init(workspace: Workspace) -> None:
    """Checks what a training will need, adds the settings block, names the next command."""
    console, project = workspace.console, workspace.project
    dbt.ensure_artifacts(project, console.info)
    if project.database is None:
        console.info(
            f"{project.name} runs on {project.adapter}: SQL will be checked on rows made up in"
            f" DuckDB, and answers come from {project.adapter} itself"
        )
    elif not project.database.exists():
        console.warn(
            "there is no DuckDB file: SQL will be checked on made-up rows, and no answer has rows",
            where=str(project.database),
            hint="dbt build",
        )
    path = project.root / "dbt_project.yml"
    added = with_settings_block(path.read_text(encoding="utf-8"))
    if added is None:
        console.print(f"{path} has its settings already")
    else:
        store.write_text(path, added)
        console.print(f"added the settings block to {path}")
    console.print("next: dbt-t2s train")
