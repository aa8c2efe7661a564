"""Metrics as the project defines them, written over the schema's tables where that is exact."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from dbt_t2s import sql
from dbt_t2s.project import meta
from dbt_t2s.project.artifacts import Node, items, section, text
from dbt_t2s.project.filters import FilterError, Resolver, resolve, templates_of
from dbt_t2s.project.schema import Measure, Metric, MetricFilter, MetricInput
from dbt_t2s.project.semantics import SemanticModel, expression

AGGREGATIONS = frozenset(
    {"sum", "count", "count_distinct", "avg", "min", "max", "median", "sum_boolean"}
)
_SPELLINGS = {"average": "avg"}


class Inexpressible(ValueError):
    """A metric that only MetricFlow's own SQL gives; the message says why."""


@dataclass(frozen=True)
class _Use:
    """A simple metric's measure, its model and how it is used there."""

    model: SemanticModel
    measure: Node
    use: Node


class Definitions:
    """Reads metric nodes; a metric over other metrics needs them all."""

    def __init__(self, metrics: Sequence[Node], resolver: Resolver) -> None:
        self._resolver = resolver
        self._nodes: Mapping[str, Node] = {text(node, "name"): node for node in metrics}

    def describe(self, node: Node, unique_id: str) -> Metric:
        """The metric's words and its place in time, without its meaning in SQL."""
        metric = Metric(
            name=text(node, "name"),
            type=text(node, "type").lower(),
            label=meta.label(node),
            description=meta.description(node),
            synonyms=meta.synonyms(node),
            unique_id=unique_id,
        )
        uses = self._uses(node, set())
        models = [each.model for each in uses if each.model.table]
        metric = replace(metric, tables=tuple(dict.fromkeys(model.table for model in models)))
        if not uses or not uses[0].model.table:
            return metric
        return replace(
            metric, time_table=uses[0].model.table, time_column=self._time_column(uses[0])
        )

    def define(self, metric: Metric, above: frozenset[str] = frozenset()) -> Metric:
        """``metric`` with its measure or expression; ``Inexpressible`` where it has none."""
        if metric.name in above:
            raise Inexpressible("it is an input of itself")
        node = self._nodes[metric.name]
        if metric.type == "simple":
            return self._simple(metric, node)
        if metric.type in ("ratio", "derived"):
            return self._composed(metric, node, above | {metric.name})
        raise Inexpressible(f"{metric.type} metrics have no plain expression")

    def _uses(self, node: Node, above: set[str]) -> list[_Use]:
        """The measures that a metric comes down to, its inputs' in order."""
        name = text(node, "name")
        if name in above:
            return []
        found = self._use(node)
        uses = [found] if found else []
        for each in self._inputs(node):
            uses += self._uses(self._nodes.get(text(each, "name"), {}), above | {name})
        return uses

    def _use(self, node: Node) -> _Use | None:
        """What the metric itself measures: by a measure's name, or (newer) in the metric."""
        params = section(node, "type_params")
        conversion = section(params, "conversion_type_params")
        cumulative = section(params, "cumulative_type_params")
        use = section(params, "measure") or section(conversion, "base_measure")
        if use:
            for model in self._resolver.models:
                measure = model.element("measures", text(use, "name"))
                if measure is not None:
                    return _Use(model, measure, use)
        written = section(params, "metric_aggregation_params")
        for model in self._resolver.models:
            if written and model.name == text(written, "semantic_model"):
                own = {**written, "name": text(node, "name"), "expr": params.get("expr")}
                return _Use(model, own, params)
        inner = section(cumulative, "metric") or section(conversion, "base_metric")
        return self._use(self._nodes.get(text(inner, "name"), {})) if inner else None

    def _inputs(self, node: Node) -> tuple[Node, ...]:
        params = section(node, "type_params")
        ratio = [section(params, "numerator"), section(params, "denominator")]
        listed = [each for each in items(params, "metrics") if isinstance(each, dict)]
        return tuple(each for each in (*ratio, *listed) if each)

    def _time_column(self, use: _Use) -> str:
        """The column that ``metric_time`` is, empty where it is no plain column of the table."""
        name = use.model.time_dimension(use.measure)
        dimension = use.model.element("dimensions", name)
        table = self._resolver.tables.get(use.model.table)
        if dimension is None or table is None:
            return ""
        wanted = expression(dimension).lower()
        return next((c.name for c in table.columns if c.name.lower() == wanted), "")

    def _simple(self, metric: Metric, node: Node) -> Metric:
        found = self._use(node)
        if found is None:
            raise Inexpressible("its measure is in no semantic model")
        model, measure, use = found.model, found.measure, found.use
        if not model.table:
            raise Inexpressible(f"it reads {model.relation}, which is not queryable")
        if section(measure, "non_additive_dimension"):
            raise Inexpressible("its measure may not be added up over time")
        if use.get("join_to_timespine"):
            raise Inexpressible("it is joined to the time spine")
        written = text(measure, "agg").lower()
        aggregation = _SPELLINGS.get(written, written)
        if aggregation not in AGGREGATIONS:
            raise Inexpressible(f"its aggregation is {aggregation}")
        filters = self._filters((*templates_of(node), *templates_of(use)), found)
        time_column = self._time_column(found)
        tables = dict.fromkeys((model.table, *(t for f in filters for t in f.tables)))
        return replace(
            metric,
            measure=Measure(
                name=text(measure, "name"),
                table=model.table,
                aggregation=aggregation,
                expression=self._expression(measure, model),
                time_column=time_column,
            ),
            filters=filters,
            tables=tuple(tables),
        )

    def _expression(self, measure: Node, model: SemanticModel) -> str:
        written = expression(measure)
        table = self._resolver.tables[model.table]
        names = {column.name.lower(): column.name for column in table.columns}
        dialect = self._resolver.dialect
        try:
            return sql.unqualify(sql.qualify(written, dialect, table.name, names), dialect)
        except sql.SqlError as error:
            raise Inexpressible(f"its measure cannot be read: {error}") from error

    def _filters(self, templates: Sequence[str], use: _Use) -> tuple[MetricFilter, ...]:
        time = use.model.time_dimension(use.measure)
        try:
            found = [resolve(each, self._resolver, use.model, time) for each in templates]
        except FilterError as error:
            raise Inexpressible(f"its filter cannot be resolved: {error}") from error
        return tuple(dict.fromkeys(found))

    def _composed(self, metric: Metric, node: Node, above: frozenset[str]) -> Metric:
        """A ratio or derived metric over its inputs, each under the filters put on it here."""
        inputs: list[MetricInput] = []
        fills: dict[str, str] = {}
        tables: list[str] = []
        for each in self._inputs(node):
            name = text(each, "name")
            if each.get("offset_window") or each.get("offset_to_grain"):
                raise Inexpressible(f"{name} is offset in time")
            inner = self._nodes.get(name)
            if inner is None:
                raise Inexpressible(f"its input {name} is no metric")
            uses = self._uses(inner, set())
            if not uses:
                raise Inexpressible(f"its input {name} has no measure")
            filters = self._filters((*templates_of(each), *templates_of(node)), uses[0])
            # Raises where the input has no plain expression of its own.
            defined = self.define(self.describe(inner, ""), above)
            tables += (*defined.tables, *(t for f in filters for t in f.tables))
            alias = _free(text(each, "alias") or name, [done.alias for done in inputs])
            inputs.append(MetricInput(alias, name, filters))
            fill = uses[0].use.get("fill_nulls_with") if text(inner, "type") == "simple" else None
            if fill is not None:
                fills[alias] = f"coalesce({sql.quote(alias, 'duckdb')}, {fill})"
        return replace(
            metric,
            expression=self._formula(node, inputs, fills),
            inputs=tuple(inputs),
            tables=tuple(dict.fromkeys(tables)),
        )

    def _formula(self, node: Node, inputs: Sequence[MetricInput], fills: Mapping[str, str]) -> str:
        dialect = self._resolver.dialect
        try:
            if text(node, "type").lower() == "ratio":
                top, bottom = (sql.quote(each.alias, "duckdb") for each in inputs)
                written = sql.transpile(f"{top} / nullif({bottom}, 0)", "duckdb", dialect)
            else:
                written = sql.transpile(
                    text(section(node, "type_params"), "expr"), dialect, dialect
                )
            return sql.substitute(written, dialect, fills)
        except sql.SqlError as error:
            raise Inexpressible(f"its expression cannot be read: {error}") from error
        except ValueError as error:
            raise Inexpressible("a ratio needs a numerator and a denominator") from error


def _free(alias: str, taken: Sequence[str]) -> str:
    """A ratio may name one metric twice, under two filters: tell them apart."""
    return alias if alias not in taken else f"{alias}_{len(taken) + 1}"
