"""Candidates whose SQL is written when somebody looks at it: most often that is the first alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import overload

from dbt_t2s import sql as sql_door
from dbt_t2s.model.generate import Candidate


@dataclass(frozen=True)
class Draft:
    """A candidate with its SQL in DuckDB's dialect, on few lines."""

    made: str
    confidence: float
    items: tuple[str, ...]
    plan: str = ""


class Written(Sequence[Candidate]):
    """Drafts as candidates, each with its SQL in ``dialect`` and in the house's form."""

    def __init__(self, drafts: Sequence[Draft], dialect: str) -> None:
        self._drafts = tuple(drafts)
        self._dialect = dialect
        self._done: dict[int, Candidate] = {}

    def after(self, first: Draft) -> Written:
        """The same drafts behind ``first``, none surer than it and none with its SQL."""
        others = [
            replace(each, confidence=min(each.confidence, first.confidence / 2))
            for each in self._drafts
            if each.made != first.made
        ]
        return Written([first, *others], self._dialect)

    def __len__(self) -> int:
        return len(self._drafts)

    @overload
    def __getitem__(self, at: int) -> Candidate: ...
    @overload
    def __getitem__(self, at: slice) -> tuple[Candidate, ...]: ...
    def __getitem__(self, at: int | slice) -> Candidate | tuple[Candidate, ...]:
        if isinstance(at, slice):
            return tuple(self[each] for each in range(*at.indices(len(self))))
        at = range(len(self))[at]
        if at not in self._done:
            draft = self._drafts[at]
            sql = _written(draft.made, self._dialect)
            self._done[at] = Candidate(sql, draft.confidence, items=draft.items, plan=draft.plan)
        return self._done[at]


def _written(made: str, dialect: str) -> str:
    """What the dialect has no form for stays as it is: running it says what is wrong."""
    try:
        return sql_door.transpile(made, "duckdb", dialect, pretty=True)
    except sql_door.SqlError:
        return made
