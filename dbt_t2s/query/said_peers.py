"""Rows compared with the average of their own kind: "priced above the average of its category".

What the rows are alike in is told by a column's name. Where no column of the compared one's table
is called so, or two are, the average stays that of all rows.
"""

from __future__ import annotations

import re
from dataclasses import replace

from dbt_t2s.project.schema import Column, Kind, ProjectSchema
from dbt_t2s.query.plan import Col, Compare, Not, Peers, Plan, Pred
from dbt_t2s.query.text import name_words, stem

_OWN = r"(?:(?:their|its|his|her|the)\s+)?(?:(?:very\s+)?own|same|respective)|their|its|his|her"
_NAME = r"(?P<name>[a-z]\w*(?:[ -][a-z]\w*)?)"
_AVERAGE = r"(?:average|avg\.?|mean)"
_SAID = tuple(
    re.compile(text, re.IGNORECASE)
    for text in (
        # "the average list price of their own category", "average for its category"
        rf"\b{_AVERAGE}\b[^?.!;,]{{0,40}}?\b(?:of|in|for|within|across|among)\s+(?:{_OWN})\s+{_NAME}",
        # "above their category's average", "than the average in the same category"
        rf"\b(?:{_OWN})\s+{_NAME}(?:['’]s|s['’])?\s+{_AVERAGE}\b",
    )
)
_ALIKE = (Kind.TEXT, Kind.BOOLEAN)


def said_peers(text: str) -> str:
    """What rows are to be alike in, as the question names it; empty where it says no such thing."""
    found = (pattern.search(text) for pattern in _SAID)
    return next((each["name"] for each in found if each), "")


def among_peers(plan: Plan, said: str, schema: ProjectSchema) -> Plan:
    """``plan`` with an average over all rows made that over those alike in what is ``said``."""
    if not said:
        return plan
    return replace(plan, where=tuple(_among(each, said, schema) for each in plan.where))


def _among(pred: Pred, said: str, schema: ProjectSchema) -> Pred:
    match pred:
        case Not(inner):
            return Not(_among(inner, said, schema))
        case Compare(_, Col(table), None):
            columns = [c for c in schema.table(table).columns if c.kind in _ALIKE]
            called = _called(said, columns)
            return replace(pred, right=Peers(Col(table, called.name))) if called else pred
    return pred


def _called(said: str, columns: list[Column]) -> Column | None:
    """The one column called by both words said or by the first: its whole name, or its end."""
    words = tuple(map(stem, name_words(said)))
    for wanted in dict.fromkeys((words, words[:1])):
        for is_called in (_wholly, _at_its_end):
            found = [column for column in columns if is_called(wanted, column)]
            if len(found) == 1:
                return found[0]
    return None


def _names(column: Column) -> list[tuple[str, ...]]:
    names = (column.name, column.label, *column.synonyms)
    return [tuple(map(stem, name_words(name))) for name in names if name]


def _wholly(wanted: tuple[str, ...], column: Column) -> bool:
    return wanted in _names(column)


def _at_its_end(wanted: tuple[str, ...], column: Column) -> bool:
    return any(name[-len(wanted) :] == wanted for name in _names(column))
