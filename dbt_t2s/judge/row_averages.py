"""Rows at the very average of a column, where a query compares it with that."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from decimal import Decimal, InvalidOperation

from dbt_t2s.duck import quoted
from dbt_t2s.judge.copied_rows import Copied, Copier
from dbt_t2s.judge.row_reader import TornError
from dbt_t2s.judge.selected import Selected


def at_averages(
    copier: Copier, selects: Sequence[Selected], made: Sequence[Copied]
) -> Iterator[tuple[Copied, ...]]:
    """Two rows for each table with such a column: one at a whole number, one that makes that the
    average of all rows, those of ``made`` among them. They must be the last ones that are made.
    """
    done: set[str] = set()
    for select in selects:
        tables = dict(select.tables)
        for source, column in select.averages:
            table = tables[source].name
            if table in done or table not in copier.ties.targets:
                continue
            done.add(table)
            try:
                yield from _pair(copier, table, column, made)
            except (TornError, InvalidOperation):
                continue


def _pair(
    copier: Copier, table: str, column: str, made: Sequence[Copied]
) -> Iterator[tuple[Copied, ...]]:
    name, target = quoted(column), copier.ties.targets[table].name
    if copier.ask(f"select count({name}) from {target}") == 0:
        return
    total = Decimal(str(copier.ask(f"select sum({name}::decimal(38, 6)) from {target}")))
    count = int(str(copier.ask(f"select count({name}) from {target}")))
    for copied in made:
        if copied.table == table:
            row = {**copier.row(table, copied.rowid), **dict(copied.changes)}
            if row[column] is not None:
                total, count = total + Decimal(str(row[column])), count + 1
    level = math.ceil(total / count)
    rest = level * count - total
    nearest = f"select rowid from {target} where {name} is not null order by abs({name} - ?), rowid"
    place = table, int(str(copier.ask(f"{nearest} limit 1", [level])))
    whole = copier.ties.types(table)[column].endswith(("INT", "INTEGER"))
    pair = [
        copier.copy([place], {(place, column): int(value) if whole else value})
        for value in (Decimal(level), level + rest)
    ]
    if all(sum(each.table == table for each in copies) == 1 for copies in pair):
        yield from pair
