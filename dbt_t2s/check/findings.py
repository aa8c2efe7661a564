"""What a check found, whether it fails, and which findings were accepted before."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from dbt_t2s.errors import UsageError
from dbt_t2s.project.diff import CODES, Change, Weight

_NEW = ("T2S102", "T2S202", "T2S502")


class Harm(StrEnum):
    """``broken``: there is no SQL for the question any more; ``changed``: it has another answer."""

    BROKEN = "broken"
    CHANGED = "changed"


@dataclass(frozen=True)
class Effect:
    """What a change does to one question; ``source`` is where the question is from."""

    harm: Harm
    question: str
    source: str
    reason: str
    before: str = ""
    after: str = ""


@dataclass(frozen=True)
class Baseline:
    """Findings that were accepted: a code alone (``T2S703``), or one with what it is about."""

    accepted: frozenset[str] = field(default_factory=frozenset)

    def accepts(self, change: Change) -> bool:
        return change.code in self.accepted or line_of(change) in self.accepted


@dataclass(frozen=True)
class Findings:
    """``accepted`` counts changes that the baseline knows, ``examples`` are those looked at.

    ``asked`` counts the questions that people wrote: test questions, saved queries, logged ones.
    ``unproven`` says what could not be compared, and why. ``stale`` says whether the model was
    trained on another schema, None that there is no model; ``unknown`` is what can be asked for
    now and it never met, ``gone`` what it learned and is no more.
    """

    project: str
    changes: tuple[Change, ...] = ()
    accepted: int = 0
    effects: tuple[Effect, ...] = ()
    examples: int = 0
    asked: int = 0
    unproven: tuple[str, ...] = ()
    stale: bool | None = None
    unknown: tuple[str, ...] = ()
    gone: tuple[str, ...] = ()

    def of(self, weight: Weight) -> tuple[Change, ...]:
        return tuple(each for each in self.changes if each.weight is weight)

    def harmed(self, harm: Harm) -> tuple[Effect, ...]:
        return tuple(each for each in self.effects if each.harm is harm)

    @property
    def unasked(self) -> tuple[str, ...]:
        """New tables, columns and metrics that nobody can ask about before the next training."""
        return tuple(each.what for each in self.changes if each.code in _NEW)

    @property
    def broken_tests(self) -> tuple[Effect, ...]:
        """The questions that people wrote as tests and that have no answer any more."""
        return tuple(e for e in self.harmed(Harm.BROKEN) if e.source == "test question")

    def failures(self, fail_on: Sequence[str]) -> tuple[str, ...]:
        """Why the check fails; empty where it does not."""
        found: list[str] = []
        if Weight.BREAKING.value in fail_on or Weight.DEGRADING.value in fail_on:
            found += _counted(len(self.of(Weight.BREAKING)), "breaking change")
            people = len(self.broken_tests)
            found += _counted(people, "test question broken", "test questions broken")
        if Weight.DEGRADING.value in fail_on:
            found += _counted(len(self.of(Weight.DEGRADING)), "degrading change")
        if "stale" in fail_on and self.stale:
            found.append("the model was trained on another schema")
        return tuple(found)


def line_of(change: Change) -> str:
    """How a baseline file names a change."""
    return f"{change.code} {change.what}"


def accepted(findings: Sequence[str], path: Path | None = None) -> Baseline:
    """What the settings accept, and the lines of a baseline file; UsageError for unknown codes.

    Empty lines and those that begin with ``#`` say nothing.
    """
    check_codes((each.split()[0] for each in findings), "accept")
    lines = _read(path) if path is not None else ()
    return Baseline(frozenset((*findings, *lines)))


def _read(path: Path) -> tuple[str, ...]:
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(
            "the baseline cannot be read",
            where=str(path),
            hint="write it with --write-baseline, or leave --baseline out",
        ) from error
    said = [line.strip() for line in lines if line.strip() and not line.startswith("#")]
    check_codes((line.split()[0] for line in said), str(path))
    return tuple(" ".join(line.split()) for line in said)


def check_codes(codes: Iterable[str], where: str) -> None:
    """UsageError for the first code that there is none of."""
    for code in codes:
        if code not in CODES:
            raise UsageError(
                f"there is no finding {code}",
                where=where,
                hint=f"codes are {', '.join(sorted(CODES))}",
            )


def baseline_of(changes: Iterable[Change]) -> str:
    """The text of a baseline that accepts these changes."""
    lines = sorted({line_of(each) for each in changes})
    return "\n".join(("# accepted by dbt-t2s check: one finding a line", *lines, ""))


def _counted(number: int, one: str, many: str = "") -> list[str]:
    if not number:
        return []
    return [f"1 {one}" if number == 1 else f"{number:,} {many or one + 's'}"]
