"""Why a near miss is none: proofs from keys, not-null columns and the shape of the query.

Nothing here looks at data or runs anything. What no law covers counts as a real mistake.
"""

from __future__ import annotations

from collections.abc import Callable

from dbt_t2s import sql as language
from dbt_t2s.judge.sources import Sources
from dbt_t2s.project.schema import Cardinality
from dbt_t2s.sql import exp


def law_of(kind: str, node: exp.Expr, new: exp.Expr | None, sources: Sources) -> str:
    """The law by which a change of ``node`` changes no result; empty where none is known."""
    law = _LAWS.get(kind)
    return law(node, new, sources) if law is not None else ""


def _filter(node: exp.Expr, new: exp.Expr | None, sources: Sources) -> str:
    """A condition that stands twice, or that the schema promises."""
    before = [_text(each, sources) for each in language.all_of(node.this)]
    after = [] if new is None else [_text(each, sources) for each in language.all_of(new.this)]
    if set(before) == set(after):
        return "x AND x = x"
    lost = [each for each in language.all_of(node.this) if _text(each, sources) not in after]
    if all(_always_holds(each, sources) for each in lost):
        return "IS NOT NULL holds of a column that is never null"
    return ""


def _always_holds(part: exp.Expr, sources: Sources) -> bool:
    if not (isinstance(part, exp.Not) and isinstance(part.this, exp.Is)):
        return False
    known = sources.column(part.this.this)
    return known is not None and known.never_null and isinstance(part.this.expression, exp.Null)


def _count_distinct(node: exp.Expr, new: exp.Expr | None, sources: Sources) -> str:
    """Keys are distinct already where no join repeats the rows of their table."""
    inner = node.this.expressions[0] if isinstance(node.this, exp.Distinct) else node.this
    column = _guarded_column(inner)
    known = sources.column(column)
    select = node.find_ancestor(exp.Select)
    if known is None or select is None or not sources.is_key(known):
        return ""
    of = sources.of_select(select)
    first = bool(of) and of[0][0] == known.source
    if first and not sources.repeats_rows(select):
        return "a key is distinct where no join repeats its rows"
    return ""


def _guarded_column(node: exp.Expr) -> exp.Expr:
    """The column in ``case when … then column end``."""
    if isinstance(node, exp.Case) and len(node.args["ifs"]) == 1 and not node.args.get("default"):
        return _guarded_column(node.args["ifs"][0].args["true"])
    return node


def _join_side(node: exp.Expr, new: exp.Expr | None, sources: Sources) -> str:
    """INNER and LEFT agree where every row has its partner, or where WHERE wants one."""
    select = node.find_ancestor(exp.Select)
    if select is None or not isinstance(node, exp.Join):
        return ""
    name = node.this.alias_or_name.lower()
    if _wants_row(select, name, sources):
        return "WHERE rejects the rows that LEFT adds"
    table = sources.table(node.this)
    pairs = _key_pairs(node, name)
    if table is None or len(pairs) != len(language.all_of(node.args["on"])):
        return ""
    known = [sources.column(own) for own, _ in pairs]
    if any(each is None or not each.never_null for each in known):
        return ""
    tables = {each.table.name for each in known if each is not None}
    names = {(own.name.lower(), to.name.lower()) for own, to in pairs}
    for edge in sources.schema.joins:
        same = {(a.lower(), b.lower()) for a, b in zip(edge.columns, edge.to_columns, strict=True)}
        if (
            {edge.table} == tables
            and edge.to_table == table.name
            and same == names
            and any(each.startswith("test.") for each in edge.evidence)
            and edge.cardinality in (Cardinality.MANY_TO_ONE, Cardinality.ONE_TO_ONE)
        ):
            return "a reference that is never null and always found joins as well with LEFT"
    return ""


def _key_pairs(join: exp.Join, name: str) -> list[tuple[exp.Column, exp.Column]]:
    """(the other side's column, the joined table's) of each equality."""
    pairs: list[tuple[exp.Column, exp.Column]] = []
    for part in language.all_of(join.args["on"]):
        if not isinstance(part, exp.EQ):
            continue
        left, right = part.this, part.expression
        if not (isinstance(left, exp.Column) and isinstance(right, exp.Column)):
            continue
        if right.table.lower() == name and left.table.lower() != name:
            pairs.append((left, right))
        elif left.table.lower() == name and right.table.lower() != name:
            pairs.append((right, left))
    return pairs


