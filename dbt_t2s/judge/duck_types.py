"""A warehouse's column types as DuckDB has them."""

from __future__ import annotations

import functools
import re
from collections.abc import Sequence

from dbt_t2s import duck
from dbt_t2s import sql as language
from dbt_t2s.duck import QueryError

# Half-structured data of any warehouse: what DuckDB reads it from.
FALLBACK = "VARCHAR"
_WRITTEN = (
    ("BIGINT", re.compile(r"-?(0|[1-9]\d{0,17})")),
    ("DOUBLE", re.compile(r"-?\d+(\.\d+)?")),
    ("DATE", re.compile(r"\d{4}-\d{2}-\d{2}")),
    ("TIMESTAMP", re.compile(r"\d{4}-\d{2}-\d{2}[ T]\d{2}:\d{2}(:\d{2}(\.\d+)?)?")),
)
_LOOSE = {"VARIANT": "JSON", "OBJECT": "JSON", "ARRAY": "JSON", "STRUCT": "JSON", "MAP": "JSON"}


@functools.cache
def duck_type(name: str, dialect: str) -> str:
    """DuckDB's name for a type of ``dialect``; text where it has none or the type is unknown."""
    if not name.strip():
        return FALLBACK
    try:
        read = language.data_type(name, dialect)
        written = name if dialect == "duckdb" else language.to_sql(read, "duckdb")
    except language.SqlError:
        return FALLBACK
    written = _LOOSE.get(written.upper(), written)
    with duck.open_memory() as connection:
        found = duck.run(connection, f"select cast(null as {written})")
    return FALLBACK if isinstance(found, QueryError) else written


def type_of(values: Sequence[object], is_text: bool = False) -> str:
    """The type of a column that nobody declares, by its values.

    Text is a date or a timestamp where all of it reads so, and a number where a file that has
    nothing but text holds one (``is_text``).
    """
    known = [value for value in values if value is not None]
    kinds = {type(value) for value in known}
    if kinds == {bool}:
        return "BOOLEAN"
    if kinds and kinds <= {int, float}:
        return "BIGINT" if kinds == {int} else "DOUBLE"
    if kinds == {str}:
        patterns = _WRITTEN if is_text else _WRITTEN[-2:]
        for kind, pattern in patterns:
            if all(pattern.fullmatch(str(value)) for value in known):
                return kind
    return FALLBACK


def literal(value: object) -> str:
    """A value of a YAML or JSON fixture as DuckDB writes it."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float):
        return repr(value)
    if isinstance(value, list):
        return f"[{', '.join(literal(each) for each in value)}]"
    if isinstance(value, dict):
        parts = (f"{literal(str(key))}: {literal(each)}" for key, each in value.items())
        return f"{{{', '.join(parts)}}}"
    return "'" + str(value).replace("'", "''") + "'"
