"""What rows a query could be told from its near misses by: values around each of its literals."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import MAXYEAR, MINYEAR, date, datetime, time, timedelta
from decimal import Decimal, InvalidOperation
from typing import TypeVar

from dbt_t2s import sql as language
from dbt_t2s.judge.sources import Known, Sources
from dbt_t2s.project.schema import Kind
from dbt_t2s.sql import exp

# Of a column's other known values this many tell a filter on one of them from its near misses.
_OTHERS = 1
_DAY = timedelta(days=1)
Day = TypeVar("Day", bound=date)
COMPARISONS = (exp.EQ, exp.NEQ, exp.LT, exp.LTE, exp.GT, exp.GTE)


@dataclass(frozen=True)
class Same:
    """The value that the row has in another column."""

    column: str


@dataclass(frozen=True)
class Times:
    """So many times the number that the row has in another column, and ``more``."""

    column: str
    factor: int
    more: int = 0


Value = date | datetime | Decimal | int | str | bool | Same | Times | None


@dataclass(frozen=True)
class Wanted:
    """``values`` that rows of a column should have while all else of the query holds.

    ``single`` where the query compares it with single values, by = or IN.
    """

    source: str
    column: str
    values: tuple[Value, ...]
    single: bool = False


def wanted(select: exp.Select, sources: Sources) -> tuple[Wanted, ...]:
    """The columns that the SELECT itself compares, with the values they should have."""
    found: dict[tuple[str, str], dict[Value, None]] = {}
    single: set[tuple[str, str]] = set()
    for node in language.walk(select):
        if node.find_ancestor(exp.Select) is not select:
            continue
        for known, value in _of_node(node, sources):
            place = (known.source, known.column.name)
            found.setdefault(place, {})[value] = None
            if isinstance(node, exp.EQ | exp.NEQ | exp.In) and not isinstance(value, Same):
                single.add(place)
    return tuple(Wanted(*place, tuple(values), place in single) for place, values in found.items())


def _of_node(node: exp.Expr, sources: Sources) -> Iterator[tuple[Known, Value]]:
    if isinstance(node, exp.Column):
        known = sources.column(node)
        if known is not None and known.column.kind is Kind.BOOLEAN and _is_condition(node):
            yield from ((known, True), (known, False))
    elif isinstance(node, exp.Is) and isinstance(node.expression, exp.Null):
        known = sources.column(node.this)
        if known is not None and known.column.nullable:
            yield known, None
            yield from ((known, value) for value in _others(known, ()))
    elif isinstance(node, exp.Between):
        yield from _around(node.this, (node.args["low"], node.args["high"]), sources)
    elif isinstance(node, exp.In):
        yield from _around(node.this, tuple(node.expressions), sources)
    elif isinstance(node, exp.Like | exp.ILike):
        yield from _like(node, sources)
    elif isinstance(node, COMPARISONS):
        own, other = sources.column(node.this), sources.column(node.expression)
        if own and other and own.source == other.source:
            yield own, Same(other.column.name.lower())
        yield from _around(node.this, (node.expression,), sources)


def _like(node: exp.Expr, sources: Sources) -> Iterator[tuple[Known, Value]]:
    """A known value that holds the pattern's words, and one that does not."""
    known, said = sources.column(node.this), literal(node.expression)
    if known is None or said is None or known.column.kind is not Kind.TEXT:
        return
    words = said.strip("%").lower()
    holding = [each for each in known.column.values if words in each.lower()]
    yield from ((known, value) for value in holding[:1] or [said.strip("%")])
    yield from ((known, value) for value in _others(known, tuple(holding)))


def _is_condition(column: exp.Expr) -> bool:
    return isinstance(column.parent, exp.Where | exp.Not | exp.And | exp.Or | exp.If | exp.Is)


def _around(
    compared: exp.Expr, literals: tuple[exp.Expr, ...], sources: Sources
) -> Iterator[tuple[Known, Value]]:
    column = _inner_column(compared)
    known = sources.column(column) if column is not None else None
    if known is None:
        return
    texts = [text for text in (literal(each) for each in literals) if text is not None]
    kind = known.column.kind
    if kind is Kind.BOOLEAN:
        yield from ((known, True), (known, False))
    for text in texts:
        if kind in (Kind.DATE, Kind.TIMESTAMP):
            values: Iterator[Value] = _days_around(compared, text, kind)
        elif kind is Kind.NUMBER and compared is column:
            values = numbers_around(text, known.column.type)
        elif kind is Kind.TEXT and compared is column:
            values = iter((text,))
        else:
            continue
        yield from ((known, value) for value in values)
    if kind is Kind.TEXT:
        yield from ((known, value) for value in _others(known, tuple(texts)))


