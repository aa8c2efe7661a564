"""Conditions of every kind and how they are said: flags, amounts, gaps, rules, what exists."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

from dbt_t2s.corpus.said import Said
from dbt_t2s.corpus.speech import say_compared, say_number
from dbt_t2s.corpus.time_conditions import TimeConditions
from dbt_t2s.corpus.value_conditions import ValueConditions
from dbt_t2s.corpus.vocabulary import singular
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
    Pred,
    RuleRef,
    Time,
)

_COMPARABLE = ((Kind.NUMBER,), (Kind.DATE, Kind.TIMESTAMP))
_BELOW = ("GT", "GE", "LT", "LE")


class Conditions(ValueConditions, TimeConditions):
    """Draws conditions on rows of a table, with their wording."""

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
            (0.5, self.against),
        )
        weights = [w for w, _ in makers]
        for _ in range(6):
            maker = rng.choices([m for _, m in makers], weights)[0]
            made = maker(self.words.tables[root], rng)
            if made is not None and made.about not in without:
                return made
        return None

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
            texts += self.words.flag_clauses(column) * 4
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

    def pair(self, root: Table, rng: Random) -> tuple[tuple[str, str], tuple[str, str]] | None:
        """Two columns that can be compared, each with a name for it."""
        for kinds in rng.sample(_COMPARABLE, len(_COMPARABLE)):
            able = [
                c for c in root.columns if c.kind in kinds and c.role in (Role.MEASURE, Role.TIME)
            ]
            if len(able) > 1:
                one, two = rng.sample(able, 2)
                names = (rng.choice(self.words.column_names(root, c)) for c in (one, two))
                return (one.name, next(names)), (two.name, next(names))
        return None

    def against(self, root: Table, rng: Random) -> Said | None:
        """``paid after their due date``: one column compared with another."""
        found = self.pair(root, rng)
        if found is None:
            return None
        (one, one_name), (two, two_name) = found
        operator = rng.choice(("GT", "LT"))
        if root.column(one).kind is Kind.NUMBER:
            side = rng.choice(("above", "higher than") if operator == "GT" else ("below", "under"))
        else:
            side = rng.choice(("after", "later than") if operator == "GT" else ("before",))
        texts = [
            f"whose {one_name} is {side} the {two_name}",
            f"with a {one_name} {side} their {two_name}",
            f"where {one_name} is {side} {two_name}",
        ]
        pred = Compare(operator, Col(root.name, one), Col(root.name, two))
        return Said(pred, after=rng.choice(texts), about=f"{root.name}.{one}")

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
