"""What questions about measures share: what is measured, by what, under which conditions."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from dbt_t2s.corpus.shapes import ShapeRoom, Where
from dbt_t2s.corpus.vocabulary import Dimension, plural, singular
from dbt_t2s.corpus.wording import by
from dbt_t2s.project.schema import Metric, Role
from dbt_t2s.query.plan import GRAINS, Agg, Col, Count, Measure, MetricRef, Not, Or, Value

ADVERBS = {"DAY": "daily", "WEEK": "weekly", "MONTH": "monthly", "QUARTER": "quarterly"}
ADVERBS["YEAR"] = "yearly"
AGGREGATE_WORDS = {
    "SUM": ("total", "sum of", "total", "overall", "combined"),
    "AVG": ("average", "mean", "avg", "average", "typical"),
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
            f"{root}.{column.name}"
            for root in self.words.tables
            for column in self.words.tables[root].columns
            if any(f"{root}.{column.name}" in f.predicate for f in metric.filters)
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
        column = rng.choice(columns)
        function = rng.choice(("SUM", "AVG", "AVG", "AVG", "MIN", "MAX", "MEDIAN"))
        name = self.words.measured_name(table, column, rng)
        said = f"{rng.choice(AGGREGATE_WORDS[function])} {name}"
        if function == "AVG" and rng.random() < 0.15:
            said = f"{name} on average"
        if self.words.is_shared(column.name) or rng.random() < 0.3:
            noun = self.words.noun(table, rng)
            said += rng.choice((f" of {noun}", f" per {singular(noun)}", f" across {noun}"))
        return Measured(Agg(function, Col(table.name, column.name)), said, table.name)

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

    def dimension(self, measured: Measured, rng: Random) -> Dimension | None:
        """A column that every root of the measure reaches."""
        roots = self.roots(measured)
        sets = [{(d.table.name, d.column.name) for d in self.words.dimensions(r)} for r in roots]
        common = set.intersection(*sets)
        able = [
            d
            for d in self.words.dimensions(roots[0])
            if (d.table.name, d.column.name) in common
            and f"{d.table.name}.{d.column.name}" not in measured.settled
        ]
        if not able:
            return None
        flag = Role.FLAG
        weights = [(3.0 if d.own else 1.0) * (0.3 if d.column.role is flag else 1) for d in able]
        return rng.choices(able, weights)[0]

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

    # ---- shapes


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
