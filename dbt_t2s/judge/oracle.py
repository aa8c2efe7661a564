"""Test questions with an independent oracle: metrics and saved queries in MetricFlow's own SQL."""

from __future__ import annotations

import re
from collections.abc import Iterator

from dbt_t2s.judge.suite import TestItem
from dbt_t2s.project.metrics import MetricFlow, MetricFlowError
from dbt_t2s.project.schema import Column, Issue, Level, Metric, ProjectSchema, Role

# A metric is asked for in so many forms.
_FORMS = 2
METRIC, SAVED_QUERY = "metric", "saved query"
# Metrics are asked for as a whole, by month, and by one of these.
_ASKED_BY = (Role.CATEGORY, Role.FLAG)


def saved_query_items(schema: ProjectSchema) -> tuple[tuple[TestItem, ...], tuple[Issue, ...]]:
    """A question per saved query; an issue for each that has no SQL or no words."""
    items: list[TestItem] = []
    issues: list[Issue] = []
    for saved in schema.saved_queries:
        where = f"saved query {saved.name}"
        question = saved.description or saved.label
        if not saved.sql or not question:
            missing = "MetricFlow gives no SQL for it" if question else "it has no description"
            issues.append(Issue(Level.WARNING, where, f"it is not asked for: {missing}"))
            continue
        items.append(
            TestItem(saved.name, question, (saved.sql,), SAVED_QUERY, "", where, 0, saved.metrics)
        )
    return tuple(items), tuple(issues)


def metric_items(
    schema: ProjectSchema, flow: MetricFlow
) -> tuple[tuple[TestItem, ...], tuple[Issue, ...]]:
    """Two questions per metric: one for all of it, one for it by month or by a dimension.

    The metric goes by its label in one and by a synonym, if it has one, in the other. What
    MetricFlow refuses (a cumulative metric as a whole) is not asked; a metric that it refuses in
    every form is an issue.
    """
    items: list[TestItem] = []
    issues: list[Issue] = []
    for number, metric in enumerate(schema.metrics):
        refused: list[str] = []
        found: list[TestItem] = []
        by_month = number % 2 == 0
        try:
            asked = list(_groupings(metric, schema, flow, by_month=by_month))
        except MetricFlowError as error:
            refused.append(str(error))
            asked = []
        label, synonym = _names(metric)
        for number_asked, (grouping, words) in enumerate(asked):
            if number_asked == _FORMS and found:
                break  # the last form is for metrics that have no other
            name = synonym if number_asked == 1 else label
            try:
                sql = flow.sql([metric.name], [grouping] if grouping else [])
            except MetricFlowError as error:
                refused.append(str(error))
                continue
            found.append(_item(metric, name, grouping, words, sql))
        if not found and refused:
            message = f"MetricFlow compiles it in no form that is asked for: {refused[0]}"
            issues.append(Issue(Level.WARNING, f"metric {metric.name}", message))
        items += found
    return tuple(items), tuple(issues)


def _names(metric: Metric) -> tuple[str, str]:
    label = metric.label or _words(metric.name)
    return label, metric.synonyms[0] if metric.synonyms else label


def _item(metric: Metric, name: str, grouping: str, words: str, sql: str) -> TestItem:
    spoken = name if name[1:2].isupper() else name[:1].lower() + name[1:]
    lead = "How many" if _is_count(metric, spoken) else "What is the"
    question = f"{lead} {spoken} by {words}?" if words else f"{lead} {spoken}?"
    id = f"{metric.name} by {grouping}" if grouping else metric.name
    where = f"metric {metric.name}"
    return TestItem(id, question, (sql,), METRIC, "", where, 0, (metric.name,))


def _groupings(
    metric: Metric, schema: ProjectSchema, flow: MetricFlow, *, by_month: bool
) -> Iterator[tuple[str, str]]:
    """(MetricFlow's name, words): no grouping, one, and by month in any case."""
    yield "", ""
    month = ("metric_time__month", "month")
    if by_month:
        yield month
        return
    columns = _columns(metric, schema)
    for name, _, expression, is_time in flow.dimensions(metric.name):
        column = columns.get(expression.lower())
        if column is not None and not is_time:
            yield name, (column.label or _words(column.name)).lower()
            break
    yield month


def _is_count(metric: Metric, name: str) -> bool:
    """Whether one asks how many: of things in the plural, which are counted."""
    measure = metric.measure
    counts = measure is not None and measure.aggregation.startswith(("count", "sum_boolean"))
    return counts and re.match(r"(?!number|count|share)[\w ]*s\b", name) is not None


def _columns(metric: Metric, schema: ProjectSchema) -> dict[str, Column]:
    """What the metric is asked by: categories of the tables it reads, by lower-case name."""
    found: dict[str, Column] = {}
    for table, name in metric.dimensions:
        column = schema.table(table).column(name)
        if table in metric.tables and column.role in _ASKED_BY and not column.personal:
            found.setdefault(name.lower(), column)
    return found


def _words(name: str) -> str:
    return re.sub(r"[_\s]+", " ", name).strip()
