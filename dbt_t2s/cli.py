"""The verbs: parse arguments, call the pipeline, print, exit 0, 1 or 2.

Nothing heavy is imported here: ``dbt-t2s --help`` must answer at once. Each verb imports what it
needs when it runs.
"""

from __future__ import annotations

import os
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from dbt_t2s import __version__
from dbt_t2s.arguments import absolute, existing, words
from dbt_t2s.console import Console
from dbt_t2s.errors import UsageError
from dbt_t2s.verbs import FAILED, OK, Run, app, verb

__all__ = ["app", "main"]


class ShowFormat(StrEnum):
    TEXT = "text"
    MARKDOWN = "markdown"
    JSON = "json"


Select = Annotated[
    list[str] | None,
    typer.Option("--select", "-s", help="Which models to teach, in dbt's selection syntax."),
]
Exclude = Annotated[
    list[str] | None, typer.Option("--exclude", help="Which models to leave out, likewise.")
]
Seed = Annotated[int | None, typer.Option(help="The same seed gives the same corpus and model.")]
AsOf = Annotated[str | None, typer.Option(help="The day that “today” means, e.g. 2025-06-30.")]

Teacher = Annotated[
    str | None,
    typer.Option(
        help="Ask a model for more wordings and questions: an OpenAI-compatible address, e.g. "
        "http://localhost:8000/v1. A key comes from DBT_T2S_TEACHER_KEY."
    ),
]
TeacherModel = Annotated[str | None, typer.Option(help="The teacher's name there.")]
TeacherBudget = Annotated[int | None, typer.Option(help="The most requests to the teacher.")]


@verb
def init(run: Run) -> None:
    """Check the project and write its settings."""
    from dbt_t2s import pipeline

    pipeline.init(run.workspace())


@verb
def distill(
    run: Run,
    tables: Annotated[
        list[str] | None, typer.Argument(help="Show these tables alone (as text by default).")
    ] = None,
    select: Select = None,
    exclude: Exclude = None,
    as_of: AsOf = None,
    format: Annotated[
        ShowFormat | None, typer.Option(help="Show the data catalogue: for a person, or as JSON.")
    ] = None,
) -> None:
    """Read the project into schema and rules."""
    from dbt_t2s import pipeline, show

    workspace = run.workspace(select=words(select), exclude=words(exclude), as_of=as_of)
    schema = pipeline.distill(workspace)
    if format is None and not tables:
        show.schema_line(run.console, schema)
    else:
        shown = show.catalogue(schema, tables or (), format.value if format else "text")
        run.console.print(shown.rstrip())


@verb
def mine(run: Run, select: Select = None, exclude: Exclude = None) -> None:
    """Find query patterns in the compiled SQL."""
    from dbt_t2s import pipeline, show

    workspace = run.workspace(select=words(select), exclude=words(exclude))
    show.patterns(run.console, pipeline.mine(workspace))


@verb
def generate(
    run: Run,
    select: Select = None,
    exclude: Exclude = None,
    as_of: AsOf = None,
    seed: Seed = None,
    max_examples: Annotated[int | None, typer.Option(help="The most examples to keep.")] = None,
    show: Annotated[int, typer.Option(min=0, help="Print this many examples.")] = 0,
    review: Annotated[
        Path | None,
        typer.Option(help="Write examples to this CSV or JSONL file; take it in when it exists."),
    ] = None,
    teacher: Teacher = None,
    teacher_model: TeacherModel = None,
    teacher_budget: TeacherBudget = None,
) -> None:
    """Make the training examples."""
    from dbt_t2s import pipeline
    from dbt_t2s import show as shown

    workspace = run.workspace(
        select=words(select),
        exclude=words(exclude),
        as_of=as_of,
        seed=seed,
        max_examples=max_examples,
        teacher=teacher,
        teacher_model=teacher_model,
        teacher_budget=teacher_budget,
    )
    corpus = pipeline.generate(workspace, review, show)
    shown.corpus(run.console, corpus, 0 if review else show)


