"""Questions about measures: metrics, counts and aggregates, alone or broken down."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from dbt_t2s.corpus.shapes import Draft, Shape, ShapeRoom, Where, type_of
from dbt_t2s.corpus.speech import say_compared, say_number
from dbt_t2s.corpus.vocabulary import Dimension, plural, singular
from dbt_t2s.project.schema import Kind, Metric
from dbt_t2s.query.plan import (
    GRAINS,
    Agg,
    Arithmetic,
    AvgEach,
    Bucket,
    Col,
    Compare,
    Count,
    Dim,
    Measure,
    MetricRef,
    Order,
    Plan,
    Rate,
    Time,
    Value,
    Wrapped,
)
from dbt_t2s.query.plan import Not as NotPred
from dbt_t2s.query.plan import Or as OrPred

_ADVERBS = {"DAY": "daily", "WEEK": "weekly", "MONTH": "monthly", "QUARTER": "quarterly"}
_ADVERBS["YEAR"] = "yearly"
_AGG_WORDS = {
    "SUM": ("total", "sum of", "total", "overall", "combined"),
    "AVG": ("average", "mean", "avg", "average", "typical"),
    "MIN": ("minimum", "lowest", "smallest", "min"),
    "MAX": ("maximum", "highest", "largest", "max", "biggest"),
    "MEDIAN": ("median",),
}
_MOST = ("highest", "most", "largest", "biggest", "best", "top", "greatest")
_LEAST = ("lowest", "least", "smallest", "fewest", "worst")


@dataclass(frozen=True)
class Measured:
    """A measure, its name, the table its rows come from, and what its metric's filters settle."""

    measure: Measure
    name: str
    root: str
    settled: tuple[str, ...] = ()
    metric: Metric | None = None
    counts: bool = False


