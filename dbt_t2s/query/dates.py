"""Date phrases resolved by code: "last month", "Q3 2025", "since Easter", "past 90 days".

A phrase becomes a half-open range of days: a period, or what is said around it makes of it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from dateutil.relativedelta import relativedelta

from dbt_t2s.query.periods import Period, periods_in
from dbt_t2s.query.plan import Range


@dataclass(frozen=True)
class DateSpan:
    """A phrase at ``start``:``end`` (character offsets) and the range it means.

    ``others`` are what else it may mean: "invoices from June" are those of June, or since.
    """

    range: Range
    start: int
    end: int
    text: str
    others: tuple[Range, ...] = ()


_OF_YEAR = r"(?:the\s+)?(?:year\s+(?:of\s+)?)?$"  # "after the year of 2010"
_BEFORE = re.compile(rf"\b(?:before|prior to|until|till|up to)\s+{_OF_YEAR}", re.I)
_SINCE = re.compile(
    r"\b(?:since|from|starting(?:\s+in)?|as of)\s+(?:the\s+)?(?:(?:start|beginning)\s+of\s+)?"
    r"(?:year\s+(?:of\s+)?)?$",
    re.I,
)
_THROUGH = re.compile(r"\b(?:through|until|till|up to|by)\s+(?:the\s+)?end\s+of\s+$", re.I)
_ON = re.compile(r"\s*(?:on|onwards?|forwards?|to date|until now)\b", re.I)
_OR_LATER = re.compile(
    r"\+|\s*(?:(?:and|or)\s+(?:later|after|newer|since)\b(?!\s+(?:the|year|\d))|onwards?\b)", re.I
)
_OR_EARLIER = re.compile(r"\s*(?:and|or)\s+(?:earlier|before|older)\b(?!\s+(?:the|year|\d))", re.I)
_AFTER = re.compile(rf"\b(?:after|later than)\s+{_OF_YEAR}", re.I)
_BETWEEN = re.compile(r"\b(?:between|from)\s+(?:the\s+)?$", re.I)
_TO = re.compile(r"^\s*(?:-|–|to|and|through|thru|until|till)\s*(?:the\s+)?$", re.I)


def date_spans(text: str, today: date) -> tuple[DateSpan, ...]:
    """Every date phrase in ``text`` with its range, in order, none overlapping another."""
    periods = _ranges(text, periods_in(text, today))
    return tuple(sorted(periods, key=lambda span: span.start))


def _ranges(text: str, periods: list[Period]) -> Iterator[DateSpan]:
    at = 0
    while at < len(periods):
        here = periods[at]
        before = text[: here.start]
        follows = periods[at + 1] if at + 1 < len(periods) else None
        joined = follows and _TO.match(text[here.end : follows.start])
        if follows and joined and (_BETWEEN.search(before) or "and" not in joined.group()):
            yield _between(text, here, follows, before)
            at += 2
            continue
        yield _open_ended(text, here, before)
        at += 1


def _between(text: str, first: Period, last: Period, before: str) -> DateSpan:
    start, after = first.first, last.after
    if first.floating:  # "January to March 2025": the year is said once
        start += relativedelta(year=last.first.year)
        if start > last.first:  # "November to February"
            start += relativedelta(years=-1)
    elif start > last.first:
        start, after = last.first, first.after
    opened = _BETWEEN.search(before)
    begin = opened.start() if opened else first.start
    return _span(text, start.isoformat(), after.isoformat(), begin, last.end)


def _open_ended(text: str, period: Period, before: str) -> DateSpan:
    first, after = period.first.isoformat(), period.after.isoformat()
    for pattern, start, end in (
        (_THROUGH, "", after),
        (_BEFORE, "", first),
        (_SINCE, first, ""),
        (_AFTER, after, ""),
    ):
        opened = pattern.search(before)
        if opened:
            if pattern is _BEFORE and re.match(r"until|till|up to", opened.group(), re.I):
                end = after if (period.after - period.first).days == 1 else end
            others = _others(period, opened.group(), text[period.end :], start)
            return _span(text, start, end, opened.start(), period.end, others)
    for pattern, start, end in ((_OR_LATER, first, ""), (_OR_EARLIER, "", after)):
        if found := pattern.match(text, period.end):
            return _span(text, start, end, period.start, found.end())
    others = (_ahead(period),) if period.floating else ()
    return _span(text, first, after, period.start, period.end, others)


def _others(period: Period, opening: str, rest: str, start: str) -> tuple[Range, ...]:
    """What a phrase that opens a range may mean besides."""
    made: list[Range] = []
    if opening.lower().startswith("from") and not _ON.match(rest):
        made.append(Range(period.first.isoformat(), period.after.isoformat()))
    if period.floating:
        ahead = _ahead(period)
        made.append(Range(ahead.start, "") if start else Range("", ahead.start))
    return tuple(made)


def _ahead(period: Period) -> Range:
    """The period a year later: "due in December" is not always the last one."""
    year = relativedelta(years=1)
    return Range((period.first + year).isoformat(), (period.after + year).isoformat())


def _span(
    text: str, first: str, after: str, start: int, end: int, others: tuple[Range, ...] = ()
) -> DateSpan:
    return DateSpan(Range(first, after), start, end, text[start:end], others)
