"""A plan in its shortest form: metrics by their names, and nothing said that is implied anyway."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import fields, is_dataclass, replace
from itertools import combinations
from typing import Any, TypeGuard

from dbt_t2s.errors import QueryPlanError
from dbt_t2s.project.schema import ProjectSchema
from dbt_t2s.query.bind import Binder
from dbt_t2s.query.checked import parts_of
from dbt_t2s.query.linear import to_tokens
from dbt_t2s.query.plan import (
    MEASURES,
    AvgEach,
    Bucket,
    Col,
    Dim,
    During,
    Expr,
    Has,
    Measure,
    MetricRef,
    Not,
    Plan,
    Pred,
    Time,
)
from dbt_t2s.query.plan_parts import dims_of, measures_of
from dbt_t2s.query.scope import column, columns_in
from dbt_t2s.sql import SqlError, all_of, exp, parse_one, to_sql


class Simplest:
    """Shortens plans over one schema; a shorter plan counts where it binds to the same SQL.

    The same is what differs in aliases, in the order and repetition of conditions and in guards
    against dividing by nought alone; with ``alike``, which runs two queries, also what gives the
    same rows.
    """

    def __init__(
        self,
        schema: ProjectSchema,
        binder: Binder,
        alike: Callable[[str, str], bool] | None = None,
    ) -> None:
        self._binder = binder
        self._alike = alike
        self._keys = {t.name: t.primary_key[0] for t in schema.tables if len(t.primary_key) == 1}
        self._metrics = [MetricRef(m.name) for m in schema.metrics]

    def of(self, plan: Plan, *, named: bool = True) -> Plan:
        """The shortest form found of ``plan``, itself where it binds to nothing.

        Metrics are not called by their names unless they are to be ``named``.
        """
        wanted = self._spelled(plan)
        if not wanted:
            return plan
        whole = [p for p in parts_of((plan.select, plan.having, plan.order)) if _is_one(p)]
        for measure in dict.fromkeys(whole) if named else ():
            if measure in parts_of(plan):  # else it is within one that has its name now
                plan = self._named(plan, measure, wanted)
        for candidate in (self._timed(plan), replace(plan, order=None)):
            if candidate.limit is None and self._spelled(candidate) == wanted:
                plan = candidate
        timed = self._timed(plan)
        if self._spelled(timed) == wanted:
            plan = timed
        return self._less(plan, wanted)

    def _less(self, plan: Plan, wanted: str) -> Plan:
        """The plan without the conditions that are implied."""
        for pred in plan.where:
            for fewer in _fewer(pred):
                where = tuple(q for p in plan.where for q in (fewer if p == pred else (p,)))
                if self._spelled(replace(plan, where=where)) == wanted:
                    plan = replace(plan, where=where)
                    break
        return plan

    def _named(self, plan: Plan, measure: Measure, wanted: str) -> Plan:
        """The plan with ``measure`` called by a metric that is the same: one that says most."""
        if isinstance(measure, MetricRef):
            return plan
        named = [
            self._less(candidate, wanted)
            for metric in self._metrics
            if self._has_root(metric, measure)
            and self._spelled(candidate := _with(plan, measure, metric)) == wanted
        ]
        shortest = min(named, key=_length, default=None)
        if shortest is not None and _length(shortest) <= _length(self._less(plan, wanted)):
            return shortest
        if self._alike is None:
            return plan
        sql = self._binder.sql(plan)
        for metric in self._metrics:
            candidate = _with(plan, measure, metric)
            if self._reads(metric, measure) and self._gives(candidate, sql):
                return self._shorter(candidate, sql)
        return plan

    def _gives(self, plan: Plan, sql: str) -> bool:
        assert self._alike is not None
        try:
            return self._alike(self._binder.sql(plan), sql)
        except QueryPlanError:
            return False

    def _shorter(self, plan: Plan, sql: str) -> Plan:
        """The plan without conditions that its metrics bring."""
        for pred in plan.where:
            fewer = replace(plan, where=tuple(p for p in plan.where if p != pred))
            if not isinstance(pred, During) and self._gives(fewer, sql):
                plan = fewer
        return plan

    def _reads(self, metric: MetricRef, measure: Measure) -> bool:
        """Whether the metric is made of the measure's own columns."""
        return self._columns(metric) == self._columns(measure)

    def _columns(self, measure: Measure) -> frozenset[str]:
        """The tables and columns that a measure aggregates and filters by."""
        try:
            atoms = self._binder.lower(measure).atoms
        except QueryPlanError:
            return frozenset()
        read = (columns_in(" ".join((a.argument, *a.filters, *a.implied))) for a in atoms)
        keys = {column(Col(table, key)) for table, key in self._keys.items()}
        return frozenset(c for found in read for c in found if c not in keys)

    def _has_root(self, metric: MetricRef, measure: Measure) -> bool:
        try:
            sides = [self._binder.lower(each) for each in (metric, measure)]
        except QueryPlanError:
            return False
        roots = [{atom.root for atom in side.atoms} for side in sides]
        return roots[0] == roots[1]

    def _timed(self, plan: Plan) -> Plan:
        """The plan with what is dated by default called so."""
        try:
            times = {
                atom.time or self._binder.measures.time_column(atom.root)
                for measure in measures_of(plan)
                for atom in self._binder.lower(measure).atoms
            }
        except QueryPlanError:
            return plan
        if not times:
            roots = {d.table for d in dims_of(plan) if isinstance(d, Col)}
            times = {self._binder.measures.time_column(root) for root in roots}
        if len(times) != 1:
            return plan
        time = times.pop()

        def bucket(given: Expr) -> Expr:
            timed = isinstance(given, Bucket) and given.of == time
            return Bucket(given.grain, Time()) if timed and isinstance(given, Bucket) else given

        def pred(given: Pred) -> Pred:
            timed = isinstance(given, During) and given.of == time
            return During(Time(), given.range) if timed and isinstance(given, During) else given

        per = bucket(plan.per) if plan.per else None
        return replace(
            plan,
            select=tuple(map(bucket, plan.select)),
            where=tuple(map(pred, plan.where)),
            order=replace(plan.order, by=bucket(plan.order.by)) if plan.order else None,
            per=per if isinstance(per, Dim) else None,
        )

    def _spelled(self, plan: Plan) -> str:
        """One text for all plans that ask for the same; empty where the plan binds to nothing."""
        try:
            return self._canonical(parse_one(self._binder.sql(plan), "duckdb"))
        except (QueryPlanError, SqlError):
            return ""

    def _canonical(self, tree: exp.Expr) -> str:
        select = tree.unnest()
        if isinstance(select, exp.Select):
            _without_aliases(select)
        for each in tree.find_all(exp.Select):
            self._count_rows(each)
        return to_sql(select.transform(_plain), "duckdb")

    def _count_rows(self, select: exp.Select) -> None:
        """Counts of the key of the rows as counts of the rows."""
        start = select.args.get("from_")
        key = self._keys.get(start.this.alias_or_name, "") if start else ""
        for count in select.find_all(exp.Count):
            of = count.this
            if isinstance(of, exp.Column) and of.name == key:
                count.set("this", exp.Star())


