"""Runs model-written SQL where it can do no harm: a warm worker under hard limits.

Three walls, each enough for most attacks: the parse tree (``tree``, in the worker), DuckDB's locked
read-only connection on a copy, and a separate process with limits on memory, time and files that
its parent kills when it does not answer.
"""

from __future__ import annotations

import io
import json
import os
import pickle
import select
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from importlib.util import find_spec
from pathlib import Path
from types import TracebackType
from typing import IO, Any

import dbt_t2s
from dbt_t2s.duck import QueryError, Rows
from dbt_t2s.errors import JudgeError, WarehouseError
from dbt_t2s.judge.relations import allowed_relations
from dbt_t2s.judge.worker import HEADER, Limits, Task, frame, settings_message, unpacked

__all__ = ["Limits", "Sandbox", "execute_all"]

_Reply = Rows | QueryError | str | tuple[Rows | QueryError, ...]

_START_S = 60.0
_REAPED_S = 1.0
# A worker gets no secrets from the environment, only what an interpreter needs to start.
_ENVIRONMENT = ("PATH", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "LANG", "LC_ALL", "VIRTUAL_ENV")
# Planning a query is a thousand small allocations: glibc keeps more of them at hand for each thread
# than its seven (a fifth less CPU an answer); other C libraries do not read this.
_MALLOC = "glibc.malloc.tcache_count=2000:glibc.malloc.tcache_max=65536"
_PLAIN_TYPES = {
    ("datetime", "date"),
    ("datetime", "datetime"),
    ("datetime", "time"),
    ("datetime", "timedelta"),
    ("datetime", "timezone"),
    ("decimal", "Decimal"),
}
# What reading bytes that are no pickle may raise, by the documentation of ``pickle``.
_UNREADABLE = (
    pickle.UnpicklingError,
    AttributeError,
    EOFError,
    ImportError,
    IndexError,
    KeyError,
    MemoryError,
    OverflowError,
    TypeError,
    ValueError,
)


