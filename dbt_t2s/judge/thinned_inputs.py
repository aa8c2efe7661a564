"""Inputs with fewer rows and other amounts: what a project's models may find on another day.

Rows go by families. A row goes with what it refers to; where every order has lines, an order keeps
all of its lines or goes with them, so that what a source itself adds up (an order's total) is still
their sum. Amounts of a family change by one whole factor for the same reason. Tables that refer to
nothing (products, stores) stay whole: questions name their rows. No value is lost, for models may
rely on those that always are there.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from dbt_t2s.duck import Connection, quoted
from dbt_t2s.judge.input_tables import InputTable, Reference

# Below this a subset may leave nothing to ask about.
_FEWEST_ROWS = 20
# Of so many rows one at a time is referred to by hardly any rows, and one by large amounts.
TURNS = 4
_LARGE = 13


@dataclass(frozen=True)
class Luck:
    """What chance decides: ``kept`` of ten rows stay in the file whose ``turn`` it is.

    Hardly any of those stay that refer to certain rows, so that ranks change, unless ``even``.
    """

    seed: int
    turn: int
    kept: int
    even: bool = False

    def of(self, purpose: str, key: str, *, every: bool = False) -> str:
        """A number that hangs on a row's key alone; the same in ``every`` file, or another."""
        turn = "" if every else self.turn
        salt = zlib.crc32(f"{self.seed}/{turn}/{key.lower()}/{purpose}".encode())
        return f"(hash({salt}, {key}) >> 8)"


@dataclass
class _Done:
    """Temporary tables by input: keys whose rows are all gone, and factors by key."""

    lost: dict[str, str] = field(default_factory=dict)
    factors: dict[str, str] = field(default_factory=dict)


def thin(
    connection: Connection,
    tables: Sequence[InputTable],
    references: Sequence[Reference],
    luck: Luck,
    *,
    scaled: bool,
) -> tuple[str, ...]:
    """Makes the tables anew, in place; the names of those that changed.

    The same luck gives the same rows. Amounts stay as they are unless ``scaled``.
    """
    done = _Done()
    changed: list[str] = []
    alone = _largest(tables) if not references else ""
    for number, table in enumerate(_parents_first(tables, references)):
        own = [each for each in references if each.child == table.name and each.parent in done.lost]
        chance = f"{luck.of('rows', table.row_key)} % 10 < {_kept(table, own, references, luck)}"
        thinned = [each for each in own if done.lost[each.parent]]
        conditions = [_keeps_parent(each, done.lost[each.parent]) for each in thinned]
        goes_along = any(each.every for each in thinned)
        if (own or table.name == alone) and table.rows >= _FEWEST_ROWS and not goes_along:
            firsts = [_is_first(table, each, chance) for each in own if each.every]
            conditions.append(f"({' or '.join((chance, *firsts))})")
        done.lost[table.name] = ""
        if not conditions:
            continue
        changed.append(table.name)
        _make(connection, table, conditions, number, own, done, luck if scaled else None)
    return tuple(changed)


def _largest(tables: Sequence[InputTable]) -> str:
    return max(tables, key=lambda each: (each.rows, each.name)).name if tables else ""


def _parents_first(
    tables: Sequence[InputTable], references: Sequence[Reference]
) -> tuple[InputTable, ...]:
    """Each table after those it refers to; of tables in a cycle the first one before them."""
    waiting = sorted(tables, key=lambda each: each.name)
    done: list[InputTable] = []
    while waiting:
        names = {each.name for each in waiting}
        blocked = {r.child for r in references if r.parent in names and r.child != r.parent}
        free = [each for each in waiting if each.name not in blocked] or waiting[:1]
        done += free
        waiting = [each for each in waiting if each not in free]
    return tuple(done)


