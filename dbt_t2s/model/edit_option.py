"""One edit that words may mean, and what it would change."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from dbt_t2s.query import edits
from dbt_t2s.query.plan import Plan, Value

Edit = Callable[[Plan], Plan]


@dataclass(frozen=True)
class Option:
    """One edit: ``kind`` names it, ``turn`` says when it is made among others (measures first).

    ``value`` is what rows are to have; with another one of its column, either will do.
    """

    kind: str
    edit: Edit
    score: float
    turn: int = 2
    value: Value | None = None


@dataclass(frozen=True)
class Before:
    """What is to be edited: the plan, and what can be known of it."""

    plan: Plan
    root: str
    tables: frozenset[str]
    replacing: bool = False
    about: bool = False
    adding: bool = False
    topping: bool = False

    @property
    def is_listing(self) -> bool:
        return not edits.measures(self.plan)
