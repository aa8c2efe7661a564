"""Lists of rows: sorted, with columns of what they point at, in pairs; the most common value."""

from __future__ import annotations

from random import Random

from dbt_t2s.corpus.shapes import Draft, RowRoom, type_of
from dbt_t2s.corpus.speech import say_number
from dbt_t2s.corpus.vocabulary import counted, plural, singular
from dbt_t2s.project.schema import Column, Kind, Role, Table
from dbt_t2s.query.plan import Col, Count, Measure, MetricRef, Order, Plan

_SORTED = {
    (Kind.NUMBER, True): ("highest {} first", "from highest to lowest {}", "by {} descending"),
    (Kind.NUMBER, False): ("lowest {} first", "from lowest to highest {}", "by {} ascending"),
    (Kind.DATE, True): ("newest {} first", "latest {} first", "by {}, most recent first"),
    (Kind.DATE, False): ("oldest {} first", "earliest {} first", "by {}, oldest first"),
    (Kind.TEXT, True): ("in reverse alphabetical order of {}", "by {} from z to a"),
    (Kind.TEXT, False): ("in alphabetical order of {}", "by {} from a to z"),
}


def _is_name(column: Column) -> bool:
    """Whether rows may be wanted in the order of the column's letters: no hashes."""
    return column.kind is Kind.TEXT and column.role not in (Role.KEY, Role.FOREIGN_KEY)


