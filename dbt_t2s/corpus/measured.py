"""What questions about measures share: what is measured, by what, under which conditions."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from random import Random

from dbt_t2s.corpus.grains import GRAIN_DAYS, grain_of
from dbt_t2s.corpus.nouns import is_participle
from dbt_t2s.corpus.shapes import ShapeRoom, Where
from dbt_t2s.corpus.vocabulary import Dimension, Vocabulary, plural, singular
from dbt_t2s.corpus.wording import AMOUNTS, by, is_averaged
from dbt_t2s.project.schema import Column, Kind, Metric, Role
from dbt_t2s.query.plan import (
    GRAINS,
    Agg,
    Col,
    Count,
    During,
    Measure,
    MetricRef,
    Not,
    Or,
    Pred,
    Range,
    Value,
)
from dbt_t2s.query.scope import column, columns_in

ADVERBS = {"DAY": "daily", "WEEK": "weekly", "MONTH": "monthly", "QUARTER": "quarterly"}
ADVERBS["YEAR"] = "yearly"
AGGREGATE_WORDS = {
    "SUM": ("total", "sum of", "total", "overall", "combined"),
    "AVG": ("average", "mean", "avg", "average"),
    "MIN": ("minimum", "lowest", "smallest", "min"),
    "MAX": ("maximum", "highest", "largest", "max", "biggest"),
    "MEDIAN": ("median",),
}
# What is nowhere summed up, by the words of its column's name.
_UNSUMMED = frozenset(
    "price rate ratio pct percent percentage score rating age hour target temperature average avg "
    "mean median share level height".split()
)
# How clauses about rows begin; the first four cannot follow an amount.
_CLAUSES = ("that", "which", "who", "whose", "with", "without", "having", "where")
_COUNTED = re.compile(r"\b(number|count|volume|total)\b|#")
MOST = ("highest", "most", "largest", "biggest", "top", "greatest")
LEAST = ("lowest", "least", "smallest", "fewest")


@dataclass(frozen=True)
class Measured:
    """A measure, its name, the table its rows come from, and what its metric's filters settle."""

    measure: Measure
    name: str
    root: str
    settled: tuple[str, ...] = ()
    metric: Metric | None = None
    counts: bool = False

    @property
    def countable(self) -> bool:
        """Whether "how many" asks for it: a metric that counts, by its own name."""
        made = self.metric.measure if self.metric else None
        if made is None:
            return False
        ones = made.aggregation == "sum" and made.expression == "1"
        return ones or made.aggregation in ("count", "count_distinct")

    @property
    def names_rows(self) -> bool:
        """Whether its name is that of the rows it counts: "what" asks for them, not how many."""
        return (self.counts or self.countable) and not _COUNTED.search(self.name)

    @property
    def additive(self) -> bool:
        """Whether parts of it add up to the whole: shares and running totals make sense."""
        if isinstance(self.measure, Agg):
            return self.measure.function == "SUM"
        made = self.metric.measure if self.metric else None
        return self.counts or (made is not None and made.aggregation in ("sum", "count"))


