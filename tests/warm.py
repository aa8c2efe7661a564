"""Commands that start warm: processes forked from one that has imported what every command imports.

Importing torch and transformers takes longer than most commands that tests run. Each command
is a process of its own all the same, with its own folder, environment, output and exit status.

``python -m tests.warm`` is the process that they are forked from: it reads one request a line.
"""

from __future__ import annotations

import atexit
import gc
import importlib.util
import json
import os
import select
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import IO, NoReturn

_COMMANDS = ("dbt-t2s", "dbt")
# Read when a library is imported: where these differ, a command has to import for itself.
_IMPORTED = ("HF_", "TRANSFORMERS", "TOKENIZERS", "TORCH", "OMP", "GOMP", "CUDA", "PYTHON", "LD_")
_MODULES = (
    "dbt_t2s.cli",
    "dbt_t2s.model.embedded",
    "dbt_t2s.pipeline",
    "dbt.cli.main",
    "dbt.adapters.duckdb",
    "metricflow.engine.metricflow_engine",
)
_LONGEST = 900  # seconds


@dataclass(frozen=True)
class Request:
    """One of the ``_COMMANDS`` with its arguments, folder and environment, and its outputs."""

    command: str
    arguments: tuple[str, ...]
    cwd: str
    env: dict[str, str]
    stdout: str
    stderr: str


def as_command(arguments: Sequence[str]) -> tuple[str, tuple[str, ...]] | None:
    """The command that can start warm, and its own arguments."""
    if list(arguments[:3]) == [sys.executable, "-m", "dbt_t2s"]:
        return "dbt-t2s", tuple(arguments[3:])
    return (arguments[0], tuple(arguments[1:])) if arguments[0] in _COMMANDS else None


class _Server:
    """The process that commands are forked from, started at the first."""

    def __init__(self) -> None:
        self.process: subprocess.Popen[str] | None = None
        self.env: dict[str, str] = {}

    def start(self, env: Mapping[str, str]) -> None:
        self.env = _imported(env)
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.warm"],
            cwd=Path(__file__).parents[1],
            env=dict(env),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        atexit.register(self.process.kill)

    def ask(self, request: Request) -> int:
        assert self.process is not None
        assert self.process.stdin is not None and self.process.stdout is not None
        self.process.stdin.write(json.dumps(asdict(request)) + "\n")
        self.process.stdin.flush()
        if not select.select([self.process.stdout], [], [], _LONGEST)[0]:
            self.process.kill()
            raise subprocess.TimeoutExpired(request.command, _LONGEST)
        return int(self.process.stdout.readline())


@cache
def _server() -> _Server:
    return _Server()


def _imported(env: Mapping[str, str]) -> dict[str, str]:
    return {k: v for k, v in env.items() if k.startswith(_IMPORTED)}


def run(
    arguments: Sequence[str], cwd: Path, env: Mapping[str, str]
) -> subprocess.CompletedProcess[str] | None:
    """As ``subprocess.run`` with text captured; None for what must start cold."""
    found = as_command(arguments)
    server = _server()
    if found is None or not hasattr(os, "fork"):
        return None
    if server.process is None:
        server.start(env)
    if _imported(env) != server.env:
        return None
    with tempfile.TemporaryDirectory() as folder:
        out, err = Path(folder) / "out", Path(folder) / "err"
        status = server.ask(Request(*found, str(cwd), dict(env), str(out), str(err)))
        return subprocess.CompletedProcess(
            list(arguments), status, out.read_text("utf-8"), err.read_text("utf-8")
        )


def serve(requests: IO[str], statuses: IO[str]) -> None:
    """Forks a process for each request and says how it ended."""
    for line in requests:
        request = Request(**json.loads(line))
        child = os.fork()
        if child == 0:
            _end(_status_of(request))
        _, status = os.waitpid(child, 0)
        statuses.write(f"{os.waitstatus_to_exitcode(status)}\n")
        statuses.flush()


def _status_of(request: Request) -> int:
    """Run the command here; what it exits with. What it raises ends this process as Python does."""
    try:
        _become(request)
    except SystemExit as ended:
        if isinstance(ended.code, str):
            print(ended.code, file=sys.stderr)
        return ended.code if isinstance(ended.code, int) else int(ended.code is not None)
    return 0


def _end(status: int) -> NoReturn:
    """Exit as Python does, but without taking all that was imported to pieces, which takes long."""
    for thread in threading.enumerate():
        if thread is not threading.current_thread() and not thread.daemon:
            thread.join()
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)


def _become(request: Request) -> None:
    os.environ.clear()
    os.environ.update(request.env)
    os.chdir(request.cwd)
    for path, number in ((os.devnull, 0), (request.stdout, 1), (request.stderr, 2)):
        opened = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        os.dup2(opened, number)
        os.close(opened)
    sys.path[0] = request.cwd
    sys.argv = [request.command, *request.arguments]
    # Processes that this one spawns run its main module again: that of the command, as if cold.
    sys.modules["__main__"].__spec__ = importlib.util.find_spec("dbt_t2s.__main__")
    if request.command == "dbt":
        from dbt.cli.main import cli

        cli()
    from dbt_t2s.cli import main

    main()


def _import_all() -> None:
    # As the command line sets them before it imports.
    os.environ.update(GOMP_SPINCOUNT="20000", TQDM_DISABLE="1")

    for module in _MODULES:
        importlib.import_module(module)


if __name__ == "__main__":
    _import_all()
    gc.freeze()  # collecting would copy what forked processes share
    serve(sys.stdin, sys.stdout)
