"""What the data itself says of a table: counts, ranges, frequent values and their shapes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from dbt_t2s import sql
from dbt_t2s.duck import Execute, QueryError
from dbt_t2s.project import formats
from dbt_t2s.project.schema import Issue, Kind, Level

# Text columns with at most this many values are listed whole; those with more, up to the second
# limit, by their most frequent ones: names of products or cities, which questions mention.
CATEGORY_LIMIT = 60
NAMES_LIMIT = 2000
NAMES_KEPT = 30

# Longer on average is prose, not names; longer values are never kept.
PROSE_LENGTH = 40
LONGEST_VALUE = 100

# So many values show their column's format; so many rows come back from one query at most.
SHAPED = 120
QUERY_ROWS = 900

# Counting the distinct values of 281 columns at once takes a warehouse more than a gigabyte.
QUERY_COLUMNS = 50

# Tables with more rows are looked at through a sample of this size.
PROFILE_ROWS = 1_000_000


@dataclass(frozen=True)
class ColumnProfile:
    """``filled`` counts the rows looked at that are not NULL."""

    name: str
    filled: int
    distinct: int | None = None
    minimum: str | None = None
    maximum: str | None = None
    values: tuple[str, ...] = ()
    values_complete: bool = False
    format: str = ""


@dataclass(frozen=True)
class Profile:
    """``rows`` is None when the data was not looked at; ``seen`` is how many rows were.

    Where ``seen`` is less than ``rows`` all but ``rows`` holds for a sample.
    """

    rows: int | None = None
    columns: tuple[ColumnProfile, ...] = ()
    seen: int | None = None

    @property
    def sampled(self) -> bool:
        return self.seen != self.rows

    def column(self, name: str) -> ColumnProfile | None:
        return next((each for each in self.columns if each.name == name), None)

    def null_share(self, name: str) -> float | None:
        found = self.column(name)
        if found is None or not self.seen:
            return None
        return round(1 - found.filled / self.seen, 6)

    def distinct(self, name: str) -> int | None:
        """How many different values the whole column has; None where a sample cannot tell."""
        found = self.column(name)
        if found is None or found.distinct is None:
            return None
        return None if self.sampled and found.distinct > CATEGORY_LIMIT else found.distinct


@dataclass(frozen=True)
class Wanted:
    """A column to look at; of a ``private`` one only counts are taken, of a ``key`` no values."""

    name: str
    kind: Kind
    private: bool = False
    key: bool = False


@dataclass(frozen=True)
class _Listing:
    """One part of the second query: a column's values (or their shapes) with their counts."""

    name: str
    shapes: bool
    limit: int


def look(
    relation: str,
    wanted: Sequence[Wanted],
    execute: Execute,
    where: str,
    dialect: str,
    profile_rows: int = PROFILE_ROWS,
) -> tuple[Profile, tuple[Issue, ...]]:
    """How many rows there are, then one query for counts and ranges and one for values.

    Of more than ``profile_rows`` rows only a sample is looked at, which an issue says.
    """
    counted = execute(f"select count(*) from {relation}")
    if isinstance(counted, QueryError):
        return Profile(), (unread(where, counted.message),)
    rows = _whole(counted.rows[0][0])
    issues: list[Issue] = []
    source = relation
    if rows > profile_rows:
        source = _sample(relation, profile_rows, dialect)
        issues.append(sampled(where, rows, profile_rows))
    counts: list[Mapping[str, object]] = []
    for start in range(0, len(wanted), QUERY_COLUMNS):
        some = _count(source, wanted[start : start + QUERY_COLUMNS], execute, dialect)
        if isinstance(some, QueryError):
            return Profile(rows, seen=rows), (*issues, unread(where, some.message))
        counts += some
    listings = [
        each for want, got in zip(wanted, counts, strict=True) for each in _listings(want, got)
    ]
    listed, more = _list(source, listings, execute, where, dialect)
    columns = tuple(
        _column(want, got, listed, rows > profile_rows)
        for want, got in zip(wanted, counts, strict=True)
    )
    return Profile(rows, columns, min(rows, profile_rows)), (*issues, *more)


def unread(where: str, why: str) -> Issue:
    """That a table could not be looked at."""
    return Issue(Level.WARNING, where, f"its data cannot be read: {why}")


def sampled(where: str, rows: int, seen: int) -> Issue:
    """That what is said of a table is true of some of its rows."""
    message = f"has {rows:,} rows; ranges, shares and values are of {seen:,} of them"
    return Issue(Level.INFO, where, message, "raise profile_rows to look at more")


