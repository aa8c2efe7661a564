"""Files of a few rows a table: what much data hides shows where a table has five rows.

A sum where another group makes up for it, a condition that always holds beside another one, the
largest of many that are equal: near misses that a whole warehouse does not tell from the query
meant. Rows that the chosen ones refer to come with them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random

from dbt_t2s import duck
from dbt_t2s.duck import Connection, quoted
from dbt_t2s.judge.instances import Target, fixed_columns, inspect, on_keys
from dbt_t2s.judge.relations import Path3, full_path, split_name
from dbt_t2s.project.schema import Join, ProjectSchema, Role

FILES = 24
FEWEST, MOST = 2, 13
# In ten: how often rare values are drawn as often as common ones.
_BY_VALUE = 6
# In every other file one value in so many is lost, where no test forbids it.
_LOST_IN = 8
_VALUED = (Role.CATEGORY, Role.FLAG, Role.FOREIGN_KEY, Role.TIME)
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
    return tuple(
        _made(source, directory / f"few_{number}", schema.joins, places, seed, number)
        for number in range(files)
    )


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
            rows = _rows(place, joins, rng, losing=number % 2 == 1)
            connection.execute(f"create table {place.name} as {rows}")
        connection.execute(f"detach {_SOURCE}")
    return path


def _draw(connection: Connection, place: _Place, rng: Random) -> None:
    """Notes which rows are chosen by chance."""
    target = place.target
    assert target is not None
    chance = f"hash(t.rowid, {rng.getrandbits(31)})"
    order = chance
    valued = [c.name for c in target.table.columns if c.role in _VALUED]
    present = [name for name, _ in target.columns if name in valued]
    if present and rng.randrange(10) < _BY_VALUE:
        value = f"t.{quoted(rng.choice(present))}"
        order = f"row_number() over (partition by {value} order by {chance}), {chance}"
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


def _rows(place: _Place, joins: Sequence[Join], rng: Random, *, losing: bool) -> str:
    """The SELECT of a table's rows."""
    if place.target is None:
        return f"from {place.source}"
    columns = ["t.*"]
    if losing:
        fixed = fixed_columns(place.target.table, joins)
        free = {
            c.name.lower()
            for c in place.target.table.columns
            if c.nullable and c.name.lower() not in fixed
        }
        columns = [
            _lost(quoted(name), rng.getrandbits(31)) if name.lower() in free else quoted(name)
            for name, _ in place.target.columns
        ]
    return (
        f"select {', '.join(columns)} from {place.source} as t"
        f" where t.rowid in (select r from {place.chosen}) order by t.rowid"
    )


def _lost(column: str, salt: int) -> str:
    lost = f"(hash(t.rowid, {salt}) >> 8) % {_LOST_IN} = 0"
    return f"case when {lost} then null else t.{column} end as {column}"
