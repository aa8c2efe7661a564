"""Questions about which rows stand out: extremes, first and last, above average, the busiest."""

from __future__ import annotations

from random import Random

from dbt_t2s.corpus.shapes import Draft, RowRoom, type_of
from dbt_t2s.corpus.speech import say_number
from dbt_t2s.corpus.vocabulary import plural, singular
from dbt_t2s.corpus.wording import ends
from dbt_t2s.project.schema import Column, Role, Table
from dbt_t2s.query.plan import Agg, Col, Compare, Count, Measure, MetricRef, Order, Peers, Plan
from dbt_t2s.query.text import name_words

_SUPERLATIVES = {
    "price": ("most expensive", "cheapest"),
    "cost": ("most expensive", "cheapest"),
    "weight": ("heaviest", "lightest"),
    "size": ("largest", "smallest"),
    "area": ("largest", "smallest"),
    "duration": ("longest", "shortest"),
    "days": ("longest", "shortest"),
    "hours": ("longest", "shortest"),
    "age": ("oldest", "youngest"),
}
_OF_THEIR_KIND = 0.25


class ExtremeShapes(RowRoom):
    """Shapes that rank rows, or compare them with the average."""

    def extreme(self, rng: Random) -> Draft | None:
        found = self.named(rng)
        if found is None:
            return None
        table, display = found
        able = [*self.words.measured(table), *(c for c in table.columns if c.role is Role.TIME)]
        if not able:
            return None
        column = rng.choice(able)
        descending = rng.random() < 0.65
        limit = rng.choice((1, 1, 3, 5, 5, 10, 2))
        where = self.where(table.name, rng, (5, 3))
        if where.before:
            return None
        noun, name = self.words.noun(table, rng), self.words.measured_name(table, column, rng)
        if column.role is Role.TIME:
            worth = rng.choice(
                ("latest", "most recent", "last") if descending else ("earliest", "oldest")
            )
        else:
            worth = rng.choice(
                ("highest", "largest", "biggest", "most")
                if descending
                else ("lowest", "smallest", "least")
            )
        number = "" if limit == 1 else say_number(rng, limit) + " "
        many, verb = (singular(noun), "has") if limit == 1 else (noun, "have")
        head = rng.choice(ends(name, descending))
        texts = [
            f"{number}{many} with the {worth} {name} {where.after}",
            f"the {number}{many} with the {worth} {name} {where.after}",
            f"which {number}{many} {verb} the {worth} {name} {where.after}",
        ]
        for word, pair in _SUPERLATIVES.items():
            if word == "cost" and any("price" in name_words(c.name) for c in table.columns):
                continue  # what is most expensive has the highest price
            if word in name_words(column.name):
                texts += [f"the {number}{pair[0 if descending else 1]} {many} {where.after}"] * 3
                texts += [
                    f"what are the {number}{pair[0 if descending else 1]} {many} {where.after}"
                ]
        if limit > 1 and column.role is not Role.TIME:
            texts.append(f"{head} {number}{many} by {name} {where.after}")
        text = rng.choice(texts)
        select = (Col(table.name, display.name), Col(table.name, column.name))
        order = Order(Col(table.name, column.name), descending)
        plan = Plan(select, where.preds, order=order, limit=str(limit))
        return Draft(self.finish(rng, text, where.kept), plan, "top-k", 2)

    def first_or_last(self, rng: Random) -> Draft | None:
        table = self.table(rng)
        times = [c for c in table.columns if c.role is Role.TIME]
        if not times:
            return None
        column = rng.choice(times)
        where = self.where(table.name, rng, (6, 3), ("time",))
        if where.before:
            return None
        name = rng.choice(self.words.column_names(table, column))
        noun = self.words.noun(table, rng)
        last = rng.random() < 0.5
        worth = rng.choice(("latest", "most recent", "last") if last else ("first", "earliest"))
        usual = column.name == table.time_column and not self.words.outermost(table)
        texts = [
            f"when was the {worth} {name} of {noun} {where.after}",
            f"{worth} {name} of {noun} {where.after}",
            f"what is the {worth} {name} for {noun} {where.after}",
        ]
        if usual:
            texts += [
                f"when was the {worth} {singular(noun)} {where.after}",
                f"date of the {worth} {singular(noun)} {where.after}",
            ]
        plan = Plan((Agg("MAX" if last else "MIN", Col(table.name, column.name)),), where.preds)
        kind = type_of("single table", where, 1)
        return Draft(self.finish(rng, rng.choice(texts), where.kept), plan, kind, 1)

    def above_average(self, rng: Random) -> Draft | None:
        found = self.named(rng)
        if found is None:
            return None
        table, display = found
        columns = self.words.measured(table)
        if not columns:
            return None
        column = rng.choice(columns)
        above = rng.random() < 0.7
        side = "above" if above else "below"
        name, noun = self.words.measured_name(table, column, rng), self.words.noun(table, rng)
        counted = rng.random() < 0.3
        texts = [
            f"{noun} with {side} average {name}",
            f"{noun} with a {name} {side} average",
            f"{noun} whose {name} is {side} the average",
            f"{noun} with {name} {'higher' if above else 'lower'} than average",
        ]
        text, peers = rng.choice(texts), None
        if rng.random() < _OF_THEIR_KIND and (alike := self._alike(table, display, rng)):
            peers, kind = alike
            text = rng.choice(
                (
                    f"{noun} with a {name} {side} the average of their own {kind}",
                    f"{noun} whose {name} is {side} the average for their {kind}",
                    f"{noun} with {name} {side} the average in the same {kind}",
                    f"{noun} with a {name} {side} their {kind}'s average",
                )
            )
        pred = Compare("GT" if above else "LT", Col(table.name, column.name), peers)
        if counted:
            plan = Plan((Count(table.name),), (pred,))
            text = rng.choice(
                (f"how many {text}", f"number of {text}", f"how many {text} are there")
            )
            return Draft(self.finish(rng, text, ()), plan, "nested", 3)
        plan = Plan((Col(table.name, display.name),), (pred,))
        text = rng.choice((text, f"which {text}"))
        return Draft(self.finish(rng, text, ()), plan, "nested", 3)

    def _alike(self, table: Table, display: Column, rng: Random) -> tuple[Peers, str] | None:
        """What several rows of the table are alike in, and how it is said."""
        able = [
            dim
            for dim in self.words.dimensions(table.name)
            if dim.table is table and dim.column is not display and _is_kind(dim.column)
        ]
        if not able:
            return None
        dim = rng.choice(able)
        return Peers(dim.col), self.words.dimension_name(dim, rng)

    def busy(self, rng: Random) -> Draft | None:
        """``which customer has the most orders``: rows counted on the many side."""
        found = self.named(rng)
        if found is None:
            return None
        table, display = found
        if display.name in table.primary_key and self.words.display(table) is None:
            return None
        finer = self.conditions.finer(table, rng)
        if finer is None:
            return None
        metric = self.words.counted_by(finer.name)
        measure: Measure = MetricRef(metric.name) if metric else Count(finer.name)
        where = self.where(finer.name, rng, (6, 3), (f"{table.name}.{display.name}",))
        if where.before:
            return None
        one, many = singular(self.words.noun(table, rng)), self.words.noun(finer, rng)
        limit = rng.choice((1, 1, 1, 3, 5, 10))
        number = say_number(rng, limit)
        if limit == 1:
            texts = [
                f"which {one} has the most {many} {where.after}",
                f"which {one} had the most {many} {where.after}",
                f"{one} with the most {many} {where.after}",
                f"who has the most {many} {where.after}, by {one}",
            ]
        else:
            texts = [
                f"top {number} {plural(one)} by number of {many} {where.after}",
                f"{number} {plural(one)} with the most {many} {where.after}",
                f"which {number} {plural(one)} have the most {many} {where.after}",
            ]
        plan = Plan(
            (Col(table.name, display.name), measure),
            where.preds,
            order=Order(measure, True),
            limit=str(limit),
        )
        return Draft(self.finish(rng, rng.choice(texts), where.kept), plan, "top-k", 2)


def _is_kind(column: Column) -> bool:
    """Whether rows are of few kinds, and a column says of which."""
    return column.role is Role.CATEGORY and column.values_complete and not column.unique
