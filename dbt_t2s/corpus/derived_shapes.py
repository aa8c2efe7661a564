"""Questions that calculate with measures: changes, running totals, averages of groups, ratios."""

from __future__ import annotations

import re
from random import Random

from dbt_t2s.corpus.measured import ADVERBS, MeasureRoom, touches
from dbt_t2s.corpus.shapes import Draft, Where
from dbt_t2s.corpus.speech import say_compared, say_number
from dbt_t2s.corpus.vocabulary import plural
from dbt_t2s.project.schema import Kind
from dbt_t2s.query.plan import (
    Agg,
    Arithmetic,
    AvgEach,
    Bucket,
    Col,
    Compare,
    Diff,
    Dim,
    Measure,
    Plan,
    Rate,
    Time,
    Wrapped,
)


class DerivedShapes(MeasureRoom):
    """Shapes with arithmetic or conditions over measures."""

    def change(self, rng: Random) -> Draft | None:
        return self._along(rng, "CHANGE")

    def running(self, rng: Random) -> Draft | None:
        return self._along(rng, "RUNNING")

    def _along(self, rng: Random, function: str) -> Draft | None:
        measured = self.measured(rng)
        if measured is None or not self.timed(measured) or not measured.additive:
            return None
        grain, word = self.grain(measured, rng)
        where = self.filters(measured, rng, (6, 3))
        if where.before or not self.spans(where, grain):
            return None
        name, after = measured.name, where.after
        if function == "CHANGE":
            texts = [
                f"{word} over {word} growth of {name} {after}",
                f"{word}-over-{word} change in {name} {after}",
                f"{ADVERBS[grain]} growth rate of {name} {after}",
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
                f"cumulated {ADVERBS[grain]} {name} {after}",
                f"{ADVERBS[grain]} running sum of {name} {after}",
                f"cumulative total of {name} per {word} {after}",
            ]
        plan = Plan((Bucket(grain, Time()), Wrapped(function, measured.measure)), where.preds)
        return Draft(self.finish(rng, rng.choice(texts), where.kept), plan, "date range", 3)

    def average_of_groups(self, rng: Random) -> Draft | None:
        measured = self.measured(rng)
        if measured is None or not measured.additive:
            return None
        where = self.filters(measured, rng, (5, 4))
        if where.before:
            return None
        name, after = measured.name, where.after
        dim: Dim
        if self.timed(measured) and rng.random() < 0.6:
            grain, word = self.grain(measured, rng)
            if not self.spans(where, grain):
                return None
            dim = Bucket(grain, Time())
            texts = [
                f"average {ADVERBS[grain]} {name} {after}",
                f"average {name} per {word} {after}",
                f"mean {ADVERBS[grain]} {name} {after}",
                f"{name} per {word} on average {after}",
                f"what is {name} in an average {word} {after}",
                f"what do we have in {name} per {word} on average {after}",
            ]
        else:
            found = self.dimension(measured, rng, ranked=True)
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
        dim = self.dimension(measured, rng, ranked=True) if measured else None
        if measured is None or dim is None:
            return None
        where = self.filters(measured, rng, (6, 3))
        if touches(where, (f"{dim.table.name}.{dim.column.name}",)) or where.before:
            return None
        name, said, after = self.words.dimension_name(dim, rng), measured.name, where.after
        by: Dim = dim.col
        if self.timed(measured) and rng.random() < 0.25:
            grain, name = self.grain(measured, rng)
            by = Bucket(grain, Time())
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
        select: tuple[Dim | Measure, ...] = (by, measured.measure)
        plan = Plan(select, where.preds, (Compare(operator, measured.measure, number),))
        return Draft(self.finish(rng, rng.choice(texts), where.kept), plan, "nested", 3)

    def periods(self, rng: Random) -> Draft | None:
        """``order volume in Q4 2024 and Q4 2025``: a line for each of two periods."""
        measured = self.measured(rng)
        if measured is None or not self.timed(measured):
            return None
        said = self.conditions.two_periods(rng)
        where = self.filters(measured, rng, (7, 3))
        if said is None or where.before or "date range" in where.kinds:
            return None
        name, after = measured.name, where.after
        text = rng.choice(
            (
                f"compare {name} {after} in {said.first} and {said.second}",
                f"{name} {after} in {said.first} vs {said.second}",
                f"{name} {said.first} versus {said.second} {after}",
                f"{name} for {said.first} and {said.second} {after}",
                f"{name} {after} in {said.first} compared to {said.second}",
                f"how does {name} in {said.first} compare with {said.second} {after}",
                f"{said.first} and {said.second}: {name} {after}",
            )
        )
        plan = Plan((Bucket(said.grain, Time()), measured.measure), (*where.preds, said.pred))
        kept = (*where.kept, said.first, said.second)
        return Draft(self.finish(rng, text, kept), plan, "date range", 3)

    def ratio(self, rng: Random) -> Draft | None:
        one = self.measured(rng)
        two = self.beside(one, rng) if one and rng.random() < 0.7 else self.measured(rng)
        if one is None or two is None or one.measure == two.measure:
            return None
        if not (one.additive and two.additive) or Agg in (type(one.measure), type(two.measure)):
            return None
        if self.roots(one) != self.roots(two) and rng.random() < 0.5:
            return None
        same = self.roots(one) == self.roots(two)
        where = self.filters(one, rng, (6, 3)) if same else Where()
        if where.before:
            return None
        text = rng.choice(
            (
                f"ratio of {one.name} to {two.name} {where.after}",
                f"{one.name} divided by {two.name} {where.after}",
                f"{one.name} relative to {two.name} {where.after}",
                f"{one.name} / {two.name} {where.after}",
            )
        )
        ratio = Arithmetic("DIV", one.measure, two.measure)
        dim = self.dimension(one, rng) if same and rng.random() < 0.4 else None
        if dim is not None and not touches(where, (f"{dim.table.name}.{dim.column.name}",)):
            text = f"{text} {self.by(self.words.dimension_name(dim, rng), rng)}"
            plan = Plan((dim.col, ratio), where.preds)
        else:
            plan = Plan((ratio,), where.preds)
        return Draft(self.finish(rng, text, where.kept), plan, "nested", 3)

    def average_difference(self, rng: Random) -> Draft | None:
        """``average days from the order date to the delivery date``."""
        table = self.table(rng)
        found = self.conditions.pair(table, rng)
        if found is None:
            return None
        (one, one_name), (two, two_name) = found
        where = self.where(table.name, rng, (6, 4))
        if where.before:
            return None
        noun, after = self.words.noun(table, rng), where.after
        function, said = rng.choice((("AVG", "average"), ("AVG", "mean"), ("MAX", "longest"),
                                     ("MEDIAN", "median")))  # fmt: skip
        if table.column(one).kind is Kind.NUMBER:
            said = "highest" if function == "MAX" else said
            texts = [
                f"{said} difference between {one_name} and {two_name} of {noun} {after}",
                f"by how much does {one_name} exceed {two_name} of {noun}, {said} {after}",
            ]
        else:
            texts = [
                f"{said} time from {two_name} to {one_name} of {noun} in days {after}",
                f"{said} number of days between {two_name} and {one_name} of {noun} {after}",
                f"how many days after {two_name} is {one_name} of {noun}, {said} {after}",
            ]
        of = Diff(Col(table.name, one), Col(table.name, two))
        plan = Plan((Agg(function, of),), where.preds)
        return Draft(self.finish(rng, rng.choice(texts), where.kept), plan, "nested", 3)

    def rate(self, rng: Random) -> Draft | None:
        table = self.table(rng)
        makers = (
            self.conditions.value,
            self.conditions.flag,
            self.conditions.rule,
            self.conditions.gap,
        )
        said = rng.choice(makers)(table, rng)
        if said is None:
            return None
        owner = self.words.binder.predicates.table_of(said.pred, "")
        if owner != table.name or self.names_rows(said.pred, table.name):
            return None
        where = self.where(table.name, rng, (6, 4), (said.about,))
        if where.before:
            return None
        noun = self.words.noun(table, rng)
        part = rng.choice(("share", "percentage", "proportion", "percent", "fraction"))
        told = f"are {said.before}" if said.before else _are(said.after)
        whole = f"{noun} {where.after}"
        texts = [f"what {part} of {whole} {told}", f"how many percent of {whole} {told}"]
        if not where.preds:
            # Beside another condition these leave open which of the two the whole is.
            texts += [f"{part} of {noun} {said.after}", f"the {part} of all {noun} {said.after}"]
        elif not told.startswith("are "):
            return None
        if said.before:
            texts = [
                *texts[:2],
                f"{part} of {whole} that {told}",
                f"what {part} of {whole} were {said.before}",
                f"{said.before} rate of {whole}",
            ]
            if not where.preds:
                texts.append(f"{part} of {said.before} {noun}")
        plan = Plan((Rate(said.pred),), where.preds)
        kept = (*said.kept, *where.kept)
        return Draft(self.finish(rng, rng.choice(texts), kept), plan, "nested", 3)


def _are(clause: str) -> str:
    """A clause as what is said of its noun: ``are returned`` for ``which are returned``."""
    return re.sub(r"^(that|which) are\b", "are", clause)
