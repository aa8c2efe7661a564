"""Periods side by side of which one alone names the year: "Q1 and Q2 2024", "May 2023 vs 2024"."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

from dateutil.relativedelta import relativedelta

from dbt_t2s.query.period import Period, unread

_CONNECTED = (
    r"^\s*(?:,|,?\s*\b(?:and|or|than|vs\.?|versus|against|(?:compared|relative)\s+(?:to|with))\b\.?|"
    r"&|\+|/)\s*"
)
_AND = re.compile(_CONNECTED + r"(?:the\s+)?$", re.I)
_AND_IN = re.compile(_CONNECTED + r"(?:(?:in|for|during|of)\s+)?(?:the\s+)?$", re.I)
_APPOSED = re.compile(r"^,?\s*\(?(?:on\s+)?(?:the\s+)?$", re.I)
_TO = re.compile(r"^\s*(?:-|–|—|to|through|thru|until|till)\s*$", re.I)
_TOGETHER = re.compile(r"^\s*(?:,?\s*and|&|\+|/|,)\s*$", re.I)
_NAMED = frozenset(("month", "quarter", "half", "week", "day", "holiday"))
_SHARED = frozenset(("month", "quarter", "half", "week", "holiday"))


def listed(text: str, periods: Sequence[Period]) -> list[Period]:
    """The periods, each in the year that is meant; unread where that may be one of two."""
    told = _told_once(text, periods)
    fiscal = _fiscal_alike(text, told)
    return _alike_left(text, _shared_year(text, _year_shared(text, fiscal)))


def _joint(text: str, one: Period, two: Period, connected: re.Pattern[str] = _AND) -> str | None:
    joint = text[one.end : two.start]
    return joint if connected.match(joint) else None


def _told_once(text: str, periods: Sequence[Period]) -> list[Period]:
    """``Valentine's Day, 14 February 2025``: one day."""
    made = list(periods[:1])
    for two in periods[1:]:
        one = made[-1]
        if one.kind == "holiday" and one.yearless and two.is_day:
            moved = one.in_year(two.first.year)
            if moved and moved.first == two.first and _joint(text, one, two, _APPOSED):
                made[-1] = replace(two, start=one.start)
                continue
        made.append(two)
    return made


def _year_shared(text: str, periods: Sequence[Period]) -> list[Period]:
    """``Q1 of 2023 and 2024``: two first quarters."""
    made = list(periods[:1])
    for two in periods[1:]:
        one = made[-1]
        fits = one.kind in _SHARED and not one.yearless and not one.unread and not one.edge
        if fits and two.kind == "year" and not two.edge and _joint(text, one, two):
            moved = one.in_year(two.first.year)
            made.append(replace(moved or one, start=two.start, end=two.end))
        else:
            made.append(two)
    return made


def _shared_year(text: str, periods: Sequence[Period]) -> list[Period]:
    """``Q1, Q2 and Q3 2024``: all of 2024."""
    made = list(periods)
    for at in range(len(made) - 2, -1, -1):
        one, two = made[at], made[at + 1]
        alike = one.kind == two.kind and one.kind in _NAMED
        if not alike or not one.yearless or two.yearless or one.edge or two.edge:
            continue
        joint = _joint(text, one, two, _AND_IN)
        if joint is None:
            continue
        made[at : at + 2] = _in_one_year(one, two, joint)
    return made


def _in_one_year(one: Period, two: Period, joint: str) -> tuple[Period, Period]:
    moved = one.in_year(two.first.year)
    if moved is None or moved.first == two.first:
        return one, two  # "March vs March 2024"
    before, later = one.in_year(two.first.year - 1), one.in_year(two.first.year + 1)
    if later and later.first == two.after and joint.lower().lstrip(" ,").startswith("than"):
        return later, two  # "more in January than in December 2024"
    if moved.first > two.first and before and before.after == two.first and one.kind != "half":
        # "December and January 2025" pass a new year; "Q4 vs Q1 2024" may or may not.
        if _TOGETHER.match(joint):
            moved = before
        else:
            return unread(one.start, one.end), unread(two.start, two.end)
    if _TOGETHER.match(joint) and moved.after == two.first:
        both = ((moved.first, two.after),)
        return replace(moved, also=both), replace(two, also=both)
    return moved, two


def _fiscal_alike(text: str, periods: Sequence[Period]) -> list[Period]:
    """``Q1 FY24 vs FY25``: two first quarters; what of "Q1 vs Q2 FY24" names no year is unread."""
    made = list(periods)
    for at, (one, two) in enumerate(pairwise(periods)):
        joint = text[one.end : two.start]
        shared = one.kind == "fiscal part" and two.kind == "fiscal year" and not one.unread
        bare = two.kind == "fiscal part" and one.yearless and one.kind in ("quarter", "half")
        if shared and not two.unread and _AND.match(joint):
            months = (one.first.month - two.first.month) % 12
            first = two.first + relativedelta(months=months)
            after = first + relativedelta(one.after, one.first)
            made[at + 1] = replace(two, first=first, after=after)
        elif bare and (_AND_IN.match(joint) or _TO.match(joint)):
            made[at : at + 2] = (unread(each.start, each.end) for each in (one, two))
    return made


def _alike_left(text: str, periods: Sequence[Period]) -> list[Period]:
    """What is said in one breath with what is unread ("3/5/2024 and 2023") is unread, too."""
    made = list(periods)
    for at, (one, two) in enumerate(pairwise(periods)):
        if one.unread and two.kind == "year" and _joint(text, one, two):
            made[at + 1] = unread(two.start, two.end)
    return made
