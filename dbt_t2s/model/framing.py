"""Follow-ups of questions with a simpler one inside: "… from 2024 to 2025?", "and in Germany?".

What follows changes the question inside; what the words around it ask for is made of that anew.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from dbt_t2s.errors import QueryPlanError
from dbt_t2s.model.conversing import Conversing, read_plan
from dbt_t2s.model.generate import Candidate, Followed
from dbt_t2s.model.schema_index import SchemaIndex
from dbt_t2s.model.turns import Turn
from dbt_t2s.model.whole import conversation, parts_of
from dbt_t2s.model.written import Draft, Written
from dbt_t2s.query.frames import Frame, frame_of
from dbt_t2s.query.linear import to_tokens
from dbt_t2s.query.plan_text import plan_text, plan_tokens

_UNCLEAR = "it is not clear what this changes in the question before"


class Framing:
    """Reads what follows a framed question; ``answers`` gives a question's own candidates and
    ``sql`` the SQL of a plan's tokens."""

    def __init__(
        self,
        index: SchemaIndex,
        conversing: Conversing,
        answers: Callable[[str], Sequence[Candidate]],
        sql: Callable[[tuple[str, ...], str], str],
    ) -> None:
        self._schema, self._today = index.schema, index.today
        self._conversing = conversing
        self._answers = answers
        self._sql = sql

    def follow(self, question: str, before: Sequence[Turn]) -> Followed | None:
        """What ``question`` asks after the framed one; None where the last one was none."""
        if not before:
            return None
        first, *later = parts_of(before[-1].question)
        frame = frame_of(first, self._today, self._schema)
        if frame is None or frame.beside or _is_plain(frame, before[-1].plan):
            return None
        turns = self._inside(frame, later)
        if not turns:
            return None
        followed = self._conversing.follow(question, turns)
        if not followed.read_as:
            return followed
        told = conversation(before[-1].question, question)
        best = _first(followed.candidates)
        if any(_is_plain(frame, each.plan) for each in (*turns, *([best] if best else ()))):
            return Followed(told, followed.candidates)  # other words for what was around
        drafts = list(self._around(frame, followed.candidates, told))
        if drafts:
            return Followed(told, Written(drafts, self._schema.dialect))
        unclear = Candidate("", 1.0, _UNCLEAR)
        refused = tuple(each for each in followed.candidates if not each.sql)
        return Followed(told, refused or (unclear,))

    def _inside(self, frame: Frame, later: Sequence[str]) -> list[Turn]:
        """The conversation as one about the question inside; empty where that has no answer."""
        best = _first(self._answers(frame.core))
        turns = [Turn(frame.core, best.sql, best.plan)] if best else []
        for text in later if turns else ():
            followed = self._conversing.follow(text, turns)
            best = _first(followed.candidates)
            if best is None:
                return []
            turns.append(Turn(followed.read_as or text, best.sql, best.plan))
        return turns

    def _around(self, frame: Frame, candidates: Sequence[Candidate], told: str) -> Sequence[Draft]:
        """The candidates as wholes, where the first of them can be one."""
        found: list[Draft] = []
        for each in candidates:
            plan = read_plan(each.plan) if each.plan else None
            made = frame.around(plan) if plan else None
            tokens = to_tokens(made) if made else ()
            if tokens and (sql := self._sql(tokens, told)):
                found.append(Draft(sql, each.confidence, each.items, plan_text(tokens)))
            elif not found:
                break
        return found


def _is_plain(frame: Frame, plan: str) -> bool:
    """Whether the plan that answered has an item for the words around."""
    try:
        return bool(plan) and frame.is_said_by(plan_tokens(plan))
    except QueryPlanError:
        return False


def _first(candidates: Sequence[Candidate]) -> Candidate | None:
    return next((each for each in candidates if each.sql and each.plan), None)
