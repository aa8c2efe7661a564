"""Questions that break a measure down: by columns, over time, the top few."""

from __future__ import annotations

from random import Random

from dbt_t2s.corpus.grains import grain_of, has_hours
from dbt_t2s.corpus.measured import ADVERBS, LEAST, MOST, MeasureRoom, touches
from dbt_t2s.corpus.shapes import Draft
from dbt_t2s.corpus.speech import say_number
from dbt_t2s.corpus.vocabulary import Dimension, plural
from dbt_t2s.corpus.wording import ends
from dbt_t2s.query.plan import Bucket, Dim, Order, Plan, Time, Wrapped


class GroupShapes(MeasureRoom):
    """Shapes with dimensions."""

    def by_dimension(self, rng: Random) -> Draft | None:
        measured = self.measured(rng)
        dim = self.dimension(measured, rng) if measured else None
        if measured is None or dim is None:
            return None
        about = f"{dim.table.name}.{dim.column.name}"
        where = self.filters(measured, rng, (5, 4, 1))
        if touches(where, (about,)):
            return None
        name = self.words.dimension_name(dim, rng)
        by = self.by(name, rng)
        said = where.around(measured.name)
        what = "how many" if measured.names_rows else "what"
        text = rng.choice(
            (
                *(f"{said} {by}",) * 7,
                f"{where.before} {measured.name} {by} {where.after}",
                f"{where.before} {measured.name} {by} {where.after}",
                f"{measured.name} {by} {where.after}" if not where.before else f"{said} {by}",
                f"what is the {said} {by}",
                f"{what} {said} does each {name} have",
                f"how does {said} differ {by}",
                f"{plural(name)} by {said}",
                f"for each {name}, the {said}",
                f"per {name}: {said}",
                f"{said}, {by}",
                f"{said} - {by}",
                f"{said} compared across {plural(name)}",
                f"split of {said} by {name}",
                f"{plural(name)} and their {said}",
                f"how is {said} distributed over {plural(name)}",
            )
        )
        if measured.countable and rng.random() < 0.3:
            text = f"{self.how_many_of(measured, where, rng)} {by}"
        order = None
        if rng.random() < 0.12:
            order = Order(measured.measure, rng.random() < 0.75)
            text += (
                rng.choice((", highest first", ", sorted descending", ", from high to low"))
                if order.descending
                else rng.choice((", lowest first", ", ascending"))
            )
        dims: tuple[Dim, ...] = (dim.col,)
        plan = Plan((*dims, measured.measure), where.preds, order=order)
        kind = "grouping" if dim.own else "join"
        return Draft(self.finish(rng, text, where.kept), plan, kind, 2)

    def over_time(self, rng: Random) -> Draft | None:
        measured = self.measured(rng)
        if measured is None or not self.timed(measured):
            return None
        grain, word = self.grain(measured, rng)
        where = self.filters(measured, rng, (5, 4, 0.6))
        if not self.spans(where, grain):
            return None
        said = where.around(measured.name)
        bare = measured.name
        text = rng.choice(
            (
                *(f"{said} by {word}",) * 3,
                *(f"{said} per {word}",) * 3,
                *(f"{ADVERBS[grain]} {said}",) * 3,
                f"{word} by {word} {said}",
                f"{word}s and {said}",
                f"per {word}: {said}",
                f"{said} {word} by {word}",
                f"{said} each {word}",
                f"{said} for each {word}",
                f"how did {said} develop by {word}",
                f"{where.before} {bare} by {word} {where.after}",
                f"{said} over time by {word}",
                f"{where.before} {bare} per {word} {where.after}",
                f"how has {said} changed by {word}",
                f"{said}, one line per {word}",
                f"what is the {ADVERBS[grain]} {said}",
                f"{said} for every {word}",
            )
        )
        if measured.countable and rng.random() < 0.3:
            link = rng.choice(("by", "per", "each"))
            text = f"{self.how_many_of(measured, where, rng)} {link} {word}"
        dims: list[Dim] = [Bucket(grain, Time())]
        kind = "date range" if "date range" in where.kinds else "grouping"
        if rng.random() < 0.15 and (dim := self.dimension(measured, rng)):
            if touches(where, (f"{dim.table.name}.{dim.column.name}",)):
                return None
            text += f" and {self.words.dimension_name(dim, rng)}"
            dims.append(dim.col)
        plan = Plan((*dims, measured.measure), where.preds)
        return Draft(self.finish(rng, text, where.kept), plan, kind, 2)

    def by_two(self, rng: Random) -> Draft | None:
        measured = self.measured(rng)
        if measured is None:
            return None
        one, two = self.dimension(measured, rng), self.dimension(measured, rng)
        if one is None or two is None or one.col == two.col:
            return None
        where = self.filters(measured, rng, (6, 3))
        if touches(where, tuple(f"{d.table.name}.{d.column.name}" for d in (one, two))):
            return None
        first, second = self.words.dimension_name(one, rng), self.words.dimension_name(two, rng)
        said = where.around(measured.name)
        text = rng.choice(
            (
                f"{said} by {first} and {second}",
                f"{said} per {first} and {second}",
                f"{said} for each {first} and {second}",
                f"{said} by {first}, {second}",
                f"{said} by {first} by {second}",
                f"{said} broken down by {first} and {second}",
            )
        )
        plan = Plan((one.col, two.col, measured.measure), where.preds)
        return Draft(self.finish(rng, text, where.kept), plan, "grouping", 2)

    def top(self, rng: Random) -> Draft | None:
        measured = self.measured(rng)
        dim: Dimension | None = self.dimension(measured, rng, ranked=True) if measured else None
        if measured is None or dim is None:
            return None
        where = self.filters(measured, rng, (5, 4, 0.5))
        if touches(where, (f"{dim.table.name}.{dim.column.name}",)) or where.before:
            return None
        name = self.words.dimension_name(dim, rng)
        select: Dim = dim.col
        if self.timed(measured) and rng.random() < 0.15:
            grain, name = self.grain(measured, rng)
            select = Bucket(grain, Time())
            if not self.spans(where, grain):
                return None
        descending = rng.random() < 0.78
        worth = rng.choice(MOST if descending else LEAST)
        limit = rng.choice((1, 1, 1, 3, 5, 5, 10, 2, 4, 7, 20))
        said, after = measured.name, where.after
        head = rng.choice(ends(said, descending))
        if limit == 1:
            texts = [
                f"which {name} had the {worth} {said} {after}",
                f"which {name} has the {worth} {said} {after}",
                f"what {name} has the {worth} {said} {after}",
                f"{name} with the {worth} {said} {after}",
                f"which {name} brings the {worth} {said} {after}",
                f"{after} which {name} had the {worth} {said}",
                f"the {name} with the {worth} {said} {after}",
                f"who is the {name} with {worth} {said} {after}",
                f"which {name} leads in {said} {after}"
                if descending
                else f"which {name} is last in {said} {after}",
                f"where is {said} the {worth} {after}, by {name}",
                f"our {head} {name} by {said} {after}",
            ]
        else:
            number = say_number(rng, limit)
            texts = [
                f"{head} {number} {plural(name)} by {said} {after}",
                f"{head} {number} {plural(name)} by {said} {after}",
                f"{number} {plural(name)} with the {worth} {said} {after}",
                f"the {number} {plural(name)} with the {worth} {said} {after}",
                f"which {number} {plural(name)} have the {worth} {said} {after}",
                f"what are the {head} {number} {plural(name)} in terms of {said} {after}",
                f"{plural(name)} ranked by {said} {after}, {head} {number}",
            ]
        text = rng.choice(texts)
        plan = Plan(
            (select, measured.measure),
            where.preds,
            order=Order(measured.measure, descending),
            limit=str(limit),
        )
        return Draft(self.finish(rng, text, where.kept), plan, "top-k", 2)

    def share(self, rng: Random) -> Draft | None:
        measured = self.measured(rng)
        dim = self.dimension(measured, rng) if measured else None
        if measured is None or dim is None or not measured.additive:
            return None
        where = self.filters(measured, rng, (6, 3))
        if touches(where, (f"{dim.table.name}.{dim.column.name}",)) or where.before:
            return None
        name = self.words.dimension_name(dim, rng)
        part = rng.choice(("share", "percentage", "proportion", "percent", "fraction", "part"))
        text = rng.choice(
            (
                f"{part} of {measured.name} by {name} {where.after}",
                f"what {part} of {measured.name} comes from each {name} {where.after}",
                f"what {part} of {measured.name} does each {name} make up {where.after}",
                f"{name} {part} of {measured.name} {where.after}",
                f"how is {measured.name} split between {plural(name)} in percent {where.after}",
                f"{measured.name} by {name} as a {part} of the total {where.after}",
                f"each {name}'s {part} of {measured.name} {where.after}",
                f"contribution of each {name} to {measured.name} {where.after}",
            )
        )
        plan = Plan((dim.col, Wrapped("SHARE", measured.measure)), where.preds)
        return Draft(self.finish(rng, text, where.kept), plan, "grouping", 2)

    def part_of_time(self, rng: Random) -> Draft | None:
        measured = self.measured(rng)
        if measured is None or not self.timed(measured) or len(self.roots(measured)) > 1:
            return None
        part = rng.choice(("DOW", "DOW", "HOUR", "MONTH_OF_YEAR"))
        dates = self.dates(measured)
        if part == "HOUR" and not all(map(has_hours, dates)):
            return None
        if part == "DOW" and any(grain_of(each) != "DAY" for each in dates):
            return None
        said = {
            "DOW": ("day of the week", "weekday", "day of week"),
            "HOUR": ("hour of the day", "hour", "time of day"),
            "MONTH_OF_YEAR": (
                "calendar month across years",
                "month of the year",
                "month regardless of year",
            ),
        }[part]
        word = rng.choice(said)
        where = self.filters(measured, rng, (6, 3))
        if where.before:
            return None
        bucket = Bucket(part, Time())
        if rng.random() < 0.3:
            worth = rng.choice(MOST)
            text = f"which {word} has the {worth} {measured.name} {where.after}"
            order = Order(measured.measure, True)
            plan = Plan((bucket, measured.measure), where.preds, order=order, limit="1")
            return Draft(self.finish(rng, text, where.kept), plan, "top-k", 2)
        text = f"{measured.name} {self.by(word, rng)} {where.after}"
        plan = Plan((bucket, measured.measure), where.preds)
        return Draft(self.finish(rng, text, where.kept), plan, "grouping", 2)

    def top_per_group(self, rng: Random) -> Draft | None:
        measured = self.measured(rng)
        if measured is None or len(self.roots(measured)) > 1:
            return None
        item, group = (self.dimension(measured, rng, ranked=True) for _ in range(2))
        if item is None or group is None or item.col == group.col:
            return None
        where = self.filters(measured, rng, (7, 2))
        dims = tuple(f"{d.table.name}.{d.column.name}" for d in (item, group))
        if touches(where, dims) or where.before:
            return None
        one, each = self.words.dimension_name(item, rng), self.words.dimension_name(group, rng)
        limit = rng.choice((1, 1, 2, 3, 5))
        said, after = measured.name, where.after
        descending = rng.random() < 0.85
        worth = rng.choice(MOST if descending else LEAST)
        head = rng.choice(ends(said, descending))
        if limit == 1:
            texts = [
                f"which {one} has the {worth} {said} in each {each} {after}",
                f"the {one} with the {worth} {said} for each {each} {after}",
                f"{head} {one} per {each} by {said} {after}",
                f"for each {each}, the {one} with the {worth} {said} {after}",
            ]
        else:
            texts = [
                f"{head} {limit} {plural(one)} per {each} by {said} {after}",
                f"{head} {limit} {plural(one)} in each {each} by {said} {after}",
                f"for each {each} the {limit} {plural(one)} with the {worth} {said} {after}",
            ]
        plan = Plan(
            (group.col, item.col, measured.measure),
            where.preds,
            order=Order(measured.measure, descending),
            limit=str(limit),
            per=group.col,
        )
        return Draft(self.finish(rng, rng.choice(texts), where.kept), plan, "top-k", 3)
