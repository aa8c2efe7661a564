"""How a gold statement orders its rows, and where it cuts them off."""

from __future__ import annotations

from dataclasses import dataclass

from dbt_t2s import sql as language
from dbt_t2s.judge.parsed import parsed
from dbt_t2s.sql import exp


@dataclass(frozen=True)
class UncutQuery:
    """A statement without its LIMIT; sort keys that it does not show stand after its columns.

    ``keys`` are the positions of the sort keys among the columns of ``sql``.
    """

    sql: str
    keys: tuple[int, ...]


def is_ordered(sql: str, dialect: str) -> bool:
    """Whether the statement's own, outermost query has an ORDER BY."""
    return _outer_order(sql, dialect) is not None


def sort_keys(sql: str, dialect: str) -> tuple[int, ...]:
    """Where the outer ORDER BY's keys stand among the output columns; empty if not all do."""
    order = _outer_order(sql, dialect)
    query = parsed(sql, dialect).unnest()
    if order is None or not isinstance(query, exp.Query) or query.is_star:
        return ()
    outputs = [_without_alias(each) for each in query.selects]
    names = [each.alias_or_name.lower() for each in query.selects]
    found: list[int] = []
    for ordered in order.expressions:
        key = ordered.this
        if isinstance(key, exp.Literal) and not key.is_string:
            found.append(int(key.this) - 1)
        elif isinstance(key, exp.Column) and not key.table and key.name.lower() in names:
            found.append(names.index(key.name.lower()))
        elif key in outputs:
            found.append(outputs.index(key))
        else:
            return ()
    return tuple(found) if all(0 <= each < len(outputs) for each in found) else ()


def _outer_order(sql: str, dialect: str) -> exp.Expr | None:
    node = parsed(sql, dialect)
    while isinstance(node, exp.Subquery) and not node.args.get("order"):
        node = node.this
    order = node.args.get("order")
    return order if isinstance(order, exp.Expr) else None


def _without_alias(node: exp.Expr) -> exp.Expr:
    return node.this if isinstance(node, exp.Alias) else node


def uncut(sql: str, dialect: str) -> UncutQuery | None:
    """The statement that shows which rows were equals where this one had to choose.

    None where it does not choose: it has no LIMIT, and shows what it is sorted by. None, too, where
    that cannot be told: an OFFSET, or an order by something that no column can be made of.
    """
    query = parsed(sql, dialect).unnest()
    order, limit = query.args.get("order"), query.args.get("limit")
    keys = sort_keys(sql, dialect)
    if query.args.get("offset") or (limit is None and (order is None or keys)):
        return None
    if limit is not None and not isinstance(limit, exp.Limit):
        return None
    query = query.copy()
    query.set("limit", None)
    if order is None or keys:
        return UncutQuery(language.to_sql(query, dialect), keys)
    if not isinstance(query, exp.Select) or query.args.get("distinct") or query.is_star:
        return None
    return _with_keys(query, order, dialect)


def _with_keys(query: exp.Select, order: exp.Expr, dialect: str) -> UncutQuery | None:
    """The query with each sort key as one more column."""
    shown = len(query.selects)
    named = {each.alias.lower(): each.this for each in query.selects if isinstance(each, exp.Alias)}
    keys: list[int] = []
    for number, ordered in enumerate(order.expressions):
        key = ordered.this
        if isinstance(key, exp.Literal):
            if key.is_string or not 0 < int(key.this) <= shown:
                return None
            keys.append(int(key.this) - 1)
            continue
        if isinstance(key, exp.Column) and not key.table:
            key = named.get(key.name.lower(), key)
        query.append("expressions", exp.alias_(key.copy(), f"sort_key_{number}"))
        keys.append(len(query.expressions) - 1)
    return UncutQuery(language.to_sql(query, dialect), tuple(keys))
