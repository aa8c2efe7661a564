"""How badly each row is missed, so that those are met which something can be learned from."""

from __future__ import annotations

import copy
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

import numpy as np
import torch
from torch import nn

from dbt_t2s.model.packed import has_bf16

N = TypeVar("N", bound=nn.Module)
_OFTEN = 3


@contextmanager
def narrow(device: str) -> Iterator[None]:
    """bfloat16 where the hardware has it."""
    with torch.autocast(device, dtype=torch.bfloat16, enabled=device == "cuda" or has_bf16()):
        yield


class Misses:
    """The loss of each row's plan when it was last looked at, and how often it was learned from.

    What is seen meanwhile counts from the next ``settle`` on: a run that was stopped in between
    then chooses as one that was not.
    """

    def __init__(self, rows: int) -> None:
        self.known = np.zeros(rows, np.float32)
        self._seen = np.full(rows, np.nan, np.float32)
        self._met = np.zeros(rows, np.float32)
        self._newly_met = np.zeros(rows, np.float32)

    def see(self, rows: np.ndarray, losses: np.ndarray) -> None:
        """Take down each row's loss; NaN says nothing."""
        told = ~np.isnan(losses)
        self._seen[rows[told]] = losses[told]

    def meet(self, rows: np.ndarray) -> None:
        """Take down that these were learned from."""
        np.add.at(self._newly_met, rows, 1)

    def settle(self) -> None:
        self.known = np.where(np.isnan(self._seen), self.known, self._seen)
        self._seen[:] = np.nan
        self._met += self._newly_met
        self._newly_met[:] = 0

    def hardest(self, drawn: np.ndarray) -> np.ndarray:
        """Of every line of ``drawn`` (N, tried) the row that is missed most (N).

        One that was learned from ``_OFTEN`` times comes last: what is missed still is more likely
        wrong than hard.
        """
        most = np.where(self._met < _OFTEN, self.known, 0.0)[drawn].argmax(1)
        found: np.ndarray = drawn[np.arange(len(drawn)), most]
        return found

    def save(self, path: Path) -> None:
        np.save(path, np.stack((self.known, self._seen, self._met, self._newly_met)))

    def load(self, path: Path) -> None:
        """ValueError where the file is of other rows."""
        found = np.load(path)
        if found.shape != (4, len(self.known)):
            raise ValueError(f"{path} is of {found.shape[-1]:,} rows, not {len(self.known):,}")
        self.known, self._seen, self._met, self._newly_met = found


def approximate(network: N) -> N:
    """A copy that looks nearly as well, its products in bytes: on a CPU in half the time.

    Losses of 1,536 rows correlate by 0.98 with the network's own. Layers whose weights are read
    as such, the relations' (``*_to_*``), stay.
    """
    names = {
        name
        for name, module in network.named_modules()
        if isinstance(module, nn.Linear) and "_to_" not in name
    }
    how = torch.ao.quantization.default_dynamic_qconfig
    with warnings.catch_warnings():
        # Its successor is another package, for what only shortens a survey.
        warnings.simplefilter("ignore")
        made: N = torch.ao.quantization.quantize_dynamic(  # type: ignore[no-untyped-call]
            copy.deepcopy(network), dict.fromkeys(names, how), dtype=torch.qint8
        )
    return made.train(False)
