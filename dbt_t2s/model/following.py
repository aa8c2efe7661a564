"""Follow-ups read as edits: the plan before, changed as the words say.

Each phrase and each name of a follow-up may stand for several edits; what goes together best, and
binds, is what was probably meant.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from dbt_t2s.errors import QueryPlanError
from dbt_t2s.model.chunks import Chunk, chunks, free_words
from dbt_t2s.model.edit_option import Before, Option
from dbt_t2s.model.leaning import Phrase, phrases
from dbt_t2s.model.linking import Linked
from dbt_t2s.model.name_options import NameOptions
from dbt_t2s.model.neighbours import neighbours
from dbt_t2s.model.phrase_options import PhraseOptions
from dbt_t2s.model.reverting import reverted
from dbt_t2s.model.schema_index import SchemaIndex
from dbt_t2s.query import edits
from dbt_t2s.query.checked import parts_of
from dbt_t2s.query.linear import to_tokens, value_of
from dbt_t2s.query.plan import Agg, Col, Count, Has, Plan, Value, canonical
from dbt_t2s.query.plan_parts import dims_of

_IGNORED = -1.2
_UNKNOWN = -0.8
_UNCHANGED = -2.5
_TWICE = 1.5
_ONCE = frozenset(("measure replaced", "ratio", "group replaced", "period", "function", "top"))
_ALIKE = {"ratio": "measure replaced"}
_BEAM = 64
_MOST = 24

INSTEAD = re.compile(
    r"\b(?:instead|rather|in (?:the )?place of|replace|swap|change (?:it|that|this)? ?to|switch)\b",
    re.I,
)
_ABOUT = re.compile(r"\b(?:what about|how about|same for|the same|and for|now for|ditto)\b", re.I)
_ALSO = re.compile(
    r"\b(?:also|too|as well|add|plus|alongside|besides|next to|together with|in addition|along "
    r"with)\b",
    re.I,
)


@dataclass(frozen=True)
class Reading:
    """A plan that a follow-up may mean.

    ``kinds`` are the edits, ``unknown`` the words that none explains.
    """

    plan: Plan
    tokens: tuple[str, ...]
    score: float
    kinds: tuple[str, ...]
    unknown: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Picked:
    score: float = 0.0
    options: tuple[Option, ...] = ()
    unknown: tuple[str, ...] = ()


class Following:
    """Reads follow-ups over one schema."""

    def __init__(self, index: SchemaIndex) -> None:
        self._index = index
        self._names = NameOptions(index)
        self._phrases = PhraseOptions(index)
        self._tables = {table.name: table for table in index.schema.tables}

    def read(self, linked: Linked, history: Sequence[Plan]) -> list[Reading]:
        """What the follow-up makes of the last plan of ``history``, the likeliest first."""
        text = linked.text
        found = phrases(text)
        before = self._before(history[-1], text, found)
        slots = self._slots(linked, found, before, tuple(history))
        picked = [_Picked()]
        for options in slots:
            grown = [_with(p, o) for p in picked for o in options]
            grown.sort(key=lambda p: -p.score)
            picked = grown[:_BEAM]
        return self._bound(picked, before)

    def near(self, linked: Linked, history: Sequence[Plan]) -> list[Plan]:
        """Plans that the last one of ``history`` may go back to, or that are one step from it."""
        last = history[-1]
        root = self._root(last)
        shown = self._phrases.display(root) if root else None
        values = [value_of(i.token[2:]) for i in linked.items if i.sort == "v"]
        found = (*reverted(history, root), *neighbours(last, root, shown, self._tables, values))
        return list(dict.fromkeys(map(settled, found)))

    def is_bare(self, linked: Linked) -> bool:
        """Whether the words are phrases alone, which mean nothing without something before."""
        found = phrases(linked.text)
        return bool(found) and not chunks(linked, found)

    def _before(self, plan: Plan, text: str, found: Sequence[Phrase]) -> Before:
        return Before(
            plan,
            self._root(plan),
            _tables(plan) | {self._root(plan)},
            replacing=INSTEAD.search(text) is not None,
            about=_ABOUT.search(text) is not None,
            adding=_ALSO.search(text) is not None,
            topping=any(p.kind in ("top", "top_one") for p in found),
        )

    def _root(self, plan: Plan) -> str:
        """The table whose rows the plan is about; empty where nobody can say."""
        binder = self._index.binder
        try:
            if edits.measures(plan):
                return binder.roots(plan)[0]
            tables = frozenset(_tables_of(dims_of(plan)))
            return binder.graph.bridge(tables) or ""
        except QueryPlanError:
            return ""

    def _slots(
        self,
        linked: Linked,
        found: Sequence[Phrase],
        before: Before,
        history: tuple[Plan, ...],
    ) -> list[list[tuple[Option | None, float, str]]]:
        slots: list[list[tuple[Option | None, float, str]]] = []
        for phrase in found:
            options = self._phrases.of(phrase, before, history)
            slots.append([(o, o.score, "") for o in options] + [(None, _IGNORED, "")])
        spoken, _ = free_words(linked.text, found)
        for chunk in chunks(linked, found):
            start = spoken[chunk.first].start
            options = self._names.of_chunk(chunk, before, linked.text, start)
            slots.append([(o, o.score, "") for o in options] + [_unread(chunk, options)])
        return slots

    def _bound(self, picked: Sequence[_Picked], before: Before) -> list[Reading]:
        """The plans of what was picked that bind, each once."""
        best: dict[tuple[str, ...], Reading] = {}
        for each in picked:
            made = _edited(before.plan, each.options)
            score = each.score - _TWICE * _conflicts(each.options)
            if made == before.plan:
                score += _UNCHANGED
            made = settled(made)
            tokens = to_tokens(made)
            if tokens in best and best[tokens].score >= score:
                continue
            if tokens not in best and not self.binds(made):
                continue
            kinds = tuple(o.kind for o in each.options if o.kind != "known")
            best[tokens] = Reading(made, tokens, score, kinds, each.unknown)
        return sorted(best.values(), key=lambda r: -r.score)[:_MOST]

    def binds(self, plan: Plan) -> bool:
        """Whether the plan has SQL."""
        try:
            self._index.binder.sql(plan)
        except (QueryPlanError, RecursionError):
            return False
        return True


def _with(picked: _Picked, option: tuple[Option | None, float, str]) -> _Picked:
    made, score, unknown = option
    return replace(
        picked,
        score=picked.score + score,
        options=(*picked.options, made) if made else picked.options,
        unknown=(*picked.unknown, unknown) if unknown else picked.unknown,
    )


def _unread(chunk: Chunk, options: Sequence[Option]) -> tuple[Option | None, float, str]:
    """That the chunk changes nothing: it names nothing known, or says it by the way."""
    if not options:
        return (None, _UNKNOWN, chunk.text)
    cost = min(_IGNORED * (2 * chunk.best - 1), -0.3)
    return (None, cost, chunk.text if chunk.best < 0.6 else "")


def _conflicts(options: Sequence[Option]) -> int:
    """How many edits put something else in the place of what another has just put there."""
    kinds = [_ALIKE.get(o.kind, o.kind) for o in options if o.kind in _ONCE]
    return len(kinds) - len(set(kinds))


def settled(plan: Plan) -> Plan:
    """The plan with its conditions in one order, so that equal plans are equal."""
    made = canonical(plan)
    names = {p: to_tokens(Plan((), (p,))) for p in made.where}
    return canonical(replace(made, where=tuple(sorted(made.where, key=names.__getitem__))))


def _edited(plan: Plan, options: Sequence[Option]) -> Plan:
    told: set[Col] = set()
    for option in sorted(options, key=lambda o: o.turn):
        value = option.value
        if value is not None and Col(value.table, value.column) in told:
            plan = edits.or_value(plan, value)
            continue
        plan = option.edit(plan)
        if value is not None:
            told.add(Col(value.table, value.column))
    return plan


def _tables(plan: Plan) -> frozenset[str]:
    return frozenset(_tables_of(plan))


def _tables_of(value: object) -> list[str]:
    return [
        part.table for part in parts_of(value) if isinstance(part, Col | Value | Count | Has)
    ] + [part.of.table for part in parts_of(value) if isinstance(part, Agg)]
