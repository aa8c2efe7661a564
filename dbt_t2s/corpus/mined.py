"""How the project's own queries are built, and which examples are built so too."""

from __future__ import annotations

import re
from collections.abc import Iterable

from dbt_t2s.corpus.patterns import Pattern

_CALL = re.compile(r"\b([a-z_]+)\s*\(")
_AGGREGATES = frozenset("sum count avg min max median".split())
_CLAUSES = {"join": " join ", "group": "group by ", "window": " over (", "where": "where "}


def parts_of_sql(sql: str) -> frozenset[str]:
    """Which clauses and aggregates an example's SQL has."""
    text = " ".join(sql.lower().split())
    found = {name for name, said in _CLAUSES.items() if said in f" {text} "}
    return frozenset(found | (_AGGREGATES & set(_CALL.findall(text))))


def templates_of(patterns: Iterable[Pattern]) -> dict[str, frozenset[str]]:
    """The mined templates, each with the clauses and aggregates that its queries have."""
    found: dict[str, frozenset[str]] = {}
    for pattern in patterns:
        if pattern.template:
            known = found.get(pattern.template, frozenset())
            found[pattern.template] = known | _parts_of_pattern(pattern)
    return found


def _parts_of_pattern(pattern: Pattern) -> frozenset[str]:
    clauses = {
        "join": pattern.joins,
        "group": pattern.groupings,
        "window": pattern.windows,
        "where": (*pattern.filters, *pattern.conditions),
    }
    parts = {name for name, used in clauses.items() if used}
    for aggregation in pattern.aggregations:
        parts.update(_CALL.findall(aggregation.lower())[:1])
    return frozenset(parts)
