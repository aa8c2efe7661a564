"""Follow-up questions for the embedded model: what they ask after what was asked before.

The network reads the whole conversation, which pretraining has taught it, and the question by
itself; the words are read as edits of the last plan as well. ``choosing`` weighs all readings.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Protocol

from dbt_t2s.errors import QueryPlanError
from dbt_t2s.model.choosing import Choosing, Heard, Weighed, is_unread, stands_alone
from dbt_t2s.model.following import Following, Reading
from dbt_t2s.model.generate import Candidate, Followed
from dbt_t2s.model.leaning import LEANING, anew, leans, unanswerable
from dbt_t2s.model.linking import Linked, Linker
from dbt_t2s.model.said_readings import (
    as_left_out,
    as_said,
    as_undone,
    of_days_meant,
    of_what_is_named,
    of_what_is_shown,
)
from dbt_t2s.model.schema_index import SchemaIndex
from dbt_t2s.model.search import Found, Searched
from dbt_t2s.model.spelling import Spelling
from dbt_t2s.model.turns import Turn
from dbt_t2s.model.whole import conversation
from dbt_t2s.model.written import Draft, Written
from dbt_t2s.query.linear import from_tokens, to_tokens
from dbt_t2s.query.plan import Plan, canonical
from dbt_t2s.query.plan_text import plan_text, plan_tokens
from dbt_t2s.query.sql_plans import Converter
from dbt_t2s.query.sql_source import NotConvertedError
from dbt_t2s.query.text import words
from dbt_t2s.sql import SqlError

_SHOWN = 5
_EDITS = 16  # of the readings as edits
_ALONE = 3  # of the plans of a question by itself
_HARDLY = 0.3  # what leans less asks for itself, where it can
_SURE = 0.9
_NEAR, _HOPELESS = 12, -14.0  # of the plans one step away: how many, how likely
_UNREAD = 0.2  # the most doubt where no edit explains the words
# What the question needs beside its own words, as the year of "only March" after "in 2025".
_UNWRITABLE = -3.0
_UNLIKELY = 1e-30
_TURNS = 256  # whose plans are remembered


class Model(Protocol):
    """What a network makes of questions that are linked."""

    @property
    def reads_before(self) -> bool:
        """Whether the network is to be told the plan of the question before."""
        ...

    def alone(self, linked: Linked) -> Sequence[Candidate]: ...

    def search(self, linked: Sequence[Linked]) -> list[Searched]: ...

    def likely(self, linked: Linked, plans: Sequence[Sequence[str]]) -> list[float | None]: ...

    def sql(self, tokens: tuple[str, ...], question: str) -> str: ...


@dataclass(frozen=True)
class _Read:
    """What the network reads of a follow-up, and the plan before, where it is told that."""

    linked: Linked
    before: tuple[str, ...] = ()


class Conversing:
    """Answers follow-ups over one schema."""

    def __init__(
        self, index: SchemaIndex, linker: Linker, model: Model, spelling: Spelling
    ) -> None:
        self._following = Following(index)
        self._linker = linker
        self._model = model
        self._converter = Converter(index.schema)
        self._spelling = spelling
        self._choosing = Choosing()
        self._schema = index.schema
        # A conversation's turns are asked for again with every turn after them.
        self._plan = lru_cache(_TURNS)(self._plan_of)

    def follow(self, question: str, before: Sequence[Turn]) -> Followed:
        """``read_as`` is empty where the question starts anew."""
        question = self._spelling.mended(question)
        if asked := anew(question):
            return Followed("", tuple(self._model.alone(self._link(asked))))
        history = self._history(before)
        if not history:
            return Followed("")
        told = conversation(before[-1].question, question)
        if why := unanswerable(question) and unanswerable(without_values(self._link(question))):
            return Followed(told, (Candidate("", 1.0, why),))
        heard = self.hear(question, told, history)
        if stands_alone(heard):
            return Followed("")
        found = self._choosing.order(heard)
        doubt = self._choosing.doubt(heard, found)
        if not found or doubt > (_UNREAD if is_unread(heard, found) else LEANING):
            return _lost(told, heard, doubt)
        if _is_alone(found[0][1], heard):
            return Followed("")
        return Followed(told, self._candidates(found, 1 - doubt))

    def hear(self, question: str, told: str, history: tuple[Plan, ...]) -> Heard:
        """All that the question may mean after the plans of ``history``; ``told`` is all that was
        said."""
        linked, whole, read = self._read(question, told, history[-1])
        edited = self._following.read(linked, history)[:_EDITS]
        alone, after = self._model.search([linked, read.linked])
        found: dict[str, Weighed] = {}
        for plan in after.plans:
            tokens = self._as_said(plan.tokens, question, history[-1])
            if sql := self._model.sql(tokens, told):
                likely = math.log(max(plan.probability, _UNLIKELY))
                found.setdefault(sql, Weighed(tokens, sql, likely, searched=True))
        others = [
            *(self._edited(reading, question, told, history[-1]) for reading in edited),
            *(self._by_itself(plan, told) for plan in alone.plans[:_ALONE]),
        ]
        near = self._following.near(linked, history)
        needed = {token for each in others for token in each.tokens}
        wanted = sorted(needed.union(*map(to_tokens, near)))
        whole = self._linker.again(whole, wanted)
        after_all = self._linker.again(read.linked, wanted, read.before) if read.before else whole
        for each in self._likened(others, found, after_all):
            known = found.get(each.sql)
            found[each.sql] = each if known is None else _both(known, each)
        for each in self._near(near, told, after_all):
            found.setdefault(each.sql, each)
        bare = self._following.is_bare(linked)
        refusals = (after.refusal, alone.refusal)
        readings = _meant(tuple(found.values()), question, history[-1])
        return Heard(linked, whole, history, readings, refusals, bare)

    def _read(self, question: str, told: str, last: Plan) -> tuple[Linked, Linked, _Read]:
        """The question by itself, all that was said, and what the network is to read: the question
        after the last plan, or all that was said where it was not taught to read plans."""
        if not self._model.reads_before:
            linked, whole = self._linker.link([question, told])
            return linked, whole, _Read(whole)
        before = to_tokens(canonical(last))
        texts = [question, told, question]
        linked, whole, after = self._linker.link(texts, before=[(), (), before])
        return linked, whole, _Read(after, before)

    def _link(self, question: str) -> Linked:
        return self._linker.link([question])[0]

    def _edited(self, reading: Reading, question: str, told: str, last: Plan) -> Weighed:
        tokens = self._as_said(reading.tokens, question, last)
        sql = self._model.sql(tokens, told)
        return Weighed(
            tokens, sql, _UNWRITABLE, edit=reading.score, kinds=reading.kinds,
            unknown=reading.unknown,
        )  # fmt: skip

    def _as_said(self, tokens: tuple[str, ...], question: str, last: Plan) -> tuple[str, ...]:
        plan = from_tokens(tokens)
        made = plan and as_said(plan, question, last, self._schema)
        return tokens if made is None or made == plan else to_tokens(made)

    def _by_itself(self, plan: Found, told: str) -> Weighed:
        chance = math.log(max(plan.probability, _UNLIKELY))
        return Weighed(plan.tokens, self._model.sql(plan.tokens, told), _UNWRITABLE, alone=chance)

    def _near(self, plans: Sequence[Plan], told: str, whole: Linked) -> Iterator[Weighed]:
        """Those of ``plans`` that the network finds likeliest after all that was said."""
        tokens = [to_tokens(plan) for plan in plans]
        chances = zip(self._model.likely(whole, tokens), tokens, strict=True)
        able = sorted((c, t) for c, t in chances if c is not None and c > _HOPELESS)
        for chance, each in reversed(able[-_NEAR:]):
            if sql := self._model.sql(each, told):
                yield Weighed(each, sql, chance)

    def _likened(
        self, others: Sequence[Weighed], found: Mapping[str, Weighed], whole: Linked
    ) -> list[Weighed]:
        """Those with SQL, each as likely as the network finds it after all that was said."""
        able = [each for each in others if each.sql]
        new = {each.sql: each.tokens for each in able if each.sql not in found}
        chances = self._model.likely(whole, list(new.values())) if new else []
        likely = {
            sql: _of_other_days(tokens, found) if chance is None else chance
            for (sql, tokens), chance in zip(new.items(), chances, strict=True)
        }
        return [
            replace(each, likely=likely[each.sql]) if each.sql in likely else each for each in able
        ]

    def _candidates(
        self, found: Sequence[tuple[float, Weighed]], sure: float
    ) -> tuple[Candidate, ...]:
        """The likeliest readings, the best first."""
        drafts = [
            Draft(
                each.sql,
                _SURE * sure * share,
                tuple(dict.fromkeys(t for t in each.tokens if t[:2] in ("m:", "r:"))),
                plan_text(each.tokens),
            )
            for share, each in found[:_SHOWN]
        ]
        return tuple(Written(drafts, self._schema.dialect))

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

    def _plan_of(self, turn: Turn) -> Plan | None:
        """The turn's plan as it says; else that of its SQL, else of the model's own answer."""
        if turn.plan:
            return read_plan(turn.plan)
        answers = [c for c in self._model.alone(self._link(turn.question)) if c.plan]
        wanted = " ".join(turn.sql.split())
        for each in answers:
            if " ".join(each.sql.split()) == wanted:
                return read_plan(each.plan)
        if turn.sql:
            for read in (self._converter.plan, self._converter.nearest):
                try:
                    return read(turn.sql)
                except (NotConvertedError, SqlError, QueryPlanError, RecursionError):
                    pass  # what no plan can say: the model's own answer is the nearest to it
        return read_plan(answers[0].plan) if answers else None


def _meant(readings: tuple[Weighed, ...], question: str, last: Plan) -> tuple[Weighed, ...]:
    """Those that the question's own words leave."""
    for kept in (as_left_out, of_what_is_shown, of_days_meant):
        readings = kept(readings, question, last)
    return as_undone(of_what_is_named(readings, last))


