"""Draws examples one at a time: a shape's draft, bound to SQL, found in its question and run."""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from random import Random

from dbt_t2s import sql as sql_door
from dbt_t2s.corpus import splits
from dbt_t2s.corpus.asides import Asides
from dbt_t2s.corpus.bare import NO_ROWS, ONLY_NULL
from dbt_t2s.corpus.conditions import Conditions
from dbt_t2s.corpus.examples import Counted, Example
from dbt_t2s.corpus.focus import Focused
from dbt_t2s.corpus.measure_shapes import MeasureShapes
from dbt_t2s.corpus.patterns import Pattern
from dbt_t2s.corpus.plain_shapes import PlainShapes
from dbt_t2s.corpus.refusals import Refusals
from dbt_t2s.corpus.row_shapes import RowShapes
from dbt_t2s.corpus.shapes import Draft, Shape
from dbt_t2s.corpus.things import Things
from dbt_t2s.corpus.unasked_joins import why_unasked
from dbt_t2s.corpus.vocabulary import Vocabulary
from dbt_t2s.duck import Execute, QueryError, Rows
from dbt_t2s.errors import QueryPlanError
from dbt_t2s.project.schema import ProjectSchema
from dbt_t2s.query.linear import REFUSAL, to_tokens
from dbt_t2s.query.link import ValueIndex, mentions
from dbt_t2s.query.plan import MEASURES, Dim, Plan, canonical

REFUSED = 0.12
MOST_REFUSED = 0.25  # of all examples, where a project has little to ask about
_BARREN = 1_200  # drafts in a row without an example before a chunk ends
_TRIES = 300  # drafts about one thing before it is given up
_AFTER_MISS = 0.8  # times as likely is a shape, of those about one thing, once it gave nothing
# Lists of rows may be empty, now and then; what is counted or summed up would say nothing.
_EMPTY, _MEANT = ("listing", "two_columns", "related", "ordered_list"), 0.3
_LONGEST_REASON = 160


@dataclass(frozen=True)
class Order:
    """A chunk to draw: ``wanted`` examples of whatever comes, or as many about each of ``about``.

    A chunk has random numbers of its own, from the seed and its number: who draws it, and what was
    drawn before, makes no difference.
    """

    number: int
    wanted: int
    about: tuple[str, ...] = ()


@dataclass(frozen=True)
class Chunk:
    """What was drawn for an order; ``rejected`` counts drafts that did not become examples.

    ``missed`` are the things that no example was found for, and why (empty: no shape fits them).
    """

    order: Order
    examples: tuple[Example, ...]
    rejected: tuple[Counted, ...] = ()
    missed: tuple[tuple[str, str], ...] = ()


