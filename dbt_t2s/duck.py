"""The only importer of duckdb: open, run, load, export.

Two ways in: ``open_read_only`` is for SQL that nobody has read (no files, no network, no settings,
no writes), ``open_writable`` for files that this package makes itself. A read-only connection
still keeps other processes from writing, so work on the file that ``copy_warehouse`` returns.
"""

from __future__ import annotations

import json
import os
import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from dbt_t2s.errors import EmptyWarehouseError, LockedWarehouseError, WarehouseError

Connection = duckdb.DuckDBPyConnection
Statement = duckdb.Statement
Config = dict[str, str | bool | int | float | list[str]]

# Checked in this order: the first class that fits gives the kind.
_KINDS: tuple[tuple[type[duckdb.Error], str], ...] = (
    (duckdb.ParserException, "parse"),
    (duckdb.SyntaxException, "parse"),
    (duckdb.PermissionException, "forbidden"),
    (duckdb.BinderException, "bind"),
    (duckdb.CatalogException, "bind"),
    (duckdb.InterruptException, "timeout"),
    (duckdb.OutOfMemoryException, "memory"),
)
_FORBIDDEN = ("read-only mode", "disabled by configuration", "configuration has been locked")


@dataclass(frozen=True)
class Rows:
    """A query's result: ``rows`` in order, ``truncated`` when the row limit cut it."""

    columns: tuple[str, ...]
    types: tuple[str, ...]
    rows: tuple[tuple[object, ...], ...]
    truncated: bool = False
    elapsed_ms: float = 0.0


@dataclass(frozen=True)
class QueryError:
    """Why a query gave no rows.

    ``kind`` is parse, forbidden, bind, runtime, timeout or memory; warehouse where SQL runs on the
    copy that it is checked on and not on the warehouse itself.
    """

    kind: str
    message: str


Execute = Callable[[str], Rows | QueryError]


def hardened(memory_mb: int, timeout_s: float, threads: int) -> Config:
    """The settings of a connection for SQL that nobody has read.

    They go in at connect time: settings made later leave a moment in which they do not hold.
    """
    return {
        "enable_external_access": "false",
        "autoinstall_known_extensions": "false",
        "autoload_known_extensions": "false",
        "allow_community_extensions": "false",
        "allow_persistent_secrets": "false",
        "python_enable_replacements": "false",
        "temp_directory": "",
        "threads": str(threads),
        "memory_limit": f"{memory_mb}MB",
        "max_execution_time": str(int(timeout_s * 1000)),
        "lock_configuration": "true",
    }


def open_read_only(
    path: Path, *, memory_mb: int = 1024, timeout_s: float = 30.0, threads: int = 1
) -> Connection:
    """A locked-down connection to ``path``; WarehouseError says why there is none."""
    return _connect(path, hardened(memory_mb, timeout_s, threads))


@contextmanager
def open_writable(path: Path) -> Iterator[Connection]:
    """A connection that may write; for files this package makes.

    One thread, so that the order of rows, and with it every choice made by row, is repeatable.
    """
    with _writing(path, {"threads": "1"}) as connection:
        yield connection


@contextmanager
def open_for_models(path: Path, timeout_s: float) -> Iterator[Connection]:
    """A connection that may write ``path`` and nothing else, for a project's own SQL.

    No files, no network, one thread, ``timeout_s`` for each statement.
    """
    with _writing(path, hardened(1024, timeout_s, threads=1)) as connection:
        yield connection


@contextmanager
def _writing(path: Path, config: Config) -> Iterator[Connection]:
    try:
        connection = duckdb.connect(str(path), config=config)
    except duckdb.Error as error:
        raise _unopened(path, error) from error
    try:
        yield connection
    except duckdb.Error as error:
        raise WarehouseError(
            f"the database could not be written: {first_line(str(error))}", where=str(path)
        ) from error
    finally:
        connection.close()


