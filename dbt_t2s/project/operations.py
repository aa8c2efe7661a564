"""Operations of the project's macros, as `dbt run-operation` runs them, in one warm dbt process.

Starting dbt and reading the project takes seconds, a macro then a tenth of one.
"""

from __future__ import annotations

import json
import os
import re
import select
import subprocess
import tempfile
import time
from collections.abc import Mapping
from contextlib import ExitStack
from types import TracebackType
from typing import Any

from dbt_t2s.duck import QueryError
from dbt_t2s.errors import ProjectError
from dbt_t2s.project import dbt
from dbt_t2s.project.dbt import DbtProject

PACKAGE = "dbt_t2s"

# Reading a project that dbt has not read before: 133 s for 669 models with 3,868 tests.
START_S = 900.0
CALL_S = 150.0
_LONGEST_REPLY = 64_000_000

# YAML folds some characters and refuses others, so all are escaped but those that JSON would
# write as surrogate pairs, which YAML does not know.
_ESCAPED = re.compile(r"[^ -~\U00010000-\U0010ffff]")


class Operations:
    """A context manager around the process, which is killed with its parent; one call at a time.

    Starting it (``__enter__``) raises ProjectError where dbt is missing or cannot read the project.
    """

    def __init__(
        self, project: DbtProject, *, call_s: float = CALL_S, start_s: float = START_S
    ) -> None:
        self.project = project
        self._call_s = call_s
        self._start_s = start_s
        self._process: _Process | None = None

    def __enter__(self) -> Operations:
        self._ready()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._end()

    def call(self, macro: str, **arguments: object) -> tuple[Any, ...] | QueryError:
        """What ``macro`` of our package logged behind the marker, as plain values.

        A call that takes longer than ``call_s`` ends the process; the next one starts it again.
        """
        wanted = {"macro": f"{PACKAGE}.{macro}", "arguments": as_yaml(arguments)}
        try:
            process = self._ready()
            process.write(wanted)
            reply = process.read(self._call_s)
        except _Gone as gone:
            self._end()
            return QueryError(gone.kind, str(gone))
        except ProjectError as error:
            return QueryError("runtime", error.what)
        if not reply["success"]:
            return QueryError("runtime", _reason(reply["messages"], macro))
        return tuple(json.loads(each) for each in reply["answers"])

    def _ready(self) -> _Process:
        if self._process is not None:
            return self._process
        process = _Process(self.project)
        with ExitStack() as undo:
            undo.callback(process.kill)
            try:
                reply = process.read(self._start_s)
            except _Gone as gone:
                raise ProjectError(
                    f"dbt did not start: {gone}", where=str(self.project.root), hint="dbt debug"
                ) from gone
            if not reply["success"]:
                raise dbt.unreadable(self.project, reply["messages"])
            undo.pop_all()
        self._process = process
        return process

    def _end(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process = None


def as_yaml(arguments: Mapping[str, object]) -> str:
    """JSON that dbt's YAML reader takes for the same values; keys of at most 1,024 characters."""
    written = json.dumps(arguments, ensure_ascii=False, allow_nan=False)
    return _ESCAPED.sub(lambda found: f"\\u{ord(found.group()):04x}", written)


def _reason(messages: list[str], macro: str) -> str:
    """The error itself, without what dbt says around it."""
    told = "\n".join(messages).strip() or f"{macro} failed and said nothing"
    told = told.removeprefix("Encountered an error while running operation:").strip()
    lines = [line.strip() for line in told.splitlines() if line.strip()]
    around = ("Database Error", "Compilation Error", "Runtime Error", "> in macro", "> called by")
    kept = [line for line in lines if not line.startswith(around)]
    return " ".join(kept or lines)


class _Gone(Exception):
    """The process gave no answer and is of no more use; ``kind`` as in QueryError."""

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind = kind


class _Process:
    """The child and the pipes to it: a line of JSON each way."""

    def __init__(self, project: DbtProject) -> None:
        # Open as long as the child lives; `kill` closes it.
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115
        self._read = bytearray()
        self._process = subprocess.Popen(
            [*dbt.command("serve", str(os.getpid())), *dbt.place(project)],
            cwd=project.root,
            env=dbt.environment(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
        )

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()
        for stream in (self._process.stdin, self._process.stdout, self._errors):
            if stream is not None:
                stream.close()

    def write(self, message: Mapping[str, object]) -> None:
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(json.dumps(message).encode() + b"\n")
            self._process.stdin.flush()
        except BrokenPipeError as error:
            raise _Gone("runtime", f"dbt ended: {self._said()}") from error

    def read(self, timeout_s: float) -> Any:
        """The next line; _Gone when there is none in time."""
        assert self._process.stdout is not None
        descriptor = self._process.stdout.fileno()
        poll = select.poll()
        poll.register(descriptor, select.POLLIN | select.POLLHUP)
        deadline = time.monotonic() + timeout_s
        while b"\n" not in self._read[-(1 << 20) :]:
            left = deadline - time.monotonic()
            if left <= 0 or not poll.poll(left * 1000):
                raise _Gone("timeout", f"no answer from dbt in {timeout_s:.0f} seconds")
            part = os.read(descriptor, 1 << 20)
            if not part:
                raise _Gone("runtime", f"dbt ended: {self._said()}")
            self._read += part
            if len(self._read) > _LONGEST_REPLY:
                raise _Gone("memory", "the answer is larger than the limit")
        line, _, rest = bytes(self._read).partition(b"\n")
        self._read = bytearray(rest)
        return json.loads(line)

    def _said(self) -> str:
        self._errors.seek(0)
        lines = self._errors.read().decode(errors="replace").strip().splitlines()
        return lines[-1] if lines else "it said nothing"