@verb
def train(
    run: Run,
    base: Annotated[
        str | None,
        typer.Option(help="`embedded`, or a transformers model: a folder, org/name, an adapter."),
    ] = None,
    method: Annotated[
        str | None, typer.Option(help="Of such a model: lora (the default), qlora or full.")
    ] = None,
    schema_context: Annotated[
        str | None, typer.Option(help="What its prompts tell: none, retrieved (default) or full.")
    ] = None,
    answers: Annotated[
        str | None, typer.Option(help="What it writes: sql (default), or plan as embedded does.")
    ] = None,
    last: Annotated[
        Path | None,
        typer.Option("--from", help="A model/ to go on from: only what is new is learned."),
    ] = None,
    minutes: Annotated[float | None, typer.Option(help="The time budget for training.")] = None,
    seed: Seed = None,
    select: Select = None,
    exclude: Exclude = None,
    as_of: AsOf = None,
    max_examples: Annotated[int | None, typer.Option(help="The most examples to keep.")] = None,
    resume: Annotated[
        bool,
        typer.Option(
            "--resume/--fresh", help="Go on from a checkpoint and keep what is fresh; or not."
        ),
    ] = True,
    questions: Annotated[
        Path | None, typer.Option(help="A business test set: {question, sql} rows as JSONL.")
    ] = None,
    fail_under: Annotated[
        float | None, typer.Option(help="Exit 1 if execution accuracy is lower, e.g. 0.85.")
    ] = None,
    teacher: Teacher = None,
    teacher_model: TeacherModel = None,
    teacher_budget: TeacherBudget = None,
) -> None:
    """Do all that is stale, train, validate."""
    from dbt_t2s import hub_training, pipeline, show, validation

    if hub_training.is_helper():
        return hub_training.help_train(run.console)
    workspace = run.workspace(
        base=existing(base),
        method=method,
        schema_context=schema_context,
        answers=answers,
        minutes=minutes,
        seed=seed,
        select=words(select),
        exclude=words(exclude),
        as_of=as_of,
        max_examples=max_examples,
        teacher=teacher,
        teacher_model=teacher_model,
        teacher_budget=teacher_budget,
        questions=absolute(questions),
        fail_under=fail_under,
    )
    with hub_training.leading():
        if last is None:
            pipeline.train(workspace, resume=resume)
        else:
            pipeline.go_on(workspace, {}, last.expanduser().absolute())
    report = validation.validate_model(workspace)
    show.report(run.console, report)
    validation.check_floors(workspace, report)


