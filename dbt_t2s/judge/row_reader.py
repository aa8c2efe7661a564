"""Single rows of a file, and what SQL says of single values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from dbt_t2s.duck import Connection, QueryError, quoted, run
from dbt_t2s.judge.row_ties import Ties
from dbt_t2s.judge.wanted_values import Same, Times, Value


class TornError(Exception):
    """A change that would tell apart what the data holds together, or that cannot be written."""


class RowReader:
    """Reads each row once. Names are in lower case."""

    def __init__(self, connection: Connection, ties: Ties) -> None:
        self._connection = connection
        self.ties = ties
        self._read: dict[tuple[object, ...], list[tuple[int, Mapping[str, object]]]] = {}

    def row(self, table: str, rowid: int) -> Mapping[str, object]:
        found = self.rows(table, "rowid = ?", [rowid])
        if not found:
            raise TornError(f"{table} has no row {rowid}")
        return found[0][1]

    def rows(
        self, table: str, condition: str, values: Sequence[object]
    ) -> list[tuple[int, Mapping[str, object]]]:
        """The first row, by place in the file, for which ``condition`` holds.

        ``{}`` in the condition stands for the table.
        """
        asked = (table, condition, tuple(map(str, values)))
        if asked not in self._read:
            self._read[asked] = self._rows(table, condition, values)
        return self._read[asked]

    def _rows(
        self, table: str, condition: str, values: Sequence[object]
    ) -> list[tuple[int, Mapping[str, object]]]:
        name = self.ties.targets[table].name
        where = condition.replace("{}", name)
        sql = f"select rowid, * from {name} where {where} order by rowid limit 1"
        found = run(self._connection, sql, values=values)
        if isinstance(found, QueryError):
            raise TornError(found.message)
        names = list(self.ties.types(table))
        return [(int(str(row[0])), dict(zip(names, row[1:], strict=True))) for row in found.rows]

    def may_name(self, table: str, column: str, value: Value) -> bool:
        """False of a reference to a row that is not there."""
        if value is None or isinstance(value, Same | Times):
            return True
        return all(
            self.rows(link.other, f"{quoted(link.other_columns[0])}::varchar = ?", [str(value)])
            for link in self.ties.links(table)
            if link.columns == (column,)
        )

    def ask(self, sql: str, values: Sequence[object] = ()) -> object:
        """The first value of the result, None where it has no rows."""
        found = run(self._connection, sql, values=values)
        if isinstance(found, QueryError):
            raise TornError(found.message)
        return found.rows[0][0] if found.rows else None

    def calendar(self, form: str, value: object, kind: str) -> object:
        """What ``form`` makes of a date, as a column of type ``kind`` holds it."""
        written = "timestamp" if isinstance(value, datetime) else "date"
        made = form.replace("{}", f"{written} '{value}'")
        return self.ask(f"select try_cast({made} as {kind})")
