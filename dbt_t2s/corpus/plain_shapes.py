"""The plainest questions, for what no other shape can ask about.

A rank in a table whose rows have no name, a text of a table that is empty today: still somebody
will want to see what stands there.
"""

from __future__ import annotations

from random import Random

from dbt_t2s.corpus.shapes import Draft, RowRoom, Shape
from dbt_t2s.corpus.vocabulary import plural, singular
from dbt_t2s.project.schema import Column, Role, Table
from dbt_t2s.query.plan import Col, Plan


class PlainShapes(RowRoom):
    """Shapes that need neither names of rows nor values; drawn where all others gave nothing."""

    def shapes(self) -> tuple[tuple[float, int, Shape], ...]:
        """(weight, phase, shape)."""
        return ((1, 1, self.column), (2, 1, self.beside), (2, 1, self.across))

    def column(self, rng: Random) -> Draft | None:
        """``the alert types of budget overruns``: what stands in one column, each once if text."""
        table = self.table(rng)
        able = [c for c in table.columns if self.shown(table, c)]
        if not able:
            return None
        column = rng.choice(able)
        name = plural(rng.choice(self.words.column_names(table, column)))
        noun = self.words.noun(table, rng)
        texts = [f"list the {name} of all {noun}", f"all {name} of {noun}", f"show {noun} {name}"]
        distinct = column.role is not Role.MEASURE
        if distinct:
            texts = [
                f"what {name} of {noun} are there",
                f"different {name} of {noun}",
                f"which {name} do {noun} have",
                f"list the {name} of {noun}, each once",
                f"unique {name} for {noun}",
            ]
        plan = Plan((Col(table.name, column.name),), distinct=distinct)
        return Draft(self.finish(rng, rng.choice(texts), ()), plan, "single table", 1)

    def beside(self, rng: Random) -> Draft | None:
        """``the margin rank of each product name``: one column beside what rows are told by."""
        table = self.table(rng)
        able = [c for c in table.columns if self.shown(table, c)]
        if not able:
            return None
        column = rng.choice(able)
        whole = self.words.schema.table(table.name)  # ``table`` may have but the one column
        tellers = [c for c in whole.columns if self._tells(whole, c) and c.name != column.name]
        if not tellers:
            return None
        teller = rng.choice(tellers)
        name, of = (rng.choice(self.words.column_names(whole, c)) for c in (column, teller))
        noun = self.words.noun(table, rng)
        text = rng.choice(
            (
                f"the {of} and {name} of all {noun}",
                f"{plural(of)} with their {name} for {noun}",
                f"list each {of} of {noun} with its {name}",
                f"show {of} and {name} of every {singular(noun)}",
                f"which {name} does each {of} of {noun} have",
            )
        )
        select = (Col(table.name, teller.name), Col(table.name, column.name))
        return Draft(self.finish(rng, text, ()), Plan(select), "single table", 1)

    def across(self, rng: Random) -> Draft | None:
        """``the order amount with the loyalty tier of its member``: columns of two tables."""
        table = self.table(rng)
        graph = self.words.graph
        near = [
            join
            for join in self.words.schema.joins
            if join.table == table.name
            and join.proven
            and self.words.weights.get(join.to_table)
            and len(graph.path(table.name, join.to_table) or ()) == 1
        ]
        own = [c for c in table.columns if self.shown(table, c)]
        if not near or not own:
            return None
        join = rng.choice(near)
        other = self.words.tables[join.to_table]
        theirs = [c for c in other.columns if self.shown(other, c)]
        if not theirs:
            return None
        first, second = rng.choice(own), rng.choice(theirs)
        one = rng.choice(self.words.column_names(table, first))
        two = rng.choice(self.words.column_names(other, second))
        role = " ".join(self.words.binder.said_joins.role(join))
        noun, owner = self.words.noun(table, rng), singular(self.words.noun(other, rng))
        owner = f"{role} {owner}".strip()
        text = rng.choice(
            (
                f"the {one} of {noun} with the {two} of the {owner}",
                f"{one} and {owner} {two} of all {noun}",
                f"list the {one} of {noun} and the {owner}'s {two}",
                f"for all {noun}, the {one} and the {two} of the {owner}",
            )
        )
        select = (Col(table.name, first.name), Col(other.name, second.name))
        return Draft(self.finish(rng, text, ()), Plan(select), "join", 1)

    def _tells(self, table: Table, column: Column) -> bool:
        """Whether people tell rows apart by what stands in the column."""
        return column.role in (Role.CATEGORY, Role.TEXT) and self.shown(table, column)
