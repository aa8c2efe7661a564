"""Whose average is meant: "open stores with more staff than the average open store".

A plan says "above the average" of all rows that count. Where the words around the average repeat
what picks the rows ("this year's average", "the average buyer"), it is that of those rows; so it is
of the rows' own kind where that is said first ("products on sale, dearer than the average of their
category").
"Twice the average" is a multiple of it.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace

from dbt_t2s.project.schema import ProjectSchema
from dbt_t2s.query.calendar import MONTH
from dbt_t2s.query.plan import (
    Average,
    Col,
    Compare,
    Diff,
    During,
    Flag,
    Not,
    Null,
    Or,
    Peers,
    Plan,
    Pred,
    RuleRef,
    Time,
    Value,
)
from dbt_t2s.query.text import stem, stems, words

_MEAN = r"(?:average|avg|mean)\b"
# "This year's average", "the open stores' average"; "the average open store", "average of buyers".
_NEAR = re.compile(
    rf"(?:(?P<before>(?:[\w-]+\s+){{0,2}}[\w-]+(?:['’]s?)\s+)|\bthe\s+){_MEAN}"
    r"(?P<after>(?:\s+(?!(?:that|who|which|with|and|but|so|in|at|on|from|by|to|though|where|when|"
    r"while|if|or)\b)[\w’'-]+){0,4})|"
    rf"\b{_MEAN}\s+(?:of|among)\s+(?P<among>[\w’'-]+(?:\s+[\w’'-]+)?)",
    re.IGNORECASE,
)
_TIME = re.compile(
    rf"\b(?:this|last|previous|current|that|same)\s+(?:year|quarter|month|week)\b|\b(?:19|20)\d\d\b|"
    rf"\b{MONTH}\b",
    re.IGNORECASE,
)
_OF_ALL = re.compile(
    rf"\b(?:overall|all|our|company|general|global|whole|entire)\b[^,.;?]{{0,12}}\b{_MEAN}|"
    rf"\b{_MEAN}[^.;?]{{0,40}}\b(?:overall|of\s+all|over\s+all|across\s+all|whole|entire|company)\b",
    re.IGNORECASE,
)
_TIMES = re.compile(
    rf"\b(?:(?P<twice>twice|double)|(?P<thrice>three\s+times|triple)|(?P<half>half)|"
    rf"(?P<n>\d+(?:\.\d+)?)\s*(?:times|x))\s+(?:[\w’']+\s+){{0,3}}{_MEAN}",
    re.IGNORECASE,
)
_NAMED = {"twice": "2", "thrice": "3", "half": "0.5"}
_SAYS_LITTLE = frozenset(map(stem, ("is", "has", "was", "on", "at", "order", "orders")))


def over_those(plan: Plan, text: str, schema: ProjectSchema) -> Plan:
    """``plan`` with each average taken of what ``text`` takes it of, and so many times."""
    times = _times(text)
    rows = tuple(each for each in plan.where if not _is_average(each, times))
    if len(rows) == len(plan.where) and (times == "1" or not plan.having):
        return plan
    by_it, later = _says(_near(text), schema), _says(_after(text), schema)

    def meant(pred: Pred) -> Pred:
        if not _is_average(pred, times) or not isinstance(pred, Compare):
            return pred
        table = pred.left.table if isinstance(pred.left, Col | Diff) else ""
        own = tuple(each for each in rows if _table(each, table, schema) == table)
        of = pred.right.of if isinstance(pred.right, Peers) else None
        said = tuple(each for each in own if (not later(each) if of else by_it(each)))
        those = (*said, *_rules_said(text, table, own, schema))
        those = () if _OF_ALL.search(text) else tuple(dict.fromkeys(those))
        return replace(pred, right=Average(times, of, those)) if those or times != "1" else pred

    where, having = tuple(map(meant, plan.where)), tuple(_so_often(p, times) for p in plan.having)
    return replace(plan, where=where, having=having)


def _times(text: str) -> str:
    found = _TIMES.search(text)
    if found is None:
        return "1"
    return found["n"] or next(number for name, number in _NAMED.items() if found[name])


def _is_average(pred: Pred, times: str) -> bool:
    """Whether rows are compared with an average; a multiple may have been taken for a number."""
    if not isinstance(pred, Compare) or not isinstance(pred.left, Col | Diff):
        return False
    mistaken = times != "1" and pred.right == times
    return pred.right is None or isinstance(pred.right, Peers) or mistaken


def _so_often(pred: Pred, times: str) -> Pred:
    if times == "1" or not isinstance(pred, Compare) or pred.right not in (None, times):
        return pred
    return replace(pred, right=Average(times))


def _near(text: str) -> str:
    """The words around the averages."""
    return " ; ".join(" ".join(filter(None, each.groups())) for each in _NEAR.finditer(text))


def _after(text: str) -> str:
    """The words after the first average: what they limit does not limit the peers. All of them
    where the question has another word for it."""
    found = re.search(rf"\b{_MEAN}", text, re.IGNORECASE)
    return text[found.end() :] if found else text


def _says(text: str, schema: ProjectSchema) -> Callable[[Pred], bool]:
    """Whether the text says a condition."""
    said = {word.stem for word in words(text)}
    timed = _TIME.search(text) is not None

    def is_said(pred: Pred) -> bool:
        if isinstance(pred, During):
            return timed
        return bool(_words_of(pred, schema) & said)

    return is_said


def _words_of(pred: Pred, schema: ProjectSchema) -> set[str]:
    """The words that say a condition of a row."""
    match pred:
        case Value(_, _, value):
            return set(stems(value))
        case Flag(Col(_, column)) | Null(Col(_, column)):
            return set(stems(column)) - _SAYS_LITTLE
        case RuleRef(name):
            names = (r for r in schema.askable_rules if r.name == name)
            told = {word for r in names for each in (r.name, *r.synonyms) for word in stems(each)}
            return told - _SAYS_LITTLE
        case Not(inner):
            return _words_of(inner, schema)
        case Or(left, right):
            return _words_of(left, schema) | _words_of(right, schema)
    return set()


def _rules_said(
    text: str, table: str, own: tuple[Pred, ...], schema: ProjectSchema
) -> tuple[Pred, ...]:
    """The rules of the table whose whole name stands by the average: "the average buyer"."""
    said = {word.stem for word in words(_near(text))}
    named = (r for r in schema.askable_rules if r.table == table and not r.always)
    found = (RuleRef(r.name) for r in named if set(stems(r.name)) <= said)
    return tuple(rule for rule in found if rule not in own)


def _table(pred: Pred, root: str, schema: ProjectSchema) -> str:
    """The table whose rows the condition alone picks; empty where it looks at others."""
    match pred:
        case Value(table, _, _):
            return table
        case During(Time(), _):
            return root
        case During(Col(table, _), _) | Flag(Col(table, _)) | Null(Col(table, _)):
            return table
        case RuleRef(name):
            return next((r.table for r in schema.askable_rules if r.name == name), "")
        case Not(inner):
            return _table(inner, root, schema)
        case Or(left, right):
            tables = {_table(left, root, schema), _table(right, root, schema)}
            return tables.pop() if len(tables) == 1 else ""
        case Compare(_, Col(table, _), str()):
            return table
    return ""
