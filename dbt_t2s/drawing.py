"""Chunks of the corpus drawn by several processes, and kept on disk until the corpus is whole.

A run that was stopped goes on: what it drew is read. Nobody can tell from the corpus how many
processes there were, or whether it was drawn in one go.
"""

from __future__ import annotations

import multiprocessing
import os
import shutil
import signal
import threading
from collections import deque
from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from dbt_t2s import store
from dbt_t2s.corpus.maker import Chunk, Maker, Order
from dbt_t2s.corpus.patterns import Pattern
from dbt_t2s.errors import CorpusError
from dbt_t2s.freshness import usable
from dbt_t2s.judge.sandbox import Limits, Sandbox
from dbt_t2s.project.schema import ProjectSchema

# More draw faster, but each holds the schema and a warehouse open.
MOST_PROCESSES = 4
_FEW = 1_000
# An example needs to know that rows come, and not which.
_LIMITS = Limits(max_rows=100)


@dataclass(frozen=True)
class Task:
    """What a process needs to draw any chunk."""

    schema: ProjectSchema
    patterns: tuple[Pattern, ...]
    warehouse: Path
    relations: tuple[str, ...]
    today: date
    seed: int


def processes_for(max_examples: int | None) -> int:
    """How many processes pay: each takes a second or two to start."""
    few = max_examples is not None and max_examples <= _FEW
    return 1 if few else min(MOST_PROCESSES, os.cpu_count() or 1)


class Drawing:
    """Draws chunks for ``corpus.generate.collect``; a context manager around its processes.

    ``folder`` holds the chunks made from what ``stamp`` says; ``forget`` removes them. One process
    is this one.
    """

    def __init__(
        self, task: Task, folder: Path, stamp: Mapping[str, str], processes: int = 1
    ) -> None:
        self._task = task
        self._folder = folder
        self._stamp = dict(stamp)
        self._processes = processes
        self._pool: ProcessPoolExecutor | None = None
        self._desk: _Desk | None = None

    def __enter__(self) -> Drawing:
        return self

    def __exit__(self, *_: object) -> None:
        if self._pool is not None:
            self._pool.shutdown(wait=True, cancel_futures=True)
        if self._desk is not None:
            self._desk.close()

    def draw(self, orders: Iterator[Order]) -> Iterator[Chunk]:
        """The chunks in the order of their orders; as many as there are processes are drawn ahead.

        CorpusError where a process dies.
        """
        waiting: deque[tuple[Order, Chunk | Future[Chunk] | None]] = deque()
        try:
            for order in orders:
                waiting.append((order, self._kept(order) or self._begun(order)))
                if len(waiting) > self._processes or self._processes == 1:
                    yield self._finished(*waiting.popleft())
            while waiting:
                yield self._finished(*waiting.popleft())
        finally:
            for _, begun in waiting:
                if isinstance(begun, Future):
                    begun.cancel()

    def forget(self) -> None:
        """Removes the chunks: the corpus that they were drawn for is written."""
        shutil.rmtree(self._folder, ignore_errors=True)

    def _path(self, order: Order) -> Path:
        return self._folder / f"{order.number}.json"

    def _kept(self, order: Order) -> Chunk | None:
        """The chunk of this very order that an earlier run drew."""
        chunk = usable(self._path(order), Chunk, self._stamp)
        return chunk if chunk is not None and chunk.order == order else None

    def _begun(self, order: Order) -> Future[Chunk] | None:
        if self._processes == 1:
            return None
        if self._pool is None:
            self._pool = ProcessPoolExecutor(
                self._processes,
                mp_context=multiprocessing.get_context("spawn"),
                initializer=_start,
                initargs=(self._task,),
            )
        return self._pool.submit(_draw, order)

    def _finished(self, order: Order, begun: Chunk | Future[Chunk] | None) -> Chunk:
        if isinstance(begun, Chunk):
            return begun
        try:
            chunk = self._here(order) if begun is None else begun.result()
        except BrokenProcessPool as error:
            raise CorpusError(
                "a process that draws examples died, perhaps for want of memory",
                hint="free some memory and run the same command again: it goes on",
            ) from error
        store.write_json(self._path(order), chunk, self._stamp)
        return chunk

    def _here(self, order: Order) -> Chunk:
        self._desk = self._desk or _Desk(self._task)
        return self._desk.maker.chunk(order)


class _Desk:
    """A maker and the sandbox it asks."""

    def __init__(self, task: Task) -> None:
        # The SQL that is checked is DuckDB's; what an example shows is translated after that.
        self._sandbox = Sandbox(task.warehouse, task.relations, "duckdb", _LIMITS)
        self.maker = Maker(task.schema, task.patterns, self._sandbox.execute, task.today, task.seed)

    def close(self) -> None:
        self._sandbox.close()


_desk: _Desk | None = None  # of a process that draws and does nothing else


def _start(task: Task) -> None:
    global _desk
    # Ctrl-C reaches all processes of a terminal; the one that was asked ends the others.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    _desk = _Desk(task)


def _draw(order: Order) -> Chunk:
    assert _desk is not None
    return _desk.maker.chunk(order)


def _end_with_parent() -> None:
    """A process whose parent was killed would wait for orders for ever."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
