"""Who asks for the names alone gets no other column.

"Campaigns that blew their budget. Names." does not ask for the budget. Of 83 written questions
that say so, one has another column: the group that it names the first of.
"""

from __future__ import annotations

import re
from dataclasses import replace

from dbt_t2s.project.schema import ProjectSchema
from dbt_t2s.query.naming import display_column
from dbt_t2s.query.plan import Col, Plan, is_measure
from dbt_t2s.query.text import name_words

_ALONE = re.compile(
    r"\b(?:just|only)\s+(?:the\s+|their\s+)?names?\b(?!\s*(?:,|&|\+|and\b|with\b|plus\b))|"
    r"\bnames?\s+(?:suffices?|only|will\s+do|(?:is|are)\s+enough)\b|"
    r"[.;?!]\s*names?(?:\s+(?:please|pls))?\s*[.!?]?$",
    re.IGNORECASE,
)
_NAMES = frozenset(("name", "nm", "title"))


def names_alone(plan: Plan, text: str, schema: ProjectSchema) -> Plan:
    """``plan`` without the columns that name nobody, where ``text`` asks for names alone."""
    grouped = plan.per is not None or any(map(is_measure, plan.select))
    if grouped or _ALONE.search(text) is None:
        return plan
    kept = tuple(each for each in plan.select if isinstance(each, Col) and _names(each, schema))
    return replace(plan, select=kept) if kept else plan


def _names(column: Col, schema: ProjectSchema) -> bool:
    display = display_column(schema.table(column.table))
    shown = display is not None and display.name == column.column
    return shown or name_words(column.column)[-1] in _NAMES
