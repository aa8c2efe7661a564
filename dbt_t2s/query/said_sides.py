"""Which of two columns is the greater: "products below their reorder point" have less than that.

Of 232 written questions that name a column right after "below", "over" and their like, all but
three "not after" compare it as they say.
"""

from __future__ import annotations

import re
from dataclasses import replace

from dbt_t2s.query.plan import Col, Compare, Plan, Pred
from dbt_t2s.query.text import name_words, stem, words

_THAN = r"\s+(?:(?:the|its|their|his|her|our|an?)\s+)?(?:own\s+)?"
_SIDES = re.compile(
    r"\b(?:(?P<less>below|under|beneath|before|short\s+of|"
    r"(?:less|fewer|lower|smaller|cheaper|earlier|shorter)\s+than)|"
    r"above|over|beyond|exceed(?:s|ed|ing)?|after|past|"
    r"(?:more|greater|higher|larger|later|longer|bigger)\s+than)" + _THAN,
    re.IGNORECASE,
)
_NOT = re.compile(r"(?:\bnot|\bno|\bnever|n['’]t)\s+(?:\w+\s+)?$", re.IGNORECASE)
# The other side, with the ends as they were.
_MIRRORED = {"LT": "GT", "GT": "LT", "LE": "GE", "GE": "LE"}


def on_the_side_said(plan: Plan, text: str) -> Plan:
    """``plan`` with columns compared with each other as ``text`` says."""
    sides = [
        (found["less"] is not None, text[found.end() :])
        for found in _SIDES.finditer(text)
        if not _NOT.search(text[: found.start()])
    ]
    if not sides:
        return plan
    return replace(plan, where=tuple(_turned(each, sides) for each in plan.where))


def _turned(pred: Pred, sides: list[tuple[bool, str]]) -> Pred:
    if not isinstance(pred, Compare) or pred.operator not in ("LT", "LE", "GT", "GE"):
        return pred
    if not isinstance(pred.left, Col) or not isinstance(pred.right, Col):
        return pred
    for less, rest in sides:
        left, right = _begins(rest, pred.left), _begins(rest, pred.right)
        if left == right:
            continue
        is_less = pred.operator in ("LT", "LE")
        if (right and is_less != less) or (left and is_less == less):
            return replace(pred, operator=_MIRRORED[pred.operator])
        return pred
    return pred


def _begins(text: str, column: Col) -> bool:
    """Whether the text begins with a word of the column's name."""
    first = next((word.stem for word in words(text)), "")
    return first in {stem(word) for word in name_words(column.column)}
