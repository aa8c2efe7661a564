"""A query log: statements that people ran on the warehouse, to be mined beside the project's own.

It is a file (``.sql``, ``.jsonl``, ``.csv`` or ``.parquet``) or a column of the warehouse, written
``relation:column``.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dbt_t2s import duck, sql
from dbt_t2s.corpus.patterns import Statement
from dbt_t2s.duck import Execute, QueryError, Rows
from dbt_t2s.errors import CorpusError, UsageError
from dbt_t2s.project.schema import Issue, Level

# The columns that hold the SQL, as warehouses call them in their own logs.
COLUMNS = ("sql", "query_text", "query", "statement_text")
SUFFIXES = (".sql", ".jsonl", ".csv", ".parquet")
# Reading this many different statements takes minutes.
MAX_STATEMENTS = 50_000
_PLACES = 3
_FORMS = "name a .sql, .jsonl, .csv or .parquet file, or relation:column of the warehouse"
# What may hold a semicolon that ends no statement.
_WHOLE = re.compile(
    r"""'[^']*'|"[^"]*"|`[^`]*`|--[^\n]*|/\*.*?\*/|\$(\w*)\$.*?\$\1\$|(?P<end>;)""", re.DOTALL
)
_STARTS = re.compile(r"\s*(?:\(\s*)*(?:select|with)\b", re.IGNORECASE)


@dataclass(frozen=True)
class Log:
    """The statements, each with the place it stands at, and what could not be read."""

    statements: tuple[Statement, ...]
    issues: tuple[Issue, ...] = ()


def file_of(setting: str, root: Path) -> Path | None:
    """The log's file, relative to ``root``; None where it is a column of the warehouse.

    UsageError where it is neither, or the file is not there.
    """
    path = root / Path(setting).expanduser()
    if path.suffix.lower() not in SUFFIXES:
        if all(part.strip() for part in setting.rpartition(":")):
            return None
        what = f"the query log {setting} is neither a file of a known kind nor a column"
        raise UsageError(what, where="query_log", hint=_FORMS)
    if not path.is_file():
        raise UsageError(f"there is no query log {path.name}", where=str(path), hint=_FORMS)
    return path


def read(
    setting: str,
    root: Path,
    execute: Execute | None,
    mask: Callable[[str], str],
    dialect: str = "duckdb",
) -> Log:
    """The log that ``setting`` names, secrets masked.

    ``execute`` runs SQL of ``dialect`` on the warehouse, None where there is none to run it on.
    CorpusError where nothing of the log can be read.
    """
    path = file_of(setting, root)
    name = setting if path is None else path.name
    issues: list[Issue] = []
    if path is None:
        found = _of_warehouse(setting, execute, dialect)
    elif path.suffix.lower() == ".sql":
        found = _split(_decoded(path))
    elif path.suffix.lower() == ".jsonl":
        found, issues = _of_lines(path)
    else:
        found = _of_table(path)
    if not found:
        issues.append(Issue(Level.WARNING, name, "the query log holds no statement", _FORMS))
    if len(found) > MAX_STATEMENTS:
        message = (
            f"the query log is longer than {MAX_STATEMENTS:,} statements: the rest is not read"
        )
        issues.append(Issue(Level.WARNING, name, message, "name a log of fewer statements"))
    kept = tuple((f"{name}:{place}", mask(code)) for place, code in found[:MAX_STATEMENTS])
    return Log(kept, tuple(issues))


# (line or row, SQL)
_Found = list[tuple[int, str]]


def _split(text: str) -> _Found:
    """The statements of a script, with their lines: they end with a semicolon.

    Without any, a text whose every line begins a query holds one a line.
    """
    ends = [found.end() for found in _WHOLE.finditer(text) if found["end"]]
    lines = text.splitlines(keepends=True)
    if not ends and all(_STARTS.match(line) for line in lines if line.strip()):
        return [(at, line.strip()) for at, line in enumerate(lines, 1) if line.strip()]
    found: _Found = []
    line, start = 1, 0
    for end in (*ends, len(text)):
        part = text[start:end]
        code = part.strip().rstrip(";")
        if code.strip():
            ahead = part[: len(part) - len(part.lstrip())]
            found.append((line + ahead.count("\n"), code.rstrip()))
        line, start = line + part.count("\n"), end
    return found


