"""What the data says of joins: whether the one side is one row, and how many rows find none."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import groupby

from dbt_t2s import sql
from dbt_t2s.duck import Execute, QueryError, Rows
from dbt_t2s.project.evidence import Evidence
from dbt_t2s.project.schema import Issue, Join, Level, Table


class Uniqueness:
    """Whether columns tell a table's rows apart: by the data where it was seen, else as said."""

    def __init__(self, evidence: Evidence, execute: Execute | None, dialect: str) -> None:
        self._evidence = evidence
        self._execute = execute
        self._dialect = dialect
        self._measured: dict[tuple[str, tuple[str, ...]], bool | None] = {}

    def said(self, table: Table, columns: Sequence[str]) -> bool:
        """Whether a key, test or constraint says so."""
        wanted = frozenset(name.lower() for name in columns)
        facts = (
            *self._evidence.of(table.unique_id, "unique"),
            *self._evidence.of(table.unique_id, "maybe_unique"),
        )
        return set(columns) == set(table.primary_key) or any(
            frozenset(name.lower() for name in fact.columns) == wanted for fact in facts
        )

    def holds(self, table: Table, columns: tuple[str, ...]) -> bool:
        measured = self.measured(table, columns)
        return self.said(table, columns) if measured is None else measured

    def measured(self, table: Table, columns: tuple[str, ...]) -> bool | None:
        """What the data shows; None where it was not looked at."""
        place = (table.name, columns)
        if place not in self._measured:
            self._measured[place] = self._look(table, columns)
        return self._measured[place]

    def _look(self, table: Table, columns: tuple[str, ...]) -> bool | None:
        if len(columns) == 1:
            column = table.column(columns[0])
            if not table.rows or column.distinct is None:
                return None
            return column.distinct == round(table.rows * (1 - (column.null_share or 0.0)))
        if self._execute is None:
            return None
        listed = ", ".join(sql.quote(name, self._dialect) for name in columns)
        repeated = self._execute(
            f"select count(*) from (select {listed} from {table.relation}"
            f" group by {listed} having count(*) > 1) as repeated"
        )
        return None if isinstance(repeated, QueryError) else not repeated.rows[0][0]


def with_orphans(
    joins: Sequence[Join], tables: Mapping[str, Table], execute: Execute | None, dialect: str
) -> tuple[tuple[Join, ...], tuple[Issue, ...]]:
    """The joins with their share of orphans, asked of each table at once; in their order.

    A join whose sides cannot be compared is an issue and goes without a share.
    """
    if execute is None:
        return tuple(joins), ()
    measured: dict[int, Join] = {}
    issues: list[Issue] = []
    numbered = sorted(enumerate(joins), key=lambda each: each[1].table)
    for _, group in groupby(numbered, key=lambda each: each[1].table):
        places = list(group)
        found = _shares([join for _, join in places], tables, execute, dialect)
        if isinstance(found, QueryError):
            # One join that cannot be asked spoils its neighbours: ask each alone.
            for index, join in places:
                alone = _shares([join], tables, execute, dialect)
                if isinstance(alone, QueryError):
                    issues.append(_unmeasured(join, alone))
                else:
                    measured[index] = replace(join, orphan_share=alone[0])
            continue
        for (index, join), share in zip(places, found, strict=True):
            measured[index] = replace(join, orphan_share=share)
    kept = tuple(measured.get(index, join) for index, join in enumerate(joins))
    return kept, tuple(issues)


def _shares(
    joins: Sequence[Join], tables: Mapping[str, Table], execute: Execute, dialect: str
) -> list[float | None] | QueryError:
    """Each join's share of filled rows that find nothing; None where no row is filled."""
    found = execute(_orphans_query(joins, tables, dialect))
    if isinstance(found, QueryError):
        return found
    counts = _counts(found)
    pairs = zip(counts[::2], counts[1::2], strict=True)
    return [round(orphans / filled, 6) if filled else None for filled, orphans in pairs]


def _counts(found: Rows) -> list[int]:
    return [int(str(value or 0)) for value in found.rows[0]]


def _orphans_query(joins: Sequence[Join], tables: Mapping[str, Table], dialect: str) -> str:
    """One pass over the many side; the other sides' keys are distinct, so no row multiplies."""
    counts: list[str] = []
    sources = [f"{tables[joins[0].table].relation} as t"]
    for number, join in enumerate(joins):
        here = [f"t.{sql.quote(name, dialect)}" for name in join.columns]
        there = [sql.quote(name, dialect) for name in join.to_columns]
        keys = [f"k{number}_{index}" for index, _ in enumerate(there)]
        listed = ", ".join(f"{name} as {key}" for name, key in zip(there, keys, strict=True))
        filled = " and ".join(f"{name} is not null" for name in here)
        equal = " and ".join(f"{a} = o{number}.{b}" for a, b in zip(here, keys, strict=True))
        known = " and ".join(f"{name} is not null" for name in there)
        counts.append(f"sum(case when {filled} then 1 else 0 end)")
        counts.append(f"sum(case when {filled} and o{number}.{keys[0]} is null then 1 else 0 end)")
        target = tables[join.to_table].relation
        sources.append(
            f"left join (select distinct {listed} from {target} where {known}) as o{number}"
            f" on {equal}"
        )
    return f"select {', '.join(counts)} from {' '.join(sources)}"


def _unmeasured(join: Join, error: QueryError) -> Issue:
    return Issue(
        Level.WARNING,
        f"{join.table} -> {join.to_table}",
        f"its orphans cannot be counted: {error.message}",
        f"cast {', '.join(join.columns)} to the type of {join.to_table}'s key",
    )
