"""One SELECT as what it asks for, before its conditions are placed around what it is about."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from dbt_t2s.project.schema import Join, ProjectSchema
from dbt_t2s.query.joins import JoinGraph
from dbt_t2s.query.plan import (
    Col,
    Compare,
    Dim,
    Expr,
    Measure,
    Order,
    Plan,
    Pred,
    is_measure,
)
from dbt_t2s.query.sql_averages import superlative
from dbt_t2s.query.sql_conditions import OPERATORS, Member, number, predicates, row
from dbt_t2s.query.sql_dates import bucket, merged
from dbt_t2s.query.sql_half import Half, points
from dbt_t2s.query.sql_measures import Aggregates, is_aggregate, is_measured
from dbt_t2s.query.sql_rules import Rules
from dbt_t2s.query.sql_source import Names, NotConvertedError, Source, read_source
from dbt_t2s.sql import exp


class Selects:
    """Reads SELECTs over one schema; ``edges`` are the joins that those read so far spell.

    ``member`` reads IN over a query, ``average`` the average over groups that a subquery gives.
    Without ``breaks_ties`` a second sort key is refused.
    """

    def __init__(
        self,
        schema: ProjectSchema,
        names: Names,
        graph: JoinGraph,
        member: Member,
        average: Callable[[exp.Select], Plan | None],
        breaks_ties: bool,
    ) -> None:
        self._schema = schema
        self._names = names
        self._graph = graph
        self._member = member
        self._average = average
        self._breaks_ties = breaks_ties
        self._rules = Rules(schema)
        self.edges: set[Join] = set()

    def half(self, select: exp.Select) -> Half:
        source, conditions = read_source(select, self._names, self._schema)
        self.edges |= source.edges
        finest = self._finest(source)
        order, limit = self._order(select, source, finest)
        said, conditions = self._rules.stated(conditions, source)
        preds: list[Pred] = list(said)
        for condition in conditions:
            best = superlative(condition, source)
            if best is None:
                preds.extend(self._preds(condition, source))
                continue
            if order is not None or limit is not None or len(conditions) > 1:
                raise NotConvertedError("a greatest or least among some rows")
            order, limit = Order(best[0], best[1]), "1"
        having = select.args.get("having")
        grouped = select.args.get("group")
        half = Half(
            source,
            finest,
            tuple(self._expr(e, source, finest) for e in select.expressions),
            merged(tuple(dict.fromkeys(preds))),
            self._group(select, source),
            self._having(having.this, source, finest) if having else (),
            order,
            limit,
            bool(select.args.get("distinct")),
        )
        ranked = select.args.get("qualify")
        return self._checked(self._ranked(half, ranked.this) if ranked else half, bool(grouped))

    def _group(self, select: exp.Select, source: Source) -> tuple[Dim, ...]:
        """What GROUP BY names, by position or alias too."""
        grouped = select.args.get("group")
        if not grouped:
            return ()
        if any(grouped.args.get(each) for each in ("rollup", "cube", "grouping_sets")):
            raise NotConvertedError("GROUP BY of several sets")
        nodes = [self._selected(node, select, source) for node in grouped.expressions]
        if grouped.args.get("all"):
            nodes = [e for e in select.expressions if not is_measured(e)]
        return tuple(self._dim(node, source) for node in nodes)

    def _selected(self, node: exp.Expr, select: exp.Select, source: Source) -> exp.Expr:
        """What a position or an alias of the SELECT stands for."""
        if isinstance(node, exp.Literal) and node.name.isdigit():
            at = int(node.name) - 1
            if not 0 <= at < len(select.expressions):
                raise NotConvertedError("a position that nothing has")
            found: exp.Expr = select.expressions[at]
            return found
        if isinstance(node, exp.Column) and not node.table:
            named = [e for e in select.expressions if e.alias and e.alias == node.name]
            return named[0] if named else node
        return node

    def _ranked(self, half: Half, node: exp.Expr) -> Half:
        """``qualify row_number() over (partition by dim order by x) <= n``."""
        window = node.this if isinstance(node, exp.LTE | exp.EQ) else None
        if not isinstance(window, exp.Window) or not isinstance(window.this, exp.RowNumber):
            raise NotConvertedError("QUALIFY of another kind")
        assert isinstance(node, exp.LTE | exp.EQ)
        parts, by = list(window.args.get("partition_by") or ()), window.args.get("order")
        if len(parts) != 1 or not by or len(by.expressions) != 1 or half.limit:
            raise NotConvertedError("QUALIFY of another kind")
        first = by.expressions[0]
        order = Order(
            self._expr(first.this, half.source, half.finest), bool(first.args.get("desc"))
        )
        return replace(
            half,
            order=order,
            limit=number(node.expression),
            per=self._dim(parts[0], half.source),
        )

    def _finest(self, source: Source) -> str:
        """The table that leads to all others along the gold's own joins."""
        tables = set(source.tables)
        pointed = {edge.to_table for edge in source.edges}
        free = tables - pointed
        if len(tables) == 1:
            return source.tables[0]
        if len(free) != 1:
            return ""
        return free.pop()

    def _expr(self, node: exp.Expr, source: Source, finest: str) -> Expr:
        node = node.unalias().unnest()
        if isinstance(node, exp.Star) or (
            isinstance(node.this, exp.Star) and not is_aggregate(node)
        ):
            raise NotConvertedError("SELECT *")
        if not is_measured(node):
            return self._dim(node, source)
        return self._measure(node, source, finest)

    def _dim(self, node: exp.Expr, source: Source) -> Dim:
        node = node.unalias().unnest()
        cut = bucket(node, source)
        if cut is not None:
            return cut
        if isinstance(node, exp.Column | exp.Sub | exp.DateDiff):
            return row(node, source, self._schema)
        raise NotConvertedError("an expression that is no measure")

    def _measure(self, node: exp.Expr, source: Source, finest: str) -> Measure:
        def conditions(part: exp.Expr) -> tuple[Pred, ...]:
            said, rest = self._rules.stated([part], source)
            return (*said, *(p for c in rest for p in self._preds(c, source)))

        return Aggregates(source, self._schema, finest, conditions).measure(node)

    def _preds(self, condition: exp.Expr, source: Source) -> tuple[Pred, ...]:
        return predicates(condition, source, self._schema, self._member)

    def _order(
        self, select: exp.Select, source: Source, finest: str
    ) -> tuple[Order | None, str | None]:
        ordered, limited = select.args.get("order"), select.args.get("limit")
        if select.args.get("offset"):
            raise NotConvertedError("an OFFSET")
        limit = number(limited.expression) if limited else None
        if not ordered:
            if limit is not None:
                raise NotConvertedError("LIMIT without ORDER BY")
            return None, None
        if len(ordered.expressions) != 1 and not self._breaks_ties:
            raise NotConvertedError("several sort keys")
        by = ordered.expressions[0]
        key = self._selected(by.this, select, source)
        return Order(self._expr(key, source, finest), bool(by.args.get("desc"))), limit

    def _having(self, node: exp.Expr, source: Source, finest: str) -> tuple[Compare, ...]:
        node = node.unnest()
        if isinstance(node, exp.And):
            return tuple(
                c
                for side in (node.this, node.expression)
                for c in self._having(side, source, finest)
            )
        if type(node) not in OPERATORS or not is_measured(node.this):
            raise NotConvertedError("HAVING of another kind")
        left = self._measure(node.this, source, finest)
        right = node.expression
        inner = right.unnest()
        if isinstance(right, exp.Subquery) and isinstance(inner, exp.Select):
            average = self._average(inner)
            if average is None or average.select[0].of != left:  # type: ignore[union-attr]
                raise NotConvertedError("a comparison with a subquery")
            return (Compare(OPERATORS[type(node)], left, None),)
        return (Compare(OPERATORS[type(node)], left, number(right)),)

    def _checked(self, half: Half, grouped: bool) -> Half:
        """GROUP BY must be what the plan implies."""
        dims = {e for e in half.select if isinstance(e, Dim)}
        measured = len(dims) < len(half.select) or bool(half.having)
        measured = measured or (half.order is not None and is_measure(half.order.by))
        if not grouped:
            if measured and dims:
                raise NotConvertedError("columns beside aggregates without GROUP BY")
            # One row has no order and no doubles.
            return replace(half, distinct=False) if measured else half
        identified = {d for g in half.group for d in dims if self.identifies(g, d)}
        if dims - set(half.group) - identified:
            raise NotConvertedError("columns that GROUP BY does not settle")
        loose = [g for g in half.group if g not in dims and not self._names_one(g, dims)]
        if loose:
            raise NotConvertedError("grouped by what is not selected")
        if not measured:
            return replace(half, distinct=half.distinct or not identified)
        return replace(half, distinct=False)

    def identifies(self, key: Dim, dim: Dim) -> bool:
        """Whether the rows that share ``key`` share ``dim``, as they do below a key."""
        if not isinstance(key, Col) or not isinstance(dim, Col):
            return False
        table = self._schema.table(key.table)
        if table.primary_key == (key.column,):
            return self._graph.reaches(key.table, dim.table)
        targets = [j.to_table for j in self._schema.joins if points(j, key)]
        return any(self._graph.reaches(t, dim.table) for t in targets)

    def _names_one(self, key: Dim, dims: set[Dim]) -> bool:
        return any(self.identifies(key, dim) for dim in dims)