def _wants_row(select: exp.Select, name: str, sources: Sources) -> bool:
    """Whether a conjunct of WHERE, or a later inner join, is not true where ``name`` is NULL."""
    where = select.args.get("where")
    conditions = language.all_of(where.this) if where is not None else []
    later = False
    for join in select.args.get("joins") or ():
        inner = not join.side and join.args.get("on") is not None
        if later and inner:
            conditions += language.all_of(join.args["on"])
        later = later or join.this.alias_or_name.lower() == name
    return any(_rejects_null(each, name, sources) for each in conditions)


def _rejects_null(part: exp.Expr, name: str, sources: Sources) -> bool:
    """Comparisons, NOT of them and bare flags are unknown where a side is NULL."""
    if isinstance(part, exp.Not) and isinstance(part.this, exp.Is):
        part = part.this.this
    elif isinstance(part, exp.Or):
        return all(_rejects_null(each, name, sources) for each in part.flatten())
    elif isinstance(part, exp.And | exp.Paren):
        return any(_rejects_null(each, name, sources) for each in language.all_of(part))
    elif isinstance(part, exp.Not):
        part = part.this.unnest()
    if isinstance(part, exp.EQ | exp.NEQ | exp.LT | exp.LTE | exp.GT | exp.GTE):
        return any(_is_of(each, name, sources) for each in (part.this, part.expression))
    if isinstance(part, exp.In | exp.Between | exp.Like | exp.ILike):
        return _is_of(part.this, name, sources)
    return _is_of(part, name, sources)


def _is_of(node: exp.Expr, name: str, sources: Sources) -> bool:
    if not isinstance(node, exp.Column):
        return False
    if node.table:
        return node.table.lower() == name
    known = sources.column(node)
    return known is not None and known.source == name


def _order(node: exp.Expr, new: exp.Expr | None, sources: Sources) -> str:
    """The order of a subquery that takes all its rows is no part of its result."""
    select = node.parent.parent if node.parent is not None else None
    if not isinstance(select, exp.Select):
        return ""
    if _single_row(select):
        return "one row has no order"
    inner = select.parent is not None and not isinstance(select.parent, exp.Paren)
    if inner and select.args.get("limit") is None:
        return "the order of a subquery without LIMIT is not kept"
    return ""


def _limit(node: exp.Expr, new: exp.Expr | None, sources: Sources) -> str:
    select = node.parent
    more = isinstance(new, exp.Limit) and int(new.expression.this) > int(node.expression.this)
    enough = int(node.expression.this) >= 1
    if isinstance(select, exp.Select) and _single_row(select) and more and enough:
        return "an aggregate without GROUP BY gives one row"
    return ""


def _single_row(select: exp.Select) -> bool:
    """Whether a SELECT gives exactly one row: aggregates, no GROUP BY."""
    if select.args.get("group") or not select.expressions:
        return False
    return all(_is_aggregate(each.unalias()) for each in select.expressions)


def _is_aggregate(node: exp.Expr) -> bool:
    return isinstance(node, exp.AggFunc) and not isinstance(node.parent, exp.Window)


def _distinct(node: exp.Expr, new: exp.Expr | None, sources: Sources) -> str:
    """Rows that show their table's key are distinct where no join repeats them."""
    if not isinstance(node, exp.Select) or sources.repeats_rows(node):
        return ""
    of = sources.of_select(node)
    for output in node.expressions:
        known = sources.column(output.unalias())
        if known is not None and of and known.source == of[0][0] and sources.is_key(known):
            return "rows that show a key are distinct"
    return ""


Law = Callable[[exp.Expr, exp.Expr | None, Sources], str]

_LAWS: dict[str, Law] = {
    "filter": _filter,
    "case condition": _filter,
    "count distinct": _count_distinct,
    "join side": _join_side,
    "order": _order,
    "limit": _limit,
    "distinct": _distinct,
}


def _text(node: exp.Expr, sources: Sources) -> str:
    return language.conjuncts(language.to_sql(node, sources.dialect), sources.dialect)[0]
