"""A metric of growth is meant where growth is asked for: "what did we turn over" wants none.

Where a question has no word for change, a metric that is another one's growth gives way to that.
"""

from __future__ import annotations

import re

from dbt_t2s.project.schema import Metric, ProjectSchema
from dbt_t2s.query.linear import from_tokens, to_tokens
from dbt_t2s.query.plan import Plan
from dbt_t2s.query.text import name_words

_CHANGE = frozenset(("growth", "change", "mom", "yoy", "qoq", "wow"))
_BESIDE = frozenset(("rate", "pct", "percent", "percentage", "monthly", "yearly", "annual", "month",
                     "year", "quarter", "over", "on", "of", "in", "the"))  # fmt: skip
_SAID = re.compile(
    r"\b(?:grow\w*|grew|chang\w*|increas\w*|decreas\w*|rise|rises|rising|rose|risen|fall|falls|falling|fell|"
    r"fallen|drop\w*|declin\w*|develop\w*|trend\w*|up|down|vs|versus|compar\w*|than|mom|yoy|qoq|wow|"
    r"delta|differ\w*|gain\w*|lost|lose|losing|shr[aiu]nk\w*|expan\w*|momentum|progress\w*|ahead|behind|"
    r"before|previous|prior|last|more|less|fewer|better|worse|higher|lower|jump\w*|surge\w*|slump\w*|evol\w*|"
    r"mov\w*|swing\w*|pick\w*|slow\w*|acceler\w*|improv\w*|climb\w*|evolv\w*|by\s+how)\b|%|[-–]o[-–]",
    re.IGNORECASE,
)


def without_growth(plan: Plan, text: str, schema: ProjectSchema) -> Plan:
    """``plan`` with the metric itself for its growth, where ``text`` says nothing of change."""
    if _SAID.search(text):
        return plan
    tokens = to_tokens(plan)
    grown = {f"m:{m.name}": f"m:{of}" for m in schema.metrics if (of := _grows(m, schema))}
    if grown.keys().isdisjoint(tokens):
        return plan
    made = from_tokens([grown.get(token, token) for token in tokens])
    return plan if made is None else made


def _grows(metric: Metric, schema: ProjectSchema) -> str:
    """The metric whose growth this is, by its name; empty where it is none's."""
    name = name_words(metric.name)
    if _CHANGE.isdisjoint(name):
        return ""
    base = tuple(word for word in name if word not in _CHANGE | _BESIDE)
    return next((m.name for m in schema.metrics if name_words(m.name) == base), "")
