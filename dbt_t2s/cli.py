"""The verbs: parse arguments, call the pipeline, print, exit 0, 1 or 2.

Nothing heavy is imported here: ``dbt-t2s --help`` must answer at once. Each verb imports what it
needs when it runs.
"""

from __future__ import annotations

import inspect
import os
import sys
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from dbt_t2s import __version__
from dbt_t2s.arguments import absolute, existing, words
from dbt_t2s.console import Console
from dbt_t2s.errors import T2SError, UsageError

if TYPE_CHECKING:
    from dbt_t2s.workspace import Workspace

INTERRUPTED = 130
OK, FAILED, BROKEN = 0, 1, 2
DEBUG = "DBT_T2S_DEBUG"

app = typer.Typer(
    name="dbt-t2s",
    help="Turns one dbt project into its own small text-to-SQL model. Run it inside the project.",
    no_args_is_help=True,
    add_completion=False,
    # Plain messages: they must read the same in a log as on a terminal.
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


class LogFormat(StrEnum):
    TEXT = "text"
    JSON = "json"


class ShowFormat(StrEnum):
    TEXT = "text"
    MARKDOWN = "markdown"
    JSON = "json"


@dataclass(frozen=True)
class Common:
    """The options that every verb takes, named as dbt names them."""

    project_dir: Annotated[
        Path | None, typer.Option(help="The dbt project; else the folder this is run in.")
    ] = None
    profiles_dir: Annotated[
        Path | None, typer.Option(help="Where profiles.yml lies, if not where dbt looks for it.")
    ] = None
    profile: Annotated[str | None, typer.Option(help="The profile to use.")] = None
    target: Annotated[str | None, typer.Option("--target", "-t", help="The target to use.")] = None
    target_path: Annotated[
        Path | None, typer.Option(help="dbt's artifact folder; ours is t2s/ in it.")
    ] = None
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Only results and problems.")] = False
    log_format: Annotated[LogFormat, typer.Option(help="How log lines look.")] = LogFormat.TEXT
    debug: Annotated[bool, typer.Option("--debug", help="Show the traceback of a crash.")] = False

    def console(self) -> Console:
        """Where this run's output goes."""
        return Console(quiet=self.quiet, json_logs=self.log_format is LogFormat.JSON)


@dataclass(frozen=True)
class Run:
    """One run of a verb: its common options and its console."""

    common: Common
    console: Console

    def workspace(self, **flags: object) -> Workspace:
        """The project and its settings, with this run's flags on top."""
        from dbt_t2s.workspace import open_workspace

        return open_workspace(
            self.console,
            project_dir=self.common.project_dir,
            profiles_dir=self.common.profiles_dir,
            profile=self.common.profile,
            target=self.common.target,
            target_path=self.common.target_path,
            flags=flags,
        )


def verb(function: Callable[..., None]) -> Callable[..., None]:
    """Registers a verb with the common options, and turns what it raises into an exit code."""
    shared = list(inspect.signature(Common, eval_str=True).parameters.values())
    own = list(inspect.signature(function, eval_str=True).parameters.values())[1:]

    def wrapper(**values: Any) -> None:
        common = Common(**{each.name: values.pop(each.name) for each in shared})
        run = Run(common, common.console())
        code = _guarded(run, lambda: function(run, **values))
        if code:
            raise typer.Exit(code)

    parameters = [each.replace(kind=inspect.Parameter.KEYWORD_ONLY) for each in own + shared]
    wrapper.__name__ = function.__name__
    wrapper.__doc__ = function.__doc__
    wrapper.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    wrapper.__annotations__ = {each.name: each.annotation for each in parameters}
    app.command(name=function.__name__)(wrapper)
    return function


def _guarded(run: Run, action: Callable[[], None]) -> int:
    """The last barrier: whatever happens, one message and the right exit code."""
    try:
        action()
    except T2SError as failure:
        run.console.error(_complete(failure, run))
        return failure.exit_code
    except KeyboardInterrupt:
        run.console.error(
            T2SError(
                "stopped by the user; what was finished before is kept",
                hint="run the same command again to go on",
            )
        )
        return INTERRUPTED
    except BrokenPipeError:
        # The reader of our output went away (`| head`); nothing is wrong and nobody listens.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return OK
    except typer.Exit as done:
        return done.exit_code
    except Exception as crash:  # noqa: BLE001 - shown, and the traceback is a flag away
        _report_crash(run, crash)
        return BROKEN
    return OK


def _complete(failure: T2SError, run: Run) -> T2SError:
    """A failure always names a place and a next step, the nearest there are."""
    failure.where = failure.where or str((run.common.project_dir or Path.cwd()).absolute())
    usual = "correct it (`dbt debug` and `dbt parse` may say more), then try again"
    failure.hint = failure.hint or usual
    return failure


def _report_crash(run: Run, crash: Exception) -> None:
    if run.common.debug or os.environ.get(DEBUG, "0") not in ("", "0"):
        traceback.print_exception(crash, file=run.console.err)
    frames = traceback.extract_tb(crash.__traceback__)
    where = f"{Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else ""
    reason = " ".join(str(crash).split())[:300]
    run.console.error(
        T2SError(
            f"dbt-t2s crashed: {type(crash).__name__}: {reason}",
            where=where,
            hint="run the same command with --debug and report what it shows",
        )
    )


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
        typer.Option(help="`embedded`, or the directory of a causal transformers model."),
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
    from dbt_t2s import pipeline, show, validation

    workspace = run.workspace(
        base=existing(base),
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
    checking.write(
        found,
        fails,
        junit=junit,
        sarif_file=sarif,
        comment=comment_file,
        baseline=write_baseline,
        place=place,
    )
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
) -> None:
    """Answer a question with SQL and rows."""
    from dbt_t2s import answers, show

    if (question is None) == (file is None):
        raise UsageError(
            "give one question, or --file questions.jsonl",
            where="dbt-t2s ask",
            hint='dbt-t2s ask "how many orders were there last month?"',
        )
    workspace = run.workspace()
    if file is not None:
        for answer in answers.ask(workspace, answers.read_questions(file)):
            run.console.json(answer.as_dict())
        return
    answer = next(answers.ask(workspace, [question or ""]))
    if json:
        run.console.json(answer.as_dict())
    else:
        show.one_answer(run.console, answer, workspace.project.dialect)
    raise typer.Exit(OK if answer.status == "ok" else FAILED)


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
