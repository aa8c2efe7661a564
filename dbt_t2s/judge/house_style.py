"""How a statement keeps the project's house style, rule by rule."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from dbt_t2s import sql as language
from dbt_t2s.judge.parsed import parsed
from dbt_t2s.judge.style_rules import StyleRules
from dbt_t2s.project.schema import Table
from dbt_t2s.sql import exp

_SNAKE = re.compile(r"[a-z_][a-z0-9_]*")
# Layers whose tables are there for other models to read.
_INNER = ("staging", "intermediate")


def house_style(
    sql: str,
    rules: StyleRules,
    tables: Sequence[Table],
    dialect: str,
    gold_tables: Sequence[str] = (),
) -> tuple[str, ...]:
    """What ``sql`` does against the style; one line each, empty when it keeps it.

    ``tables`` are those that it reads, ``gold_tables`` the names of those that the gold reads.
    SqlError if it cannot be read.
    """
    node = parsed(sql, dialect)
    found: list[str] = []
    if rules.select_star:
        found += _stars(node)
    if rules.cross_join:
        found += _cross_joins(node)
    if rules.naming:
        found += _names(node)
    if rules.marts:
        found += [
            f"reads {table.name} of the {table.layer} layer"
            for table in tables
            if table.layer in _INNER and table.name not in gold_tables
        ]
    found += _unpartitioned(node, _partitions(rules), tables)
    if rules.format and sql.strip() != language.format_sql(sql, dialect).strip():
        found.append("is not laid out as sqlglot does")
    return tuple(dict.fromkeys(found))


def _stars(node: exp.Expr) -> Iterator[str]:
    """``select *`` and ``t.*``; neither ``count(*)`` nor a star over a query of its own names."""
    for select in node.find_all(exp.Select):
        if any(each.is_star and not isinstance(each, exp.Count) for each in select.expressions):
            yield "SELECT *"


def _cross_joins(node: exp.Expr) -> Iterator[str]:
    """Joins without a condition, written as CROSS JOIN, with a comma or with none at all.

    One row beside each other row is no cross join in that sense: sub-queries that only aggregate.
    """
    for join in node.find_all(exp.Join):
        conditions = (join.args.get("on"), join.args.get("using"))
        natural = join.method.upper() in ("NATURAL", "ASOF")
        if any(conditions) or natural or _unnests(join.this) or _is_one_row(join.this):
            continue
        yield f"cross join with {join.alias_or_name or 'a sub-query'}"


def _unnests(source: exp.Expr) -> bool:
    return isinstance(source, exp.Unnest | exp.Lateral | exp.Values)


def _is_one_row(source: exp.Expr) -> bool:
    query = source.this if isinstance(source, exp.Subquery) else source
    if isinstance(query, exp.Table) and not query.args.get("db"):
        query = _cte(query)
    if not isinstance(query, exp.Select) or query.args.get("group"):
        return False
    return all(each.find(exp.AggFunc) for each in query.expressions)


def _cte(table: exp.Table) -> exp.Expr:
    """The query behind the name of a CTE; the table itself where it is none."""
    found = [
        cte.this
        for scope in _above(table)
        for cte in getattr(scope, "ctes", ())
        if cte.alias.lower() == table.name.lower()
    ]
    return found[0] if found else table


def _above(node: exp.Expr) -> Iterator[exp.Expr]:
    parent = node.parent
    while isinstance(parent, exp.Expr):
        yield parent
        parent = parent.parent


def _names(node: exp.Expr) -> Iterator[str]:
    query = node.unnest()
    if isinstance(query, exp.SetOperation):
        query = query.left
    for each in getattr(query, "selects", ()):
        name = each.alias
        if name and not _SNAKE.fullmatch(name):
            yield f"the column {name} is not in snake_case"


def _partitions(rules: StyleRules) -> dict[str, str]:
    pairs = (each.split(".") for each in rules.partition_filter)
    return {table.lower(): column.lower() for table, column in pairs}


def _unpartitioned(
    node: exp.Expr, partitions: Mapping[str, str], tables: Sequence[Table]
) -> Iterator[str]:
    filtered = {
        column.name.lower()
        for clause in node.find_all(exp.Where)
        for column in clause.find_all(exp.Column)
    }
    for table in tables:
        column = partitions.get(table.name.lower())
        if column is not None and column not in filtered:
            yield f"reads {table.name} without a filter on {column}"
