"""Every question asked and what people said of the answers: ``.t2s/log.duckdb`` in the project.

A DuckDB file takes one process at a time, so what is asked and said waits in a spool and is folded
into the file by whoever gets hold of it: after a question, and before anything is read. Names of
tables, columns and verdicts are those of the macros ``t2s_log`` and ``t2s_feedback``.
"""

from __future__ import annotations

import fcntl
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, TypeVar

from dbt_t2s import __version__, duck
from dbt_t2s.codec import CodecError, decode, encode
from dbt_t2s.duck import QueryError
from dbt_t2s.errors import LockedWarehouseError, ServeError, WarehouseError
from dbt_t2s.serve.spool import Spool
from dbt_t2s.store import write_failure

FOLDER, FILE, LOCK = ".t2s", "log.duckdb", "fold.lock"
FORMAT = 1
VERDICTS = ("right", "wrong", "should_refuse")
# The questions kept; the oldest of which nobody said anything go first.
MOST = 100_000
# Characters of one SQL text, reason or note.
LONGEST = 10_000
# So many bytes that wait are worth opening the file for.
WORTH = 256_000
_TYPES = {"str": "varchar", "float": "double", "int": "bigint"}
T = TypeVar("T")


@dataclass(frozen=True)
class Asked:
    """One question and its answer. ``logged_at`` is ISO in UTC; times are milliseconds.

    ``execution_ms`` is what running SQL took of ``latency_ms``.
    """

    id: str
    logged_at: str
    question: str
    status: str
    sql_text: str
    reason: str
    row_count: int
    latency_ms: float
    execution_ms: float
    confidence: float
    model: str
    target_name: str


@dataclass(frozen=True)
class Said:
    """What a person said of an answer; ``log_id`` is its question's.

    ``verdict`` is one of ``VERDICTS``, ``corrected_sql`` the right SQL of a wrong answer where they
    know it.
    """

    id: str
    recorded_at: str
    log_id: str
    question: str
    verdict: str
    sql_text: str
    corrected_sql: str
    note: str
    person: str
    target_name: str


_TABLES: dict[str, type] = {"t2s_log": Asked, "t2s_feedback": Said}
_NAMES = {cls: name for name, cls in _TABLES.items()}


