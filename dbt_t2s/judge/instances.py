"""Instances of the warehouse: one database lets wrong SQL pass by luck, several rarely do.

The first instance is the warehouse as it is; the others are perturbed on purpose. What the dbt
tests promise still holds in them: keys stay unique, joins find their rows, accepted values and
not-null columns stay so. So does what the data always holds of what is filled beside what
(``presence``). Relations between tables that no test states (a customer's stored number of orders,
say) may break: of answers that read other tables than the gold ``rebuilt`` files decide instead.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from dbt_t2s import duck
from dbt_t2s.judge.presence import Presence, presences
from dbt_t2s.judge.relations import full_path, split_name
from dbt_t2s.project.schema import Cardinality, Column, Join, Kind, ProjectSchema, Role, Table

KEPT_IN_TEN = 6
NULLED_IN_THOUSAND = 30
# Below this a subset may leave nothing to ask about.
_FEWEST_ROWS = 20
_WHOLE_TYPES = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "UBIGINT", "UINTEGER")


@dataclass(frozen=True)
class Target:
    """A queryable table as it stands in the file: ``name`` and ``fresh`` are quoted."""

    table: Table
    name: str
    fresh: str
    bare: str
    is_view: bool
    columns: tuple[tuple[str, str], ...]
    rows: int


def make_instances(
    warehouse: Path, directory: Path, schema: ProjectSchema, n: int = 2, seed: int = 0
) -> tuple[Path, ...]:
    """``n`` files of the same name as ``warehouse``, in folders of their own below ``directory``.

    Views are turned into tables: inside the sandbox a view could not read the files it may rest
    on, and it would be computed anew by every query. The same seed gives the same rows.
    """
    first = warehouse
    if any(target.is_view for target in inspect(warehouse, schema)):
        first = _rebuilt(warehouse, directory / "instance_0", schema, None)
    others = (
        _rebuilt(warehouse, directory / f"instance_{number}", schema, seed + number)
        for number in range(1, n)
    )
    return (first, *others)


def _rebuilt(warehouse: Path, directory: Path, schema: ProjectSchema, seed: int | None) -> Path:
    """A copy with its queryable tables made anew; as they are when ``seed`` is None."""
    path = duck.copy_warehouse(warehouse, directory)
    targets = inspect(path, schema)
    names = {target.table.name for target in targets}
    joins = [each for each in schema.joins if {each.table, each.to_table} <= names]
    ordered = _parents_first(targets, joins)
    with duck.open_writable(path) as connection:
        connection.execute("begin transaction")
        for target in ordered:
            if seed is not None or target.is_view:
                select = f"select * from {target.name}"
                if seed is not None:
                    ties = presences(connection, target.name, target.columns)
                    select = _perturbed(target, targets, joins, ties, seed)
                connection.execute(f"create table {target.fresh} as {select}")
        for target in reversed(ordered):
            if seed is not None or target.is_view:
                kind = "view" if target.is_view else "table"
                connection.execute(f"drop {kind} {target.name}")
                connection.execute(f"alter table {target.fresh} rename to {target.bare}")
        connection.execute("commit")
        connection.execute("checkpoint")
    return path


def inspect(path: Path, schema: ProjectSchema) -> tuple[Target, ...]:
    """The schema's tables that are in the file."""
    found = {
        (catalog.lower(), schema_name.lower(), name.lower()): (catalog, schema_name, name, kind)
        for catalog, schema_name, name, kind in duck.relations_of(path)
    }
    targets: list[Target] = []
    connection = duck.open_read_only(path)
    try:
        for number, table in enumerate(schema.tables):
            place = found.get(full_path(split_name(table.relation), path.stem))
            if place is None:
                continue
            name = duck.quoted(*place[:3])
            described = connection.execute(f"describe {name}").fetchall()
            counted = connection.execute(f"select count(*) from {name}").fetchone()
            targets.append(
                Target(
                    table=table,
                    name=name,
                    fresh=duck.quoted(place[0], place[1], f"__t2s_fresh_{number}"),
                    bare=duck.quoted(place[2]),
                    is_view=place[3] == "view",
                    columns=tuple((str(row[0]), str(row[1])) for row in described),
                    rows=int(counted[0]) if counted else 0,
                )
            )
    finally:
        connection.close()
    return tuple(targets)


def _parents_first(targets: Sequence[Target], joins: Sequence[Join]) -> tuple[Target, ...]:
    """The one side of a join before its many side; tables in a cycle, which stay whole, anyhow."""
    whole = _kept_whole(joins)
    waiting = list(targets)
    done: list[Target] = []
    while waiting:
        names = {target.table.name for target in waiting}
        blocked = {each.table for each in joins if each.to_table in names}
        free = [target for target in waiting if target.table.name not in blocked]
        # Where none is free there is a cycle, and what points at it waits until it is done.
        done += free or [target for target in waiting if target.table.name in whole]
        waiting = [target for target in waiting if target not in done]
    return tuple(done)


def _kept_whole(joins: Sequence[Join]) -> set[str]:
    """Tables in a cycle of joins, and all they point at: no subset of those is simple to keep."""
    points = {(each.table, each.to_table) for each in joins}
    left = {name for pair in points for name in pair}
    while free := left - {to_table for table, to_table in points if table in left}:
        left -= free
    return left


