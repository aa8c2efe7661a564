"""Aggregates in SQL as measures: counts, sums, rates, and those over some rows alone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from dbt_t2s.project.schema import Kind, ProjectSchema
from dbt_t2s.query.plan import (
    Agg,
    Arithmetic,
    Col,
    Count,
    Measure,
    Not,
    Null,
    Only,
    Pred,
    Rate,
    Wrapped,
)
from dbt_t2s.query.sql_conditions import column_of, row
from dbt_t2s.query.sql_dates import merged
from dbt_t2s.query.sql_source import NotConvertedError, Source
from dbt_t2s.sql import all_of, exp

_AGGREGATES: dict[type[exp.Expr], str] = {
    exp.Sum: "SUM",
    exp.Avg: "AVG",
    exp.Min: "MIN",
    exp.Max: "MAX",
    exp.Median: "MEDIAN",
}
_ARITHMETIC: dict[type[exp.Expr], str] = {exp.Sub: "SUB", exp.Div: "DIV"}


@dataclass(frozen=True)
class Aggregates:
    """Reads the aggregates of one SELECT, whose rows are those of ``finest``.

    ``conditions`` reads what CASE and FILTER keep.
    """

    source: Source
    schema: ProjectSchema
    finest: str
    conditions: Callable[[exp.Expr], tuple[Pred, ...]]

    def measure(self, node: exp.Expr) -> Measure:
        node = node.unnest()
        if isinstance(node, exp.Window):
            raise NotConvertedError("a window function")
        share = self._share(node)
        if share is not None:
            return share
        if type(node) in _ARITHMETIC and is_measured(node.this):
            left, right = node.this, _over(node.expression)
            if isinstance(node, exp.Div):
                left = _real(left)
            return Arithmetic(_ARITHMETIC[type(node)], self.measure(left), self.measure(right))
        if isinstance(node, exp.Filter):
            return self._only(self.measure(node.this), self._kept(node.expression.this))
        if not is_aggregate(node):
            raise NotConvertedError("an expression that is no measure")
        if not self.finest:
            raise NotConvertedError("a measure over a join that multiplies rows")
        if isinstance(node.this, exp.Case | exp.If):
            return self._cased(node, node.this)
        return self._aggregate(node)

    def _share(self, node: exp.Expr) -> Measure | None:
        """``x / sum(x) over ()``."""
        if not isinstance(node, exp.Div):
            return None
        whole = _over(node.expression)
        if not isinstance(whole, exp.Window) or not isinstance(whole.this, exp.Sum):
            return None
        part = _real(node.this).unnest()
        if whole.args.get("partition_by") or whole.args.get("order") or whole.this.this != part:
            raise NotConvertedError("a window function")
        return Wrapped("SHARE", self.measure(part))

    def _kept(self, node: exp.Expr) -> tuple[Pred, ...]:
        return merged(tuple(pred for part in all_of(node) for pred in self.conditions(part)))

    @staticmethod
    def _only(measure: Measure, preds: tuple[Pred, ...]) -> Measure:
        for pred in preds:
            measure = Only(measure, pred)
        return measure

    def _cased(self, node: exp.Expr, case: exp.Expr) -> Measure:
        """``sum(case when p then x end)`` and ``avg(case when p then 1 else 0 end)``."""
        branch = case.args["ifs"][0] if isinstance(case, exp.Case) else case
        if isinstance(case, exp.Case) and (case.this or len(case.args["ifs"]) > 1):
            raise NotConvertedError("a CASE of several branches")
        default = case.args.get("default") or case.args.get("false")
        kept = self._kept(branch.this)
        then = branch.args["true"]
        one = isinstance(then, exp.Literal) and not then.is_string and float(then.name) == 1
        nought = isinstance(default, exp.Literal) and float(default.name or 1) == 0
        nothing = default is None or isinstance(default, exp.Null)
        if isinstance(node, exp.Avg) and one and nought and len(kept) == 1:
            return Rate(kept[0])
        if isinstance(node, exp.Sum) and one and (nought or nothing):
            return self._only(Count(self.finest), kept)
        if isinstance(node, exp.Count) and nothing:
            counted = then if not one else exp.Star()
            return self._only(self._aggregate(exp.Count(this=counted)), kept)
        if nothing or (nought and isinstance(node, exp.Sum)):
            bare = type(node)(this=then)
            return self._only(self._aggregate(bare), kept)
        raise NotConvertedError("a CASE of another kind")

    def _aggregate(self, node: exp.Expr) -> Measure:
        inner = node.this
        if isinstance(node, exp.Count):
            if isinstance(inner, exp.Distinct):
                return self._distinct(inner)
            if isinstance(inner, exp.Star | exp.Literal):
                return Count(self.finest)
            of = self.source.column(inner)
            if column_of(self.schema, of).null_share:
                return Only(Count(self.finest), Not(Null(of)))
            return Count(self.finest)
        function = _AGGREGATES.get(type(node))
        if function is None:
            raise NotConvertedError("an expression that is no measure")
        over = row(inner, self.source, self.schema)
        if isinstance(over, Col):
            kind = column_of(self.schema, over).kind
            if kind is not Kind.NUMBER and (function in ("SUM", "AVG") or kind is Kind.TEXT):
                raise NotConvertedError("an aggregate of a column that is no number")
        return Agg(function, over)

    def _distinct(self, node: exp.Distinct) -> Measure:
        if len(node.expressions) != 1:
            raise NotConvertedError("a count of several columns")
        if isinstance(node.expressions[0], exp.Star):
            raise NotConvertedError("count(distinct *)")
        of = self.source.column(node.expressions[0])
        if self.schema.table(of.table).primary_key == (of.column,):
            return Count(of.table)
        return Agg("COUNT_DISTINCT", of)


def is_aggregate(node: exp.Expr) -> bool:
    return isinstance(node, exp.AggFunc)


def is_measured(node: exp.Expr) -> bool:
    """Whether the expression aggregates anything."""
    return node.find(exp.AggFunc) is not None


def _real(node: exp.Expr) -> exp.Expr:
    """A numerator without what makes it divide as a real: ``1.0 * x``, ``x::double``."""
    node = node.unnest()
    if isinstance(node, exp.Mul):
        sides = [node.this.unnest(), node.expression.unnest()]
        left = [s for s in sides if not (isinstance(s, exp.Literal) and float(s.name) == 1)]
        if len(left) == 1:
            return _real(left[0])
    if isinstance(node, exp.Cast) and node.to.is_type(*exp.DataType.REAL_TYPES):
        return _real(node.this)
    return node


def _over(node: exp.Expr) -> exp.Expr:
    """A divisor without what keeps it from being nought."""
    node = node.unnest()
    if isinstance(node, exp.Nullif) and isinstance(node.expression, exp.Literal):
        return _real(node.this)
    return _real(node)
