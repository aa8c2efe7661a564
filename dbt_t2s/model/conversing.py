"""Follow-up questions for the embedded model: which lean on the last answer, and what they ask."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from itertools import pairwise

from dbt_t2s.errors import QueryPlanError
from dbt_t2s.model.following import Following, Reading
from dbt_t2s.model.generate import Candidate, Followed
from dbt_t2s.model.leaning import leans, unanswerable
from dbt_t2s.model.linking import Linked, Linker, SchemaIndex
from dbt_t2s.model.turns import Turn
from dbt_t2s.model.whole import whole_question
from dbt_t2s.query.linear import from_tokens
from dbt_t2s.query.plan import Plan
from dbt_t2s.query.plan_text import plan_text, plan_tokens

_LEANING = 0.5
_SHOWN = 5
# A reading that scores lower says nothing of most of the words.
_READABLE = -1.0
_SURE = 0.75

Alone = Callable[[Linked], tuple[Candidate, ...]]
Sql = Callable[[tuple[str, ...]], str]


class Conversing:
    """Answers follow-ups over one schema; ``alone`` answers a question that leans on nothing."""

    def __init__(self, index: SchemaIndex, linker: Linker, alone: Alone, sql: Sql) -> None:
        self._following = Following(index)
        self._linker = linker
        self._alone = alone
        self._sql = sql

    def follow(self, question: str, before: Sequence[Turn]) -> Followed:
        """``read_as`` is empty where the question starts anew."""
        history = self._history(before)
        why = unanswerable(question)
        if why and before:
            return Followed(f"{before[-1].question}; {question}", (Candidate("", 1.0, why),))
        lean = leans(question)
        if not history or lean == 0:
            return Followed("")
        linked = self._linker.link([question])[0]
        readings = self._following.read(linked, history)
        if not readings or readings[0].score < _READABLE or self._is_new(lean, readings[0]):
            return Followed("") if lean < 1 else _lost(question, before, readings)
        whole = whole_question(before[-1].question, question, readings[0].kinds)
        return Followed(whole, self._candidates(readings))

    def _is_new(self, lean: float, best: Reading) -> bool:
        return lean < _LEANING

    def _candidates(self, readings: Sequence[Reading]) -> tuple[Candidate, ...]:
        """The likeliest readings as SQL, each once."""
        made: dict[str, Candidate] = {}
        top = readings[0].score
        total = sum(math.exp(r.score - top) for r in readings)
        for reading in readings[:_SHOWN]:
            sql = self._sql(reading.tokens)
            if sql and sql not in made:
                sure = _SURE * math.exp(reading.score - top) / total
                named = tuple(t for t in reading.tokens if t[:2] in ("m:", "r:"))
                plan = plan_text(reading.tokens)
                made[sql] = Candidate(sql, sure, items=tuple(dict.fromkeys(named)), plan=plan)
        return tuple(made.values())

    def _history(self, before: Sequence[Turn]) -> tuple[Plan, ...]:
        """The plans of the turns before, the last one last; those after a gap alone."""
        found: list[Plan] = []
        for turn in before:
            plan = self._plan(turn)
            if plan is None:
                found = []
            else:
                found.append(plan)
        return tuple(b for a, b in pairwise((None, *found)) if b is not None and a != b)

    def _plan(self, turn: Turn) -> Plan | None:
        """The turn's plan as it says, else that of the model's own answer to its question."""
        if turn.plan:
            return read_plan(turn.plan)
        answers = self._alone(self._linker.link([turn.question])[0])
        same = [
            c for c in answers if c.plan and " ".join(c.sql.split()) == " ".join(turn.sql.split())
        ]
        chosen = same or ([] if turn.sql else [c for c in answers if c.plan])
        return read_plan(chosen[0].plan) if chosen else None


def read_plan(text: str) -> Plan | None:
    """The plan that a line spells; None where it spells none."""
    try:
        return from_tokens(plan_tokens(text))
    except QueryPlanError:
        return None


def _lost(question: str, before: Sequence[Turn], readings: Sequence[Reading]) -> Followed:
    """A question that surely leans on the last one, and whose words nothing explains."""
    unknown = readings[0].unknown if readings else ()
    named = ", ".join(repr(w) for w in unknown[:4])
    why = (
        f"nothing in this project is known as {named}"
        if named
        else ("it is not clear what this changes in the question before")
    )
    return Followed(f"{before[-1].question}; {question}", (Candidate("", 0.5, why),))
