"""Conditions on known values: one, one of two, or all but one."""

from __future__ import annotations

import re
from dataclasses import replace
from random import Random

from dbt_t2s.corpus.said import ConditionRoom, Said
from dbt_t2s.corpus.speech import decent
from dbt_t2s.corpus.vocabulary import Dimension, singular
from dbt_t2s.project.schema import Column, Kind, Role, Table
from dbt_t2s.query.items import humanise
from dbt_t2s.query.lexicon import code_names
from dbt_t2s.query.plan import Not, Or, Value

_PLACES = ("country", "city", "region", "state", "location", "market", "area", "town")
_WAYS = ("channel", "source", "medium", "method", "platform", "device", "origin")
_STATES = ("status", "state", "stage", "reason", "priority", "tier", "segment", "interval")
_SLIPPERY = 7  # letters that a value must have to be told from others when misspelt
# What the word after it is not said without.
_LEANING = frozenset(
    "north south east west new old los las san santa saint st great united upper lower el la the "
    "northern southern eastern western central".split()
)
_SHORTEST_END = 4  # letters
_KINDS = ("type", "category", "subcategory", "kind", "class", "brand", "group", "format", "plan")


def say_value(rng: Random, value: str, column: str = "", others: tuple[str, ...] = ()) -> str:
    """The value as people write it.

    Now and then it is its end alone, which none of ``others`` has, the English name of a code or
    misspelt, for the linker to complete: who draws it must check that it does.
    """
    spoken = _spoken(value)
    end = _end(spoken) if rng.random() < 0.12 else ""
    if end and sum(end in other.split() for other in others) == 1:
        return end
    names = code_names(value, column)
    if names and rng.random() < 0.6:
        return rng.choice(names)
    if len(spoken) >= _SLIPPERY and spoken.isalpha() and rng.random() < 0.04:
        return decent(slip(rng, spoken), spoken)
    return whole_value(rng, value)


def _end(name: str) -> str:
    """The end of a proper name that is said alone: "Altona" of Hamburg Altona.

    There is none of out_of_home, nor of North America and Los Angeles: it names something else.
    """
    *before, last = name.split()
    proper = bool(before) and all(word[0].isupper() for word in (*before, last))
    whole = not before or before[-1].lower() in _LEANING or len(last) < _SHORTEST_END
    return last if proper and not whole else ""


def _spoken(value: str) -> str:
    """The value in plain words; "45-54" keeps its dash."""
    return value if re.search(r"\d-\d", value) else humanise(value)


def _word(column: Column, words: tuple[str, ...]) -> str:
    """The longest of the words that a column's name holds; empty where it holds none."""
    return max((word for word in words if word in column.name), key=len, default="")


def whole_value(rng: Random, value: str) -> str:
    """The value in full, as it is stored or in plain words, in any case."""
    spoken = _spoken(value)
    return rng.choice((value, spoken, spoken, spoken.lower(), spoken.lower(), spoken.upper()))


def slip(rng: Random, word: str) -> str:
    """The word with two letters swapped or one left out, its first two in place."""
    at = rng.randrange(2, len(word) - 1)
    if rng.random() < 0.5:
        return word[:at] + word[at + 1 :]
    return word[:at] + word[at + 1] + word[at] + word[at + 2 :]


