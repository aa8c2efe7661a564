"""Measures lowered to atoms: plain aggregates over one table each, and arithmetic over them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property

from dbt_t2s import sql
from dbt_t2s.errors import QueryPlanError
from dbt_t2s.project.schema import Kind, Metric, MetricFilter, ProjectSchema
from dbt_t2s.query.aliases import row_alias
from dbt_t2s.query.expressions import mark_columns
from dbt_t2s.query.plan import (
    ARITHMETIC,
    MINUS,
    Agg,
    Arithmetic,
    AvgEach,
    Col,
    Count,
    Diff,
    Measure,
    MetricRef,
    Only,
    Product,
    Rate,
    Rolling,
    Wrapped,
)
from dbt_t2s.query.scope import column, columns_in, tables_in

_SLOT = re.compile(r"\{(\d+)\}")
_FUNCTIONS = {
    "sum": "sum({})",
    "avg": "avg({})",
    "min": "min({})",
    "max": "max({})",
    "median": "median({})",
    "count": "count({})",
    "count_distinct": "count(distinct {})",
}
_ADDING = frozenset(("sum", "count", "count_distinct"))
_MEASURE_FUNCTIONS = {"average": "avg", "sum_boolean": "sum"}


@dataclass(frozen=True)
class Atom:
    """``function(argument)`` over ``root`` under ``filters``; SQL fragments are marked.

    ``implied`` are the conditions of rules that always hold; one gives way where the question
    itself says something about its column ("cancelled orders").
    """

    root: str
    function: str
    argument: str
    name: str
    filters: tuple[str, ...] = ()
    time: Col | None = None
    implied: tuple[str, ...] = ()

    def under(self, conditions: Iterable[str]) -> Atom:
        """The atom with the implied conditions that none of ``conditions`` speaks about."""
        said = frozenset(c for condition in conditions for c in columns_in(condition))
        kept = (i for i in self.implied if not said & columns_in(i))
        return replace(self, filters=tuple(dict.fromkeys((*self.filters, *kept))), implied=())

    def sql(self, hoisted: frozenset[str] = frozenset()) -> str:
        """The aggregate, with those of its filters that no WHERE already applies as a CASE."""
        left = [f for f in self.filters if f not in hoisted]
        if not left:
            return _FUNCTIONS[self.function].format(self.argument)
        kept = "1" if self.argument == "*" else self.argument
        case = f"case when {' and '.join(_bracketed(f) for f in left)} then {kept} end"
        return _FUNCTIONS[self.function].format(case)


@dataclass(frozen=True)
class Lowered:
    """A measure as SQL over its atoms: ``{0} / nullif({1}, 0)``."""

    template: str
    atoms: tuple[Atom, ...]
    name: str

    @property
    def adds_up(self) -> bool:
        """Whether the values of groups add up to that of all: no quotient, average or extreme."""
        return "/" not in self.template and {a.function for a in self.atoms} <= _ADDING

    def fill(self, parts: tuple[str, ...]) -> str:
        return _SLOT.sub(lambda found: parts[int(found.group(1))], self.template)


def operand(template: str) -> str:
    """``template`` so that another operator may stand before or behind it."""
    return template if re.fullmatch(r"\{\d+\}|\([^()]*\)", template) else f"({template})"


def _bracketed(predicate: str) -> str:
    return f"({predicate})" if re.search(r"\bor\b", predicate, re.IGNORECASE) else predicate


def _merge(first: Lowered, second: Lowered, template: str, name: str) -> Lowered:
    """``template`` holds the two sides as ``<0>`` and ``<1>``."""
    shifted = _shift(second.template, len(first.atoms))
    merged = template.replace("<0>", first.template).replace("<1>", shifted)
    return Lowered(merged, first.atoms + second.atoms, name)


def _shift(template: str, offset: int) -> str:
    return _SLOT.sub(lambda found: f"{{{int(found.group(1)) + offset}}}", template)


class Measures:
    """Lowers measures over one schema."""

    def __init__(self, schema: ProjectSchema) -> None:
        self._dialect = schema.dialect
        self._tables = {table.name: table for table in schema.tables}
        self._metrics = {metric.name: metric for metric in schema.metrics}
        self._always: dict[str, tuple[str, ...]] = {}
        for rule in schema.askable_rules:
            if rule.always:
                parts = sql.conjuncts(rule.predicate, self._dialect)
                conditions = [self.condition(part, rule.table) for part in parts]
                known = self._always.get(rule.table, ())
                self._always[rule.table] = tuple(dict.fromkeys((*known, *conditions)))
        self._lowered: dict[str, Lowered] = {}

    def condition(self, predicate: str, table: str) -> str:
        """A bare predicate over one table, in DuckDB's SQL with its columns marked."""
        return mark_columns(predicate, self._dialect, table)

    def metric(self, name: str) -> Metric:
        if name not in self._metrics:
            raise QueryPlanError(f"no metric is called {name!r}")
        return self._metrics[name]

    def usable(self, name: str) -> bool:
        """Whether the metric can be written as plain SQL (others have MetricFlow's alone)."""
        metric = self.metric(name)
        if metric.measure:
            return True
        return bool(metric.expression) and all(self.usable(i.metric) for i in metric.inputs)

    def time_column(self, table: str) -> Col | None:
        found = self._tables.get(table)
        return Col(table, found.time_column) if found and found.time_column else None

    def lower(self, measure: Measure) -> Lowered:
        match measure:
            case Count(table):
                return self._single(table, "count", "*", f"{table}_count")
            case Agg(function, of):
                of_what = of.column if isinstance(of, Col) else row_alias(of)
                name = f"{function.lower()}_{of_what}"
                return self._single(of.table, function.lower(), self.row(of), name)
            case MetricRef(name):
                return self._metric(name)
            case Arithmetic(operator, left, right):
                return self.combine(operator, self.lower(left), self.lower(right))
            case Rate() | Wrapped() | Rolling() | AvgEach() | Only():
                raise QueryPlanError("rates, windows and averages over groups are the binder's")

    def always(self, table: str, said: Iterable[str]) -> tuple[str, ...]:
        """The rules (marked) that always hold for rows of ``table``, but for columns ``said``."""
        columns = frozenset(c for fragment in said for c in columns_in(fragment))
        rules = self._always.get(table, ())
        return tuple(rule for rule in rules if not columns & columns_in(rule))

    def counted(self, root: str, said: tuple[str, ...]) -> tuple[str, ...]:
        """All rules that hold where rows of ``root`` are listed."""
        return (*self.always(root, said), *self.of_joined(root, said))

    def of_joined(self, root: str, fragments: Iterable[str]) -> tuple[str, ...]:
        """The rules (marked) that always hold for the tables in ``fragments``, where ``root`` has
        none of its own: the hire of a test pupil is marked by the pupil alone."""
        read = tuple(fragments)
        if self._always.get(root):
            return ()
        columns = frozenset(c for each in read for c in columns_in(each))
        joined = sorted(frozenset(t for each in read for t in tables_in(each)) - {root})
        rules = (rule for table in joined for rule in self._always.get(table, ()))
        return tuple(rule for rule in rules if not columns & columns_in(rule))

    def row(self, of: Col | Diff | Product) -> str:
        """What one row says, marked; days between two dates."""
        if isinstance(of, Col):
            return column(of)
        left, right = column(of.left), column(of.right)
        if isinstance(of, Product):
            return f"{left} * {right}"
        if self._tables[of.table].column(of.left.column).kind in (Kind.DATE, Kind.TIMESTAMP):
            return f"date_diff('day', cast({right} as date), cast({left} as date))"
        return f"({left} - {right})"

    def _single(self, table: str, function: str, argument: str, name: str) -> Lowered:
        if table not in self._tables:
            raise QueryPlanError(f"no table is called {table!r}")
        always = self._always.get(table, ())
        time = self.time_column(table)
        atom = Atom(table, function, argument, name, time=time, implied=always)
        return Lowered("{0}", (atom,), name)

    def rate(self, table: str, condition: str) -> Lowered:
        """The share of ``table``'s rows for which ``condition`` (marked) holds."""
        argument = f"case when {condition} then 1.0 else 0.0 end"
        lowered = self._single(table, "avg", argument, f"share_of_{table}")
        # A rule gives way here too: of all orders, which share was cancelled, which was not? It
        # holds where the condition repeats it beside more: of those that count, which are large?
        said = columns_in(condition)
        parts = sql.conjuncts(condition, "duckdb")
        repeated = parts if len(parts) > 1 else ()
        implied = lowered.atoms[0].implied
        kept = tuple(i for i in implied if not said & columns_in(i) or i in repeated)
        return replace(lowered, atoms=(replace(lowered.atoms[0], implied=kept),))

    def combine(self, operator: str, left: Lowered, right: Lowered) -> Lowered:
        """Two measures as one: DIV divides as reals and gives NULL for nothing."""
        left = replace(left, template=operand(left.template))
        if operator == "DIV":
            name = f"{left.name}_per_{right.name}"
            return _merge(left, right, "<0> * 1.0 / nullif(<1>, 0)", name)
        if operator == MINUS:
            both = "coalesce(<0>, 0) - coalesce(<1>, 0)" if left.adds_up else "<0> - <1>"
            return _merge(left, right, both, f"{left.name}_difference")
        right = replace(right, template=operand(right.template))
        return _merge(left, right, f"(<0> {ARITHMETIC[operator]} <1>)", f"{left.name}_difference")

    def _metric(self, name: str) -> Lowered:
        if name not in self._lowered:
            self._lowered[name] = self._lower_metric(self.metric(name), ())
        return self._lowered[name]

    def _lower_metric(self, metric: Metric, extra: tuple[MetricFilter, ...]) -> Lowered:
        filters = (*metric.filters, *extra)
        if metric.measure:
            return Lowered("{0}", (self._measure_atom(metric, filters),), metric.name)
        if not metric.expression:
            raise QueryPlanError(f"metric {metric.name!r} has MetricFlow's own SQL only")
        atoms: list[Atom] = []
        parts: dict[str, str] = {}
        for given in metric.inputs:
            lowered = self._lower_metric(self.metric(given.metric), (*filters, *given.filters))
            offset = len(atoms)
            parts[given.alias] = "(" + _shift(lowered.template, offset) + ")"
            if lowered.template == "{0}":
                parts[given.alias] = _shift("{0}", offset)
            atoms.extend(lowered.atoms)
        template = re.sub(
            r"\b(" + "|".join(map(re.escape, sorted(parts, key=len, reverse=True))) + r")\b",
            lambda found: parts[found.group(1)],
            _real_division(metric.expression),
        )
        return Lowered(template, tuple(atoms), metric.name)

    def _measure_atom(self, metric: Metric, filters: tuple[MetricFilter, ...]) -> Atom:
        measure = metric.measure
        assert measure is not None
        function = _MEASURE_FUNCTIONS.get(measure.aggregation, measure.aggregation)
        if function not in _FUNCTIONS:
            raise QueryPlanError(f"metric {metric.name!r} aggregates by {function!r}")
        argument = mark_columns(measure.expression, self._dialect, measure.table)
        if measure.aggregation == "sum_boolean":
            argument = f"case when {argument} then 1 else 0 end"
        if function in ("count", "sum") and argument == "1":
            function, argument = "count", "*"
        time = Col(measure.table, measure.time_column) if measure.time_column else None
        conditions = tuple(dict.fromkeys(self._filter(f) for f in filters))
        return Atom(measure.table, function, argument, metric.name, conditions, time)

    def _filter(self, given: MetricFilter) -> str:
        said = self._spellings.get(given.predicate, given.predicate)
        return mark_columns(said, self._dialect)

    @cached_property
    def _spellings(self) -> Mapping[str, str]:
        """Filters by how they are written: as the first that holds the same in another order.

        So two metrics side by side share a WHERE, whoever wrote their filters.
        """
        first: dict[frozenset[str], str] = {}
        found: dict[str, str] = {}
        for metric in self._metrics.values():
            for each in (*metric.filters, *(f for i in metric.inputs for f in i.filters)):
                if each.predicate not in found and " and " in each.predicate.lower():
                    held = frozenset(sql.conjuncts(each.predicate, self._dialect))
                    found[each.predicate] = first.setdefault(held, each.predicate)
        return found


def _real_division(expression: str) -> str:
    """Integer counts divide as reals in every dialect."""
    return re.sub(r"\s*/\s*", " * 1.0 / ", expression)
