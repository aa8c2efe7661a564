"""Follow-up questions for the embedded model: which lean on the last answer, and what they ask.

Readings come from three places: the words as edits of the last plan, the words read alone by the
network and put into that plan, and the whole question read by the network. All are weighed
together, by what speaks for the edit and by how likely the network finds the plan for the whole.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Protocol

from dbt_t2s.errors import QueryPlanError
from dbt_t2s.model.following import Following, Reading, settled
from dbt_t2s.model.generate import Candidate, Followed
from dbt_t2s.model.leaning import LEANING, anew, leans, unanswerable
from dbt_t2s.model.linking import Linked, Linker, SchemaIndex
from dbt_t2s.model.search import Found
from dbt_t2s.model.spelling import Spelling
from dbt_t2s.model.turns import Turn
from dbt_t2s.model.whole import whole_question
from dbt_t2s.model.written import Draft, Written
from dbt_t2s.query import edits
from dbt_t2s.query.linear import from_tokens, to_tokens
from dbt_t2s.query.plan import Plan
from dbt_t2s.query.plan_text import plan_text, plan_tokens
from dbt_t2s.query.sql_plans import Converter
from dbt_t2s.query.sql_source import NotConvertedError
from dbt_t2s.sql import SqlError

_SHOWN = 5
_READ = 3  # of the network's plans
_SURE = 0.75
_LIKELY = 0.08
_WORST = -9.0
_MERGED = -0.6
_WHOLE = -1.5
_AGREED = 0.05  # that another reading comes to the same plan


class Model(Protocol):
    """What a network makes of questions that are linked."""

    def alone(self, linked: Linked) -> Sequence[Candidate]: ...

    def plans(self, linked: Linked) -> Sequence[Found]: ...

    def likely(self, linked: Linked, plans: Sequence[Sequence[str]]) -> list[float | None]: ...

    def sql(self, tokens: tuple[str, ...], question: str) -> str: ...


class Conversing:
    """Answers follow-ups over one schema."""

    def __init__(self, index: SchemaIndex, linker: Linker, model: Model) -> None:
        self._following = Following(index)
        self._linker = linker
        self._model = model
        self._converter = Converter(index.schema)
        self._spelling = Spelling(index)
        self._dialect = index.schema.dialect

    def follow(self, question: str, before: Sequence[Turn]) -> Followed:
        """``read_as`` is empty where the question starts anew."""
        question = self._spelling.mended(question)
        if asked := anew(question):
            return Followed("", tuple(self._model.alone(self._link(asked))))
        history = self._history(before)
        if not history:
            return Followed("")
        if why := unanswerable(question):
            return Followed(f"{before[-1].question}; {question}", (Candidate("", 1.0, why),))
        linked = self._link(question)
        lean = 1.0 if self._following.is_bare(linked) else leans(question)
        if lean < LEANING:
            return Followed("")
        edited = self._following.read(linked, history)
        kinds = edited[0].kinds if edited else ()
        whole = whole_question(before[-1].question, question, kinds)
        if not edited or (not edited[0].kinds and edited[0].unknown):
            return _lost(question, before, edited)
        readings = self._weighed(edited, linked, history[-1], whole)
        whole = whole_question(before[-1].question, question, readings[0].kinds)
        return Followed(whole, self._candidates(readings, whole))

    def _link(self, question: str, needed: Sequence[str] = ()) -> Linked:
        return self._linker.link([question], [needed])[0]

    def _weighed(
        self, edited: Sequence[Reading], linked: Linked, last: Plan, whole: str
    ) -> list[Reading]:
        """All readings, the best first."""
        base = edited[0].score if edited else 0.0
        found = {r.tokens: r for r in edited}
        for plan in self._model.plans(linked)[:_READ]:
            alone = from_tokens(plan.tokens)
            for kind, made in edits.merged(last, alone) if alone else ():
                score = min(base, 1.5) + _MERGED + 0.3 * math.log(max(plan.probability, 1e-3))
                self._add(found, made, score, kind)
        needed = sorted({t for tokens in found for t in tokens})
        asked = self._link(whole, needed)
        for plan in self._model.plans(asked)[:_READ]:
            whole_plan = from_tokens(plan.tokens)
            if whole_plan is not None and whole_plan != last:
                self._add(found, whole_plan, min(base, 1.5) + _WHOLE, "whole")
        likely = self._model.likely(asked, list(found))
        return sorted(_weighed(list(found.values()), likely), key=lambda r: -r.score)

    def _add(
        self, found: dict[tuple[str, ...], Reading], plan: Plan, score: float, kind: str
    ) -> None:
        made = settled(plan)
        tokens = to_tokens(made)
        known = found.get(tokens)
        if known is not None:
            found[tokens] = replace(known, score=max(known.score, score) + _AGREED)
        elif self._following.binds(made):
            found[tokens] = Reading(made, tokens, score, (kind,))

    def _candidates(self, readings: Sequence[Reading], whole: str) -> tuple[Candidate, ...]:
        """The likeliest readings as SQL, each once."""
        drafts: dict[str, Draft] = {}
        top = readings[0].score
        total = sum(math.exp(r.score - top) for r in readings)
        for reading in readings[:_SHOWN]:
            sql = self._model.sql(reading.tokens, whole)
            if sql and sql not in drafts:
                sure = _SURE * math.exp(reading.score - top) / total
                named = tuple(t for t in reading.tokens if t[:2] in ("m:", "r:"))
                plan = plan_text(reading.tokens)
                drafts[sql] = Draft(sql, sure, tuple(dict.fromkeys(named)), plan)
        return tuple(Written(tuple(drafts.values()), self._dialect))

    def _history(self, before: Sequence[Turn]) -> tuple[Plan, ...]:
        """The plans of the turns before, the last one last; those after a gap alone."""
        found: list[Plan] = []
        for turn in before:
            plan = self._plan(turn)
            if plan is None or not self._following.binds(plan):
                found = []
            elif not found or found[-1] != plan:
                found.append(plan)
        return tuple(found)

    def _plan(self, turn: Turn) -> Plan | None:
        """The turn's plan as it says; else that of its SQL, else of the model's own answer."""
        if turn.plan:
            return read_plan(turn.plan)
        answers = [c for c in self._model.alone(self._link(turn.question)) if c.plan]
        wanted = " ".join(turn.sql.split())
        for each in answers:
            if " ".join(each.sql.split()) == wanted:
                return read_plan(each.plan)
        if turn.sql:
            try:
                return self._converter.plan(turn.sql)
            except (NotConvertedError, SqlError, QueryPlanError, RecursionError):
                pass  # what no plan can say: the model's own answer is the nearest to it
        return read_plan(answers[0].plan) if answers else None


def _weighed(readings: Sequence[Reading], likely: Sequence[float | None]) -> list[Reading]:
    """Readings with what the network finds of them, beside others of the same edits alone.

    It knows which column is meant; whether one is added or replaced it was never taught.
    """
    best: dict[tuple[str, ...], float] = {}
    for reading, log in zip(readings, likely, strict=True):
        if log is not None:
            best[reading.kinds] = max(best.get(reading.kinds, log), log)
    made = []
    for reading, log in zip(readings, likely, strict=True):
        behind = 0.0 if log is None else max(log - best[reading.kinds], _WORST)
        made.append(replace(reading, score=reading.score + _LIKELY * behind))
    return made


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
        else "it is not clear what this changes in the question before"
    )
    return Followed(f"{before[-1].question}; {question}", (Candidate("", 0.5, why),))
