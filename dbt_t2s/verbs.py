"""What every verb shares: dbt's own options, one console, and the exit code of a failure."""

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

from dbt_t2s.console import Console
from dbt_t2s.errors import T2SError

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
