"""Processes that read questions, as many as there are cores, all on one copy of the weights.

They are forked off a process that was itself forked off before the server had any threads (a
thread may hold a lock that its copy in a fork never gives back), so that another can be made at any
time. One that dies costs its questions nothing: the server reads those itself. Questions that wait
for a reader are read together, which takes half the time that one after the other would.
"""

from __future__ import annotations

import gc
import os
import signal
import socket
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from multiprocessing.connection import Connection
from typing import Any, NoReturn

from dbt_t2s.model.generate import Candidate, Followed
from dbt_t2s.model.turns import Turn
from dbt_t2s.serve.ask import Follow, Generate
from dbt_t2s.workspace import EMBEDDED

MOST = 4
_TOGETHER = 8  # questions; more gain little, and the first of them waits for the last
_PATIENCE_S = 60.0
_MOST_FILES = 4_096

_UNREAD = object()  # given where no process read a question

_Given = Sequence[Sequence[Candidate]]


def readers_for(kind: str) -> int:
    """How many processes read for a model of this kind; 0 where one is enough or none can be had.

    A hub model may lie on a GPU, and that is not forked; nor are Macs' libraries made for it.
    """
    if kind != EMBEDDED or sys.platform != "linux":
        return 0
    cores = len(os.sched_getaffinity(0))
    return min(cores, MOST) if cores > 1 else 0


@dataclass(frozen=True)
class _Model:
    """What reads: the same in every process."""

    generate: Generate
    follow: Follow | None
    warm: Sequence[str] = ()

    def read(self, asked: Sequence[_Asked]) -> list[Any]:
        """What each of ``asked`` means: a question alone, or one after others."""
        alone = [each.question for each in asked if each.before is None]
        given = iter(self.generate(alone) if alone else ())
        return [next(given) if each.before is None else self._after(each) for each in asked]

    def _after(self, asked: _Asked) -> Followed:
        assert self.follow is not None and asked.before is not None
        return self.follow(asked.question, asked.before)


@dataclass(frozen=True)
class _Asked:
    """A question; ``before`` is the conversation that it goes on from (None: it stands alone)."""

    question: str
    before: tuple[Turn, ...] | None = None


@dataclass(frozen=True)
class _Job:
    asked: _Asked
    given: Future[Any] = field(default_factory=Future)


