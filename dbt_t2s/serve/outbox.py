"""Questions and verdicts on their way into the warehouse: they wait here until it has them.

It is asked for nothing while somebody waits for an answer. What it did not take stays, and what it
has already it does not take twice, so that a delivery may break off at any place.
"""

from __future__ import annotations

import fcntl
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import fields
from pathlib import Path
from typing import Any

from dbt_t2s.codec import CodecError, decode, encode
from dbt_t2s.duck import QueryError, first_line
from dbt_t2s.errors import ServeError
from dbt_t2s.serve.log import FOLDER, FORMAT, Asked, QuestionLog, Said, kept
from dbt_t2s.serve.spool import Spool

KEEP, KEPT = "t2s_keep", "t2s_kept"
_BATCH = 200
_PAGE = 5_000
_TABLES: dict[str, type[Asked] | type[Said]] = {"t2s_log": Asked, "t2s_feedback": Said}
_TIMES = ("logged_at", "recorded_at")

# A macro of the project's package, with its arguments; what it said, or why it said nothing.
Call = Callable[..., tuple[Any, ...] | QueryError]


class Outbox:
    """What waits of the project at ``root``; any number of processes may add to it."""

    def __init__(self, root: Path) -> None:
        self.folder = root / FOLDER / "warehouse"
        self._log = QuestionLog(root)
        self._spool = Spool(self.folder)

    def add(self, entry: Asked | Said) -> None:
        """Lets an entry wait; StoreError or ServeError where it cannot."""
        self._log.hide()
        name = "t2s_log" if isinstance(entry, Asked) else "t2s_feedback"
        row = {column: kept(value) for column, value in encode(entry).items()}
        line = {"format": FORMAT, "table": name, "row": row}
        self._spool.add(line, sure=isinstance(entry, Said))

    def is_empty(self) -> bool:
        """Whether nothing waits, as far as is seen from outside."""
        return not self._spool.size() and not any(self.folder.glob("taken-*"))

    def deliver(self, call: Call) -> int | None:
        """Hands over what waits; how many entries that was, None where another process does it.

        ServeError where the warehouse did not take them: they go on waiting.
        """
        with self._alone() as alone:
            if not alone:
                return None
            with self._spool.taken() as lines:
                entries = [each for line in lines if (each := _entry(line)) is not None]
                for start in range(0, len(entries), _BATCH):
                    _hand_over(entries[start : start + _BATCH], call)
            return len(entries)

    @contextmanager
    def _alone(self) -> Iterator[bool]:
        self._log.hide()
        self.folder.mkdir(parents=True, exist_ok=True)
        with (self.folder / "deliver.lock").open("a") as guard:
            try:
                fcntl.flock(guard, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                yield False
                return
            yield True


def read_kept(call: Call, most: int) -> tuple[tuple[Asked, ...], tuple[Said, ...]]:
    """What the warehouse has, the newest first, at most so many rows of each table.

    ServeError where it cannot be asked.
    """
    asked = tuple(Asked(**row) for row in _rows(call, Asked, "t2s_log", most))
    said = tuple(Said(**row) for row in _rows(call, Said, "t2s_feedback", most))
    return asked, said


def _hand_over(entries: Sequence[Asked | Said], call: Call) -> None:
    asked = [_row(each) for each in entries if isinstance(each, Asked)]
    said = [_row(each) for each in entries if isinstance(each, Said)]
    found = call(KEEP, asked=asked, said=said)
    if isinstance(found, QueryError):
        raise _refused("did not take questions and verdicts, which wait in .t2s", found)


def _rows(call: Call, cls: type, name: str, most: int) -> Iterator[dict[str, Any]]:
    empty = {each.name: _EMPTY[str(each.type)] for each in fields(cls)}
    for skip in range(0, most, _PAGE):
        found = call(KEPT, name=name, limit=min(_PAGE, most - skip), skip=skip)
        if isinstance(found, QueryError):
            raise _refused("did not say what was asked", found)
        columns, rows = found[0]["columns"], found[0]["rows"]
        for row in rows:
            values = dict(zip(columns, row, strict=True))
            yield {name: _read(values.get(name), usual, name) for name, usual in empty.items()}
        if len(rows) < _PAGE:
            return


_EMPTY: Mapping[str, object] = {"str": "", "int": 0, "float": 0.0}


def _read(value: object, usual: object, name: str) -> object:
    """A value as the log has it: NULL is empty, times are ISO in UTC."""
    if value is None:
        return usual
    if name in _TIMES:
        text = str(value).replace(" ", "T", 1)
        return text if "+" in text else f"{text}+00:00"
    return type(usual)(value)  # type: ignore[call-arg]


def _row(entry: Asked | Said) -> dict[str, object]:
    """An entry as the macros take it: what is empty is NULL, times without their zone."""
    row = encode(entry)
    for name in _TIMES:
        if name in row:
            row[name] = str(row[name]).replace("T", " ", 1).partition("+")[0]
    return {name: _written(value) for name, value in row.items()}


def _written(value: object) -> object:
    if isinstance(value, str):
        return value.replace("\x00", "") or None
    return value


def _entry(line: Any) -> Asked | Said | None:
    """What a line holds; None for what a killed process left of one."""
    if not isinstance(line, dict):
        return None
    if line.get("format") != FORMAT:
        raise ServeError(
            f"what waits was written by another version of dbt-t2s (format {line.get('format')})",
            where="log: warehouse",
            hint="deliver it with that version: dbt-t2s report",
        )
    try:
        return decode(line.get("row"), _TABLES[str(line.get("table"))])
    except (CodecError, KeyError):
        return None


def _refused(what: str, error: QueryError) -> ServeError:
    return ServeError(
        f"the warehouse {what}: {first_line(error.message)}",
        where="log: warehouse",
        hint="dbt deps (for the macros of dbt_t2s) and dbt debug; then dbt-t2s report",
    )