def _perturbed(
    target: Target,
    targets: Sequence[Target],
    joins: Sequence[Join],
    ties: Sequence[Presence],
    seed: int,
) -> str:
    """The SELECT of a table's perturbed rows."""
    key = _row_key(target)
    outer = [each for each in joins if each.table == target.table.name]
    many = any(each.cardinality == Cardinality.MANY_TO_ONE for each in outer)
    whole = _kept_whole(joins)
    conditions: list[str] = []
    if target.table.name not in whole:
        if many and target.rows >= _FEWEST_ROWS:
            conditions.append(f"{_chance('rows', key, seed)} % 10 < {KEPT_IN_TEN}")
        by_name = {each.table.name: each for each in targets}
        conditions += [_has_parent(each, target, by_name[each.to_table]) for each in outer]
    fixed = _fixed_columns(target.table, joins)
    columns = ", ".join(
        _column(target, name, kind, key, fixed, ties, seed) for name, kind in target.columns
    )
    where = f" where {' and '.join(conditions)}" if conditions else ""
    return f"select {columns} from {target.name} as t{where} order by {key}"


def _row_key(target: Target) -> str:
    """What tells rows apart: chance hangs on it, so that it does not hang on storage order."""
    present = {name.lower(): name for name, _ in target.columns}
    keys = [present[each.lower()] for each in target.table.primary_key if each.lower() in present]
    chosen = keys or [name for name, _ in target.columns]
    return ", ".join(f"t.{duck.quoted(name)}" for name in chosen)


def _chance(purpose: str, key: str, seed: int) -> str:
    """A number that hangs on the row's key alone: tables of one grain lose the same rows."""
    salt = zlib.crc32(f"{seed}/{key.lower()}/{purpose}".encode())
    return f"(hash({salt}, {key}) >> 8)"


def _has_parent(join: Join, child: Target, parent: Target) -> str:
    """Rows keep a parent if they had one; orphans that the data has stay orphans."""
    matches = on_keys(join, child, parent)
    before = f"exists (select 1 from {parent.name} as p where {matches})"
    after = f"exists (select 1 from {parent.fresh} as p where {matches})"
    return f"(not {before} or {after})"


def on_keys(join: Join, child: Target, parent: Target) -> str:
    """The condition that row ``t`` of the child refers to row ``p`` of the parent."""
    return " and ".join(
        duck.equal(
            f"p.{duck.quoted(to)}", _type(parent, to), f"t.{duck.quoted(own)}", _type(child, own)
        )
        for own, to in zip(join.columns, join.to_columns, strict=True)
    )


def _type(target: Target, column: str) -> str:
    return next((kind for name, kind in target.columns if name.lower() == column.lower()), "")


def _fixed_columns(table: Table, joins: Sequence[Join]) -> set[str]:
    """Columns that joins and keys rest on."""
    names = set(table.primary_key)
    for each in joins:
        names |= set(each.columns) if each.table == table.name else set()
        names |= set(each.to_columns) if each.to_table == table.name else set()
    names |= {each.name for each in table.columns if each.role in (Role.KEY, Role.FOREIGN_KEY)}
    names |= {each.name for each in table.columns if each.unique}
    return {name.lower() for name in names}


def _column(
    target: Target,
    name: str,
    kind: str,
    key: str,
    fixed: set[str],
    ties: Sequence[Presence],
    seed: int,
) -> str:
    written = f"t.{duck.quoted(name)}"
    described = next((c for c in target.table.columns if c.name.lower() == name.lower()), None)
    if described is None or name.lower() in fixed:
        return written
    expression = written
    if is_jittered(target, described, kind):
        # One whole factor a row: sums and differences of a row's amounts still hold exactly.
        factor = f"(1 + {_chance('factor', key, seed)} % 3)::integer"
        scaled = f"try_cast(try({written} * {factor}) as {kind})"
        expression = f"coalesce({scaled}, {written})"
    said = [tie for tie in ties if tie.column == name.lower() and tie.says(None) is not None]
    if described.nullable and not said:
        lost = f"{_chance(f'null {name.lower()}', key, seed)} % 1000 < {NULLED_IN_THOUSAND}"
        able = (_may_be_empty(tie) for tie in ties if tie.other == name.lower() and tie.filled)
        expression = f"case when {' and '.join((lost, *able))} then null else {expression} end"
    return written if expression is written else f"{expression} as {duck.quoted(name)}"


def _may_be_empty(tie: Presence) -> str:
    """That row ``t`` has no value by which the tie's other column is filled."""
    own = f"t.{duck.quoted(tie.column)}"
    state = own if tie.by_value else f"({own} is not null)"
    return " and ".join(f"{state} is distinct from {_literal(each)}" for each in tie.filled)


def _literal(value: str | int | bool | None) -> str:
    if value is None:
        return "null"
    return "'" + value.replace("'", "''") + "'" if isinstance(value, str) else str(value).lower()


def is_jittered(target: Target, column: Column, kind: str) -> bool:
    """Amounts are; rates, scores of few values, and counts beside amounts are not.

    A quantity times a price is still the amount then.
    """
    if column.role != Role.MEASURE or column.kind != Kind.NUMBER:
        return False
    if column.values_complete or _is_share(column):
        return False
    return not _is_whole(kind) or not any(
        other.role == Role.MEASURE and not _is_whole(other.type) and not _is_share(other)
        for other in target.table.columns
    )


def _is_whole(kind: str) -> bool:
    return kind.upper() in _WHOLE_TYPES


def _is_share(column: Column) -> bool:
    try:
        low, high = float(column.minimum or ""), float(column.maximum or "")
    except ValueError:
        return False
    return low >= 0 and high <= 1