def without_values(linked: Linked) -> str:
    """The question's words that name no value: "product advice" asks for none."""
    values = [at for at, item in enumerate(linked.items) if item.sort == "v"]
    surely = linked.word_item[:, values, 2].max(1, initial=0.0)
    named = zip(words(linked.text), surely, strict=False)
    return " ".join(word.text for word, said in named if said < _SURE)


def _of_other_days(tokens: Sequence[str], found: Mapping[str, Weighed]) -> float:
    """How likely the network finds the same plan of the days that the words name."""

    def undated(plan: Sequence[str]) -> tuple[str, ...]:
        return tuple(token[:2] if token[:2] == "d:" else token for token in plan)

    same = (w.likely for w in found.values() if undated(w.tokens) == undated(tokens))
    return max(same, default=_UNWRITABLE)


def _both(known: Weighed, other: Weighed) -> Weighed:
    """One reading of what was found in two ways; of two as edits the better one."""
    if other.alone is not None:
        return replace(
            known, alone=other.alone if known.alone is None else max(known.alone, other.alone)
        )
    if other.edit is None or (known.edit is not None and known.edit >= other.edit):
        return known
    return replace(known, edit=other.edit, kinds=other.kinds, unknown=other.unknown)


def _is_alone(reading: Weighed, heard: Heard) -> bool:
    """Whether the question by itself leads to the reading, and what was before to nothing else."""
    if reading.alone is None:
        return False
    told = reading.searched or reading.edit is not None
    return not told or (not heard.bare and leans(heard.asked.text) < _HARDLY)


def read_plan(text: str) -> Plan | None:
    """The plan that a line spells; None where it spells none."""
    try:
        return from_tokens(plan_tokens(text))
    except QueryPlanError:
        return None


def _lost(told: str, heard: Heard, doubt: float) -> Followed:
    """A question that leans on the last one, and that nothing answers."""
    best = heard.best_edit
    named = ", ".join(repr(word) for word in (best.unknown if best else ())[:4])
    why = (
        f"nothing in this project is known as {named}"
        if named
        else "it is not clear what this changes in the question before"
    )
    return Followed(told, (Candidate("", doubt, why),))
