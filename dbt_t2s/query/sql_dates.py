"""Dates in SQL as what plans say of them: buckets of a grain, and ranges of days."""

from __future__ import annotations

from datetime import date, timedelta

from dbt_t2s.project.schema import Kind, ProjectSchema
from dbt_t2s.query.plan import GRAINS, Bucket, Col, During, Pred, Range
from dbt_t2s.query.sql_source import NotConvertedError, Source
from dbt_t2s.sql import exp

_TIMES = (Kind.DATE, Kind.TIMESTAMP)
_PARTS: dict[type[exp.Expr], str] = {
    exp.Dayname: "DOW",
    exp.Hour: "HOUR",
    exp.Month: "MONTH_OF_YEAR",
}
_EXTRACTED = {"HOUR": "HOUR", "MONTH": "MONTH_OF_YEAR"}
_TRUNCATED = (exp.TimestampTrunc, exp.DateTrunc, exp.DatetimeTrunc)
_MIRRORED: dict[type[exp.Expr], type[exp.Expr]] = {
    exp.GT: exp.LT,
    exp.GTE: exp.LTE,
    exp.LT: exp.GT,
    exp.LTE: exp.GTE,
    exp.EQ: exp.EQ,
}


def is_time(of: Col, schema: ProjectSchema) -> bool:
    return schema.table(of.table).column(of.column).kind in _TIMES


def bucket(node: exp.Expr, source: Source) -> Bucket | None:
    """A time column cut to a grain or reduced to a part; None for what is neither."""
    while isinstance(node, exp.Cast) and not isinstance(node.this, exp.Column):
        node = node.this.unnest()
    if isinstance(node, _TRUNCATED):
        grain = node.text("unit").upper()
        return Bucket(grain, source.column(_inside(node.this))) if grain in GRAINS else None
    if isinstance(node, exp.Extract):
        part = _EXTRACTED.get(node.name.upper())
        return Bucket(part, source.column(_inside(node.expression))) if part else None
    part = _PARTS.get(type(node))
    return Bucket(part, source.column(_inside(node.this))) if part else None


def _inside(node: exp.Expr) -> exp.Expr:
    """What is cast to a date or timestamp (``to_date`` as some dialects have it)."""
    node = node.unnest()
    while isinstance(node, exp.Cast | exp.TsOrDsToDate | exp.TsOrDsToTimestamp):
        node = node.this.unnest()
    return node


def day(node: exp.Expr) -> date | None:
    """The day that a literal says, cast or not; None where it says a time of day or none."""
    inner = _inside(node)
    if not isinstance(inner, exp.Literal) or not inner.is_string:
        return None
    text = inner.name.strip()
    head, _, rest = text.replace("T", " ").partition(" ")
    if rest.strip("0:. "):
        return None
    try:
        return date.fromisoformat(head)
    except ValueError:
        return None


def date_condition(node: exp.Expr, source: Source, schema: ProjectSchema) -> Pred | None:
    """A comparison with days, or of a year or other grain, as a range; None for anything else."""
    if isinstance(node, exp.Between):
        return _between(node, source, schema)
    if type(node) not in _MIRRORED:
        return None
    left, right, operator = node.this, node.expression, type(node)
    if day(left) is not None or (isinstance(left, exp.Literal) and not left.is_string):
        left, right, operator = right, left, _MIRRORED[operator]
    if isinstance(left, exp.Column) and isinstance(right, exp.Column):
        return None
    year = _year_of(left)
    if year is not None:
        return _in_year(source.column(year), operator, right)
    at = day(right)
    cut = bucket(left, source)
    if cut is not None and cut.grain in GRAINS and isinstance(cut.of, Col):
        return _in_bucket(cut, operator, at)
    whole = isinstance(left, exp.Cast | exp.TsOrDsToDate)
    inner = _inside(left)
    if not isinstance(inner, exp.Column) or not is_time(source.column(inner), schema):
        return None
    if at is None:
        raise NotConvertedError("a date compared with something other than a day")
    of = source.column(inner)
    whole = whole or schema.table(of.table).column(of.column).kind is Kind.DATE
    return During(of, _range(operator, at, whole))


