"""How a project's things may be called: names, synonyms, plurals, values, and which come first."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate
from random import Random

from dbt_t2s.corpus.names import flag_phrases
from dbt_t2s.corpus.nouns import is_participle, is_plural
from dbt_t2s.corpus.nouns import plural as plural
from dbt_t2s.corpus.nouns import singular as singular
from dbt_t2s.corpus.table_words import TableWords, first_often
from dbt_t2s.project.copies import copies
from dbt_t2s.project.schema import Column, Kind, Metric, ProjectSchema, Role, Rule, Table
from dbt_t2s.query.items import humanise
from dbt_t2s.query.plan import Col, MetricRef
from dbt_t2s.query.scope import column as marked
from dbt_t2s.query.scope import columns_in, tables_in
from dbt_t2s.query.text import name_words, stem, stems

_COPY_WEIGHT = 0.12


@dataclass(frozen=True)
class Dimension:
    """A column to group or filter by, as seen from a root table."""

    table: Table
    column: Column
    own: bool

    @property
    def col(self) -> Col:
        return Col(self.table.name, self.column.name)


_CODE = 3  # letters: values as short as that are codes
_ORDINALS = frozenset("number no nr num rank position seq sequence ordinal index line".split())


class Vocabulary(TableWords):
    """Names for one schema's things and how likely people are to mean each."""

    def __init__(self, schema: ProjectSchema) -> None:
        super().__init__(schema)
        schema = self.schema
        self.rules: dict[str, tuple[Rule, ...]] = {}
        for rule in schema.askable_rules:
            self.rules[rule.table] = (*self.rules.get(rule.table, ()), rule)
        self._names = Counter(c.name for t in schema.tables for c in t.columns)
        self.copies = copies(schema)
        self.weights = {t.name: self._weight(t) for t in schema.tables}
        self._entity_metric = self._metrics_that_count()
        self._drawn: tuple[tuple[str, ...], tuple[float, ...]] | None = None
        self._dimensions: dict[str, tuple[Dimension, ...]] = {}
        self._roots: dict[str, tuple[str, ...]] = {}
        # In how many columns a value stands; copies of columns aside.
        self._homes = Counter(
            value
            for t in schema.tables
            if t.name not in self.copies
            for c in t.columns
            for value in {v.lower() for v in c.values}
        )
        self._settled: dict[str, tuple[str, ...]] = {}
        self._metrics = {m.name: self._all_metric_names(m) for m in schema.metrics}
        own = (t for t in schema.tables if t.name not in self.copies)
        # Where one table alone holds people, "who" can mean no others.
        self.one_people = sum(self.people(t) for t in own) == 1
        self.participles = self._participles()

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

    def _participles(self) -> frozenset[str]:
        """Names of dates that are no nouns: ``delivered`` for delivered_at."""
        return frozenset(
            name
            for table in self.schema.tables
            for column in table.columns
            if column.role is Role.TIME
            for name in self.column_names(table, column)
            if is_participle(name.split()[-1])
        )

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

    def is_dated(self, metric: Metric | None) -> bool:
        """Whether a metric of rows that last counts what happened to them: ``new customers``.

        The stock of products has no period of its own: theirs is when they were launched.
        """
        if metric is None:
            return False
        said = {w for n in self.metric_names(metric) for w in name_words(n)}
        return bool(said & _BEGUN)  # no stems: "open" stores are not those "opened"

    # ---- columns

    def dimensions(self, root: str) -> tuple[Dimension, ...]:
        """What rows of ``root`` can be grouped by: its own columns and those it reaches."""
        known = self._dimensions.get(root)
        if known is None:
            known = self._dimensions[root] = tuple(self._reached(root))
        return known

    def _reached(self, root: str) -> Iterator[Dimension]:
        copied = {each for c in self.schema.table(root).columns for each in passed_on(c)}
        for name in sorted(self.graph.reachable(root)):
            table = self.tables[name]
            for column in table.columns:
                if name != root and copied & {
                    f"{table.unique_id}.{column.name}",
                    *passed_on(column),
                }:
                    continue  # what the root has of its own is not said of another table
                if self._groups(table, column):
                    yield Dimension(table, column, name == root)

    def _groups(self, table: Table, column: Column) -> bool:
        if column.personal and column is not self.display(table):
            return False
        if column.role in (Role.CATEGORY, Role.FLAG):
            return True
        return column is self.display(table) and column.role is not Role.KEY

    def flag_clauses(self, column: Column) -> tuple[str, ...]:
        """What a flag's description says of its rows: ``that agreed to get mailings``."""
        return tuple(f"that {clause}" for clause in flag_phrases(column))

    def said_words(self) -> frozenset[str]:
        """Stems of all names that questions say, the everyday ones among them."""
        names = [
            *(n for many in self._nouns.values() for n in many),
            *(n for many in self._metrics.values() for n in many),
            *(n for t in self.schema.tables for c in t.columns for n in self.column_names(t, c)),
        ]
        return frozenset(stem(w) for name in names for w in name_words(name))

    def shown_name(self, table: Table, column: Column, rng: Random) -> str:
        """A name for a column that is listed."""
        name = counted(column, rng.choice(self.column_names(table, column)))
        if column.role is Role.FLAG:
            name = self.flagged(table, name)
            name = rng.choice((f"{name} or not", f"{name} flag", f"{name} status"))
        return name

    def dimension_name(self, dim: Dimension, rng: Random) -> str:
        """A name that tells this column from its namesakes."""
        display = self.display(dim.table)
        if display is not None and display.name == dim.column.name:
            noun = singular(self.noun(dim.table, rng))
            own = humanise(display.name)
            return own if singular(self.nouns(dim.table)[0]) in own and rng.random() < 0.2 else noun
        name = first_often(self.column_names(dim.table, dim.column), rng)
        entity = singular(self.nouns(dim.table)[0])
        if dim.column.role is Role.FLAG:
            name = self.flagged(dim.table, name)
            said = rng.choice(("flag", "status", "or not", "or not", "yes or no"))
            if not dim.own and entity not in name:
                return f"{name} {entity} {said}"
            return f"{name} {said}"
        if dim.own and rng.random() < 0.9:
            return name
        if entity in name or (self.owners[name] == 1 and rng.random() < 0.5):
            return name
        return rng.choice((f"{entity} {name}", f"{entity} {name}", f"{name} of the {entity}"))

    def flagged(self, table: Table, name: str) -> str:
        """A flag's name that can stand without its noun: ``first order``, but ``discontinued``."""
        if " " in name or is_participle(name):
            return name
        return f"{name} {singular(self.nouns(table)[0])}"

    def tells(self, dim: Dimension) -> bool:
        """Whether the column's values are no other column's: then the value alone says it.

        Short codes say nothing alone: "in nl" may be a language or a country.
        """
        if dim.table.name in self.copies:
            return False
        values = dim.column.values
        return all(len(value) > _CODE and self._homes[value.lower()] == 1 for value in values)

    def is_doubled(self, dim: Dimension, value: str) -> bool:
        """Whether another column of its table holds the value: ``completed``, status and group."""
        return any(
            value.lower() in map(str.lower, column.values)
            for column in dim.table.columns
            if column.name != dim.column.name
        )

    def is_value(self, said: str) -> bool:
        """Whether some column holds just that."""
        return said.lower() in self._homes

    def measured_name(self, table: Table, column: Column, rng: Random) -> str:
        """A name for a column of amounts; ``number of`` what a column counts."""
        return counted(column, first_often(self.column_names(table, column), rng))

    @cached_property
    def owners(self) -> Counter[str]:
        """How many tables have a column that may be called so."""
        tables = (t for name, t in self.tables.items() if name not in self.copies)
        said = ({n for c in t.columns for n in self.column_names(t, c)} for t in tables)
        return Counter(name for names in said for name in names)

    def is_shared(self, column: str) -> bool:
        return self._names[column] > 1

    def measured(self, table: Table) -> tuple[Column, ...]:
        """Numeric columns that may be summed or averaged: no ordinals ("line number")."""
        return tuple(
            c
            for c in table.columns
            if c.kind is Kind.NUMBER
            and c.role is Role.MEASURE
            and c.name.lower().rpartition("_")[2] not in _ORDINALS
        )

    # ---- metrics

    def metric_names(self, metric: Metric) -> tuple[str, ...]:
        names = [metric.label.lower(), humanise(metric.name), *(s.lower() for s in metric.synonyms)]
        return tuple(dict.fromkeys(n for n in names if n))

    def _all_metric_names(self, metric: Metric) -> tuple[str, ...]:
        names = self.metric_names(metric)
        return (*names, *self.others.of_metric(metric, names))

    @cached_property
    def metric_stems(self) -> tuple[set[str], ...]:
        """The stems of each name of a metric."""
        return tuple(set(stems(name)) for names in self._metrics.values() for name in names)

    def is_metric(self, value: str, table: Table) -> bool:
        """Whether a value before what the rows are called is a metric's name: ``new customers``."""
        said = (frozenset(stems(f"{value} {noun}")) for noun in self._nouns[table.name])
        return any(each in self._counted for each in said)

    @cached_property
    def _counted(self) -> frozenset[frozenset[str]]:
        """The stems of what metrics count, by their names."""
        return frozenset(frozenset(each - _COUNTS) for each in self.metric_stems)

    def metric_name(self, metric: Metric, rng: Random) -> str:
        return rng.choice(self._metrics[metric.name])

    def settled(self, metric: Metric) -> tuple[str, ...]:
        """The columns (``table.column``) of which a metric's filters, or its CASEs, say a value."""
        known = self._settled.get(metric.name)
        if known is None:
            usable = self.metric_roots(metric)
            atoms = self.binder.lower(MetricRef(metric.name)).atoms if usable else ()
            said = [f for atom in atoms for f in atom.filters]
            read = columns_in(" ".join(said))
            cases = columns_in(" ".join(atom.argument for atom in atoms)) - read
            of = {*(a.root for a in atoms), *tables_in(" ".join(said))}
            known = self._settled[metric.name] = tuple(
                f"{table.name}.{each.name}"
                for table in map(self.schema.table, sorted(of))
                for each in table.columns
                if (sql := marked(Col(table.name, each.name))) in read
                or (sql in cases and each.role in (Role.FLAG, Role.CATEGORY))
            )
        return known

    def metric_roots(self, metric: Metric) -> tuple[str, ...]:
        """The tables a plain metric aggregates; empty for one that only MetricFlow can write."""
        known = self._roots.get(metric.name)
        if known is None:
            usable = self.binder.measures.usable(metric.name)
            atoms = self.binder.lower(MetricRef(metric.name)).atoms if usable else ()
            known = self._roots[metric.name] = tuple(dict.fromkeys(a.root for a in atoms))
        return known


_COUNTS = frozenset(map(stem, ("count", "number", "of", "total")))
# What says that a metric counts beginnings or ends.
_BEGUN = frozenset(
    """
    new sign signed signup signups started starts opened openings launched launches joined
    registered registrations won created gained first acquired acquisitions churned churn
    cancelled ended closed lost hired hires left
    """.split()
)


def passed_on(column: Column) -> tuple[str, ...]:
    """The column of another node that a column passes on as it is, if it does."""
    return column.sources if len(column.sources) == 1 and not column.expression else ()


def _counts_rows(aggregation: str, expression: str, table: Table) -> bool:
    keys = {*table.primary_key, "*", "1"}
    return expression in keys if aggregation != "sum" else expression == "1"


def counted(column: Column, name: str) -> str:
    """``number of`` before the plural name of a column that counts."""
    words = column.name.lower().split("_")
    counts = words[-1] == "count" or words[0] in ("num", "n", "nr")
    plain = not {"number", "count", "num"} & set(name.split())
    return f"number of {name}" if counts and plain and is_plural(name) else name
