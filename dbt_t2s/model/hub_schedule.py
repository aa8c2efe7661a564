"""What a training run sees when, and how fast it learns, as functions of the share that is done.

The share is of the steps or of the minutes, whichever is further: a run that is bounded by time
still reaches every phase and the end of the decay.
"""

from __future__ import annotations

import math
import random
from collections.abc import Sequence

_MIX = "mix"
_MIX_FROM = 0.6  # from this share of the training on, all phases are mixed
_REPLAY = 0.25  # share of earlier phases' rows in a later phase's batches
_WARM_UP = 0.03
_FLOOR = 0.05


class Curriculum:
    """Which rows come when: the phases in order, each with some rows of the earlier ones, then all
    of them mixed. A pool is walked in a fresh order on each pass, so its state is one number."""

    def __init__(self, phases: Sequence[str], seed: int) -> None:
        self._seed = seed
        self._pools: dict[str, tuple[int, ...]] = {_MIX: tuple(range(len(phases)))}
        self._bounds: list[tuple[float, str, str]] = []
        self.cursors: dict[str, int] = {}
        seen: list[int] = []
        for phase in sorted(set(phases)):
            earlier = f"before {phase}" if seen else ""
            if earlier:
                self._pools[earlier] = tuple(seen)
            own = [i for i, name in enumerate(phases) if name == phase]
            self._pools[f"phase {phase}"] = tuple(own)
            seen.extend(own)
            bound = _MIX_FROM * len(seen) / len(phases)
            self._bounds.append((bound, f"phase {phase}", earlier))

    def batch(self, share: float, size: int) -> list[int]:
        """The rows of the next batch, when ``share`` of the training is done."""
        for bound, own, earlier in self._bounds:
            if share < bound:
                again = round(size * _REPLAY) if earlier else 0
                return self._take(own, size - again) + (self._take(earlier, again) if again else [])
        return self._take(_MIX, size)

    def _take(self, name: str, count: int) -> list[int]:
        pool, start = self._pools[name], self.cursors.get(name, 0)
        self.cursors[name] = start + count
        taken: list[int] = []
        while len(taken) < count:
            turn, place = divmod(start + len(taken), len(pool))
            order = list(pool)
            random.Random(f"{self._seed} {name} {turn}").shuffle(order)
            taken.extend(order[place : place + count - len(taken)])
        return taken


def rate(share: float) -> float:
    """The learning rate, as a share of its peak, when ``share`` of the training is done."""
    if share < _WARM_UP:
        return max(share / _WARM_UP, 0.1)
    swing = math.cos(math.pi * (share - _WARM_UP) / (1 - _WARM_UP))
    return _FLOOR + (1 - _FLOOR) * 0.5 * (1 + swing)
