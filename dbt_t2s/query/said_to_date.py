"""What happened "this year" ends today, though the table also holds what is planned.

A period that has begun is asked for to date ("lessons held this year", "sales this quarter"), and
in most tables nothing lies ahead of today. Where something does, the period is cut off today,
unless a word or the column itself looks ahead ("due this month", "appointments scheduled").
"""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date, timedelta

from dbt_t2s.errors import QueryPlanError
from dbt_t2s.project.schema import Kind, ProjectSchema
from dbt_t2s.query.bind import Binder
from dbt_t2s.query.linear import to_tokens
from dbt_t2s.query.plan import Col, During, Has, Plan, Pred, Range
from dbt_t2s.query.plan_parts import measures_of
from dbt_t2s.query.text import name_words

_BEGUN = re.compile(
    r"\b(?:this|(?:the\s+)?current)\s+(?:(?:calendar|financial|fiscal|business)\s+)?"
    r"(?:year|quarter|month|week)\b|\bso\s+far\b|\bto\s+date\b|\b[ymq]td\b",
    re.IGNORECASE,
)
_AHEAD = re.compile(
    r"\b(?:will|shall|going\s+to|plan\w*|schedul\w*|upcoming|coming|due|expir\w*|expect\w*|"
    r"forecast\w*|budget\w*|book(?:ed|ings?)|reserv\w*|appointments?|next|remaining|left|still|"
    r"ahead|future|until|till|end|ends|ending|renew\w*|whole|entire|full|valid|run(?:s|ning)?\s+out|"
    r"target\w*|open|not\s+yet|starts?|starting|after\s+today)\b",
    re.IGNORECASE,
)
# A day of one of these is meant to lie ahead.
_LATER = frozenset((
    "due", "expires", "expiry", "expected", "expiration", "valid", "until", "end", "ends",
    "renewal", "renews", "target", "deadline", "maturity", "promised",
))  # fmt: skip


def to_date(plan: Plan, text: str, binder: Binder, today: date) -> Plan:
    """``plan`` with the period that ``text`` says has begun cut off today."""
    if not _BEGUN.search(text) or _AHEAD.search(text):
        return plan
    ahead = _columns_ahead(binder.schema, today)
    if not ahead:
        return plan
    times = _times_of(plan, binder)
    end = (today + timedelta(days=1)).isoformat()

    def cut(pred: Pred) -> Pred:
        if isinstance(pred, Has):
            return replace(pred, where=tuple(map(cut, pred.where)))
        if not isinstance(pred, During) or not pred.range.start < end < pred.range.end:
            return pred
        of = {pred.of} if isinstance(pred.of, Col) else times
        return replace(pred, range=Range(pred.range.start, end)) if of & ahead else pred

    return replace(plan, where=tuple(map(cut, plan.where)))


def _columns_ahead(schema: ProjectSchema, today: date) -> frozenset[Col]:
    """Columns of days with some after ``today``, which are not meant to lie ahead."""
    return frozenset(
        Col(table.name, column.name)
        for table in schema.tables
        for column in table.columns
        if column.kind in (Kind.DATE, Kind.TIMESTAMP)
        and (column.maximum or "")[:10] > today.isoformat()
        and _LATER.isdisjoint(name_words(column.name))
    )


def _times_of(plan: Plan, binder: Binder) -> frozenset[Col]:
    """The columns that date the measures and tables of the plan where it does not say which."""
    try:
        atoms = [atom for m in measures_of(plan) for atom in binder.lower(m).atoms]
    except QueryPlanError:
        return frozenset()
    named = {t[2:].partition(".")[0] for t in to_tokens(plan) if t[:2] in ("t:", "c:", "v:")}
    times = {atom.time or binder.measures.time_column(atom.root) for atom in atoms}
    times |= {binder.measures.time_column(t.name) for t in binder.schema.tables if t.name in named}
    return frozenset(each for each in times if each is not None)
