"""Query patterns: the shapes, joins, filters and groupings that the project's own SQL shows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from dbt_t2s import sql
from dbt_t2s.corpus.readings import Failure, Query, Reading, key_of, read
from dbt_t2s.project.known import known_of
from dbt_t2s.project.schema import Issue, Level, ProjectSchema
from dbt_t2s.project.statements import Trees

_INSTANCES = 2
_PLACES = 3

# (where it stands, its SQL)
Statement = tuple[str, str]


@dataclass(frozen=True)
class Pattern:
    """One shape of query and what it was used for.

    ``support`` counts the queries (scopes of statements) of this shape; the lists hold what any
    of them does: ``joins`` as ``a.x = b.y``, ``filters`` as ``a.x >= date`` (the last word is the
    type of the value), ``aggregations`` as ``SUM(a.x)``, ``groupings`` as ``a.x``, ``windows`` as
    SQL, ``dates`` as ``DATE_TRUNC month a.x``. ``conditions`` are those on flags and categories as
    SQL, ``join_paths`` the tables joined (``a → b``). ``sources`` are node ids, ``instances`` up
    to two queries as written. Patterns of one ``template`` do the same in general.
    """

    skeleton: str
    support: int
    tables: tuple[str, ...] = ()
    joins: tuple[str, ...] = ()
    filters: tuple[str, ...] = ()
    aggregations: tuple[str, ...] = ()
    groupings: tuple[str, ...] = ()
    instances: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    windows: tuple[str, ...] = ()
    dates: tuple[str, ...] = ()
    conditions: tuple[str, ...] = ()
    join_paths: tuple[str, ...] = ()
    template: str = ""


@dataclass(frozen=True)
class Template:
    """Patterns that do the same in general, such as one join path summed up by a category."""

    name: str
    support: int
    conditions: tuple[str, ...]
    instances: tuple[str, ...]


@dataclass(frozen=True)
class Reason:
    """A kind of trouble, and how many queries were left out for it."""

    text: str
    queries: int


@dataclass(frozen=True)
class Mined:
    """The patterns, and how much of the SQL they stand for.

    A scope is resolved when every column that its joins, filters, aggregations, groupings, windows,
    date arithmetic and conditions use was followed to a column of a relation, or to an expression
    on the way. A statement that cannot be parsed counts as one scope. Columns that are only shown
    need no source.
    """

    patterns: tuple[Pattern, ...]
    statements: int
    scopes: int
    resolved: int
    reasons: tuple[Reason, ...] = ()
    issues: tuple[Issue, ...] = ()
    readings: tuple[Reading, ...] = ()

    @property
    def share_resolved(self) -> float:
        return self.resolved / self.scopes if self.scopes else 1.0


def mine(schema: ProjectSchema) -> tuple[Pattern, ...]:
    """The patterns of the project's compiled SQL, the most used first."""
    return mining(schema).patterns


@sql.uncollected()
def mining(
    schema: ProjectSchema,
    log: Sequence[Statement] = (),
    remembered: Iterable[Reading] = (),
    trees: Trees | None = None,
) -> Mined:
    """``mine`` with its issues and the share of scopes that it could read.

    ``log`` holds statements from a query log, whose literals may be personal data: they are kept
    only beside columns that hold none. ``remembered`` are readings of an earlier run, of which
    those that still hold are used again; ``trees`` those of the schema's statements, if they were
    parsed just now; they are used up.
    """
    trees = trees or Trees()
    known = known_of(schema.tables, schema.relations, schema.dialect)
    readings = {each.key: each for each in remembered if each.holds(known)}
    used: dict[str, Reading] = {}
    placed: list[tuple[str, Reading]] = []
    own = ((where, code, False) for where, code in statements_of(schema))
    for where, code, masked in (*own, *((where, code, True) for where, code in log)):
        key = key_of(code, known.dialect, masked=masked)
        reading = used.get(key) or readings.get(key)
        tree = None if reading or masked else trees.take(code, known.dialect)
        used[key] = reading or read(code, known, tree, masked=masked)
        placed.append((where, used[key]))
    seen = [(where, query) for where, reading in placed for query in reading.queries]
    failed = [(where, failure) for where, reading in placed for failure in reading.failures]
    lost = sum(failure.scopes for _, failure in failed)
    return Mined(
        patterns=tuple(_grouped(seen)),
        statements=len(placed),
        scopes=len(seen) + lost,
        resolved=len(seen),
        reasons=_reasons(failure for _, failure in failed),
        issues=tuple(_issues(failed)),
        readings=tuple(used.values()),
    )


