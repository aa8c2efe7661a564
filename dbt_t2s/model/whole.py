"""The whole question that a follow-up is read as, put together from both."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date

from dbt_t2s.query.dates import date_spans

_LEAD = re.compile(
    r"^\W*(?:(?:ok(?:ay)?|and|but|so|now|then|please|sorry|actually|what about|how about|great|"
    r"thanks?)\b\W*)+",
    re.I,
)
_END = re.compile(r"[\s?.!]+$")
_PREPOSITION = re.compile(r"\b(in|for|during|within|of|from|on|over)\s+$", re.I)


def whole_question(before: str, question: str, kinds: Sequence[str]) -> str:
    """``before`` with what ``question`` adds; a period gives way to the one in its place."""
    said = _END.sub("", _LEAD.sub("", question)).strip() or question
    asked = _END.sub("", before)
    if tuple(kinds) in (("period",), ("period dropped",)):
        spans = date_spans(asked, date.today())
        if len(spans) == 1:
            head = _PREPOSITION.sub("", asked[: spans[0].start])
            asked = f"{head.rstrip(' ,')} {asked[spans[0].end :].lstrip(' ,')}".strip()
            return f"{asked} {said}"
    return f"{asked}, {said}"


def conversation(before: str, question: str) -> str:
    """All that was said, as a network is taught to read it."""
    return f"{_END.sub('', before)}; then {question}"
