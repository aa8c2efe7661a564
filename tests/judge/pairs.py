"""Pairs of a query and another one, judged on one file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from dbt_t2s import duck
from dbt_t2s.duck import QueryError, Rows
from dbt_t2s.judge.compare import Uncut, compare
from dbt_t2s.judge.few_rows import without_nothing
from dbt_t2s.judge.gold_order import is_ordered, sort_keys, uncut

TIMEOUT_S = 2.0
# ``compare`` calls no cut, unordered result equal to another, not even to itself.
MOST_ROWS = 100_000


@dataclass(frozen=True)
class Pair:
    """``kind`` is a mistake's or a rewrite's, ``law`` why the two are equal, if they are."""

    gold: str
    kind: str
    sql: str
    law: str = ""


def told_apart(
    path: Path, pairs: Sequence[Pair], *, of_few: bool = False
) -> tuple[tuple[Pair, str], ...]:
    """The pairs that the file tells apart, with how; golds that fail tell nothing.

    Nor does an error where the file is one ``of_few`` rows, as ``validate`` has it.
    """
    connection = duck.open_read_only(path, timeout_s=TIMEOUT_S)
    golds: dict[str, Rows | QueryError] = {}
    orders: dict[str, tuple[bool, tuple[int, ...]]] = {}
    every: dict[str, Uncut | None] = {}
    apart: list[tuple[Pair, str]] = []
    try:
        for pair in pairs:
            if pair.gold not in golds:
                golds[pair.gold] = _ran(connection, pair.gold, of_few)
                orders[pair.gold] = is_ordered(pair.gold, "duckdb"), sort_keys(pair.gold, "duckdb")
            gold = golds[pair.gold]
            if isinstance(gold, QueryError):
                continue
            got = _ran(connection, pair.sql, of_few)
            if isinstance(got, QueryError):
                if of_few:
                    continue
                apart.append((pair, f"{got.kind}: {got.message}"))
                continue
            verdict = compare(gold, got, *orders[pair.gold])
            if not verdict.equal:
                if pair.gold not in every:
                    every[pair.gold] = _uncut(connection, pair.gold, of_few)
                verdict = compare(gold, got, *orders[pair.gold], uncut=every[pair.gold])
            if not verdict.equal:
                apart.append((pair, verdict.reason))
    finally:
        connection.close()
    return tuple(apart)


def _ran(connection: duck.Connection, sql: str, of_few: bool) -> Rows | QueryError:
    rows = duck.run(connection, sql, MOST_ROWS)
    return without_nothing(rows) if of_few and isinstance(rows, Rows) else rows


def _uncut(connection: duck.Connection, gold: str, of_few: bool) -> Uncut | None:
    """All rows among which the gold's LIMIT or order had to choose, as ``validate`` asks."""
    whole = uncut(gold, "duckdb")
    rows = None if whole is None else _ran(connection, whole.sql, of_few)
    return Uncut(rows, whole.keys) if whole is not None and isinstance(rows, Rows) else None
