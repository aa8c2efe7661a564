"""Questions about a part beside its whole: ``orders, and how many of them were returned``."""

from __future__ import annotations

from random import Random

from dbt_t2s.corpus.measured import Measured, MeasureRoom, touches
from dbt_t2s.corpus.said import Said
from dbt_t2s.corpus.shapes import Draft
from dbt_t2s.query.plan import Arithmetic, Dim, Expr, Only, Plan, RuleRef


class PartShapes(MeasureRoom):
    """Shapes with a measure over some of the rows (``ONLY``)."""

    def part(self, measured: Measured, rng: Random) -> Said | None:
        """A condition on the measure's rows that a part of them meets."""
        roots = self.roots(measured)
        if len(roots) != 1:
            return None
        makers = (self.conditions.value, self.conditions.flag, self.conditions.rule)
        said = rng.choice(makers)(self.words.tables[roots[0]], rng)
        if said is None or said.about in measured.settled or said.also:
            return None
        if self.names_rows(said.pred, roots[0]):
            return None
        of = self.words.binder.predicates.table_of(said.pred, "")
        if not isinstance(said.pred, RuleRef) and of != roots[0]:
            return None
        return None if self.is_about(said.pred, roots[0], measured.settled) else said

    def whole_and_part(self, rng: Random) -> Draft | None:
        measured = self.measured(rng)
        said = self.part(measured, rng) if measured else None
        if measured is None or said is None or not measured.additive:
            return None
        where = self.filters(measured, rng, (5, 5))
        if where.before or touches(where, (said.about,)):
            return None
        name, after = measured.name, where.after
        told = said.before or said.after
        texts = [
            f"{name} {after}, and how many of them {_were(said)}",
            f"{name} {after} and the part of it {_that(said)}",
            f"{name} {after}: in total and {told} only",
            f"{name} {after}, all and {told}",
            f"{name} {after} and how much of that {_were(said)}",
        ]
        select: list[Expr] = [measured.measure, Only(measured.measure, said.pred)]
        dim = self.dimension(measured, rng) if rng.random() < 0.35 else None
        text = rng.choice(texts)
        if dim is not None and f"{dim.table.name}.{dim.column.name}" != said.about:
            by: Dim = dim.col
            select.insert(0, by)
            text = f"{self.by(self.words.dimension_name(dim, rng), rng)}: {text}"
        plan = Plan(tuple(select), where.preds)
        return Draft(self.finish(rng, text, (*where.kept, *said.kept)), plan, "nested", 3)

    def part_of_sum(self, rng: Random) -> Draft | None:
        """``what share of revenue comes from returned orders``."""
        measured = self.measured(rng)
        said = self.part(measured, rng) if measured else None
        if measured is None or said is None or not measured.additive or measured.counts:
            return None
        where = self.filters(measured, rng, (6, 4))
        if where.before or touches(where, (said.about,)):
            return None
        name, after = measured.name, where.after
        share = rng.choice(("share", "percentage", "part", "proportion"))
        thing = f"{said.before} ones" if said.before else f"those {said.after}"
        text = rng.choice(
            (
                f"what {share} of {name} comes from {thing} {after}",
                f"{share} of {name} from {thing} {after}",
                f"how much of {name} is due to {thing} in percent {after}",
                f"what {share} of {name} do {thing} make up {after}",
            )
        )
        only = Only(measured.measure, said.pred)
        plan = Plan((Arithmetic("DIV", only, measured.measure),), where.preds)
        return Draft(self.finish(rng, text, (*where.kept, *said.kept)), plan, "nested", 3)

    def growth_between(self, rng: Random) -> Draft | None:
        """``how much more revenue in May than in April``."""
        measured = self.measured(rng)
        if measured is None or not self.timed(measured) or not measured.additive:
            return None
        said = self.conditions.two_periods(rng)
        if said is None:
            return None
        name, earlier, later = measured.name, said.first, said.second
        text = rng.choice(
            (
                f"how much higher was {name} in {later} than in {earlier}",
                f"{name} in {later} less that in {earlier}",
                f"by how much did {name} in {later} exceed {name} in {earlier}",
                f"{name} in {later} minus {name} in {earlier}",
                f"how much more {name} did we have in {later} than in {earlier}",
            )
        )
        measures = (Only(measured.measure, each) for each in (said.pred.right, said.pred.left))
        plan = Plan((Arithmetic("SUB", *measures),))
        return Draft(self.finish(rng, text, (earlier, later)), plan, "date range", 3)


def _were(said: Said) -> str:
    return f"were {said.before} ones" if said.before else said.after.replace("that are", "are")


def _that(said: Said) -> str:
    return f"of {said.before} ones" if said.before else said.after
