"""Questions about rows: lists, look-ups, distinct values; all such shapes with their weights."""

from __future__ import annotations

from random import Random

from dbt_t2s.corpus.extreme_shapes import ExtremeShapes
from dbt_t2s.corpus.list_shapes import ListShapes
from dbt_t2s.corpus.shapes import Draft, Shape, Where, type_of
from dbt_t2s.corpus.typed_questions import named, typed
from dbt_t2s.corpus.vocabulary import plural, singular
from dbt_t2s.project.schema import Column, Kind, Role, Table
from dbt_t2s.query.plan import Col, Compare, Plan, Value


class RowShapes(ExtremeShapes, ListShapes):
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
            (2.5, 1, self.ordered_list),
            (2.5, 1, self.joined_list),
            (1.5, 1, self.pairs),
            (1.5, 2, self.most_common),
            (1.5, 3, self.related),
        )

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
        names = "names" if column is self.words.display(table) else "ids"
        whole = thing if where.before else f"every {singular(noun)} {where.after}"
        texts = [
            *(f"{thing}", f"{thing}", f"{thing}", f"{thing}", f"all {thing}", f"which {thing}"),
            *(
                f"the {names} of {thing}",
                f"what {thing} do we have",
                f"{names} of all {thing}",
                whole,
            ),
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
        named = self.words.display(table)
        able = [c for c in table.columns if c.role is Role.CATEGORY and c is not named]
        if not able:
            return None
        column = rng.choice(able)
        called = rng.choice(self.words.column_names(table, column))
        name = plural(called)
        noun = self.words.noun(table, rng)
        of = ""
        if self.is_shared(table, column, called) or rng.random() < 0.5:
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

    def attribute(self, rng: Random) -> Draft | None:
        """``the opening date of Berlin Mitte``: one row's columns, found by its name."""
        table = self.table(rng)
        display = self.words.display(table)
        named = [
            c
            for c in table.columns
            if c.role is Role.CATEGORY
            and c.values
            and self.words.tells_rows(table.name, Col(table.name, c.name))
        ]
        if display is not None and display.values:
            named.append(display)
        if not named:
            return None
        by = rng.choice(named)
        columns = self.attributes(table, by.name, rng)
        if not columns:
            return None
        value = rng.choice(by.values)
        name = self.listed(table, columns, rng)
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
        noun, name = singular(self.words.noun(table, rng)), self.listed(table, columns, rng)
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

    def two_columns(self, rng: Random) -> Draft | None:
        found = self.named(rng)
        if found is None:
            return None
        table, display = found
        columns = self.attributes(table, display.name, rng)
        if not columns:
            return None
        where = self.where(table.name, rng, (3, 5, 1))
        name, noun = self.listed(table, columns, rng), self.words.noun(table, rng)
        one = "name" if display is self.words.display(table) else "id"
        thing = where.around(noun)
        text = rng.choice(
            (
                f"{thing} with their {name}",
                f"{one}, {name} of {thing}",
                f"{one} and {name} of {thing}",
                f"{thing} and their {name}",
                f"{thing} together with {name}",
                f"{thing} including {name}",
                f"{plural(one)} and {name} of all {thing}",
                f"{thing} - {plural(one)} and {name}",
            )
        )
        select = (Col(table.name, display.name), *(Col(table.name, c.name) for c in columns))
        plan = Plan(select, where.preds)
        kind = type_of("single table", where, 1)
        return Draft(self.finish(rng, text, where.kept), plan, kind, 1)
