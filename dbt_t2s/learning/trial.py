"""A new model on trial: whether it may take the place of the one in use."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from dbt_t2s.judge.baseline import Comparison
from dbt_t2s.judge.paired import LEVEL, is_significant_loss, loss_by_chance
from dbt_t2s.judge.report import Report
from dbt_t2s.judge.suite import TestItem
from dbt_t2s.learning.comparing import change_json, of_reports
from dbt_t2s.learning.heard import KEPT, Lesson
from dbt_t2s.suites import PEOPLE, Suite

# What people said, as two test sets: what was wrong before, and what was right.
CORRECTIONS, RIGHT = "corrections", "right answers"


@dataclass(frozen=True)
class Held:
    """One test set with the model in use and with the new one."""

    name: str
    found: Comparison

    @property
    def lost(self) -> int:
        return len(self.found.regressions)

    @property
    def gained(self) -> int:
        return len(self.found.gains)

    @property
    def holds(self) -> bool:
        return not is_significant_loss(self.lost, self.gained)


@dataclass(frozen=True)
class Trial:
    """What came of a trial, test set by test set."""

    held: tuple[Held, ...]

    @property
    def learned(self) -> int:
        """How many corrections and refusals more are answered right, less those that are lost."""
        return sum(each.gained - each.lost for each in self.held if each.name == CORRECTIONS)

    @property
    def against(self) -> tuple[str, ...]:
        """Why the new model may not take the place of the one in use; empty where it may."""
        why = [
            f"a significant loss on {each.name}: {each.lost} lost, {each.gained} gained"
            f" (exact McNemar test, p = {loss_by_chance(each.lost, each.gained):.3f},"
            f" level {LEVEL:g})"
            for each in self.held
            if not each.holds
        ]
        if self.learned <= 0:
            why.append("it answers no more of the corrections right than the model in use")
        return tuple(why)


def suites_of(lessons: Sequence[Lesson]) -> tuple[Suite, ...]:
    """The lessons as test sets."""
    named: dict[str, list[TestItem]] = {CORRECTIONS: [], RIGHT: []}
    for number, lesson in enumerate(lessons, 1):
        golds = (lesson.sql,) if lesson.sql else ()
        item = TestItem(f"said-{number}", lesson.question, golds, lesson.kind)
        named[RIGHT if lesson.kind == KEPT else CORRECTIONS].append(item)
    return tuple(Suite(name, tuple(items)) for name, items in named.items() if items)


def tried(before: Report, now: Report) -> Trial:
    """The new model's outcomes beside those of the one in use."""
    names = [suite.name for suite in now.suites]
    order = sorted(names, key=(PEOPLE, CORRECTIONS, RIGHT).index)
    held = []
    for name in order:
        pair = [
            Report(suites=tuple(s for s in report.suites if s.name == name), project="", model="")
            for report in (before, now)
        ]
        held.append(Held(name, of_reports(*pair)))
    return Trial(tuple(held))


def as_json(trial: Trial) -> dict[str, object]:
    return {
        "level": LEVEL,
        "learned": trial.learned,
        "against": list(trial.against),
        "test_sets": [
            {
                "name": each.name,
                "questions": each.found.now.n,
                "before": each.found.before.correct,
                "now": each.found.now.correct,
                "p": round(loss_by_chance(each.lost, each.gained), 6),
                "holds": each.holds,
                "regressions": [change_json(change) for change in each.found.regressions],
                "gains": [change_json(change) for change in each.found.gains],
            }
            for each in trial.held
        ],
    }