class Maker:
    """Draws chunks; the same seed and order give the same chunk."""

    def __init__(
        self,
        schema: ProjectSchema,
        patterns: tuple[Pattern, ...],
        execute: Execute,
        today: date,
        seed: int,
    ) -> None:
        self._schema = schema
        self._execute = execute
        self._today = today
        self._seed = seed
        self._words = Vocabulary(schema)
        self._things = Things(schema, self._words)
        self._values = ValueIndex(schema)
        self._asides = Asides(self._words)
        self._refusals = Refusals(self._words, Conditions(self._words, today))
        self._refusals.prepare()
        self._favoured = _favoured(patterns)
        self._failures: dict[str, str] = {}

    def chunk(self, order: Order) -> Chunk:
        """The examples of one order, proven and told apart from one another."""
        rng = Random(f"{self._schema.project} {self._seed} {order.number}")
        hand = _Hand(rng, f"{self._seed}/{order.number}")
        if order.about:
            for thing in order.about:
                self._draw_about(hand, thing, order.wanted)
        else:
            self._draw(hand, order.wanted)
        rejected = tuple(Counted(k, n, 0) for k, n in sorted(hand.rejected.items()))
        return Chunk(order, tuple(hand.examples), rejected, tuple(hand.missed))

    def _draw(self, hand: _Hand, wanted: int) -> None:
        shapes = self._shapes(self._words)
        barren = answered = 0
        while len(hand.examples) < wanted and barren < _BARREN:
            # Refusals never run out: they may not outnumber what they are to be told from, and a
            # warehouse where nothing runs ends the loop.
            refusing = len(hand.examples) - answered < 2 + MOST_REFUSED * len(hand.examples)
            if refusing and hand.rng.random() < REFUSED:
                example = self._refusal(hand)
            else:
                shape = hand.rng.choices(shapes.shapes, shapes.weights)[0]
                example = self._example(hand, shape)
            barren += 1
            if example is not None:
                barren = 0 if example.sql else barren
                answered += bool(example.sql)
                hand.take(example)

    def _draw_about(self, hand: _Hand, thing: str, wanted: int) -> None:
        focused = Focused.on(self._words, thing)
        if focused is None:
            return
        if self._draw_from(hand, self._shapes(focused), thing, wanted):
            return
        plain = PlainShapes(focused, Conditions(focused, self._today)).shapes()
        last = _Shapes(tuple((n, shape) for _, n, shape in plain), [w for w, _, _ in plain])
        if not self._draw_from(hand, last, thing, wanted):
            why = why_unasked(self._words, thing, self._execute) if thing[:2] == "j:" else ""
            hand.missed.append((thing, why or hand.usual_reason(thing)))

    def _draw_from(self, hand: _Hand, shapes: _Shapes, thing: str, wanted: int) -> int:
        """How many examples about the thing were found, at most ``wanted``."""
        weights = list(shapes.weights)
        found = 0
        for _ in range(_TRIES):
            at = hand.rng.choices(range(len(weights)), weights)[0]
            example = self._example(hand, shapes.shapes[at], thing)
            if example is None:
                weights[at] *= _AFTER_MISS
                continue
            weights[at] = max(weights)
            hand.take(example)
            found += 1
            if found == wanted:
                break
        return found

    def _shapes(self, words: Vocabulary) -> _Shapes:
        conditions = Conditions(words, self._today)
        listed = (
            *MeasureShapes(words, conditions).shapes(),
            *RowShapes(words, conditions).shapes(),
        )
        weights = [weight * self._favoured.get(_name(shape), 1.0) for weight, _, shape in listed]
        return _Shapes(tuple((phase, shape) for _, phase, shape in listed), weights)

    def _example(self, hand: _Hand, phased: tuple[int, Shape], about: str = "") -> Example | None:
        phase, shape = phased
        drawn = shape(hand.rng)
        if drawn is None or drawn.plan is None:
            return None
        draft = self._asides.added(drawn, hand.rng)
        assert draft.plan is not None
        plan, name = canonical(draft.plan), _name(shape)
        tokens = to_tokens(plan)
        normal = normalised(draft.text)
        if normal in hand.asked or len(normal.split()) < 2:
            return None
        if about[:2] in ("c:", "m:") and about not in self._things.named(tokens):
            return None  # binding takes longer than drawing
        try:
            sql = self._words.binder.asked(draft.text).sql(plan)
        except QueryPlanError as error:
            hand.rejected[f"{name}: {str(error).split(' ', 1)[0]}…"] += 1
            return None
        if about and about not in self._things.of(tokens, sql):
            return None
        if not self._linkable(draft.text, tokens):
            hand.reject(f"{name}: a mention is not found", about, "a value it needs is not found")
            return None
        failure = self._failure(sql, plan)
        if failure == NO_ROWS and name in _EMPTY and hand.rng.random() < _MEANT:
            failure = ""  # nobody who asks knows beforehand that there is none
        if failure:
            hand.reject(f"{name}: fails or is empty", about, failure)
            return None
        if self._schema.dialect != "duckdb":
            sql = sql_door.transpile(sql, "duckdb", self._schema.dialect)
        origin = f"{hand.origin} {about}".strip()
        return _example(draft, tokens, sql, phase, name, origin)

    def _refusal(self, hand: _Hand) -> Example | None:
        draft = self._refusals.draw(hand.rng)
        if normalised(draft.text) in hand.asked:
            return None
        return _example(draft, REFUSAL, "", 3, draft.template, hand.origin)

    def _linkable(self, text: str, tokens: Iterable[str]) -> bool:
        """Whether every value, date and number of the plan is found in the question."""
        needed = {t for t in tokens if t[:2] in ("v:", "d:", "n:", "s:")}
        if not needed:
            return True
        return needed <= {m.token for m in mentions(text, self._values, self._today)}

    def _failure(self, sql: str, plan: Plan) -> str:
        """Why the SQL proves nothing; empty where it runs and says something besides NULL."""
        if sql not in self._failures:
            failure = _why_nothing(self._execute(sql), plan)
            if not failure and plan.per is not None and self._has_one_each(plan, plan.per):
                failure = _ONE_EACH
            self._failures[sql] = failure
        return self._failures[sql]

    def _has_one_each(self, plan: Plan, per: Dim) -> bool:
        """Whether there is nothing to rank: one item in each group."""
        whole = replace(plan, per=None, order=None, limit=None)
        found = self._execute(self._words.binder.sql(whole))
        if per not in plan.select or isinstance(found, QueryError):
            return False
        at = plan.select.index(per)
        return len({row[at] for row in found.rows}) == len(found.rows)