@contextmanager
def open_memory(timeout_s: float = 30.0) -> Iterator[Connection]:
    """An empty database in memory for a project's own SQL: no files, no network, one thread."""
    connection = duckdb.connect(":memory:", config=hardened(1024, timeout_s, threads=1))
    try:
        yield connection
    finally:
        connection.close()


def run_on_file(path: Path, sql: str, max_rows: int = 1000) -> Rows | QueryError:
    """Runs ``sql`` with a CSV file (commas, a header, all text) or a Parquet file as ``file``."""
    options = ", header = true, delim = ',', all_varchar = true"
    read = ("read_parquet", "") if path.suffix.lower() == ".parquet" else ("read_csv", options)
    name = str(path).replace("'", "''")
    with duckdb.connect(config={"threads": "1"}) as connection:
        made = run(connection, f"create temp view file as from {read[0]}('{name}'{read[1]})")
        return made if isinstance(made, QueryError) else run(connection, sql, max_rows)


def run(
    connection: Connection,
    sql: str | Statement,
    max_rows: int = 1000,
    values: Sequence[object] = (),
) -> Rows | QueryError:
    """Runs one statement, with ``values`` for its ``?``; at most ``max_rows`` rows come back."""
    started = time.perf_counter()
    try:
        cursor = connection.execute(sql, list(values)) if values else connection.execute(sql)
        if cursor is None or cursor.description is None:
            return Rows((), (), ())
        described = cursor.description
        fetched = cursor.fetchmany(max_rows + 1)
    except duckdb.Error as error:
        return QueryError(_kind(error), str(error).strip())
    except MemoryError:
        return QueryError("memory", "the result does not fit into the memory limit")
    return Rows(
        columns=tuple(str(column[0]) for column in described),
        types=tuple(str(column[1]) for column in described),
        rows=tuple(tuple(row) for row in fetched[:max_rows]),
        truncated=len(fetched) > max_rows,
        elapsed_ms=(time.perf_counter() - started) * 1000,
    )


def parsed(connection: Connection, sql: str) -> Statement | QueryError:
    """One statement as any connection may run it: parsed once for many files."""
    try:
        statements = connection.extract_statements(sql)
    except duckdb.Error as error:
        return QueryError(_kind(error), str(error).strip())
    if len(statements) != 1:
        return QueryError("forbidden", f"one statement may run, not {len(statements)}")
    return statements[0]


def parse_tree(connection: Connection, sql: str) -> tuple[dict[str, Any], ...] | QueryError:
    """DuckDB's own parse tree, one per statement; an error if one is not a SELECT.

    Any other parser may read a text differently from the database that runs it, so what is
    allowed is decided on this tree.
    """
    try:
        found = connection.execute("select json_serialize_sql(?)", [sql]).fetchone()
    except duckdb.Error as error:
        return QueryError(_kind(error), str(error).strip())
    tree = json.loads(found[0]) if found else {"error": True}
    if tree.get("error"):
        message = str(tree.get("error_message", "the statement could not be read"))
        if tree.get("error_type") == "not implemented":
            return QueryError("forbidden", "only a SELECT may run")
        return QueryError("parse", message)
    return tuple(tree["statements"])


def relations_of(path: Path) -> tuple[tuple[str, str, str, str], ...]:
    """(catalog, schema, name, ``table`` or ``view``) of everything queryable in the file."""
    connection = open_read_only(path)
    try:
        return relations_in(connection)
    finally:
        connection.close()


def tables_of(path: Path) -> tuple[str, ...]:
    """The quoted names (``"catalog"."schema"."name"``) of the tables and views in the file."""
    return tuple(quoted(*found[:3]) for found in relations_of(path))


def quoted(*parts: str) -> str:
    """A dotted name with every part quoted."""
    return ".".join('"' + part.replace('"', '""') + '"' for part in parts)


