"""The process in which SQL that nobody has read runs; see ``sandbox`` for its parent.

It holds one hardened read-only connection, lives under the operating system's limits, and speaks
length-prefixed messages: JSON comes in, plain values go out. All reading of a statement happens
here too, under the limits: 140 characters can take sqlglot minutes to read or translate. It imports
little, so that it starts at once.
"""

from __future__ import annotations

import gc
import json
import logging
import os
import pickle
import struct
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import BinaryIO, Literal

from dbt_t2s import duck
from dbt_t2s.duck import QueryError, Rows
from dbt_t2s.errors import T2SError
from dbt_t2s.judge.relations import Allowed, allowed_relations
from dbt_t2s.judge.tree import check_text, check_tree

_LONGEST_MESSAGE = 4_000
# Addresses that one more open file takes, nearly all for stacks of threads and never written to.
_RESERVED_MB = 80
HEADER = struct.Struct(">Q")

# What the parent is willing to unpickle.
_PLAIN = (bool, int, float, str, bytes, date, time, timedelta, Decimal, type(None))
# Columns of these types hold plain values already: looking at each takes longer than most queries.
_PLAIN_COLUMNS = frozenset(
    """BOOLEAN TINYINT SMALLINT INTEGER BIGINT HUGEINT UTINYINT USMALLINT UINTEGER UBIGINT UHUGEINT
    FLOAT DOUBLE VARCHAR BLOB DATE TIME TIMESTAMP INTERVAL""".split()
)


# select: check and run; check: the DuckDB text alone; trusted: run without a check; each: check
# once and run on every file.
Task = Literal["select", "check", "trusted", "each"]


Reply = Rows | QueryError | str | tuple[Rows, ...]


@dataclass(frozen=True)
class Limits:
    """What one query may use. The parent kills the worker at ``timeout_s``."""

    timeout_s: float = 3.0
    memory_mb: int = 2048
    max_rows: int = 1000
    max_bytes: int = 32_000_000
    max_length: int = 10_000
    threads: int = 1


def read_message(stream: BinaryIO) -> bytes | None:
    """The next message, or None when the other side is gone."""
    header = stream.read(HEADER.size)
    if len(header) < HEADER.size:
        return None
    (length,) = HEADER.unpack(header)
    body = stream.read(length)
    return body if len(body) == length else None


def frame(body: bytes) -> bytes:
    """A message with its length before it."""
    return HEADER.pack(len(body)) + body


def encode_reply(result: Reply, max_bytes: int) -> bytes:
    """A reply of tuples and plain values; too large a result becomes an error."""
    if isinstance(result, tuple):
        return pickle.dumps(("each", tuple(encode_reply(each, max_bytes) for each in result)))
    if isinstance(result, str):
        return pickle.dumps(("checked", result))
    if isinstance(result, QueryError):
        # Some of DuckDB's messages quote all of what they are about: ten megabytes of JSON, say.
        return pickle.dumps(("error", result.kind, result.message[:_LONGEST_MESSAGE]))
    rows = result.rows
    if not all(map(_is_plain, result.types)):
        rows = tuple(tuple(_plain(value) for value in row) for row in rows)
    body = pickle.dumps(
        (
            "rows",
            result.columns,
            result.types,
            packed(rows, result.types),
            result.truncated,
            result.elapsed_ms,
        )
    )
    if len(body) > max_bytes:
        message = f"the result is larger than {max_bytes // 1_000_000} MB"
        return pickle.dumps(("error", "memory", message))
    return body


def packed(rows: tuple[tuple[object, ...], ...], types: tuple[str, ...]) -> list[Sequence[object]]:
    """Column by column, decimals as text: pickled as they are they take six times as long."""
    columns = zip(types, zip(*rows, strict=True), strict=False)
    return [_texts(values) if _is_decimal(kind) else values for kind, values in columns]


def unpacked(
    columns: list[Sequence[object]], types: tuple[str, ...]
) -> tuple[tuple[object, ...], ...]:
    """The rows that ``packed`` got."""
    found = zip(types, columns, strict=False)
    values = [_decimals(each) if _is_decimal(kind) else each for kind, each in found]
    return tuple(zip(*values, strict=True))


def _texts(values: Sequence[object]) -> list[str | None]:
    return [None if value is None else str(value) for value in values]


def _decimals(texts: Sequence[object]) -> list[Decimal | None]:
    return [None if text is None else Decimal(str(text)) for text in texts]


def _is_plain(column_type: str) -> bool:
    return column_type in _PLAIN_COLUMNS or _is_decimal(column_type)


def _is_decimal(column_type: str) -> bool:
    """``DECIMAL(9,2)``, not a list of them."""
    return column_type.startswith("DECIMAL(") and column_type.endswith(")")


def _plain(value: object) -> object:
    """Values of types that the parent is willing to unpickle; what is of another becomes text."""
    if isinstance(value, datetime) and value.tzinfo is not None:
        return value.astimezone(UTC)
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, dict):
        return {_key(key): _plain(item) for key, item in value.items()}
    return value if isinstance(value, _PLAIN) else str(value)


def _key(key: object) -> object:
    plain = _plain(key)
    return plain if isinstance(plain, _PLAIN) else str(plain)


