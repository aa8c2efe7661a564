"""Golds with ORDER BY and LIMIT: any choice among rows that tie at the limit is right.

The gold's rows alone do not say what else could have been taken, so the gold is asked again:
without its LIMIT, its sort keys as further columns at the end.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

from dbt_t2s.duck import Rows
from dbt_t2s.judge.compare import Row, close_rows, paired, plain_rows
from dbt_t2s.judge.parsed import parsed
from dbt_t2s.sql import exp, to_sql

# Orders of columns that are tried; of seven columns, not all.
_MOST_ORDERS = 2_000
# Comparisons of two rows that one group of ties may cost.
_MOST_PAIRS = 200_000


@dataclass(frozen=True)
class Ranking:
    """``sql`` gives all rows, of which a gold takes the first ``limit``; ``keys`` at the end."""

    sql: str
    keys: int
    limit: int


def ranking(sql: str, dialect: str) -> Ranking | None:
    """What a top-k gold chooses from; None for all other golds, and where keys cannot be added.

    With OFFSET, DISTINCT or a union the keys change which rows there are. SqlError if ``sql``
    cannot be read.
    """
    node = parsed(sql, dialect)
    if not isinstance(node, exp.Select) or node.args.get("offset") or node.args.get("distinct"):
        return None
    order, limit = node.args.get("order"), node.args.get("limit")
    if not isinstance(order, exp.Order) or not isinstance(limit, exp.Limit):
        return None
    count = limit.expression
    if not isinstance(count, exp.Literal) or not count.name.isdecimal() or limit.args.get("offset"):
        return None
    keys = [_meant(each.this, node) for each in order.expressions]
    if None in keys:
        return None
    whole = node.copy()
    whole.set("limit", None)
    for number, key in enumerate(keys):
        assert key is not None
        whole.append("expressions", exp.alias_(key.copy(), f"sort_key_{number}"))
    return Ranking(to_sql(whole, dialect), len(keys), int(count.name))


def is_ranked(whole: Rows, asked: Ranking, got: Rows) -> bool:
    """Whether ``got`` holds first rows of ``whole`` in its order, ties in any order and choice.

    False also where too many rows tie to say.
    """
    width = len(whole.columns) - asked.keys
    if len(got.columns) != width or got.truncated or not got.rows:
        return False
    if len(got.rows) != min(asked.limit, len(whole.rows)):
        return False
    groups = _groups(plain_rows(whole), width, len(got.rows))
    if whole.truncated and sum(map(len, groups)) == len(whole.rows):
        return False  # more rows may tie than came
    rows = plain_rows(got)
    orders = itertools.islice(itertools.permutations(range(width)), _MOST_ORDERS)
    return any(
        _fits(groups, [tuple(row[each] for each in order) for row in rows]) for order in orders
    )


def _groups(rows: Sequence[Row], width: int, count: int) -> list[list[Row]]:
    """Rows with equal keys together, without the keys, until there are ``count`` at least."""
    groups: list[list[Row]] = []
    before: Row | None = None
    for taken, row in enumerate(rows):
        tied = before is not None and close_rows(before, row[width:])
        if not tied:
            if taken >= count:
                break
            groups.append([])
        groups[-1].append(row[:width])
        before = row[width:]
    return groups


def _fits(groups: Sequence[list[Row]], rows: Sequence[Row]) -> bool:
    """Whether the rows are the groups one after the other; of the last, part may be left out."""
    start = 0
    for group in groups:
        part = list(rows[start : start + len(group)])
        start += len(group)
        if len(part) * len(group) > _MOST_PAIRS or not paired(part, group):
            return False
    return True


def _meant(key: exp.Expr, select: exp.Select) -> exp.Expr | None:
    """The expression sorted by: ``order by 1`` and an alias mean an output column."""
    outputs = select.expressions
    if isinstance(key, exp.Literal) and not key.is_string:
        position = int(key.name) - 1 if key.name.isdecimal() else -1
        if select.is_star or not 0 <= position < len(outputs):
            return None
        return _unaliased(outputs[position])
    names = {each.alias.lower(): each for each in outputs if isinstance(each, exp.Alias)}
    if isinstance(key, exp.Column) and not key.table and key.name.lower() in names:
        return _unaliased(names[key.name.lower()])
    # Within an expression an alias may mean its output or a column: not decided here.
    mixed = any(not each.table and each.name.lower() in names for each in key.find_all(exp.Column))
    return None if mixed else key


def _unaliased(node: exp.Expr) -> exp.Expr:
    return node.this if isinstance(node, exp.Alias) else node
