"""All metrics of a project: their meaning, checked against MetricFlow, and their groupings."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from dbt_t2s import sql
from dbt_t2s.duck import Execute, QueryError
from dbt_t2s.project import meta
from dbt_t2s.project.artifacts import Artifacts, Node, items, section, text
from dbt_t2s.project.definitions import Definitions, Inexpressible
from dbt_t2s.project.expansion import Expander, NoPath
from dbt_t2s.project.filters import Resolver, templates_of
from dbt_t2s.project.metrics import Answer, MetricFlow, MetricFlowError, with_ratio_aliases
from dbt_t2s.project.schema import (
    CompiledMetric,
    Issue,
    Join,
    Level,
    Metric,
    SavedQuery,
    Table,
)
from dbt_t2s.project.semantics import SemanticModel

GRAINS = ("day", "week", "month", "quarter", "year")

# A metric over a wide star can be grouped by hundreds of dimensions.
MOST_GROUPINGS = 40

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True)
class MetricSet:
    metrics: tuple[Metric, ...] = ()
    saved_queries: tuple[SavedQuery, ...] = ()
    issues: tuple[Issue, ...] = ()
    answers: tuple[Answer, ...] = ()


def read(
    artifacts: Artifacts,
    models: Sequence[SemanticModel],
    tables: Sequence[Table],
    joins: Sequence[Join],
    dialect: str,
    execute: Execute | None,
    progress: Progress,
    remembered: Sequence[Answer] = (),
) -> MetricSet:
    """Every metric and saved query; what MetricFlow refuses becomes an issue.

    ``remembered`` are its answers of an earlier run.
    """
    manifest, mended = with_ratio_aliases(artifacts.semantic_manifest)
    nodes = tuple(each for each in items(manifest, "metrics") if isinstance(each, dict))
    if not nodes:
        return MetricSet()
    issues = [_self_ratio(name) for name in mended]
    by_name = {table.name: table for table in tables}
    definitions = Definitions(nodes, Resolver(models, by_name, dialect))
    ids = _ids(artifacts)
    described = [definitions.describe(node, ids.get(text(node, "name"), "")) for node in nodes]
    defined: dict[str, Metric] = {}
    for metric in described:
        try:
            defined[metric.name] = definitions.define(metric)
        except Inexpressible as why:
            defined[metric.name] = metric
            issues.append(_compiled_only(metric, str(why), Level.INFO))
    try:
        flow = MetricFlow(manifest, dialect, remembered)
    except MetricFlowError as error:
        where = "semantic_manifest.json"
        issues.append(Issue(Level.WARNING, where, f"MetricFlow: {error}", "dbt parse"))
        return MetricSet(tuple(defined.values()), _saved(artifacts, None, issues), tuple(issues))
    if execute is not None:
        expander = Expander(defined, by_name, joins, dialect)
        defined = _verified(defined, expander, flow, execute, issues)
    finished = []
    for index, metric in enumerate(defined.values()):
        progress("metrics", index, len(defined))
        finished.append(_grouped(metric, flow, models, by_name, issues))
    progress("metrics", len(defined), len(defined))
    saved = _saved(artifacts, flow, issues)
    return MetricSet(tuple(finished), saved, tuple(issues), flow.answers)


def _ids(artifacts: Artifacts) -> dict[str, str]:
    nodes = section(artifacts.manifest, "metrics").values()
    return {text(each, "name"): text(each, "unique_id") for each in nodes if isinstance(each, dict)}


def _self_ratio(name: str) -> Issue:
    return Issue(
        Level.WARNING,
        f"metric {name}",
        "both sides are one metric and neither has an alias: MetricFlow would divide it by itself",
        "give its numerator an alias",
    )


def _compiled_only(metric: Metric, why: str, level: Level) -> Issue:
    hint = "it can be asked for in MetricFlow's own groupings alone"
    return Issue(level, f"metric {metric.name}", f"no plain expression: {why}", hint)


def _verified(
    metrics: Mapping[str, Metric],
    expander: Expander,
    flow: MetricFlow,
    execute: Execute,
    issues: list[Issue],
) -> dict[str, Metric]:
    """The metrics whose plain SQL gives MetricFlow's number; the others lose their expression."""
    wrong: set[str] = set()
    for metric in metrics.values():
        if metric.measure is None and not metric.inputs:
            continue
        why = _difference(metric, expander, flow, execute)
        if why:
            wrong.add(metric.name)
            issues.append(_compiled_only(metric, why, Level.WARNING))
    # A metric over a wrong one may be right in sum only, by luck.
    grown = True
    while grown:
        above = {
            metric.name
            for metric in metrics.values()
            if metric.name not in wrong and any(each.metric in wrong for each in metric.inputs)
        }
        for name in sorted(above):
            why = "one of its inputs has none"
            issues.append(_compiled_only(metrics[name], why, Level.WARNING))
        wrong |= above
        grown = bool(above)
    return {
        name: replace(m, measure=None, filters=(), expression="", inputs=()) if name in wrong else m
        for name, m in metrics.items()
    }


