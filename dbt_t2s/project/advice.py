"""What is missing and would help most, ranked by how much is asked of it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from dbt_t2s.project import privacy
from dbt_t2s.project.schema import Column, Metric, ProjectSchema, Role, Table

SHOWN = 12

_NAMED_SHOWN = 5
_WORD = re.compile(r"\w+")

# How much a gap weighs against others that are asked for as often.
_RISK, _NO_KEY, _CLASH, _UNPROVEN, _NO_DOCS, _NO_MEANING = 8.0, 4.0, 3.0, 2.0, 1.0, 0.5


@dataclass(frozen=True)
class Advice:
    """One thing to write down: ``what`` is missing, ``where`` (path), what to do ``next``.

    ``weight`` grows with the queries, metrics, saved queries and exposures that use what it is
    about.
    """

    what: str
    where: str
    next: str
    weight: float


class _Uses:
    """How many statements of the project name a thing, and the metrics and exposures that read it.

    An exposure says which tables it reads, not which columns: it speaks for each of them.
    """

    def __init__(self, schema: ProjectSchema) -> None:
        words = [frozenset(_WORD.findall(sql.lower())) for _, _, sql in schema.statements]
        self._statements: Counter[str] = Counter()
        self._columns: Counter[tuple[str, str]] = Counter()
        for table in schema.tables:
            named = table.relation.replace('"', "").rpartition(".")[2].lower()
            readers = [each for each in words if named in each]
            self._statements[table.name] = len(readers)
            for column in table.columns:
                lower = column.name.lower()
                self._columns[table.name, column.name] = sum(lower in each for each in readers)
        self._exposures = Counter(name for each in schema.exposures for name in each.tables)
        for metric in schema.metrics:
            for name in metric.tables:
                self._statements[name] += 1
            for table_name, column_name in metric.dimensions:
                self._columns[table_name, column_name] += 1
            if metric.measure is not None:
                for word in set(_WORD.findall(metric.measure.expression)):
                    self._columns[metric.measure.table, word] += 1

    def table(self, table: Table) -> int:
        return 1 + self._statements[table.name] + self._exposures[table.name]

    def column(self, table: Table, column: Column) -> int:
        return 1 + self._columns[table.name, column.name] + self._exposures[table.name]


def advise(schema: ProjectSchema, limit: int = SHOWN) -> tuple[Advice, ...]:
    """At most ``limit`` pieces of advice, the most helpful first."""
    uses = _Uses(schema)
    found = [
        *_unmarked(schema, uses),
        *_no_key(schema, uses),
        *_clashes(schema, uses),
        *_unproven(schema, uses),
        *_undocumented(schema, uses),
        *_meaningless(schema, uses),
    ]
    return tuple(sorted(found, key=lambda each: (-each.weight, each.where, each.what))[:limit])


def _unmarked(schema: ProjectSchema, uses: _Uses) -> Iterator[Advice]:
    for table in schema.tables:
        names = [column for column in table.columns if privacy.may_be_personal(column)]
        if names:
            what = f"{table.name}: {_names(names)} may be personal data and is not marked"
            weight = _RISK * max(uses.column(table, each) for each in names)
            yield Advice(what, table.path, "tag it `pii`, or say `personal: false`", weight)


def _no_key(schema: ProjectSchema, uses: _Uses) -> Iterator[Advice]:
    for table in schema.tables:
        if not table.primary_key:
            what = f"{table.name} has no proven key"
            yield Advice(
                what, table.path, "add unique and not_null tests", _NO_KEY * uses.table(table)
            )


def _clashes(schema: ProjectSchema, uses: _Uses) -> Iterator[Advice]:
    """Metrics that share a name with a column that they are not made of, or with each other."""
    columns: dict[str, list[tuple[Table, Column]]] = {}
    for table in schema.tables:
        for column in table.columns:
            columns.setdefault(_said(column.label or column.name), []).append((table, column))
    labels: dict[str, list[Metric]] = {}
    for metric in schema.metrics:
        names = {_said(metric.label or metric.name), _said(metric.name)}
        for name in sorted(names):
            labels.setdefault(name, []).append(metric)
        meant = [place for name in sorted(names) for place in columns.get(name, ())]
        apart = [(table, column) for table, column in meant if not _sums(metric, table, column)]
        if apart:
            shown = ", ".join(
                dict.fromkeys(f"{table.name}.{column.name}" for table, column in apart)
            )
            weight = _CLASH * max(uses.column(table, column) for table, column in apart)
            what = f"metric {metric.name} shares its name with {shown}"
            yield Advice(what, apart[0][0].path, "give one of them a label of its own", weight)
    for name, sharing in labels.items():
        if len(sharing) > 1:
            shown = ", ".join(each.name for each in sharing)
            what = f"{len(sharing)} metrics are called “{name}”: {shown}"
            yield Advice(what, sharing[0].unique_id, "give each a label of its own", 2 * _CLASH)


def _sums(metric: Metric, table: Table, column: Column) -> bool:
    """Whether a metric just adds up the column that it shares its name with."""
    measure = metric.measure
    return measure is not None and (measure.table, measure.expression) == (table.name, column.name)


def _unproven(schema: ProjectSchema, uses: _Uses) -> Iterator[Advice]:
    paths = {table.name: table for table in schema.tables}
    for join in schema.joins:
        if not join.proven and join.table in paths:
            table = paths[join.table]
            what = f"{table.name}.{', '.join(join.columns)} seems to point at {join.to_table}"
            weight = _UNPROVEN * max(1 + join.support, uses.table(table))
            yield Advice(what, table.path, "add a relationships test", weight)


def _undocumented(schema: ProjectSchema, uses: _Uses) -> Iterator[Advice]:
    for table in schema.tables:
        bare = [column for column in table.columns if not column.description]
        if not table.description:
            weight = 2 * _NO_DOCS * uses.table(table)
            yield Advice(f"{table.name} has no description", table.path, "describe it", weight)
        if bare:
            bare.sort(key=lambda each: -uses.column(table, each))
            what = (
                f"{table.name}: {_count(len(bare), 'column')} without description: {_names(bare)}"
            )
            weight = _NO_DOCS * sum(uses.column(table, each) for each in bare)
            yield Advice(what, table.path, "describe them, the most used first", weight)


def _meaningless(schema: ProjectSchema, uses: _Uses) -> Iterator[Advice]:
    """Categories of cryptic values that nothing explains."""
    for table in schema.tables:
        bare = [
            column
            for column in table.columns
            if column.role is Role.CATEGORY
            and column.values
            and not column.description
            and all(len(value) <= 3 for value in column.values)
        ]
        if bare:
            what = f"{table.name}: nothing says what the values of {_names(bare)} mean"
            weight = _NO_MEANING * sum(uses.column(table, each) for each in bare)
            yield Advice(what, table.path, "add accepted_values and say what each means", weight)


def _said(name: str) -> str:
    return " ".join(_WORD.findall(name.lower().replace("_", " ")))


def _names(columns: Sequence[Column]) -> str:
    shown = [each.name for each in columns[:_NAMED_SHOWN]]
    more = len(columns) - len(shown)
    return ", ".join(shown) + (f" and {more} more" if more else "")


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def lines(found: Iterable[Advice]) -> tuple[str, ...]:
    """Each as one line: what, where, the next thing to do."""
    return tuple(f"{each.what} ({each.where}): {each.next}" for each in found)
