"""Rows made for the queries at hand: they tell a query from its near misses.

For each value that a query compares a column with, a row just below, at and just above it, while
all else of the query holds. What holds in the data holds in these rows: they are copies of rows
that are there (``copied_rows``).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

from dbt_t2s import duck
from dbt_t2s import sql as language
from dbt_t2s.duck import Connection, QueryError, quoted, run
from dbt_t2s.judge.copied_rows import Copied, Copier
from dbt_t2s.judge.instances import Target, inspect
from dbt_t2s.judge.row_averages import at_averages
from dbt_t2s.judge.row_bases import New, Reach
from dbt_t2s.judge.row_plans import Amounts, Plan, Planner
from dbt_t2s.judge.row_reader import TornError
from dbt_t2s.judge.row_ties import Ties
from dbt_t2s.judge.selected import Selected, selected
from dbt_t2s.judge.sources import listed_values
from dbt_t2s.judge.wanted_values import Wanted
from dbt_t2s.project.schema import Kind, ProjectSchema

_TIMEOUT_S = 10.0
# Whole factors of amounts; a number of rows later than the one before is added up to this.
_FACTORS = {Amounts.SAME: 1, Amounts.LARGER: 11, Amounts.LARGEST: 41}
_MOST_ADDED = 23
_MOST_AT_ONCE = 50


@dataclass(frozen=True)
class Planted:
    """How many ``rows`` were written for how many ``queries``; ``torn`` were given up."""

    rows: int
    queries: int
    torn: int


def plant(
    path: Path,
    schema: ProjectSchema,
    golds: Sequence[str],
    today: date | None = None,
    calendars: Sequence[str] = (),
) -> Planted:
    """Writes into the file the rows that tell ``golds`` from their near misses.

    The golds are in the schema's dialect. Rows depend on what is given here alone. None is of a
    day after ``today``, or after the data's own last day where that is later, nor of one that a
    relation of ``calendars`` does not reach back to.
    """
    targets = tuple(target for target in inspect(path, schema) if not target.is_view)
    connection = duck.open_read_only(path, timeout_s=_TIMEOUT_S)
    try:
        reach = _reach(connection, calendars, today)
        found = _witnesses(connection, targets, schema, golds, reach)
    finally:
        connection.close()
    with duck.open_writable(path) as writable:
        failed = _written(writable, {each.table.name: each for each in targets}, found.rows)
        writable.execute("checkpoint")
    return Planted(len(found.rows) - failed, found.queries, found.torn + failed)


def _reach(connection: Connection, calendars: Sequence[str], today: date | None) -> Reach:
    """The days that all calendars hold, until today."""
    first: list[date] = []
    last: list[date] = [] if today is None else [today]
    for relation in calendars:
        for days, way in ((first, ""), (last, " desc")):
            found = run(connection, f"select * from {relation} order by 1{way} limit 1")
            if not isinstance(found, QueryError) and found.rows:
                days += [each for each in found.rows[0] if isinstance(each, date)][:1]
    return Reach(max(first, key=str, default=None), min(last, key=str, default=None))


def _written(connection: Connection, targets: Mapping[str, Target], rows: Sequence[Copied]) -> int:
    """Writes all at once, or, where the file's own constraints forbid one, each for itself.

    The number of those that were not written.
    """
    alike: dict[tuple[str, tuple[str, ...]], list[Copied]] = {}
    for row in rows:
        columns = tuple(name for name, _ in row.changes)
        alike.setdefault((row.table, columns), []).append(row)
    batches = [
        each[start : start + _MOST_AT_ONCE]
        for each in alike.values()
        for start in range(0, len(each), _MOST_AT_ONCE)
    ]
    run(connection, "begin transaction")
    if all(_is_written(connection, targets[each[0].table], each) for each in batches):
        run(connection, "commit")
        return 0
    run(connection, "rollback")
    return sum(not _is_written(connection, targets[row.table], [row]) for row in rows)


def _is_written(connection: Connection, target: Target, rows: Sequence[Copied]) -> bool:
    """Writes copies that change the same columns of one table."""
    types = {name.lower(): (quoted(name), kind) for name, kind in target.columns}
    names = [name for name, _ in rows[0].changes]
    values = f"({', '.join('?' for _ in (*names, 0))})"
    replaced = ", ".join(
        f"v.c{number}::{types[name][1]} as {types[name][0]}" for number, name in enumerate(names)
    )
    aliases = ", ".join(("rid", *(f"c{number}" for number in range(len(names)))))
    columns = f"t.* replace ({replaced})" if replaced else "t.*"
    result = run(
        connection,
        f"insert into {target.name} select {columns} from {target.name} as t"
        f" join (values {', '.join(values for _ in rows)}) as v({aliases})"
        " on t.rowid = v.rid order by all",
        values=[each for row in rows for each in (row.rowid, *(value for _, value in row.changes))],
    )
    return not isinstance(result, QueryError)


@dataclass
class _Found:
    rows: list[Copied]
    queries: int = 0
    torn: int = 0


def _witnesses(
    connection: Connection,
    targets: Sequence[Target],
    schema: ProjectSchema,
    golds: Sequence[str],
    reach: Reach,
) -> _Found:
    copier = Copier(connection, Ties(connection, targets, schema.joins, listed_values(schema)))
    planner = Planner(connection, copier, reach)
    known = replace(schema, dialect="duckdb", rules=())
    found = _Found([])
    seen: set[tuple[object, ...]] = set()
    composite: set[tuple[object, ...]] = set()
    selects: list[Selected] = []
    for gold in dict.fromkeys(golds):
        selects += _selects(gold, schema.dialect, known)
    found.queries = len(selects)
    for plans in (planner.plans, planner.ends):
        for select in selects:
            scaled = not any(_is_number(select, each) for each in select.wanted)
            for plan in plans(select):
                amounts = plan.amounts if scaled else Amounts.SAME
                key = (plan.rows, tuple(sorted(plan.changes.items(), key=str)), amounts)
                many = any(isinstance(each, New) for each in plan.changes.values())
                if key in seen and not many:
                    continue
                seen.add(key)
                for _ in range(plan.times):
                    copies = _copied(copier, plan, amounts)
                    if copies is None:
                        found.torn += 1
                        break
                    if _is_new(copier, copies, composite):
                        found.rows += copies
                        for copied in copies:
                            for column, value in copied.changes:
                                planner.note(copied.table, column, value)
    for copies in at_averages(copier, selects, found.rows):
        found.rows += copies
    return found


def _copied(copier: Copier, plan: Plan, amounts: Amounts) -> tuple[Copied, ...] | None:
    """None where no such rows may be; without the new texts where those may not."""
    changes = plan.changes
    known = {at: each for at, each in changes.items() if not isinstance(each, New)}
    said = {at: each.value if isinstance(each, New) else each for at, each in changes.items()}
    factor = _FACTORS[amounts]
    if factor > 1:
        factor = factor + copier.count() % _MOST_ADDED if changes else 2
    for tried in (said, known) if len(known) < len(changes) else (known,):
        try:
            return copier.copy(plan.rows, tried, factor)
        except TornError:
            continue
    return None


def _selects(gold: str, dialect: str, schema: ProjectSchema) -> tuple[Selected, ...]:
    """None where a gold cannot be read or holds what DuckDB has no form for."""
    try:
        written = gold if dialect == "duckdb" else language.transpile(gold, dialect, "duckdb")
        return selected(written, schema)
    except language.SqlError:
        return ()


def _is_number(select: Selected, wanted: Wanted) -> bool:
    table = dict(select.tables)[wanted.source]
    return table.column(wanted.column).kind is Kind.NUMBER


def _is_new(copier: Copier, copies: Sequence[Copied], taken: set[tuple[object, ...]]) -> bool:
    """Whether no row has the copies' keys of several columns yet."""
    keys: list[tuple[object, ...]] = []
    for copied in copies:
        table = copier.ties.targets[copied.table].table
        names = [each.lower() for each in table.primary_key]
        if len(names) < 2:
            continue
        values = {**copier.row(copied.table, copied.rowid), **dict(copied.changes)}
        key = tuple(values[name] for name in names)
        condition = " and ".join(f"{quoted(name)} is not distinct from ?" for name in names)
        if copier.rows(copied.table, condition, key) or (copied.table, *key) in taken:
            return False
        keys.append((copied.table, *key))
    taken.update(keys)
    return True
