"""Which column names a table's rows to a person, and whether it tells them apart."""

from __future__ import annotations

from dbt_t2s.project.schema import Column, Kind, Table

# As good as one row for each value; of a few rows it says nothing that all differ.
_NEARLY, _FEW = 0.9, 4


def display_column(table: Table) -> Column | None:
    """The column that names a row to a person; None where only the key would."""
    entity = table.entity.removesuffix("_id") or table.name.removesuffix("s")
    wanted = (f"{entity}_name", "name", "full_name", "title", f"{entity}_title", f"{entity}_label")
    by_name = {column.name.lower(): column for column in table.columns}
    for name in wanted:
        if name in by_name:
            return by_name[name]
    texts = [c for c in table.columns if c.kind is Kind.TEXT and c.name.endswith("_name")]
    return texts[0] if len(texts) == 1 and texts[0].name[:-5] in table.name else None


def tells_rows_apart(table: Table, column: Column) -> bool:
    """Whether nearly each row has a value of its own: as a test says, or as the data shows.

    Columns that accept more values than the data holds will hold them again.
    """
    if column.unique or column.distinct is None or not table.rows:
        return column.unique
    filled = table.rows * (1 - (column.null_share or 0.0))
    own = column.distinct >= _NEARLY * filled
    return own and filled >= _FEW and len(column.values) <= column.distinct


def is_shared_name(table: Table, column: str) -> bool:
    """Whether ``column`` names the table's rows but several may bear one name."""
    display = display_column(table)
    if display is None or display.name != column or len(table.primary_key) != 1:
        return False
    if display.distinct and table.rows and 2 * display.distinct < table.rows:
        return False  # rows share it on purpose: it names what they are about
    alone = display.unique or (table.rows is not None and display.distinct == table.rows)
    return not alone and column not in table.primary_key
