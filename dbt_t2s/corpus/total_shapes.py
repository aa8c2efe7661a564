"""Questions for one figure: metrics, counts and aggregates as a whole."""

from __future__ import annotations

import re
from random import Random

from dbt_t2s.corpus.grains import GRAIN_DAYS
from dbt_t2s.corpus.measured import ADVERBS, Measured, MeasureRoom, touches
from dbt_t2s.corpus.nouns import is_plural
from dbt_t2s.corpus.shapes import Draft, Where, type_of
from dbt_t2s.corpus.vocabulary import Dimension, plural
from dbt_t2s.corpus.wording import earned, head
from dbt_t2s.project.schema import Kind, Role
from dbt_t2s.query.plan import Agg, Bucket, Col, Count, Dim, Measure, MetricRef, Plan, Time

_CLAUSES = re.compile(r"\b(?:are|were) (?:that|which|who|whose|where|having|all of)\b")


# How far a metric looks back, in the words of DuckDB and others.
_INTERVAL = re.compile(r"interval '?(\d+)'? '?(day|week|month|quarter|year)", re.I)
_DATEADD = re.compile(r"dateadd\((day|week|month|quarter|year), -(\d+)", re.I)


def _offset_days(sql: str) -> int:
    """The days by which a metric's SQL moves dates, any number where it moves none."""
    spans = [(unit, number) for number, unit in _INTERVAL.findall(sql)]
    days = [GRAIN_DAYS[u.upper()] * int(n) for u, n in (*spans, *_DATEADD.findall(sql))]
    return min(days, default=10**6)


def _is_odd(before: str, measured: Measured) -> bool:
    """``open open stores``, or ``completed buyers``: what is counted is not what is completed."""
    counts = measured.metric is not None and not measured.counts
    said = set(before.split()) <= set(measured.name.split())
    made = measured.metric.measure if measured.metric else None
    return said or (counts and made is not None and made.aggregation == "count_distinct")


