"""Plans that a conversation may go back to: what was asked before, or the last plan with less.

"All towns again", "the split was not needed": few words, and none that names what is to be gone.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from dbt_t2s.query import edits
from dbt_t2s.query.plan import Count, During, Plan, Pred, Rate, canonical

_MOST = 14


def reverted(history: Sequence[Plan], root: str) -> tuple[Plan, ...]:
    """The plans before the last one of ``history``, the last one without one of its parts, and
    with one that was there before; ``root`` is the table whose rows it is about."""
    last = history[-1]
    found: dict[Plan, None] = {}
    for each in (
        *reversed(history[:-1]),
        *_lessened(last, root),
        *(made for earlier in reversed(history[:-1]) for made in _restored(last, earlier)),
    ):
        made = canonical(each)
        if made != last and made.select:
            found.setdefault(made)
    return tuple(found)[:_MOST]


def _lessened(plan: Plan, root: str) -> Iterator[Plan]:
    for pred in plan.where:
        yield replace(plan, where=tuple(p for p in plan.where if p != pred))
    for pred in plan.having:
        yield replace(plan, having=tuple(p for p in plan.having if p != pred))
    if plan.limit is not None:
        yield replace(plan, order=None, limit=None, per=None)
    measured = edits.measures(plan)
    if len(measured) > 1:
        for measure in measured:
            left = tuple(e for e in plan.select if e != measure)
            ordered = plan.order is not None and plan.order.by == measure
            yield replace(
                plan, select=left, order=None if ordered else plan.order,
                limit=None if ordered else plan.limit,
            )  # fmt: skip
    groups = edits.dims(plan)
    if len(groups) > 1 or (groups and measured):
        for group in groups:
            yield edits.with_dims(plan, tuple(g for g in groups if g != group))
    yield edits.without_wrappers(plan)
    rates = [m for m in measured if isinstance(m, Rate)]
    if len(rates) == 1 and root:
        # "How many, not the share": the rows that the share is of.
        rows = edits.map_measures(plan, lambda m: Count(root) if isinstance(m, Rate) else m)
        yield edits.with_pred(rows, rates[0].predicate)


def _restored(last: Plan, earlier: Plan) -> Iterator[Plan]:
    for pred in earlier.where:
        if pred not in last.where:
            yield _put_back(last, pred)
    measured, before = edits.measures(last), edits.measures(earlier)
    if before and measured and before != measured:
        yield replace(last, select=(*edits.dims(last), *before), having=(), order=None, limit=None)
    groups = edits.dims(earlier)
    if groups != edits.dims(last) and (groups or measured):
        yield edits.with_dims(last, groups)
    if earlier.limit is not None and last.limit is None:
        yield replace(last, order=earlier.order, limit=earlier.limit, per=earlier.per)


def _put_back(plan: Plan, pred: Pred) -> Plan:
    """``pred`` in the place of what is asked of its columns now, or of the days."""
    if isinstance(pred, During):
        return edits.with_pred(edits.without_period(plan), pred)
    names = edits.named(pred)
    return edits.with_pred(edits.without(plan, lambda p: bool(edits.named(p) & names)), pred)
