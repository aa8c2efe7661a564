"""The door to MetricFlow: metrics, their groupings and their SQL, without a warehouse."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from dbt_t2s.project.artifacts import Node, items, section, text
from dbt_t2s.project.node_sql import stamp

# One class per dialect that MetricFlow itself can write.
_RENDERERS = {
    "duckdb": ("duckdb_renderer", "DuckDbSqlPlanRenderer", "DUCKDB"),
    "snowflake": ("snowflake", "SnowflakeSqlPlanRenderer", "SNOWFLAKE"),
    "bigquery": ("big_query", "BigQuerySqlPlanRenderer", "BIGQUERY"),
    "postgres": ("postgres", "PostgresSQLSqlPlanRenderer", "POSTGRES"),
    "redshift": ("redshift", "RedshiftSqlPlanRenderer", "REDSHIFT"),
    "databricks": ("databricks", "DatabricksSqlPlanRenderer", "DATABRICKS"),
    "trino": ("trino", "TrinoSqlPlanRenderer", "TRINO"),
    "athena": ("athena", "AthenaSqlPlanRenderer", "ATHENA"),
}


# Another one where we keep its SQL in another form: what was remembered holds no longer.
_KEPT_AS = "rows numbered"


class MetricFlowError(ValueError):
    """MetricFlow cannot read the manifest, or refuses a query; the message is its own."""


@dataclass(frozen=True)
class Answer:
    """What MetricFlow answered to a request: SQL, or (name, semantic model, SQL, is time)s.

    It holds as long as ``key`` is that of the semantic manifest; ``error`` says why it refused.
    """

    key: str
    request: str
    sql: str = ""
    dimensions: tuple[tuple[str, str, str, bool], ...] = ()
    error: str = ""


class MetricFlow:
    """MetricFlow over one semantic manifest; loaded when first needed, then 20-60 ms a query."""

    def __init__(
        self, semantic_manifest: Node, dialect: str, remembered: Iterable[Answer] = ()
    ) -> None:
        """``remembered`` are answers of an earlier run, of which those that hold are given again.

        MetricFlowError where it cannot read the manifest.
        """
        self._manifest, self._dialect = semantic_manifest, dialect
        asked_of = json.dumps(semantic_manifest, sort_keys=True)
        self._key = stamp((_version(), _KEPT_AS, dialect, asked_of))
        self._known = {each.request: each for each in remembered if each.key == self._key}
        self._given: dict[str, Answer] = {}
        self._answer("open", lambda: {"sql": "opened" if self._engine else ""})

    @property
    def answers(self) -> tuple[Answer, ...]:
        """What was asked so far, for the next run to remember."""
        return tuple(self._given.values())

    def sql(self, metrics: Sequence[str], group_by: Sequence[str] = ()) -> str:
        """MetricFlow's own SQL, without its comments."""
        return self._explained(metric_names=list(metrics), group_by_names=list(group_by))

    def saved_query(self, name: str) -> str:
        return self._explained(saved_query_name=name)

    def dimensions(self, metric: str) -> tuple[tuple[str, str, str, bool], ...]:
        """What the metric may be grouped by: (MetricFlow's name, semantic model, SQL, is time).

        ``metric_time`` is left out: it is no dimension of a semantic model.
        """
        name = f"dimensions of {metric}"
        return self._answer(
            name, lambda: {"dimensions": self._engine.dimensions(metric)}
        ).dimensions

    def _explained(self, **request: object) -> str:
        name = json.dumps(request, sort_keys=True)
        return self._answer(name, lambda: {"sql": self._engine.sql(**request)}).sql

    def _answer(self, request: str, ask: Callable[[], dict[str, Any]]) -> Answer:
        """The remembered answer, else a new one; MetricFlowError where it is a refusal."""
        if request not in self._known:
            try:
                self._known[request] = Answer(self._key, request, **ask())
            except MetricFlowError as error:
                self._known[request] = Answer(self._key, request, error=str(error))
        found = self._given[request] = self._known[request]
        if found.error:
            raise MetricFlowError(found.error)
        return found

    @cached_property
    def _engine(self) -> _Engine:
        return _Engine(self._manifest, self._dialect)


class _Engine:
    """MetricFlow itself."""

    def __init__(self, semantic_manifest: Node, dialect: str) -> None:
        if dialect not in _RENDERERS:
            raise MetricFlowError(f"MetricFlow writes no {dialect or 'standard'} SQL")
        self._engine, self._request, self._failures = _open(semantic_manifest, dialect)

    def sql(self, **request: object) -> str:
        try:
            found = self._engine.explain(self._request.create(**request))
            return _repeatable(_without_comments(str(found.sql_statement.sql)))
        except self._failures as error:
            raise MetricFlowError(_first_message(error)) from error

    def dimensions(self, metric: str) -> tuple[tuple[str, str, str, bool], ...]:
        try:
            found = self._engine.simple_dimensions_for_metrics([metric])
        except self._failures as error:
            raise MetricFlowError(_first_message(error)) from error
        return tuple(
            (
                str(each.dunder_name),
                str(each.semantic_model_reference.semantic_model_name),
                str(each.expr or each.name),
                str(each.type.value) == "time",
            )
            for each in found
            if each.semantic_model_reference is not None
        )


