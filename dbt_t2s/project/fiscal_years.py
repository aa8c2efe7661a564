"""When a project's fiscal years begin: as a setting, its meta or vars say, or its calendar shows.

``fiscal_year_start`` is the month (2, "February") in ``vars.t2s``, in a model's meta or among the
project's vars; ``fiscal_year_named: start`` beside it says that fiscal 2024 begins in 2024, else it
ends in it. A time spine with a custom granularity ``fiscal_year``, or any table with a row a day
and such a column, shows both.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from dateutil.relativedelta import relativedelta

from dbt_t2s import sql
from dbt_t2s.duck import Execute, QueryError
from dbt_t2s.project import meta
from dbt_t2s.project.artifacts import Artifacts, items, section, text
from dbt_t2s.project.identifiers import words
from dbt_t2s.project.schema import FiscalYear, Issue, Kind, Level, Table
from dbt_t2s.project.tables import time_spines

START, NAMED = "fiscal_year_start", "fiscal_year_named"
HINT = f"set {START} (and {NAMED}: start, where it is named so) in vars.t2s"
_YEAR = re.compile(r"(?:19|20)\d\d")
_SHORT = re.compile(r"\bfy\s*'?(\d\d)\b", re.IGNORECASE)
_OTHER_PARTS = frozenset("week quarter month period day start end begin name label".split())


@dataclass(frozen=True)
class _Calendar:
    """A relation with a row a day and the columns of that day and of its fiscal year."""

    unique_id: str
    relation: str
    day: str
    year: str


def find(
    read: Artifacts,
    tables: Sequence[Table],
    variables: Mapping[str, Any],
    dialect: str,
    execute: Execute | None,
) -> tuple[FiscalYear | None, tuple[Issue, ...]]:
    """What the project says, or else what its calendars show; None where neither is told."""
    issues: list[Issue] = []
    said = {found for found in _said(read, variables, issues) if found}
    known = {(each.month, each.named) for each in said}
    if len(known) > 1:
        places = ", ".join(sorted(each.evidence for each in said))
        issues.append(
            Issue(Level.WARNING, places, "fiscal years begin in more than one month", HINT)
        )
        return None, tuple(issues)
    if said:
        return min(said, key=lambda each: each.evidence), tuple(issues)
    for calendar in _calendars(read, tables, dialect):
        found = _shown(calendar, dialect, execute)
        if isinstance(found, FiscalYear):
            return found, tuple(issues)
        issues.append(Issue(Level.INFO, calendar.unique_id, found, HINT))
    return None, tuple(issues)


def _said(
    read: Artifacts, variables: Mapping[str, Any], issues: list[Issue]
) -> Iterator[FiscalYear | None]:
    yield _read(variables, "vars in dbt_project.yml", issues)
    for node in read.nodes("model", "seed", "snapshot"):
        told = {**meta.merged(node), **meta.own(node)}
        yield _read(told, text(node, "unique_id"), issues)


def _read(told: Mapping[str, Any], where: str, issues: list[Issue]) -> FiscalYear | None:
    if told.get(START) is None:
        return None
    named = str(told.get(NAMED) or meta.YEAR_NAMED[0]).lower()
    try:
        if named not in meta.YEAR_NAMED:
            raise ValueError(f"has a {NAMED} that is neither end nor start")
        return FiscalYear(meta.month_of(told[START]), named, where)
    except ValueError as error:
        message = f"{START} {error}"
        issues.append(Issue(Level.WARNING, where, message, f"write {START}: 2 for February"))
        return None


def _calendars(read: Artifacts, tables: Sequence[Table], dialect: str) -> Iterator[_Calendar]:
    """The time spines that have fiscal years, then tables with a unique day and such a column."""
    for node in time_spines(read):
        spine = section(node, "time_spine")
        day = text(spine, "standard_granularity_column")
        named = [
            text(each, "column_name") or text(each, "name")
            for each in items(spine, "custom_granularities")
            if isinstance(each, Mapping)
        ]
        years = [name for name in (*named, *section(node, "columns")) if _is_fiscal_year(name)]
        relation = _relation(text(node, "relation_name"), dialect)
        if day and years and relation:
            yield _Calendar(text(node, "unique_id"), relation, day, years[0])
    for table in tables:
        years = [column.name for column in table.columns if _is_fiscal_year(column.name)]
        dates = (c for c in table.columns if c.kind in (Kind.DATE, Kind.TIMESTAMP))
        days = [c.name for c in dates if c.unique or table.primary_key == (c.name,)]
        if years and days:
            yield _Calendar(table.unique_id, table.relation, days[0], years[0])


def _relation(written: str, dialect: str) -> str:
    try:
        return sql.relation(written, dialect)
    except sql.SqlError:
        return ""


def _is_fiscal_year(name: str) -> bool:
    said = set(words(name))
    whole = {"fiscal", "year"} <= said or bool(said & {"fy", "fiscalyear"})
    return whole and not said & _OTHER_PARTS


def _shown(calendar: _Calendar, dialect: str, execute: Execute | None) -> FiscalYear | str:
    """What the calendar's rows show, or why they show nothing."""
    if execute is None:
        return "it has fiscal years, but the data that says when they begin was not looked at"
    year, day = (sql.quote(name, dialect) for name in (calendar.year, calendar.day))
    found = execute(
        f"select {year} as fiscal_year, min({day}) as first_day, max({day}) as last_day"
        f" from {calendar.relation} where {year} is not null group by {year} order by 2"
    )
    if isinstance(found, QueryError):
        return f"its fiscal years cannot be read: {' '.join(found.message.split())[:160]}"
    whole = [
        (label, first)
        for label, first, last in ((r[0], _day(r[1]), _day(r[2])) for r in found.rows)
        if first and last and last + timedelta(days=1) == first + relativedelta(years=1)
    ]
    months = {first.month for _, first in whole}
    if len(months) != 1 or any(first.day != 1 for _, first in whole):
        return "its fiscal years do not all begin on the first of one month: they are left unread"
    apart = {number - first.year for label, first in whole if (number := _number(label))}
    if months == {1} or not apart:
        return FiscalYear(months.pop(), meta.YEAR_NAMED[0], calendar.unique_id)
    if apart not in ({0}, {1}):
        return "its fiscal years are named neither for the year they begin in nor for the next"
    return FiscalYear(
        months.pop(), meta.YEAR_NAMED[0] if apart == {1} else meta.YEAR_NAMED[1], calendar.unique_id
    )


def _day(value: object) -> date | None:
    try:
        return date.fromisoformat(str(value)[:10])
    except ValueError:
        return None


def _number(label: object) -> int | None:
    """The year that a label such as 2024, ``FY24`` or ``FY2024`` names; None for a date."""
    written = str(label)
    if _day(label):
        return None
    if found := _YEAR.search(written):
        return int(found.group())
    short = _SHORT.search(written)
    return 2000 + int(short.group(1)) if short else None
