"""Dates told by what happened on them: "since the launch in May", "until we moved in June 2024".

Read before a date: only where so few words stand between that they can but name the event. Of
"before the deadline in May" the rest may have happened in May: there it must be an event that a
business has once. "After the launch in May" may begin with May or end it, and "since they joined in
May" may be of those that joined in May: both are left as they are.
"""

from __future__ import annotations

import re

from dbt_t2s.query.calendar import MONTH
from dbt_t2s.query.period import Period

_HAPPENED = (
    r"(?:(?:re)?launch|(?:re|grand\s+)?opening|go-?live|inception|foundation|merger|takeover|"
    r"acquisition|migration|roll-?out|relocation|redesign|rebrand(?:ing)?|renovation|refurbishment|"
    r"switch(?:over)?|move|upgrade|update|price\s+(?:rise|increase|change|cut))"
)
_DID = (
    r"(?:opened|reopened|joined|launched|relaunched|started|began|moved|merged|switched|migrated|"
    r"changed|took|went|came|left|closed|bought|introduced|raised|signed|arrived|retired|expanded)"
)
# Words that begin another part of the question, and those that count or order days.
_OTHER = (
    r"(?!(?:and|or|nor|but|by|per|for|from|with|without|to|in|on|at|as|than|that|who|which|where|"
    r"when|while|since|until|till?|before|after|between|during|not|vs|versus|if|is|are|was|were|"
    r"last|first|second|third|next|previous|same|start|beginning|middle|end|close|day|week|"
    r"weekend|fortnight|month|quarter|half|season|year|date|time|\w+day)s?\b)"
)
_WORD = rf"{_OTHER}(?!{MONTH})[a-z][a-z'’-]*"
_THE = r"(?:the|our|this)"
_NAMED = rf"(?:{_THE}\s+{_WORD}(?:\s+{_WORD}){{0,3}}|{_HAPPENED})"
_PRONOUN = r"(?:they|you|he|she|it|i|who|these|those|their|its|his|her)\b"
_WE_DID = rf"we\s+(?:first\s+)?{_DID}(?:\s+{_WORD}){{0,2}}"
_CLAUSE = rf"(?:{_WE_DID}|(?!{_PRONOUN}){_WORD}\s+(?:first\s+)?{_DID}(?:\s+{_WORD}){{0,2}})"
_THEN = r"(?:\s+back)?\s+(?P<on>in|on|at)\s+(?:the\s+)?(?:year\s+)?$"
_UNTIL = r"(?:until|till?|up\s+until|up\s+till)"
_SINCE_THEN = re.compile(rf"\b(?:ever\s+)?since\s+(?:{_NAMED}|{_CLAUSE}){_THEN}", re.I)
_UNTIL_THEN = re.compile(rf"\b{_UNTIL}\s+(?:{_NAMED}|{_CLAUSE}){_THEN}", re.I)
_BEFORE_THEN = re.compile(
    rf"\b(?:before|prior\s+to)\s+(?:(?:{_THE}\s+)?(?:{_WORD}\s+)?{_HAPPENED}|{_WE_DID}){_THEN}",
    re.I,
)
_NEAR = 72  # characters before a date that may name what happened on it


def opened_by_event(text: str, period: Period, floor: int) -> tuple[re.Match[str], bool] | None:
    """The words after ``floor`` that begin (True) or end (False) a range with the period."""
    near, at = max(period.start - _NEAR, floor), period.start
    begins = _SINCE_THEN.search(text, near, at)
    found = begins or _UNTIL_THEN.search(text, near, at) or _BEFORE_THEN.search(text, near, at)
    if found is None or found["on"].lower() != _preposition(period):
        return None
    return found, begins is not None


def _preposition(period: Period) -> str:
    if period.kind == "holiday":
        return "at"
    return "on" if period.is_day else "in"
