"""Which results can be drawn, and how they look in letters."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

FEWEST, MOST = 2, 36
_EIGHTHS = " ▏▎▍▌▋▊▉"
_FULL = "█"
_LABEL = 24
# More than a floating point number holds.
_LARGEST = 10**300


@dataclass(frozen=True)
class Chart:
    """``kind`` is series (over time) or split (over categories); the others are columns."""

    kind: str
    label: int
    value: int


def chart_of(columns: Sequence[str], rows: Sequence[Sequence[object]]) -> Chart | None:
    """How a result is drawn: one column of numbers over one of days or names; None for others."""
    if len(columns) != 2 or not FEWEST <= len(rows) <= MOST:
        return None
    values = [at for at in (0, 1) if all(_is_number(row[at]) for row in rows)]
    if len(values) != 1:
        # A year or a month as a number comes first and is what the other runs along.
        whole = all(isinstance(row[0], int) for row in rows)
        if len(values) != 2 or not whole or len({row[0] for row in rows}) < len(rows):
            return None
        values = [1]
    (value,) = values
    label = 1 - value
    if all(row[value] is None for row in rows):
        return None
    timed = all(_is_time(row[label]) for row in rows)
    return Chart("series" if timed else "split", label, value)


def bars(
    columns: Sequence[str], rows: Sequence[Sequence[object]], width: int = 40
) -> tuple[str, ...]:
    """The result as one bar a line; nothing where it is none to draw. Light bars are below zero."""
    chart = chart_of(columns, rows)
    if chart is None:
        return ()
    labels = [_label(row[chart.label]) for row in rows]
    numbers = [_float(row[chart.value]) for row in rows]
    most = max((abs(number) for number in numbers if number is not None), default=0.0)
    pad = max(len(label) for label in labels)
    return tuple(
        f"{label:<{pad}}  {_bar(number, most, width)}"
        for label, number in zip(labels, numbers, strict=True)
    )


def _bar(number: float | None, most: float, width: int) -> str:
    if number is None or not most:
        return ""
    eighths = round(abs(number) / most * width * 8)
    if number < 0:
        return "░" * max(round(eighths / 8), 1)
    return (_FULL * (eighths // 8) + _EIGHTHS[eighths % 8]).rstrip()


def _label(value: object) -> str:
    if isinstance(value, datetime) and value.time() == datetime.min.time():
        value = value.date()
    text = "NULL" if value is None else " ".join(str(value).split())
    return text if len(text) <= _LABEL else text[: _LABEL - 1] + "…"


def _is_number(value: object) -> bool:
    if isinstance(value, bool):
        return False
    if isinstance(value, int):
        return abs(value) < _LARGEST
    if isinstance(value, Decimal):
        return value.is_finite() and abs(value) < _LARGEST
    return value is None or (isinstance(value, float) and math.isfinite(value))


def _float(value: object) -> float | None:
    return float(value) if isinstance(value, int | float | Decimal) else None


def _is_time(value: object) -> bool:
    """A day, or a number that counts years, months …; other warehouses give days as texts."""
    if isinstance(value, str):
        try:
            return bool(date.fromisoformat(value[:10]))
        except ValueError:
            return False
    return isinstance(value, date) or (isinstance(value, int) and not isinstance(value, bool))
