"""Conditions on time: the usual date of a row, another one, two periods side by side."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from random import Random

from dbt_t2s.corpus.grains import grain_of, is_shorter
from dbt_t2s.corpus.nouns import is_participle
from dbt_t2s.corpus.said import ConditionRoom, Said
from dbt_t2s.corpus.speech import say_date
from dbt_t2s.project.schema import Role, Table
from dbt_t2s.query.dates import date_spans
from dbt_t2s.query.plan import Col, During, Or, Time


@dataclass(frozen=True)
class Periods:
    """Two periods of one grain, each in words, and the condition that keeps both."""

    grain: str
    first: str
    second: str
    pred: Or


class TimeConditions(ConditionRoom):
    """Draws conditions on dates, in words that ``query.dates`` reads back."""

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
        said = say_date(rng, self.today, *self.span(root), self.fiscal)
        grain = grain_of(root.column(root.time_column))
        if said is None or is_shorter(said.range, grain):
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
        if any(found[0].range.start > self.today.isoformat() for found in spans):
            return None
        one, two = (During(Time(), found[0].range) for found in spans)
        return Periods(grain, first, second, Or(one, two))

    def dated_by(self, root: Table, rng: Random) -> Said | None:
        """``closed in March``: a date column other than the usual one."""
        others = [c for c in root.columns if c.role is Role.TIME and c.name != root.time_column]
        if not others:
            return None
        column = rng.choice(others)
        said = say_date(rng, self.today, *self.span(root), self.fiscal)
        if said is None or is_shorter(said.range, grain_of(column)):
            return None
        name = rng.choice(self.words.column_names(root, column))
        text = f"{name} {said.text}"  # "closed in May"
        if not is_participle(name.split()[-1]):
            text = rng.choice((f"with {name} {said.text}", f"whose {name} is {said.text}"))
        about = f"{root.name}.{column.name}"
        pred = During(Col(root.name, column.name), said.range)
        return Said(pred, after=text, kept=(said.text,), about=about, kind="date range")