class Sandbox:
    """A context manager around one warehouse file and the relations that may be read.

    ``execute`` is safe for any text; ``execute_trusted`` is for statements that this package
    wrote, under the same limits. One query runs at a time. ``others`` are instances of the same
    warehouse, which ``execute_each`` asks too, one after another in the same process; the time
    limit is for each, memory for all together. ValueError where they are called otherwise.
    """

    def __init__(
        self,
        warehouse: Path,
        relations: Iterable[str],
        dialect: str = "duckdb",
        limits: Limits | None = None,
        *,
        others: Sequence[Path] = (),
    ) -> None:
        if any(each.stem != warehouse.stem for each in others):
            raise ValueError("instances of a warehouse have its name: statements may say it")
        self.warehouse = warehouse
        self._others = tuple(others)
        self.dialect = dialect
        self.limits = limits or Limits()
        self._relations = tuple(relations)
        self.allowed = allowed_relations(self._relations, warehouse.stem)
        self._worker: _Worker | None = None
        self._lock = threading.Lock()

    def __enter__(self) -> Sandbox:
        with self._lock:
            self._ready()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Ends the worker."""
        with self._lock:
            if self._worker is not None:
                self._worker.kill()
                self._worker = None

    def execute(self, sql: str) -> Rows | QueryError:
        """Runs one SELECT over the allowed relations, or says why not."""
        return _ran(self._ask("select", sql))

    def execute_each(self, sql: str) -> tuple[Rows | QueryError, ...]:
        """Runs one SELECT on every instance; an error of one stands for all."""
        files = 1 + len(self._others)
        reply = self._ask("each", sql, files)
        if isinstance(reply, QueryError):
            return (reply,) * files
        return reply if isinstance(reply, tuple) else (_unexpected(),) * files

    def check(self, sql: str) -> str | QueryError:
        """The DuckDB text that ``execute`` would run, or why it would not."""
        checked = self._ask("check", sql)
        return checked if isinstance(checked, str | QueryError) else _unexpected()

    def execute_trusted(self, sql: str) -> Rows | QueryError:
        """Runs a DuckDB statement of our own; time, memory and read-only still hold."""
        return _ran(self._ask("trusted", sql))

    def _ask(self, task: Task, sql: str, files: int = 1) -> _Reply:
        with self._lock:
            self._post(task, sql)
            try:
                return self._collect(files, again=True)
            except _Shot:
                # A query that asks too much meets a limit; this was somebody else's doing.
                self._renew()
            self._post(task, sql)
            return self._collect(files)

    def _post(self, task: Task, sql: str) -> None:
        files = 1 + len(self._others) if task == "each" else 1
        self._ready().post(json.dumps({"task": task, "sql": sql}).encode(), files)

    def _collect(self, files: int = 1, *, again: bool = False) -> _Reply:
        """What the worker answers; ``_Shot`` where it may be asked ``again``, as it was killed."""
        assert self._worker is not None
        try:
            reply = self._worker.collect(self.limits, files)
        except _Gone as gone:
            if again and isinstance(gone, _Ended) and self._worker.was_shot():
                raise _Shot from gone
            reply = QueryError(gone.kind, str(gone))
            self._renew()
        else:
            if isinstance(reply, QueryError) and reply.kind in ("memory", "timeout"):
                # What has been full once may stay so: memory is not all given back.
                self._renew()
        return reply

    def _renew(self) -> None:
        """Another worker; the next query should not wait for its start, so it begins now."""
        if self._worker is not None:
            self._worker.kill()
        self._worker = self._start()

    def _ready(self) -> _Worker:
        if self._worker is None or not self._worker.is_idle():
            self._renew()
        assert self._worker is not None
        self._worker.wait_ready()
        return self._worker

    def _start(self) -> _Worker:
        _check_system()
        return _Worker(
            settings_message(
                (self.warehouse, *self._others), self._relations, self.dialect, self.limits
            ),
            self.limits.timeout_s,
        )


def execute_all(sandboxes: Sequence[Sandbox], sql: str) -> tuple[Rows | QueryError, ...]:
    """Runs one SELECT in several sandboxes at once; the first checks it for all.

    ValueError unless they are different ones for the same relations and dialect.
    """
    if not sandboxes:
        return ()
    if len({id(each) for each in sandboxes}) < len(sandboxes):
        raise ValueError("a sandbox runs one query at a time")
    if len({(each.dialect, each.allowed) for each in sandboxes}) > 1:
        raise ValueError("the sandboxes allow different statements")
    checked = sandboxes[0].check(sql)
    if isinstance(checked, QueryError):
        return (checked,) * len(sandboxes)
    with ExitStack() as held:
        # In one order everywhere, so that two threads never wait for each other.
        for each in sorted(sandboxes, key=id):
            held.enter_context(each._lock)
        for each in sandboxes:
            each._ready()  # or one's start would use up the time of those asked before it
        for each in sandboxes:
            each._post("trusted", checked)
        return tuple([_ran(each._collect()) for each in sandboxes])


def _ran(reply: _Reply) -> Rows | QueryError:
    return reply if isinstance(reply, Rows | QueryError) else _unexpected()


def _unexpected() -> QueryError:
    return QueryError("runtime", "the process that runs SQL answered something else")


def _check_system() -> None:
    """JudgeError where a process cannot be held to limits, as on Windows."""
    if not hasattr(select, "poll") or find_spec("resource") is None:
        raise JudgeError(
            f"SQL cannot be run under limits on {sys.platform}",
            hint="run dbt-t2s on Linux or macOS; on Windows, in WSL",
        )


class _Gone(Exception):
    """The worker gave no answer and is of no more use."""

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind = kind


class _Ended(_Gone):
    """It ended in the middle of a query."""


class _Shot(Exception):
    """The worker was killed from outside while it ran a query."""


class _Worker:
    """One child process and the pipes to it."""

    def __init__(self, settings: bytes, timeout_s: float) -> None:
        # Open as long as the worker lives; `kill` closes it.
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115
        self._is_ready = False
        self._is_asked = False
        self._timeout_s = timeout_s
        self._deadline = 0.0
        self._process = subprocess.Popen(
            # -P keeps the working folder off the import path: it may hold a duckdb.py.
            [sys.executable, "-P", "-m", "dbt_t2s.judge.worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            env=_environment(),
            close_fds=True,
        )
        self._write(settings)

    def is_idle(self) -> bool:
        """Whether it lives and owes no answer: a caller interrupted while waiting left one."""
        return not self._is_asked and self._process.poll() is None

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()
        for stream in (self._process.stdin, self._process.stdout, self._errors):
            _close(stream)

    def was_shot(self) -> bool:
        """Whether the process that has ended was killed: its own limits never send that signal."""
        try:
            return self._process.wait(_REAPED_S) == -signal.SIGKILL
        except subprocess.TimeoutExpired:
            return False

    def wait_ready(self) -> None:
        if self._is_ready:
            return
        try:
            reply = self._read(time.monotonic() + _START_S, 1_000_000)
        except _Gone as gone:
            raise JudgeError(
                f"the process that runs SQL did not start: {gone}; {self._said()}",
                hint="check that `python -c 'import duckdb'` works and that memory is free",
            ) from gone
        if reply[0] == "failed":
            raise WarehouseError(reply[1], where=reply[2], hint=reply[3])
        self._is_ready = True

    def post(self, request: bytes, files: int = 1) -> None:
        """Asks; ``collect`` gives the answer, which must come within the time limit from now."""
        self._is_asked = True
        self._deadline = time.monotonic() + self._timeout_s * files
        self._write(request)

    def collect(self, limits: Limits, files: int = 1) -> _Reply:
        reply = self._read(self._deadline, limits.max_bytes * files)
        self._is_asked = False
        match reply:
            case ("checked", str(text)):
                return text
            case ("each", tuple(parts)) if len(parts) == files:
                return tuple([_result(_load(part)) for part in parts])
        return _result(reply)

    def _write(self, body: bytes) -> None:
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(frame(body))
            self._process.stdin.flush()
        except BrokenPipeError:
            return  # it has ended: reading its answer says so

    def _read(self, deadline: float, max_bytes: int) -> tuple[Any, ...]:
        (length,) = HEADER.unpack(self._exactly(HEADER.size, deadline))
        if length > max_bytes + 1_000_000:
            raise _Gone("memory", "the result is larger than the limit")
        return _load(self._exactly(length, deadline))

    def _exactly(self, size: int, deadline: float) -> bytes:
        assert self._process.stdout is not None
        descriptor = self._process.stdout.fileno()
        poll = select.poll()
        poll.register(descriptor, select.POLLIN | select.POLLHUP)
        parts: list[bytes] = []
        while size:
            # What has come in time is read, however late: another worker may have been waited for.
            left = max(deadline - time.monotonic(), 0.0)
            if not poll.poll(left * 1000):
                raise _Gone("timeout", "the query took longer than the time limit")
            part = os.read(descriptor, min(size, 1 << 20))
            if not part:
                raise _Ended("memory", "the query ended its process, most likely for memory")
            parts.append(part)
            size -= len(part)
        return b"".join(parts)

    def _said(self) -> str:
        self._errors.seek(0)
        lines = self._errors.read().decode(errors="replace").strip().splitlines()
        return lines[-1] if lines else "it said nothing"


class _PlainUnpickler(pickle.Unpickler):
    """Takes plain values alone: the worker may have been taken over by what it ran."""

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) in _PLAIN_TYPES:
            return super().find_class(module, name)
        raise pickle.UnpicklingError(f"{module}.{name} is not a plain value")


def _result(reply: tuple[Any, ...]) -> Rows | QueryError:
    match reply:
        case ("rows", columns, types, values, truncated, elapsed):
            return Rows(columns, types, _rows(values, types), truncated, elapsed)
        case ("error", kind, message):
            return QueryError(kind, message)
    return _unexpected()


def _load(body: bytes) -> tuple[Any, ...]:
    try:
        reply = _PlainUnpickler(io.BytesIO(body)).load()
    except _UNREADABLE as error:
        raise _Gone("runtime", f"the answer could not be read: {error}") from error
    if not isinstance(reply, tuple) or not reply:
        raise _Gone("runtime", "the answer could not be read")
    return reply


def _rows(values: Any, types: Any) -> tuple[tuple[object, ...], ...]:
    try:
        return unpacked(values, types)
    except (ArithmeticError, TypeError, ValueError, AttributeError) as error:
        raise _Gone("runtime", f"the answer could not be read: {error}") from error


def _environment() -> dict[str, str]:
    kept = {name: os.environ[name] for name in _ENVIRONMENT if name in os.environ}
    root = str(Path(dbt_t2s.__file__).resolve().parent.parent)
    paths = [root, os.environ["PYTHONPATH"]] if os.environ.get("PYTHONPATH") else [root]
    # The same time zone everywhere: an answer must not depend on whose machine asks.
    return {
        **kept,
        "PYTHONPATH": os.pathsep.join(paths),
        "TZ": "UTC",
        "PYTHONNOUSERSITE": "1",
        "GLIBC_TUNABLES": _MALLOC,
    }


def _close(stream: IO[bytes] | None) -> None:
    if stream is None:
        return
    try:
        stream.close()
    except BrokenPipeError:
        # Closing flushes; the reader is dead on purpose.
        return