def equal(one: str, one_type: str, other: str, other_type: str) -> str:
    """The condition that two columns hold the same value, whatever their types.

    A text and a number are compared as texts: DuckDB would turn every text into a number, and fail
    at the first that is none.
    """
    texts = [kind.upper() == "VARCHAR" for kind in (one_type, other_type)]
    if texts[0] != texts[1]:
        one, other = (f"cast({each} as varchar)" for each in (one, other))
    return f"{one} = {other}"


def copy_warehouse(source: Path, directory: Path) -> Path:
    """Copies a DuckDB file under its own name: its catalog is called after the file.

    EmptyWarehouseError if the file is missing or holds no tables, WarehouseError if it is being
    written or not a DuckDB file.
    """
    _check_source(source)
    directory.mkdir(parents=True, exist_ok=True)
    target = directory / source.name
    if target.resolve() == source.resolve():
        raise WarehouseError("a warehouse cannot be copied onto itself", where=str(source))
    temporary = directory / f".{source.name}.{os.getpid()}.tmp"
    log, target_log = _wal(source), _wal(target)
    try:
        shutil.copyfile(source, temporary)
        target_log.unlink(missing_ok=True)
        temporary.replace(target)
        # Writes that DuckDB has not yet folded into the file lie beside it.
        if log.exists():
            shutil.copyfile(log, target_log)
    except OSError as error:
        raise WarehouseError(
            f"the warehouse could not be copied: {error}",
            where=str(source),
            hint="free some space or choose another --target-path",
        ) from error
    finally:
        temporary.unlink(missing_ok=True)
    if not relations_of(target):
        raise EmptyWarehouseError(
            "the warehouse holds no tables", where=str(source), hint="run `dbt build`"
        )
    return target


def first_line(message: str) -> str:
    """The part of a database's message that fits on one line."""
    stripped = message.strip()
    return stripped.splitlines()[0] if stripped else "no reason given"


def _connect(path: Path, config: Config) -> Connection:
    if not path.exists():
        raise EmptyWarehouseError(
            "there is no DuckDB file", where=str(path), hint="run `dbt build`"
        )
    try:
        return duckdb.connect(str(path), read_only=True, config=config)
    except duckdb.Error as error:
        raise _unopened(path, error) from error


def _check_source(source: Path) -> None:
    """Opening takes the lock for a moment: that is how a writer elsewhere shows itself."""
    try:
        open_read_only(source).close()
    except WarehouseError as error:
        # dbt, run inside this process, keeps its connection; it is not writing now.
        if isinstance(error.__cause__, duckdb.ConnectionException):
            return
        raise


def _unopened(path: Path, error: duckdb.Error) -> WarehouseError:
    message = str(error)
    if "not a valid DuckDB database" in message:
        return WarehouseError(
            "this is not a DuckDB file",
            where=str(path),
            hint="check `path` in profiles.yml, then run `dbt build`",
        )
    if "lock on file" in message:
        return LockedWarehouseError(
            "another process is writing to the warehouse",
            where=str(path),
            hint="wait for it or close it, then run the command again (`dbt build` if it failed)",
        )
    return WarehouseError(
        f"the DuckDB file could not be opened: {first_line(message)}",
        where=str(path),
        hint="run `dbt build`",
    )


def relations_in(connection: Connection) -> tuple[tuple[str, str, str, str], ...]:
    """``relations_of`` the file that is open."""
    found = connection.execute(
        "select database_name, schema_name, table_name, 'table' from duckdb_tables()"
        " where not internal and not temporary and database_name = current_database()"
        " union all select database_name, schema_name, view_name, 'view' from duckdb_views()"
        " where not internal and not temporary and database_name = current_database()"
        " order by all"
    ).fetchall()
    return tuple((str(a), str(b), str(c), str(d)) for a, b, c, d in found)


def _wal(path: Path) -> Path:
    return path.with_name(path.name + ".wal")


def _kind(error: duckdb.Error) -> str:
    message = str(error)
    if any(words in message for words in _FORBIDDEN):
        return "forbidden"
    for family, kind in _KINDS:
        if isinstance(error, family):
            return kind
    return "runtime"
