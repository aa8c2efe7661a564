"""Rows of which something is not known, that a question leaves out: "those without a reason aside".

Of 125,000 written questions 20 leave out the group that has no name in such words, and all of
their plans want it filled.
"""

from __future__ import annotations

import re
from dataclasses import replace

from dbt_t2s.project.schema import ProjectSchema
from dbt_t2s.query.plan import Col, Not, Null, Plan, is_measure
from dbt_t2s.query.text import name_words, stem

_OUT = (
    r"(?:leav(?:e|ing)\s+out|left\s+out|exclud\w+|not\s+count(?:ing|ed)|ignor(?:e|ing)|skip(?:ping)?|"
    r"not\s+includ(?:ed|ing)|aside|disregard(?:ing)?|omit(?:ting)?)"
)
_UNKNOWN = r"(?:without(?!\s+test)|with\s+no|blanks?|unknown|unspecified|empty)"
_WITHOUT = re.compile(
    rf"\b{_OUT}\b[^?;.]{{0,40}}\b{_UNKNOWN}\b|\b{_UNKNOWN}\b[^?;.]{{0,30}}\b{_OUT}\b|"
    r"\bonly\s+(?:those|the\s+ones)\s+(?:who|that|which)\s+(?:told|answered|said|gave|know)\b",
    re.IGNORECASE,
)
_HELD = re.compile(
    r"\bwhose\s+(?P<what>\w+(?:\s+\w+)?)\s+(?:is\s+known|we\s+(?:have|know|hold))\b", re.IGNORECASE
)


def where_known(plan: Plan, text: str, schema: ProjectSchema) -> Plan:
    """``plan`` without the rows that ``text`` leaves out for what is not known of them."""
    columns = [e for e in plan.select if isinstance(e, Col) and _may_lack(e, schema)]
    wanted: list[Col] = []
    if _WITHOUT.search(text) and len(columns) == 1 and any(map(is_measure, plan.select)):
        wanted = columns
    if held := _HELD.search(text):
        said = {stem(word) for word in held["what"].split()}
        wanted += [c for c in columns if said & {stem(w) for w in name_words(c.column)}]
    told = {each.of for each in plan.where if isinstance(each, Null)}
    more = [Not(Null(c)) for c in dict.fromkeys(wanted) if c not in told]
    return replace(plan, where=tuple(dict.fromkeys((*plan.where, *more))))


def _may_lack(of: Col, schema: ProjectSchema) -> bool:
    return schema.table(of.table).column(of.column).nullable
