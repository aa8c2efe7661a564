"""The process in which SQL that nobody has read runs; see ``sandbox`` for its parent.

It holds one hardened read-only connection, lives under the operating system's limits, and speaks
length-prefixed messages: JSON comes in, plain values go out. It imports little, so that it starts
at once.
"""

from __future__ import annotations

import json
import os
import pickle
import resource
import struct
import sys
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO
from uuid import UUID

from dbt_t2s import duck
from dbt_t2s.duck import QueryError, Rows
from dbt_t2s.errors import T2SError
from dbt_t2s.judge.relations import Allowed, allowed_relations
from dbt_t2s.judge.tree import check_tree

HEADER = struct.Struct(">Q")


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


def encode_reply(result: Rows | QueryError, max_bytes: int) -> bytes:
    """A reply of tuples and plain values; too large a result becomes an error."""
    if isinstance(result, QueryError):
        return pickle.dumps(("error", result.kind, result.message))
    rows = tuple(tuple(_plain(value) for value in row) for row in result.rows)
    body = pickle.dumps(
        ("rows", result.columns, result.types, rows, result.truncated, result.elapsed_ms)
    )
    if len(body) > max_bytes:
        message = f"the result is larger than {max_bytes // 1_000_000} MB"
        return pickle.dumps(("error", "memory", message))
    return body


def _plain(value: object) -> object:
    """Only types that the parent is willing to unpickle leave the worker."""
    if isinstance(value, datetime) and value.tzinfo is not None:
        return value.astimezone(UTC)
    if isinstance(value, UUID):
        return str(value)
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, dict):
        return {_key(key): _plain(item) for key, item in value.items()}
    return value


def _key(key: object) -> object:
    return str(key) if isinstance(key, UUID | list | dict) else key


def restrict(limits: Limits) -> None:
    """Holds for this process until it ends; DuckDB's own limits miss single large calls."""
    memory = limits.memory_mb * 1024 * 1024
    # Not every system lets this limit be set (macOS does not); the parent's kill still holds.
    if sys.platform == "linux":
        resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _allow_cpu(limits: Limits) -> None:
    """A worker whose parent died must not spin for ever."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    seconds = int(usage.ru_utime + usage.ru_stime + limits.timeout_s * limits.threads) + 2
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, hard))


def _answer(
    connection: duck.Connection, request: dict[str, Any], allowed: Allowed, limits: Limits
) -> Rows | QueryError:
    sql = str(request["sql"])
    try:
        if not request["trusted"]:
            statements = duck.parse_tree(connection, sql)
            if isinstance(statements, QueryError):
                return statements
            refused = check_tree(statements, allowed)
            if refused is not None:
                return refused
        return duck.run(connection, sql, limits.max_rows)
    except RecursionError:
        return QueryError("forbidden", "the statement is nested too deeply")
    except MemoryError:
        return QueryError("memory", "the query does not fit into the memory limit")


def serve(source: BinaryIO, sink: BinaryIO) -> int:
    """Reads the settings, then answers one query after another until the parent goes."""
    first = read_message(source)
    if first is None:
        return 1
    settings = json.loads(first)
    limits = Limits(**settings["limits"])
    warehouse = Path(settings["warehouse"])
    allowed = allowed_relations(settings["relations"], warehouse.stem)
    restrict(limits)
    try:
        connection = duck.open_read_only(
            warehouse,
            memory_mb=limits.memory_mb // 2,
            # DuckDB gives up a little before the parent kills: that keeps the worker.
            timeout_s=limits.timeout_s * 0.9,
            threads=limits.threads,
        )
    except T2SError as error:
        _send(sink, pickle.dumps(("failed", error.what, error.where, error.hint)))
        return 1
    _send(sink, pickle.dumps(("ready",)))
    while (message := read_message(source)) is not None:
        _allow_cpu(limits)
        result = _answer(connection, json.loads(message), allowed, limits)
        try:
            body = encode_reply(result, limits.max_bytes)
        except MemoryError:
            body = pickle.dumps(("error", "memory", "the result does not fit into the limit"))
        _send(sink, body)
    return 0


def settings_message(warehouse: Path, relations: tuple[str, ...], limits: Limits) -> bytes:
    """The first message to a worker."""
    settings = {
        "warehouse": str(warehouse.resolve()),
        "relations": relations,
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
    return serve(sys.stdin.buffer, sink)


if __name__ == "__main__":
    sys.exit(main())