_ONE_EACH = "each group holds one row"
_ALL_ALIKE = "all groups have the same"
_FEW = 3  # groups; that fewer are alike may well be by chance


def _why_nothing(result: Rows | QueryError, plan: Plan) -> str:
    if isinstance(result, QueryError):
        return " ".join(result.message.split())[:_LONGEST_REASON]
    if not result.rows:
        return NO_ROWS
    if failure := _why_alike(result, plan):
        return failure
    counted = len(plan.select) == 1 and isinstance(plan.select[0], MEASURES)
    values = result.rows[0][:1] if counted else (value for row in result.rows for value in row)
    return "" if any(value is not None for value in values) else ONLY_NULL


def _why_alike(result: Rows, plan: Plan) -> str:
    """Why what is told of groups says nothing; empty where it says something."""
    measured = [at for at, each in enumerate(plan.select) if isinstance(each, MEASURES)]
    if len(result.rows) < _FEW or not measured or len(measured) == len(plan.select):
        return ""
    found = {tuple(row[at] for at in measured) for row in result.rows}
    if len(found) > 1:
        return ""
    if found.pop()[0] == 1:
        return _ONE_EACH
    return _ALL_ALIKE if plan.order is not None and plan.order.by in plan.select else ""


@dataclass(frozen=True)
class _Shapes:
    shapes: Sequence[tuple[int, Shape]]
    weights: Sequence[float]


class _Hand:
    """A chunk in the making."""

    def __init__(self, rng: Random, origin: str) -> None:
        self.rng = rng
        self.origin = origin
        self.asked: set[str] = set()
        self.examples: list[Example] = []
        self.rejected: Counter[str] = Counter()
        self.missed: list[tuple[str, str]] = []
        self._reasons: Counter[tuple[str, str]] = Counter()

    def reject(self, reason: str, about: str, said: str) -> None:
        self.rejected[reason] += 1
        self._reasons[about, said] += 1

    def usual_reason(self, about: str) -> str:
        """Why most drafts about a thing came to nothing; empty where there were none."""
        found = {said: count for (thing, said), count in self._reasons.items() if thing == about}
        return max(found, key=lambda said: found[said]) if found else ""

    def take(self, example: Example) -> None:
        self.asked.add(normalised(example.question))
        self.examples.append(example)


def normalised(text: str) -> str:
    """A question's words in lower case: what is the same for anybody who reads it."""
    return " ".join(re.findall(r"\w+", text.lower()))


def _name(shape: Shape) -> str:
    return str(getattr(shape, "__name__", "shape"))


def _favoured(patterns: tuple[Pattern, ...]) -> dict[str, float]:
    """How much more often the shapes come that the project's own queries take."""
    windows = sum(p.support for p in patterns if " over (" in p.skeleton.lower())
    limits = sum(p.support for p in patterns if " limit " in p.skeleton.lower())
    total = sum(p.support for p in patterns) or 1
    return {
        "top_per_group": 1 + min(windows / total * 4, 1),
        "running": 1 + min(windows / total * 4, 1),
        "change": 1 + min(windows / total * 4, 1),
        "top": 1 + min(limits / total * 2, 0.5),
        "extreme": 1 + min(limits / total * 2, 0.5),
    }


def _example(
    draft: Draft, tokens: tuple[str, ...], sql: str, phase: int, template: str, origin: str
) -> Example:
    plan = json.dumps(tokens, ensure_ascii=False)
    identity = hashlib.sha256(f"{draft.text}\n{plan}".encode()).hexdigest()[:16]
    return Example(
        id=identity,
        split=splits.of(tokens, draft.text),
        phase=phase,
        type=draft.type,
        question=draft.text,
        sql=sql,
        plan=plan,
        template=template,
        skeleton=" ".join(t[:1] if t[1:2] == ":" else t for t in tokens),
        rules=tuple(t[2:] for t in dict.fromkeys(tokens) if t[:2] == "r:"),
        origin=origin,
    )
