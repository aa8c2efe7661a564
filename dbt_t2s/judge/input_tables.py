"""The tables that a project's models are computed from, and which of them refer to which.

Nobody profiles them and few test them, and loads repeat rows, so what is known comes from their
data and names: a column refers to a table where it is called after it and its values are found
there.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from dbt_t2s.duck import Connection, quoted
from dbt_t2s.project.identifiers import entity_words, stem

_KEYED = ("INTEGER", "BIGINT", "SMALLINT", "HUGEINT", "UINTEGER", "UBIGINT", "VARCHAR", "UUID")
_AMOUNTS = ("DECIMAL", "DOUBLE", "FLOAT")
# Shares of rows: loaded twice, a key has fewer values than rows; a few rows point at nothing.
_DISTINCT, _FOUND, _EVERY = 0.9, 0.95, 0.99


@dataclass(frozen=True)
class InputTable:
    """``name`` is quoted, ``title`` the bare name; ``keys`` tell (nearly all) rows apart, each
    alone, the likeliest first. ``amounts`` are numbers with decimals that are no shares."""

    name: str
    title: str
    columns: tuple[tuple[str, str], ...]
    keys: tuple[str, ...]
    amounts: tuple[str, ...]
    rows: int

    @property
    def row_key(self) -> str:
        """What tells rows ``t`` apart, as SQL: repeated loads of one row share it."""
        names = self.keys[:1] or tuple(name for name, _ in self.columns)
        return ", ".join(f"t.{quoted(name)}" for name in names)


@dataclass(frozen=True)
class Reference:
    """``column`` of ``child`` points at ``key`` of ``parent`` (titles are not unique: names).

    ``every`` says that each row there is pointed at.
    """

    child: str
    column: str
    parent: str
    key: str
    every: bool


def look(connection: Connection, name: str, title: str) -> InputTable:
    """What the data says of one table."""
    described = connection.execute(f"describe {name}").fetchall()
    columns = tuple((str(row[0]), str(row[1])) for row in described)
    asked = ["count(*)"]
    for column, kind in columns:
        own = quoted(column)
        if _is(kind, _KEYED):
            asked.append(f"count(distinct {own}) >= {_DISTINCT} * count(*)")
        elif _is(kind, _AMOUNTS):
            asked.append(f"coalesce(min({own}) < 0 or max({own}) > 1, false)")
        else:
            asked.append("false")
    found = connection.execute(f"select {', '.join(asked)} from {name}").fetchone()
    rows, *marks = found or (0,)
    marked = [each for each, mark in zip(columns, marks, strict=True) if mark and rows]
    keys = [column for column, kind in marked if _is(kind, _KEYED)]
    return InputTable(
        name,
        title,
        columns,
        tuple(sorted(keys, key=lambda key: not _is_own(key, title))),
        tuple(column for column, kind in marked if _is(kind, _AMOUNTS)),
        int(rows),
    )


def references(connection: Connection, tables: Sequence[InputTable]) -> tuple[Reference, ...]:
    """At most one for each column: the table that it is called after most."""
    found: list[Reference] = []
    for child in tables:
        for column, kind in child.columns:
            if not _is(kind, _KEYED) or column in child.keys[:1]:
                continue
            likely = sorted(_likely(column, child, tables), key=lambda each: each[0])
            tried = (_tried(connection, child, column, *each[1:]) for each in likely)
            found += [each for each in (next((one for one in tried if one), None),) if each]
    return tuple(found)


def _likely(
    column: str, child: InputTable, tables: Sequence[InputTable]
) -> Iterator[tuple[int, InputTable, str]]:
    """Keys that a column may refer to, by how little their names share with its name."""
    named = set(stem(column))
    for number, parent in enumerate(tables):
        shared = named & set(entity_words(parent.title))
        for key in parent.keys if parent is not child else ():
            if shared or (named and column.lower() == key.lower()):
                yield 100 * -len(shared) + number, parent, key


def _tried(
    connection: Connection, child: InputTable, column: str, parent: InputTable, key: str
) -> Reference | None:
    """The reference, where the values bear it out."""
    own, other = (f"cast({quoted(each)} as varchar)" for each in (column, key))
    theirs, ours = f"select {other} from {parent.name}", f"select {own} from {child.name}"
    filled = f"{quoted(column)} is not null"
    row = connection.execute(
        f"select count(*), count(*) filter ({own} in ({theirs})) from {child.name} where {filled}"
    ).fetchone()
    if not row or not row[0] or row[1] < _FOUND * row[0]:
        return None
    (met,) = connection.execute(
        f"select coalesce(avg(({other} in ({ours} where {filled}))::integer), 0) from {parent.name}"
    ).fetchone() or (0,)
    return Reference(child.name, column, parent.name, key, met >= _EVERY)


def _is_own(key: str, title: str) -> bool:
    """Whether a key is called as a table's own is: ``id``, or after the table."""
    named = stem(key)
    return not named or named == entity_words(title)


def _is(kind: str, kinds: Sequence[str]) -> bool:
    return kind.upper().startswith(tuple(kinds)) and not kind.endswith("]")