def statements_of(schema: ProjectSchema) -> Iterator[Statement]:
    """The project's statements and the SQL of its metrics, each under its node's id."""
    for node_id, _, code in schema.statements:
        yield node_id, code
    for metric in schema.metrics:
        for compiled in metric.compiled:
            yield metric.unique_id or f"metric.{metric.name}", compiled.sql


def templates(patterns: Sequence[Pattern]) -> tuple[Template, ...]:
    """What the patterns do in general, the most used first."""
    groups: dict[str, list[Pattern]] = {}
    for pattern in patterns:
        groups.setdefault(pattern.template, []).append(pattern)
    found = [
        Template(
            name=name,
            support=sum(each.support for each in group),
            conditions=_unique(one for each in group for one in each.conditions),
            instances=_unique(one for each in group for one in each.instances)[:_INSTANCES],
        )
        for name, group in groups.items()
    ]
    return tuple(sorted(found, key=lambda each: (-each.support, each.name)))


def _reasons(failures: Iterable[Failure]) -> tuple[Reason, ...]:
    counts = Counter(failure.reason for failure in failures)
    return tuple(Reason(text, count) for text, count in counts.most_common())


def _issues(failed: Sequence[tuple[str, Failure]]) -> Iterator[Issue]:
    """One issue for each message, with the first places it was met in."""
    places: dict[str, list[str]] = {}
    failures: dict[str, Failure] = {}
    for where, failure in failed:
        places.setdefault(failure.detail, []).append(where)
        failures.setdefault(failure.detail, failure)
    for detail, wheres in places.items():
        shown = list(dict.fromkeys(wheres))
        more = f" and {len(shown) - _PLACES:,} more" if len(shown) > _PLACES else ""
        times = f" ({len(wheres):,} times)" if len(wheres) > 1 else ""
        yield Issue(
            Level.INFO,
            ", ".join(shown[:_PLACES]) + more,
            f"a query of it is left out: {failures[detail].reason}: {detail}{times}",
            hint="" if failures[detail].scopes == 0 else _HINTS.get(failures[detail].reason, ""),
        )


_HINTS: Mapping[str, str] = {
    "an unqualified column": "write the table before the column, or `dbt docs generate` so that"
    " the tables' columns are known",
    "Jinja that was not compiled": "`dbt compile`",
}


def _unique(found: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(each for each in found if each))


def _grouped(seen: Sequence[tuple[str, Query]]) -> Iterator[Pattern]:
    groups: dict[str, list[tuple[str, Query]]] = {}
    for where, query in seen:
        groups.setdefault(query.skeleton, []).append((where, query))
    for skeleton, group in sorted(groups.items(), key=lambda pair: (-len(pair[1]), pair[0])):
        queries = [query for _, query in group]
        yield Pattern(
            skeleton=skeleton,
            support=len(group),
            tables=_unique(one for each in queries for one in each.tables),
            joins=_unique(one for each in queries for one in each.joins),
            filters=_unique(one for each in queries for one in each.filters),
            aggregations=_unique(one for each in queries for one in each.aggregations),
            groupings=_unique(one for each in queries for one in each.groupings),
            instances=_unique(each.instance for each in queries)[:_INSTANCES],
            sources=_unique(where for where, _ in group),
            windows=_unique(one for each in queries for one in each.windows),
            dates=_unique(one for each in queries for one in each.dates),
            conditions=_unique(one for each in queries for one in each.conditions),
            join_paths=_unique(each.join_path for each in queries),
            template=queries[0].template,
        )
