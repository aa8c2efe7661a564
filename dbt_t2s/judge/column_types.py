"""The type of a column that nobody declares, by what SQL does with it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence

from dbt_t2s.judge.conditions import Condition

_DATE = re.compile(r"\d{4}-\d{2}-\d{2}$")
_TIMESTAMP = re.compile(r"\d{4}-\d{2}-\d{2}[ T]\d{2}:\d{2}")
_KINDS = {"number": "DECIMAL(12,2)", "date": "TIMESTAMP", "text": "VARCHAR"}


def type_from_usage(types: Sequence[str], asked: Iterable[Condition]) -> str:
    """DuckDB's type; empty where nothing tells.

    ``types`` are what casts and functions ask for (see ``usage.Usage``): a cast says most, then
    what functions take, then the literals that the column is compared with.
    """
    casts = Counter(each for each in types if each not in _KINDS)
    if casts:
        return casts.most_common(1)[0][0]
    written = [_of_condition(each) for each in asked]
    kinds = [_KINDS[each] for each in types]
    for wanted in ("VARCHAR", "TIMESTAMP", "DATE", "DECIMAL(12,2)", "BIGINT", "BOOLEAN"):
        if wanted in kinds:
            return "DATE" if wanted == "TIMESTAMP" and "DATE" in written else wanted
    for wanted in ("VARCHAR", "TIMESTAMP", "DATE", "DECIMAL(12,2)", "BIGINT", "BOOLEAN"):
        if wanted in written:
            return wanted
    return ""


def _of_condition(condition: Condition) -> str:
    if condition.operator in ("true", "false"):
        return "BOOLEAN"
    if not condition.values:
        return ""
    if condition.kind == "number":
        return "DECIMAL(12,2)" if any("." in each for each in condition.values) else "BIGINT"
    for kind, pattern in (("TIMESTAMP", _TIMESTAMP), ("DATE", _DATE)):
        if all(pattern.match(each) for each in condition.values):
            return kind
    return "VARCHAR"
