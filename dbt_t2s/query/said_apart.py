"""What a question leaves out in so many words, "spam excluded", is not what rows must be.

A network that was taught by questions which name what they want takes the name for a wish now and
then.
"""

from __future__ import annotations

import re
from dataclasses import replace

from dbt_t2s.query.plan import Flag, Not, Plan, Pred, Value
from dbt_t2s.query.text import name_words

_TOLD = r"(?:^|[,;.:]\s*|\b(?:and|but|now|please|then)\s+)"  # what somebody is told to do
_BEFORE = (
    r"(?:\b(?:excluding|excl\.?|except(?:\s+for)?|without|ignoring|disregarding|omitting|dropping"
    r"|removing|skipping|minus|other\s+than|not|no|leaving\s+(?:out|aside)"
    r"|(?:do\s+not|don['’]t|not|never)\s+count(?:ing)?)"
    rf"|{_TOLD}(?:exclude|ignore|omit|drop|remove|skip|(?:leave|take)\s+(?:out|aside)))"
    r"\s+(?:the\s+|any\s+|all\s+|our\s+|those\s+(?:in|from|of|with)\s+)*"
)
_AFTER = (
    r"s?(?:\s+(?:ones|stuff|things|[^\W\d_]+s))?\s*,?\s+(?:(?:is|are|being|were|was)\s+)?"
    r"(?:excluded|exempted|omitted|ignored|(?:left\s+)?aside(?!\s+for)|left\s+out"
    r"|not\s+(?:counted|included)|(?:do(?:es)?\s+not|do(?:es)?n['’]t)\s+(?:count|interest|matter))\b"
)
# "Drop the stores", "leave spam out": hardly anything but a follow-up is told so.
_OUT = r"s?(?:\s+(?:ones|stuff|things|[^\W\d_]+s))?\s*,?\s+out(?:\s+of\s+\w+)?\s*[.,;!]?\s*$"
# "Firms by trade, test accounts out."
_SET_OFF = r"[,;(–-]\s*(?:the\s+)?"
_OUT_AT_LAST = (
    r"s?(?:\s+(?:ones|stuff|things|[^\W\d_]+s))?\s+(?:(?:taken|thrown|shut)\s+)?out"
    r"(?:\s+(?:please|pls))?\s*[.!?)]*\s*$"
)


def left_out(plan: Plan, text: str) -> Plan:
    """``plan`` with the contrary of each condition that rows be what ``text`` leaves out."""
    return replace(plan, where=tuple(_meant(each, plan, text) for each in plan.where))


def wants_left_out(plan: Plan, last: Plan, text: str) -> bool:
    """Whether a follow-up's ``plan`` has rows be what ``text`` leaves out, as ``last`` had not."""
    new = (each for each in plan.where if each not in last.where)
    return any(_meant(each, plan, text) != each for each in new)


def leaves_out(plan: Plan, last: Plan, text: str) -> bool:
    """Whether ``plan`` lacks rows, as ``last`` did not, that ``text`` leaves out."""
    new = (each for each in plan.where if each not in last.where)
    return any(isinstance(each, Not) and _is_left_out(_name(each.of), text) for each in new)


def _name(pred: Pred) -> str:
    match pred:
        case Value(_, _, value):
            return value
        case Flag(of):
            return of.column
    return ""


def _meant(pred: Pred, plan: Plan, text: str) -> Pred:
    # A plan with both was made of two questions.
    both = Not(pred) in plan.where
    return Not(pred) if not both and _is_left_out(_name(pred), text) else pred


def _is_left_out(name: str, text: str) -> bool:
    spoken = [each for each in name_words(name) if each not in ("is", "has", "was")]
    if not spoken:
        return False
    written = r"\b" + r"[\s_-]+".join(map(re.escape, spoken))
    around = (
        rf"{_BEFORE}{written}s?\b|{written}{_AFTER}|\bleave\b.*{written}{_OUT}"
        rf"|{_SET_OFF}{written}{_OUT_AT_LAST}"
    )
    once = len(re.findall(written, text, re.IGNORECASE)) == 1
    return once and re.search(around, text, re.IGNORECASE) is not None
