"""One change of a plan each: what a follow-up question does to the query before it.

Every function gives a new plan and knows nothing of words. An edit that would change nothing gives
the plan as it was; whether a plan makes sense is for the binder to say.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date

from dateutil.relativedelta import relativedelta

from dbt_t2s.query.plan import (
    Agg,
    Arithmetic,
    AvgEach,
    Bucket,
    Col,
    Compare,
    Count,
    Diff,
    Dim,
    During,
    Expr,
    Flag,
    Has,
    Like,
    Measure,
    Not,
    Null,
    Only,
    Or,
    Order,
    Plan,
    Pred,
    Range,
    Rate,
    Time,
    Value,
    Wrapped,
)


def dims(plan: Plan) -> tuple[Dim, ...]:
    return tuple(e for e in plan.select if isinstance(e, Dim))


def measures(plan: Plan) -> tuple[Measure, ...]:
    return tuple(e for e in plan.select if not isinstance(e, Dim))


def period(plan: Plan) -> Range | None:
    """The days that the plan is about; None for all."""
    return next((p.range for p in plan.where if isinstance(p, During)), None)


# ---- groups and columns


def with_dims(plan: Plan, wanted: tuple[Dim, ...]) -> Plan:
    """The plan grouped by (or listing) ``wanted`` and nothing else.

    An order by a column that is gone, and a limit that hung on it, go with it.
    """
    made = replace(plan, select=(*dict.fromkeys(wanted), *measures(plan)))
    if plan.order and isinstance(plan.order.by, Dim) and plan.order.by not in wanted:
        made = replace(made, order=None, limit=None, per=None)
    if plan.per is not None and plan.per not in wanted:
        made = replace(made, per=None)
    return made


def add_dim(plan: Plan, dim: Dim) -> Plan:
    return plan if dim in plan.select else with_dims(plan, (*dims(plan), dim))


def replace_dim(plan: Plan, old: Dim, new: Dim) -> Plan:
    """``new`` in the place of ``old``, in the order of rows too."""
    swapped = with_dims(plan, tuple(new if d == old else d for d in dims(plan)))
    if plan.order and plan.order.by == old:
        return replace(swapped, order=replace(plan.order, by=new), limit=plan.limit)
    return swapped


def ungrouped(plan: Plan) -> Plan:
    """The measures over all rows: no groups, no order, no limit."""
    return Plan(tuple(unwrapped(m) for m in measures(plan)), plan.where)


# ---- what is measured


def map_measures(plan: Plan, change: Callable[[Measure], Measure]) -> Plan:
    """The plan with every measure changed, in HAVING and ORDER BY too."""
    order = plan.order
    if order and not isinstance(order.by, Dim):
        order = replace(order, by=change(order.by))
    having: list[Pred] = []
    for pred in plan.having:
        if isinstance(pred, Compare) and not isinstance(pred.left, Col | Diff):
            pred = replace(pred, left=change(pred.left))
        having.append(pred)
    select = tuple(e if isinstance(e, Dim) else change(e) for e in plan.select)
    return replace(plan, select=tuple(dict.fromkeys(select)), having=tuple(having), order=order)


def with_measure(plan: Plan, new: Measure) -> Plan:
    """``new`` in the place of all that was measured, wrapped as that was."""
    if not measures(plan):
        return plan

    def change(old: Measure) -> Measure:
        match old:
            case Wrapped(function, _):
                return Wrapped(function, new)
            case Only(_, predicate):
                return Only(new, predicate)
            case AvgEach(_, dim):
                return AvgEach(new, dim)
        return new

    return map_measures(plan, change)


def add_measure(plan: Plan, new: Measure) -> Plan:
    if new in plan.select or not measures(plan):
        return plan
    return replace(plan, select=(*plan.select, new))


def with_function(plan: Plan, function: str) -> Plan:
    """Another aggregate of the same columns."""

    def change(old: Measure) -> Measure:
        match old:
            case Agg(_, of):
                return Agg(function, of)
            case Wrapped(wrapper, inner):
                return Wrapped(wrapper, change(inner))
            case Only(inner, predicate):
                return Only(change(inner), predicate)
            case AvgEach(inner, dim):
                return AvgEach(change(inner), dim)
        return old

    return map_measures(plan, change)


def wrapped(plan: Plan, function: str) -> Plan:
    """SHARE of the total, CHANGE or RUNNING of what is measured."""
    found = measures(plan)
    if not found or not dims(plan):
        return plan
    first = unwrapped(found[0])
    return replace(plan, select=(*dims(plan), Wrapped(function, first)), having=())


def ratio(plan: Plan, of: Measure) -> Plan:
    """What is measured as a part of ``of``: discounts as a share of gross revenue."""
    found = measures(plan)
    if len(found) != 1 or unwrapped(found[0]) == of or isinstance(found[0], Arithmetic | Rate):
        return plan
    return map_measures(replace(plan, having=()), lambda old: Arithmetic("DIV", unwrapped(old), of))


def unwrapped(measure: Measure) -> Measure:
    return measure.of if isinstance(measure, Wrapped) else measure


def without_wrappers(plan: Plan) -> Plan:
    return map_measures(plan, unwrapped)


# ---- conditions


def with_pred(plan: Plan, pred: Pred) -> Plan:
    return plan if pred in plan.where else replace(plan, where=(*plan.where, pred))


def without(plan: Plan, is_gone: Callable[[Pred], bool]) -> Plan:
    return replace(plan, where=tuple(p for p in plan.where if not is_gone(p)))


def columns_of(pred: Pred) -> frozenset[Col]:
    """The columns that a condition is about; none for rules, periods and HAS."""
    match pred:
        case Value(table, column, _):
            return frozenset((Col(table, column),))
        case Flag(of) | Null(of) | Like(of, _):
            return frozenset((of,))
        case Not(inner):
            return columns_of(inner)
        case Or(left, right):
            return columns_of(left) | columns_of(right)
        case Compare(_, Col() as left, _):
            return frozenset((left,))
        case Has(_, where):
            return frozenset().union(*map(columns_of, where))
    return frozenset()


def named(pred: Pred) -> frozenset[str]:
    """The names of the columns that a condition is about: tables of one project share them."""
    return frozenset(of.column for of in columns_of(pred))


def with_value(plan: Plan, value: Value) -> Plan:
    """``value`` in the place of other values of that column, which no row could have too."""
    return with_pred(without(plan, lambda p: value.column in named(p)), value)


def or_value(plan: Plan, value: Value) -> Plan:
    """Rows with that value beside those with the values of its column asked for already."""
    where: list[Pred] = []
    for pred in plan.where:
        mine = value.column in named(pred) and isinstance(pred, Value | Or)
        where.append(Or(pred, value) if mine and pred != value else pred)
    return replace(plan, where=tuple(where))


def without_column(plan: Plan, column: str) -> Plan:
    return without(plan, lambda p: column in named(p))


def with_period(plan: Plan, days: Range) -> Plan:
    """The same of other days, by the date that the plan went by."""
    old = next((p for p in plan.where if isinstance(p, During)), None)
    of = old.of if old else _time_of(plan)
    rest = without(plan, lambda p: isinstance(p, During))
    return replace(rest, where=(*rest.where, During(of, days)))


def _time_of(plan: Plan) -> Col | Time:
    """The date that the plan groups by, else the usual one."""
    return next((e.of for e in dims(plan) if isinstance(e, Bucket)), Time())


def without_period(plan: Plan) -> Plan:
    return without(plan, lambda p: isinstance(p, During))


def shifted(plan: Plan, unit: str, by: int) -> Plan:
    """The plan for so many ``unit`` (year, quarter, month, week, day) later than it was.

    ``period`` moves it by its own length.
    """
    days = period(plan)
    if days is None or not days.start or not days.end:
        return plan
    start, end = date.fromisoformat(days.start), date.fromisoformat(days.end)
    moved = Range(_moved(start, start, end, unit, by), _moved(end, start, end, unit, by))
    return with_period(plan, moved)


def up_to(plan: Plan, day: date) -> Plan:
    """The plan without the days from ``day`` on, of which there are no rows yet."""
    days = period(plan)
    if days is None or days.end <= day.isoformat() or days.start >= day.isoformat():
        return plan
    return with_period(plan, Range(days.start, day.isoformat()))


def _moved(day: date, start: date, end: date, unit: str, by: int) -> str:
    if unit == "period":
        months = (end.year - start.year) * 12 + end.month - start.month
        if start.day == end.day and months:
            unit, by = "month", by * months
        else:
            unit, by = "day", by * (end - start).days
    step = {
        "year": relativedelta(years=by),
        "quarter": relativedelta(months=3 * by),
        "month": relativedelta(months=by),
        "week": relativedelta(weeks=by),
        "day": relativedelta(days=by),
    }[unit]
    return (day + step).isoformat()


# ---- order


def ordered(plan: Plan, by: Expr, descending: bool) -> Plan:
    return replace(plan, order=Order(by, descending))


def flipped(plan: Plan) -> Plan:
    """The other end first."""
    if plan.order is None:
        return plan
    return replace(plan, order=replace(plan.order, descending=not plan.order.descending))


def top(plan: Plan, count: str, descending: bool | None, by: Expr | None = None) -> Plan:
    """The first ``count`` rows: by ``by``, else as they are ordered, else by what is measured.

    ``descending`` None leaves the order as it is, largest first where there was none.
    """
    found = measures(plan)
    if by is None and plan.order is not None:
        by = plan.order.by
        descending = plan.order.descending if descending is None else descending
    if by is None:
        if not found:
            return plan
        by = found[0]
    made = replace(plan, order=Order(by, descending is not False), limit=count)
    return made if dims(plan) else plan


# ---- from groups to rows and back


def counted(plan: Plan, table: str) -> Plan:
    """How many rows of ``table`` the plan lists."""
    return Plan((Count(table),), plan.where)


def listed(plan: Plan, columns: tuple[Col, ...]) -> Plan:
    """The rows that the plan counts or measures."""
    return Plan(columns, plan.where)