def _sample(relation: str, rows: int, dialect: str) -> str:
    """Some rows of a big table; at random where that can be repeated, else the first ones."""
    if dialect == "duckdb":
        # Filters come before the sample in DuckDB, so the sample is a table of its own.
        return f"(select * from {relation} using sample reservoir({rows} rows) repeatable (0)) as s"
    return f"(select * from {relation} limit {rows}) as s"


def _count(
    source: str, wanted: Sequence[Wanted], execute: Execute, dialect: str
) -> list[Mapping[str, object]] | QueryError:
    """Each column's aggregates by their name."""
    parts: list[str] = []
    places = [_add_measures(parts, each, sql.quote(each.name, dialect)) for each in wanted]
    found = execute(f"select {', '.join(parts)} from {source}")
    if isinstance(found, QueryError):
        return found
    return [{name: found.rows[0][at] for name, at in place.items()} for place in places]


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


def _listings(wanted: Wanted, got: Mapping[str, object]) -> Iterator[_Listing]:
    """What to list of a text column: nothing of a private one, no values of keys and prose."""
    distinct = _whole(got.get("distinct"))
    if wanted.kind is not Kind.TEXT or wanted.private or not distinct:
        return
    length = got.get("length")
    prose = isinstance(length, int | float) and float(length) > PROSE_LENGTH
    if not prose and not wanted.key and distinct <= NAMES_LIMIT:
        limit = distinct if distinct <= CATEGORY_LIMIT else NAMES_KEPT
        yield _Listing(wanted.name, False, limit)
    if not prose:
        yield _Listing(wanted.name, True, SHAPED)


Listed = Mapping[_Listing, tuple[tuple[str, int], ...]]


def _list(
    source: str, listings: Sequence[_Listing], execute: Execute, where: str, dialect: str
) -> tuple[Listed, tuple[Issue, ...]]:
    """The values and shapes of all columns, in as few queries as the row limit allows."""
    found: dict[_Listing, tuple[tuple[str, int], ...]] = {}
    issues: list[Issue] = []
    pending = list(_batches(listings))
    while pending:
        batch = pending.pop(0)
        rows = execute(_union(source, batch, dialect))
        if not isinstance(rows, QueryError):
            for place, each in enumerate(batch):
                mine = (row for row in rows.rows if _whole(row[0]) == place)
                found[each] = tuple((str(row[1]), _whole(row[2])) for row in mine)
        elif len(batch) > 1:
            pending = [[each] for each in batch] + pending  # one of them is to blame
        else:
            message = f"its values cannot be read: {rows.message}"
            issues.append(Issue(Level.WARNING, f"{where}.{batch[0].name}", message))
    return found, tuple(issues)


def _batches(listings: Sequence[_Listing]) -> Iterator[list[_Listing]]:
    batch: list[_Listing] = []
    for each in listings:
        if batch and sum(one.limit for one in batch) + each.limit > QUERY_ROWS:
            yield batch
            batch = []
        batch.append(each)
    if batch:
        yield batch


def _union(source: str, batch: Sequence[_Listing], dialect: str) -> str:
    """Rows (place in the batch, value, count), the most frequent first."""
    parts = []
    for place, each in enumerate(batch):
        column = sql.quote(each.name, dialect)
        if each.shapes:
            some = f"select {formats.shape_sql(column)} as v from {source}"
            some += f" where {column} is not null limit {each.limit}"
            counted = f"select v, count(*) as n from ({some}) as t group by v"
        else:
            counted = f"select cast({column} as varchar) as v, count(*) as n from {source}"
            counted += f" where {column} is not null group by 1 order by 2 desc, 1"
            counted += f" limit {each.limit}"
        parts.append(f"select {place} as place, v, n from ({counted}) as c")
    return " union all ".join(parts) + " order by 1, 3 desc, 2"


def _column(
    wanted: Wanted, got: Mapping[str, object], listed: Listed, sampled: bool
) -> ColumnProfile:
    distinct = _whole(got["distinct"]) if "distinct" in got else None
    profile = ColumnProfile(
        name=wanted.name,
        filled=_whole(got["filled"]),
        distinct=distinct,
        minimum=_shown(got.get("minimum")),
        maximum=_shown(got.get("maximum")),
    )
    for each in _listings(wanted, got):
        rows = listed.get(each, ())
        if each.shapes:
            profile = replace(profile, format=formats.common(dict(rows)))
        else:
            values = tuple(value for value, _ in rows if len(value) <= LONGEST_VALUE)
            complete = len(values) == distinct and not sampled
            profile = replace(profile, values=values, values_complete=complete)
    return profile


def _whole(value: object) -> int:
    return int(str(value)) if value is not None else 0


def _shown(value: object) -> str | None:
    return None if value is None else str(value)