def _make(
    connection: Connection,
    table: InputTable,
    conditions: Sequence[str],
    number: int,
    own: Sequence[Reference],
    done: _Done,
    luck: Luck | None,
) -> None:
    kept, lost, factors = (
        quoted("temp", "main", f"t2s_{each}_{number}") for each in ("kept", "lost", "factors")
    )
    scaled = luck is not None and bool(table.amounts)
    factor = _factor(table, own, done.factors, luck) if luck and scaled else "1"
    connection.execute(
        f"create temporary table {kept} as select t.rowid as r, {factor} as f"
        f" from {table.name} as t where {' and '.join(conditions)}"
    )
    if table.keys:
        key = f"cast(t.{quoted(table.keys[0])} as varchar) as k"
        there = f"from {table.name} as t join {kept} as kept on t.rowid = kept.r"
        connection.execute(
            f"create temporary table {lost} as"
            f" select {key} from {table.name} as t except select {key} {there}"
        )
        done.lost[table.name] = lost
        if scaled:
            connection.execute(
                f"create temporary table {factors} as select {key}, min(kept.f) as f {there}"
                " group by 1"
            )
            done.factors[table.name] = factors
    columns = [
        _times(name, kind) if scaled and name in table.amounts else f"t.{quoted(name)}"
        for name, kind in table.columns
    ]
    connection.execute(
        f"create or replace table {table.name} as select {', '.join(columns)}"
        f" from {table.name} as t join {kept} as kept on t.rowid = kept.r order by t.rowid"
    )


def _kept(
    table: InputTable, own: Sequence[Reference], references: Sequence[Reference], luck: Luck
) -> str:
    """How many of ten rows stay, which goes for rows and for the lines that go along with them."""
    if luck.even:
        return f"{luck.kept}"
    rare = [_is_in_turn("rare", each, luck) for each in own]
    for line in references:
        if line.parent != table.name or not line.every:
            continue
        theirs = [
            _is_in_turn("rare", each, luck)
            for each in references
            if each.child == line.child and each.parent != table.name
        ]
        if theirs:
            rare.append(
                f"cast(t.{quoted(line.key)} as varchar) in (select cast(t.{quoted(line.column)}"
                f" as varchar) from {line.child} as t where {' or '.join(theirs)})"
            )
    return (
        f"(case when {' or '.join(rare)} then 1 else {luck.kept} end)" if rare else f"{luck.kept}"
    )


def _is_in_turn(purpose: str, reference: Reference, luck: Luck) -> str:
    """That row ``t`` refers to a row whose turn it is: each has one in as many files as turns."""
    own = f"cast(t.{quoted(reference.column)} as varchar)"
    number = luck.of(f"{purpose} {reference.parent}", own, every=True)
    return f"coalesce({number} % {TURNS} = {luck.turn % TURNS}, false)"


def _keeps_parent(reference: Reference, lost: str) -> str:
    """Rows keep what they refer to if they had it; what refers to nothing still does."""
    own = f"cast(t.{quoted(reference.column)} as varchar)"
    return f"(t.{quoted(reference.column)} is null or {own} not in (select k from {lost}))"


def _is_first(table: InputTable, reference: Reference, chance: str) -> str:
    """That it is the one row by which a row, where all are referred to, still is."""
    return (
        f"t.rowid in (select arg_min(t.rowid, (not ({chance}), t.rowid)) from {table.name} as t"
        f" group by t.{quoted(reference.column)})"
    )


def _factor(
    table: InputTable, own: Sequence[Reference], factors: Mapping[str, str], luck: Luck
) -> str:
    """The factor of what row ``t`` refers to, where that has one, else its own.

    That of what refers to some rows is large, so that others are at the top.
    """
    theirs = [
        f"(select f from {factors[each.parent]} where k = cast(t.{quoted(each.column)} as varchar))"
        for each in own
        if each.parent in factors
    ]
    large = " or ".join(_is_in_turn("large", each, luck) for each in own)
    more = f" * (case when {large} then {_LARGE} else 1 end)" if large else ""
    chance = f"((1 + {luck.of('factor', table.row_key)} % 3){more})::integer"
    return f"coalesce({', '.join((*theirs, chance))})"


def _times(name: str, kind: str) -> str:
    own = f"t.{quoted(name)}"
    return f"coalesce(try_cast(try({own} * kept.f) as {kind}), {own}) as {quoted(name)}"
