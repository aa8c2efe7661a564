"""A question as it was asked, and what people said of its answer in the end."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from dbt_t2s.serve.log import Asked, Said


@dataclass(frozen=True)
class Case:
    """One question of the log; ``said`` is the last that was said of it, None for nothing."""

    asked: Asked
    said: Said | None = None

    @property
    def day(self) -> date:
        """The day on which it was asked, in UTC."""
        return date.fromisoformat(self.asked.logged_at[:10])

    @property
    def right(self) -> bool | None:
        """Whether people say that the answer, or the refusal, is right; None for no verdict."""
        if self.said is None:
            return None
        if self.said.verdict == "should_refuse":
            return self.asked.status == "refused"
        return self.said.verdict == "right"

    @property
    def correction(self) -> str:
        """The SQL that a person put in the answer's place; empty for none."""
        return self.said.corrected_sql if self.said else ""

    @property
    def meant(self) -> str:
        """The SQL that the question wants, as far as is known: a correction comes first."""
        return self.correction or (self.asked.sql_text if self.asked.status == "ok" else "")


@dataclass(frozen=True)
class Window:
    """Which questions a report is about: asked from ``since`` to ``until`` (both days belong to
    it, in UTC; None for no end), of a model whose version begins with ``model``."""

    since: date | None = None
    until: date | None = None
    model: str = ""

    def holds(self, case: Case) -> bool:
        return (
            (self.since is None or case.day >= self.since)
            and (self.until is None or case.day <= self.until)
            and case.asked.model.startswith(self.model)
        )


def cases_of(asked: Iterable[Asked], said: Iterable[Said]) -> tuple[Case, ...]:
    """The questions, the oldest first; ``said`` comes with the newest first."""
    last: dict[str, Said] = {}
    for each in said:
        last.setdefault(each.log_id, each)
    ordered = sorted(asked, key=lambda each: each.logged_at)
    return tuple(Case(each, last.get(each.id)) for each in ordered)


def corrections(cases: Sequence[Case]) -> tuple[Case, ...]:
    """Those with the right SQL of a person, the last said first."""
    found = [case for case in cases if case.correction]
    return tuple(sorted(found, key=lambda case: case.said.recorded_at if case.said else "")[::-1])