def _inner_column(node: exp.Expr) -> exp.Column | None:
    """The column itself, or the one that a function of dates is asked of."""
    if isinstance(node, exp.Column):
        return node
    dated = (exp.Cast, exp.TimestampTrunc, exp.DateTrunc, exp.Year, exp.Extract, exp.Date)
    if isinstance(node, dated):
        found = list(node.find_all(exp.Column))
        return found[0] if len(found) == 1 else None
    return None


def literal(node: exp.Expr) -> str | None:
    inner = node.this if isinstance(node, exp.Cast | exp.Paren) else node
    if isinstance(inner, exp.Neg) and isinstance(inner.this, exp.Literal):
        return f"-{inner.this.name}"
    return inner.name if isinstance(inner, exp.Literal) else None


def _days_around(compared: exp.Expr, text: str, kind: Kind) -> Iterator[Value]:
    """The day before, the day itself and the day after; of a year or a month its ends."""
    if isinstance(compared, exp.Year | exp.Extract):
        if not (text.isdigit() and len(text) == 4 and int(text) >= MINYEAR):
            return
        first, last = date(int(text), 1, 1), date(int(text), 12, 31)
        days = [shifted(first, -_DAY), first, last, shifted(last, _DAY)]
    else:
        try:
            moment = datetime.fromisoformat(text)
        except ValueError:
            return
        day = moment.date()
        if kind is Kind.TIMESTAMP and moment.time() != time.min:
            second = timedelta(seconds=1)
            yield from (shifted(moment, -second), moment, shifted(moment, second))
            return
        days = [shifted(day, -_DAY), day, shifted(day, _DAY)]
        if isinstance(compared, exp.TimestampTrunc | exp.DateTrunc):
            days = [
                shifted(day, -_DAY),
                day,
                shifted(_next_period(compared, day), -_DAY),
                _next_period(compared, day),
            ]
    for each in days:
        yield datetime.combine(each, time.min) if kind is Kind.TIMESTAMP else each
    if kind is Kind.TIMESTAMP and not isinstance(compared, exp.Year | exp.Extract):
        yield datetime.combine(days[0], time.max.replace(microsecond=0))
        yield datetime.combine(days[1], time(0, 0, 1))


def shifted(day: Day, by: timedelta) -> Day:
    """The day that much later; the first and the last there are ("for ever") stay as they are."""
    try:
        return day + by
    except OverflowError:
        return day


def _next_period(truncated: exp.Expr, day: date) -> date:
    unit = str(truncated.args["unit"].name).upper()
    if unit == "WEEK":
        return shifted(day, 7 * _DAY)
    months = {"MONTH": 1, "QUARTER": 3, "YEAR": 12}.get(unit)
    if months is None:
        return shifted(day, _DAY)
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, 1) if year <= MAXYEAR else day


def numbers_around(text: str, column_type: str) -> Iterator[Value]:
    try:
        number = Decimal(text)
    except InvalidOperation:
        return
    whole = "INT" in column_type.upper()
    step = Decimal(1) if whole or "(" not in column_type else least_step(column_type)
    if whole and number != number.to_integral_value():
        number = number.to_integral_value()
    for each in (number - step, number, number + step):
        yield int(each) if whole else each


def least_step(column_type: str) -> Decimal:
    """``DECIMAL(10,2)`` counts in hundredths."""
    scale = column_type.rstrip(") ").rpartition(",")[2].strip()
    return Decimal(1).scaleb(-int(scale)) if scale.isdigit() else Decimal(1)


def _others(known: Known, but: tuple[str, ...]) -> tuple[Value, ...]:
    """Known values of a text column that the query does not name."""
    if known.column.kind is not Kind.TEXT or known.column.personal:
        return ()
    later = sorted(known.column.values, key=lambda each: (each <= min(but, default=""), each))
    return tuple(each for each in later if each not in but)[:_OTHERS]