def _of_lines(path: Path) -> tuple[_Found, list[Issue]]:
    """The statements of a JSON Lines file, and one issue for each kind of line that has none."""
    found: _Found = []
    bad: dict[str, list[int]] = {}
    for at, line in enumerate(_decoded(path).split("\n"), 1):
        if line.strip():
            code, why = _code_of(line)
            if why:
                bad.setdefault(why, []).append(at)
            elif code.strip():
                found.append((at, code.strip()))
    if bad and not found:
        why, places = next(iter(bad.items()))
        raise CorpusError(
            f"no line of the query log can be read: the first one {why}",
            where=f"{path}:{places[0]}",
            hint='write {"sql": "select …"} on each line',
        )
    return found, [_left_out(path.name, why, places) for why, places in bad.items()]


def _left_out(name: str, why: str, places: Sequence[int]) -> Issue:
    shown = ", ".join(map(str, places[:_PLACES])) + (", …" if len(places) > _PLACES else "")
    message = f"lines left out because each {why}: {len(places):,}"
    return Issue(Level.WARNING, f"{name}:{shown}", message, 'write {"sql": "select …"} on each')


def _code_of(line: str) -> tuple[str, str]:
    """The SQL of a line of JSON, or why there is none."""
    try:
        row: Any = json.loads(line)
    except (ValueError, RecursionError):
        return "", "is no JSON"
    if not isinstance(row, dict):
        return "", "is no JSON object"
    names = {key.lower(): key for key in row}
    for name in COLUMNS:
        if name in names and isinstance(row[names[name]], str):
            return row[names[name]], ""
    return "", f"has no text under {_either(COLUMNS)}"


def _of_table(path: Path) -> _Found:
    """The statements of a CSV or Parquet file."""

    def execute(code: str) -> Rows | QueryError:
        return duck.run_on_file(path, code, MAX_STATEMENTS + 1)

    hint = "commas between columns, a header, quoted text" if path.suffix != ".parquet" else ""
    shown = _run(execute, "select * from file limit 0", str(path), hint or "export it again")
    names = {name.lower(): name for name in shown.columns}
    for name in COLUMNS:
        if name in names:
            return _column(
                execute, "file", duck.quoted(names[name]), str(path), hint or "export it again"
            )
    raise CorpusError(
        f"the query log has no column {_either(COLUMNS)}; it has {', '.join(shown.columns)}",
        where=str(path),
        hint="call the column that holds the SQL sql",
    )


def _of_warehouse(setting: str, execute: Execute | None, dialect: str) -> _Found:
    """The statements of ``relation:column``."""
    relation, _, column = setting.rpartition(":")
    where = f"query_log {setting}"
    if execute is None:
        raise CorpusError(
            "the query log is a column of the warehouse, and there is no DuckDB file to read",
            where=where,
            hint="run `dbt build`, or name a file",
        )
    try:
        name = sql.relation(relation.strip(), dialect)
    except sql.SqlError as error:
        raise UsageError(f"{relation} is no relation", where="query_log", hint=_FORMS) from error
    quoted = sql.quote(column.strip(), dialect)
    return _column(execute, name, quoted, where, "run `dbt build`, or correct query_log", dialect)


def _column(
    execute: Execute, relation: str, column: str, where: str, hint: str, dialect: str = "duckdb"
) -> _Found:
    # Each warehouse has its own word for a text type, which sqlglot knows.
    code = f"select cast({column} as varchar) from {relation}"
    code = sql.transpile(code, dialect, dialect)
    rows = _run(execute, code, where, hint).rows
    written = ((at, row[0]) for at, row in enumerate(rows, 1))
    return list(_filled(written))


def _filled(rows: Iterable[tuple[int, object]]) -> Iterator[tuple[int, str]]:
    for at, code in rows:
        if isinstance(code, str) and code.strip():
            yield at, code.strip()


def _run(execute: Execute, code: str, where: str, hint: str) -> Rows:
    found = execute(code)
    if isinstance(found, QueryError):
        what = f"the query log cannot be read: {duck.first_line(found.message)}"
        raise CorpusError(what, where=where, hint=hint)
    return found


def _decoded(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise CorpusError(
            f"the query log cannot be read: {error}", where=str(path), hint="save it as UTF-8"
        ) from error


def _either(names: Sequence[str]) -> str:
    return f"{', '.join(names[:-1])} or {names[-1]}"