class ValueConditions(ConditionRoom):
    """Draws conditions on columns whose values are known."""

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
        about = f"{dim.table.name}.{dim.column.name}"
        others = dim.column.values if dim.column.values_complete else ()
        spoken = say_value(rng, chosen, about, others)
        pred = Value(dim.table.name, dim.column.name, chosen)
        said = Said(pred, kept=(spoken, chosen), about=about)
        a_code = spoken in code_names(chosen, about)  # "dollars orders" is not said
        if a_code and self.words.is_value(spoken):
            return None  # "stores in United Kingdom": the country, and not the region UK
        if self.words.is_doubled(dim, chosen):
            return replace(said, after=self._in_full(dim, spoken, rng))
        told = a_code or self.words.is_metric(spoken, dim.table)
        if dim.own and not told and rng.random() < 0.35 and dim.column.role is Role.CATEGORY:
            return replace(said, before=spoken)
        return replace(said, after=self.value_phrase(dim, spoken, rng))

    def _in_full(self, dim: Dimension, spoken: str, rng: Random) -> str:
        """The value with its column's name, where another column has it, too."""
        name = rng.choice(self.words.column_names(dim.table, dim.column))
        if not dim.own:
            name = f"{singular(self.words.noun(dim.table, rng))} {name}"
        return rng.choice(
            (
                f"with {name} {spoken}",
                f"where {name} is {spoken}",
                f"whose {name} is {spoken}",
                f"({name}: {spoken})",
                f"having {name} = {spoken}",
            )
        )

    def value_phrase(self, dim: Dimension, spoken: str, rng: Random) -> str:
        """``in Germany``, ``with status returned``, ``by loyalty gold customers``."""
        column = dim.column
        name = rng.choice(self.words.column_names(dim.table, column))
        display = self.words.display(dim.table)
        named = display is not None and display.name == column.name
        noun = self.words.noun(dim.table, rng)
        general = [
            f"with {name} {spoken}",
            f"where {name} is {spoken}",
            f"whose {name} is {spoken}",
            f"for {spoken}",
            f"({name}: {spoken})",
            f"with {spoken} as {name}",
            f"having {name} = {spoken}",
        ]
        own: list[str] = []
        if _word(column, _PLACES):
            own = [f"in {spoken}", f"from {spoken}", f"in {spoken}", f"in {spoken}"]
        elif word := _word(column, _WAYS):
            own = [
                f"via {spoken}",
                f"through {spoken}",
                f"from {spoken}",
                f"on {spoken}",
                f"from the {spoken} {word}",
                f"coming from {spoken}",
            ]
        elif word := _word(column, _STATES):
            own = [
                f"that are {spoken}",
                f"that were {spoken}",
                f"in {word} {spoken}",
                f"marked {spoken}",
                f"with {word} {spoken}",
                f"which are {spoken}",
            ]
        elif word := _word(column, _KINDS):
            own = [
                f"in the {spoken} {word}",
                f"of {word} {spoken}",
                f"in {spoken}",
                f"for {spoken}",
                f"of {spoken}",
                f"on the {spoken} {word}",
            ]
        elif named and self.words.place(dim.table):
            own = [f"{link} {spoken}" for link in ("at", "at", "in", "from", "for", "of")]
        elif named:
            own = [f"{link} {spoken}" for link in ("for", "of", "from")]
            own.append(f"for the {singular(noun)} {spoken}")
        if dim.own and not own and self.words.tells(dim):
            own = [f"in {spoken}", f"of {spoken}"]
        if dim.own and self.words.tells(dim) and not re.search(r" (or|and) |\d", spoken):
            general.append(f"{spoken} only")
        if dim.own:
            return rng.choice(own * 5 + general)
        if _word(column, _STATES):
            own = []  # orders of a customer whose tier is silver are not silver
        if own and self.words.tells(dim) and rng.random() < 0.6:
            return rng.choice(own)
        joined = [
            f"for {noun} with {name} {spoken}",
            f"of {noun} whose {name} is {spoken}",
            f"with {singular(noun)} {name} {spoken}",
            f"where the {singular(noun)}'s {name} is {spoken}",
        ]
        if named:
            return rng.choice(own + joined[-2:])
        if not self.words.is_metric(spoken, dim.table):
            joined += [f"{link} {spoken} {noun}" for link in ("for", "from", "by", "in")]
        if own and _word(column, _PLACES):
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
        doubled = any(self.words.is_doubled(dim, each) for each in (one, two))
        phrase = self._in_full if doubled else self.value_phrase
        spoken = phrase(dim, f"{first} {link} {second}", rng)
        about = f"{dim.table.name}.{dim.column.name}"
        return Said(pred, after=spoken, kept=(one, two, first, second), about=about)

    def neither(self, root: Table, rng: Random) -> Said | None:
        """``that are neither returned nor cancelled``: all but two values."""
        dim = self._valued(root, rng)
        if dim is None or len(dim.column.values) < 4:
            return None
        one, two = rng.sample(dim.column.values, 2)
        first, second = (whole_value(rng, v) for v in (one, two))
        of = (dim.table.name, dim.column.name)
        name = rng.choice(self.words.column_names(dim.table, dim.column))
        if not dim.own:
            name = f"{singular(self.words.noun(dim.table, rng))} {name}"
        text = rng.choice(
            (
                f"whose {name} is neither {first} nor {second}",
                f"with a {name} other than {first} and {second}",
                f"where {name} is not {first} or {second}",
                f"except those with {name} {first} and {second}",
                f"with {name} neither {first} nor {second}",
            )
        )
        pred = Not(Or(Value(*of, one), Value(*of, two)))
        return Said(pred, after=text, kept=(one, two, first, second), about=".".join(of))

    def except_value(self, root: Table, rng: Random) -> Said | None:
        dim = self._valued(root, rng)
        if dim is None or len(dim.column.values) < 3:
            return None
        chosen = rng.choice(dim.column.values)
        spoken = say_value(rng, chosen)
        name = rng.choice(self.words.column_names(dim.table, dim.column))
        owned = name if dim.own else f"{singular(self.words.noun(dim.table, rng))} {name}"
        texts = [
            f"where {owned} is not {spoken}",
            f"whose {owned} is not {spoken}",
            f"with a {owned} other than {spoken}",
            f"except those with {owned} {spoken}",
        ]
        if self.words.tells(dim):
            texts += [
                f"excluding {spoken}",
                f"except {spoken}",
                f"other than {spoken}",
                f"leaving out {spoken}",
                f"apart from {spoken}",
            ]
        if self.words.tells(dim) and dim.own:
            texts += [f"not {spoken}", f"that are not {spoken}"]
        if _word(dim.column, _PLACES) and dim.own:
            texts += [f"outside {spoken}", f"not in {spoken}"] * 2
        text = rng.choice(texts)
        pred = Not(Value(dim.table.name, dim.column.name, chosen))
        about = f"{dim.table.name}.{dim.column.name}"
        return Said(pred, after=text, kept=(spoken, chosen), about=about)