def _between(node: exp.Between, source: Source, schema: ProjectSchema) -> Pred | None:
    inner = _inside(node.this)
    year = _year_of(node.this)
    low, high = node.args["low"], node.args["high"]
    if year is not None:
        first, last = (_number(each) for each in (low, high))
        return During(source.column(year), Range(f"{first:04}-01-01", f"{last + 1:04}-01-01"))
    if not isinstance(inner, exp.Column) or not is_time(source.column(inner), schema):
        return None
    of, start, end = source.column(inner), day(low), day(high)
    if start is None or end is None:
        raise NotConvertedError("a date compared with something other than a day")
    cast = isinstance(node.this.unnest(), exp.Cast | exp.TsOrDsToDate)
    if not cast and schema.table(of.table).column(of.column).kind is not Kind.DATE:
        raise NotConvertedError("a range that ends within a day")
    return During(of, Range(start.isoformat(), (end + timedelta(days=1)).isoformat()))


def _range(operator: type[exp.Expr], at: date, whole: bool) -> Range:
    after = (at + timedelta(days=1)).isoformat()
    if operator is exp.GTE:
        return Range(at.isoformat(), "")
    if operator is exp.LT:
        return Range("", at.isoformat())
    if not whole:
        raise NotConvertedError("a range that ends within a day")
    if operator is exp.GT:
        return Range(after, "")
    if operator is exp.LTE:
        return Range("", after)
    return Range(at.isoformat(), after)


def _year_of(node: exp.Expr) -> exp.Expr | None:
    node = node.unnest()
    if isinstance(node, exp.Year):
        return _inside(node.this)
    if isinstance(node, exp.Extract) and node.name.upper() == "YEAR":
        return _inside(node.expression)
    return None


def _number(node: exp.Expr) -> int:
    if not isinstance(node, exp.Literal) or not node.name.isdigit() or len(node.name) > 4:
        raise NotConvertedError("a year compared with something other than a number")
    return int(node.name)


def _in_year(of: Col, operator: type[exp.Expr], node: exp.Expr) -> Pred:
    year = _number(node)
    first, after = f"{year:04}-01-01", f"{year + 1:04}-01-01"
    return During(of, _from_to(operator, first, after))


def _in_bucket(cut: Bucket, operator: type[exp.Expr], at: date | None) -> Pred:
    assert isinstance(cut.of, Col)
    if at is None:
        raise NotConvertedError("a date compared with something other than a day")
    first, after = at, _next(cut.grain, at)
    if after is None:
        raise NotConvertedError("a day that begins no such period")
    return During(cut.of, _from_to(operator, first.isoformat(), after.isoformat()))


def _from_to(operator: type[exp.Expr], first: str, after: str) -> Range:
    """The days of the periods that compare so with the one from ``first`` to ``after``."""
    ranges: dict[type[exp.Expr], Range] = {
        exp.EQ: Range(first, after),
        exp.GTE: Range(first, ""),
        exp.GT: Range(after, ""),
        exp.LT: Range("", first),
        exp.LTE: Range("", after),
    }
    return ranges[operator]


def _next(grain: str, at: date) -> date | None:
    """The first day of the next period, None where ``at`` is no period's first day."""
    if grain == "DAY":
        return at + timedelta(days=1)
    if grain == "WEEK":
        return at + timedelta(days=7) if at.weekday() == 0 else None
    months = {"MONTH": 1, "QUARTER": 3, "YEAR": 12}[grain]
    if at.day != 1 or (at.month - 1) % months:
        return None
    after = at.month - 1 + months
    return date(at.year + after // 12, after % 12 + 1, 1)


def merged(preds: tuple[Pred, ...]) -> tuple[Pred, ...]:
    """Ranges of one column that must all hold, as the one range that they leave."""
    found: dict[Col, Range] = {}
    rest: list[Pred] = []
    for pred in preds:
        if not isinstance(pred, During) or not isinstance(pred.of, Col):
            rest.append(pred)
            continue
        known = found.get(pred.of, Range("", ""))
        ends = [end for end in (known.end, pred.range.end) if end]
        start = max(known.start, pred.range.start)
        found[pred.of] = Range(start, min(ends) if ends else "")
    return (*rest, *(During(of, span) for of, span in found.items()))