@verb
def validate(
    run: Run,
    questions: Annotated[
        Path | None, typer.Option(help="A business test set: {question, sql} rows as JSONL.")
    ] = None,
    suite: Annotated[
        list[str] | None,
        typer.Option(help="Run only this: business, saved_queries, metrics, generated …"),
    ] = None,
    fail_under: Annotated[
        float | None, typer.Option(help="Exit 1 if execution accuracy is lower, e.g. 0.85.")
    ] = None,
    fail_under_type: Annotated[
        list[str] | None,
        typer.Option(help="Exit 1 if it is lower for a type of questions, e.g. metric=0.9."),
    ] = None,
    fail_on_regression: Annotated[
        bool | None,
        typer.Option("--fail-on-regression", help="Exit 1 if the last model knew better."),
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print the report's summary.")] = False,
    html: Annotated[Path | None, typer.Option(help="Also write the HTML report here.")] = None,
    junit: Annotated[Path | None, typer.Option(help="Also write a JUnit report here.")] = None,
    markdown: Annotated[
        Path | None, typer.Option(help="Also write Markdown for a pull request here.")
    ] = None,
) -> None:
    """Run the test sets, report the accuracy."""
    from dbt_t2s import show, validation

    workspace = run.workspace(
        questions=absolute(questions),
        suites=suite or None,
        fail_under=fail_under,
        fail_under_type=fail_under_type or None,
        fail_on_regression=fail_on_regression,
    )
    report = validation.validate_model(workspace)
    validation.write_reports(report, html=html, junit=junit, markdown=markdown)
    if json:
        run.console.json(validation.summary(report), indent=1)
    else:
        show.report(run.console, report)
    validation.check_floors(workspace, report)


@verb
def check(
    run: Run,
    state: Annotated[
        Path, typer.Option(help="The artifacts of the last run in production (its target folder).")
    ],
    select: Annotated[
        list[str] | None,
        typer.Option("--select", "-s", help="Only changes of these, e.g. state:modified+."),
    ] = None,
    exclude: Annotated[list[str] | None, typer.Option("--exclude", help="But not these.")] = None,
    fail_on: Annotated[
        list[str] | None,
        typer.Option(help="What exits 1: breaking (the default), degrading, stale."),
    ] = None,
    baseline: Annotated[
        Path | None, typer.Option(help="Findings that were accepted, one a line.")
    ] = None,
    write_baseline: Annotated[
        Path | None, typer.Option(help="Write all findings of this run there as accepted.")
    ] = None,
    fix: Annotated[
        bool, typer.Option("--fix", help="Train again where the model is stale; show both EX.")
    ] = False,
    json: Annotated[bool, typer.Option("--json", help="Print the findings as JSON.")] = False,
    github: Annotated[
        bool, typer.Option("--github", help="Print annotations for GitHub Actions.")
    ] = False,
    junit: Annotated[Path | None, typer.Option(help="Also write JUnit XML here.")] = None,
    sarif: Annotated[Path | None, typer.Option(help="Also write SARIF here.")] = None,
    comment_file: Annotated[
        Path | None, typer.Option(help="Also write Markdown for a pull request here.")
    ] = None,
) -> None:
    """Say what a change of the project does to its questions."""
    from dbt_t2s import show
    from dbt_t2s.check import checking
    from dbt_t2s.check.findings import accepted
    from dbt_t2s.check.fix import fix as mend

    workspace = run.workspace(fail_on=words(fail_on))
    folder, fails = state.expanduser().absolute(), workspace.settings.fail_on
    found = checking.check(
        workspace,
        folder,
        select=words(select) or (),
        exclude=words(exclude) or (),
        baseline=accepted(workspace.settings.accept, baseline),
    )
    place = workspace.place
    sheets = {"junit": junit, "sarif_file": sarif, "comment": comment_file}
    checking.write(found, fails, **sheets, baseline=write_baseline, place=place)
    show.findings(run.console, found, json=json, github=github, place=place)
    if fix:
        found, told = mend(workspace, found)
        (run.console.info if json else run.console.print)(told)
    checking.fail(found, fails, folder)


@verb
def ask(
    run: Run,
    question: Annotated[str | None, typer.Argument(help="The question, in plain words.")] = None,
    json: Annotated[bool, typer.Option("--json", help="Answer with one JSON line.")] = False,
    file: Annotated[
        Path | None, typer.Option(help="Answer every question of a JSONL file, a JSON line each.")
    ] = None,
    log: Annotated[
        bool | None, typer.Option("--log/--no-log", help="Keep the questions in .t2s/log.duckdb.")
    ] = None,
) -> None:
    """Answer a question with SQL and rows; without one, on a terminal, hold a conversation."""
    from dbt_t2s import answers, show
    from dbt_t2s.serve.questions import Question, read_questions

    if question is None and file is None and not json and run.console.is_conversation():
        from dbt_t2s import prompting

        prompting.converse(run.workspace(log=log))
        return
    if (question is None) == (file is None):
        raise UsageError(
            "give one question, or --file questions.jsonl",
            where="dbt-t2s ask",
            hint='dbt-t2s ask "how many orders were there last month?"',
        )
    workspace = run.workspace(log=log)
    if file is not None:
        for answer in answers.ask(workspace, read_questions(file)):
            run.console.json(answer.as_dict())
        return
    for answer in answers.ask(workspace, [Question(question or "")]):
        if json:
            run.console.json(answer.as_dict())
        else:
            show.one_answer(run.console, answer, workspace.project.dialect)
    raise typer.Exit(OK if answer.status == "ok" else FAILED)


@verb
def mcp(
    run: Run,
    log: Annotated[
        bool | None, typer.Option("--log/--no-log", help="Keep the questions in .t2s/log.duckdb.")
    ] = None,
) -> None:
    """Serve agents and editors: Model Context Protocol on standard input and output."""
    from dbt_t2s import agents

    agents.serve(run.workspace(log=log))


@verb
def feedback(
    run: Run,
    verdict: Annotated[
        str | None, typer.Argument(help="right, wrong or should_refuse: of the last answer.")
    ] = None,
    sql: Annotated[str | None, typer.Option(help="The SQL that would be right.")] = None,
    id: Annotated[str | None, typer.Option(help="Of this question, not of the last one.")] = None,
    question: Annotated[str | None, typer.Option(help="Of this question, by its words.")] = None,
    note: Annotated[str | None, typer.Option(help="Why.")] = None,
    person: Annotated[str | None, typer.Option(help="Who says it; else who runs this.")] = None,
    replace: Annotated[
        bool, typer.Option("--replace", help="In the place of what was said before.")
    ] = False,
    file: Annotated[
        Path | None, typer.Option(help="A JSONL file: {id or question, verdict, sql, note} each.")
    ] = None,
    skip_refused: Annotated[
        bool,
        typer.Option("--skip-refused", help="Keep what can be kept of the file, not all or none."),
    ] = False,
    list: Annotated[int, typer.Option(min=0, help="Show so many of the last questions.")] = 0,
    json: Annotated[bool, typer.Option("--json", help="Show it as JSON lines.")] = False,
) -> None:
    """Say whether an answer was right, or what would be."""
    from dbt_t2s import hearing

    if list:
        hearing.show_last(run.workspace(), list, json=json)
        return
    said = hearing.given(
        verdict, sql=sql, log_id=id, question=question, note=note, file=file, skip=skip_refused
    )
    if file is None:
        kept = hearing.hear(run.workspace(), said, person=person, instead=replace)
        hearing.tell(run.console, kept, json=json)
        return
    lines = hearing.hear_lines(
        run.workspace(), said, person=person, instead=replace, skip=skip_refused
    )
    hearing.tell_lines(run.console, lines, json=json)


@verb
def report(
    run: Run,
    since: Annotated[
        str | None, typer.Option(help="Only questions asked on or after this day (UTC).")
    ] = None,
    until: Annotated[
        str | None, typer.Option(help="Only questions asked on or before this day (UTC).")
    ] = None,
    model: Annotated[
        str | None, typer.Option(help="Only of this version of the model, by how it begins.")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print it as JSON.")] = False,
    html: Annotated[
        Path | None, typer.Option(help="Also write it here: one page with plots.")
    ] = None,
) -> None:
    """Say how the model does in use: accuracy, time, what is missing, drift."""
    from dbt_t2s import reporting

    window = reporting.window_of(since, until, model)
    found = reporting.report(run.workspace(), window)
    reporting.tell(run.console, found, json=json, html=html)


@verb
def serve(
    run: Run,
    host: Annotated[
        str, typer.Option(help="Where to listen; others than this machine need DBT_T2S_TOKEN.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535, help="On which port.")] = 8017,
    rate: Annotated[
        float, typer.Option(min=0.1, help="Requests that one client may send in a second.")
    ] = 20.0,
    log: Annotated[
        bool | None, typer.Option("--log/--no-log", help="Keep the questions in .t2s/log.duckdb.")
    ] = None,
) -> None:
    """Answer over HTTP: a page for people, an API for programs."""
    try:
        from dbt_t2s.web import server
    except ModuleNotFoundError as error:
        raise UsageError(
            f"serving needs {error.name}", where="serve", hint='pip install "dbt-t2s[serve]"'
        ) from error
    server.serve(run.workspace(log=log), host, port, rate)


@verb
def export(
    run: Run,
    format: Annotated[str, typer.Option(help="adapter, merged, gguf or ollama.")] = "merged",
    to: Annotated[Path | None, typer.Option(help="The folder to write.")] = None,
) -> None:
    """Take a hub model to another server."""
    from dbt_t2s import exporting

    run.console.print(f"written to {exporting.export(run.workspace(), format, to)}")


# These register themselves, after those above: help lists verbs in the order of their use.
from dbt_t2s.learning import verbs as learning_verbs  # noqa: E402, F401


@app.callback(invoke_without_command=True)
def version(
    show: Annotated[
        bool, typer.Option("--version", help="Print the version and exit.", is_eager=True)
    ] = False,
) -> None:
    if show:
        Console().print(f"dbt-t2s {__version__}")
        raise typer.Exit


def main() -> None:
    """The entry point."""
    # Libraries draw bars of their own into the log; ours says the same.
    os.environ.setdefault("TQDM_DISABLE", "1")
    # Threads that spin for long while they wait slow a training tenfold as soon as another program
    # wants a core; that never spin, to half its speed when none does.
    os.environ.setdefault("GOMP_SPINCOUNT", "20000")
    app(prog_name="dbt-t2s")
