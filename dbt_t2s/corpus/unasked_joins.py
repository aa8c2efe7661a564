"""Why no question can tell a proven join: the data has it as another, or no rows that it joins."""

from __future__ import annotations

from dbt_t2s.corpus.vocabulary import Vocabulary
from dbt_t2s.duck import Execute, Rows
from dbt_t2s.project.schema import Join, Table
from dbt_t2s.query.scope import quote

_SAME = "its key is in every row the same as "
_APART = "no row of one has a partner in the other: "


def is_final(why: str) -> bool:
    """Whether the reason is one that more drawing cannot change."""
    return why.startswith((_SAME, _APART))


def why_unasked(words: Vocabulary, thing: str, execute: Execute) -> str:
    """Why no answer can be about this edge alone; empty where one can.

    ``thing`` names it as the corpus does: ``j:orders.store_id = stores.store_id``.
    """
    many, one = thing[2:].split(" = ")
    left, right = (words.tables[end.partition(".")[0]] for end in (many, one))
    if same := _same_keys(words, (many, one), execute):
        return _SAME + same
    pair = f"a.{_key(many)} = b.{_key(one)}"
    met = _numbers(
        execute,
        f"select (select count(*) from {left.relation}), (select count(*) from {right.relation}),"
        f" (select count(*) from {left.relation} as a join {right.relation} as b on {pair})",
    )
    return f"{_APART}{left.name} and {right.name}" if met and all(met[:2]) and not met[2] else ""


def _same_keys(words: Vocabulary, ends: tuple[str, str], execute: Execute) -> str:
    """The keys of the edge by which plans join the two tables, where they hold the same."""
    taken = _taken(words, ends)
    if taken is None:
        return ""
    others = {taken.table: taken.columns[0], taken.to_table: taken.to_columns[0]}
    told = []
    for end in ends:
        table, _, column = end.partition(".")
        if column == others[table]:
            continue
        if not _are_same(words.tables[table], column, others[table], execute):
            return ""
        told.append(f"{table}.{others[table]}")
    return " and ".join(told)


def _taken(words: Vocabulary, ends: tuple[str, str]) -> Join | None:
    """The edge that plans take between the tables; None where they go over other tables."""
    path = words.graph.path(*(end.partition(".")[0] for end in ends)) or ()
    return path[0] if len(path) == 1 else None


def _are_same(table: Table, one: str, other: str, execute: Execute) -> bool:
    differs = f"{quote(one)} is distinct from {quote(other)}"
    counts = f"count(*), sum(case when {differs} then 1 else 0 end)"
    found = _numbers(execute, f"select {counts} from {table.relation}")
    return bool(found) and found[0] > 0 and found[1] == 0


def _numbers(execute: Execute, sql: str) -> tuple[int, ...]:
    """The row that the SQL gives; empty where it fails."""
    found = execute(sql)
    return tuple(int(str(n)) for n in found.rows[0]) if isinstance(found, Rows) else ()


def _key(end: str) -> str:
    return quote(end.partition(".")[2])
