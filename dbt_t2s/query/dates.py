"""Date phrases resolved by code: "last month", "Q3 2025", "since Easter", "past 90 days".

A phrase becomes a half-open range of days: a period, or what is said around it makes of it. What
may mean two things is left unread, with all that it is joined to.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date

from dateutil.relativedelta import relativedelta

from dbt_t2s.project.schema import FiscalYear
from dbt_t2s.query.events import opened_by_event
from dbt_t2s.query.listed import listed
from dbt_t2s.query.period import Period
from dbt_t2s.query.periods import periods_in
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
_BEFORE = re.compile(
    rf"\b(?:before|prior\s+to|(?:earlier|older)\s+than|(?<!\w)pre-|until|till?|up\s+(?:until|till?|to))\s*{_OF_YEAR}",
    re.I,
)
_SINCE = re.compile(
    r"\b(?:(?:ever\s+)?since|from|(?:starting|beginning|commencing)(?:\s+(?:in|on|from|with))?|as\s+of)"
    r"\s+(?:the\s+)?(?:year\s+(?:of\s+)?)?$",
    re.I,
)
_AFTER = re.compile(rf"\b(?:(?:after|later\s+than|newer\s+than)\s+|post-){_OF_YEAR}", re.I)
_BY = re.compile(
    r"\bby\s+(?:the\s+)?(?:(?:(?:end|close)\s+of\s+(?:the\s+)?(?:day|business)|eod|cob)\s+"
    r"(?:on\s+)?)?(?:the\s+)?$",
    re.I,
)
_THROUGH = re.compile(r"\b(?:through|thru)\s+(?:the\s+)?$", re.I)
_AT_LATEST = re.compile(
    r"\b(?:(?:on|in|during|at)\s+or\s+(?:before|prior\s+to|earlier\s+than)|(?:before|prior\s+to)\s+or\s+(?:on|in|during)|"
    r"(?:no|not)\s+(?:later|newer)\s+than|not\s+after|"
    r"(?:by\s+|on\s+)?(?:at\s+)?the\s+latest(?:\s+(?:by|on|in))?|"
    rf"(?:until|till?|up\s+to|up\s+until|through|thru)(?:\s+and|,)?\s+including)\s+{_OF_YEAR}",
    re.I,
)
_AT_EARLIEST = re.compile(
    r"\b(?:(?:on|in|during|at)\s+or\s+(?:after|later\s+than|since)|(?:after|since)\s+or\s+(?:on|in|during)|"
    r"(?:no|not)\s+(?:earlier|older)\s+than|not\s+before|(?:from|since)(?:\s+and|,)?\s+including)\s+"
    rf"{_OF_YEAR}",
    re.I,
)
_ON = re.compile(r"\s*(?:on|onwards?|forwards?|to date|until now)\b", re.I)
_OR_LATER = re.compile(
    r"\+|\s*(?:(?:and|or)\s+(?:later|after|newer|since|onwards?|beyond)\b(?!\s+(?:the|year|\d))|onwards?\b|"
    r"at\s+the\s+earliest\b|(?:-|–|to|until|till|through)\s*(?:now|present|the\s+present|date)\b)",
    re.I,
)
_OR_EARLIER = re.compile(
    r"\s*(?:(?:and|or)\s+(?:earlier|before|older)\b(?!\s+(?:the|year|\d))|at\s+the\s+latest\b)",
    re.I,
)
_BETWEEN = re.compile(r"\b(?:between|from)\s+(?:the\s+)?$", re.I)
_TO = re.compile(
    r"^\s*(?:-|–|—|\.\.|to|and|through|thru|(?:up\s+)?(?:until|till?)|up\s+to)\s*"
    r"(?:and\s+including\s+)?(?:the\s+)?$",
    re.I,
)
_SLASH = re.compile(r"^/$")


# Typed with other dashes, or more than one space between words.
_DASHES = str.maketrans("–—‑−", "----")
_SPACES = re.compile(r"\s+")
_SPACED = re.compile(r"\s\s|[^\S ]")
_ONE = re.compile(r"\s+|\S")
_NEAR = 48  # characters before a period that may open it


def _opened(pattern: re.Pattern[str], text: str, at: int) -> re.Match[str] | None:
    """The match that ends where a period begins, at ``at``."""
    return pattern.search(text, max(at - _NEAR, 0), at)


def date_spans(text: str, today: date, fiscal: FiscalYear | None = None) -> tuple[DateSpan, ...]:
    """Every date phrase in ``text`` with its range, in order, none overlapping another.

    Without ``fiscal`` fiscal years are left unread.
    """
    plain = text.translate(_DASHES)
    if plain == text and not _SPACED.search(text):
        return tuple(_spans(text, periods_in(text, today, fiscal)))
    places = [each.start() for each in _ONE.finditer(plain)]  # of each character in ``text``
    plain = _SPACES.sub(" ", plain)
    found = _spans(plain, periods_in(plain, today, fiscal))
    return tuple(_placed(span, text, places) for span in found)


def _placed(span: DateSpan, text: str, places: Sequence[int]) -> DateSpan:
    """The span where it stands in the text as it was typed."""
    start, end = places[span.start], places[span.end - 1] + 1
    return replace(span, start=start, end=end, text=text[start:end])


def _spans(text: str, found: Sequence[Period]) -> Iterator[DateSpan]:
    periods = listed(text, found)
    at = 0
    while at < len(periods):
        here = periods[at]
        follows = periods[at + 1] if at + 1 < len(periods) else None
        if follows and _is_joined(text, here, follows):
            span = _between(text, here, follows)
            at += 2
        else:
            span = _open_ended(text, here, periods[at - 1].end if at else 0)
            at += 1
        if span:
            yield span


def _is_joined(text: str, first: Period, last: Period) -> bool:
    joint = text[first.end : last.start]
    if _SLASH.match(joint):
        return first.is_day and last.is_day  # 2024-03-01/2024-03-31
    found = _TO.match(joint)
    if found is None:
        return False
    opened = _opened(_BETWEEN, text, first.start)
    if "and" in joint.lower().split():
        return bool(opened)
    # "revenue 2024 - 2023" is a comparison
    return bool(opened) or not (joint.strip() in ("-", "–", "—") and _is_reversed(first, last))


def _is_reversed(first: Period, last: Period) -> bool:
    told = not (first.unread or last.unread or first.yearless or last.yearless)
    return told and first.first > last.first


def _between(text: str, first: Period, last: Period) -> DateSpan | None:
    if first.unread or last.unread:
        return None
    opened = _opened(_BETWEEN, text, first.start)
    begin = opened.start() if opened else first.start
    if (first.yearless and not last.yearless) or (first.yearless and first.first > last.first):
        first = _no_later(first, last)
    elif last.yearless and not first.yearless:  # "December 2024 to March"
        last = next(
            (p for p in map(last.in_year, _years(first)) if p and p.after > first.first), last
        )
    start = first.after if first.edge == "end" else first.first
    after = last.first if last.edge == "start" else last.after
    if _opened(_AFTER, text, first.start):
        start = first.after
    if start > last.first and not (first.edge or last.edge):
        start, after = last.first, first.after
    if start >= after:
        return None
    return _span(text, start.isoformat(), after.isoformat(), begin, last.end)


def _years(period: Period) -> tuple[int, int]:
    return period.first.year, period.first.year + 1


def _no_later(first: Period, last: Period) -> Period:
    """The year is said once: "January to March 2025", "November to February"."""
    for year in (last.first.year, last.first.year - 1):
        moved = first.in_year(year)
        if moved and moved.first <= last.first:
            return moved
    return first


def _open_ended(text: str, period: Period, floor: int) -> DateSpan | None:
    """What the words around the period make of it; those before ``floor`` belong to another."""
    if period.unread:
        return None
    if period.edge:
        return _from_edge(text, period)
    first, after = period.first.isoformat(), period.after.isoformat()
    for pattern, start, end in (
        (_AT_LATEST, "", after),
        (_AT_EARLIEST, first, ""),
        (_BEFORE, "", first),
        (_SINCE, first, ""),
        (_AFTER, after, ""),
    ):
        opened = _opened(pattern, text, period.start)
        if opened and not (period.kind == "days" and pattern is _SINCE):
            if pattern is _BEFORE and re.match(r"until|till?|up", opened.group(), re.I):
                end = after if period.is_day else end
            others = _others(period, opened.group(), text[period.end :], start)
            return _span(text, start, end, opened.start(), period.end, others)
    if event := opened_by_event(text, period, floor):
        return _from_event(text, period, *event)
    for pattern, start, end in ((_OR_LATER, first, ""), (_OR_EARLIER, "", after)):
        if found := pattern.match(text, period.end):
            return _span(text, start, end, period.start, found.end())
    also = tuple(Range(a.isoformat(), b.isoformat()) for a, b in period.also)
    opened = _opened(_BY, text, period.start)
    if opened and period.kind in ("day", "holiday", "near"):  # "due by 14 March"
        return _span(text, "", after, opened.start(), period.end, (Range(first, after),))
    if _opened(_THROUGH, text, period.start):  # "sales through March": in it, or up to its end
        return _span(text, first, after, period.start, period.end, (Range("", after),))
    others = (_ahead(period),) if period.floating else also
    return _span(text, first, after, period.start, period.end, others)


def _from_event(text: str, period: Period, opened: re.Match[str], begins: bool) -> DateSpan:
    """``since the launch in May``; of what happened besides it may be that in May."""
    first, after = period.first.isoformat(), period.after.isoformat()
    start, end = (first, "") if begins else ("", first)
    return _span(text, start, end, opened.start(), period.end, (Range(first, after),))


def _from_edge(text: str, period: Period) -> DateSpan | None:
    """``since the start of 2024``; without such a word the start of a year may be any of it."""
    day = period.first if period.edge == "start" else period.after
    point, ahead = day.isoformat(), (day + relativedelta(years=1)).isoformat()
    for pattern in (_SINCE, _AFTER, _AT_EARLIEST):
        if opened := _opened(pattern, text, period.start):
            return _span(text, point, "", opened.start(), period.end)
    for pattern in (_BEFORE, _AT_LATEST, _BY, _THROUGH):
        if opened := _opened(pattern, text, period.start):
            others = (Range("", ahead),) if period.floating else ()
            return _span(text, "", point, opened.start(), period.end, others)
    return None


def _others(period: Period, opening: str, rest: str, start: str) -> tuple[Range, ...]:
    """What a phrase that opens a range may mean besides."""
    made: list[Range] = []
    if opening.lower().startswith("from") and not _ON.match(rest) and "incl" not in opening.lower():
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
