"""Machine-made questions over many schemas, with invented metrics, for pretraining.

No data stands behind these schemas, so nothing is executed: a plan that binds is kept.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from random import Random

from dbt_t2s.corpus.generate import generate
from dbt_t2s.duck import QueryError, Rows
from dbt_t2s.project.schema import Column, Kind, Measure, Metric, ProjectSchema, Role, Table
from dbt_t2s.query.items import humanise

Asking = tuple[str, tuple[str, ...], int]
_ONE = Rows(("a", "b", "c"), ("INTEGER",) * 3, ((1, 1, 1),))
_COUNTS = ("number of {t}", "{t} count", "total {t}", "{t} volume")
_SUMS = ("total {c}", "{c}", "overall {c}", "{c} volume", "{t} {c}")
_MEANS = ("average {c}", "avg {c}", "{c} per {e}", "mean {c}", "typical {c}")
_MOST = ("highest {c}", "maximum {c}", "peak {c}")


def _believe(sql: str) -> Rows | QueryError:
    return _ONE


def with_metrics(schema: ProjectSchema, rng: Random) -> ProjectSchema:
    """The schema with metrics over its measures, named as people name them."""
    metrics: dict[str, Metric] = {}
    for table in schema.tables:
        for metric in _metrics(table, rng):
            metrics.setdefault(metric.name, metric)
    kept = rng.sample(sorted(metrics), min(len(metrics), rng.randrange(2, 14)))
    return replace(schema, metrics=tuple(metrics[name] for name in kept))


def _metrics(table: Table, rng: Random) -> Iterator[Metric]:
    noun, one = humanise(table.name), table.entity or humanise(table.name)
    yield _metric(table, rng.choice(_COUNTS).format(t=noun), "count", "1", rng)
    for column in table.columns:
        if column.kind is not Kind.NUMBER or column.role is not Role.MEASURE:
            continue
        said = column.label or humanise(column.name)
        for names, function in ((_SUMS, "sum"), (_MEANS, "average"), (_MOST, "max")):
            if rng.random() < 0.4:
                label = rng.choice(names).format(c=said, t=noun, e=one)
                yield _metric(table, label, function, column.name, rng)


def _metric(table: Table, label: str, function: str, expression: str, rng: Random) -> Metric:
    measure = Measure(label, table.name, function, _quoted(expression), table.time_column)
    name = "_".join(label.split())
    return Metric(name, "simple", label, measure=measure, tables=(table.name,))


def _quoted(name: str) -> str:
    return name if name == "1" else '"' + name.replace('"', '""') + '"'


def timed(schema: ProjectSchema) -> ProjectSchema:
    """The schema with a time column for every table that has one to give."""

    def first_time(table: Table) -> str:
        return next((c.name for c in table.columns if _is_time(c)), "")

    tables = (replace(t, time_column=t.time_column or first_time(t)) for t in schema.tables)
    return replace(schema, tables=tuple(tables))


def _is_time(column: Column) -> bool:
    return column.role is Role.TIME and column.kind in (Kind.DATE, Kind.TIMESTAMP)


def machine_rows(
    schema: ProjectSchema, count: int, seed: int
) -> tuple[ProjectSchema, list[Asking]]:
    """The schema with metrics, and (question, tokens, phase) of ``count`` questions over it."""
    made = with_metrics(timed(schema), Random(seed))
    return made, believed(replace(made, as_of="2020-01-01"), count, seed)


def believed(schema: ProjectSchema, count: int, seed: int) -> list[Asking]:
    """(question, tokens, phase) of ``count`` questions over a schema without data."""
    corpus = generate(schema, (), _believe, seed=seed, max_examples=count)
    return [(e.question, tuple(json.loads(e.plan)), e.phase) for e in corpus.examples]