class _Waiting:
    """Jobs in the order in which they came, for several threads to take."""

    def __init__(self, takers: int) -> None:
        self._takers = takers
        self._jobs: deque[_Job] = deque()
        self._closed = False
        self._changed = threading.Condition()

    def put(self, jobs: Sequence[_Job]) -> None:
        with self._changed:
            if self._closed:
                raise RuntimeError("nobody reads any more")
            self._jobs.extend(jobs)
            self._changed.notify(len(jobs))

    def take(self) -> list[_Job]:
        """The next job, with its share of those behind it that are questions alone, too.

        Waits for one; empty where there will be none any more.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._jobs or self._closed)
            share = min(-(-len(self._jobs) // self._takers), _TOGETHER)
            taken = [self._jobs.popleft()] if self._jobs else []
            while taken and len(taken) < share and taken[0].asked.before is None:
                if self._jobs[0].asked.before is not None:
                    break
                taken.append(self._jobs.popleft())
            return taken

    def close(self) -> None:
        with self._changed:
            self._closed = True
            self._changed.notify_all()


class Readers:
    """Reads in other processes; ``reading`` opens one.

    Safe to be called from several threads. Without ``nursery`` all is read here.
    """

    def __init__(self, model: _Model, count: int, nursery: socket.socket | None) -> None:
        self._model = model
        self._nursery = nursery
        # Held while this process reads: the model's own tables are not made for two.
        self._here = threading.Lock()
        self._waiting = _Waiting(max(count, 1))
        self._threads = [
            threading.Thread(target=self._serve, args=(self._hired(),), daemon=True)
            for _ in range(max(count, 1))
        ]
        for each in self._threads:
            each.start()

    def generate(self, questions: Sequence[str]) -> _Given:
        """Candidates for each question by itself."""
        return self._given([_Asked(each) for each in questions])

    def follow(self, question: str, before: Sequence[Turn]) -> Followed:
        """What ``question`` asks after the answers of ``before``."""
        found: list[Followed] = self._given([_Asked(question, tuple(before))])
        return found[0]

    def close(self) -> None:
        """The processes end when they have read what they are at."""
        self._waiting.close()
        for each in self._threads:
            each.join()
        if self._nursery is not None:
            self._nursery.close()

    def _given(self, asked: Sequence[_Asked]) -> list[Any]:
        jobs = [_Job(each) for each in asked]
        self._waiting.put(jobs)
        given = [job.given.result() for job in jobs]
        return [
            self._read_here(each) if found is _UNREAD else found
            for each, found in zip(asked, given, strict=True)
        ]

    def _serve(self, reader: Connection | None) -> None:
        """Has what waits read by one process, or by another in its place."""
        while jobs := self._waiting.take():
            if reader is not None:
                try:
                    given = _read_by(reader, [job.asked for job in jobs])
                except (EOFError, OSError):
                    reader.close()
                    reader = self._hired()
                else:
                    for job, each in zip(jobs, given, strict=True):
                        job.given.set_result(each)
                    continue
            for job in jobs:
                job.given.set_result(_UNREAD)
        if reader is not None:
            reader.close()

    def _read_here(self, asked: _Asked) -> Any:
        """By whoever asked: what is wrong with a question is told to no one else."""
        with self._here:
            return self._model.read([asked])[0]

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


def _read_by(reader: Connection, asked: Sequence[_Asked]) -> list[Any]:
    reader.send(list(asked))
    if not reader.poll(_PATIENCE_S):
        raise EOFError
    given: list[Any] = reader.recv()
    return given


@contextmanager
def reading(
    generate: Generate, follow: Follow | None, count: int, warm: Sequence[str] = ()
) -> Iterator[Readers]:
    """Must be opened before there are threads; with a ``count`` of 0 all is read here.

    Questions to ``warm`` it with are read first, once for all, by themselves and together: products
    of matrices have then been made ready for lengths like theirs.
    """
    model = _Model(generate, follow, warm[:_TOGETHER])
    if not count:
        with _closing(Readers(model, count, None)) as readers:
            yield readers
        return
    for size in (1, _TOGETHER):
        for start in range(0, len(warm), size):
            generate(warm[start : start + size])
    gc.collect()
    gc.freeze()  # so that looking for garbage does not copy what is shared
    ours, theirs = socket.socketpair()
    pid = os.fork()
    if pid == 0:
        _end_after(partial(_nurse, theirs, model))
    theirs.close()
    try:
        with _closing(Readers(model, count, ours)) as readers:
            yield readers
    finally:
        os.waitpid(pid, 0)
        gc.unfreeze()


@contextmanager
def _closing(readers: Readers) -> Iterator[Readers]:
    try:
        yield readers
    finally:
        readers.close()


def _nurse(control: socket.socket, model: _Model) -> None:
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
                _end_after(partial(_read, Connection(way), model))
            os.close(way)


def _read(server: Connection, model: _Model) -> None:
    """Reads what comes until the server is gone.

    What a fork writes to for the first time is copied then: a read before the first question does
    that ahead.
    """
    if model.warm:
        model.generate(model.warm)
    while True:
        try:
            asked = server.recv()
        except (EOFError, OSError):
            return
        server.send(model.read(asked))


def _end_after(work: Callable[[], None]) -> NoReturn:
    """A forked copy ends at once: what the server does when it ends is not to be done twice."""
    code = 1
    try:
        work()
        code = 0
    finally:
        # On an error, too: the server reads the question itself then, and tells of it.
        os._exit(code)
