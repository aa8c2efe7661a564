"""Which tables of the schema a statement reads."""

from __future__ import annotations

from collections.abc import Sequence

from dbt_t2s.judge.parsed import relations_read
from dbt_t2s.judge.relations import split_name
from dbt_t2s.project.schema import Table


def read_tables(sql: str, tables: Sequence[Table], dialect: str) -> tuple[Table, ...]:
    """The tables that ``sql`` reads, in the schema's order; SqlError if it cannot be read.

    A name may leave out the catalog, or catalog and schema.
    """
    names = [_parts(each) for each in relations_read(sql, dialect)]
    return tuple(
        table for table in tables if any(_is_same(_parts(table.relation), each) for each in names)
    )


def _parts(name: str) -> tuple[str, ...]:
    return tuple(part.lower() for part in split_name(name))


def _is_same(relation: tuple[str, ...], name: tuple[str, ...]) -> bool:
    shared = min(len(relation), len(name))
    return relation[-shared:] == name[-shared:]
