"""Takes questions into the warehouse (``log: warehouse``), by a process of its own.

To start dbt takes seconds, which nobody who asks is to wait for. Run as a module it delivers once.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

from dbt_t2s.config import IN_WAREHOUSE
from dbt_t2s.console import Console
from dbt_t2s.errors import T2SError
from dbt_t2s.project import dbt
from dbt_t2s.project.dbt import DbtProject, open_project
from dbt_t2s.project.operations import Operations
from dbt_t2s.serve.cases import Case, cases_of
from dbt_t2s.serve.outbox import Outbox, read_kept
from dbt_t2s.store import write_text
from dbt_t2s.workspace import Workspace

# A delivery begins at most so often while questions come in.
EVERY_S = 60.0
# Of each table no more rows are read: the newest.
MOST = 100_000
FAILURE = "failure.txt"
# After one that failed the next one waits; `dbt-t2s report` tries at once, and says why.
RETRY_S = 600.0


class Courier:
    """Starts deliveries in the background; at most one at a time, and not too often."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._outbox = outbox_of(workspace)
        self._running: subprocess.Popen[bytes] | None = None
        self._started = -EVERY_S

    def nudge(self, *, now: bool = False) -> None:
        """Starts one where something waits; ``now`` says that nobody will nudge later."""
        outbox = self._outbox
        if outbox is None or (self._running is not None and self._running.poll() is None):
            return
        if (not now and time.monotonic() - self._started < EVERY_S) or outbox.is_empty():
            return
        if _failed_lately(outbox):
            return
        self._started = time.monotonic()
        project = self._workspace.project
        command = [
            sys.executable, "-m", "dbt_t2s.delivering", str(project.root),
            str(project.profiles_dir), project.profile, project.target, str(project.target_path),
        ]  # fmt: skip
        try:
            self._running = subprocess.Popen(
                command,
                env=dbt.environment(),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                start_new_session=True,  # it outlives the terminal that asked
            )
        except OSError as error:
            note_failure(outbox, f"no process could be started: {error.strerror}")


def outbox_of(workspace: Workspace) -> Outbox | None:
    """Where questions wait for the warehouse; None where they stay in the project."""
    if workspace.settings.log != IN_WAREHOUSE:
        return None
    return Outbox(workspace.project.root)


def deliver(project: DbtProject) -> int | None:
    """Hands over what waits, as ``Outbox.deliver``; T2SError where the warehouse takes nothing."""
    outbox = Outbox(project.root)
    if outbox.is_empty():
        return 0
    try:
        with Operations(project) as operations:
            found = outbox.deliver(operations.call)
    except T2SError as failure:
        note_failure(outbox, str(failure))
        raise
    if found is not None:
        with suppress(OSError):
            (outbox.folder / FAILURE).unlink(missing_ok=True)
    return found


def note_failure(outbox: Outbox, why: str) -> None:
    """Leaves a line beside what waits, for whoever looks why it does."""
    with suppress(T2SError):
        write_text(outbox.folder / FAILURE, why + "\n")


def _failed_lately(outbox: Outbox) -> bool:
    try:
        return time.time() - (outbox.folder / FAILURE).stat().st_mtime < RETRY_S
    except OSError:
        return False


def kept_cases(workspace: Workspace) -> tuple[Case, ...]:
    """All questions that the warehouse has, after what waits here was handed over.

    T2SError where it cannot be asked.
    """
    with Operations(workspace.project) as operations:
        outbox = Outbox(workspace.project.root)
        if not outbox.is_empty():
            outbox.deliver(operations.call)
        return cases_of(*read_kept(operations.call, MOST))


def main() -> None:
    """One delivery of the project that the arguments name."""
    root, profiles_dir, profile, target, target_path = sys.argv[1:]
    os.nice(10)
    project = open_project(
        Path(root),
        profiles_dir=Path(profiles_dir),
        profile=profile,
        target=target,
        target_path=Path(target_path),
    )
    try:
        deliver(project)
    except T2SError as failure:
        Console().error(failure)
        sys.exit(failure.exit_code)


if __name__ == "__main__":
    main()
