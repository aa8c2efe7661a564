"""How sure a model may be: its answers' probabilities, bent to how often they were right on dev."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from dbt_t2s.model.generate import Candidate

_LEAST = 20  # dev answers, and of these at least this many right and wrong
_LEAST_EACH = 3
_EDGE = 1e-6
_STEPS = 50


@dataclass(frozen=True)
class Calibration:
    """log odds of being right = ``slope`` · log odds of the answer's probability + ``shift``."""

    slope: float = 1.0
    shift: float = 0.0

    def chance(self, confidence: float) -> float:
        """How likely an answer of this probability is right."""
        return _sigmoid(self.slope * _log_odds(confidence) + self.shift)

    def applied(self, found: tuple[Candidate, ...]) -> tuple[Candidate, ...]:
        """The candidates in their order; the first as likely as such were right, the others
        sharing what it leaves."""
        if self == IDENTITY or not found:
            return found
        best = self.chance(found[0].confidence)
        rest = sum(each.confidence for each in found[1:])
        factor = min(best / max(found[0].confidence, _EDGE), (1 - best) / max(rest, _EDGE))
        others = [min(best, each.confidence * factor) for each in found[1:]]
        return tuple(
            replace(each, confidence=sure)
            for each, sure in zip(found, (best, *others), strict=True)
        )


IDENTITY = Calibration()


def fitted(answers: Sequence[tuple[float, bool]]) -> Calibration:
    """Platt's scaling of (probability, whether it was right) pairs, by Newton steps on a slightly
    shrunk likelihood; the identity where they are too few to say anything."""
    rights = sum(right for _, right in answers)
    if len(answers) < _LEAST or min(rights, len(answers) - rights) < _LEAST_EACH:
        return IDENTITY
    points = [(_log_odds(sure), float(right)) for sure, right in answers]
    slope, shift = 1.0, 0.0
    for _ in range(_STEPS):
        # Towards the identity with the weight of one answer: few points must not bend it far.
        g0, g1 = slope - 1.0, shift
        h00, h01, h11 = 1.0, 0.0, 1.0
        for x, right in points:
            p = _sigmoid(slope * x + shift)
            w = p * (1 - p)
            g0, g1 = g0 + (p - right) * x, g1 + p - right
            h00, h01, h11 = h00 + w * x * x, h01 + w * x, h11 + w
        det = h00 * h11 - h01 * h01
        d0, d1 = (h11 * g0 - h01 * g1) / det, (h00 * g1 - h01 * g0) / det
        step, before = 1.0, _cost(points, slope, shift)
        while step > _EDGE and _cost(points, slope - step * d0, shift - step * d1) > before:
            step /= 2  # too far: the likelihood is not as round as it looks from here
        slope, shift = slope - step * d0, shift - step * d1
    # An answer that is likelier must not count as less sure.
    return Calibration(slope, shift) if slope > 0 and math.isfinite(shift) else IDENTITY


def _cost(points: Sequence[tuple[float, float]], slope: float, shift: float) -> float:
    """The negative log-likelihood, and how far the bend is from none."""
    cost = ((slope - 1) ** 2 + shift**2) / 2
    for x, right in points:
        z = slope * x + shift
        cost += max(z, 0) - z * right + math.log1p(math.exp(-abs(z)))
    return cost


def _log_odds(chance: float) -> float:
    held = min(max(chance, _EDGE), 1 - _EDGE)
    return math.log(held / (1 - held))


def _sigmoid(x: float) -> float:
    return 1 / (1 + math.exp(-x)) if x >= 0 else math.exp(x) / (1 + math.exp(x))
