"""Plain SQL for a metric as the schema describes it, to hold against MetricFlow's own."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from dbt_t2s import sql
from dbt_t2s.project.schema import (
    Cardinality,
    Join,
    Measure,
    Metric,
    MetricFilter,
    Table,
)


class NoPath(ValueError):
    """A filter's table that the measure's table does not reach along proven joins."""


@dataclass(frozen=True)
class Expander:
    metrics: Mapping[str, Metric]
    tables: Mapping[str, Table]
    joins: Sequence[Join]
    dialect: str

    def sql(self, metric: Metric, extra: tuple[MetricFilter, ...] = ()) -> str:
        """One row, one column ``value``: the metric over everything."""
        if metric.measure is not None:
            return self._aggregate(metric.measure, (*metric.filters, *extra))
        parts = []
        for index, each in enumerate(metric.inputs):
            inner = self.sql(self.metrics[each.metric], (*each.filters, *extra))
            alias = sql.quote(each.alias, self.dialect)
            parts.append(f"(select value as {alias} from ({inner}) as v{index}) as i{index}")
        return f"select {metric.expression} as value from {' cross join '.join(parts)}"

    def _aggregate(self, measure: Measure, filters: Sequence[MetricFilter]) -> str:
        table = self.tables[measure.table]
        names = {column.name.lower(): column.name for column in table.columns}
        argument = sql.qualify(measure.expression, self.dialect, table.name, names)
        source = self.source(table.name, [name for each in filters for name in each.tables])
        where = " and ".join(f"({each.predicate})" for each in filters)
        query = f"select {aggregate(measure.aggregation, argument, self.dialect)} as value"
        return f"{query} from {source}" + (f" where {where}" if where else "")

    def source(self, table: str, others: Sequence[str]) -> str:
        """The FROM of ``table`` with ``others`` joined to it, each under its schema name."""
        steps: dict[Join, None] = {}
        for name in dict.fromkeys(others):
            steps.update(dict.fromkeys(self._path(table, name)))
        start = f"{self.tables[table].relation} as {self._quoted(table)}"
        return " ".join([start, *map(self._joined, steps)])

    def _quoted(self, name: str) -> str:
        return sql.quote(name, self.dialect)

    def _joined(self, join: Join) -> str:
        here, there = self._quoted(join.table), self._quoted(join.to_table)
        on = " and ".join(
            f"{here}.{self._quoted(a)} = {there}.{self._quoted(b)}"
            for a, b in zip(join.columns, join.to_columns, strict=True)
        )
        return f"left join {self.tables[join.to_table].relation} as {there} on {on}"

    def _path(self, start: str, goal: str) -> tuple[Join, ...]:
        """The shortest way from ``start`` to ``goal`` that never multiplies rows."""
        paths: dict[str, tuple[Join, ...]] = {start: ()}
        queue = deque([start])
        while queue and goal not in paths:
            here = queue.popleft()
            for join in _onward(self.joins, here):
                if join.to_table not in paths:
                    paths[join.to_table] = (*paths[here], join)
                    queue.append(join.to_table)
        if goal not in paths:
            raise NoPath(f"{start} does not reach {goal} along proven joins")
        return paths[goal]


def aggregate(function: str, argument: str, dialect: str) -> str:
    """The SQL of one of ``Measure.aggregation``'s functions."""
    if function == "median" and dialect == "postgres":
        return f"percentile_cont(0.5) within group (order by {argument})"
    if function == "count_distinct":
        return f"count(distinct {argument})"
    if function == "sum_boolean":
        return f"sum(case when {argument} then 1 else 0 end)"
    return f"{function}({argument})"


def _onward(joins: Sequence[Join], table: str) -> list[Join]:
    found = [join for join in joins if join.table == table]
    for join in joins:
        if join.to_table == table and join.cardinality is Cardinality.ONE_TO_ONE:
            found.append(Join(table, join.to_columns, join.table, join.columns))
    return found