def _with(plan: Plan, measure: Measure, metric: MetricRef) -> Plan:
    """``plan`` with ``metric`` wherever it measures ``measure``."""

    def place(given: Any) -> Any:
        if given == measure:
            return metric
        if isinstance(given, tuple):
            return tuple(map(place, given))
        if not is_dataclass(given) or isinstance(given, type):
            return given
        return replace(given, **{f.name: place(getattr(given, f.name)) for f in fields(given)})

    return replace(
        plan,
        select=place(plan.select),
        having=place(plan.having),
        order=place(plan.order),
    )


def _is_one(part: object) -> TypeGuard[Measure]:
    """Whether it is a measure that a metric may be the same as."""
    return isinstance(part, MEASURES) and not isinstance(part, AvgEach | MetricRef)


def _without_aliases(select: exp.Select) -> None:
    """Takes the aliases off what is selected, in place; ORDER BY says what they stand for."""
    aliases = {e.alias: e.this for e in select.expressions if isinstance(e, exp.Alias)}
    select.set("expressions", [e.unalias() for e in select.expressions])
    for ordered in select.args["order"].expressions if select.args.get("order") else ():
        key = ordered.this
        if isinstance(key, exp.Column) and not key.table and key.name in aliases:
            ordered.set("this", aliases[key.name].copy())


def _length(plan: Plan) -> int:
    return len(to_tokens(plan))


def _fewer(pred: Pred) -> Iterator[tuple[Pred, ...]]:
    """What may be left of a condition: nothing, or the rows it looks for under less."""
    yield ()
    negated = isinstance(pred, Not)
    has = pred.of if isinstance(pred, Not) else pred
    if isinstance(has, Has):
        for kept in range(len(has.where)):
            for where in combinations(has.where, kept):
                less = replace(has, where=where)
                yield (Not(less) if negated else less,)


def _plain(node: exp.Expr) -> exp.Expr:
    guarded = isinstance(node, exp.Nullif) and node.expression.name == "0"
    made_real = isinstance(node, exp.Mul) and node.expression.name == "1.0"
    if isinstance(node, exp.Paren) or guarded or made_real:
        bare: exp.Expr = node.this.transform(_plain)
        return bare
    if isinstance(node, exp.EQ) and isinstance(node.expression, exp.Boolean):
        of = node.this.transform(_plain)
        return of if node.expression.this else exp.not_(of)
    if isinstance(node, exp.And):
        parts = sorted({to_sql(p.transform(_plain), "duckdb"): p for p in all_of(node)}.items())
        return exp.and_(*(p.transform(_plain) for _, p in parts), copy=True, wrap=False)
    return node