class ListShapes(RowRoom):
    """Shapes that list rows otherwise than as they come."""

    def ordered_list(self, rng: Random) -> Draft | None:
        """``products from the cheapest to the dearest``: all rows, sorted by a column."""
        found = self.named(rng)
        if found is None:
            return None
        table, display = found
        able = [
            c
            for c in table.columns
            if c.role in (Role.MEASURE, Role.TIME) or (c is display and _is_name(c))
        ]
        if not able:
            return None
        column = rng.choice(able)
        descending = rng.random() < 0.5
        name = self.words.measured_name(table, column, rng)
        sort = Kind.DATE if column.role is Role.TIME else column.kind
        way = rng.choice(_SORTED[sort, descending]).format(name)
        where = self.where(table.name, rng, (6, 4))
        thing = where.around(self.words.noun(table, rng))
        link = rng.choice((", ", " sorted ", " ordered "))
        if way[0] not in "bf" and not way.startswith("in"):
            link = ", "
        if way.startswith("in"):
            link = " "
        select: tuple[Col, ...] = (Col(table.name, display.name),)
        if column is not display:
            select = (*select, Col(table.name, column.name))
            if rng.random() < 0.4:
                thing = f"{thing} and their {name}"
        by = Order(Col(table.name, column.name), descending)
        text = rng.choice((f"{thing}{link}{way}", f"all {thing}{link}{way}"))
        if thing.endswith(name) and where.after:
            text = f"all {thing}{link}{way}"
        plan = Plan(select, where.preds, order=by)
        kind = type_of("single table", where, 1)
        return Draft(self.finish(rng, text, where.kept), plan, kind, 1)

    def joined_list(self, rng: Random) -> Draft | None:
        """``tickets with the customer's country``: rows beside a column of what they point at."""
        found = self.named(rng)
        if found is None:
            return None
        table, display = found
        near = self._pointed_at(table)
        if not near:
            return None
        other = rng.choice(near)
        columns = [
            c
            for c in other.columns
            if self.shown(other, c) or (c is self.words.display(other) and not c.personal)
        ]
        if not columns:
            return None
        column = rng.choice(columns)
        name = counted(column, rng.choice(self.words.column_names(other, column)))
        owner = singular(self.words.noun(other, rng))
        told = name if owner in name else rng.choice((f"{owner} {name}", f"{owner}'s {name}"))
        where = self.where(table.name, rng, (4, 5))
        if len(where.after.split()) > 6:
            return None
        noun = self.words.noun(table, rng)
        thing = where.around(noun)
        text = rng.choice(
            (
                f"{thing} with the {told}",
                f"{thing} and the {told} of each",
                f"{thing} together with the {told}",
                f"for all {thing}, the {name} of the {owner}",
                f"the {told} for each of the {thing}",
                f"{thing} and the {name} of their {owner}",
            )
        )
        select = (Col(table.name, display.name), Col(other.name, column.name))
        return Draft(self.finish(rng, text, where.kept), Plan(select, where.preds), "join", 1)

    def _pointed_at(self, table: Table) -> tuple[Table, ...]:
        """The tables that rows of ``table`` point straight at."""
        graph = self.words.graph
        return tuple(
            other
            for name, other in self.words.tables.items()
            if name != table.name and (path := graph.path(table.name, name)) and len(path) == 1
        )

    def pairs(self, rng: Random) -> Draft | None:
        """``all combinations of country and channel``: distinct values of two columns."""
        table = self.table(rng)
        able = [c for c in table.columns if self._repeats(table, c)]
        if len(able) < 2:
            return None
        one, two = rng.sample(able, 2)
        first, second = (rng.choice(self.words.column_names(table, c)) for c in (one, two))
        noun = self.words.noun(table, rng)
        where = self.where(table.name, rng, (7, 3), self._about(table, one, two))
        if where.before or where.kinds & {"nested", "either"}:
            return None
        after = where.after
        text = rng.choice(
            (
                f"distinct combinations of {first} and {second} of {noun} {after}",
                f"which combinations of {first} and {second} are there among {noun} {after}",
                f"unique pairs of {first} and {second} of {noun} {after}",
                f"all different {first} and {second} pairs of {noun} {after}",
                f"each {first} with its {plural(second)} of {noun} {after}, without duplicates",
            )
        )
        select = (Col(table.name, one.name), Col(table.name, two.name))
        plan = Plan(select, where.preds, distinct=True)
        return Draft(self.finish(rng, text, where.kept), plan, "single table", 1)

    def _repeats(self, table: Table, column: Column) -> bool:
        """Whether many rows share each of the column's few values."""
        told = self.words.tells_rows(table.name, Col(table.name, column.name))
        return column.role is Role.CATEGORY and not told

    def _about(self, table: Table, *columns: Column) -> tuple[str, ...]:
        return tuple(f"{table.name}.{c.name}" for c in columns)

    def most_common(self, rng: Random) -> Draft | None:
        """``the most common return reason``: a column's values by how many rows hold them."""
        table = self.table(rng)
        able = [c for c in table.columns if self._repeats(table, c)]
        if not able:
            return None
        column = rng.choice(able)
        name = rng.choice(self.words.column_names(table, column))
        noun = self.words.noun(table, rng)
        metric = self.words.counted_by(table.name)
        measure: Measure = MetricRef(metric.name) if metric else Count(table.name)
        where = self.where(table.name, rng, (6, 3), self._about(table, column))
        if where.before:
            return None
        common = rng.random() < 0.75
        worth = rng.choice(
            ("most common", "most frequent") if common else ("least common", "rarest")
        )
        limit = rng.choice((1, 1, 1, 2, 3, 5))
        number = "" if limit == 1 else f"{say_number(rng, limit)} "
        many, verb = (name, "is") if limit == 1 else (plural(name), "are")
        text = rng.choice(
            (
                f"the {number}{worth} {many} of {noun} {where.after}",
                f"what {verb} the {number}{worth} {many} of {noun} {where.after}",
                f"{number}{worth} {many} among {noun} {where.after}",
                f"which {number}{many} {'occurs' if limit == 1 else 'occur'} "
                f"{'most' if common else 'least'} often among {noun} {where.after}",
            )
        )
        plan = Plan(
            (Col(table.name, column.name), measure),
            where.preds,
            order=Order(measure, common),
            limit=str(limit),
        )
        return Draft(self.finish(rng, text, where.kept), plan, "top-k", 2)

    def related(self, rng: Random) -> Draft | None:
        """``products that German customers ordered``: rows named by what points at them."""
        table = self.table(rng)
        display = self.words.display(table)
        finer = self.conditions.finer(table, rng)
        if display is None or finer is None:
            return None
        said = self.conditions.exists(table, rng)
        if said is None:
            return None
        noun = self.words.noun(table, rng)
        columns = self.attributes(table, display.name, rng)[:1] if rng.random() < 0.4 else ()
        beside = f" and their {self.listed(table, columns, rng)}" if columns else ""
        text = rng.choice(
            (
                f"which {noun} are there {said.after}",
                f"names of {noun} {said.after}",
                f"{noun} {said.after}",
                f"all {noun} {said.after}",
            )
        )
        if beside:
            text = f"names{beside} of {noun} {said.after}".replace("names and their", "names and")
        select = (Col(table.name, display.name), *(Col(table.name, c.name) for c in columns))
        plan = Plan(select, (said.pred, *said.also))
        return Draft(self.finish(rng, text, said.kept), plan, "nested", 3)
