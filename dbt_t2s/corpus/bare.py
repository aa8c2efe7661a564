"""Why a thing of the schema is not asked about."""

from __future__ import annotations

from dbt_t2s.corpus.vocabulary import Vocabulary
from dbt_t2s.project.schema import Column, Kind, ProjectSchema, Role, Table

# What drafts come to where the data for them is not there.
NO_ROWS = "no row meets its conditions"
ONLY_NULL = "all it gives is NULL"


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


def why_bare(schema: ProjectSchema, words: Vocabulary, thing: str, failed: str) -> tuple[str, str]:
    """The likeliest reason why drawing for ``thing`` gave nothing, and what would help.

    ``failed`` is what most drafts about it came to, empty where there were none.
    """
    sort, _, name = thing.partition(":")
    if sort == "j":
        many, one = (side.partition(".")[0] for side in name.split(" = "))
        if around := _another_way(words, many, one, name):
            return around, ""
        target = words.tables[one]
        if not any(d.own for d in words.dimensions(target.name)):
            return f"{target.name} has no column to group or filter by", ""
    if failed:
        return failed, "dbt build" if failed in (NO_ROWS, ONLY_NULL) else ""
    if sort == "m":
        return "MetricFlow gave no SQL for it", "dbt parse, then dbt-t2s distill"
    if sort in "rj":
        return "no question about its table could be made", "dbt build"
    table = schema.table(name.partition(".")[0])
    if table.rows == 0:
        return f"{table.name} has no rows", "dbt build"
    if sort == "c" and not _can_be_found(words, table):
        return (
            f"rows of {table.name} have neither a name nor a number to be found by",
            "test the key of the model with unique and not_null, or add a column `name`",
        )
    return "no shape of question fits it", ""


def _another_way(words: Vocabulary, many: str, one: str, edge: str) -> str:
    """That plans join the two tables otherwise, as they name no edges; empty where they do not."""
    path = words.graph.path(many, one) or ()
    if not path:
        return ""
    first = path[0]
    ends = (f"{first.table}.{first.columns[0]}", f"{first.to_table}.{first.to_columns[0]}")
    if len(path) == 1 and set(edge.split(" = ")) == set(ends):
        return ""
    way = " and ".join(first.columns) if len(path) == 1 else f"way of {first.to_table}"
    return f"{many} and {one} are joined by {way} wherever both occur"


def _can_be_found(words: Vocabulary, table: Table) -> bool:
    return words.display(table) is not None or bool(table.primary_key)