def _difference(metric: Metric, expander: Expander, flow: MetricFlow, execute: Execute) -> str:
    """Why the plain SQL is not MetricFlow's; empty when the two agree."""
    try:
        ours = execute(expander.sql(metric))
        theirs = execute(flow.sql([metric.name]))
    except (NoPath, MetricFlowError, sql.SqlError) as error:
        return str(error)
    if isinstance(ours, QueryError):
        return f"the plain SQL failed: {ours.message}"
    if isinstance(theirs, QueryError):
        return f"MetricFlow's SQL failed: {theirs.message}"
    mine = ours.rows[0][0] if ours.rows else None
    true = theirs.rows[0][0] if theirs.rows else None
    if _agree(mine, true):
        return ""
    return f"the plain SQL gives {mine}, MetricFlow's {true}"


def _agree(mine: object, true: object) -> bool:
    """Equal to a relative 1e-6; a count of nothing is 0 here and NULL in MetricFlow."""
    if mine is None or true is None:
        return mine == true or (true is None and mine == 0)
    if isinstance(mine, int | float | Decimal) and isinstance(true, int | float | Decimal):
        return math.isclose(float(mine), float(true), rel_tol=1e-6, abs_tol=1e-9)
    return str(mine) == str(true)


def _grouped(
    metric: Metric,
    flow: MetricFlow,
    models: Sequence[SemanticModel],
    tables: Mapping[str, Table],
    issues: list[Issue],
) -> Metric:
    """The metric with what it may be grouped by and, where needed, its compiled SQL."""
    try:
        found = flow.dimensions(metric.name)
    except MetricFlowError as error:
        message = f"MetricFlow lists no dimensions: {error}"
        issues.append(Issue(Level.WARNING, f"metric {metric.name}", message))
        return metric
    homes = {model.name: model.table for model in models}
    placed: list[tuple[str, str, str, bool]] = []
    for name, model, expression, is_time in found:
        table = tables.get(homes.get(model, ""))
        names = {c.name.lower(): c.name for c in table.columns} if table else {}
        if table is not None and expression.lower() in names:
            placed.append((name, table.name, names[expression.lower()], is_time))
    dimensions = tuple(dict.fromkeys((table, column) for _, table, column, _ in placed))
    metric = replace(metric, dimensions=dimensions)
    if metric.measure is not None or metric.inputs:
        return metric
    groupings = [CompiledMetric("", "", metric.name)]
    for grain in GRAINS:
        name = f"metric_time__{grain}"
        groupings.append(
            CompiledMetric(
                name, "", metric.name, name, metric.time_table, metric.time_column, grain
            )
        )
    for name, table_name, column, is_time in placed[:MOST_GROUPINGS]:
        if not is_time:
            groupings.append(CompiledMetric(name, "", metric.name, name, table_name, column))
    compiled = tuple(each for each in (_compile(one, flow) for one in groupings) if each)
    if not compiled:
        message = f"MetricFlow compiles it under no grouping: {_refusal(metric.name, flow)}"
        issues.append(Issue(Level.WARNING, f"metric {metric.name}", message))
    return replace(metric, compiled=compiled)


def _compile(wanted: CompiledMetric, flow: MetricFlow) -> CompiledMetric | None:
    """None where MetricFlow refuses: cumulative and offset metrics want metric_time."""
    group_by = [wanted.group_by] if wanted.group_by else []
    try:
        return replace(wanted, sql=flow.sql([wanted.metric_alias], group_by))
    except MetricFlowError:
        return None


def _refusal(metric: str, flow: MetricFlow) -> str:
    """Why MetricFlow writes no SQL for a metric, which may be the warehouse's dialect."""
    try:
        flow.sql([metric])
    except MetricFlowError as error:
        return str(error)
    return "a time is needed, and it knows none"


def _saved(
    artifacts: Artifacts, flow: MetricFlow | None, issues: list[Issue]
) -> tuple[SavedQuery, ...]:
    found = []
    for node in section(artifacts.manifest, "saved_queries").values():
        if not isinstance(node, dict) or not section(node, "config").get("enabled", True):
            continue
        params = section(node, "query_params")
        name, compiled = text(node, "name"), ""
        if flow is not None:
            try:
                compiled = flow.saved_query(name)
            except MetricFlowError as error:
                message = f"MetricFlow does not compile it: {error}"
                issues.append(Issue(Level.WARNING, f"saved query {name}", message))
        found.append(
            SavedQuery(
                name=name,
                label=meta.label(node),
                description=meta.description(node),
                metrics=tuple(str(each) for each in items(params, "metrics")),
                group_by=tuple(str(each) for each in items(params, "group_by")),
                where=_where(params),
                sql=compiled,
            )
        )
    return tuple(found)


def _where(params: Node) -> tuple[str, ...]:
    return templates_of({"filter": params.get("where")})
