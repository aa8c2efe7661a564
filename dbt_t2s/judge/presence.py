"""Columns that are filled, or empty, in all rows in which another column says so.

A day of refund stands where a return is refunded and nowhere else. No test states that, yet two
right answers may rest on it. It is measured on the rows.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from dbt_t2s.duck import Connection, QueryError, quoted, run

# More values than this are no states of a row; of such columns only NULL says something.
_MOST_VALUES = 24
_NAMED = ("VARCHAR", "BOOLEAN", "TINYINT", "SMALLINT", "INTEGER", "BIGINT")
# Rows that agree so seldom by chance do not agree by chance.
_CHANCE = 1e-4
Value = str | int | bool | None


@dataclass(frozen=True)
class Presence:
    """``other`` is never NULL where ``column`` is one of ``filled``, always where one of ``empty``.

    Unless ``by_value`` the two hold True where ``column`` must be filled, False where NULL.
    ``unseen`` is what values say that no row has: where each says something, what most of them do.
    """

    column: str
    other: str
    by_value: bool
    filled: tuple[Value, ...]
    empty: tuple[Value, ...]
    unseen: bool | None = None

    def says(self, value: object) -> bool | None:
        """Whether ``other`` is filled beside this value of ``column``; None where it may be."""
        state = value if self.by_value else value is not None
        if state in self.filled or state in self.empty:
            return state in self.filled
        return self.unseen


@dataclass(frozen=True)
class _Group:
    """The rows that share a ``state``, and how many of them have each column filled."""

    state: Value
    rows: int
    filled: tuple[int, ...]


def presences(
    connection: Connection, table: str, columns: Sequence[tuple[str, str]]
) -> tuple[Presence, ...]:
    """Those of ``table`` (quoted), among ``columns``: names with their types. Lower-case names."""
    counts = [f"count({quoted(name)}), count(distinct {quoted(name)})" for name, _ in columns]
    found = _asked(connection, f"select count(*), {', '.join(counts)} from {table}")
    if not found:
        return ()
    rows, *each = found[0]
    filled = dict(zip([name for name, _ in columns], each[::2], strict=True))
    values = dict(zip(filled, each[1::2], strict=True))
    partly = [name for name, count in filled.items() if 0 < count < rows]
    made: list[Presence] = []
    for name, kind in columns:
        by_value = kind in _NAMED and values[name] <= _MOST_VALUES
        if not partly or not (by_value or name in partly):
            continue
        groups = _groups(connection, table, name, by_value, partly)
        for at, other in enumerate(partly):
            if other != name:
                made += _said(name, other, by_value, groups, at, filled[other] / rows)
    return tuple(made)


def _said(
    name: str, other: str, by_value: bool, groups: Sequence[_Group], at: int, share: float
) -> Iterator[Presence]:
    """What the states of ``name`` say of a column that is filled in this ``share`` of all rows.

    All of them where each says something: together they do not by chance.
    """
    always = [group for group in groups if group.filled[at] == group.rows]
    never = [group for group in groups if not group.filled[at]]
    unseen = None if len(always) == len(never) else len(always) > len(never)
    if len(always) + len(never) < len(groups):
        always = [group for group in always if share**group.rows < _CHANCE]
        never = [group for group in never if (1 - share) ** group.rows < _CHANCE]
        unseen = None
    elif _together(always, share) * _together(never, 1 - share) >= _CHANCE:
        return
    if always or never:
        filled, empty = (tuple(group.state for group in each) for each in (always, never))
        yield Presence(name.lower(), other.lower(), by_value, filled, empty, unseen)


def _together(groups: Sequence[_Group], share: float) -> float:
    """How likely it is by chance that all these rows are as this share of all is."""
    return float(share ** sum(group.rows for group in groups))


def _groups(
    connection: Connection, table: str, name: str, by_value: bool, others: Sequence[str]
) -> list[_Group]:
    state = quoted(name) if by_value else f"({quoted(name)} is not null)"
    counts = ", ".join(f"count({quoted(other)})" for other in others)
    found = _asked(
        connection, f"select {state}, count(*), {counts} from {table} group by 1 order by 1"
    )
    return [_Group(state, rows, tuple(filled)) for state, rows, *filled in found]


def _asked(connection: Connection, sql: str) -> tuple[tuple[int, ...], ...]:
    found = run(connection, sql)
    return () if isinstance(found, QueryError) else found.rows  # type: ignore[return-value]
