"""Follow-up questions for the embedded model: what they ask after what was asked before.

The network reads the whole conversation, which pretraining has taught it; the words are read as
edits of the last plan as well. All readings are weighed together: by how likely the network finds
each plan after all that was said, and by what speaks for the edit.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from dbt_t2s.errors import QueryPlanError
from dbt_t2s.model.following import INSTEAD, Following, Reading
from dbt_t2s.model.generate import Candidate, Followed
from dbt_t2s.model.leaning import anew, leans, unanswerable
from dbt_t2s.model.linking import Linked, Linker, SchemaIndex
from dbt_t2s.model.search import Found, Searched
from dbt_t2s.model.spelling import Spelling
from dbt_t2s.model.turns import Turn
from dbt_t2s.model.whole import conversation
from dbt_t2s.model.written import Draft, Written
from dbt_t2s.query.linear import from_tokens, to_tokens
from dbt_t2s.query.plan import Plan
from dbt_t2s.query.plan_text import plan_text, plan_tokens
from dbt_t2s.query.sql_plans import Converter
from dbt_t2s.query.sql_source import NotConvertedError
from dbt_t2s.sql import SqlError

_SHOWN = 5
_EDITS = 16  # of the readings as edits
_SURE = 0.9
# Weighed on written dialogues over projects that the network never met (tests/benchmarks/LOG.md).
_EDIT = 1.5  # what an edit's score counts for beside a log probability
_UNEDITED = -3.0  # the score of a plan that no edit leads to
# What the question needs beside its own words, as the year of "only March" after "in 2025".
_UNWRITABLE = -3.0
_UNCHANGED = -1.0
_REFUSED = 0.5
_SURELY_EDITED = 2.0
# What leans no more than this and has a likely plan of its own asks anew.
_ALONE, _LIKELY_ALONE = 0.3, -2.0


class Model(Protocol):
    """What a network makes of questions that are linked."""

    def alone(self, linked: Linked) -> Sequence[Candidate]: ...

    def search(self, linked: Linked) -> Searched: ...

    def plans(self, linked: Linked) -> Sequence[Found]: ...

    def likely(self, linked: Linked, plans: Sequence[Sequence[str]]) -> list[float | None]: ...

    def sql(self, tokens: tuple[str, ...], question: str) -> str: ...


@dataclass(frozen=True)
class _Weighed:
    """A plan that may be meant, its SQL and its score; ``edit`` is that of its reading as edits.

    ``replaces`` says that an edit puts something in the place of something.
    """

    tokens: tuple[str, ...]
    sql: str
    likely: float
    edit: float = _UNEDITED
    replaces: bool = False

    @property
    def score(self) -> float:
        return self.likely + _EDIT * self.edit


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
        told = conversation(before[-1].question, question)
        if why := unanswerable(question):
            return Followed(told, (Candidate("", 1.0, why),))
        linked = self._link(question)
        edited = self._following.read(linked, history)[:_EDITS]
        lean = 1.0 if self._following.is_bare(linked) else leans(question)
        if lean < _ALONE and self._stands_alone(linked):
            return Followed("")
        weighed, refused = self._weighed(told, edited, history[-1])
        sure = edited[0].score if edited else _UNEDITED
        unread = bool(edited) and not edited[0].kinds and bool(edited[0].unknown)
        doubted = refused > _REFUSED and sure < _SURELY_EDITED
        if not weighed or unread or doubted:
            return _lost(told, edited)
        if INSTEAD.search(question):
            weighed.sort(key=lambda each: not each.replaces)
        return Followed(told, self._candidates(weighed))

    def _link(self, question: str, needed: Sequence[str] = ()) -> Linked:
        return self._linker.link([question], [needed])[0]

    def _weighed(
        self, told: str, edited: Sequence[Reading], last: Plan
    ) -> tuple[list[_Weighed], float]:
        """All readings, the best first, and the chance that nothing answers."""
        searched = self._model.search(self._link(told))
        found: dict[str, _Weighed] = {}
        for plan in searched.plans:
            sql = self._model.sql(plan.tokens, told)
            if sql and sql not in found:
                likely = math.log(max(plan.probability, 1e-30))
                found[sql] = _Weighed(plan.tokens, sql, likely)
        unread: dict[str, Reading] = {}
        for reading in edited:
            sql = self._model.sql(reading.tokens, told)
            if sql in found:
                if reading.score > found[sql].edit:
                    known = found[sql]
                    found[sql] = replace(known, edit=reading.score, replaces=_replaces(reading))
            elif sql:
                unread.setdefault(sql, reading)
        needed = sorted({token for reading in unread.values() for token in reading.tokens})
        plans = [reading.tokens for reading in unread.values()]
        chances = self._model.likely(self._link(told, needed), plans) if plans else []
        for (sql, reading), chance in zip(unread.items(), chances, strict=True):
            likely = _of_other_days(reading.tokens, found) if chance is None else chance
            found[sql] = _Weighed(reading.tokens, sql, likely, reading.score, _replaces(reading))
        same = self._model.sql(to_tokens(last), told)
        if same in found:
            found[same] = replace(found[same], likely=found[same].likely + _UNCHANGED)
        return sorted(found.values(), key=lambda each: -each.score), searched.refusal

    def _stands_alone(self, linked: Linked) -> bool:
        """Whether the question has a likely plan without anything before it."""
        plans = self._model.plans(linked)
        return bool(plans) and math.log(max(plans[0].probability, 1e-30)) > _LIKELY_ALONE

    def _candidates(self, weighed: Sequence[_Weighed]) -> tuple[Candidate, ...]:
        """The likeliest readings, the best first."""
        top = weighed[0].score
        total = sum(math.exp(each.score - top) for each in weighed)
        drafts = [
            Draft(
                each.sql,
                _SURE * math.exp(each.score - top) / total,
                tuple(dict.fromkeys(t for t in each.tokens if t[:2] in ("m:", "r:"))),
                plan_text(each.tokens),
            )
            for each in weighed[:_SHOWN]
        ]
        return tuple(Written(drafts, self._dialect))

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


def _of_other_days(tokens: Sequence[str], found: Mapping[str, _Weighed]) -> float:
    """How likely the network finds the same plan of the days that the words name."""

    def undated(plan: Sequence[str]) -> tuple[str, ...]:
        return tuple(token[:2] if token[:2] == "d:" else token for token in plan)

    same = (w.likely for w in found.values() if undated(w.tokens) == undated(tokens))
    return max(same, default=_UNWRITABLE)


def _replaces(reading: Reading) -> bool:
    return any(kind.endswith("replaced") for kind in reading.kinds)


def read_plan(text: str) -> Plan | None:
    """The plan that a line spells; None where it spells none."""
    try:
        return from_tokens(plan_tokens(text))
    except QueryPlanError:
        return None


def _lost(told: str, readings: Sequence[Reading]) -> Followed:
    """A question that leans on the last one, and whose words nothing explains."""
    unknown = readings[0].unknown if readings else ()
    named = ", ".join(repr(w) for w in unknown[:4])
    why = (
        f"nothing in this project is known as {named}"
        if named
        else "it is not clear what this changes in the question before"
    )
    return Followed(told, (Candidate("", 0.5, why),))
