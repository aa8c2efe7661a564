"""Conditions on what points at a row: what exists, how many, how much, both, the one alone."""

from __future__ import annotations

from random import Random

from dbt_t2s.corpus.range_conditions import RangeConditions
from dbt_t2s.corpus.said import Said
from dbt_t2s.corpus.speech import say_compared, say_number
from dbt_t2s.corpus.time_conditions import TimeConditions
from dbt_t2s.corpus.value_conditions import ValueConditions, whole_value
from dbt_t2s.corpus.vocabulary import singular
from dbt_t2s.project.schema import Kind, Table
from dbt_t2s.query.dates import date_spans
from dbt_t2s.query.plan import (
    Agg,
    Col,
    Compare,
    Count,
    During,
    Has,
    Measure,
    Not,
    Only,
    Pred,
    Time,
    Value,
)

_COUNTS = (1, 2, 2, 3, 3, 4, 5, 5, 10)


class ManyConditions(ValueConditions, TimeConditions, RangeConditions):
    """Draws conditions on the rows of a finer table that point at a row."""

    def finer(self, root: Table, rng: Random) -> Table | None:
        """A table whose rows point straight at rows of ``root``."""
        able = [
            t
            for name, t in self.words.tables.items()
            if name != root.name
            and self.words.weights[name] > 0.5
            and (path := self.words.graph.path(name, root.name))
            and len(path) == 1
        ]
        return rng.choice(able) if able else None

    def exists(self, root: Table, rng: Random) -> Said | None:
        finer = self.finer(root, rng)
        if finer is None:
            return None
        noun = self.words.noun(finer, rng)
        inner = self._inner(finer, root, rng)
        before = " ".join(s.before for s in inner if s.before)
        after = " ".join(s.after for s in inner if s.after)
        thing = f"{before} {noun} {after}".strip()
        where = tuple(s.pred for s in inner)
        kept = tuple(k for s in inner for k in s.kept)
        about = f"has {finer.name}"
        if rng.random() < 0.6:
            texts = [
                f"without any {thing}",
                f"with no {thing}",
                f"that have no {thing}",
                f"who never had {thing}",
                f"that have never had any {thing}",
                f"who have not had any {thing}",
                f"without {thing}",
                f"lacking {thing}",
            ]
            pred: Pred = Not(Has(finer.name, where))
            return Said(pred, after=rng.choice(texts), kept=kept, about=about, kind="nested")
        texts = [f"with {thing}", f"that have {thing}", f"who had {thing}", f"having {thing}"]
        if not inner:
            texts += [f"with at least one {singular(noun)}", f"that had any {thing}"]
        pred = Has(finer.name, where)
        return Said(pred, after=rng.choice(texts), kept=kept, about=about, kind="nested")

    def _inner(self, finer: Table, root: Table, rng: Random) -> tuple[Said, ...]:
        """None, one or two conditions on the finer rows and not on ``root``, the date last."""
        way = rng.random()
        if way < 0.55:
            return ()
        value = self.value(finer, rng) if way > 0.7 else None
        dated = not self.words.lasts(finer) and (way < 0.7 or way > 0.88)
        during = self.during(finer, rng) if dated else None
        own = f"{root.name}."  # "places with orders from Berlin": the place itself
        return tuple(s for s in (value, during) if s is not None and not s.about.startswith(own))

    def many(self, root: Table, rng: Random) -> Said | None:
        """``with more than 3 orders``, ``with at least two returned orders``."""
        finer = self.finer(root, rng)
        if finer is None:
            return None
        number = rng.choice(_COUNTS)
        operator = rng.choice(("GT", "GT", "GE", "EQ"))
        compared = say_compared(rng, operator, say_number(rng, number))
        noun = self.words.noun(finer, rng)
        measure: Measure = Count(finer.name)
        kept: tuple[str, ...] = ()
        if rng.random() < 0.35 and (said := self.value(finer, rng)) and said.before:
            measure = Only(measure, said.pred)
            noun, kept = f"{said.before} {noun}", said.kept
        if (operator, number) == ("EQ", 1):
            compared, noun = "exactly one", singular(noun)
        texts = [
            f"with {compared} {noun}",
            f"that have {compared} {noun}",
            f"having {compared} {noun}",
        ]
        pred = Compare(operator, measure, str(number))
        about = f"many {finer.name}"
        return Said(pred, after=rng.choice(texts), kept=kept, about=about, kind="nested")

    def worth(self, root: Table, rng: Random) -> Said | None:
        """``with a total order value of more than 500``."""
        finer = self.finer(root, rng)
        found = self._amount_column(finer, rng) if finer else None
        number = self.number_near(found[0], rng) if found else None
        if finer is None or found is None or number is None or int(number) < 2:
            return None
        column, name = found
        function, word = rng.choice((("SUM", "total"), ("AVG", "average"), ("MAX", "highest")))
        if function == "SUM":
            number = str(int(number) * rng.choice((2, 5, 10)))
        operator = rng.choice(("GT", "GE"))
        compared = say_compared(rng, operator, say_number(rng, int(number)))
        noun = self.words.noun(finer, rng)
        texts = [
            f"with a {word} {name} of {noun} of {compared}",
            f"whose {word} {name} of {noun} is {compared}",
            f"where the {word} {name} of their {noun} is {compared}",
        ]
        pred = Compare(operator, Agg(function, Col(finer.name, column.name)), number)
        about = f"worth {finer.name}"
        return Said(pred, after=rng.choice(texts), kept=(number,), about=about, kind="nested")

    def both(self, root: Table, rng: Random) -> Said | None:
        """``with both web and store orders``, ``with web orders but no store orders``."""
        finer = self.finer(root, rng)
        dims = [
            d
            for d in (self.words.dimensions(finer.name) if finer else ())
            if d.own and d.column.kind is Kind.TEXT and len(d.column.values) > 1
        ]
        if finer is None or not dims:
            return None
        dim = rng.choice(dims)
        one, two = rng.sample(dim.column.values, 2)
        first, second = (whole_value(rng, v) for v in (one, two))
        had, other = (Has(finer.name, (_is(dim.col, v),)) for v in (one, two))
        noun = self.words.noun(finer, rng)
        name = rng.choice(self.words.column_names(dim.table, dim.column))
        way = rng.choice(("both", "both", "one", "neither"))
        texts: tuple[str, ...] = (
            f"with {noun} of both {name} {first} and {name} {second}",
            f"that have {noun} with {name} {first} and also {noun} with {name} {second}",
            f"who had {first} {noun} as well as {second} {noun}",
            f"with both {first} {noun} and {second} {noun}",
        )
        preds: tuple[Pred, Pred] = (had, other)
        if way == "one":
            texts = (
                f"with {noun} of {name} {first} but none of {name} {second}",
                f"who had {first} {noun} but no {second} {noun}",
                f"that have {first} {noun} but never had {second} {noun}",
            )
            preds = (had, Not(other))
        elif way == "neither":
            texts = (
                f"with neither {first} {noun} nor {second} {noun}",
                f"that have neither {noun} of {name} {first} nor of {name} {second}",
                f"who had no {first} {noun} and no {second} {noun}",
            )
            preds = (Not(had), Not(other))
        kept = (one, two, first, second)
        return Said(
            preds[0], also=preds[1:], after=rng.choice(texts), kept=kept,
            about=f"both {finer.name}", kind="nested",
        )  # fmt: skip

    def kept_or_lost(self, root: Table, rng: Random) -> Said | None:
        """``who ordered in 2024 but not in 2025``."""
        finer = self.finer(root, rng)
        if finer is None or not finer.time_column or self.words.lasts(finer):
            return None
        year = self.today.year - rng.choice((0, 1, 1))
        first, second = str(year - 1), str(year)
        spans = [date_spans(text, self.today) for text in (first, second)]
        had, lacks = (Has(finer.name, (During(Time(), s[0].range),)) for s in spans)
        noun = self.words.noun(finer, rng)
        text = rng.choice(
            (
                f"with {noun} in {first} but not in {second}",
                f"that had {noun} in {first} but none in {second}",
                f"who had {noun} in {first} and no {noun} in {second}",
                f"with {noun} in {first} and nothing in {second}",
                f"who had {noun} in {first} but not {second}",
            )
        )
        return Said(
            had, also=(Not(lacks),), after=text, kept=(first, second), about="kept", kind="nested"
        )


def _is(of: Col, value: str) -> Value:
    return Value(of.table, of.column, value)
