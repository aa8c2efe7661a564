"""Values of one generated column: read from text, held against bounds, made to meet a condition."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal

from dbt_t2s.judge import plausible
from dbt_t2s.judge.conditions import Condition
from dbt_t2s.judge.table_bounds import ColumnBounds
from dbt_t2s.project.schema import Kind

Value = object
_NULL_SHARE = 0.06
_MOST_NULLS = 0.9
_WHOLE = ("TINYINT", "SMALLINT", "INT", "BIGINT", "HUGEINT", "UTINYINT", "USMALLINT", "UINTEGER",
          "UBIGINT", "UHUGEINT")  # fmt: skip


def is_whole(type_: str) -> bool:
    """Whether a DuckDB type holds whole numbers only."""
    name = type_.upper()
    return name.startswith(_WHOLE) or (
        name.startswith("DECIMAL") and name.endswith((",0)", ", 0)"))
    )


def null_share(column: ColumnBounds) -> float:
    """How many of the values are NULL: as in the data where that is known."""
    if column.null_share is not None:
        return min(column.null_share, _MOST_NULLS)
    # Models that ask for rows without a value should find some, and others, too.
    return 0.4 if any(each.operator == "null" for each in column.asked) else _NULL_SHARE


def cast(column: ColumnBounds, text: str) -> Value:
    """A value written as text, as the column's kind has it; None where it is none."""
    if not text:
        return None
    try:
        if column.kind is Kind.NUMBER:
            return int(Decimal(text)) if is_whole(column.type) else Decimal(text)
        if column.kind is Kind.DATE:
            return date.fromisoformat(text[:10])
        if column.kind is Kind.TIMESTAMP:
            return datetime.fromisoformat(text.replace("Z", "+00:00")).replace(tzinfo=None)
    except (ValueError, ArithmeticError):
        return None
    return text.lower() in ("true", "t", "1", "yes") if column.kind is Kind.BOOLEAN else text


def day_of(value: Value) -> date | None:
    """The day of a date or timestamp."""
    if isinstance(value, datetime):
        return value.date()
    return value if isinstance(value, date) else None


def allowed(column: ColumnBounds, value: Value) -> bool:
    """Whether the column's own bounds let it hold the value."""
    if value is None:
        return column.nullable
    if column.closed and value not in [cast(column, each) for each in column.values]:
        return False
    low, high = cast(column, column.minimum), cast(column, column.maximum)
    return not (_less(value, low) or _less(high, value))


def nearest(column: ColumnBounds, as_of: date) -> Value:
    """Some value that the bounds allow; None where that is one, or none is known."""
    low, high = cast(column, column.minimum), cast(column, column.maximum)
    day = datetime.combine(as_of, datetime.min.time())
    by_kind: dict[Kind, Value] = {Kind.NUMBER: 1, Kind.DATE: as_of, Kind.TIMESTAMP: day}
    closed = [cast(column, each) for each in column.values] if column.closed else []
    options = (*closed, low, high, by_kind.get(column.kind), plausible.text(column.name, 0))
    return next((each for each in options if each is not None and allowed(column, each)), None)


def unknown_shape(type_: str) -> Value:
    """The value of a column that holds half-structured data of which no more is known."""
    name = type_.upper()
    if name == "JSON":
        return "{}"
    if name.endswith("[]"):
        return "[a, b]" if name == "VARCHAR[]" else "[]"
    return None


def meeting(column: ColumnBounds, condition: Condition) -> tuple[Value, ...]:
    """Values that meet a condition, those at its edge among them; none for ``null``."""
    if condition.operator in ("true", "false"):
        truth = condition.operator == "true"
        return (truth,) if column.kind is Kind.BOOLEAN else (cast(column, str(int(truth))),)
    values = [v for each in condition.values if (v := cast(column, each)) is not None]
    if condition.operator == "=":
        return tuple(values)
    if condition.operator == "<>":
        others = (v for each in column.asked if each.operator == "=" for v in meeting(column, each))
        options = (*(cast(column, each) for each in column.values), *others, *_others(column))
        return tuple(each for each in options if each not in values and each is not None)
    found = (_beyond(value, condition.operator) for value in values[:1])
    return tuple(each for group in found for each in group)


def holds(condition: Condition, value: Value) -> bool:
    """Whether a value meets ``<>``, ``not null`` or ``=``; False where that is not looked at."""
    if condition.operator == "not null":
        return value is not None
    if value is None or condition.operator not in ("=", "<>"):
        return False
    return (str(value) in condition.values) is (condition.operator == "=")


def _others(column: ColumnBounds) -> tuple[Value, ...]:
    if column.kind is Kind.TEXT:
        return plausible.texts(column.name)
    return (1, 2, 3) if column.kind is Kind.NUMBER else ()


def _beyond(value: Value, operator: str) -> tuple[Value, ...]:
    sign = 1 if operator.startswith(">") else -1
    edge = (value,) if operator.endswith("=") else ()
    if isinstance(value, date):
        return (*edge, *(value + sign * timedelta(days=n) for n in (1, 9)))
    if isinstance(value, int | Decimal):
        step = max(abs(int(value)) // 2, 2)
        return (*edge, value + sign, value + sign * step)
    return edge


def _less(one: Value, other: Value) -> bool:
    """Whether both are comparable and the first is less."""
    if isinstance(one, datetime) or isinstance(other, datetime):
        one, other = day_of(one), day_of(other)
    if isinstance(one, date) and isinstance(other, date):
        return one < other
    numbers = int | float | Decimal
    return isinstance(one, numbers) and isinstance(other, numbers) and one < other