def with_ratio_aliases(semantic_manifest: Node) -> tuple[dict[str, Any], tuple[str, ...]]:
    """The manifest with ratios of a metric to itself told apart, and the names of those ratios.

    Where both sides are one metric under two filters and neither has an alias, MetricFlow 0.213
    divides the denominator by itself. It is right once the two have different aliases.
    """
    manifest = copy.deepcopy(dict(semantic_manifest))
    mended: list[str] = []
    for metric in items(manifest, "metrics"):
        params = section(metric, "type_params") if isinstance(metric, dict) else {}
        top, bottom = params.get("numerator"), params.get("denominator")
        if not isinstance(top, dict) or not isinstance(bottom, dict):
            continue
        if (top.get("alias") or top.get("name")) == (bottom.get("alias") or bottom.get("name")):
            top["alias"] = f"{text(top, 'name')}_numerator"
            mended.append(text(metric, "name"))
    return manifest, tuple(mended)


def _open(semantic_manifest: Node, dialect: str) -> tuple[Any, Any, tuple[type[Exception], ...]]:
    try:
        from importlib import import_module

        from metricflow.engine.metricflow_engine import MetricFlowEngine, MetricFlowQueryRequest
        from metricflow.protocols.sql_client import SqlEngine
        from metricflow_semantic_interfaces.errors import (
            ConstraintParseException,
            InvalidQuerySyntax,
            ModelTransformError,
            ParsingException,
        )
        from metricflow_semantic_interfaces.implementations.semantic_manifest import (
            PydanticSemanticManifest,
        )
        from metricflow_semantic_interfaces.transformations.semantic_manifest_transformer import (
            PydanticSemanticManifestTransformer,
        )
        from metricflow_semantics.errors.error_classes import MetricFlowException
        from metricflow_semantics.model.semantic_manifest_lookup import SemanticManifestLookup
    except ImportError as error:
        raise MetricFlowError(f"MetricFlow is not installed: {error}") from error
    module, name, engine = _RENDERERS[dialect]
    renderer = getattr(import_module(f"metricflow.sql.render.{module}"), name)()
    # What it raises on manifests and queries it cannot take: its own errors, pydantic's (which
    # are ValueErrors), failed assertions about the manifest, and what its parsers meet when a
    # value there has another type than they expect.
    failures: tuple[type[Exception], ...] = (
        MetricFlowException,
        ParsingException,
        ConstraintParseException,
        InvalidQuerySyntax,
        ModelTransformError,
        ValueError,
        LookupError,
        AssertionError,
        RuntimeError,
        TypeError,
        AttributeError,
    )
    client = _NoWarehouse(getattr(SqlEngine, engine), renderer)
    try:
        manifest = PydanticSemanticManifest.parse_raw(json.dumps(semantic_manifest))
        manifest = PydanticSemanticManifestTransformer.transform(manifest)
        built = MetricFlowEngine(SemanticManifestLookup(manifest), client)
    except failures as error:
        raise MetricFlowError(_first_message(error)) from error
    return built, MetricFlowQueryRequest, failures


class _NoWarehouse:
    """What MetricFlow asks of a SQL client when it only explains: a dialect and a renderer."""

    def __init__(self, engine: Any, renderer: Any) -> None:
        self.sql_engine_type = engine
        self.sql_plan_renderer = renderer

    def query(self, stmt: str, *_: object) -> Any:
        raise RuntimeError("MetricFlow wanted to query a warehouse; here it only explains")

    execute = query
    dry_run = query

    def close(self) -> None:
        """Nothing is open."""

    def render_bind_parameter_key(self, bind_parameter_key: str) -> str:
        return f"${bind_parameter_key}"


def _version() -> str:
    try:
        return version("metricflow")
    except PackageNotFoundError:
        return ""


def _without_comments(written: str) -> str:
    """MetricFlow's comments stand on lines of their own."""
    lines = (line for line in written.splitlines() if not line.lstrip().startswith("--"))
    return "\n".join(line for line in lines if line.strip())


# How MetricFlow tells apart the rows of a conversion metric, whatever the dialect calls it.
_RANDOM_KEY = re.compile(r"\b\w*UUID\w*\(\)(?= AS \w+)", re.IGNORECASE)


def _repeatable(written: str) -> str:
    """The SQL with rows numbered where they are given random keys, which no proof can repeat."""
    return _RANDOM_KEY.sub("ROW_NUMBER() OVER (ORDER BY NULL)", written)


def _first_message(error: Exception) -> str:
    """The sentence in MetricFlow's long report that says what is wrong."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    after = [lines[i + 1] for i, line in enumerate(lines[:-1]) if line == "Message:"]
    return (after or lines or [type(error).__name__])[0][:300]
