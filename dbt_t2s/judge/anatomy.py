"""What a query is made of: enough to say what kind it is and where two of them part.

Coarse on purpose. A verdict comes from execution; this only helps a person to see a pattern in
many wrong answers.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from dbt_t2s import sql as language
from dbt_t2s.judge.parsed import parsed, relations_read
from dbt_t2s.sql import exp

REFUSAL = "refusal"


@dataclass(frozen=True)
class Anatomy:
    """The parts of a query, without aliases and tables' names before columns.

    ``joins`` are (side, columns of the condition), ``filter_shapes`` the filters without values.
    """

    tables: frozenset[str]
    joins: frozenset[tuple[str, frozenset[str]]]
    grouping: frozenset[str]
    aggregates: frozenset[str]
    filters: frozenset[str]
    filter_shapes: frozenset[str]
    columns: frozenset[str]
    order: tuple[str, ...]


def anatomy(sql: str, dialect: str) -> Anatomy:
    """The parts of ``sql``; SqlError if it cannot be read."""
    node = parsed(sql, dialect)
    tables = frozenset(
        name.replace('"', "").split(".")[-1].lower() for name in relations_read(sql, dialect)
    )
    groups = [key for group in node.find_all(exp.Group) for key in group.expressions]
    conditions = [
        part
        for clause in node.find_all(exp.Where, exp.Having, exp.Qualify)
        for part in language.all_of(clause.this)
    ]
    order = [each for clause in node.find_all(exp.Order) for each in clause.expressions]
    aliases = {each.alias.lower() for each in node.find_all(exp.Alias)}
    limits = list(node.find_all(exp.Limit))
    joins = frozenset(_joined(each) for each in node.find_all(exp.Join))
    columns = {
        each.name.lower()
        for each in node.find_all(exp.Column)
        if each.table or each.name.lower() not in aliases
    }
    return Anatomy(
        tables=tables,
        joins=joins,
        grouping=frozenset(_texts([_resolved(key, node) for key in groups], dialect)),
        aggregates=frozenset(_texts(node.find_all(exp.AggFunc), dialect)),
        filters=frozenset(_texts(conditions, dialect)),
        filter_shapes=frozenset(_texts([_valueless(each) for each in conditions], dialect)),
        columns=frozenset(columns.union(*(names for _, names in joins))),
        order=(*_texts([*order, *limits], dialect),),
    )


def difference(golds: Sequence[str], sql: str, dialect: str) -> str:
    """The first part, from the most telling one on, in which ``sql`` leaves the nearest gold."""
    try:
        given = anatomy(sql, dialect)
        found = [_parted(anatomy(gold, dialect), given) for gold in golds]
    except language.SqlError:
        return "error"
    nearest = min(found, key=len)
    return nearest[0] if nearest else "other"


def question_type(golds: Sequence[str], dialect: str) -> str:
    """The query type of a test question that states none."""
    if not golds:
        return REFUSAL
    try:
        node = parsed(golds[0], dialect)
        tables = relations_read(golds[0], dialect)
    except language.SqlError:
        return "other"
    if len(list(node.find_all(exp.Select))) > 1:
        return "nested"
    if node.args.get("order") and node.args.get("limit"):
        return "top-k"
    if len(tables) > 1:
        return "join"
    where = node.find(exp.Where)
    if where is not None and where.find(exp.Is):
        return "NULL handling"
    if where is not None and _mentions_dates(where):
        return "date range"
    if node.find(exp.Group):
        return "grouping"
    return "filter" if where is not None else "single table"


def _parted(gold: Anatomy, given: Anatomy) -> tuple[str, ...]:
    checks = (
        (gold.tables == given.tables, "wrong table"),
        (gold.joins == given.joins, "wrong join"),
        (gold.grouping == given.grouping, "wrong grouping"),
        (gold.aggregates == given.aggregates, "wrong aggregate"),
        (gold.filter_shapes == given.filter_shapes, "wrong filter"),
        (gold.filters == given.filters, "wrong filter value"),
        (gold.columns == given.columns, "wrong column"),
        (gold.order == given.order, "wrong order"),
    )
    return tuple(name for same, name in checks if not same)


def _joined(join: exp.Join) -> tuple[str, frozenset[str]]:
    """The side that keeps its rows, and the columns of the condition, by ON or USING alike."""
    on = join.args.get("on")
    columns = [each.name for each in on.find_all(exp.Column)] if isinstance(on, exp.Expr) else []
    columns += [each.name for each in join.args.get("using") or ()]
    return join.side.upper(), frozenset(name.lower() for name in columns)


def _valueless(condition: exp.Expr) -> exp.Expr:
    def masked(node: exp.Expr) -> exp.Expr:
        return exp.Placeholder() if isinstance(node, exp.Literal) else node

    return condition.copy().transform(masked)


def _resolved(key: exp.Expr, node: exp.Expr) -> exp.Expr:
    """``group by 1`` and ``group by alias`` mean an output column."""
    select = key.find_ancestor(exp.Select) or node
    outputs = select.expressions
    if isinstance(key, exp.Literal) and not key.is_string and key.name.isdecimal():
        position = int(key.name) - 1
        key = outputs[position] if 0 <= position < len(outputs) else key
    elif isinstance(key, exp.Column) and not key.table:
        named = [each for each in outputs if isinstance(each, exp.Alias) and each.alias == key.name]
        key = named[0] if named else key
    return key.this if isinstance(key, exp.Alias) else key


def _texts(nodes: Iterable[exp.Expr], dialect: str) -> list[str]:
    def bare(node: exp.Expr) -> exp.Expr:
        named = isinstance(node, exp.Column) and isinstance(node.this, exp.Identifier)
        return exp.column(node.name.lower()) if named else node

    return [language.to_sql(node.copy().transform(bare), dialect) for node in nodes]


def _mentions_dates(where: exp.Expr) -> bool:
    kinds = (exp.Interval, exp.CurrentDate, exp.TimestampTrunc, exp.DateTrunc, exp.Extract)
    if where.find(*kinds):
        return True
    return any(cast.to.is_type("date", "timestamp") for cast in where.find_all(exp.Cast)) or any(
        _is_date(each.name) for each in where.find_all(exp.Literal) if each.is_string
    )


def _is_date(text: str) -> bool:
    parts = text[:10].split("-")
    return len(parts) == 3 and all(part.isdecimal() for part in parts) and len(parts[0]) == 4
