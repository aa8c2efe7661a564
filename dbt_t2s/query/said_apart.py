"""What a question leaves out in so many words, "spam excluded", is not what rows must be.

A network that was taught by questions which name what they want takes the name for a wish now and
then.
"""

from __future__ import annotations

import re
from dataclasses import replace

from dbt_t2s.query.plan import Flag, Not, Plan, Pred, Value
from dbt_t2s.query.text import name_words

_BEFORE = (
    r"(?:excluding|excl\.?|except(?:\s+for)?|without|ignoring|disregarding|omitting|other\s+than"
    r"|leaving\s+(?:out|aside)|(?:do\s+not|don['’]t|not|never)\s+count(?:ing)?)"
    r"\s+(?:the\s+|any\s+|all\s+|our\s+)*"
)
_AFTER = (
    r"s?(?:\s+(?:ones|stuff|things|[^\W\d_]+s))?\s*,?\s+(?:(?:is|are|being|were|was)\s+)?"
    r"(?:excluded|exempted|omitted|ignored|(?:left\s+)?aside(?!\s+for)|left\s+out"
    r"|not\s+(?:counted|included)|(?:do(?:es)?\s+not|do(?:es)?n['’]t)\s+(?:count|interest|matter))\b"
)


def left_out(plan: Plan, text: str) -> Plan:
    """``plan`` with the contrary of each condition that rows be what ``text`` leaves out."""
    return replace(plan, where=tuple(_meant(each, plan, text) for each in plan.where))


def _meant(pred: Pred, plan: Plan, text: str) -> Pred:
    name = pred.value if isinstance(pred, Value) else ""
    name = pred.of.column if isinstance(pred, Flag) else name
    # A plan with both was made of two questions.
    return Not(pred) if Not(pred) not in plan.where and _is_left_out(name, text) else pred


def _is_left_out(name: str, text: str) -> bool:
    spoken = [each for each in name_words(name) if each not in ("is", "has", "was")]
    if not spoken:
        return False
    written = r"\b" + r"[\s_-]+".join(map(re.escape, spoken))
    around = rf"\b{_BEFORE}{written}s?\b|{written}{_AFTER}"
    once = len(re.findall(written, text, re.IGNORECASE)) == 1
    return once and re.search(around, text, re.IGNORECASE) is not None
