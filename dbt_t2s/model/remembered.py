"""What people said of answers, known by heart: a question much like one of theirs has its answer.

Questions are compared by the cosine of their sentence vectors; a plan's values, dates and numbers
must be named in this question, too. What the network finds far less likely than its own plan is
doubted, but not where the questions are more alike, name the same and ask in the same way: that
is how SQL which no plan says answers other words, too. Fitted on pairs of people's questions over
databases that the network never met (tests/benchmarks/LOG.md).
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from dbt_t2s.errors import ModelError
from dbt_t2s.model.wants import LITERALS, Wants, asks_for
from dbt_t2s.query.linear import REFUSAL

if TYPE_CHECKING:
    from dbt_t2s.model.encoder import Encoder
    from dbt_t2s.model.linking import Linked

FILE = "remembered.json"
_DAY = re.compile(r"\d{4}-\d\d-\d\d")
# A plan e^10 times less likely than the network's own needs a question that is 0.1 more alike.
_ALIKE, _DOUBT, _MOST_DOUBT = 0.8, 0.01, 10.0
_LOOKED_AT = 5
_MUCH_ALIKE = 0.78  # of questions that ask for the same
_NOT_WRITABLE = 60.0
# The least chance that what is recalled is right: by the very words, and by a question alike.
_SURE, _LIKELY = 0.97, 0.9

Tokens = tuple[str, ...]
Link = Callable[[str], "Linked"]
# The log probabilities of plans for the question at hand; None for one it lacks an item of.
Likely = Callable[[Sequence[Tokens]], Sequence[float | None]]


@dataclass(frozen=True)
class Entry:
    """A question and its plan (``REFUSE END``: it has no answer).

    Where no plan says what is right, ``plan`` is empty and ``sql`` is, in the project's dialect.
    """

    question: str
    plan: Tokens
    sql: str = ""


@dataclass(frozen=True)
class Recalled:
    """What was said of a question, for the question at hand; ``sure`` is the chance it is right."""

    plan: Tokens
    sql: str
    sure: float


def write(folder: Path, entries: Sequence[Entry]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / FILE).write_text(json.dumps([asdict(each) for each in entries], indent=1) + "\n")


def carry(
    dataset_dir: Path, model_dir: Path, renamed: Callable[[str], str] = lambda token: token
) -> None:
    """Give a new model what is kept beside its examples, with the tokens of its own schema."""
    kept = read(dataset_dir)
    if not kept:
        (model_dir / FILE).unlink(missing_ok=True)
        return
    write(model_dir, [replace(each, plan=tuple(map(renamed, each.plan))) for each in kept])


def read(folder: Path) -> tuple[Entry, ...]:
    """The entries in ``folder``, none where there is no file; ModelError where it is spoilt."""
    path = folder / FILE
    if not path.is_file():
        return ()
    try:
        rows = json.loads(path.read_text())
        return tuple(Entry(row["question"], tuple(row["plan"]), row["sql"]) for row in rows)
    except (ValueError, KeyError, TypeError) as error:
        raise ModelError(
            "what people said of answers cannot be read", where=str(path), hint="dbt-t2s improve"
        ) from error


class Memory:
    """The entries of one model, ready to be compared with."""

    def __init__(self, entries: Sequence[Entry], encoder: Encoder, link: Link) -> None:
        self._entries = tuple(entries)
        self._link = link
        self._exactly = {_normal(entry.question): entry for entry in self._entries}
        self._vectors = encoder.vectors([entry.question for entry in self._entries]).numpy()
        self._wanted: dict[str, Wants] = {}

    def recall(self, linked: Linked, own: float, refusal: float, likely: Likely) -> Recalled | None:
        """What was said of this question, or of one much like it; None where nothing was.

        ``own`` is the log probability of the network's own best plan, ``refusal`` that of refusing.
        """
        said = tuple(i.token for i in linked.items if i.token[:2] in LITERALS)
        exactly = self._exactly.get(_normal(linked.text))
        if exactly is not None:
            plan = _as_said(exactly.plan, said)
            if plan is not None and (exactly.plan or _is_timely(exactly.sql, said)):
                return Recalled(plan, exactly.sql, _SURE)
        same = self._same(linked, said)
        if same is not None:
            return same
        near = self._near(linked, said)
        plans = [plan for _, plan in near if plan != REFUSAL]
        chances = iter(likely(plans)) if plans else iter(())
        best: tuple[float, Tokens] | None = None
        for alike, plan in near:
            chance = refusal if plan == REFUSAL else next(chances)
            less = own - chance if chance is not None else _NOT_WRITABLE
            score = alike - _DOUBT * min(max(less, 0.0), _MOST_DOUBT)
            if score > _ALIKE and (best is None or score > best[0]):
                best = score, plan
        return Recalled(best[1], "", _LIKELY) if best else None

    def _same(self, linked: Linked, said: Tokens) -> Recalled | None:
        """What was said of a question that asks for the same in other words."""
        alike = self._vectors @ linked.meaning
        for at in np.argsort(-alike)[:_LOOKED_AT]:
            entry = self._entries[at]
            if alike[at] <= _MUCH_ALIKE:
                break
            before = self._wants(entry.question)
            if not before.is_same(asks_for(linked)):
                continue
            if entry.sql and _is_timely(entry.sql, said):
                return Recalled((), entry.sql, _LIKELY)
            # What the words of neither name, as "on pause" for a state called paused.
            unsaid = (
                t
                for t in entry.plan
                if t[:2] in LITERALS and t[:2] != "d:" and t not in before.literals
            )
            plan = _as_said(entry.plan, (*said, *unsaid)) if entry.plan else None
            if plan is not None:
                return Recalled(plan, "", _LIKELY)
        return None

    def _wants(self, question: str) -> Wants:
        if question not in self._wanted:
            self._wanted[question] = asks_for(self._link(question))
        return self._wanted[question]

    def _near(self, linked: Linked, said: Tokens) -> list[tuple[float, Tokens]]:
        """The plans of questions that name no more than this one, the most alike first."""
        alike = self._vectors @ linked.meaning
        found: dict[Tokens, float] = {}
        for at in np.argsort(-alike):
            if alike[at] <= _ALIKE or len(found) == _LOOKED_AT:
                break
            plan = self._entries[at].plan
            if plan and {token for token in plan if token[:2] in LITERALS} <= set(said):
                found.setdefault(plan, float(alike[at]))
        return [(alike, plan) for plan, alike in found.items()]


def _is_timely(sql: str, said: Tokens) -> bool:
    """Whether the SQL holds the days that are named: "last month" is another month by now."""
    days = (_DAY.search(token) for token in said if token[:2] == "d:")
    return all(day is None or day.group() in sql for day in days)


def _normal(question: str) -> str:
    return " ".join(question.lower().split()).rstrip("?.! ")


def _as_said(plan: Tokens, said: Tokens) -> Tokens | None:
    """The plan with what ``said`` names for what it does not; None where that is unclear."""
    made = list(plan)
    for at, token in enumerate(plan):
        if token[:2] not in LITERALS or token in said:
            continue
        begins = token.partition("=")[0] + "=" if token[:2] == "v:" else token[:2]
        free = [each for each in said if each.startswith(begins) and each not in plan]
        if len(free) != 1:
            return None
        made[at] = free[0]
    return tuple(made)
