"""A period that a text names, and how phrases for periods are read."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date
from enum import Enum

from dateutil.relativedelta import relativedelta

from dbt_t2s.query.calendar import holiday

# What names no year is the latest that has begun, or follows from what it is joined to.
_RECURRING = frozenset(("day", "month", "quarter", "half"))


class Left(Enum):
    """Why a phrase gives no period."""

    UNREAD = "it may mean two things, or no day at all: nothing in it may be read as another one"


Days = tuple[date, date]
Reading = Days | Left | None  # None: it is no date, and its words may be read otherwise


@dataclass(frozen=True)
class Phrase:
    """A pattern for a kind of period and what a match means on some day.

    A text with none of ``needs`` (lower case) has no match: that is found out sooner.
    """

    pattern: re.Pattern[str]
    read: Callable[[re.Match[str], date], Reading]
    kind: str = ""
    needs: tuple[str, ...] = ()


def phrase(
    pattern: str,
    read: Callable[[re.Match[str], date], Reading],
    kind: str = "",
    needs: tuple[str, ...] = (),
) -> Phrase:
    return Phrase(re.compile(pattern, re.IGNORECASE), read, kind, needs)


def unread_phrase(pattern: str, needs: tuple[str, ...] = ()) -> Phrase:
    """A pattern for what is never read."""
    return phrase(pattern, lambda found, today: Left.UNREAD, "", needs)


@dataclass(frozen=True)
class Period:
    """The days from ``first`` up to ``after`` (excluded), named at ``start``:``end`` of a text.

    ``kind`` is what it is (``month``), ``yearless`` says that no year is named. ``edge`` is
    ``start`` or ``end`` where but that moment is meant; ``unread`` periods have no days that are
    known; ``needs_edge`` ones are none without one. ``also`` are other days that it may mean;
    ``relative`` ones are told from today ("last month"); ``name`` is a holiday's.
    """

    first: date
    after: date
    start: int
    end: int
    kind: str = ""
    yearless: bool = False
    edge: str = ""
    unread: bool = False
    needs_edge: bool = False
    also: tuple[Days, ...] = ()
    relative: bool = False
    name: str = ""

    @property
    def floating(self) -> bool:
        """Whether it comes every year and the text does not say which is meant."""
        return self.yearless and self.kind in _RECURRING

    @property
    def is_day(self) -> bool:
        return (self.after - self.first).days == 1

    def in_year(self, year: int) -> Period | None:
        """The same period of another year; None where that year has none (29 February)."""
        if self.kind == "holiday":
            first = holiday(self.name, year)
        elif self.kind == "week":
            try:
                first = date.fromisocalendar(year, self.first.isocalendar().week, 1)
            except ValueError:
                return None
        else:
            first = self.first + relativedelta(year=year)
            if (first.month, first.day) != (self.first.month, self.first.day):
                return None
        if self.kind in ("day", "week", "holiday"):
            after = first + (self.after - self.first)
        else:
            after = self.after + relativedelta(years=year - self.first.year)
        return replace(self, first=first, after=after, yearless=False)


def unread(start: int, end: int, kind: str = "") -> Period:
    """Words whose days are not known."""
    return Period(date.min, date.max, start, end, kind, unread=True)
