"""A share of successes with the interval that its sample size allows."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

# The 97.5th percentile of the normal distribution: two sides make 95%.
_Z = 1.959963984540054


@dataclass(frozen=True)
class Share:
    """``correct`` of ``n``."""

    correct: int
    n: int

    @property
    def value(self) -> float | None:
        """None when nothing was counted: 0 of 0 is not 0%."""
        return self.correct / self.n if self.n else None

    @property
    def interval(self) -> tuple[float, float] | None:
        """The Wilson 95% interval, which is honest for small samples and shares near 0 and 1."""
        if not self.n:
            return None
        share = self.correct / self.n
        spread = _Z * math.sqrt(share * (1 - share) / self.n + _Z**2 / (4 * self.n**2))
        middle = share + _Z**2 / (2 * self.n)
        scale = 1 + _Z**2 / self.n
        return max(0.0, (middle - spread) / scale), min(1.0, (middle + spread) / scale)


def percentile(values: Sequence[float], share: float) -> float | None:
    """The smallest value that at least ``share`` of the values do not exceed."""
    if not values:
        return None
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]
