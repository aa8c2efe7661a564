"""Conditions and how they are said: values, dates, flags, amounts, gaps, rules, and what exists."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from random import Random

from dbt_t2s.corpus.speech import say_compared, say_date, say_number
from dbt_t2s.corpus.vocabulary import Dimension, Vocabulary, singular
from dbt_t2s.project.schema import Column, Kind, Role, Table
from dbt_t2s.query.dates import date_spans
from dbt_t2s.query.items import humanise
from dbt_t2s.query.plan import (
    Col,
    Compare,
    Count,
    During,
    Flag,
    Has,
    Not,
    Null,
    Or,
    Pred,
    RuleRef,
    Time,
    Value,
)


@dataclass(frozen=True)
class Said:
    """A condition in words: ``before`` the noun (``cancelled orders``) or ``after`` it.

    ``kept`` are words that no typing slip may touch, ``about`` the column it is about.
    """

    pred: Pred
    before: str = ""
    after: str = ""
    kept: tuple[str, ...] = ()
    about: str = ""
    kind: str = "filter"
    also: tuple[Pred, ...] = ()


@dataclass(frozen=True)
class Periods:
    """Two periods of one grain, each in words, and the condition that keeps both."""

    grain: str
    first: str
    second: str
    pred: Pred


_PLACES = ("country", "city", "region", "state", "location", "market", "area", "town")
_WAYS = ("channel", "source", "medium", "method", "platform", "device", "origin")
_STATES = ("status", "state", "stage", "reason", "priority", "tier", "segment", "interval")
_KINDS = ("type", "category", "subcategory", "kind", "class", "brand", "group", "format", "plan")
_BELOW = ("GT", "GE", "LT", "LE")


def say_value(rng: Random, value: str) -> str:
    spoken = humanise(value)
    return rng.choice((value, spoken, spoken, spoken.lower(), spoken.lower()))


class Conditions:
    """Draws conditions on rows of a table, with their wording."""

    def __init__(self, vocabulary: Vocabulary, today: date) -> None:
        self.words = vocabulary
        self.today = today

    def draw(self, root: str, rng: Random, without: Sequence[str] = ()) -> Said | None:
        """One condition on rows of ``root`` about none of the columns in ``without``."""
        makers = (
            (8, self.value),
            (6, self.during),
            (2, self.flag),
            (2, self.amount),
            (1.2, self.gap),
            (1.5, self.rule),
            (1, self.either),
            (1, self.except_value),
            (0.7, self.dated_by),
            (1, self.exists),
            (0.5, self.kept_or_lost),
        )
        weights = [w for w, _ in makers]
        for _ in range(6):
            maker = rng.choices([m for _, m in makers], weights)[0]
            made = maker(self.words.tables[root], rng)
            if made is not None and made.about not in without:
                return made
        return None

    # ---- values

    def _valued(self, root: Table, rng: Random) -> Dimension | None:
        able = [
            d
            for d in self.words.dimensions(root.name)
            if d.column.values and d.column.kind is Kind.TEXT
        ]
        if not able:
            return None
        weights = [
            (3.0 if d.own else 1.0) * (0.4 if d.column.role is Role.TEXT else 1.0) for d in able
        ]
        return rng.choices(able, weights)[0]

    def value(self, root: Table, rng: Random) -> Said | None:
        dim = self._valued(root, rng)
        if dim is None:
            return None
        chosen = rng.choice(dim.column.values)
        spoken = say_value(rng, chosen)
        pred = Value(dim.table.name, dim.column.name, chosen)
        about = f"{dim.table.name}.{dim.column.name}"
        said = Said(pred, kept=(spoken, chosen), about=about)
        if dim.own and rng.random() < 0.35 and dim.column.role is Role.CATEGORY:
            return replace(said, before=spoken)
        return replace(said, after=self.value_phrase(dim, spoken, rng))

    def value_phrase(self, dim: Dimension, spoken: str, rng: Random) -> str:
        """``in Germany``, ``with status returned``, ``by loyalty gold customers``."""
        column = dim.column
        name = rng.choice(self.words.column_names(dim.table, column))
        last = column.name.rsplit("_", 1)[-1]
        display = self.words.display(dim.table)
        named = display is not None and display.name == column.name
        noun = self.words.noun(dim.table, rng)
        general = [
            f"with {name} {spoken}",
            f"where {name} is {spoken}",
            f"whose {name} is {spoken}",
            f"for {spoken}",
            f"({name}: {spoken})",
            f"{spoken} only",
            f"with {spoken} as {name}",
            f"having {name} = {spoken}",
        ]
        own: list[str] = []
        if any(p in column.name for p in _PLACES):
            own = [f"in {spoken}", f"from {spoken}", f"in {spoken}", f"based in {spoken}"]
        elif any(p in column.name for p in _WAYS):
            own = [
                f"via {spoken}",
                f"through {spoken}",
                f"from {spoken}",
                f"by {spoken}",
                f"on {spoken}",
                f"from the {spoken} {last}",
                f"coming from {spoken}",
            ]
        elif any(p in column.name for p in _STATES):
            own = [
                f"that are {spoken}",
                f"that were {spoken}",
                f"in {last} {spoken}",
                f"marked {spoken}",
                f"with {last} {spoken}",
                f"which are {spoken}",
            ]
        elif any(p in column.name for p in _KINDS):
            own = [
                f"in the {spoken} {last}",
                f"of {last} {spoken}",
                f"in {spoken}",
                f"for {spoken}",
                f"of {spoken}",
                f"on the {spoken} {last}",
            ]
        elif named:
            own = [
                f"for {spoken}",
                f"of {spoken}",
                f"at {spoken}",
                f"in {spoken}",
                f"from {spoken}",
                f"for the {singular(noun)} {spoken}",
            ]
        if dim.own:
            return rng.choice(own * 2 + general)
        joined = [
            f"for {noun} with {name} {spoken}",
            f"of {noun} whose {name} is {spoken}",
            f"for {spoken} {noun}",
            f"from {spoken} {noun}",
            f"by {spoken} {noun}",
            f"in {spoken} {noun}",
            f"with {singular(noun)} {name} {spoken}",
            f"where the {singular(noun)}'s {name} is {spoken}",
        ]
        if named:
            return rng.choice(own + joined[-2:])
        if own and any(p in column.name for p in _PLACES):
            joined += [f"{link} {noun} {o}" for o in own for link in ("for", "of")]
        return rng.choice(joined)

    def either(self, root: Table, rng: Random) -> Said | None:
        dim = self._valued(root, rng)
        if dim is None or len(dim.column.values) < 3:
            return None
        one, two = rng.sample(dim.column.values, 2)
        first, second = say_value(rng, one), say_value(rng, two)
        link = rng.choice(("or", "or", "and"))
        pred = Or(
            Value(dim.table.name, dim.column.name, one), Value(dim.table.name, dim.column.name, two)
        )
        spoken = self.value_phrase(dim, f"{first} {link} {second}", rng)
        about = f"{dim.table.name}.{dim.column.name}"
        return Said(pred, after=spoken, kept=(one, two, first, second), about=about)

    def except_value(self, root: Table, rng: Random) -> Said | None:
        dim = self._valued(root, rng)
        if dim is None or len(dim.column.values) < 3:
            return None
        chosen = rng.choice(dim.column.values)
        spoken = say_value(rng, chosen)
        name = rng.choice(self.words.column_names(dim.table, dim.column))
        text = rng.choice(
            (
                f"excluding {spoken}",
                f"except {spoken}",
                f"other than {spoken}",
                f"not {spoken}",
                f"without {spoken}",
                f"leaving out {spoken}",
                f"where {name} is not {spoken}",
                f"that are not {spoken}",
                f"outside {spoken}",
                f"apart from {spoken}",
            )
        )
        pred = Not(Value(dim.table.name, dim.column.name, chosen))
        about = f"{dim.table.name}.{dim.column.name}"
        return Said(pred, after=text, kept=(spoken, chosen), about=about)

    # ---- time

    def span(self, root: Table) -> tuple[date, date]:
        """The days that a table's data covers, cut at today."""
        if root.time_column:
            column = root.column(root.time_column)
            try:
                first = date.fromisoformat((column.minimum or "")[:10])
                last = date.fromisoformat((column.maximum or "")[:10])
            except ValueError:
                return date(self.today.year - 2, 1, 1), self.today
            return first, min(last, self.today) if first < self.today else last
        return date(self.today.year - 2, 1, 1), self.today

    def during(self, root: Table, rng: Random) -> Said | None:
        if not root.time_column:
            return None
        said = say_date(rng, self.today, *self.span(root))
        if said is None:
            return None
        return Said(
            During(Time(), said.range),
            after=said.text,
            kept=(said.text,),
            about="time",
            kind="date range",
        )

    def two_periods(self, rng: Random) -> Periods | None:
        """Two years, quarters or months of the last years."""
        year = self.today.year - rng.choice((0, 1, 1))
        quarter, month = rng.randint(1, 4), rng.randint(1, 12)
        grain = rng.choice(("YEAR", "QUARTER", "QUARTER", "MONTH"))
        name = f"{date(2000, month, 1):%B}"
        first, second = {
            "YEAR": (f"{year - 1}", f"{year}"),
            "QUARTER": (f"Q{quarter} {year - 1}", f"Q{quarter} {year}"),
            "MONTH": (f"{name} {year - 1}", f"{name} {year}"),
        }[grain]
        if rng.random() < 0.2 and grain == "QUARTER" and quarter > 1:
            first = f"Q{quarter - 1} {year}"
        spans = [date_spans(text, self.today) for text in (first, second)]
        if any(len(found) != 1 for found in spans):
            return None
        one, two = (During(Time(), found[0].range) for found in spans)
        return Periods(grain, first, second, Or(one, two))

    def kept_or_lost(self, root: Table, rng: Random) -> Said | None:
        """``who ordered in 2024 but not in 2025``."""
        finer = self.finer(root, rng)
        if finer is None or not finer.time_column:
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

    def dated_by(self, root: Table, rng: Random) -> Said | None:
        """``closed in March``: a date column other than the usual one."""
        others = [c for c in root.columns if c.role is Role.TIME and c.name != root.time_column]
        if not others:
            return None
        column = rng.choice(others)
        said = say_date(rng, self.today, *self.span(root))
        if said is None:
            return None
        name = rng.choice(self.words.column_names(root, column))
        text = rng.choice(
            (f"{name} {said.text}", f"with {name} {said.text}", f"{name} {said.text}")
        )
        about = f"{root.name}.{column.name}"
        pred = During(Col(root.name, column.name), said.range)
        return Said(pred, after=text, kept=(said.text,), about=about, kind="date range")

    # ---- flags, amounts, gaps, rules

    def flag(self, root: Table, rng: Random) -> Said | None:
        flags = [c for c in root.columns if c.kind is Kind.BOOLEAN]
        if not flags:
            return None
        column = rng.choice(flags)
        name = rng.choice(self.words.column_names(root, column))
        pred: Pred = Flag(Col(root.name, column.name))
        about = f"{root.name}.{column.name}"
        if rng.random() < 0.65:
            if rng.random() < 0.4:
                return Said(pred, before=name, about=about)
            texts = [f"that are {name}", f"flagged as {name}", f"with {name}", f"which are {name}"]
            return Said(pred, after=rng.choice(texts), about=about)
        texts = [
            f"that are not {name}",
            f"not {name}",
            f"without {name}",
            f"excluding {name}",
            f"that aren't {name}",
            f"non {name}",
            f"which do not {name}",
        ]
        return Said(Not(pred), after=rng.choice(texts), about=about)

    def number_near(self, column: Column, rng: Random) -> str | None:
        """A round number within a column's range."""
        try:
            low, high = float(column.minimum or ""), float(column.maximum or "")
        except ValueError:
            return None
        if not high > low:
            return None
        drawn = low + (high - low) * rng.choice((0.1, 0.2, 0.3, 0.5)) * rng.random() * 1.5
        for step in (10000, 1000, 500, 100, 50, 10, 5, 1):
            if drawn >= step * 2:
                return str(int(drawn // step * step))
        return str(max(int(drawn), 0)) if high > 3 else None

    def amount(self, root: Table, rng: Random) -> Said | None:
        able = self.words.measured(root)
        if not able:
            return None
        column = rng.choice(able)
        number = self.number_near(column, rng)
        if number is None:
            return None
        operator = rng.choice(_BELOW)
        compared = say_compared(rng, operator, say_number(rng, int(number)))
        name = self.words.measured_name(root, column, rng)
        text = rng.choice(
            (
                f"with {name} {compared}",
                f"with a {name} of {compared}",
                f"where {name} is {compared}",
                f"whose {name} is {compared}",
                f"having {name} {compared}",
                f"with {compared} {name}",
            )
        )
        pred = Compare(operator, Col(root.name, column.name), number)
        return Said(pred, after=text, kept=(number,), about=f"{root.name}.{column.name}")

    def gap(self, root: Table, rng: Random) -> Said | None:
        able = [
            c
            for c in root.columns
            if c.null_share and 0 < c.null_share < 1 and c.role is not Role.KEY
        ]
        if not able:
            return None
        column = rng.choice(able)
        name = rng.choice(self.words.column_names(root, column))
        pred: Pred = Null(Col(root.name, column.name))
        about = f"{root.name}.{column.name}"
        if rng.random() < 0.65:
            texts = [
                f"without a {name}",
                f"with no {name}",
                f"missing {name}",
                f"without {name}",
                f"where {name} is missing",
                f"with an empty {name}",
                f"lacking a {name}",
                f"whose {name} is unknown",
                f"that have no {name}",
                f"with unknown {name}",
                f"that don't have a {name}",
                f"with {name} not set",
                f"not yet {name}",
            ]
            return Said(pred, after=rng.choice(texts), about=about, kind="NULL handling")
        texts = [
            f"with a {name}",
            f"that have a {name}",
            f"where {name} is known",
            f"with {name} filled in",
            f"that have been {name}",
            f"with a known {name}",
        ]
        return Said(Not(pred), after=rng.choice(texts), about=about, kind="NULL handling")

    def rule(self, root: Table, rng: Random) -> Said | None:
        able = [
            r for r in self.words.rules.get(root.name, ()) if not r.name.endswith("_filter")
            and not r.always
        ]  # fmt: skip
        if not able:
            return None
        rule = rng.choice(able)
        noun = singular(self.words.nouns(root)[0])
        names = (humanise(rule.name).lower(), *rule.synonyms)
        name = rng.choice(names)
        bare = " ".join(w for w in name.split() if w not in noun.split())
        about = f"rule {rule.name}"
        pred = RuleRef(rule.name)
        if bare and bare != name:
            return Said(pred, before=bare, about=about)
        texts = [f"that count as {name}", f"that are {name}", f"in {name}", f"which are {name}"]
        return Said(pred, after=rng.choice(texts), about=about)

    # ---- what exists elsewhere

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
        inner = None
        if rng.random() < 0.4:
            inner = self.during(finer, rng) if rng.random() < 0.5 else self.value(finer, rng)
        thing = f"{inner.before} {noun} {inner.after}" if inner else noun
        where = (inner.pred,) if inner else ()
        kept = inner.kept if inner else ()
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
        texts = [
            f"with {thing}",
            f"that have {thing}",
            f"with at least one {singular(noun)}",
            f"who had {thing}",
            f"having {thing}",
            f"that had any {thing}",
        ]
        if inner:
            texts = texts[:2] + texts[3:5]
        return Said(
            Has(finer.name, where), after=rng.choice(texts), kept=kept, about=about, kind="nested"
        )

    def many(self, root: Table, rng: Random) -> Said | None:
        """``with more than 3 orders``."""
        finer = self.finer(root, rng)
        if finer is None:
            return None
        number = rng.choice((1, 2, 2, 3, 3, 4, 5, 5, 10))
        operator = rng.choice(("GT", "GT", "GE", "EQ"))
        compared = say_compared(rng, operator, say_number(rng, number))
        noun = self.words.noun(finer, rng)
        texts = [
            f"with {compared} {noun}",
            f"that have {compared} {noun}",
            f"having {compared} {noun}",
        ]
        pred = Compare(operator, Count(finer.name), str(number))
        return Said(
            pred, after=rng.choice(texts), kept=(), about=f"many {finer.name}", kind="nested"
        )