class QuestionLog:
    """The log of the project at ``root``; safe with several processes at once."""

    def __init__(self, root: Path, most: int = MOST) -> None:
        self.folder = root / FOLDER
        self.path = self.folder / FILE
        self._spool = Spool(self.folder)
        self._most = most

    def add(self, entry: Asked | Said) -> None:
        """Keeps a question, or what was said; the latter is on the disk when this returns.

        StoreError or ServeError where it is not kept.
        """
        row = {name: kept(value) for name, value in encode(entry).items()}
        line = {"format": FORMAT, "table": _NAMES[type(entry)], "row": row}
        self.hide()
        self._spool.add(line, sure=isinstance(entry, Said))
        if self._spool.size() > WORTH:
            self.fold_if_free()

    def fold_if_free(self) -> None:
        """Puts what waits into the file, unless another process has that open: then it waits on."""
        try:
            self.fold(wait_s=0.0)
        except LockedWarehouseError:
            return  # nothing is lost: it stays in the spool, and the next one tries again

    def fold(self, wait_s: float = 5.0) -> None:
        """Puts what waits into the file; LockedWarehouseError if that stays locked so long."""
        with self._opened(wait_s):
            return

    def asked(self, limit: int = 100) -> tuple[Asked, ...]:
        """The last questions, the newest first."""
        with self._opened() as connection:
            return _read(connection, Asked, "order by logged_at desc, rowid desc", limit)

    def find(self, start: str) -> tuple[Asked, ...]:
        """The questions whose ids start so, the newest first; at most two."""
        with self._opened() as connection:
            where = "where starts_with(id, ?) order by logged_at desc, rowid desc"
            return _read(connection, Asked, where, 2, (start,))

    def last_asked(self, question: str) -> Asked | None:
        """The last time that this was asked, whatever its capitals; None where it never was."""
        with self._opened() as connection:
            where = "where lower(question) = lower(?) order by logged_at desc, rowid desc"
            return next(iter(_read(connection, Asked, where, 1, (question,))), None)

    def said(self, limit: int = MOST) -> tuple[Said, ...]:
        """What people said, the newest first."""
        with self._opened() as connection:
            return _read(connection, Said, "order by recorded_at desc, rowid desc", limit)

    @contextmanager
    def _opened(self, wait_s: float = 5.0) -> Iterator[duck.Connection]:
        """The file with all that was kept in it, for this process alone."""
        with self._alone(wait_s) as until, self._connected(until) as connection:
            self._check(connection)
            with self._spool.taken() as lines:
                self._take_in(connection, lines)
                connection.execute("checkpoint")
            yield connection

    def _take_in(self, connection: duck.Connection, lines: Sequence[Any]) -> None:
        entries = [each for line in lines if (each := self._entry(line)) is not None]
        if not entries:
            return
        connection.execute("begin")
        for name, cls in _TABLES.items():
            rows = [encode(each) for each in entries if isinstance(each, cls)]
            if rows:
                columns = [field.name for field in fields(cls)]
                given = ", ".join(f"unnest(?) as {column}" for column in columns)
                connection.execute(
                    f"insert into {name} select * from (select {given})"
                    f" where id not in (select id from {name})",
                    [[row[column] for row in rows] for column in columns],
                )
        connection.execute(
            "delete from t2s_log where id in (select id from t2s_log order by logged_at desc,"
            " rowid desc offset ?) and id not in (select log_id from t2s_feedback)",
            [self._most],
        )
        connection.execute("commit")

    def _entry(self, line: Any) -> Asked | Said | None:
        """What a line of the spool holds; None for what a killed process left of one."""
        if not isinstance(line, dict):
            return None
        if line.get("format") != FORMAT:
            raise self._other_version(str(line.get("format")))
        try:
            found: Asked | Said = decode(line.get("row"), _TABLES[str(line.get("table"))])
        except (CodecError, KeyError):
            return None
        return found

    def _check(self, connection: duck.Connection) -> None:
        tables = {name for _, _, name, _ in duck.relations_in(connection)}
        if not tables:
            connection.execute("begin")
            connection.execute(
                f"create table t2s_about as select {FORMAT} as format, '{__version__}' as version"
            )
            for name, cls in _TABLES.items():
                columns = ", ".join(f"{f.name} {_TYPES[str(f.type)]}" for f in fields(cls))
                connection.execute(f"create table {name} ({columns})")
            connection.execute("commit")
            return
        found = duck.run(connection, "select format::varchar from t2s_about")
        said = "unknown" if isinstance(found, QueryError) or not found.rows else found.rows[0][0]
        if said != str(FORMAT):
            raise self._other_version(str(said))

    def _other_version(self, found: str) -> ServeError:
        return ServeError(
            f"the log of questions was written by another version of dbt-t2s (format {found};"
            f" this one reads {FORMAT})",
            where=str(self.path),
            hint=f"use that version, or move the folder {FOLDER} away to begin another log",
        )

    @contextmanager
    def _alone(self, wait_s: float) -> Iterator[float]:
        """One process of ours at a time; yields until when to wait for the file."""
        until = time.monotonic() + wait_s
        self.hide()
        with (self.folder / LOCK).open("a") as guard:
            while True:
                try:
                    fcntl.flock(guard, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    break
                except BlockingIOError as error:
                    if time.monotonic() >= until:
                        raise self._locked() from error
                    time.sleep(0.02)
            yield until

    @contextmanager
    def _connected(self, until: float) -> Iterator[duck.Connection]:
        with ExitStack() as stack:
            while True:
                try:
                    connection = stack.enter_context(duck.open_writable(self.path))
                    break
                except LockedWarehouseError as error:
                    if time.monotonic() >= until:
                        raise self._locked() from error
                    time.sleep(0.05)
                except WarehouseError as error:
                    raise ServeError(
                        f"the log of questions cannot be opened: {error.what}",
                        where=str(self.path),
                        hint=f"move it away to begin another: mv {self.path} {self.path}.bad",
                    ) from error
            yield connection

    def _locked(self) -> LockedWarehouseError:
        return LockedWarehouseError(
            "another process has the log of questions open; nothing is lost, it waits beside it",
            where=str(self.path),
            hint="close that process, then run the same command again",
        )

    def hide(self) -> None:
        """Makes the folder, which git is to leave alone: it holds what people asked."""
        ignored = self.folder / ".gitignore"
        if ignored.exists():
            return
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            ignored.write_text("*\n", encoding="utf-8")
        except OSError as error:
            raise write_failure(ignored, error) from error


def kept(value: object) -> object:
    """Texts as long as they may be, without half characters, which no database holds."""
    if not isinstance(value, str):
        return value
    return value[:LONGEST].encode("utf-8", "replace").decode()


def _read(
    connection: duck.Connection, cls: type[T], where: str, limit: int, values: Sequence[object] = ()
) -> tuple[T, ...]:
    columns = ", ".join(field.name for field in fields(cls))  # type: ignore[arg-type]
    found = duck.run(connection, f"select {columns} from {_NAMES[cls]} {where}", limit, values)
    if isinstance(found, QueryError):
        raise ServeError(f"the log of questions cannot be read: {duck.first_line(found.message)}")
    return tuple(cls(*row) for row in found.rows)
