"""What a project's data may be asked, and by what road: DuckDB itself or the warehouse."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from dbt_t2s.duck import Execute, QueryError, Rows
from dbt_t2s.project import values
from dbt_t2s.project.artifacts import Node, text
from dbt_t2s.project.found import Found
from dbt_t2s.project.schema import Issue
from dbt_t2s.project.values import Profile, Wanted

# A node and the columns that the catalog lists → those of the built relation; none where it is not
# built.
Columns = Callable[[Node, Sequence[Found]], tuple[Found, ...] | QueryError]

# A node's unique id, its relation, what to look at and the most rows to look at → what is there.
Look = Callable[[str, str, Sequence[Wanted], int], tuple[Profile, tuple[Issue, ...]]]


@dataclass(frozen=True)
class Data:
    """``execute`` takes SQL in the project's own dialect that this package wrote."""

    execute: Execute
    columns: Columns
    look: Look


def by_sql(execute: Execute, dialect: str) -> Data:
    """All by ``execute`` alone, which costs little enough to ask about every table."""

    def look(
        unique_id: str, relation: str, wanted: Sequence[Wanted], rows: int
    ) -> tuple[Profile, tuple[Issue, ...]]:
        return values.look(relation, wanted, execute, unique_id, dialect, rows)

    return Data(execute, partial(_columns, execute), look)


def _columns(
    execute: Execute, node: Node, listed: Sequence[Found]
) -> tuple[Found, ...] | QueryError:
    """What the information schema says, whatever the catalog lists: it may be older."""

    def literal(value: str) -> str:
        return "'" + value.lower().replace("'", "''") + "'"

    name = text(node, "identifier") or text(node, "alias") or text(node, "name")
    query = (
        "select column_name, data_type from information_schema.columns"
        f" where lower(table_name) = {literal(name)}"
        f" and lower(table_schema) = {literal(text(node, 'schema'))}"
    )
    if text(node, "database"):
        query += f" and lower(table_catalog) = {literal(text(node, 'database'))}"
    rows: Rows | QueryError = execute(query + " order by ordinal_position")
    if isinstance(rows, QueryError):
        return rows
    return tuple(Found(str(row[0]), str(row[1]), "warehouse") for row in rows.rows)
