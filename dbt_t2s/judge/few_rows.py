"""Files of a few rows a table: what much data hides shows where a table has five rows.

A sum where another group makes up for it, a condition that always holds beside another one, the
largest of many that are equal: near misses that a whole warehouse does not tell from the query
meant. Rows that the chosen ones refer to come with them, and so do the same rows of wide marts that
repeat a table. Values stay as they are: what is never lost in the data, or only together with
something else, may be relied on.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random

from dbt_t2s import duck
from dbt_t2s.duck import Connection, Rows, quoted
from dbt_t2s.judge.instances import Target, inspect, on_keys
from dbt_t2s.judge.relations import Path3, full_path, split_name
from dbt_t2s.project.copies import copies
from dbt_t2s.project.schema import Join, ProjectSchema, Role

FILES = 32
FEWEST, MOST = 2, 13
# In ten: how often rare values of a column are drawn as often as common ones, and rows of one value
# before others.
_BY_VALUE, _TOGETHER = 6, 2
_VALUED = (Role.CATEGORY, Role.FLAG, Role.FOREIGN_KEY, Role.TIME)
_NUMBERS = ("DECIMAL", "DOUBLE", "FLOAT", "TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT")
_SOURCE = "t2s_source"


@dataclass(frozen=True)
class _Place:
    """A table of the source and where its chosen rows are noted; all names are quoted.

    Without a ``target`` it is none of the schema's, such as a calendar, and stays whole.
    """

    name: str
    source: str
    chosen: str
    target: Target | None


def make_few(
    source: Path,
    directory: Path,
    schema: ProjectSchema,
    relations: Sequence[str],
    files: int = FILES,
    seed: int = 0,
) -> tuple[Path, ...]:
    """``files`` files called as ``source``, in folders of their own below ``directory``.

    They hold the ``relations`` that are tables of ``source``. The same seed gives the same rows.
    """
    wanted = {full_path(split_name(each), source.stem) for each in relations}
    targets = {_path(each.name, source): each for each in inspect(source, schema)}
    places: list[_Place] = []
    for catalog, schema_name, name, kind in duck.relations_of(source):
        path = full_path((catalog, schema_name, name), source.stem)
        if path in wanted and kind == "table":
            places.append(
                _Place(
                    quoted(schema_name, name),
                    quoted(_SOURCE, schema_name, name),
                    quoted("temp", "main", f"t2s_chosen_{len(places)}"),
                    targets.get(path),
                )
            )
    edges = (*schema.joins, *_back_to_copies(schema))
    return tuple(
        _made(source, directory / f"few_{number}", edges, places, seed, number)
        for number in range(files)
    )


def _back_to_copies(schema: ProjectSchema) -> list[Join]:
    """From tables to the marts that repeat their rows: either may be read for the other."""
    keys = {table.name: set(table.primary_key) for table in schema.tables}
    repeating = copies(schema)
    return [
        replace(
            join, table=join.to_table, columns=join.to_columns,
            to_table=join.table, to_columns=join.columns,
        )
        for join in schema.joins
        if join.table in repeating
        and set(join.columns) == keys[join.table]
        and set(join.to_columns) == keys[join.to_table]
    ]  # fmt: skip


def _path(name: str, source: Path) -> Path3:
    return full_path(split_name(name), source.stem)


def _made(
    source: Path,
    folder: Path,
    joins: Sequence[Join],
    places: Sequence[_Place],
    seed: int,
    number: int,
) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / source.name
    path.unlink(missing_ok=True)
    rng = Random(f"{seed}/{number}")
    escaped = str(source).replace("'", "''")
    drawn = {each.target.table.name: each for each in places if each.target is not None}
    held = [each for each in joins if {each.table, each.to_table} <= drawn.keys()]
    with duck.open_writable(path) as connection:
        connection.execute(f"attach '{escaped}' as {_SOURCE} (read_only)")
        for place in drawn.values():
            _draw(connection, place, rng)
        while sum(_follow(connection, drawn[j.table], drawn[j.to_table], j) for j in held):
            pass
        for place in places:
            connection.execute(f"create schema if not exists {quoted(split_name(place.name)[0])}")
            chosen = f"where t.rowid in (select r from {place.chosen}) order by t.rowid"
            connection.execute(
                f"create table {place.name} as from {place.source} as t"
                f" {chosen if place.target is not None else ''}"
            )
        connection.execute(f"detach {_SOURCE}")
    return path


def _draw(connection: Connection, place: _Place, rng: Random) -> None:
    """Notes which rows are chosen by chance."""
    target = place.target
    assert target is not None
    chance = f"hash(t.rowid, {rng.getrandbits(31)})"
    order = chance
    valued = {c.name.lower() for c in target.table.columns if c.role in _VALUED}
    present = [name for name, _ in target.columns if name.lower() in valued]
    way = rng.randrange(10)
    if present and way < _BY_VALUE + _TOGETHER:
        value = f"t.{quoted(rng.choice(present))}"
        first = f"row_number() over (partition by {value} order by {chance})"
        if way >= _BY_VALUE:
            first = f"min({chance}) over (partition by {value})"
        order = f"{first}, {chance}"
    connection.execute(
        f"create temporary table {place.chosen} as select t.rowid as r from {place.source} as t"
        f" order by {order} limit {rng.randint(FEWEST, MOST)}"
    )


def _follow(connection: Connection, child: _Place, parent: _Place, join: Join) -> int:
    """Chooses the rows that chosen ones refer to; how many more these are."""
    assert child.target is not None
    assert parent.target is not None
    found = connection.execute(
        f"insert into {parent.chosen} select p.rowid from {parent.source} as p"
        f" where p.rowid not in (select r from {parent.chosen})"
        f" and exists (select 1 from {child.source} as t"
        f" where t.rowid in (select r from {child.chosen})"
        f" and {on_keys(join, child.target, parent.target)})"
    ).fetchone()
    return int(found[0]) if found else 0


def without_nothing(found: Rows) -> Rows:
    """A result in which nothing is nothing, however it is written.

    Where few rows are there is often nothing to add up: one query says NULL, one zero, and one,
    which divides by it, that it is no number; one leaves out the group that has NULL for all
    numbers.
    """
    numbers = [at for at, kind in enumerate(found.types) if kind.startswith(_NUMBERS)]
    rows = found.rows
    if 0 < len(numbers) < len(found.types):
        rows = tuple(row for row in rows if any(row[at] is not None for at in numbers))
    return replace(found, rows=tuple(tuple(map(_plainly, row)) for row in rows))


def _plainly(value: object) -> object:
    nothing = value is None or (isinstance(value, float) and not math.isfinite(value))
    return 0 if nothing else value
