"""All shapes of questions about measures, with their weights."""

from __future__ import annotations

from dbt_t2s.corpus.derived_shapes import DerivedShapes
from dbt_t2s.corpus.group_shapes import GroupShapes
from dbt_t2s.corpus.part_shapes import PartShapes
from dbt_t2s.corpus.shapes import Shape
from dbt_t2s.corpus.total_shapes import TotalShapes


class MeasureShapes(TotalShapes, GroupShapes, DerivedShapes, PartShapes):
    """Shapes whose SELECT holds an aggregate."""

    def shapes(self) -> tuple[tuple[float, int, Shape], ...]:
        """(weight, phase, shape)."""
        return (
            (10, 2, self.total),
            (8, 2, self.how_many),
            (5, 2, self.aggregate),
            (1.5, 1, self.extent),
            (12, 2, self.by_dimension),
            (8, 2, self.over_time),
            (2, 2, self.by_two),
            (9, 2, self.top),
            (5, 2, self.two_measures),
            (2.5, 2, self.share),
            (2, 3, self.change),
            (1.5, 3, self.running),
            (2.5, 3, self.average_of_groups),
            (3, 3, self.groups_above),
            (2, 3, self.top_per_group),
            (2, 3, self.periods),
            (1.5, 3, self.ratio),
            (3, 3, self.rate),
            (2, 3, self.whole_and_part),
            (1.5, 3, self.part_of_sum),
            (1, 3, self.growth_between),
            (1, 3, self.average_difference),
            (1.5, 2, self.part_of_time),
            (3, 2, self.only_compiled),
            (2, 1, self.distinct),
        )

    # ---- what is measured
