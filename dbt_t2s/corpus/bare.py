"""Why a thing of the schema is not asked about."""

from __future__ import annotations

from dbt_t2s.corpus.vocabulary import Vocabulary
from dbt_t2s.project.schema import Column, Kind, ProjectSchema, Role, Table


def why_not(column: Column, is_display: bool) -> str:
    """What keeps questions away from a column for good; empty where nothing does.

    ``is_display``: it names its table's rows to a person.
    """
    if column.personal and not is_display:
        return "it holds personal data"
    if column.role in (Role.KEY, Role.FOREIGN_KEY) and not is_display:
        return "it is a key, which joins rows and is not asked for"
    if column.kind is Kind.OTHER:
        return f"questions do not speak of the type {column.type or 'that nobody states'}"
    if column.null_share == 1:
        return "it is NULL in every row"
    return ""


def why_bare(schema: ProjectSchema, words: Vocabulary, thing: str) -> tuple[str, str]:
    """The likeliest reason why drawing for ``thing`` gave nothing, and what would help."""
    sort, _, name = thing.partition(":")
    if sort == "m":
        return _metric(schema, words, name)
    if sort == "r":
        return "its condition holds for no row where SQL is checked", "dbt build"
    if sort == "j":
        return _edge(words, name)
    table = schema.table(name.partition(".")[0])
    if table.rows == 0:
        return f"{table.name} has no rows", "dbt build"
    if sort == "c" and not _can_be_found(words, table):
        return (
            f"rows of {table.name} have neither a name nor a number to be found by",
            "test the key of the model with unique and not_null, or add a column `name`",
        )
    return "nothing drawn about it ran and gave rows", "dbt build, then dbt-t2s generate"


def _metric(schema: ProjectSchema, words: Vocabulary, name: str) -> tuple[str, str]:
    metric = next(m for m in schema.metrics if m.name == name)
    if not words.metric_roots(metric) and not metric.compiled:
        return "MetricFlow gave no SQL for it", "dbt parse, then dbt-t2s distill"
    return "its SQL fails or gives no figure on the rows there are", "dbt build"


def _edge(words: Vocabulary, name: str) -> tuple[str, str]:
    many, _, one = name.partition(" = ")
    target = words.tables[one.partition(".")[0]]
    own = {d.table.name for d in words.dimensions(target.name)}
    if target.name not in own and words.display(target) is None:
        return f"{target.name} has no column to group or filter {many.partition('.')[0]} by", ""
    return "nothing drawn along it ran and gave rows", "dbt build"


def _can_be_found(words: Vocabulary, table: Table) -> bool:
    return words.display(table) is not None or bool(table.primary_key)
