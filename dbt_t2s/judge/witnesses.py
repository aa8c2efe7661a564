"""Rows made for the queries at hand: they tell a query from its near misses.

For each value that a query compares a column with, a row just below, at and just above it, while
all else of the query holds. What holds in the data holds in these rows: they are copies of rows
that are there (``copied_rows``).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from pathlib import Path

from dbt_t2s import duck
from dbt_t2s import sql as language
from dbt_t2s.duck import Connection, QueryError, Rows, quoted, run
from dbt_t2s.judge.copied_rows import Copied, Copier, Place
from dbt_t2s.judge.instances import Target, inspect
from dbt_t2s.judge.row_reader import TornError
from dbt_t2s.judge.row_ties import Ties
from dbt_t2s.judge.wanted_values import Same, Selected, Value, Wanted, selected
from dbt_t2s.project.schema import Kind, ProjectSchema

_TIMEOUT_S = 10.0
# Groups of more rows than this, and more groups than this, are not made.
_LARGEST_GROUP = 6
_MOST_GROUPS = 10
# (an INSERT, the values of its ``?``).
Insert = tuple[str, tuple[object, ...]]


@dataclass(frozen=True)
class NewText:
    """A value that no row of a column has yet."""

    text: str


Changes = dict[tuple[Place, str], Value | NewText]


@dataclass(frozen=True)
class Planted:
    """How many ``rows`` were written for how many ``queries``; ``torn`` were given up."""

    rows: int
    queries: int
    torn: int


def plant(path: Path, schema: ProjectSchema, golds: Sequence[str]) -> Planted:
    """Writes into the file the rows that tell ``golds`` from their near misses.

    The golds are in the schema's dialect. Rows depend on the file and the golds alone.
    """
    targets = tuple(target for target in inspect(path, schema) if not target.is_view)
    connection = duck.open_read_only(path, timeout_s=_TIMEOUT_S)
    try:
        found = _witnesses(connection, targets, schema, golds)
    finally:
        connection.close()
    names = {target.table.name: target for target in targets}
    statements = [_insert(names[copied.table], copied) for copied in found.rows]
    with duck.open_writable(path) as writable:
        failed = _written(writable, statements)
        writable.execute("checkpoint")
    return Planted(len(statements) - failed, found.queries, found.torn + failed)


def _written(connection: Connection, statements: Sequence[Insert]) -> int:
    """Writes all at once, or, where the file's own constraints forbid one, each for itself.

    The number of those that were not written.
    """
    run(connection, "begin transaction")
    results = (run(connection, sql, values=values) for sql, values in statements)
    if not any(isinstance(result, QueryError) for result in results):
        run(connection, "commit")
        return 0
    run(connection, "rollback")
    alone = [run(connection, sql, values=values) for sql, values in statements]
    return sum(isinstance(result, QueryError) for result in alone)


@dataclass
class _Found:
    rows: list[Copied]
    queries: int = 0
    torn: int = 0


def _witnesses(
    connection: Connection, targets: Sequence[Target], schema: ProjectSchema, golds: Sequence[str]
) -> _Found:
    copier = Copier(connection, Ties(connection, targets, schema.joins))
    known = replace(schema, dialect="duckdb", rules=())
    found = _Found([])
    seen: set[tuple[object, ...]] = set()
    composite: set[tuple[object, ...]] = set()
    for gold in dict.fromkeys(golds):
        for select in _selects(gold, schema.dialect, known):
            found.queries += 1
            scaled = not any(_is_number(select, each) for each in select.wanted)
            for rows, changes in _variants(connection, copier, select):
                key = (tuple(rows), tuple(sorted(changes.items(), key=str)))
                many = any(isinstance(each, NewText) for each in changes.values())
                if key in seen and not many:
                    continue
                seen.add(key)
                copies = _copied(copier, rows, changes, scaled)
                if copies is None:
                    found.torn += 1
                elif _is_new(copier, copies, composite):
                    found.rows += copies
    return found


def _copied(
    copier: Copier, rows: Sequence[Place], changes: Changes, scaled: bool
) -> tuple[Copied, ...] | None:
    """None where no such rows may be; without the new texts where those may not."""
    known = {at: each for at, each in changes.items() if not isinstance(each, NewText)}
    said = {at: each.text if isinstance(each, NewText) else each for at, each in changes.items()}
    for tried in (said, known) if len(known) < len(changes) else (known,):
        try:
            return copier.copy(rows, tried, scaled)
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


def _variants(
    connection: Connection, copier: Copier, select: Selected
) -> Iterator[tuple[list[Place], Changes]]:
    """The rows to copy and their changes, one by one: first what the query finds, then others."""
    ties = copier.ties
    if any(table.name not in ties.targets for _, table in select.tables):
        return
    based = _base(connection, copier, select)
    if based is None:
        return
    places, fits = based
    rows = list(places.values())
    anchor = _fixed(connection, copier, select, places, fits)
    yield rows, anchor
    yield from _alone(copier, places, anchor)
    fresh = [(places[source], column) for source, column in select.told if source in places]
    for wanted in select.wanted:
        place = places.get(wanted.source)
        if place is None:
            continue
        for value in _allowed(copier, place[0], wanted):
            changes = {**anchor, (place, wanted.column.lower()): value}
            told = [each for each in fresh if each not in changes]
            if told:
                yield rows, {**changes, **dict.fromkeys(told, _new_text(copier))}
            else:
                yield rows, changes
    if fresh and not any(each in anchor for each in fresh):
        for size in _group_sizes(select):
            text = _new_text(copier)
            for _ in range(size):
                yield rows, {**anchor, **dict.fromkeys(fresh, text)}


def _new_text(copier: Copier) -> NewText:
    return NewText(f"New {copier.count()}")


def _group_sizes(select: Selected) -> Iterator[int]:
    """Groups of as many rows as HAVING asks for, one less and one more; more than LIMIT takes."""
    if 0 < select.counted <= _LARGEST_GROUP:
        yield from (select.counted - 1, select.counted, select.counted + 1)
    elif 0 < select.limit <= _MOST_GROUPS:
        yield from (1 for _ in range(select.limit + 1))
    else:
        yield 1


def _alone(
    copier: Copier, places: Mapping[str, Place], anchor: Changes
) -> Iterator[tuple[list[Place], Changes]]:
    """For each join a row that nothing names, and one that names nothing, where that may be."""
    named = {place[0] for place in places.values()}
    for place in places.values():
        own = {key: value for key, value in anchor.items() if key[0] == place}
        for link in copier.ties.links(place[0]):
            if link.twins or link.other not in named or len(link.columns) != 1:
                continue
            yield [place], {**own, (place, link.columns[0]): None}
            for other in places.values():
                if other[0] == link.other:
                    kept = {key: value for key, value in anchor.items() if key[0] == other}
                    yield [other], kept


def _base(
    connection: Connection, copier: Copier, select: Selected
) -> tuple[dict[str, Place], tuple[bool, ...]] | None:
    """Rows that fulfil as many of the conditions as any do, by the tables' names in the query."""
    ids = [f"{quoted(name)}.rowid" for name, _ in select.tables]
    flags = [f"coalesce(({sql}), false)" for _, _, sql in select.simple]
    scores = [f"{flag}::integer" for flag in flags]
    if select.lent:
        scores.append(f"coalesce(({select.lent}), false)::integer * {len(flags) + 1}")
    shown = [f"({each} is not null)::integer" for each in select.shown]
    order = [f"{' + '.join(each)} desc" for each in (scores, shown) if each] + ids
    for others in dict.fromkeys((select.others, ())):
        where = f" where {' and '.join(f'({each})' for each in others)}" if others else ""
        found = run(
            connection,
            f"select {', '.join((*ids, *flags))} from {select.joined}{where}"
            f" order by {', '.join(order)} limit 1",
        )
        if isinstance(found, QueryError) or not found.rows:
            continue
        row = found.rows[0]
        places = {
            name: (table.name, int(str(rowid)))
            for (name, table), rowid in zip(select.tables, row, strict=False)
            if rowid is not None
        }
        if select.tables[0][0] in places:
            return places, tuple(bool(each) for each in row[len(ids) :])
    return None


