"""Whether a model knows when it is wrong: risk against coverage, by its own confidence."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import groupby

from dbt_t2s.judge.outcomes import Outcome

# Of the answers that are given, this share shall be right.
WANTED = 0.95


@dataclass(frozen=True)
class Point:
    """What happens when only answers of at least this confidence are given.

    ``coverage`` is the share of the model's answers that are then given, ``risk`` the share of
    those that are wrong.
    """

    confidence: float
    coverage: float
    risk: float

    @property
    def floor(self) -> float:
        """The confidence to write into settings: four digits that lose no answer."""
        return math.floor(self.confidence * 10_000) / 10_000


@dataclass(frozen=True)
class Calibration:
    """``curve`` goes from the surest answer to all of them; it is empty where none was given.

    ``threshold`` is the lowest confidence from which on at least ``wanted`` of the given answers
    are right; None where no confidence does that.
    """

    curve: tuple[Point, ...]
    threshold: Point | None
    wanted: float = WANTED

    @property
    def advice(self) -> tuple[str, str]:
        """The setting to write, and what it does; an empty one where none does what is wanted."""
        at = self.threshold
        if at is None:
            return "", f"no threshold keeps {self.wanted:.0%} of the given answers right"
        return (
            f"refuse_under: {at.floor:g}",
            f"keeps {1 - at.risk:.1%} of the given answers right and gives {at.coverage:.1%} of"
            " them",
        )


def calibration(outcomes: Iterable[Outcome], wanted: float = WANTED) -> Calibration:
    """The curve over all answers that the model gave; what it refused is not among them."""
    given = sorted(
        (each for each in outcomes if each.prediction.status != "refused"),
        key=lambda each: -each.prediction.confidence,
    )
    curve: list[Point] = []
    answered = wrong = 0
    for confidence, group in groupby(given, key=lambda each: each.prediction.confidence):
        same = list(group)
        answered += len(same)
        wrong += sum(not each.correct for each in same)
        curve.append(Point(confidence, answered / len(given), wrong / answered))
    fits = [point for point in curve if 1 - point.risk >= wanted - 1e-12]
    return Calibration(tuple(curve), fits[-1] if fits else None, wanted)
