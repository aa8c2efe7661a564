"""What stands in a metric's own name is neither a condition nor an order.

"Revenue change to last year by month" is of all months, "largest order by month" has a line for
each.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date

from dbt_t2s.project.schema import Metric, ProjectSchema
from dbt_t2s.query.dates import date_spans
from dbt_t2s.query.plan import GRAINS, Bucket, During, MetricRef, Plan, Pred
from dbt_t2s.query.text import name_words

Place = tuple[int, int]
_SUPERLATIVE = re.compile(
    r"\b(?:most|least|best|worst|top|bottom|max(?:imum)?|min(?:imum)?|first|last|latest|record|"
    r"(?!interest|request|guest|test|west|forest|harvest|rest|invest)\w{3,}est)\b",
    re.IGNORECASE,
)
_EACH = re.compile(rf"\b(?:by|per|each|every)\s+(?:the\s+)?(?:{'|'.join(GRAINS)})\b", re.IGNORECASE)


def without_named(plan: Plan, text: str, schema: ProjectSchema, today: date) -> Plan:
    """``plan`` without the days and the first place that ``text`` speaks of in the names of its
    metrics alone."""
    named = {each.name for each in plan.select if isinstance(each, MetricRef)}
    metrics = [each for each in schema.metrics if each.name in named]
    places = [place for metric in metrics for place in _places(metric, text)]
    return _unranked(_undated(plan, text, places, schema, today), text, places) if places else plan


def _undated(
    plan: Plan, text: str, places: Sequence[Place], schema: ProjectSchema, today: date
) -> Plan:
    if not any(isinstance(each, During) for each in plan.where):
        return plan
    spans = date_spans(text, today, schema.fiscal_year)
    inside = [span for span in spans if _is_in(span.start, span.end, places)]
    others = {span.range for span in spans if span not in inside}
    gone = {span.range for span in inside} - others

    def is_gone(pred: Pred) -> bool:
        return isinstance(pred, During) and pred.range in gone

    return replace(plan, where=tuple(each for each in plan.where if not is_gone(each)))


def _unranked(plan: Plan, text: str, places: Sequence[Place]) -> Plan:
    """All periods in the place of the first alone, where the question has a line for each."""
    periods = any(isinstance(each, Bucket) for each in plan.select) and _EACH.search(text)
    if not periods or plan.limit != "1" or plan.per is not None:
        return plan
    found = list(_SUPERLATIVE.finditer(text))
    named = found and all(_is_in(*each.span(), places) for each in found)
    return replace(plan, order=None, limit=None) if named else plan


def _is_in(start: int, end: int, places: Sequence[Place]) -> bool:
    return any(first <= start and end <= last for first, last in places)


def _places(metric: Metric, text: str) -> Iterator[Place]:
    """Where ``text`` says the whole name of the metric, its label or a synonym."""
    for name in {metric.name, metric.label, *metric.synonyms} - {""}:
        spoken = r"\W+".join(map(re.escape, name_words(name)))
        for found in re.finditer(rf"\b{spoken}\b", text, re.IGNORECASE) if spoken else ():
            yield found.span()
