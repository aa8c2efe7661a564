"""What the data itself says of a table: counts, ranges and frequent values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from dbt_t2s import sql
from dbt_t2s.duck import Execute, QueryError
from dbt_t2s.project.schema import Issue, Kind, Level

# Text columns with at most this many values are listed whole; those with more, up to the second
# limit, by their most frequent ones: names of products or cities, which questions mention.
CATEGORY_LIMIT = 60
NAMES_LIMIT = 2000
NAMES_KEPT = 30

# Longer on average is prose, not names; longer values are never kept.
PROSE_LENGTH = 40
LONGEST_VALUE = 100


@dataclass(frozen=True)
class ColumnProfile:
    """``filled`` counts the rows that are not NULL."""

    name: str
    filled: int
    distinct: int | None = None
    minimum: str | None = None
    maximum: str | None = None
    values: tuple[str, ...] = ()
    values_complete: bool = False


@dataclass(frozen=True)
class Profile:
    """``rows`` is None when the data was not looked at."""

    rows: int | None = None
    columns: tuple[ColumnProfile, ...] = ()

    def column(self, name: str) -> ColumnProfile | None:
        return next((each for each in self.columns if each.name == name), None)

    def null_share(self, name: str) -> float | None:
        found = self.column(name)
        if found is None or not self.rows:
            return None
        return round(1 - found.filled / self.rows, 6)


@dataclass(frozen=True)
class Wanted:
    """A column to look at; of a ``private`` one only counts are taken, of a ``key`` no values."""

    name: str
    kind: Kind
    private: bool = False
    key: bool = False


def look(
    relation: str, wanted: Sequence[Wanted], execute: Execute, where: str, dialect: str
) -> tuple[Profile, tuple[Issue, ...]]:
    """One query for all counts and ranges, then one for each column whose values help."""
    parts = ["count(*)"]
    places: list[Mapping[str, int]] = []
    for each in wanted:
        places.append(_add_measures(parts, each, sql.quote(each.name, dialect)))
    found = execute(f"select {', '.join(parts)} from {relation}")
    if isinstance(found, QueryError):
        issue = Issue(Level.WARNING, where, f"its data cannot be read: {found.message}")
        return Profile(), (issue,)
    row = found.rows[0]
    profiles: list[ColumnProfile] = []
    issues: list[Issue] = []
    for each, place in zip(wanted, places, strict=True):
        got = {name: row[index] for name, index in place.items()}
        profile, issue_found = _column(relation, each, got, execute, where, dialect)
        profiles.append(profile)
        issues += issue_found
    return Profile(_whole(row[0]), tuple(profiles)), tuple(issues)


def _add_measures(parts: list[str], wanted: Wanted, column: str) -> dict[str, int]:
    """Add the column's aggregates to the query's list; say where each one is."""
    measures = {"filled": f"count({column})"}
    if wanted.kind is not Kind.OTHER:
        measures["distinct"] = f"count(distinct {column})"
    ranged = wanted.kind in (Kind.NUMBER, Kind.DATE, Kind.TIMESTAMP)
    if ranged and not wanted.private:
        measures["minimum"] = f"cast(min({column}) as varchar)"
        measures["maximum"] = f"cast(max({column}) as varchar)"
    if wanted.kind is Kind.TEXT:
        measures["length"] = f"avg(length(cast({column} as varchar)))"
    places = {}
    for name, expression in measures.items():
        places[name] = len(parts)
        parts.append(expression)
    return places


def _column(
    relation: str,
    wanted: Wanted,
    got: Mapping[str, object],
    execute: Execute,
    where: str,
    dialect: str,
) -> tuple[ColumnProfile, tuple[Issue, ...]]:
    distinct = _whole(got["distinct"]) if "distinct" in got else None
    values: tuple[str, ...] = ()
    complete = False
    issues: tuple[Issue, ...] = ()
    length = got.get("length")
    prose = isinstance(length, int | float) and float(length) > PROSE_LENGTH
    names = wanted.kind is Kind.TEXT and not wanted.private and not wanted.key and not prose
    if names and distinct and distinct <= NAMES_LIMIT:
        limit = distinct if distinct <= CATEGORY_LIMIT else NAMES_KEPT
        values, issues = _frequent(relation, wanted.name, limit, execute, where, dialect)
        complete = len(values) == distinct
    profile = ColumnProfile(
        name=wanted.name,
        filled=_whole(got["filled"]),
        distinct=distinct,
        minimum=_shown(got.get("minimum")),
        maximum=_shown(got.get("maximum")),
        values=values,
        values_complete=complete,
    )
    return profile, issues


def _frequent(
    relation: str, name: str, limit: int, execute: Execute, where: str, dialect: str
) -> tuple[tuple[str, ...], tuple[Issue, ...]]:
    column = sql.quote(name, dialect)
    found = execute(
        f"select cast({column} as varchar) as value, count(*) as rows_with_it from {relation}"
        f" where {column} is not null group by 1 order by 2 desc, 1 limit {limit}"
    )
    if isinstance(found, QueryError):
        message = f"its values cannot be read: {found.message}"
        return (), (Issue(Level.WARNING, f"{where}.{name}", message),)
    shown = (str(row[0]) for row in found.rows)
    return tuple(each for each in shown if len(each) <= LONGEST_VALUE), ()


def _whole(value: object) -> int:
    return int(str(value)) if value is not None else 0


def _shown(value: object) -> str | None:
    return None if value is None else str(value)