class MeasureRoom(ShapeRoom):
    """Draws measures, dimensions and conditions that go together."""

    def measured(self, rng: Random) -> Measured | None:
        way = rng.random()
        metrics = [m for m in self.words.schema.metrics if self.words.metric_roots(m)]
        if metrics and way < 0.68:
            return self.metric(rng.choice(metrics), rng)
        if way < 0.84 or (not metrics and way < 0.5):
            return self.count(rng)
        return self.column_aggregate(rng)

    def metric(self, metric: Metric, rng: Random) -> Measured:
        roots = self.words.metric_roots(metric)
        settled = self.words.settled(metric)
        name = self.words.metric_name(metric, rng)
        if rng.random() < 0.12:
            name = f"{rng.choice(('our', 'the', 'overall'))} {name}"
        root = roots[0] if len(roots) == 1 else ""
        return Measured(MetricRef(metric.name), name, root, settled, metric)

    def count(self, rng: Random) -> Measured:
        table = self.table(rng)
        metric = self.words.counted_by(table.name)
        noun = self.words.noun(table, rng)
        names = [f"number of {noun}", f"count of {noun}", f"# of {noun}"]
        if noun.split()[-1] not in AMOUNTS:  # "spends by team" are no rows
            names.append(noun)
        name = rng.choice(names)
        if metric is not None:
            made = self.metric(metric, rng)
            return Measured(made.measure, name, table.name, made.settled, metric, counts=True)
        return Measured(Count(table.name), name, table.name, counts=True)

    def column_aggregate(self, rng: Random) -> Measured | None:
        table = self.table(rng)
        columns = self.words.measured(table)
        if not columns:
            return None
        chosen = rng.choice(columns)
        functions = ["AVG", "AVG", "AVG", "MIN", "MAX", "MEDIAN"]
        if not _UNSUMMED & set(map(singular, chosen.name.lower().split("_"))):
            functions.append("SUM")
        function = rng.choice(functions)
        name = self.words.measured_name(table, chosen, rng)
        said = f"{rng.choice(AGGREGATE_WORDS[function])} {name}"
        if function == "AVG" and rng.random() < 0.15:
            said = f"{name} on average"
        if self.is_shared(table, chosen, name) or rng.random() < 0.3:
            noun = self.words.noun(table, rng)
            each = (f" per {singular(noun)}",) * (function in ("AVG", "MEDIAN"))
            said += rng.choice((f" of {noun}", f" across {noun}", *each))
        own = (f"{table.name}.{chosen.name}",)  # "the highest price under 10" is nobody's question
        return Measured(Agg(function, Col(table.name, chosen.name)), said, table.name, own)

    def how_many_of(self, measured: Measured, where: Where, rng: Random) -> str:
        """``how many active subscriptions do we have in Germany``."""
        bare = measured.name.removeprefix("our ").removeprefix("the ").removeprefix("overall ")
        name = f"{where.before} {bare}".strip()
        return rng.choice(
            (
                f"how many {name} do we have {where.after}",
                f"how many {name} are there {where.after}",
                f"how many {name} {where.after}",
                f"how many {name} did we have {where.after}",
                f"how many {name} were there {where.after}",
                f"number of {name} {where.after}",
                f"count of {name} {where.after}",
            )
        )

    def beside(self, one: Measured, rng: Random) -> Measured | None:
        """Another measure of the same rows."""
        for _ in range(12):
            two = self.measured(rng)
            if two and self.roots(two) == self.roots(one) and two.measure != one.measure:
                return two
        return None

    def roots(self, measured: Measured) -> tuple[str, ...]:
        if measured.root:
            return (measured.root,)
        assert measured.metric is not None
        return self.words.metric_roots(measured.metric)

    def dimension(
        self, measured: Measured, rng: Random, *, ranked: bool = False
    ) -> Dimension | None:
        """A column that every root of the measure reaches; no yes or no where it is ``ranked``."""
        roots = self.roots(measured)
        sets = [{(d.table.name, d.column.name) for d in self.words.dimensions(r)} for r in roots]
        common = set.intersection(*sets)
        able = [
            d
            for d in self.words.dimensions(roots[0])
            if (d.table.name, d.column.name) in common
            and f"{d.table.name}.{d.column.name}" not in measured.settled
            and not (ranked and d.column.kind is Kind.BOOLEAN)
            and not self._is_told(measured, d)
        ]
        if not able:
            return None
        flag = Role.FLAG
        weights = [(3.0 if d.own else 1.0) * (0.3 if d.column.role is flag else 1) for d in able]
        return rng.choices(able, weights)[0]

    def _is_told(self, measured: Measured, dim: Dimension) -> bool:
        """Whether the groups say nothing: a row each, or one that a rule leaves."""
        counts = measured.counts or measured.countable
        sums = measured.metric is not None and measured.additive and not counts
        own = dim.own and (dim.column.unique or (not sums and _names(dim, self.words)))
        roots = self.roots(measured)
        if own or (not sums and any(self.words.tells_rows(root, dim.col) for root in roots)):
            return True
        if measured.metric is not None:
            made = measured.metric.measure
            return dim.own and made is not None and made.expression == dim.column.name
        return any(self.is_ruled(dim.col, root) for root in self.roots(measured))

    def is_ruled(self, of: Col, root: str) -> bool:
        """Whether a rule that always holds on rows of ``root`` says something of a column."""
        rules = self.words.binder.measures.always(root, ())
        return any(column(of) in columns_in(rule) for rule in rules)

    def is_about(self, pred: Pred, root: str, columns: Sequence[str]) -> bool:
        """Whether a condition on rows of ``root`` reads ``columns`` or what a rule settles."""
        rules = self.words.binder.measures.always(root, ())
        said = columns_in(self.words.binder.predicates.render(pred, root))
        known = frozenset(c for rule in rules for c in columns_in(rule))
        taken = frozenset(
            each for c in columns for each in columns_in(column(Col(*c.split(".", 1))))
        )
        return bool(said & (known | taken))

    def spans(self, where: Where, grain: str) -> bool:
        """Whether the dates of ``where`` hold two or more periods of ``grain``."""
        ranges = (p.range for p in where.preds if isinstance(p, During))
        return all(_days(r, self.conditions.today) >= 2 * GRAIN_DAYS[grain] for r in ranges)

    def filters(self, measured: Measured, rng: Random, counts: tuple[float, ...]) -> Where:
        roots = self.roots(measured)
        if len(roots) == 1:
            rows = measured.counts or not self.words.is_dated(measured.metric)
            where = self.where(roots[0], rng, counts, (*measured.settled,), rows)
            # "low longest response time", "drink count of orders": part of the name, to a reader.
            if where.before and (is_averaged(measured.name) or " of " in measured.name):
                return Where()
            return self._of_rows(where, measured, roots[0], rng)
        if self.timed(measured) and rng.random() < 0.5:
            said = self.conditions.during(self.words.tables[roots[0]], rng)
            if said is not None:
                return Where((said.pred,), "", said.after, said.kept, frozenset({said.kind}))
        return Where()

    def _of_rows(self, where: Where, measured: Measured, root: str, rng: Random) -> Where:
        """``of orders that are gifts``: no sum is a gift, so what is said is said of its rows."""
        first = where.after.partition(" ")[0]
        done = is_participle(first)  # "opened in May"
        if measured.counts or measured.countable or not (done or first in _CLAUSES):
            return where
        if not done and first not in _CLAUSES[:4] and rng.random() < 0.5:
            return where
        noun = self.words.noun(self.words.tables[root], rng)
        return replace(where, after=f"{rng.choice(('of', 'of', 'for'))} {noun} {where.after}")

    def grain(self, measured: Measured, rng: Random) -> tuple[str, str]:
        """A grain and how it is said after ``by`` or ``per``; none finer than the dates are."""
        finest = max((GRAINS.index(grain_of(c)) for c in self.dates(measured)), default=0)
        grain = rng.choices(GRAINS[finest:], (2, 3, 9, 3, 3)[finest:])[0]
        return grain, grain.lower()

    def dates(self, measured: Measured) -> tuple[Column, ...]:
        """The columns that date what is measured."""
        made = measured.metric.measure if measured.metric else None
        times = {made.table: made.time_column} if made else {}
        tables = [self.words.schema.table(root) for root in self.roots(measured)]
        named = [(t, times.get(t.name) or t.time_column) for t in tables]
        return tuple(table.column(time) for table, time in named if time)

    def timed(self, measured: Measured) -> bool:
        """Whether "by month" says something: not of rows that last, unless a metric dates them."""
        tables = [self.words.tables[root] for root in self.roots(measured)]
        dated = not measured.counts and self.words.is_dated(measured.metric)
        return all(t.time_column and (dated or not self.words.lasts(t)) for t in tables)

    def by(self, dim: str, rng: Random) -> str:
        return by(dim, plural(dim), rng)


def _names(dim: Dimension, words: Vocabulary) -> bool:
    display = words.display(dim.table)
    return display is not None and display.name == dim.column.name


def _days(span: Range, today: date) -> int:
    """The days of a range that lie between any start and today."""
    if not span.start:
        return 10**6
    end = min(date.fromisoformat(span.end), today) if span.end else today
    return (end - date.fromisoformat(span.start)).days


def touches(where: Where, columns: tuple[str, ...]) -> bool:
    """Whether a condition is about one of ``columns`` (``table.column``)."""

    def about(pred: object) -> str:
        if isinstance(pred, Value):
            return f"{pred.table}.{pred.column}"
        if isinstance(pred, Not):
            return about(pred.of)
        if isinstance(pred, Or):
            return about(pred.left)
        of = getattr(pred, "of", None)
        return f"{of.table}.{of.column}" if isinstance(of, Col) else ""

    return any(about(p) in columns for p in where.preds)
