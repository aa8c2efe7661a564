"""The only importer of rich: everything a person sees.

Results go to standard output and everything else to standard error, so that ``--json`` can be
piped. With ``--log-format json`` each line on standard error is an object shaped like dbt's own.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from datetime import time as clock
from typing import TYPE_CHECKING, TextIO

from dbt_t2s.errors import T2SError
from dbt_t2s.project.schema import Issue, Level

if TYPE_CHECKING:
    from rich.console import Console as RichConsole
    from rich.progress import TaskID

# (label, done, total); a total of 0 is not known.
Progress = Callable[[str, int, int], None]

# Without a terminal a line of progress is worth reading this often.
EVERY_SECONDS = 15.0
CELL_WIDTH = 48


class Console:
    """Where one run's output goes; made once in the command line and passed along."""

    def __init__(
        self,
        *,
        quiet: bool = False,
        json_logs: bool = False,
        out: TextIO | None = None,
        err: TextIO | None = None,
    ) -> None:
        self.quiet = quiet
        self.json_logs = json_logs
        self.out = out or sys.stdout
        self.err = err or sys.stderr

    # -- what happens: standard error ------------------------------------------------------------

    def info(self, message: str) -> None:
        """One line on what is being done; nothing under --quiet."""
        if not self.quiet:
            self._log("info", message)

    def warn(self, message: str, where: str = "", hint: str = "") -> None:
        """Something the user should know that did not stop the run."""
        self._log("warn", message, where=where, hint=hint)

    def error(self, failure: T2SError) -> None:
        """The one message of a run that failed."""
        self._log("error", failure.what, where=failure.where, hint=failure.hint)

    def issues(
        self, issues: Sequence[Issue], limit: int = 5, file: str = "target/t2s/schema.json"
    ) -> None:
        """The first few warnings and errors among ``issues``, and in which file the others are."""
        worth = [issue for issue in issues if issue.level is not Level.INFO]
        for issue in worth[:limit]:
            self.warn(issue.message, issue.where, issue.hint)
        if len(worth) > limit:
            self.info(f"{len(worth) - limit} more of these are in {file}")

    @contextmanager
    def progress(self, title: str) -> Iterator[Progress]:
        """A bar with rate and estimate on a terminal, else a line now and then."""
        if self.quiet:
            yield _silent
        elif self._is_terminal():
            with self._bar(title) as report:
                yield report
        else:
            yield _Lines(title, self.info)

    # -- what was asked for: standard output -----------------------------------------------------

    def print(self, text: str = "") -> None:
        """Plain text, as it is."""
        self.out.write(text + "\n")
        self.out.flush()

    def json(self, value: object, *, indent: int | None = None) -> None:
        """One JSON value; on one line unless ``indent`` is given."""
        self.print(json.dumps(value, ensure_ascii=False, default=str, indent=indent))

    def sql(self, text: str) -> None:
        """SQL, coloured on a terminal."""
        if not self.out.isatty():
            self.print(text)
            return
        from rich.syntax import Syntax

        self._rich(self.out).print(
            Syntax(text, "sql", theme="ansi_dark", background_color="default", word_wrap=True)
        )

    def table(
        self, columns: Sequence[str], rows: Sequence[Sequence[object]], *, limit: int = 20
    ) -> None:
        """Rows under their column names, the first ``limit``; times all at midnight are days."""
        from rich import box
        from rich.markup import escape
        from rich.table import Table

        table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
        whole_days = set()
        for index, name in enumerate(columns):
            values = [row[index] for row in rows]
            numeric = rows and all(_is_number(value) for value in values)
            table.add_column(escape(_cell(name)), justify="right" if numeric else "left")
            if all(value is None or _is_midnight(value) for value in values):
                whole_days.add(index)
        for given in rows[:limit]:
            row = [
                value.date() if index in whole_days and isinstance(value, datetime) else value
                for index, value in enumerate(given)
            ]
            table.add_row(*(escape(_cell(value)) for value in row))
        self._rich(self.out).print(table)
        if len(rows) > limit:
            self.print(f"… {len(rows) - limit:,} more rows")

    # --------------------------------------------------------------------------------------------

    def _log(self, level: str, message: str, where: str = "", hint: str = "") -> None:
        now = datetime.now(UTC)
        if self.json_logs:
            line = {
                "info": {"level": level, "msg": message, "ts": now.isoformat()},
                "data": {"where": where, "hint": hint},
            }
            self.err.write(json.dumps(line, ensure_ascii=False) + "\n")
        else:
            self.err.write(_as_text(level, message, where, hint) + "\n")
        self.err.flush()

    def is_conversation(self) -> bool:
        """Whether a person sits at both ends."""
        return sys.stdin.isatty() and self.out.isatty()

    def _is_terminal(self) -> bool:
        return self.err.isatty() and not self.json_logs

    def _rich(self, file: TextIO) -> RichConsole:
        from rich.console import Console as RichConsole

        # Without a terminal rich would fold a wide table at 80 characters.
        width = None if file.isatty() else 200
        return RichConsole(file=file, width=width, highlight=False)

    @contextmanager
    def _bar(self, title: str) -> Iterator[Progress]:
        from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
        from rich.progress import Progress as RichProgress

        bar = RichProgress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[rate]}"),
            TimeRemainingColumn(),
            console=self._rich(self.err),
            transient=True,
        )
        tasks: dict[str, TaskID] = {}
        started: dict[str, float] = {}

        def report(label: str, done: int, total: int) -> None:
            name = _work(label)
            if name not in tasks:
                started[name] = time.monotonic()
                tasks[name] = bar.add_task(label or title, total=total or None, rate="")
            rate = done / max(time.monotonic() - started[name], 1e-3)
            bar.update(
                tasks[name],
                description=label or title,
                completed=done,
                total=total or None,
                rate=f"{rate:,.0f}/s",
            )

        with bar:
            yield report