def _fixed(
    connection: Connection,
    copier: Copier,
    select: Selected,
    places: Mapping[str, Place],
    fits: Sequence[bool],
) -> Changes:
    """The changes after which the rows fulfil the conditions that they do not."""
    changes: Changes = {}
    wanted = {(each.source, each.column): each for each in select.wanted}
    missed = {
        (source, column)
        for (source, column, _), fit in zip(select.simple, fits, strict=True)
        if not fit
    }
    for source, column in sorted(missed):
        place, values = places.get(source), wanted.get((source, column))
        if place is None or values is None:
            continue
        kind = copier.ties.types(place[0])[column.lower()]
        conditions = [sql for own, name, sql in select.simple if (own, name) == (source, column)]
        for value in _allowed(copier, place[0], values):
            sql = (
                f"select {' and '.join(f'({each})' for each in conditions)}"
                f" from (select ?::{kind} as {quoted(column)}) as {quoted(source)}"
            )
            row = run(connection, sql, values=[value])
            if isinstance(row, Rows) and row.rows[0][0] and not isinstance(value, Same):
                changes[place, column.lower()] = value
                break
    return changes


def _allowed(copier: Copier, table: str, wanted: Wanted) -> tuple[Value, ...]:
    """The wanted values as the column can hold them: dates of its time, at its periods' starts."""
    ties, column = copier.ties, wanted.column.lower()
    if column in ties.unique(table):
        return ()
    if not ties.is_time(table, column):
        return tuple(each for each in wanted.values if copier.may_name(table, column, each))
    unit = ties.period(table, column)
    low, high = ties.span(table, column)
    found: dict[Value, None] = {}
    for value in wanted.values:
        if not isinstance(value, date) or not isinstance(low, date) or not isinstance(high, date):
            found[value] = None
            continue
        if ties.last_day is not None and _moment(ties.last_day) > _moment(high):
            high = ties.last_day
        if unit:
            begun = copier.calendar(f"date_trunc('{unit}', {{}})", value, "TIMESTAMP")
            if not isinstance(begun, datetime):
                continue
            value = begun if isinstance(low, datetime) else begun.date()
        if _moment(low) <= _moment(value) <= _moment(high):
            found[value] = None
    return tuple(found)


def _is_number(select: Selected, wanted: Wanted) -> bool:
    table = dict(select.tables)[wanted.source]
    return table.column(wanted.column).kind is Kind.NUMBER


def _moment(value: date) -> datetime:
    if isinstance(value, datetime):
        return value.replace(tzinfo=None)
    return datetime(value.year, value.month, value.day)


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


def _insert(target: Target, copied: Copied) -> Insert:
    types = {name.lower(): (name, kind) for name, kind in target.columns}
    replaced = ", ".join(
        f"?::{types[name][1]} as {quoted(types[name][0])}" for name, _ in copied.changes
    )
    columns = f"* replace ({replaced})" if replaced else "*"
    return (
        f"insert into {target.name} select {columns} from {target.name} where rowid = ?",
        (*(value for _, value in copied.changes), copied.rowid),
    )