class MeasureShapes(ShapeRoom):
    """Shapes whose SELECT holds an aggregate."""

    def shapes(self) -> tuple[tuple[float, int, Shape], ...]:
        """(weight, phase, shape)."""
        return (
            (10, 2, self.total),
            (8, 2, self.how_many),
            (5, 2, self.aggregate),
            (12, 2, self.by_dimension),
            (8, 2, self.over_time),
            (2, 2, self.by_two),
            (9, 2, self.top),
            (3, 2, self.two_measures),
            (2.5, 2, self.share),
            (2, 3, self.change),
            (1.5, 3, self.running),
            (2.5, 3, self.average_of_groups),
            (3, 3, self.groups_above),
            (2, 3, self.top_per_group),
            (1.5, 3, self.ratio),
            (3, 3, self.rate),
            (1.5, 2, self.part_of_time),
            (3, 2, self.only_compiled),
            (2, 1, self.distinct),
        )

    # ---- what is measured

    def measured(self, rng: Random) -> Measured | None:
        way = rng.random()
        metrics = [m for m in self.words.schema.metrics if self.words.metric_roots(m)]
        if metrics and way < 0.68:
            return self.metric(rng.choice(metrics), rng)
        if way < 0.84 or not metrics and way < 0.5:
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
        said = f"{rng.choice(_AGG_WORDS[function])} {name}"
        if self.words.is_shared(column.name) or rng.random() < 0.3:
            noun = self.words.noun(table, rng)
            said += rng.choice((f" of {noun}", f" per {singular(noun)}", f" across {noun}"))
        return Measured(Agg(function, Col(table.name, column.name)), said, table.name)

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
        weights = [(3.0 if d.own else 1.0) for d in able]
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
        return rng.choice(
            (f"by {dim}", f"by {dim}", f"by {dim}", f"per {dim}", f"for each {dim}",
             f"broken down by {dim}", f"split by {dim}", f"in each {dim}", f"grouped by {dim}",
             f"for every {dim}", f"across {plural(dim)}", f"by {plural(dim)}")
        )  # fmt: skip

    # ---- shapes

    def total(self, rng: Random) -> Draft | None:
        measured = self.measured(rng)
        if measured is None:
            return None
        where = self.filters(measured, rng, (2, 5, 2.5))
        name = where.around(measured.name)
        noun_phrase = rng.random() < 0.3
        text = name
        if not noun_phrase:
            text = rng.choice(
                (f"what is the {name}", f"what was the {name}", f"what is {name}", f"what's {name}",
                 f"how much {name} did we have", f"how much was {name}", f"how high is {name}",
                 f"what are the {name}", f"what {measured.name} did we have {where.after}",
                 f"how big was {name}", f"how is {name}", f"how much {name} do we have")
            )  # fmt: skip
            if "what " + measured.name in text and where.before:
                return None
        plan = Plan((measured.measure,), where.preds)
        base = "metric" if measured.metric else "single table"
        kind = type_of(base, where, 1)
        return Draft(self.finish(rng, text, where.kept), plan, kind, 2)

    def how_many(self, rng: Random) -> Draft | None:
        table = self.table(rng)
        metric = self.words.counted_by(table.name)
        measure: Measure = Count(table.name)
        settled: tuple[str, ...] = ()
        if metric is not None:
            made = self.metric(metric, rng)
            measure, settled = made.measure, made.settled
        where = self.where(table.name, rng, (1, 6, 3))
        if metric is not None and _touches(where, settled):
            measure = Count(table.name)
        if rng.random() < 0.12:
            said = self.conditions.many(table, rng)
            if said is not None and not where.preds:
                where = Where((said.pred,), "", said.after, (), frozenset({said.kind}))
        noun = where.around(self.words.noun(table, rng))
        late = f"{where.before} {self.words.noun(table, rng)}".strip()
        text = rng.choice(
            (f"how many {noun} are there", f"how many {noun}", f"how many {noun}",
             f"how many {noun} do we have", f"number of {noun}", f"count of {noun}",
             f"count {noun}", f"what is the number of {noun}", f"how many {late} are {where.after}",
             f"how many {late} were {where.after}", f"how many {late} did we have {where.after}",
             f"how many {late} were there {where.after}", f"total number of {noun}", f"# {noun}",
             f"how many {late} do we have {where.after}", f"the number of {noun}")
        )  # fmt: skip
        plan = Plan((measure,), where.preds)
        kind = type_of("single table", where, 1)
        return Draft(self.finish(rng, text, where.kept), plan, kind, 2)

    def aggregate(self, rng: Random) -> Draft | None:
        measured = self.column_aggregate(rng)
        if measured is None:
            return None
        where = self.filters(measured, rng, (4, 5, 1))
        text = rng.choice(
            (f"what is the {measured.name} {where.after}", f"{measured.name} {where.after}",
             f"the {measured.name} {where.after}", f"what was the {measured.name} {where.after}",
             f"what's the {measured.name} {where.after}", f"calculate the {measured.name} {where.after}")
        )  # fmt: skip
        if where.before:
            text = text.replace(measured.name, f"{measured.name} for {where.before} ones")
        plan = Plan((measured.measure,), where.preds)
        kind = type_of("single table", where, 1)
        return Draft(self.finish(rng, text, where.kept), plan, kind, 2)

    def by_dimension(self, rng: Random) -> Draft | None:
        measured = self.measured(rng)
        dim = self.dimension(measured, rng) if measured else None
        if measured is None or dim is None:
            return None
        about = f"{dim.table.name}.{dim.column.name}"
        where = self.filters(measured, rng, (5, 4, 1))
        if _touches(where, (about,)):
            return None
        name = self.words.dimension_name(dim, rng)
        by = self.by(name, rng)
        said = where.around(measured.name)
        text = rng.choice(
            (f"{said} {by}", f"{said} {by}", f"{where.before} {measured.name} {by} {where.after}",
             f"{measured.name} {by} {where.after}" if not where.before else f"{said} {by}",
             f"what is the {said} {by}", f"what is {said} {by}", f"how does {said} differ {by}",
             f"how much {said} does each {name} have", f"compare {said} across {plural(name)}",
             f"{name} wise {said}", f"for each {name}, what is the {said}", f"{said}, {by}",
             f"distribution of {said} by {name}", f"{plural(name)} and their {said}",
             f"{said} {by}", f"how is {said} distributed over {plural(name)}")
        )  # fmt: skip
        order = None
        if rng.random() < 0.12:
            order = Order(measured.measure, rng.random() < 0.75)
            text += (
                rng.choice((", highest first", ", sorted descending", ", from high to low"))
                if order.descending
                else rng.choice((", lowest first", ", ascending"))
            )
        dims: tuple[Dim, ...] = (dim.col,)
        plan = Plan((*dims, measured.measure), where.preds, order=order)
        kind = "grouping" if dim.own else "join"
        return Draft(self.finish(rng, text, where.kept), plan, kind, 2)

    def over_time(self, rng: Random) -> Draft | None:
        measured = self.measured(rng)
        if measured is None or not self.timed(measured):
            return None
        grain, word = self.grain(rng)
        where = self.filters(measured, rng, (5, 4, 0.6))
        said = where.around(measured.name)
        bare = measured.name
        text = rng.choice(
            (f"{said} by {word}", f"{said} per {word}", f"{_ADVERBS[grain]} {said}",
             f"{_ADVERBS[grain]} {said}", f"{said} {word} by {word}", f"{said} each {word}",
             f"{said} for each {word}", f"how did {said} develop by {word}",
             f"{where.before} {bare} by {word} {where.after}", f"{said} over time by {word}",
             f"{where.before} {bare} per {word} {where.after}", f"trend of {said} by {word}",
             f"how has {said} changed by {word}", f"{_ADVERBS[grain]} trend of {said}",
             f"what is the {_ADVERBS[grain]} {said}", f"{said} for every {word}")
        )  # fmt: skip
        dims: list[Dim] = [Bucket(grain, Time())]
        kind = "date range" if "date range" in where.kinds else "grouping"
        if rng.random() < 0.15 and (dim := self.dimension(measured, rng)):
            if _touches(where, (f"{dim.table.name}.{dim.column.name}",)):
                return None
            text += f" and {self.words.dimension_name(dim, rng)}"
            dims.append(dim.col)
        plan = Plan((*dims, measured.measure), where.preds)
        return Draft(self.finish(rng, text, where.kept), plan, kind, 2)

    def by_two(self, rng: Random) -> Draft | None:
        measured = self.measured(rng)
        if measured is None:
            return None
        one, two = self.dimension(measured, rng), self.dimension(measured, rng)
        if one is None or two is None or one.col == two.col:
            return None
        where = self.filters(measured, rng, (6, 3))
        if _touches(where, tuple(f"{d.table.name}.{d.column.name}" for d in (one, two))):
            return None
        first, second = self.words.dimension_name(one, rng), self.words.dimension_name(two, rng)
        said = where.around(measured.name)
        text = rng.choice(
            (f"{said} by {first} and {second}", f"{said} per {first} and {second}",
             f"{said} for each {first} and {second}", f"{said} by {first}, {second}",
             f"{said} by {first} by {second}", f"{said} broken down by {first} and {second}")
        )  # fmt: skip
        plan = Plan((one.col, two.col, measured.measure), where.preds)
        return Draft(self.finish(rng, text, where.kept), plan, "grouping", 2)

    def top(self, rng: Random) -> Draft | None:
        measured = self.measured(rng)
        dim: Dimension | None = self.dimension(measured, rng) if measured else None
        if measured is None or dim is None:
            return None
        where = self.filters(measured, rng, (5, 4, 0.5))
        if _touches(where, (f"{dim.table.name}.{dim.column.name}",)) or where.before:
            return None
        name = self.words.dimension_name(dim, rng)
        select: Dim = dim.col
        if self.timed(measured) and rng.random() < 0.15:
            grain, name = self.grain(rng)
            select = Bucket(grain, Time())
        descending = rng.random() < 0.78
        worth = rng.choice(_MOST if descending else _LEAST)
        limit = rng.choice((1, 1, 1, 3, 5, 5, 10, 2, 4, 7, 20))
        said, after = measured.name, where.after
        if limit == 1:
            texts = [
                f"which {name} had the {worth} {said} {after}",
                f"which {name} has the {worth} {said} {after}",
                f"what {name} has the {worth} {said} {after}",
                f"{name} with the {worth} {said} {after}",
                f"which {name} brings the {worth} {said} {after}",
                f"{after} which {name} had the {worth} {said}",
                f"the {name} with the {worth} {said} {after}",
                f"who is the {name} with {worth} {said} {after}",
                f"which {name} leads in {said} {after}"
                if descending
                else f"which {name} is last in {said} {after}",
                f"where is {said} the {worth} {after}, by {name}",
                f"our {'best' if descending else 'weakest'} {name} by {said} {after}",
            ]
        else:
            number = say_number(rng, limit)
            head = rng.choice(("top", "best")) if descending else rng.choice(("bottom", "worst"))
            texts = [
                f"{head} {number} {plural(name)} by {said} {after}",
                f"{head} {number} {plural(name)} by {said} {after}",
                f"{number} {plural(name)} with the {worth} {said} {after}",
                f"the {number} {plural(name)} with the {worth} {said} {after}",
                f"which {number} {plural(name)} have the {worth} {said} {after}",
                f"what are the {head} {number} {plural(name)} in terms of {said} {after}",
                f"{plural(name)} ranked by {said} {after}, {head} {number}",
            ]
        text = rng.choice(texts)
        plan = Plan(
            (select, measured.measure),
            where.preds,
            order=Order(measured.measure, descending),
            limit=str(limit),
        )
        return Draft(self.finish(rng, text, where.kept), plan, "top-k", 2)

    def two_measures(self, rng: Random) -> Draft | None:
        one, two = self.measured(rng), self.measured(rng)
        if one is None or two is None or one.measure == two.measure:
            return None
        if self.roots(one) != self.roots(two):
            if not (one.metric and two.metric) or rng.random() < 0.6:
                return None
        where = self.filters(one, rng, (6, 3)) if self.roots(one) == self.roots(two) else Where()
        if where.before:
            return None
        select: list[Dim] = []
        by = ""
        way = rng.random()
        if way < 0.4 and (dim := self.dimension(one, rng)):
            name = self.words.dimension_name(dim, rng)
            others = {(d.table.name, d.column.name) for r in self.roots(two)
                      for d in self.words.dimensions(r)}  # fmt: skip
            if (dim.table.name, dim.column.name) not in others:
                return None
            select, by = [dim.col], self.by(name, rng)
        elif way < 0.7 and self.timed(one) and self.timed(two):
            grain, word = self.grain(rng)
            select, by = [Bucket(grain, Time())], f"by {word}"
        text = rng.choice(
            (f"{one.name} and {two.name} {by} {where.after}",
             f"{one.name} vs {two.name} {by} {where.after}",
             f"{one.name} as well as {two.name} {by} {where.after}",
             f"both {one.name} and {two.name} {by} {where.after}",
             f"{by} {one.name} and {two.name} {where.after}",
             f"{one.name} together with {two.name} {by} {where.after}",
             f"compare {one.name} with {two.name} {by} {where.after}")
        )  # fmt: skip
        plan = Plan((*select, one.measure, two.measure), where.preds)
        return Draft(self.finish(rng, text, where.kept), plan, "metric", 2)

    def share(self, rng: Random) -> Draft | None:
        measured = self.measured(rng)
        dim = self.dimension(measured, rng) if measured else None
        if measured is None or dim is None or isinstance(measured.measure, Agg):
            return None
        where = self.filters(measured, rng, (6, 3))
        if _touches(where, (f"{dim.table.name}.{dim.column.name}",)) or where.before:
            return None
        name = self.words.dimension_name(dim, rng)
        part = rng.choice(("share", "percentage", "proportion", "percent", "fraction", "part"))
        text = rng.choice(
            (f"{part} of {measured.name} by {name} {where.after}",
             f"what {part} of {measured.name} comes from each {name} {where.after}",
             f"what {part} of {measured.name} does each {name} make up {where.after}",
             f"{name} {part} of {measured.name} {where.after}",
             f"how is {measured.name} split between {plural(name)} in percent {where.after}",
             f"{measured.name} by {name} as a {part} of the total {where.after}",
             f"each {name}'s {part} of {measured.name} {where.after}",
             f"contribution of each {name} to {measured.name} {where.after}")
        )  # fmt: skip
        plan = Plan((dim.col, Wrapped("SHARE", measured.measure)), where.preds)
        return Draft(self.finish(rng, text, where.kept), plan, "grouping", 2)

    def change(self, rng: Random) -> Draft | None:
        return self._along(rng, "CHANGE")

    def running(self, rng: Random) -> Draft | None:
        return self._along(rng, "RUNNING")

    def _along(self, rng: Random, function: str) -> Draft | None:
        measured = self.measured(rng)
        if measured is None or not self.timed(measured) or isinstance(measured.measure, Agg):
            return None
        grain, word = self.grain(rng)
        where = self.filters(measured, rng, (6, 3))
        if where.before:
            return None
        name, after = measured.name, where.after
        if function == "CHANGE":
            texts = [
                f"{word} over {word} growth of {name} {after}",
                f"{word}-over-{word} change in {name} {after}",
                f"{_ADVERBS[grain]} growth rate of {name} {after}",
                f"{name} growth by {word} {after}",
                f"how much did {name} change from {word} to {word} {after}",
                f"percentage change of {name} by {word} {after}",
                f"{name} {word} on {word} growth {after}",
            ]
        else:
            texts = [
                f"running total of {name} by {word} {after}",
                f"cumulative {name} by {word} {after}",
                f"{name} accumulated by {word} {after}",
                f"cumulated {_ADVERBS[grain]} {name} {after}",
                f"{_ADVERBS[grain]} running sum of {name} {after}",
                f"cumulative total of {name} per {word} {after}",
            ]
        plan = Plan((Bucket(grain, Time()), Wrapped(function, measured.measure)), where.preds)
        return Draft(self.finish(rng, rng.choice(texts), where.kept), plan, "date range", 3)

    def average_of_groups(self, rng: Random) -> Draft | None:
        measured = self.measured(rng)
        if measured is None or isinstance(measured.measure, Agg):
            return None
        where = self.filters(measured, rng, (5, 4))
        if where.before:
            return None
        name, after = measured.name, where.after
        dim: Dim
        if self.timed(measured) and rng.random() < 0.6:
            grain, word = self.grain(rng)
            dim = Bucket(grain, Time())
            texts = [
                f"average {_ADVERBS[grain]} {name} {after}",
                f"average {name} per {word} {after}",
                f"mean {_ADVERBS[grain]} {name} {after}",
                f"{name} per {word} on average {after}",
                f"what is {name} in an average {word} {after}",
                f"what do we have in {name} per {word} on average {after}",
            ]
        else:
            found = self.dimension(measured, rng)
            if found is None:
                return None
            dim = found.col
            word = self.words.dimension_name(found, rng)
            texts = [
                f"average {name} per {word} {after}",
                f"{name} per {word} on average {after}",
                f"on average, how much {name} does a {word} have {after}",
                f"what is the average {name} per {word} {after}",
                f"mean {name} by {word}, one overall figure {after}",
                f"average {name} a {word} has {after}",
            ]
        plan = Plan((AvgEach(measured.measure, dim),), where.preds)
        return Draft(self.finish(rng, rng.choice(texts), where.kept), plan, "nested", 3)

    def groups_above(self, rng: Random) -> Draft | None:
        measured = self.measured(rng)
        dim = self.dimension(measured, rng) if measured else None
        if measured is None or dim is None:
            return None
        where = self.filters(measured, rng, (6, 3))
        if _touches(where, (f"{dim.table.name}.{dim.column.name}",)) or where.before:
            return None
        name, said, after = self.words.dimension_name(dim, rng), measured.name, where.after
        operator = rng.choice(("GT", "GT", "GE", "LT", "LE"))
        number: str | None = str(
            rng.choice((2, 3, 5, 10, 20, 50, 100, 200, 500, 1000, 5000, 10000))
        )
        if rng.random() < 0.25 and operator in ("GT", "LT"):
            number = None
            side = "above" if operator == "GT" else "below"
            compared = f"{side} average"
            texts = [
                f"{plural(name)} with {compared} {said} {after}",
                f"which {plural(name)} have {compared} {said} {after}",
                f"{plural(name)} where {said} is {side} the average {after}",
                f"which {plural(name)} are {side} average in {said} {after}",
            ]
        else:
            assert number is not None
            compared = say_compared(rng, operator, say_number(rng, int(number)))
            texts = [
                f"{plural(name)} with {compared} {said} {after}",
                f"which {plural(name)} have {compared} {said} {after}",
                f"{plural(name)} where {said} is {compared} {after}",
                f"{plural(name)} with {said} {compared} {after}",
                f"which {plural(name)} had {said} of {compared} {after}",
                f"{said} by {name} {after}, only {compared}",
            ]
        select: tuple[Dim | Measure, ...] = (dim.col, measured.measure)
        plan = Plan(select, where.preds, (Compare(operator, measured.measure, number),))
        return Draft(self.finish(rng, rng.choice(texts), where.kept), plan, "nested", 3)

    def top_per_group(self, rng: Random) -> Draft | None:
        measured = self.measured(rng)
        if measured is None or len(self.roots(measured)) > 1:
            return None
        item, group = self.dimension(measured, rng), self.dimension(measured, rng)
        if item is None or group is None or item.col == group.col:
            return None
        where = self.filters(measured, rng, (7, 2))
        dims = tuple(f"{d.table.name}.{d.column.name}" for d in (item, group))
        if _touches(where, dims) or where.before:
            return None
        one, each = self.words.dimension_name(item, rng), self.words.dimension_name(group, rng)
        limit = rng.choice((1, 1, 2, 3, 5))
        said, after = measured.name, where.after
        descending = rng.random() < 0.85
        worth = rng.choice(_MOST if descending else _LEAST)
        if limit == 1:
            texts = [
                f"which {one} has the {worth} {said} in each {each} {after}",
                f"the {one} with the {worth} {said} for each {each} {after}",
                f"{'best' if descending else 'weakest'} {one} per {each} by {said} {after}",
                f"for each {each}, the {one} with the {worth} {said} {after}",
            ]
        else:
            head = "top" if descending else "bottom"
            texts = [
                f"{head} {limit} {plural(one)} per {each} by {said} {after}",
                f"{head} {limit} {plural(one)} in each {each} by {said} {after}",
                f"for each {each} the {limit} {plural(one)} with the {worth} {said} {after}",
            ]
        plan = Plan(
            (group.col, item.col, measured.measure),
            where.preds,
            order=Order(measured.measure, descending),
            limit=str(limit),
            per=group.col,
        )
        return Draft(self.finish(rng, rng.choice(texts), where.kept), plan, "top-k", 3)

    def ratio(self, rng: Random) -> Draft | None:
        one, two = self.measured(rng), self.measured(rng)
        if one is None or two is None or one.measure == two.measure:
            return None
        if isinstance(one.measure, Agg) or isinstance(two.measure, Agg):
            return None
        if self.roots(one) != self.roots(two) and rng.random() < 0.5:
            return None
        same = self.roots(one) == self.roots(two)
        where = self.filters(one, rng, (6, 3)) if same else Where()
        if where.before:
            return None
        text = rng.choice(
            (f"ratio of {one.name} to {two.name} {where.after}",
             f"{one.name} divided by {two.name} {where.after}",
             f"{one.name} relative to {two.name} {where.after}",
             f"{one.name} as a share of {two.name} {where.after}",
             f"{one.name} / {two.name} {where.after}",
             f"what is {one.name} as a percentage of {two.name} {where.after}")
        )  # fmt: skip
        plan = Plan((Arithmetic("DIV", one.measure, two.measure),), where.preds)
        return Draft(self.finish(rng, text, where.kept), plan, "nested", 3)

    def rate(self, rng: Random) -> Draft | None:
        table = self.table(rng)
        makers = (self.conditions.value, self.conditions.flag, self.conditions.rule,
                  self.conditions.gap)  # fmt: skip
        said = rng.choice(makers)(table, rng)
        if said is None:
            return None
        owner = self.words.binder.predicates.table_of(said.pred, "")
        if owner != table.name:
            return None
        where = self.where(table.name, rng, (6, 4), (said.about,))
        if where.before:
            return None
        noun = self.words.noun(table, rng)
        part = rng.choice(("share", "percentage", "proportion", "percent", "fraction"))
        told = f"are {said.before}" if said.before else said.after.replace("that are", "are")
        if said.before:
            texts = [
                f"what {part} of {noun} {told} {where.after}",
                f"{part} of {noun} that {told} {where.after}",
                f"{part} of {said.before} {noun} {where.after}",
                f"what {part} of {noun} were {said.before} {where.after}",
                f"{said.before} rate of {noun} {where.after}",
                f"how many percent of {noun} {told} {where.after}",
            ]
        else:
            texts = [
                f"what {part} of {noun} {told} {where.after}",
                f"{part} of {noun} {said.after} {where.after}",
                f"how many percent of {noun} {told} {where.after}",
                f"the {part} of all {noun} {said.after} {where.after}",
            ]
        plan = Plan((Rate(said.pred),), where.preds)
        kept = (*said.kept, *where.kept)
        return Draft(self.finish(rng, rng.choice(texts), kept), plan, "nested", 3)

    def part_of_time(self, rng: Random) -> Draft | None:
        measured = self.measured(rng)
        if measured is None or not self.timed(measured) or len(self.roots(measured)) > 1:
            return None
        root = self.words.tables[self.roots(measured)[0]]
        kinds = {c.kind for c in root.columns if c.name == root.time_column}
        part = rng.choice(("DOW", "DOW", "HOUR", "MONTH_OF_YEAR"))
        if part == "HOUR" and Kind.TIMESTAMP not in kinds:
            return None
        said = {
            "DOW": ("day of the week", "weekday", "day of week"),
            "HOUR": ("hour of the day", "hour", "time of day"),
            "MONTH_OF_YEAR": ("calendar month across years", "month of the year", "month regardless of year"),
        }[part]  # fmt: skip
        word = rng.choice(said)
        where = self.filters(measured, rng, (6, 3))
        if where.before:
            return None
        bucket = Bucket(part, Time())
        if rng.random() < 0.3:
            worth = rng.choice(_MOST)
            text = f"which {word} has the {worth} {measured.name} {where.after}"
            order = Order(measured.measure, True)
            plan = Plan((bucket, measured.measure), where.preds, order=order, limit="1")
            return Draft(self.finish(rng, text, where.kept), plan, "top-k", 2)
        text = f"{measured.name} {self.by(word, rng)} {where.after}"
        plan = Plan((bucket, measured.measure), where.preds)
        return Draft(self.finish(rng, text, where.kept), plan, "grouping", 2)

    def only_compiled(self, rng: Random) -> Draft | None:
        """Metrics that only MetricFlow can write."""
        able = [m for m in self.words.schema.metrics if m.compiled]
        if not able:
            return None
        metric = rng.choice(able)
        made = rng.choice(metric.compiled)
        name = self.words.metric_name(metric, rng)
        measure = MetricRef(metric.name)
        if not made.group_by:
            text = rng.choice(
                (f"what is the {name}", name, f"what is our {name}", f"{name} overall")
            )
            return Draft(self.finish(rng, text, ()), Plan((measure,)), "metric", 2)
        if made.grain:
            grain = made.grain.upper()
            said = None
            if rng.random() < 0.4 and metric.time_table in self.words.tables:
                said = self.conditions.during(self.words.tables[metric.time_table], rng)
            after = said.after if said else ""
            text = rng.choice(
                (f"{name} by {made.grain} {after}", f"{_ADVERBS[grain]} {name} {after}",
                 f"{name} per {made.grain} {after}", f"{name} for each {made.grain} {after}",
                 f"how did {name} develop by {made.grain} {after}")
            )  # fmt: skip
            plan = Plan((Bucket(grain, Time()), measure), (said.pred,) if said else ())
            return Draft(self.finish(rng, text, (after,)), plan, "metric", 2)
        if made.table not in self.words.tables:
            return None
        table = self.words.tables[made.table]
        dim = Dimension(table, table.column(made.column), False)
        word = self.words.dimension_name(dim, rng)
        text = f"{name} {self.by(word, rng)}"
        return Draft(self.finish(rng, text, ()), Plan((dim.col, measure)), "metric", 2)

    def distinct(self, rng: Random) -> Draft | None:
        table = self.table(rng)
        able = [
            d for d in self.words.dimensions(table.name) if d.own and d.column.kind is Kind.TEXT
        ]
        if not able:
            return None
        dim = rng.choice(able)
        where = self.where(table.name, rng, (6, 3), (f"{table.name}.{dim.column.name}",))
        if where.before:
            return None
        many = plural(self.words.dimension_name(dim, rng))
        noun = self.words.noun(table, rng)
        of = f" of {noun}" if self.words.is_shared(dim.column.name) or rng.random() < 0.4 else ""
        text = rng.choice(
            (f"how many different {many}{of} are there {where.after}",
             f"how many distinct {many}{of} {where.after}", f"number of unique {many}{of} {where.after}",
             f"how many {many}{of} do we have {where.after}", f"count of distinct {many}{of} {where.after}",
             f"how many unique {many}{of} are there {where.after}")
        )  # fmt: skip
        plan = Plan((Agg("COUNT_DISTINCT", dim.col),), where.preds)
        return Draft(self.finish(rng, text, where.kept), plan, "single table", 1)


def _touches(where: Where, columns: tuple[str, ...]) -> bool:
    """Whether a condition is about one of ``columns`` (``table.column``)."""

    def about(pred: object) -> str:
        if isinstance(pred, Value):
            return f"{pred.table}.{pred.column}"
        if isinstance(pred, NotPred):
            return about(pred.of)
        if isinstance(pred, OrPred):
            return about(pred.left)
        of = getattr(pred, "of", None)
        return f"{of.table}.{of.column}" if isinstance(of, Col) else ""

    return any(about(p) in columns for p in where.preds)
