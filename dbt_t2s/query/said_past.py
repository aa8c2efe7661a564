"""What was opened need not be open: a metric of open tickets is not meant by "tickets opened".

Of 127 written questions that say "opened" and not "open" one means a count of what is open, and
says "backlog" for it.
"""

from __future__ import annotations

import re

from dbt_t2s.project.schema import Metric, ProjectSchema
from dbt_t2s.query.linear import from_tokens, to_tokens
from dbt_t2s.query.plan import Plan
from dbt_t2s.query.text import name_words

_PAST = re.compile(
    r"\bopened\b|"
    r"\bdid\b.*\bopen\s*(?:$|[?.!]|\b(?:in|on|during|last|this|since|between|today|yesterday)\b)",
    re.IGNORECASE,
)
_STATE = re.compile(r"\bopen\b", re.IGNORECASE)


def as_happened(plan: Plan, text: str, schema: ProjectSchema) -> Plan:
    """``plan`` with all rows counted for those in the state that ``text`` says once began."""
    past = _PAST.search(text)
    if past is None or _STATE.search(text[: past.start()] + text[past.end() :]):
        return plan
    of_state = {f"m:{m.name}": m for m in schema.metrics if _counts_open(m)}
    tokens = to_tokens(plan)
    if of_state.keys().isdisjoint(tokens):
        return plan
    made = from_tokens([new for token in tokens for new in _all_rows(token, of_state)])
    return plan if made is None else made


def _counts_open(metric: Metric) -> bool:
    names = (metric.name, metric.label, *metric.synonyms)
    spoken = {word for name in names for word in name_words(name)}
    counts = metric.measure is not None and metric.measure.aggregation in (
        "count",
        "count_distinct",
    )
    return counts and "open" in spoken and "opened" not in spoken


def _all_rows(token: str, of_state: dict[str, Metric]) -> tuple[str, ...]:
    metric = of_state.get(token)
    if metric is None or metric.measure is None:
        return (token,)
    return "COUNT", f"t:{metric.measure.table}"
