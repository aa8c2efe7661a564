"""Two models on the same questions: whether one lost more than chance gives and takes."""

from __future__ import annotations

from math import comb

# A loss that chance alone would give less often than this is none of chance.
LEVEL = 0.05


def loss_by_chance(lost: int, gained: int) -> float:
    """How often as many or more of the changed answers would be lost if each way were as likely.

    The exact, one-sided McNemar test (a sign test on the questions that only one of two models
    answers right); 1.0 where nothing changed.
    """
    changed = lost + gained
    ways: int = sum(comb(changed, k) for k in range(lost, changed + 1))
    return ways / float(2**changed)


def is_significant_loss(lost: int, gained: int) -> bool:
    return loss_by_chance(lost, gained) < LEVEL
