"""What is to be kept, one JSON object a line, until somebody has the time to put it in its place.

A line costs a hundredth of what opening a database does, any number of processes may add lines at
once, and one that is killed loses at most the line it was writing.
"""

from __future__ import annotations

import fcntl
import json
import os
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from io import RawIOBase
from pathlib import Path
from typing import Any

from dbt_t2s.errors import ServeError
from dbt_t2s.store import write_failure

FILE = "spool.jsonl"
LOCK = "spool.lock"
TAKEN = "taken-*.jsonl"
# Above this many bytes only what is ``sure`` is added: nobody has taken anything for long.
FULL = 32_000_000


class Spool:
    """The lines waiting in ``folder``."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._path = folder / FILE

    def size(self) -> int:
        """The bytes that wait."""
        try:
            return self._path.stat().st_size
        except FileNotFoundError:
            return 0

    def add(self, line: Mapping[str, Any], *, sure: bool = False) -> None:
        """Adds a line; ``sure`` ones are on the disk when this returns.

        StoreError where it cannot be written, ServeError where too much waits.
        """
        data = json.dumps(line, ensure_ascii=False).encode() + b"\n"
        try:
            with self._locked(), self._path.open("ab", buffering=0) as file:
                before = file.tell()
                if not sure and before + len(data) > FULL:
                    raise ServeError(
                        "too many questions wait to be logged, and this one is not",
                        where=str(self._path),
                        hint="`dbt-t2s feedback --list 1` says why log.duckdb cannot be written",
                    )
                # What a killed writer left of a line must not run into this one.
                line_to_add = b"\n" + data if self._is_torn(before) else data
                try:
                    _write_all(file, line_to_add)
                    if sure:
                        os.fsync(file.fileno())
                except OSError:
                    file.truncate(before)
                    raise
        except OSError as error:
            raise write_failure(self._path, error) from error

    @contextmanager
    def taken(self) -> Iterator[tuple[Any, ...]]:
        """The lines that wait, and those of takers that died; gone when the block ends well.

        One taker at a time. A line that is no JSON comes as None: it was cut short.
        """
        with self._locked():
            if self.size():
                name = TAKEN.replace("*", f"{time.time_ns()}-{os.getpid()}")
                self._path.rename(self.folder / name)
        files = sorted(self.folder.glob(TAKEN))
        yield tuple(line for file in files for line in _lines(file))
        for file in files:
            file.unlink()

    def _is_torn(self, size: int) -> bool:
        if not size:
            return False
        with self._path.open("rb") as file:
            file.seek(size - 1)
            return file.read(1) != b"\n"

    @contextmanager
    def _locked(self) -> Iterator[None]:
        self.folder.mkdir(parents=True, exist_ok=True)
        with (self.folder / LOCK).open("a") as guard:
            fcntl.flock(guard, fcntl.LOCK_EX)
            yield


def _write_all(file: RawIOBase, data: bytes) -> None:
    """Writes all of it: a disk that is nearly full takes a part without an error."""
    while data:
        data = data[file.write(data) or 0 :]


def _lines(file: Path) -> Iterator[Any]:
    for line in file.read_bytes().splitlines():
        if line.strip():
            try:
                yield json.loads(line)
            except ValueError:
                yield None