def restrict(limits: Limits, files: int) -> None:
    """Holds for this process until it ends; DuckDB's own limits miss single large calls."""
    import resource  # Windows has none: the parent refuses to start a worker there

    memory = (limits.memory_mb + _RESERVED_MB * (files - 1)) * 1024 * 1024
    # Not every system lets this limit be set (macOS does not); the parent's kill still holds.
    if sys.platform == "linux":
        resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _allow_cpu(limits: Limits, files: int) -> None:
    """A worker whose parent died must not spin for ever."""
    import resource

    usage = resource.getrusage(resource.RUSAGE_SELF)
    seconds = int(usage.ru_utime + usage.ru_stime + limits.timeout_s * limits.threads * files) + 2
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, hard))


@dataclass(frozen=True)
class _Desk:
    """What every request is answered with; ``others`` are more files with the same relations."""

    connection: duck.Connection
    others: tuple[duck.Connection, ...]
    allowed: Allowed
    translate: Callable[[str], str | QueryError] | None
    limits: Limits

    def answer(self, task: Task, sql: str) -> Reply:
        """A reply to a ``Task``: rows, the checked DuckDB text, or why there is neither."""
        try:
            if task == "each":
                return self._each(sql)
            checked = sql if task == "trusted" else self._checked(sql)
            if isinstance(checked, QueryError) or task == "check":
                return checked
            return duck.run(self.connection, checked, self.limits.max_rows)
        except RecursionError:
            return QueryError("forbidden", "the statement is nested too deeply")
        except MemoryError:
            return QueryError("memory", "the query does not fit into the memory limit")

    def _each(self, sql: str) -> QueryError | tuple[Rows, ...]:
        """The rows in every file; the first error stands for all."""
        checked = self._checked(sql)
        if isinstance(checked, QueryError):
            return checked
        statement = duck.parsed(self.connection, checked)
        if isinstance(statement, QueryError):
            return statement
        found: list[Rows] = []
        for connection in (self.connection, *self.others):
            rows = duck.run(connection, statement, self.limits.max_rows)
            if isinstance(rows, QueryError):
                return rows
            found.append(rows)
        return tuple(found)

    def _checked(self, sql: str) -> str | QueryError:
        """The DuckDB statement that ``sql`` stands for, or why it may not run."""
        refused = check_text(sql, self.limits.max_length)
        if refused is not None:
            return refused
        text = self.translate(sql) if self.translate else sql
        if isinstance(text, QueryError):
            return text
        statements = duck.parse_tree(self.connection, text)
        if isinstance(statements, QueryError):
            return statements
        return check_tree(statements, self.allowed) or text


def _translator(dialect: str) -> Callable[[str], str | QueryError] | None:
    """What turns a statement into DuckDB's dialect; None where it is in it."""
    if dialect == "duckdb":
        return None
    # sqlglot takes as long to import as everything else here: DuckDB projects do without.
    from dbt_t2s.judge.guard import translated

    return partial(translated, dialect=dialect)


def serve(source: BinaryIO, sink: BinaryIO) -> int:
    """Reads the settings, then answers one query after another until the parent goes."""
    first = read_message(source)
    if first is None:
        return 1
    settings = json.loads(first)
    limits = Limits(**settings["limits"])
    warehouse, *others = (Path(each) for each in settings["warehouses"])
    allowed = allowed_relations(settings["relations"], warehouse.stem)
    translate = _translator(settings["dialect"])
    restrict(limits, 1 + len(others))
    try:
        connection, *more = (
            duck.open_read_only(
                file,
                memory_mb=limits.memory_mb // (2 + len(others)),
                # DuckDB gives up a little before the parent kills: that keeps the worker.
                timeout_s=limits.timeout_s * 0.9,
                threads=limits.threads,
            )
            for file in (warehouse, *others)
        )
    except T2SError as error:
        _send(sink, pickle.dumps(("failed", error.what, error.where, error.hint)))
        return 1
    desk = _Desk(connection, tuple(more), allowed, translate, limits)
    gc.freeze()
    _send(sink, pickle.dumps(("ready",)))
    while (message := read_message(source)) is not None:
        _allow_cpu(limits, 1 + len(others))
        result = desk.answer(**json.loads(message))
        try:
            body = encode_reply(result, limits.max_bytes)
        except MemoryError:
            body = pickle.dumps(("error", "memory", "the result does not fit into the limit"))
        _send(sink, body)
    return 0


def settings_message(
    warehouses: Sequence[Path], relations: tuple[str, ...], dialect: str, limits: Limits
) -> bytes:
    """The first message to a worker."""
    settings = {
        "warehouses": [str(each.resolve()) for each in warehouses],
        "relations": relations,
        "dialect": dialect,
        "limits": asdict(limits),
    }
    return json.dumps(settings).encode()


def _send(sink: BinaryIO, body: bytes) -> None:
    sink.write(frame(body))
    sink.flush()


def main() -> int:
    """Keeps the pipe to itself: whatever a library prints must not land in a message."""
    sink = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    # sqlglot warns of what it cannot translate, once for each place: a statement can hold many.
    logging.disable()
    return serve(sys.stdin.buffer, sink)


if __name__ == "__main__":
    sys.exit(main())
