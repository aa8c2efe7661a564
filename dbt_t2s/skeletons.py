"""A query's skeleton: its shape, with typed slots for names and literals."""

from __future__ import annotations

import re
from collections.abc import Mapping

from dbt_t2s.sql import exp, parse_one, to_sql

_DATE = re.compile(r"\d{4}-\d{2}-\d{2}\Z")
_TIMESTAMP = re.compile(r"\d{4}-\d{2}-\d{2}[ T]\d{2}:\d{2}")
# Literals that are part of a type, a format or a unit, not of what is asked.
_KEPT_LITERALS = (exp.DataTypeParam, exp.Interval, exp.TimeToStr, exp.StrToTime)


def skeleton(sql: str, dialect: str) -> str:
    """The query's shape: typed slots for names and literals, aliases numbered in order.

    Slots are ``_table``, ``_column``, ``_text``, ``_number``, ``_date`` and ``_timestamp``.
    """
    tree = parse_one(sql, dialect)
    ctes = {cte.alias: f"q{index}" for index, cte in enumerate(tree.find_all(exp.CTE), 1)}
    fill_slots(tree, {}, ctes)
    return to_sql(tree, dialect)


def fill_slots(
    tree: exp.Expr, kinds: Mapping[int, str], ctes: Mapping[str, str] | None = None
) -> None:
    """Turns a parse tree into its skeleton, in place.

    ``kinds`` gives the slots of columns by the ``id`` of their nodes (``_column`` for others),
    ``ctes`` the names that CTEs get (``_table`` for others). Aliases are numbered in each SELECT.
    """
    names = ctes or {}
    nodes = list(tree.walk())
    slots = {id(node): _slot(node, kinds) for node in nodes}
    aliases = {id(node): _number_aliases(node) for node in nodes if isinstance(node, exp.Select)}
    for node in nodes:
        if isinstance(node, exp.Column) and not isinstance(node.parent, exp.Alias | exp.Select):
            slots[id(node)] = _looked_up(node, aliases) or slots[id(node)]
    for node in nodes:
        slot = slots[id(node)]
        if isinstance(node, exp.CTE):
            alias = exp.to_identifier(names.get(node.alias, "_table"))
            node.set("alias", exp.TableAlias(this=alias))
        elif isinstance(node, exp.Subquery):
            node.set("alias", None)
        elif isinstance(node, exp.Table) and not isinstance(node.this, exp.Func):
            name = "_table" if node.args.get("db") else names.get(node.name, "_table")
            node.args.update(this=exp.to_identifier(name), db=None, catalog=None, alias=None)
        elif slot is not None and node.parent is not None:
            node.replace(slot)
    for node in nodes:
        if isinstance(node, exp.Select):
            _rename_aliases(node, aliases[id(node)])


def _number_aliases(select: exp.Select) -> dict[str, str]:
    """New names a1, a2, … for output aliases, but for those that repeat the column's name."""
    aliases: dict[str, str] = {}
    for each in select.expressions:
        if isinstance(each, exp.Alias) and not _repeats(each):
            aliases.setdefault(each.alias, f"a{len(aliases) + 1}")
    return aliases


def _repeats(alias: exp.Alias) -> bool:
    return isinstance(alias.this, exp.Column) and alias.this.name == alias.alias


def _rename_aliases(select: exp.Select, aliases: Mapping[str, str]) -> None:
    for each in list(select.expressions):
        if isinstance(each, exp.Alias):
            if each.alias in aliases:
                each.set("alias", exp.to_identifier(aliases[each.alias]))
            else:
                each.replace(each.this)


def _looked_up(node: exp.Column, aliases: Mapping[int, Mapping[str, str]]) -> exp.Expr | None:
    """The slot of an output's name where it is looked up; elsewhere it is a column."""
    if node.table or not node.find_ancestor(exp.Order, exp.Group, exp.Having, exp.Qualify):
        return None
    name = aliases.get(id(node.find_ancestor(exp.Select)), {}).get(node.name)
    return exp.column(name) if name else None


def _slot(node: exp.Expr, kinds: Mapping[int, str]) -> exp.Expr | None:
    """What stands for a column or a literal; None for nodes that stay."""
    if isinstance(node, exp.Column):
        star = isinstance(node.this, exp.Star)
        return exp.Star() if star else exp.column(kinds.get(id(node), "_column"))
    if not isinstance(node, exp.Literal) or isinstance(node.parent, _KEPT_LITERALS):
        return None
    return exp.column(f"_{literal_type(node)}")


def literal_type(node: exp.Expr) -> str:
    """number, date, timestamp or text: what a literal is, by how it is written."""
    if isinstance(node, exp.Literal) and not node.is_string:
        return "number"
    if _DATE.match(node.name):
        return "date"
    return "timestamp" if _TIMESTAMP.match(node.name) else "text"
