"""What looks back begins with what lies before: growth by month of this year needs December.

A change against the period before, and an average over the last few, are worked out over as many
periods more as they look back, and shown for those asked for, as MetricFlow does with its offsets.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date

from dateutil.relativedelta import relativedelta

from dbt_t2s.query.plan import GRAINS, Arithmetic, Bucket, During, Expr, Plan, Rolling, Wrapped

_ONE = {
    "DAY": relativedelta(days=1),
    "WEEK": relativedelta(weeks=1),
    "MONTH": relativedelta(months=1),
    "QUARTER": relativedelta(months=3),
    "YEAR": relativedelta(years=1),
}


@dataclass(frozen=True)
class LedIn:
    """``plan`` over a longer time, of which only what begins at ``start`` or later is shown."""

    plan: Plan
    bucket: Bucket
    start: date


def led_in(plan: Plan) -> LedIn | None:
    """The plan with the periods that it looks back to; None where it looks back to none."""
    back = max((_looks_back(each) for each in plan.select), default=0)
    buckets = [e for e in plan.select if isinstance(e, Bucket) and e.grain in GRAINS]
    spans = [each for each in plan.where if isinstance(each, During)]
    if not back or len(buckets) != 1 or len(spans) != 1 or not spans[0].range.start:
        return None
    bucket, said = buckets[0], spans[0]
    start = date.fromisoformat(said.range.start)
    if bucket.of != said.of or not _begins(start, bucket.grain):
        return None
    before = start
    for _ in range(back):
        before -= _ONE[bucket.grain]
    longer = replace(said, range=replace(said.range, start=before.isoformat()))
    where = tuple(longer if each is said else each for each in plan.where)
    return LedIn(replace(plan, where=where), bucket, start)


def _looks_back(expression: Expr) -> int:
    match expression:
        case Wrapped("CHANGE", of):
            return 1 + _looks_back(of)
        case Wrapped(_, of):
            return _looks_back(of)
        case Rolling("CHANGE_OVER", periods, of):
            return int(periods) + _looks_back(of)
        case Rolling(_, periods, of):
            return int(periods) - 1 + _looks_back(of)
        case Arithmetic(_, left, right):
            return max(_looks_back(left), _looks_back(right))
    return 0


def _begins(day: date, grain: str) -> bool:
    """Whether a period of that length begins on ``day``."""
    match grain:
        case "DAY":
            return True
        case "WEEK":
            return day.weekday() == 0
        case "MONTH":
            return day.day == 1
        case "QUARTER":
            return day.day == 1 and day.month % 3 == 1
    return day.day == 1 and day.month == 1
