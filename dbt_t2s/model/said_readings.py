"""Readings of a follow-up that its own words settle, whatever the network finds likely."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from dbt_t2s.model.changes import parts, tokens_of
from dbt_t2s.model.choosing import Weighed
from dbt_t2s.model.following import Reading
from dbt_t2s.query.linear import from_tokens, to_tokens
from dbt_t2s.query.plan import Plan
from dbt_t2s.query.said_apart import leaves_out, wants_left_out
from dbt_t2s.query.said_order import in_order


def as_ordered(reading: Reading, question: str) -> Reading:
    """The reading in the order that the question names: "slowest at the top"."""
    plan = in_order(reading.plan, question)
    return replace(reading, plan=plan, tokens=to_tokens(plan)) if plan != reading.plan else reading


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


def of_days_meant(readings: Sequence[Weighed], last: Plan) -> tuple[Weighed, ...]:
    """Without those of other days than an edit to another period comes to: "only march" after a
    question about 2025 is its March."""
    before = parts(to_tokens(last))

    def fresh(each: Weighed) -> frozenset[str]:
        new = parts(each.tokens) - before
        return frozenset(t for part in new for t in tokens_of(part) if t[:2] == "d:")

    edited = [each for each in readings if each.edit is not None and "period" in each.kinds]
    if not edited:
        return tuple(readings)
    days = fresh(max(edited, key=lambda each: each.edit or 0.0))
    return tuple(each for each in readings if not days or fresh(each) in (frozenset(), days))
