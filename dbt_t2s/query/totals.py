"""What is added up apart and set side by side: the rows of one table, dated by one column.

"Net move-ins" are move-ins by the day of the one less move-outs by the day of the other: both are
rows of one table, and a time that is asked for means another column for each.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from dbt_t2s.query.checked import parts_of
from dbt_t2s.query.measures import Atom
from dbt_t2s.query.plan import Col, Plan, Time


@dataclass(frozen=True)
class Totals:
    """What is added up over the rows of ``root``; ``time`` is None where all of them are."""

    root: str
    time: Col | None
    name: str

    def has(self, atom: Atom) -> bool:
        return atom.root == self.root and self.time in (None, atom.time)


def totals_of(
    plan: Plan, roots: Sequence[str], atoms: Sequence[Atom], own: Callable[[str], Col | None]
) -> tuple[Totals, ...]:
    """One for each of ``roots``, or for each time of its ``atoms`` where the plan asks for a time
    and does not say which; ``own`` is the time of a table's rows."""
    timed = any(isinstance(part, Time) for part in parts_of(plan))
    found: list[Totals] = []
    for root in roots:
        times = dict.fromkeys(a.time or own(root) for a in atoms if a.root == root)
        if not timed or len(times) < 2 or None in times:
            found.append(Totals(root, None, f"{root}_totals"))
            continue
        named = (time for time in times if time is not None)
        found += [Totals(root, time, f"{root}_by_{time.column}_totals") for time in named]
    return tuple(found)
