"""Clauses that say that no condition is wanted: "cancelled ones included", "even closed shops".

Found only where nothing else can be meant: set off or at a question's end, right around what they
name, and where the rest of the question names nothing of the same column ("open orders, cancelled
ones too" asks for both).
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from dbt_t2s.query.text import Word, name_words, stem

_EDGE = r"(?:[,;:.(]|\s[-–—])\s*"
_END = r"(?:\s*[?.!)]*\s*$|\s*[,;)](?=\s))"
_CHAINED = re.compile(r"\s*(?:,|/|,?\s*\b(?:and|or)\b|&)\s*(?:the\s+)?", re.I)
_ONES = r"(?:ones|stuff|things)"
_OF_THEM = rf"(?:\s+(?:{_ONES}|(?P<noun>[^\W\d_]+)))?"
_TOO = re.compile(rf"{_OF_THEM}\s+(?:included|incl\.?|too|as\s+well){_END}", re.I)
_APART = re.compile(rf"\w\W*?{_EDGE}(?:(?:and|also|even|the)\s+)*$", re.I)
_EVEN = re.compile(
    r"\w.*\b(?:including|incl\.?|(?<!not )(?<!n['’]t )even)\s+(?:the\s+|those\s+|all\s+)?$", re.I
)
_COUNTING = re.compile(r"\w\W.*\bcounting\s+(?:in\s+)?(?:the\s+|those\s+|all\s+)?$", re.I)
_ALL_OF_THEM = re.compile(rf"{_OF_THEM}(?:\s+(?:too|as\s+well))?{_END}", re.I)
_EITHER = re.compile(rf"\w\W*?(?:{_EDGE}|\bwhether\s+)$", re.I)
_OR_NOT = re.compile(rf"\s+or\s+not{_END}", re.I)
# What rows may be at one time and not at another: "Austria too" may well ask for Austria.
_STATES = frozenset(
    ("status", "state", "stage", "phase", "outcome", "result", "verdict", "stat", "sts")
)


@dataclass(frozen=True)
class Said:
    """What words first..last name: a value of ``column``, or that flag (a day that ends something
    counts as one: "closed" names when it was).

    ``nouns`` are the stems of what a row of its table is called. ``left_out`` is what a rule or a
    metric leaves out: who names it in such a clause counts it in, whatever else is asked.
    """

    column: str
    first: int
    last: int
    flag: bool = False
    nouns: frozenset[str] = frozenset()
    left_out: bool = False


def included(text: str, spoken: Sequence[Word], said: Sequence[Said]) -> frozenset[Said]:
    """Those that stand in such a clause."""
    of_column: dict[str, list[Said]] = defaultdict(list)
    for each in sorted(said, key=lambda each: (each.first, each.last)):
        of_column[each.column].append(each)
    found: set[Said] = set()
    for alike in of_column.values():
        # In one chain, "waitlisted and withdrawn ones": or some are named elsewhere.
        joints = (
            text[spoken[one.last].end : spoken[two.first].start]
            for one, two in pairwise(alike)
            if (one.first, one.last) != (two.first, two.last)
        )
        if all(_CHAINED.fullmatch(joint) for joint in joints) and _is_aside(text, spoken, alike):
            found.update(alike)
    return frozenset(found)


def _is_aside(text: str, spoken: Sequence[Word], alike: Sequence[Said]) -> bool:
    start, end = spoken[alike[0].first].start, spoken[alike[-1].last].end
    before, after = text[:start], text[end:]
    if _OR_NOT.match(after) and _EITHER.search(before):
        return not alike[0].flag  # "cost per hour, freelance or not" tells the two apart
    for opened, closed in ((_APART, _TOO), (_COUNTING, _TOO), (_EVEN, _ALL_OF_THEM)):
        tail = closed.match(after)
        if tail and opened.search(before):
            return _is_of_rows(alike[0], before, tail)
    return False


def _is_of_rows(first: Said, before: str, tail: re.Match[str]) -> bool:
    """Whether the clause is about the rows asked for: "ones", or their name once more."""
    if noun := tail["noun"]:
        # By its name, or by another: "area per store, closed shops included".
        if first.left_out and stem(noun) in first.nouns:
            return True
        same = first.nouns if stem(noun) in first.nouns else {stem(noun)}
        return not same.isdisjoint(stem(word) for word in re.findall(r"[^\W\d_]+", before))
    if first.flag or re.match(rf"\s+{_ONES}\b", tail.group(), re.I):
        return True
    return bool(_STATES & set(name_words(first.column.rpartition(".")[2])))
