"""Whose average is meant: "this year's orders above the average" are above that of this year.

A plan says "above the average" of all rows that count. In 12 of 13 questions whose authors knew
nothing of plans the average is that of the rows asked for ("products on sale priced above the
average", "open stores with more staff than the average open store"), unless the words say that of
all. "Twice the average" is a multiple of it.
"""

from __future__ import annotations

import re
from dataclasses import replace

from dbt_t2s.project.schema import ProjectSchema
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

_MEAN = r"(?:average|avg|mean)\b"
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


def over_those(plan: Plan, text: str, schema: ProjectSchema) -> Plan:
    """``plan`` with each average taken of what ``text`` takes it of, and so many times."""
    times = _times(text)
    rows = tuple(each for each in plan.where if not _is_average(each, times))
    if len(rows) == len(plan.where) and (times == "1" or not plan.having):
        return plan
    of_all = _OF_ALL.search(text) is not None

    def meant(pred: Pred) -> Pred:
        if not _is_average(pred, times) or not isinstance(pred, Compare):
            return pred
        table = pred.left.table if isinstance(pred.left, Col | Diff) else ""
        those = () if of_all else tuple(p for p in rows if _table(p, table, schema) == table)
        of = pred.right.of if isinstance(pred.right, Peers) else None
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
