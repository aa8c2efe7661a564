"""What an agent or an editor may do with a trained model; each tool gives plain JSON values."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, replace
from typing import Any

from dbt_t2s.errors import ServeError
from dbt_t2s.project.schema import Metric, ProjectSchema, Table
from dbt_t2s.serve.ask import Answer

Json = dict[str, Any]
# A program that reads answers pays for every row; the whole result is a query away.
ROWS = 50
_LIST_TABLES = "list_tables names the tables, list_metrics the metrics"


def told(answer: Answer, rows: int) -> Json:
    """An answer with at most ``rows`` of its rows, and how many there are."""
    kept = replace(answer, rows=answer.rows[:rows])
    return {**kept.as_dict(), "row_count": len(answer.rows)}


def metrics(schema: ProjectSchema, about: str = "") -> list[Json]:
    """The metrics whose name, label, description or synonyms hold all words of ``about``."""
    return [_metric(each) for each in schema.metrics if _is_about(about, _words_of(each))]


def tables(schema: ProjectSchema, about: str = "") -> list[Json]:
    """The tables, without their columns, that hold all words of ``about``, columns' names too."""
    return [
        _table(each)
        for each in schema.tables
        if _is_about(about, [*_words_of(each), *(c.name for c in each.columns)])
    ]


def described(schema: ProjectSchema, name: str, place_of: Callable[[str], str]) -> Json:
    """One table or metric with all that is known of it; ServeError where there is none."""
    for metric in schema.metrics:
        if metric.name == name:
            return {**_metric(metric), "place": place_of(metric.unique_id)}
    for table in schema.tables:
        if table.name == name:
            return {
                **_table(table),
                "place": table.path,
                "columns": [_column(schema, table, each.name) for each in table.columns],
                "rules": [
                    {"sentence": rule.sentence, "predicate": rule.predicate, "always": rule.always}
                    for rule in schema.rules
                    if rule.table == name
                ],
                "joins": [
                    {"columns": list(j.columns), "to": j.to_table, "to_columns": list(j.to_columns)}
                    for j in schema.joins
                    if j.table == name and j.proven
                ],
            }
    raise ServeError(f"there is no table or metric {name}", where="describe", hint=_LIST_TABLES)


def _metric(metric: Metric) -> Json:
    return {
        "kind": "metric",
        "name": metric.name,
        "type": metric.type,
        "label": metric.label,
        "description": metric.description,
        "synonyms": list(metric.synonyms),
        "group_by": [f"{table}.{column}" for table, column in metric.dimensions],
    }


def _table(table: Table) -> Json:
    return {
        "kind": "table",
        "name": table.name,
        "relation": table.relation,
        "label": table.label,
        "description": table.description,
        "synonyms": list(table.synonyms),
        "primary_key": list(table.primary_key),
        "rows": table.rows,
    }


def _column(schema: ProjectSchema, table: Table, name: str) -> Json:
    """A column; frequent values stay out where they are personal data."""
    column = table.column(name)
    known = asdict(column)
    kept = ("name", "type", "label", "description", "synonyms", "unit", "minimum", "maximum")
    shown = {key: known[key] for key in kept if known[key]}
    if column.values and not column.personal:
        shown["values"] = list(column.values)
    return {**shown, "synonyms": list(column.synonyms)}


def _words_of(thing: Metric | Table) -> list[str]:
    return [thing.name, thing.label, thing.description, *thing.synonyms]


def _is_about(about: str, texts: list[str]) -> bool:
    held = " ".join(texts).lower()
    return all(word in held for word in about.lower().split())
