"""How a project's things may be called: names, synonyms, plurals, values, and which come first."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import accumulate
from random import Random

from dbt_t2s.project.copies import copies
from dbt_t2s.project.schema import Column, Kind, Metric, ProjectSchema, Role, Rule, Table
from dbt_t2s.query.bind import Binder
from dbt_t2s.query.items import UNSAID, column_phrases, humanise
from dbt_t2s.query.naming import display_column
from dbt_t2s.query.plan import Col, MetricRef
from dbt_t2s.query.text import name_words, stem

_IRREGULAR = {"person": "people", "child": "children", "man": "men", "woman": "women"}
_COPY_WEIGHT = 0.12
_NAME_LIKE = ("name", "title", "label")


def plural(noun: str) -> str:
    """A noun phrase in the plural (its last word)."""
    head, _, last = noun.rpartition(" ")
    lowered = last.lower()
    if lowered in _IRREGULAR:
        last = _IRREGULAR[lowered]
    elif lowered.endswith("s") and not lowered.endswith(("ss", "us", "is")):
        last = last
    elif re.search(r"(s|x|z|ch|sh)$", lowered):
        last += "es"
    elif re.search(r"[^aeiou]y$", lowered):
        last = last[:-1] + "ies"
    else:
        last += "s"
    return f"{head} {last}".strip()


def singular(noun: str) -> str:
    """A noun phrase in the singular (its last word)."""
    head, _, last = noun.rpartition(" ")
    lowered = last.lower()
    back = {many: one for one, many in _IRREGULAR.items()}
    if lowered in back:
        last = back[lowered]
    elif re.search(r"(stat|bon|camp|vir)uses$", lowered):
        last = last[:-2]
    elif lowered.endswith("ies") and lowered != "series" and len(lowered) > 4:
        last = last[:-3] + "y"
    elif re.search(r"(sses|xes|zes|ches|shes)$", lowered):
        last = last[:-2]
    elif lowered.endswith("s") and not lowered.endswith(("ss", "us", "is")):
        last = last[:-1]
    return f"{head} {last}".strip()


@dataclass(frozen=True)
class Dimension:
    """A column to group or filter by, as seen from a root table."""

    table: Table
    column: Column
    own: bool

    @property
    def col(self) -> Col:
        return Col(self.table.name, self.column.name)


class Vocabulary:
    """Names for one schema's things and how likely people are to mean each."""

    def __init__(self, schema: ProjectSchema) -> None:
        self.schema = schema
        self.binder = Binder(schema)
        self.graph = self.binder.graph
        self.tables = {t.name: t for t in schema.tables}
        self.rules: dict[str, tuple[Rule, ...]] = {}
        for rule in schema.askable_rules:
            self.rules[rule.table] = (*self.rules.get(rule.table, ()), rule)
        self._names = Counter(c.name for t in schema.tables for c in t.columns)
        self.copies = copies(schema)
        self.weights = {t.name: self._weight(t) for t in schema.tables}
        self._entity_metric = self._metrics_that_count()
        self._dimensions: dict[str, tuple[Dimension, ...]] = {}
        self._displays: dict[str, Column | None] = {}
        self._drawn: tuple[tuple[str, ...], tuple[float, ...]] | None = None

    def _weight(self, table: Table) -> float:
        """Tables that repeat others' columns are seldom meant, nor are those of keys alone."""
        keys = (Role.KEY, Role.FOREIGN_KEY)
        if all(column.role in keys for column in table.columns):
            return 0.1
        return _COPY_WEIGHT if table.name in self.copies else 1.0

    # ---- tables

    def any_table(self, rng: Random) -> str:
        """A table's name, as likely as its weight says."""
        if self._drawn is None:
            names = tuple(name for name in self.tables if self.weights[name])
            self._drawn = names, tuple(accumulate(self.weights[name] for name in names))
        names, added = self._drawn
        return rng.choices(names, cum_weights=added)[0]

    def nouns(self, table: Table) -> tuple[str, ...]:
        """Plural names of a table's rows, the usual one first."""
        names = [humanise(table.name)]
        if table.label:
            names.append(table.label.lower())
        if table.entity and not table.entity.endswith("_id") and table.entity in table.name:
            names.append(humanise(table.entity))
        names.extend(s.lower() for s in table.synonyms)
        return tuple(dict.fromkeys(plural(singular(n)) for n in names if n))

    def noun(self, table: Table, rng: Random) -> str:
        return first_often(self.nouns(table), rng)

    def display(self, table: Table) -> Column | None:
        """The column that names a row to a person."""
        if table.name not in self._displays:
            self._displays[table.name] = display_column(table)
        return self._displays[table.name]

    def counted_by(self, table: str) -> Metric | None:
        """The metric that "how many <table>" means, where one counts just that."""
        return self._entity_metric.get(table)

    def _metrics_that_count(self) -> dict[str, Metric]:
        found: dict[str, Metric] = {}
        for metric in self.schema.metrics:
            measure = metric.measure
            if not measure or measure.aggregation not in ("count", "sum", "count_distinct"):
                continue
            table = self.tables.get(measure.table)
            if table is None or not _counts_rows(measure.aggregation, measure.expression, table):
                continue
            nouns = {stem(w) for n in self.nouns(table) for w in name_words(n)}
            said = {stem(w) for w in name_words(metric.label or metric.name)}
            if said - {"count", "number", "of", "total", "the", "place"} <= nouns:
                found.setdefault(table.name, metric)
        return found

    # ---- columns

    def dimensions(self, root: str) -> tuple[Dimension, ...]:
        """What rows of ``root`` can be grouped by: its own columns and those it reaches."""
        if root not in self._dimensions:
            self._dimensions[root] = tuple(self._groupable(root))
        return self._dimensions[root]

    def _groupable(self, root: str) -> Iterator[Dimension]:
        for name in sorted(self.graph.reachable(root)):
            table = self.tables[name]
            for column in table.columns:
                if self._groups(table, column):
                    yield Dimension(table, column, name == root)

    def _groups(self, table: Table, column: Column) -> bool:
        if column.personal and column is not self.display(table):
            return False
        if column.role in (Role.CATEGORY, Role.FLAG):
            return True
        return column is self.display(table) and column.role is not Role.KEY

    def column_names(self, table: Table, column: Column) -> tuple[str, ...]:
        """Names that people say: without the units and types that names of columns carry."""
        names = column_phrases(table, column)
        spoken = tuple(n for n in names if n.split()[-1] not in UNSAID and n.split()[0] != "is")
        return spoken or names[:1]

    def dimension_name(self, dim: Dimension, rng: Random) -> str:
        """A name that tells this column from its namesakes."""
        display = self.display(dim.table)
        if display is not None and display.name == dim.column.name and rng.random() < 0.75:
            return singular(self.noun(dim.table, rng))
        name = first_often(self.column_names(dim.table, dim.column), rng)
        if dim.own and rng.random() < 0.9:
            return name
        entity = singular(self.nouns(dim.table)[0])
        if entity in name or (self._names[dim.column.name] == 1 and rng.random() < 0.5):
            return name
        return rng.choice((f"{entity} {name}", f"{entity} {name}", f"{name} of the {entity}"))

    def measured_name(self, table: Table, column: Column, rng: Random) -> str:
        return first_often(self.column_names(table, column), rng)

    def is_shared(self, column: str) -> bool:
        return self._names[column] > 1

    def measured(self, table: Table) -> tuple[Column, ...]:
        """Numeric columns that may be summed or averaged."""
        return tuple(c for c in table.columns if c.kind is Kind.NUMBER and c.role is Role.MEASURE)

    # ---- metrics

    def metric_names(self, metric: Metric) -> tuple[str, ...]:
        names = [metric.label.lower(), humanise(metric.name), *(s.lower() for s in metric.synonyms)]
        return tuple(dict.fromkeys(n for n in names if n))

    def metric_name(self, metric: Metric, rng: Random) -> str:
        return rng.choice(self.metric_names(metric))

    def metric_roots(self, metric: Metric) -> tuple[str, ...]:
        """The tables a plain metric aggregates; empty for one that only MetricFlow can write."""
        if not self.binder.measures.usable(metric.name):
            return ()
        atoms = self.binder.lower(MetricRef(metric.name)).atoms
        return tuple(dict.fromkeys(a.root for a in atoms))


def _counts_rows(aggregation: str, expression: str, table: Table) -> bool:
    keys = {*table.primary_key, "*", "1"}
    return expression in keys if aggregation != "sum" else expression == "1"


def first_often(names: tuple[str, ...], rng: Random) -> str:
    """One of ``names``, the first about as often as all others together."""
    return names[0] if len(names) == 1 or rng.random() < 0.5 else rng.choice(names[1:])
