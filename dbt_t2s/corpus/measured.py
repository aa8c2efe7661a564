"""What questions about measures share: what is measured, by what, under which conditions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from random import Random

from dbt_t2s.corpus.shapes import ShapeRoom, Where
from dbt_t2s.corpus.vocabulary import Dimension, Vocabulary, plural, singular
from dbt_t2s.corpus.wording import by
from dbt_t2s.project.schema import Kind, Metric, Role
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
# The fewest days that a period of a grain has.
GRAIN_DAYS = {"DAY": 1, "WEEK": 7, "MONTH": 28, "QUARTER": 90, "YEAR": 365}
AGGREGATE_WORDS = {
    "SUM": ("total", "sum of", "total", "overall", "combined"),
    "AVG": ("average", "mean", "avg", "average"),
    "MIN": ("minimum", "lowest", "smallest", "min"),
    "MAX": ("maximum", "highest", "largest", "max", "biggest"),
    "MEDIAN": ("median",),
}
MOST = ("highest", "most", "largest", "biggest", "best", "top", "greatest")
LEAST = ("lowest", "least", "smallest", "fewest", "worst")


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
        return made is not None and made.aggregation in ("count", "count_distinct")

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
        settled = tuple(
            f"{root}.{each.name}"
            for root in self.words.tables
            for each in self.words.tables[root].columns
            if any(f"{root}.{each.name}" in f.predicate for f in metric.filters)
        )
        name = self.words.metric_name(metric, rng)
        if rng.random() < 0.12:
            name = f"{rng.choice(('our', 'the', 'overall'))} {name}"
        root = roots[0] if len(roots) == 1 else ""
        return Measured(MetricRef(metric.name), name, root, settled, metric)

    def count(self, rng: Random) -> Measured:
        table = self.table(rng)
        metric = self.words.counted_by(table.name)
        noun = self.words.noun(table, rng)
        name = rng.choice((f"number of {noun}", f"count of {noun}", f"# of {noun}", noun))
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
        function = rng.choice(("SUM", "AVG", "AVG", "AVG", "MIN", "MAX", "MEDIAN"))
        name = self.words.measured_name(table, chosen, rng)
        said = f"{rng.choice(AGGREGATE_WORDS[function])} {name}"
        if function == "AVG" and rng.random() < 0.15:
            said = f"{name} on average"
        if self.is_shared(table, chosen, name) or rng.random() < 0.3:
            noun = self.words.noun(table, rng)
            said += rng.choice((f" of {noun}", f" per {singular(noun)}", f" across {noun}"))
        return Measured(Agg(function, Col(table.name, chosen.name)), said, table.name)

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
        if dim.own and measured.counts and (dim.column.unique or _names(dim, self.words)):
            return True
        if measured.metric is not None:
            return False
        always = (self.words.binder.measures.always(root, ()) for root in self.roots(measured))
        ruled = frozenset(c for rules in always for rule in rules for c in columns_in(rule))
        return bool(ruled & columns_in(column(dim.col)))

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
            return self.where(roots[0], rng, counts, (*measured.settled,))
        if rng.random() < 0.5:
            said = self.conditions.during(self.words.tables[roots[0]], rng)
            if said is not None:
                return Where((said.pred,), "", said.after, said.kept, frozenset({said.kind}))
        return Where()

    def grain(self, rng: Random) -> tuple[str, str]:
        """A grain and how it is said after ``by`` or ``per``."""
        grain = rng.choices(GRAINS, (2, 3, 9, 3, 3))[0]
        return grain, grain.lower()

    def timed(self, measured: Measured) -> bool:
        return all(self.words.tables[r].time_column for r in self.roots(measured))

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
