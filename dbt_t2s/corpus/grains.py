"""How fine a column's dates are: by the day, or weeks and months that each have one date."""

from __future__ import annotations

from datetime import date

from dbt_t2s.project.schema import Column, Kind
from dbt_t2s.query.plan import Range

# The fewest days that a period of a grain has.
GRAIN_DAYS = {"DAY": 1, "WEEK": 7, "MONTH": 28, "QUARTER": 90, "YEAR": 365}
_REGULAR = ("WEEK", "MONTH")
_NEARLY, _FEW = 0.95, 4  # of fewer dates nothing can be told


def grain_of(column: Column) -> str:
    """DAY, or the coarser of week and month of which each has one date at most.

    No shorter period says anything: of weekly figures most days have none.
    """
    try:
        first, last = (date.fromisoformat((end or "")[:10])
                       for end in (column.minimum, column.maximum))  # fmt: skip
    except ValueError:
        return "DAY"
    distinct = column.distinct or 0
    if distinct < _FEW:
        return "DAY"
    apart = (last - first).days / (distinct - 1)
    regular = [grain for grain in _REGULAR if apart >= _NEARLY * GRAIN_DAYS[grain]]
    return regular[-1] if regular else "DAY"


def is_shorter(span: Range, grain: str) -> bool:
    """Whether a range is shorter than the periods of a grain."""
    if not (span.start and span.end):
        return False
    days = (date.fromisoformat(span.end) - date.fromisoformat(span.start)).days
    return days < GRAIN_DAYS[grain]


def has_hours(column: Column) -> bool:
    """Whether a column holds times of day, and not midnight in each row."""
    times = [end[11:16] for end in (column.minimum, column.maximum) if end]
    return column.kind is Kind.TIMESTAMP and not (times and set(times) <= {"00:00", ""})
