"""How far a plan has been written: what the grammar must know to say what may come next."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class State:
    """What is still to be written (``stack``, next symbol last) and what was said.

    ``chosen`` are the selected dimensions as they are written; ``said`` the tables that conditions
    speak of and ``searched`` those whose rows they look for; ``bridged`` counts rows from a finer
    table. ``finer`` holds while a condition measures one. ``against`` is the column that the next
    one is compared with or taken from (token, table, "number" or "time"); ``listing`` holds when
    rows are shown as they are, never grouped. ``owes_measure`` holds when a day was said that only
    a measure yet to come can be about; ``narrowed`` while a condition is on a finer table's rows.
    """

    stack: tuple[str, ...] = ("start",)
    roots: frozenset[str] = frozenset()
    dims: frozenset[str] = frozenset()
    counts_only: bool = True
    needs_time: bool = False
    selected: int = 0
    length: int = 0
    within: tuple[str, ...] = ()
    compiled: frozenset[str] | None = None
    grain: str = ""
    chosen: frozenset[str] = frozenset()
    finer: bool = False
    bucket: str = ""
    distinct: bool = False
    untimed: bool = False
    averaged: bool = False
    said: frozenset[str] = frozenset()
    searched: frozenset[str] = frozenset()
    said_time: bool = False
    against: tuple[str, str, str] = ("", "", "")
    listing: bool = False
    owes_measure: bool = False
    narrowed: bool = False

    @property
    def done(self) -> bool:
        return not self.stack
