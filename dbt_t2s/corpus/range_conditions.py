"""Conditions on amounts and text: above, between, outside, and what a name contains."""

from __future__ import annotations

from random import Random

from dbt_t2s.corpus.said import ConditionRoom, Said
from dbt_t2s.corpus.speech import say_compared, say_number
from dbt_t2s.project.schema import Column, Kind, Table
from dbt_t2s.query.plan import Col, Compare, Like, Or

_BELOW = ("GT", "GE", "LT", "LE")
_SHARES = (0.1, 0.2, 0.3, 0.5)
_STEPS = (10000, 1000, 500, 100, 50, 10, 5, 1)
_SHORTEST_PART = 4


class RangeConditions(ConditionRoom):
    """Draws conditions that compare a column with numbers or search its text."""

    def number_near(self, column: Column, rng: Random) -> str | None:
        """A round number within a column's range."""
        try:
            low, high = float(column.minimum or ""), float(column.maximum or "")
        except ValueError:
            return None
        if not high > low:
            return None
        drawn = low + (high - low) * rng.choice(_SHARES) * rng.random() * 1.5
        for step in _STEPS:
            if drawn >= step * 2:
                return str(int(drawn // step * step))
        return str(max(int(drawn), 0)) if high > 3 else None

    def _amount_column(self, root: Table, rng: Random) -> tuple[Column, str] | None:
        able = self.words.measured(root)
        if not able:
            return None
        column = rng.choice(able)
        return column, self.words.measured_name(root, column, rng)

    def amount(self, root: Table, rng: Random) -> Said | None:
        found = self._amount_column(root, rng)
        number = self.number_near(found[0], rng) if found else None
        if found is None or number is None:
            return None
        column, name = found
        operator = rng.choice(_BELOW)
        compared = say_compared(rng, operator, say_number(rng, int(number)))
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

    def _two_numbers(self, column: Column, rng: Random) -> tuple[str, str] | None:
        """Two different numbers in order, neither of which reads as a year."""
        found = {n for _ in range(4) if (n := self.number_near(column, rng))}
        able = sorted((n for n in found if not 1900 <= int(n) < 2100), key=int)
        return (able[0], able[-1]) if len(able) > 1 else None

    def between(self, root: Table, rng: Random) -> Said | None:
        """``with a price between 10 and 50``: both ends included."""
        found = self._amount_column(root, rng)
        numbers = self._two_numbers(found[0], rng) if found else None
        if found is None or numbers is None:
            return None
        column, name = found
        low, high = (say_number(rng, int(n)) for n in numbers)
        text = rng.choice(
            (
                f"with {name} between {low} and {high}",
                f"with a {name} between {low} and {high}",
                f"where {name} is between {low} and {high}",
                f"whose {name} lies between {low} and {high}",
                f"with {name} from {low} to {high}",
                f"with a {name} of at least {low} and at most {high}",
                f"in the {name} range of {low} to {high}",
            )
        )
        of = Col(root.name, column.name)
        low_side, high_side = Compare("GE", of, numbers[0]), Compare("LE", of, numbers[1])
        about = f"{root.name}.{column.name}"
        return Said(low_side, also=(high_side,), after=text, kept=numbers, about=about)

    def outside(self, root: Table, rng: Random) -> Said | None:
        """``with a price below 10 or above 50``."""
        found = self._amount_column(root, rng)
        numbers = self._two_numbers(found[0], rng) if found else None
        if found is None or numbers is None:
            return None
        column, name = found
        low, high = (say_number(rng, int(n)) for n in numbers)
        text = rng.choice(
            (
                f"with {name} below {low} or above {high}",
                f"with a {name} of less than {low} or more than {high}",
                f"where {name} is under {low} or over {high}",
                f"whose {name} is either below {low} or above {high}",
                f"with {name} smaller than {low} or greater than {high}",
            )
        )
        of = Col(root.name, column.name)
        pred = Or(Compare("LT", of, numbers[0]), Compare("GT", of, numbers[1]))
        about = f"{root.name}.{column.name}"
        return Said(pred, after=text, kept=numbers, about=about, kind="either")

    def containing(self, root: Table, rng: Random) -> Said | None:
        """``whose name contains 'Roast'``: a word that several values of a column hold."""
        able = [
            c for c in root.columns if c.kind is Kind.TEXT and not c.personal and _parts(c.values)
        ]
        if not able:
            return None
        column = rng.choice(able)
        part = rng.choice(_parts(column.values))
        spoken = rng.choice((part, part, part.lower()))
        quoted = rng.choice((f"'{spoken}'", f'"{spoken}"'))
        name = rng.choice(self.words.column_names(root, column))
        text = rng.choice(
            (
                f"whose {name} contains {quoted}",
                f"with {quoted} in the {name}",
                f"where {name} contains {quoted}",
                f"with a {name} containing {quoted}",
                f"whose {name} includes {quoted}",
                f"with a {name} like {quoted}",
                f"whose {name} contains the word {spoken}",
                f"with a {name} containing {spoken}",
            )
        )
        pred = Like(Col(root.name, column.name), spoken)
        return Said(pred, after=text, kept=(spoken,), about=f"{root.name}.{column.name}")


def _parts(values: tuple[str, ...]) -> tuple[str, ...]:
    """Words inside values of several words: what people search a name for."""
    words = (w for v in values for w in v.replace("_", " ").split() if v.count(" "))
    return tuple(dict.fromkeys(w for w in words if w.isalpha() and len(w) >= _SHORTEST_PART))