class TotalShapes(MeasureRoom):
    """Shapes without a breakdown."""

    def total(self, rng: Random) -> Draft | None:
        measured = self.measured(rng)
        if measured is None:
            return None
        where = self.filters(measured, rng, (2, 5, 2.5))
        if where.before and _is_odd(where.before, measured):
            return None
        name = where.around(measured.name)
        # Rows would be shown for these words, not their number.
        plain = measured.names_rows
        rows = measured.name.startswith("all ") or (measured.counts and plain)
        # "what are the products sold" asks for rows, "completed orders in Q3" may ask how many.
        named = measured.countable and plain and is_plural(head(measured.name))
        noun_phrase = not rows and rng.random() < 0.45
        text = name
        if not noun_phrase:
            text = rng.choice(
                (
                    f"what is the {name}",
                    f"what was the {name}",
                    f"what is {name}",
                    f"what's {name}",
                    f"how much {name} did we have",
                    f"how much was {name}",
                    f"how high is {name}",
                    f"what are the {name}",
                    f"what {measured.name} did we have {where.after}",
                    f"how big was {name}",
                    f"how are we doing on {name}",
                    f"how much {name} do we have",
                    *(f"{asks} {where.after}" for asks in earned(measured.name) * 2),
                )
            )
            if where.before and where.before not in text:
                return None
        asked_for = rows or (named and not noun_phrase)
        if asked_for or (measured.countable and rng.random() < 0.6):
            text = self.how_many_of(measured, where, rng)
        plan = Plan((measured.measure,), where.preds)
        base = "metric" if measured.metric else "single table"
        kind = type_of(base, where, 1)
        text = self.finish(rng, text, where.kept, ordered=text != name or not plain)
        return Draft(text, plan, kind, 2)

    def how_many(self, rng: Random) -> Draft | None:
        table = self.table(rng)
        metric = self.words.counted_by(table.name)
        measure: Measure = Count(table.name)
        settled: tuple[str, ...] = ()
        if metric is not None:
            made = self.metric(metric, rng)
            measure, settled = made.measure, made.settled
        where = self.where(table.name, rng, (1, 6, 3))
        if metric is not None and touches(where, settled):
            measure = Count(table.name)
        if rng.random() < 0.12:
            said = self.conditions.many(table, rng)
            if said is not None and not where.preds:
                where = Where((said.pred,), "", said.after, (), frozenset({said.kind}))
        noun = where.around(self.words.noun(table, rng))
        late = f"{where.before} {self.words.noun(table, rng)}".strip()
        texts = [
            f"how many {noun} are there",
            f"how many {noun}",
            f"how many {noun}",
            f"how many {noun} do we have",
            f"number of {noun}",
            f"count of {noun}",
            f"count {noun}",
            f"what is the number of {noun}",
            f"how many {late} are {where.after}",
            f"how many {late} were {where.after}",
            f"how many {late} did we have {where.after}",
            f"how many {late} were there {where.after}",
            f"total number of {noun}",
            f"# {noun}",
            f"how many {late} do we have {where.after}",
            f"the number of {noun}",
        ]
        happened = () if self.words.lasts(table) else self.words.happened(table)
        if "date range" in where.kinds and happened:
            texts += [f"how many {late} {rng.choice(happened)} {where.after}"] * 6
        # "how many cases are which are open"
        texts = [t for t in texts if not _CLAUSES.search(t)]
        text = rng.choice(texts)
        plan = Plan((measure,), where.preds)
        kind = type_of("single table", where, 1)
        return Draft(self.finish(rng, text, where.kept), plan, kind, 2)

    def aggregate(self, rng: Random) -> Draft | None:
        measured = self.column_aggregate(rng)
        if measured is None:
            return None
        where = self.filters(measured, rng, (4, 5, 1))
        text = rng.choice(
            (
                f"what is the {measured.name} {where.after}",
                f"{measured.name} {where.after}",
                f"the {measured.name} {where.after}",
                f"what was the {measured.name} {where.after}",
                f"what's the {measured.name} {where.after}",
            )
        )
        if where.before:
            text = text.replace(measured.name, f"{measured.name} for {where.before} ones")
        plan = Plan((measured.measure,), where.preds)
        kind = type_of("single table", where, 1)
        return Draft(self.finish(rng, text, where.kept), plan, kind, 2)

    def extent(self, rng: Random) -> Draft | None:
        """``from what to what price do products go``: a column's least and greatest value."""
        table = self.table(rng)
        able = [*self.words.measured(table), *(c for c in table.columns if c.role is Role.TIME)]
        if not able:
            return None
        column = rng.choice(able)
        about = f"{table.name}.{column.name}"
        where = self.where(table.name, rng, (6, 3), (about, "time"))
        if where.before:
            return None
        name, noun = self.words.measured_name(table, column, rng), self.words.noun(table, rng)
        least, most = rng.choice(
            (("first", "last"), ("earliest", "latest"))
            if column.role is Role.TIME
            else (("lowest", "highest"), ("smallest", "largest"), ("minimum", "maximum"))
        )
        text = rng.choice(
            (
                f"{least} and {most} {name} of {noun} {where.after}",
                f"what are the {least} and {most} {name} of {noun} {where.after}",
                f"range of {name} of {noun} {where.after}: {least} and {most}",
                f"what is the {least} and the {most} {name} of {noun} {where.after}",
                f"between which {least} and {most} {name} do {noun} {where.after} lie",
            )
        )
        of = Col(table.name, column.name)
        plan = Plan((Agg("MIN", of), Agg("MAX", of)), where.preds)
        kind = type_of("single table", where, 1)
        return Draft(self.finish(rng, text, where.kept), plan, kind, 1)

    def two_measures(self, rng: Random) -> Draft | None:
        one = self.measured(rng)
        two = self.beside(one, rng) if one and rng.random() < 0.8 else self.measured(rng)
        if one is None or two is None or one.measure == two.measure:
            return None
        apart = self.roots(one) != self.roots(two)
        if apart and (not (one.metric and two.metric) or rng.random() < 0.6):
            return None
        where = Where() if apart else self.filters(one, rng, (6, 3))
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
            grain, word = self.grain(one, rng)
            select, by = [Bucket(grain, Time())], f"by {word}"
        text = rng.choice(
            (
                f"{one.name} and {two.name} {by} {where.after}",
                f"{one.name} vs {two.name} {by} {where.after}",
                f"{one.name} as well as {two.name} {by} {where.after}",
                f"both {one.name} and {two.name} {by} {where.after}",
                f"{by} {one.name} and {two.name} {where.after}",
                f"{one.name} together with {two.name} {by} {where.after}",
                f"compare {one.name} with {two.name} {by} {where.after}",
            )
        )
        plan = Plan((*select, one.measure, two.measure), where.preds)
        return Draft(self.finish(rng, text, where.kept), plan, "metric", 2)

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
            if metric.type == "derived" and GRAIN_DAYS[grain] > _offset_days(made.sql):
                return None  # no year over year holds what grew month over month
            said = None
            if rng.random() < 0.6 and metric.time_table in self.words.tables:
                said = self.conditions.during(self.words.tables[metric.time_table], rng)
            if said is not None and rng.random() < 0.35:
                text = rng.choice(
                    (
                        f"{name} {said.after}",
                        f"what was the {name} {said.after}",
                        f"the {name} {said.after}",
                    )
                )
                plan = Plan((measure,), (said.pred,))
                return Draft(self.finish(rng, text, (said.after,)), plan, "metric", 2)
            after = said.after if said else ""
            text = rng.choice(
                (
                    f"{name} by {made.grain} {after}",
                    f"{ADVERBS[grain]} {name} {after}",
                    f"{name} per {made.grain} {after}",
                    f"{name} for each {made.grain} {after}",
                    f"how did {name} develop by {made.grain} {after}",
                )
            )
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
        named = self.words.display(table)
        able = [
            d
            for d in self.words.dimensions(table.name)
            if d.own
            and d.column.kind is Kind.TEXT
            and d.column is not named
            and not self.is_ruled(d.col, table.name)
        ]
        if not able:
            return None
        dim = rng.choice(able)
        where = self.where(table.name, rng, (6, 3), (f"{table.name}.{dim.column.name}",))
        if where.before:
            return None
        name = self.words.dimension_name(dim, rng)
        many = plural(name)
        noun = self.words.noun(table, rng)
        of = f" of {noun}" if self.is_shared(table, dim.column, name) or rng.random() < 0.4 else ""
        text = rng.choice(
            (
                f"how many different {many}{of} are there {where.after}",
                f"how many distinct {many}{of} {where.after}",
                f"number of unique {many}{of} {where.after}",
                f"how many {many}{of} do we have {where.after}",
                f"count of distinct {many}{of} {where.after}",
                f"how many unique {many}{of} are there {where.after}",
            )
        )
        plan = Plan((Agg("COUNT_DISTINCT", dim.col),), where.preds)
        return Draft(self.finish(rng, text, where.kept), plan, "single table", 1)
