"""Follow-ups made from training examples: two neighbouring queries, one edit apart, in words.

The first question of each is an example of the corpus, which is left as it is; the second is what
a person may type to get from its plan to the edited one.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from random import Random

from dbt_t2s.corpus.examples import Example
from dbt_t2s.corpus.nouns import plural
from dbt_t2s.corpus.speech import say_date
from dbt_t2s.corpus.vocabulary import Dimension, Vocabulary
from dbt_t2s.corpus.wording import by
from dbt_t2s.duck import Execute, QueryError
from dbt_t2s.errors import QueryPlanError
from dbt_t2s.project.schema import Kind, ProjectSchema, Role
from dbt_t2s.query import edits
from dbt_t2s.query.linear import from_tokens, to_tokens
from dbt_t2s.query.plan import (
    Agg,
    Bucket,
    Count,
    MetricRef,
    Not,
    Plan,
    Value,
    canonical,
)

# The phase of the curriculum that comes after all others.
PHASE = 4
_TRIES = 4


@dataclass(frozen=True)
class Dialogue:
    """Two questions in turn. ``kind`` is the edit; ``question``, ``sql`` and ``plan`` (a JSON list)
    are of the second, empty ``sql`` for one that is to be refused; ``origin`` is the example that
    the first one is."""

    id: str
    split: str
    phase: int
    kind: str
    first: str
    first_sql: str
    first_plan: str
    question: str
    sql: str
    plan: str
    origin: str


@dataclass(frozen=True)
class _Edit:
    kind: str
    plan: Plan | None
    text: str


class Dialogues:
    """Makes follow-ups over one schema."""

    def __init__(self, schema: ProjectSchema, today: date, execute: Execute | None = None) -> None:
        self._words = Vocabulary(schema)
        self._binder = self._words.binder
        self._today = today
        self._execute = execute
        self._metrics = {m.name: m for m in schema.metrics}

    def make(self, examples: Sequence[Example], seed: int, most: int) -> tuple[Dialogue, ...]:
        """At most ``most`` follow-ups, each of another example, the same for the same ``seed``."""
        rng = Random(f"dialogues {seed}")
        able = sorted((e for e in examples if e.sql and e.plan), key=lambda e: e.id)
        rng.shuffle(able)
        made: list[Dialogue] = []
        for example in able:
            if len(made) == most:
                break
            found = self._of(example, rng)
            if found is not None:
                made.append(found)
        return tuple(made)

    def _of(self, example: Example, rng: Random) -> Dialogue | None:
        plan = from_tokens(json.loads(example.plan))
        if plan is None:
            return None
        makers = list(_MAKERS)
        rng.shuffle(makers)
        for name in makers[:_TRIES]:
            maker: Callable[[Plan, Random], Iterator[_Edit]] = getattr(self, name)
            for edit in maker(plan, rng):
                sql = self._sql(edit.plan) if edit.plan else ""
                if edit.plan is not None and (not sql or edit.plan == plan):
                    continue
                tokens = list(to_tokens(canonical(edit.plan))) if edit.plan else ["REFUSE", "END"]
                return Dialogue(
                    id=f"{example.id}+{edit.kind.replace(' ', '-')}",
                    split=example.split,
                    phase=PHASE,
                    kind=edit.kind,
                    first=example.question,
                    first_sql=example.sql,
                    first_plan=example.plan,
                    question=_typed(edit.text, rng),
                    sql=sql,
                    plan=json.dumps(tokens),
                    origin=example.id,
                )
        return None

    def _sql(self, plan: Plan) -> str:
        """The plan's SQL; empty where it does not bind, fails or shows nothing."""
        try:
            sql = self._binder.sql(plan)
        except QueryPlanError:
            return ""
        if self._execute is None:
            return sql
        rows = self._execute(sql)
        return "" if isinstance(rows, QueryError) or not rows.rows else sql

    def _root(self, plan: Plan) -> str:
        try:
            if edits.measures(plan):
                return self._binder.roots(plan)[0]
        except QueryPlanError:
            return ""
        tables = [d.table for d in edits.dims(plan) if not isinstance(d, Bucket)]
        return tables[0] if tables else ""

    def _dimension(self, plan: Plan, rng: Random) -> Dimension | None:
        root = self._root(plan)
        able = [
            d
            for d in (self._words.dimensions(root) if root else ())
            if d.column.role is Role.CATEGORY and d.col not in plan.select
        ]
        return rng.choice(able) if able else None

    # ---- groups

    def group(self, plan: Plan, rng: Random) -> Iterator[_Edit]:
        """One more group, or another one."""
        dim = self._dimension(plan, rng)
        if dim is None or not edits.measures(plan):
            return
        name = self._words.dimension_name(dim, rng)
        said = by(name, plural(name), rng)
        old = [d for d in edits.dims(plan) if not isinstance(d, Bucket)]
        if old and rng.random() < 0.5:
            text = rng.choice((f"{said} instead", f"now {said} instead", f"rather {said}"))
            yield _Edit("group replaced", edits.replace_dim(plan, old[-1], dim.col), text)
        text = rng.choice(
            (f"and {said}?", said, f"{said} as well", f"also {said}", f"split {said}")
        )
        yield _Edit("group added", edits.add_dim(plan, dim.col), text)

    def grain(self, plan: Plan, rng: Random) -> Iterator[_Edit]:
        old = [d for d in edits.dims(plan) if isinstance(d, Bucket)]
        if not old or not edits.measures(plan):
            return
        grain = rng.choice([g for g in ("WEEK", "MONTH", "QUARTER", "YEAR") if g != old[0].grain])
        said = grain.lower()
        text = rng.choice((f"per {said} instead", f"by {said}", f"{said}ly", f"and per {said}?"))
        new = Bucket(grain, old[0].of)
        yield _Edit("grain replaced", edits.replace_dim(plan, old[0], new), text)

    def overall(self, plan: Plan, rng: Random) -> Iterator[_Edit]:
        if edits.dims(plan) and edits.measures(plan) and not plan.limit and not plan.having:
            text = rng.choice(("and overall?", "in total", "the total please", "altogether?"))
            yield _Edit("ungrouped", edits.ungrouped(plan), text)

    # ---- conditions

    def filter(self, plan: Plan, rng: Random) -> Iterator[_Edit]:
        """A value: added, in the place of another one, or left out."""
        dim = self._dimension(plan, rng)
        if dim is None or not dim.column.values:
            return
        value = Value(dim.table.name, dim.column.name, rng.choice(dim.column.values))
        said = value.value.replace("_", " ")
        if rng.random() < 0.25:
            text = rng.choice((f"without {said}", f"excluding {said}", f"but not {said}"))
            yield _Edit("filter negated", edits.with_pred(plan, Not(value)), text)
        asked = any(value.column in edits.named(p) for p in plan.where)
        forms = [f"only {said}", f"just {said}", f"only for {said}", f"{said} only", f"and {said}?"]
        if asked:
            forms = [f"what about {said}?", f"and {said}?", f"same for {said}", f"{said} instead"]
        kind = "filter replaced" if asked else "filter added"
        yield _Edit(kind, edits.with_value(plan, value), rng.choice(forms))

    def period(self, plan: Plan, rng: Random) -> Iterator[_Edit]:
        """Other days."""
        if edits.period(plan) is not None and rng.random() < 0.3:
            text = rng.choice(("and the year before?", "a year earlier", "the previous year?"))
            yield _Edit("period shifted", edits.shifted(plan, "year", -1), text)
        first = self._today.replace(year=self._today.year - 2)
        said = say_date(rng, self._today, first, self._today)
        if said is not None:
            forms = (f"only {said.text}", f"and {said.text}?", said.text, f"just {said.text}")
            yield _Edit("period", edits.with_period(plan, said.range), rng.choice(forms))

    # ---- what is measured

    def measure(self, plan: Plan, rng: Random) -> Iterator[_Edit]:
        """Another metric of the same rows."""
        root = self._root(plan)
        found = edits.measures(plan)
        able = [
            m for m in self._metrics.values()
            if self._words.metric_roots(m) == (root,) and MetricRef(m.name) not in found
        ]  # fmt: skip
        if not able or not found or not isinstance(found[0], MetricRef | Count | Agg):
            return
        metric = rng.choice(able)
        name = self._words.metric_name(metric, rng)
        if rng.random() < 0.4:
            text = rng.choice((f"also show {name}", f"add {name}", f"with {name} as well"))
            yield _Edit("measure added", edits.add_measure(plan, MetricRef(metric.name)), text)
        text = rng.choice((f"{name} instead", f"what about {name}?", f"now {name}", f"and {name}?"))
        yield _Edit("measure replaced", edits.with_measure(plan, MetricRef(metric.name)), text)

    def function(self, plan: Plan, rng: Random) -> Iterator[_Edit]:
        found = [m for m in edits.measures(plan) if isinstance(m, Agg) and m.function != "SUM"]
        if len(found) == 1 and len(edits.measures(plan)) == 1:
            others = {"AVG": "average", "MAX": "maximum", "MIN": "minimum", "MEDIAN": "median"}
            function = rng.choice([f for f in others if f != found[0].function])
            said = others[function]
            text = rng.choice((f"the {said} instead", f"and the {said}?", f"{said} instead"))
            yield _Edit("function", edits.with_function(plan, function), text)

    def share(self, plan: Plan, rng: Random) -> Iterator[_Edit]:
        found = edits.measures(plan)
        if edits.dims(plan) and len(found) == 1 and isinstance(found[0], MetricRef | Count):
            forms = ("as a share of the total", "in percent", "as percentages", "as % of total")
            yield _Edit("share", edits.wrapped(plan, "SHARE"), rng.choice(forms))

    # ---- order and rows

    def top(self, plan: Plan, rng: Random) -> Iterator[_Edit]:
        groups = [d for d in edits.dims(plan) if not isinstance(d, Bucket)]
        if groups and len(edits.measures(plan)) == 1 and plan.per is None:
            count = str(rng.choice((3, 5, 10)))
            forms = (f"just the top {count}", f"only the top {count}", f"top {count}")
            yield _Edit("top", edits.top(plan, count, True), rng.choice(forms))

    def order(self, plan: Plan, rng: Random) -> Iterator[_Edit]:
        found = edits.measures(plan)
        if edits.dims(plan) and len(found) == 1 and plan.order is None:
            down = rng.random() < 0.5
            forms = ("highest first", "sorted descending") if down else ("lowest first",)
            yield _Edit("order", edits.ordered(plan, found[0], down), rng.choice(forms))

    def count(self, plan: Plan, rng: Random) -> Iterator[_Edit]:
        root = self._root(plan)
        if root and not edits.measures(plan) and not plan.limit and not plan.distinct:
            forms = ("how many are there?", "how many are those?", "how many?")
            yield _Edit("counted", edits.counted(plan, root), rng.choice(forms))

    def column(self, plan: Plan, rng: Random) -> Iterator[_Edit]:
        """A list with one more column."""
        root = self._root(plan)
        if not root or edits.measures(plan) or plan.distinct:
            return
        table = self._words.tables[root]
        able = [
            c for c in table.columns
            if c.role in (Role.CATEGORY, Role.MEASURE) and c.kind is not Kind.BOOLEAN
        ]  # fmt: skip
        if able:
            column = rng.choice(able)
            name = self._words.shown_name(table, column, rng)
            of = Dimension(table, column, True).col
            text = rng.choice((f"with {name}", f"show the {name} too", f"add the {name}"))
            yield _Edit("column added", edits.add_dim(plan, of), text)

    def refused(self, plan: Plan, rng: Random) -> Iterator[_Edit]:
        """What rows of the past do not tell."""
        if rng.random() < 0.5:
            forms = (
                *("why is that?", "why so low?", "why did it drop?", "what caused that?"),
                *("what will it be next month?", "can you predict next year?", "how come?"),
            )
            yield _Edit("refused", None, rng.choice(forms))


_MAKERS = (
    *("group", "grain", "overall", "filter", "period", "measure", "function", "share", "top"),
    *("order", "count", "column", "refused", "filter", "group", "measure"),
)


def _typed(text: str, rng: Random) -> str:
    """Case and courtesy as people leave them."""
    if rng.random() < 0.15 and not text.endswith("?"):
        text = f"{text} please"
    way = rng.random()
    if way < 0.35:
        return text[:1].upper() + text[1:]
    return text.lower() if way < 0.6 else text