class _Lines:
    """Progress for a log: the first step, then one line every few seconds."""

    def __init__(self, title: str, info: Callable[[str], None]) -> None:
        self._title = title
        self._info = info
        self._started: dict[str, float] = {}
        self._last = time.monotonic()

    def __call__(self, label: str, done: int, total: int) -> None:
        now = time.monotonic()
        started = self._started.setdefault(_work(label), now)
        if now - self._last < EVERY_SECONDS:
            return
        self._last = now
        rate = done / (now - started) if now > started else 0.0
        text = f"{label or self._title}: {done:,}"
        if total:
            text += f" of {total:,}"
        if rate and done:
            text += f", {rate:,.1f}/s"
        if rate and total > done:
            text += f", about {_duration((total - done) / rate)} left"
        self._info(text)


def _work(label: str) -> str:
    """What is being done; what stands in brackets after it changes from step to step."""
    return label.partition(" (")[0]


def _silent(label: str, done: int, total: int) -> None:
    """Progress nobody watches."""


def _as_text(level: str, message: str, where: str, hint: str) -> str:
    lead = {"warn": "warning: ", "error": "error: "}.get(level, "")
    stamp = f"{datetime.now():%H:%M:%S}  " if level == "info" else ""
    lines = [f"{stamp}{lead}{message}"]
    if where:
        lines.append(f"  where: {where}")
    if hint:
        lines.append(f"  next:  {hint}")
    return "\n".join(lines)


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"


def _is_number(value: object) -> bool:
    from decimal import Decimal

    return value is None or isinstance(value, int | float | Decimal)


def _is_midnight(value: object) -> bool:
    return isinstance(value, datetime) and value.time() == clock()


def _cell(value: object) -> str:
    if value is None:
        return "NULL"
    if isinstance(value, float):
        if value and not 1e-2 <= abs(value) < 1e15:
            return f"{value:.4g}"
        return f"{value:,.4f}".rstrip("0").rstrip(".")
    text = " ".join(str(value).split())
    return text if len(text) <= CELL_WIDTH else text[: CELL_WIDTH - 1] + "…"
