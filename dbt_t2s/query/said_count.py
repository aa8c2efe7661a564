"""Rows named with a time alone are counted: "orders last 30 days" wants a number.

Written questions that say no more than that, of more than a day, all mean how many there were;
what there is "today" may be listed.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from dbt_t2s.project.schema import ProjectSchema
from dbt_t2s.query.dates import date_spans
from dbt_t2s.query.plan import Col, Count, During, Plan, Range
from dbt_t2s.query.text import STOP_WORDS, stems, words

_LISTED = "which who whom whose what list show give find get see out where tell want need"
_MARKS = STOP_WORDS - frozenset(_LISTED.split())


def counted_rows(plan: Plan, text: str, schema: ProjectSchema, today: date) -> Plan:
    """``plan`` as a count, where it lists a table's rows of some time and ``text`` says no more
    than the table's name and that time."""
    tables = {each.table for each in plan.select if isinstance(each, Col)}
    dated = len(plan.where) == 1 and isinstance(plan.where[0], During)
    alone = plan == replace(plan, order=None, limit=None, having=(), per=None)
    listed = all(isinstance(each, Col) for each in plan.select) and len(plan.select) <= 2
    if len(tables) != 1 or not dated or not alone or not listed:
        return plan
    table = schema.table(tables.pop())
    spans = date_spans(text, today, schema.fiscal_year)
    told = text
    for span in reversed(spans):
        told = told[: span.start] + told[span.end :]
    left = {word.stem for word in words(told) if word.text.lower() not in _MARKS}
    names = [frozenset(stems(name)) for name in (table.name, *table.synonyms)]
    said = (
        bool(spans)
        and all(_is_long(span.range) for span in spans)
        and any(left and left <= name for name in names)
    )
    return replace(plan, select=(Count(table.name),)) if said else plan


def _is_long(span: Range) -> bool:
    """Whether it has two ends and more than a day between them."""
    if not span.start or not span.end:
        return False
    return (date.fromisoformat(span.end) - date.fromisoformat(span.start)).days > 1
