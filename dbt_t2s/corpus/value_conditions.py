"""Conditions on known values: one, one of two, or all but one."""

from __future__ import annotations

from dataclasses import replace
from random import Random

from dbt_t2s.corpus.said import ConditionRoom, Said
from dbt_t2s.corpus.vocabulary import Dimension, singular
from dbt_t2s.project.schema import Kind, Role, Table
from dbt_t2s.query.items import humanise
from dbt_t2s.query.plan import Not, Or, Value

_PLACES = ("country", "city", "region", "state", "location", "market", "area", "town")
_WAYS = ("channel", "source", "medium", "method", "platform", "device", "origin")
_STATES = ("status", "state", "stage", "reason", "priority", "tier", "segment", "interval")
_KINDS = ("type", "category", "subcategory", "kind", "class", "brand", "group", "format", "plan")


def say_value(rng: Random, value: str) -> str:
    """The value as people write it; now and then a part of it alone, for the linker to complete."""
    spoken = humanise(value)
    parts = spoken.split()
    if len(parts) > 1 and rng.random() < 0.12:
        return rng.choice((parts[0], parts[-1], " ".join(parts[-2:])))
    return rng.choice((value, spoken, spoken, spoken.lower(), spoken.lower()))


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
            own = [f"in {spoken}", f"from {spoken}", f"in {spoken}", f"in {spoken}"]
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
        elif named and self.words.place(dim.table):
            own = [f"{link} {spoken}" for link in ("at", "at", "in", "from", "for", "of")]
        elif named:
            own = [f"{link} {spoken}" for link in ("for", "of", "from")]
            own.append(f"for the {singular(noun)} {spoken}")
        if dim.own:
            return rng.choice((own or [f"in {spoken}", f"of {spoken}"]) * 5 + general)
        if own and self.words.tells(dim) and rng.random() < 0.6:
            return rng.choice(own)
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
