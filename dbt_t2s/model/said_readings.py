"""Readings of a follow-up that its own words settle, whatever the network finds likely."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace

from dbt_t2s.model.changes import parts, tokens_of
from dbt_t2s.model.choosing import Weighed
from dbt_t2s.model.leaning import phrases
from dbt_t2s.project.schema import ProjectSchema
from dbt_t2s.query.linear import from_tokens, to_tokens
from dbt_t2s.query.plan import Col, Plan, Pred, Value, is_measure
from dbt_t2s.query.said_all import all_of
from dbt_t2s.query.said_apart import leaves_out, wants_left_out
from dbt_t2s.query.said_order import in_order
from dbt_t2s.query.text import name_words

_ONES = re.compile(r"\bones?\b", re.IGNORECASE)


def as_said(plan: Plan, question: str, last: Plan, schema: ProjectSchema) -> Plan:
    """The plan in the order that the question names, "slowest at the top", and without what it
    frees or lifts."""
    return in_order(all_of(_freed(plan, question, last), last, question, schema), question)


def _freed(plan: Plan, question: str, last: Plan) -> Plan:
    """Without conditions that hold a column to one value from before by which the question now
    divides: nobody asks for berlin's orders by city."""
    if not any(map(is_measure, plan.select)):
        return plan
    divides = {each for each in plan.select if isinstance(each, Col)}.difference(last.select)
    text = question.lower()

    def is_void(pred: Pred) -> bool:
        if not isinstance(pred, Value) or pred not in last.where:
            return False
        told = " ".join(name_words(pred.value))
        return Col(pred.table, pred.column) in divides and told not in text

    return replace(plan, where=tuple(each for each in plan.where if not is_void(each)))


def as_left_out(readings: Iterable[Weighed], question: str, last: Plan) -> tuple[Weighed, ...]:
    """Without those that ask for what the question leaves out; where it says no more than that,
    "drop the stores", all else stays as it was."""
    plans = {each: plan for each in readings if (plan := from_tokens(each.tokens)) is not None}
    kept = [each for each, plan in plans.items() if not wants_left_out(plan, last, question)]
    alone = [
        each
        for each in kept
        if each.kinds == ("filter negated",) and not each.unknown
        if leaves_out(plans[each], last, question)
    ]
    return tuple(alone or kept)


def as_undone(readings: Sequence[Weighed]) -> tuple[Weighed, ...]:
    """The step back alone where the question says no more than that."""
    undone = (each for each in readings if each.kinds == ("undo",) and not each.unknown)
    first = max(undone, key=lambda each: each.edit or 0.0, default=None)
    return tuple(readings) if first is None else (first,)


def of_what_is_named(readings: Sequence[Weighed], last: Plan) -> tuple[Weighed, ...]:
    """Without shares of the total where the question names what it is a share of: "as % of product
    revenue"."""
    edited = (each for each in readings if each.edit is not None)
    first = max(edited, key=lambda each: each.edit or 0.0, default=None)
    if first is None or "ratio" not in first.kinds or first.unknown:
        return tuple(readings)
    old = "SHARE" in to_tokens(last)
    return tuple(each for each in readings if old or "SHARE" not in each.tokens)


def of_what_is_shown(readings: Sequence[Weighed], question: str, last: Plan) -> tuple[Weighed, ...]:
    """Without those in which "the German ones" has another table's value than the rows before:
    of stores these are the stores in Germany, and not orders to it."""
    if not _ONES.search(question):
        return tuple(readings)
    shown = {each.table for each in last.select if isinstance(each, Col)}
    named = {each: _new_values(each.tokens, last) for each in readings}
    own = {v.value for values in named.values() for v in values if v.table in shown}
    return tuple(
        each
        for each, values in named.items()
        if all(v.table in shown or v.value not in own for v in values)
    )


def _new_values(tokens: tuple[str, ...], last: Plan) -> tuple[Value, ...]:
    plan = from_tokens(tokens)
    found = plan.where if plan else ()
    return tuple(each for each in found if isinstance(each, Value) and each not in last.where)


def of_days_meant(readings: Sequence[Weighed], question: str, last: Plan) -> tuple[Weighed, ...]:
    """Without those of other days than an edit to another period comes to: "only march" after a
    question about 2025 is its March, and "a year earlier" is no other than that."""
    before = parts(to_tokens(last))

    def fresh(each: Weighed) -> frozenset[str]:
        new = parts(each.tokens) - before
        return frozenset(t for part in new for t in tokens_of(part) if t[:2] == "d:")

    edited = [each for each in readings if each.edit is not None and "period" in each.kinds]
    if not edited:
        return tuple(readings)
    first = max(edited, key=lambda each: each.edit or 0.0)
    days = fresh(first)
    shifted = any(phrase.kind.startswith("shift:") for phrase in phrases(question))
    sure = shifted and first.kinds == ("period",) and not first.unknown
    meant = (days,) if sure else (frozenset(), days)
    return tuple(each for each in readings if not days or fresh(each) in meant)
