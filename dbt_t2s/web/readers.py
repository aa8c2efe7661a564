"""Processes that read questions, as many as there are cores, all on one copy of the weights.

They are forked off a process that was itself forked off before the server had any threads (a
thread may hold a lock that its copy in a fork never gives back), so that another can be made at any
time. One that dies costs its question nothing: the server reads that itself.
"""

from __future__ import annotations

import gc
import os
import queue
import signal
import socket
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from multiprocessing.connection import Connection
from typing import NoReturn

from dbt_t2s.model.generate import Candidate
from dbt_t2s.serve.ask import Generate
from dbt_t2s.workspace import EMBEDDED

MOST = 4
_PATIENCE_S = 60.0
_MOST_FILES = 4_096

_Given = Sequence[Sequence[Candidate]]


def readers_for(kind: str) -> int:
    """How many processes read for a model of this kind; 0 where one is enough or none can be had.

    A hub model may lie on a GPU, and that is not forked; nor are Macs' libraries made for it.
    """
    if kind != EMBEDDED or sys.platform != "linux":
        return 0
    cores = len(os.sched_getaffinity(0))
    return min(cores, MOST) if cores > 1 else 0


class Readers:
    """Calls ``generate`` in other processes, one question in each at a time; ``reading`` opens one.

    Safe to be called from several threads. Without ``nursery`` all is read here.
    """

    def __init__(self, generate: Generate, count: int, nursery: socket.socket | None) -> None:
        self._generate = generate
        self._nursery = nursery
        # Held while this process reads: the model's own tables are not made for two.
        self.here = threading.Lock()
        # Who is free: the way to a process, or None for this one.
        self._free: queue.SimpleQueue[Connection | None] = queue.SimpleQueue()
        for _ in range(max(count, 1)):
            self._free.put(self._hired())

    def __call__(self, questions: Sequence[str]) -> _Given:
        reader = self._free.get()
        try:
            if reader is not None:
                try:
                    return _asked(reader, questions)
                except (EOFError, OSError):
                    reader.close()
                    reader = self._hired()
            with self.here:
                return self._generate(questions)
        finally:
            self._free.put(reader)

    def close(self) -> None:
        """The processes end when they have read what they are at."""
        if self._nursery is not None:
            self._nursery.close()
        while not self._free.empty():
            reader = self._free.get()
            if reader is not None:
                reader.close()

    def _hired(self) -> Connection | None:
        """Another process; None where none can be had any more."""
        if self._nursery is None:
            return None
        ours, theirs = socket.socketpair()
        with theirs:
            try:
                socket.send_fds(self._nursery, [b"+"], [theirs.fileno()])
            except OSError:
                ours.close()
                return None
        return Connection(ours.detach())


def _asked(reader: Connection, questions: Sequence[str]) -> _Given:
    reader.send(list(questions))
    if not reader.poll(_PATIENCE_S):
        raise EOFError
    given: _Given = reader.recv()
    return given


@contextmanager
def reading(generate: Generate, count: int, warm: Sequence[str] = ()) -> Iterator[Readers]:
    """Must be opened before there are threads; with a ``count`` of 0 all is read here.

    Questions to ``warm`` it with are read first, once for all: words are then known, and products
    of matrices have been made ready for lengths like theirs.
    """
    if not count:
        yield Readers(generate, count, None)
        return
    for question in warm:
        generate([question])
    gc.collect()
    gc.freeze()  # so that looking for garbage does not copy what is shared
    ours, theirs = socket.socketpair()
    pid = os.fork()
    if pid == 0:
        _end_after(partial(_nurse, theirs, generate))
    theirs.close()
    readers = Readers(generate, count, ours)
    try:
        yield readers
    finally:
        readers.close()
        os.waitpid(pid, 0)
        gc.unfreeze()


def _nurse(control: socket.socket, generate: Generate) -> None:
    """Forks a reader for each way to one that comes, until the server is gone."""
    # What else the server had opened is not ours to hold open.
    os.closerange(3, control.fileno())
    os.closerange(control.fileno() + 1, _MOST_FILES)
    # Nobody waits for readers; Ctrl-C is the server's, which ends them in order.
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    os.environ["TOKENIZERS_PARALLELISM"] = "false"  # its threads were not forked along
    while True:
        message, ways, _, _ = socket.recv_fds(control, 1, 1)
        if not message:
            return
        for way in ways:
            if os.fork() == 0:
                control.close()
                _end_after(partial(_read, Connection(way), generate))
            os.close(way)


def _read(server: Connection, generate: Generate) -> None:
    """Reads what comes until the server is gone."""
    while True:
        try:
            questions = server.recv()
        except (EOFError, OSError):
            return
        server.send(generate(questions))


def _end_after(work: Callable[[], None]) -> NoReturn:
    """A forked copy ends at once: what the server does when it ends is not to be done twice."""
    code = 1
    try:
        work()
        code = 0
    finally:
        # On an error, too: the server reads the question itself then, and tells of it.
        os._exit(code)
