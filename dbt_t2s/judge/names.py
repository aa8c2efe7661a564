"""Names that a warehouse never repeats stay apart in made data.

Two shops of one name would tell GROUP BY the name from GROUP BY the key, which is one answer in
every warehouse that names its shops apart.
"""

from __future__ import annotations

from dataclasses import replace

from dbt_t2s.project.schema import Column, ProjectSchema, Table
from dbt_t2s.query.naming import display_column

_FEWEST = 4  # of fewer rows it says nothing that all differ


def with_names_apart(schema: ProjectSchema) -> ProjectSchema:
    """``schema`` with the column unique that names a table's rows, where each row has its own."""
    return replace(schema, tables=tuple(map(_apart, schema.tables)))


def _apart(table: Table) -> Table:
    name = display_column(table)
    if name is None or name.unique or not _is_own(table, name):
        return table
    columns = (replace(c, unique=True) if c.name == name.name else c for c in table.columns)
    return replace(table, columns=tuple(columns))


def _is_own(table: Table, name: Column) -> bool:
    return table.rows is not None and table.rows >= _FEWEST and name.distinct == table.rows
