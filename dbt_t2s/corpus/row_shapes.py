"""Questions about rows: lists, look-ups, distinct values, extremes, first and last."""

from __future__ import annotations

from random import Random

from dbt_t2s.corpus.shapes import Draft, Shape, ShapeRoom, Where, type_of
from dbt_t2s.corpus.speech import say_number
from dbt_t2s.corpus.typed_questions import named, typed
from dbt_t2s.corpus.vocabulary import plural, singular
from dbt_t2s.project.schema import Column, Kind, Role, Table
from dbt_t2s.query.plan import (
    Agg,
    Col,
    Compare,
    Count,
    Measure,
    MetricRef,
    Order,
    Plan,
    Value,
)
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


class RowShapes(ShapeRoom):
    """Shapes whose SELECT holds columns alone."""

    def shapes(self) -> tuple[tuple[float, int, Shape], ...]:
        """(weight, phase, shape)."""
        return (
            (8, 1, self.listing),
            (4, 1, self.values),
            (6, 1, self.attribute),
            (4, 1, self.by_key),
            (4, 2, self.extreme),
            (2, 1, self.first_or_last),
            (1.5, 3, self.above_average),
            (4, 1, self.two_columns),
            (2, 2, self.busy),
        )

    def named(self, rng: Random) -> tuple[Table, Column] | None:
        """A table whose rows have a name (or at least a key), and that column."""
        table = self.table(rng)
        column = self.words.display(table)
        if column is None and len(table.primary_key) >= 1 and rng.random() < 0.4:
            column = table.column(table.primary_key[0])
        return (table, column) if column is not None else None

    def listing(self, rng: Random) -> Draft | None:
        found = self.named(rng)
        if found is None:
            return None
        table, column = found
        where = self.where(table.name, rng, (1, 6, 3))
        if rng.random() < 0.12 and (said := self.conditions.many(table, rng)):
            where = Where((said.pred,), "", said.after, (), frozenset({said.kind}))
        noun = self.words.noun(table, rng)
        thing = where.around(noun)
        whole = thing if where.before else f"every {singular(noun)} {where.after}"
        texts = [
            *(f"{thing}", f"{thing}", f"{thing}", f"{thing}", f"all {thing}", f"which {thing}"),
            *(f"the names of {thing}", f"what {thing} do we have", f"names of all {thing}", whole),
            *(f"which {noun} are {where.after}", f"list of {thing}", f"which are the {thing}"),
            *(f"the {thing}", f"name the {thing}", f"are there any {thing}, and which"),
        ]
        if self.words.people(table):
            texts += [f"who are the {thing}", f"who are our {thing}"]
            if self.words.one_people and where.after.startswith(("who ", "in ", "from ", "with ")):
                someone = rng.choice(("people", "everyone", "everybody", "those"))
                texts += [f"{where.before} {someone} {where.after}".strip()] * 3
        text = rng.choice(texts)
        if text == f"which {noun} are {where.after}" and not where.after.startswith(
            ("in", "with", "from")
        ):
            return None
        plan = Plan((Col(table.name, column.name),), where.preds)
        kind = type_of("single table", where, 1)
        return Draft(self.finish(rng, text, where.kept), plan, kind, 1)

    def values(self, rng: Random) -> Draft | None:
        table = self.table(rng)
        able = [c for c in table.columns if c.role is Role.CATEGORY]
        if not able:
            return None
        column = rng.choice(able)
        name = plural(rng.choice(self.words.column_names(table, column)))
        noun = self.words.noun(table, rng)
        of = ""
        if self.words.is_shared(column.name) or rng.random() < 0.5:
            of = rng.choice((f" of {noun}", f" for {noun}", f" do {noun} have"))
        where = self.where(table.name, rng, (8, 2), (f"{table.name}.{column.name}",))
        if where.before:
            return None
        if of.startswith(" do"):
            text = f"which {name}{of} {where.after}"
        else:
            text = rng.choice(
                (
                    f"what {name}{of} are there {where.after}",
                    f"distinct {name}{of} {where.after}",
                    f"which {name}{of} exist {where.after}",
                    f"list all {name}{of} {where.after}",
                    f"different {name}{of} {where.after}",
                    f"what are the {name}{of} {where.after}",
                    f"{name}{of} {where.after}, each once",
                    f"unique {name}{of} {where.after}",
                )
            )
        plan = Plan((Col(table.name, column.name),), where.preds, distinct=True)
        text = self.finish(rng, text, where.kept)
        return Draft(text, plan, "single table", 1)

    def _shown(self, table: Table, column: Column) -> bool:
        return column.role not in (Role.KEY, Role.FOREIGN_KEY) and not column.personal

    def attributes(self, table: Table, known: str, rng: Random) -> tuple[Column, ...]:
        """One to three columns to ask about a row, none of them ``known``."""
        able = [c for c in table.columns if self._shown(table, c) and c.name != known]
        number = min(rng.choices((1, 2, 3), (5, 4, 2))[0], len(able))
        return tuple(rng.sample(able, number))

    def attribute(self, rng: Random) -> Draft | None:
        """``the opening date of Berlin Mitte``: one row's columns, found by its name."""
        table = self.table(rng)
        display = self.words.display(table)
        named = [c for c in table.columns if c.role is Role.CATEGORY and c.unique and c.values]
        if display is not None and display.values:
            named.append(display)
        if not named:
            return None
        by = rng.choice(named)
        columns = self.attributes(table, by.name, rng)
        if not columns:
            return None
        value = rng.choice(by.values)
        name = self._listed(table, columns, rng)
        noun = singular(self.words.noun(table, rng))
        text = rng.choice(
            (
                f"what is the {name} of {value}",
                f"{name} of {value}",
                f"what {name} does {value} have",
                f"{name} for {value}",
                f"what is the {name} of {noun} {value}",
                f"{value} {name}",
                f"tell me the {name} of the {noun} {value}",
                f"for {value}, what is the {name}",
                f"what's {value}'s {name}",
                *self._asked_for(table, columns, value, name),
            )
        )
        select = tuple(Col(table.name, c.name) for c in columns)
        plan = Plan(select, (Value(table.name, by.name, value),))
        return Draft(self.finish(rng, text, (value,)), plan, "filter", 1)

    def _asked_for(
        self, table: Table, columns: tuple[Column, ...], value: str, name: str
    ) -> tuple[str, ...]:
        """``when``, ``who`` and ``how much``, for the columns that answer them."""
        if len(columns) > 1:
            return (f"{value} - {name}?", f"{value} {name.replace(' and ', ' ')}")
        asked = typed(table, columns[0], value)
        return (*(asked * 2), *(named(table, columns[0], value, name) * 2))

    def _listed(self, table: Table, columns: tuple[Column, ...], rng: Random) -> str:
        names = [self.words.shown_name(table, c, rng) for c in columns]
        if len(names) == 1:
            return names[0]
        link = rng.choice((" and ", " and ", ", "))
        return ", ".join(names[:-1]) + link + names[-1]

    def by_key(self, rng: Random) -> Draft | None:
        """``status of order 1204``: one row's columns, found by its number."""
        table = self.table(rng)
        keys = [table.column(k) for k in table.primary_key if table.column(k).kind is Kind.NUMBER]
        if not keys:
            return None
        try:
            low, high = int(float(keys[0].minimum or "")), int(float(keys[0].maximum or ""))
        except ValueError:
            return None
        if high <= low:
            return None
        number = str(rng.randint(low, high))
        columns = self.attributes(table, keys[0].name, rng)
        if not columns:
            return None
        noun, name = singular(self.words.noun(table, rng)), self._listed(table, columns, rng)
        key = self.words.keyed(noun, number, rng)
        text = rng.choice(
            (
                f"{name} of {key}",
                f"what is the {name} of {key}",
                f"{key}: {name}",
                f"what {name} does {key} have",
                f"for {key}, what is the {name}",
                f"{key} - {name}",
                f"about {key}, what is its {name}",
                f"which {name} does {key} have",
            )
        )
        select = tuple(Col(table.name, c.name) for c in columns)
        plan = Plan(select, (Compare("EQ", Col(table.name, keys[0].name), number),))
        return Draft(self.finish(rng, text, (number,)), plan, "single table", 1)

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
        head = rng.choice(("top", "best")) if descending else "bottom"
        texts = [
            f"{number}{many} with the {worth} {name} {where.after}",
            f"the {number}{many} with the {worth} {name} {where.after}",
            f"which {number}{many} {verb} the {worth} {name} {where.after}",
        ]
        for word, pair in _SUPERLATIVES.items():
            if word in name_words(column.name):
                texts += [f"the {number}{pair[0 if descending else 1]} {many} {where.after}"] * 3
                texts += [
                    f"what are the {number}{pair[0 if descending else 1]} {many} {where.after}"
                ]
        if limit > 1:
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
        usual = column.name == table.time_column
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
        text = rng.choice(texts)
        pred = Compare("GT" if above else "LT", Col(table.name, column.name), None)
        if counted:
            plan = Plan((Count(table.name),), (pred,))
            text = rng.choice(
                (f"how many {text}", f"number of {text}", f"how many {text} are there")
            )
            return Draft(self.finish(rng, text, ()), plan, "nested", 3)
        plan = Plan((Col(table.name, display.name),), (pred,))
        text = rng.choice((text, f"which {text}"))
        return Draft(self.finish(rng, text, ()), plan, "nested", 3)

    def two_columns(self, rng: Random) -> Draft | None:
        found = self.named(rng)
        if found is None:
            return None
        table, display = found
        columns = self.attributes(table, display.name, rng)
        if not columns:
            return None
        where = self.where(table.name, rng, (3, 5, 1))
        name, noun = self._listed(table, columns, rng), self.words.noun(table, rng)
        thing = where.around(noun)
        text = rng.choice(
            (
                f"{thing} with their {name}",
                f"name, {name} of {thing}",
                f"name and {name} of {thing}",
                f"{thing} and their {name}",
                f"{thing} together with {name}",
                f"{thing} including {name}",
                f"names and {name} of all {thing}",
                f"{thing} - names and {name}",
            )
        )
        select = (Col(table.name, display.name), *(Col(table.name, c.name) for c in columns))
        plan = Plan(select, where.preds)
        kind = type_of("single table", where, 1)
        return Draft(self.finish(rng, text, where.kept), plan, kind, 1)

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
        where = self.where(finer.name, rng, (6, 3))
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
