"""Columns compared with what a subquery gives: an average, that of rows alike, an extreme."""

from __future__ import annotations

from dbt_t2s.query.plan import Col, Compare, Peers
from dbt_t2s.query.sql_source import NotConvertedError, Source
from dbt_t2s.sql import exp

_OTHER = "a comparison with a subquery"


def against_average(of: Col, operator: str, query: exp.Expr, source: Source) -> Compare:
    """``col > (SELECT avg(col) FROM its table)``, or of the rows there that are alike."""
    if not isinstance(query, exp.Select) or not _has_only(query, "where"):
        raise NotConvertedError(_OTHER)
    start, where = query.args["from_"].this, query.args.get("where")
    if isinstance(start, exp.Subquery) and where is not None:
        return Compare(operator, of, _grouped(of, query, start.unnest(), source))
    inner = _averaged(of, query, query.expressions[0], source)
    return Compare(operator, of, _alike(where.this, inner, source) if where else None)


def _averaged(of: Col, query: exp.Select, average: exp.Expr, source: Source) -> Source:
    """What the query reads, where ``average`` is that of the same column of the same table."""
    start, made = query.args["from_"].this, average.unalias()
    if not isinstance(made, exp.Avg) or not isinstance(start, exp.Table):
        raise NotConvertedError(_OTHER)
    inner = Source(source.names, {start.alias_or_name.lower(): source.names.table(start.name)})
    if inner.column(made.this) != of:
        raise NotConvertedError(_OTHER)
    return inner


def _alike(condition: exp.Expr, inner: Source, outer: Source) -> Peers:
    """``inner.category = outer.category``."""
    sides = [condition.this, condition.expression] if isinstance(condition, exp.EQ) else []
    own = [s for s in sides if isinstance(s, exp.Column) and s.table.lower() in inner.aliases]
    others = [s for s in sides if s not in own]
    if len(own) != 1 or not isinstance(others[0], exp.Column) or not others[0].table:
        raise NotConvertedError(_OTHER)
    found = inner.column(own[0])
    if outer.column(others[0]) != found:
        raise NotConvertedError(_OTHER)
    return Peers(found)


def _grouped(of: Col, query: exp.Select, groups: exp.Expr, source: Source) -> Peers:
    """``SELECT average FROM (SELECT category AS peer, avg(col) … GROUP BY 1) WHERE peer = …``."""
    if not isinstance(groups, exp.Select) or not _has_only(groups, "where", "group"):
        raise NotConvertedError(_OTHER)
    condition = query.args["where"].this
    peer, *averages = groups.expressions
    if len(averages) != 1 or not isinstance(condition, exp.EQ) or groups.args.get("where"):
        raise NotConvertedError(_OTHER)
    given = [query.expressions[0].unalias(), condition.this]
    if [each.name for each in given] != [averages[0].alias, peer.alias]:
        raise NotConvertedError(_OTHER)
    found = _averaged(of, groups, averages[0], source).column(peer.unalias())
    if source.column(condition.expression) != found:
        raise NotConvertedError(_OTHER)
    return Peers(found)


def superlative(node: exp.Expr, source: Source) -> tuple[Col, bool] | None:
    """The column and whether its greatest is wanted, in ``col = (SELECT max(col) FROM …)``."""
    if not isinstance(node, exp.EQ) or not isinstance(node.expression, exp.Subquery):
        return None
    query = node.expression.unnest()
    if not isinstance(query, exp.Select) or not _has_only(query):
        return None
    extreme, start = query.expressions[0].unalias(), query.args["from_"].this
    if not isinstance(extreme, exp.Max | exp.Min) or not isinstance(start, exp.Table):
        return None
    of = source.column(node.this)
    inner = Source(source.names, {start.alias_or_name.lower(): source.names.table(start.name)})
    return (of, isinstance(extreme, exp.Max)) if inner.column(extreme.this) == of else None


def _has_only(select: exp.Select, *clauses: str) -> bool:
    """Whether there is nothing but SELECT, FROM and perhaps these."""
    return {name for name, value in select.args.items() if value} <= {
        "from_", "expressions", *clauses,
    }  # fmt: skip
