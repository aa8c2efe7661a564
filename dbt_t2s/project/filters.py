"""Semantic-layer filters with their templates resolved to the schema's tables and columns."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from dbt_t2s import sql
from dbt_t2s.project import templates
from dbt_t2s.project.artifacts import Node, items, section, text
from dbt_t2s.project.schema import Kind, MetricFilter, Table
from dbt_t2s.project.semantics import SemanticModel, expression


class FilterError(ValueError):
    """A filter that cannot be written over the schema's tables."""


@dataclass(frozen=True)
class Resolver:
    """Turns ``{{ Dimension('order__status') }}`` into ``orders.status``."""

    models: Sequence[SemanticModel]
    tables: Mapping[str, Table]
    dialect: str

    def dimension(self, name: str, home: SemanticModel | None = None) -> tuple[Table, str, Node]:
        """A dimension's table, its qualified SQL and its node; ``home`` is preferred."""
        *path, element = name.split("__")
        if not path:
            raise FilterError(f"{name} names no entity")
        order = sorted(self.models, key=lambda model: model is not home)
        for model in order:
            found = model.element("dimensions", element)
            if found is not None and model.holds(path[-1]):
                return self._placed(model, found)
        raise FilterError(f"no dimension {name}")

    def entity(self, name: str, home: SemanticModel | None) -> tuple[Table, str, Node]:
        """An entity's key; the one in ``home`` (a foreign key, mostly) needs no join."""
        *_, element = name.split("__")
        for model in sorted(self.models, key=lambda model: model is not home):
            found = model.element("entities", element)
            if found is not None:
                return self._placed(model, found)
        raise FilterError(f"no entity {name}")

    def _placed(self, model: SemanticModel, element: Node) -> tuple[Table, str, Node]:
        if model.table not in self.tables:
            raise FilterError(f"{model.name} is over {model.relation}, which is not queryable")
        table = self.tables[model.table]
        names = {column.name.lower(): column.name for column in table.columns}
        try:
            qualified = sql.qualify(expression(element), self.dialect, table.name, names)
            node = sql.parse_one(qualified, self.dialect)
        except sql.SqlError as error:
            raise FilterError(str(error)) from error
        simple = isinstance(node, sql.exp.Column)
        return table, qualified if simple else f"({qualified})", element

    def time(
        self, name: str, grain: str, home: SemanticModel, time_dimension: str
    ) -> tuple[Table, str]:
        """A time dimension truncated to ``grain`` (its own when empty), as MetricFlow does."""
        own = home.element("dimensions", time_dimension)
        if name == "metric_time":
            if own is None:
                raise FilterError("metric_time is no dimension here")
            table, written, element = self._placed(home, own)
        else:
            table, written, element = self.dimension(name, home)
        declared = text(section(element, "type_params"), "time_granularity") or "day"
        wanted = (grain or declared).lower()
        column = _bare_column(written, table, self.dialect)
        if wanted == "day" and column is Kind.DATE:
            return table, written
        cut = f"date_trunc('{wanted}', {sql.transpile(written, self.dialect, 'duckdb')})"
        return table, sql.transpile(cut, "duckdb", self.dialect)


def _bare_column(written: str, table: Table, dialect: str) -> Kind | None:
    node = sql.parse_one(written, dialect)
    if not isinstance(node, sql.exp.Column):
        return None
    return next((column.kind for column in table.columns if column.name == node.name), None)


@dataclass(frozen=True)
class _Call:
    """What a template's ``TimeDimension(…)`` stands for; ``.grain()`` refines it."""

    resolver: Resolver
    home: SemanticModel
    time_dimension: str
    name: str
    unit: str = ""

    def grain(self, unit: str) -> _Call:
        return _Call(self.resolver, self.home, self.time_dimension, self.name, unit)

    def __str__(self) -> str:
        if self.name != "metric_time" and not self.unit:
            _, written, element = self.resolver.dimension(self.name, self.home)
            if element.get("type") != "time":
                return written
        return self.resolver.time(self.name, self.unit, self.home, self.time_dimension)[1]


def templates_of(node: Node) -> tuple[str, ...]:
    """The filter templates of a metric, a metric's input or a measure's use.

    dbt 1.6 wrote one template where later versions list several.
    """
    written = section(node, "filter")
    listed = items(written, "where_filters") or (written,)
    found = (text(each, "where_sql_template") for each in listed if isinstance(each, Mapping))
    return tuple(each.strip() for each in found if each.strip())


def resolve(
    template: str, resolver: Resolver, home: SemanticModel, time_dimension: str
) -> MetricFilter:
    """One filter over the schema's columns; ``FilterError`` when it cannot be written so."""

    def time(name: str, time_granularity_name: str = "", entity_path: Sequence[str] = ()) -> _Call:
        full = "__".join((*entity_path, name))
        return _Call(resolver, home, time_dimension, full, time_granularity_name or "")

    def dimension(name: str, entity_path: Sequence[str] = ()) -> _Call:
        return time(name, "", entity_path)

    def entity(name: str, entity_path: Sequence[str] = ()) -> str:
        return resolver.entity("__".join((*entity_path, name)), home)[1]

    def metric(name: str, group_by: Sequence[str] = ()) -> str:
        raise FilterError(f"it filters by the metric {name}")

    names: dict[str, Callable[..., Any]]
    names = {"Dimension": dimension, "TimeDimension": time, "Entity": entity, "Metric": metric}
    try:
        written = templates.render(template, names)
        node = sql.parse_one(written, resolver.dialect)
        predicate = sql.to_sql(node, resolver.dialect)
    except (templates.TemplateError, sql.SqlError) as error:
        raise FilterError(f"{template}: {error}") from error
    columns = sql.columns_in(node)
    loose = [name for table, name in columns if table not in resolver.tables]
    if loose:
        raise FilterError(f"{template}: {loose[0]} is not written as a dimension")
    if isinstance(node, sql.exp.Or):
        predicate = f"({predicate})"
    used = tuple(dict.fromkeys(table for table, _ in columns))
    return MetricFilter(predicate=predicate, tables=used)
