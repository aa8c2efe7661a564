"""The edits that a name, value, date or number of a follow-up may mean."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from operator import eq

from dbt_t2s.model.carried import TOLD, anchor_of
from dbt_t2s.model.chunks import Chunk, compared
from dbt_t2s.model.edit_option import Before, Option
from dbt_t2s.model.leaning import function_of
from dbt_t2s.model.phrase_options import PhraseOptions
from dbt_t2s.model.schema_index import SchemaIndex
from dbt_t2s.project.schema import Kind, Role
from dbt_t2s.query import edits
from dbt_t2s.query.dates import date_spans
from dbt_t2s.query.items import Item
from dbt_t2s.query.linear import column_of, range_of, to_tokens, value_of
from dbt_t2s.query.plan import (
    AGGREGATES,
    Agg,
    Bucket,
    Col,
    Compare,
    Count,
    Dim,
    Flag,
    Measure,
    MetricRef,
    Not,
    Null,
    Plan,
    Pred,
    Range,
    RuleRef,
    Value,
)
from dbt_t2s.query.text import stems

_TIMES = (Kind.DATE, Kind.TIMESTAMP)
_KEYS = (Role.KEY, Role.FOREIGN_KEY)
_GONE = 0.5  # of what is to be no more and was not there


class NameOptions:
    """Edits over one schema."""

    def __init__(self, index: SchemaIndex) -> None:
        self._index = index
        self._schema = index.schema
        self._graph = index.binder.graph
        self._phrases = PhraseOptions(index)
        self._tables = {t.name: t for t in index.schema.tables}
        self._metrics = {m.name: m for m in index.schema.metrics}
        self._rules = {r.name: r.predicate for r in index.schema.rules}

    # ---- things that are named

    def of_chunk(self, chunk: Chunk, before: Before, text: str, start: int) -> list[Option]:
        """``start`` is where the chunk begins in ``text``."""
        made: list[Option] = []
        if chunk.role == "old" and self._is_current(chunk, before):
            return [Option("known", lambda p: self._without(p, chunk), 1.5)]
        if back := list(_let_in(chunk, before.plan, text)):
            return back
        for item, quality in chunk.named:
            quality = max(quality, self._shared(item, chunk, before))
            for option in self._of_item(item, chunk, before, text, start):
                near = self._near(item, before)
                made.append(replace(option, score=_worth(quality) + option.score + near))
        if chunk.role == "old":  # "the rate instead of the euros" asks for no euros
            made = [each for each in made if not each.kind.endswith("added")]
            made.append(Option("known", lambda p: p, _GONE))
        if chunk.role in ("", "for", "also"):
            function = function_of(chunk.text)
            if function and len(chunk.text.split()) <= 2:
                made.append(
                    Option(
                        "function", lambda p: edits.with_function(self._bare(p), function), 1.4, 0
                    )
                )
        return made

    def _without(self, plan: Plan, chunk: Chunk) -> Plan:
        """A list without the columns that the chunk names, if any is left."""
        gone = {item.token for item, _ in chunk.named if item.sort == "c"}
        kept = tuple(
            each
            for each in plan.select
            if not (isinstance(each, Col) and f"c:{each.table}.{each.column}" in gone)
        )
        listed = kept and not edits.measures(plan)
        return replace(plan, select=kept) if listed else plan

    def _bare(self, plan: Plan) -> Plan:
        """The plan with metrics that aggregate one column as that aggregate."""

        def bare(measure: Measure) -> Measure:
            if not isinstance(measure, MetricRef):
                return measure
            made = self._metrics[measure.name].measure
            if made is None or made.table not in self._tables:
                return measure
            function = made.aggregation.upper()
            columns = {c.name for c in self._tables[made.table].columns}
            if function not in AGGREGATES or made.expression not in columns:
                return measure
            return Agg(function, Col(made.table, made.expression))

        return edits.map_measures(plan, bare)

    def _is_current(self, chunk: Chunk, before: Before) -> bool:
        """Whether the chunk names something that the plan has."""
        mine = self._words_of(before.plan)
        return any(each in mine for each in stems(chunk.text))

    def _shared(self, item: Item, chunk: Chunk, before: Before) -> float:
        """That a name is said in part, the rest of it being that of what stands there now.

        "Net" after gross revenue is net revenue.
        """
        if item.sort not in "mc":
            return 0.0
        said, mine = set(stems(chunk.text)), self._words_of(before.plan)
        for phrase in item.phrases:
            name = set(stems(phrase))
            if said < name and said - mine and name - said <= mine:
                return 0.95
        return 0.0

    def _words_of(self, plan: Plan) -> frozenset[str]:
        """The words of the names of what the plan selects."""
        found: set[str] = set()
        for token in to_tokens(Plan(plan.select)):
            if token in self._index.place:
                item = self._index.items[self._index.place[token]]
                for phrase in item.phrases:
                    found.update(stems(phrase))
        return frozenset(found)

    def _near(self, item: Item, before: Before) -> float:
        tables = item.roots or ((item.table,) if item.table else ())
        if not tables:
            return 0.0
        if any(t in before.tables for t in tables):
            return 0.35
        if any(self._graph.reaches(before.root, t) for t in tables):
            return 0.1
        return -0.4 if item.sort == "m" else -1.0

    def _of_item(
        self, item: Item, chunk: Chunk, before: Before, text: str, start: int
    ) -> Iterator[Option]:
        match item.sort:
            case "v":
                yield from self._of_value(value_of(item.token[2:]), chunk, before)
            case "d":
                yield from self._of_days(range_of(item.token[2:]), chunk, before)
            case "m":
                metric = MetricRef(item.token[2:])
                if _PART_OF.search(text[:start]) and metric not in edits.measures(before.plan):
                    yield Option("ratio", partial(edits.ratio, of=metric), 1.5, 6)
                yield from self._of_measure(metric, chunk, before)
            case "r":
                yield from self._of_rule(RuleRef(item.token[2:]), chunk, before)
            case "t":
                yield from self._of_table(item.table, chunk, before)
            case "c":
                yield from self._of_column(column_of(item.token[2:]), chunk, before)
            case "n":
                yield from self._of_number(item.token[2:], before, text, start)

    def _of_value(self, value: Value, chunk: Chunk, before: Before) -> Iterator[Option]:
        asked = any(value.column in edits.named(p) for p in before.plan.where)
        same = any(value == p for p in before.plan.where)
        if chunk.role == "not":
            if same:
                yield Option(
                    "filter dropped", lambda p: edits.without(p, lambda q: q == value), 1.0
                )
            yield Option("filter negated", lambda p: edits.with_pred(p, Not(value)), 0.8)
            return
        if same:
            yield Option("known", lambda p: p, 0.6)
            return
        if Not(value) in before.plan.where:  # "include them again"
            back = partial(edits.without, is_gone=lambda p: p == Not(value))
            yield Option("filter dropped", back, 1.2)
        if chunk.role == "also" and asked:
            yield Option("filter widened", lambda p: edits.or_value(p, value), 1.0)
        fits = 0.8 if chunk.role in ("for", "") or not asked else 0.4
        if chunk.role in ("by", "sort"):
            fits -= 1.2
        if self._is_told(value, before):
            rows = Count(before.root)
            yield Option(
                "measure and filter replaced",
                lambda p: edits.with_value(edits.with_measure(p, rows), value),
                fits + 0.3,
                0,
            )
        yield Option(
            "filter replaced" if asked else "filter added",
            lambda p: edits.with_value(p, value),
            fits - (0.3 if before.about and not asked else 0.0),
            value=value,
        )

    def _is_told(self, value: Value, before: Before) -> bool:
        """Whether what is counted goes by that column already: active subscriptions by status."""
        if value.table != before.root:
            return False
        filters = [
            f.predicate
            for m in edits.measures(before.plan)
            if isinstance(m, MetricRef)
            for f in self._metrics[m.name].filters
        ]
        told = [
            self._rules[p.name]
            for p in before.plan.where
            if isinstance(p, RuleRef) and p.name in self._rules
        ]
        return any(re.search(rf"\b{re.escape(value.column)}\b", f) for f in (*filters, *told))

    def _of_days(self, days: Range, chunk: Chunk, before: Before) -> Iterator[Option]:
        best = chunk.named[0][0].token == f"d:{days.start}/{days.end}"
        yield Option("period", lambda p: edits.with_period(p, days), 1.0 if best else 0.3, 2)
        old = edits.period(before.plan)
        anchor = anchor_of(old, self._index.today)
        if old and anchor and not TOLD.search(chunk.text):
            # With a preposition: "march" alone may be a verb.
            told = date_spans(f"in {chunk.text}", anchor, self._schema.fiscal_year)
            if len(told) == 1 and told[0].range != days:
                there = told[0].range
                inside = old.start <= there.start and there.end <= old.end
                yield Option(
                    "period", lambda p: edits.with_period(p, there), 1.3 if inside else 0.6, 2
                )

    def _of_measure(self, measure: Measure, chunk: Chunk, before: Before) -> Iterator[Option]:
        plan = before.plan
        if measure in edits.measures(plan):
            yield Option("known", lambda p: p, 0.7, 0)
            if chunk.role == "not" and len(edits.measures(plan)) > 1:
                yield Option("measure dropped", lambda p: _without(p, measure), 0.9, 0)
        if chunk.role == "sort":
            yield Option("order", lambda p: edits.ordered(p, measure, True), 1.0, 4)
            return
        if chunk.role == "by":
            fits = 1.3 if before.topping else 0.2
            yield Option("order", lambda p: edits.ordered(p, measure, True), fits, 4)
        if before.is_listing or chunk.role == "not":
            return
        also = chunk.role == "also" and not before.replacing
        yield Option(
            "measure replaced",
            lambda p: edits.with_measure(p, measure),
            0.1 if also else 1.1 if before.about else 0.7,
            0,
        )
        yield Option(
            "measure added",
            lambda p: edits.add_measure(p, measure),
            0.8 if also else 0.4 if before.adding else -0.2,
            0,
        )

    def _of_rule(self, rule: RuleRef, chunk: Chunk, before: Before) -> Iterator[Option]:
        if rule in before.plan.where:
            if chunk.role == "not":
                gone = partial(edits.without, is_gone=lambda p: p == rule)
                yield Option("filter dropped", gone, 0.7)
            else:
                yield Option("known", lambda p: p, 0.7)
        elif chunk.role == "not":
            yield Option("filter negated", lambda p: edits.with_pred(p, Not(rule)), 0.5)
        elif chunk.role not in ("by", "sort"):
            yield Option("filter added", lambda p: edits.with_pred(p, rule), 0.5)

    def _of_table(self, table: str, chunk: Chunk, before: Before) -> Iterator[Option]:
        plan = before.plan
        if table in before.tables:
            yield Option("known", lambda p: p, 0.5)
        shown = self._phrases.display(table)
        if shown is not None and chunk.role in ("by", "sort", "also", ""):
            yield from self._dims(shown, chunk, before, 0.2)
        counted = any(isinstance(m, Count) or self._counts_rows(m) for m in edits.measures(plan))
        if counted or before.about:
            fits = 0.5 if before.about else 0.2
            yield Option("measure replaced", lambda p: edits.with_measure(p, Count(table)), fits, 0)

    def _counts_rows(self, measure: Measure) -> bool:
        """Whether a metric counts rows."""
        if not isinstance(measure, MetricRef):
            return False
        made = self._metrics[measure.name].measure
        return made is not None and made.aggregation in ("count", "count_distinct")

    def _of_column(self, of: Col, chunk: Chunk, before: Before) -> Iterator[Option]:
        column = self._tables[of.table].column(of.column)
        plan = before.plan
        if of in edits.dims(plan):
            yield Option("known", lambda p: p, 0.4)
            if chunk.role == "not":
                left = tuple(d for d in edits.dims(plan) if d != of)
                yield Option("group dropped", lambda p: edits.with_dims(p, left), 1.0)
        if any(of.column in edits.named(p) for p in plan.where):
            dropped = 1.0 if chunk.role == "not" or _ALL.search(chunk.text) else -0.1
            yield Option("filter dropped", lambda p: edits.without_column(p, of.column), dropped)
        if column.kind is Kind.BOOLEAN:
            flag: Pred = Not(Flag(of)) if chunk.role == "not" else Flag(of)
            yield Option("filter added", lambda p: edits.with_pred(p, flag), 0.6)
        if column.kind is Kind.NUMBER and column.role not in _KEYS:
            yield from self._of_amount(of, chunk, before)
        if chunk.role == "sort":
            way = column.kind in (Kind.NUMBER, *_TIMES)
            yield Option("order", lambda p: edits.ordered(p, of, way), 0.9, 4)
            return
        if chunk.role == "not" and column.kind is not Kind.BOOLEAN:
            # What has not happened has no date: stores that are not closed.
            fits = 0.5 if column.kind in _TIMES else -0.2
            yield Option("filter added", lambda p: edits.with_pred(p, Null(of)), fits)
            return
        dated = column.kind in _TIMES
        if not dated or before.is_listing:
            yield from self._dims(of, chunk, before, 0.0)

    def _of_amount(self, of: Col, chunk: Chunk, before: Before) -> Iterator[Option]:
        plan = before.plan
        found = edits.measures(plan)
        function = function_of(chunk.text) or next(
            (m.function for m in found if isinstance(m, Agg)), "SUM"
        )
        if chunk.role == "sort" and not before.is_listing:
            key = Agg(function, of)
            yield Option("order", lambda p: edits.ordered(p, key, True), 0.5, 4)
        if found and chunk.role != "by":
            yield from (
                Option(o.kind, o.edit, o.score - 0.3, o.turn)
                for o in self._of_measure(Agg(function, of), chunk, before)
            )

    def _dims(self, of: Dim, chunk: Chunk, before: Before, less: float) -> Iterator[Option]:
        """Grouped by, or listed with, one more column or another one."""
        plan = before.plan
        old = edits.dims(plan)
        said = chunk.role in ("by", "also") or (before.is_listing and chunk.role != "for")
        fits = (0.9 if said else 0.1) - less
        if isinstance(of, Col) and self._tables[of.table].column(of.column).role in _KEYS:
            fits -= 0.4  # people are shown names
        amount = isinstance(of, Col) and self._kind(of) is Kind.NUMBER
        if amount and not before.is_listing:
            fits -= 0.8  # and group by kinds of things, not by amounts
        yield Option(
            "group added" if not before.is_listing else "column added",
            lambda p: edits.add_dim(p, of),
            fits - (0.7 if before.replacing and old else 0.0),
            1,
        )
        if old and not before.is_listing:
            also = before.adding or chunk.role == "also"
            bonus = 0.3 if before.replacing else -0.8 if also else -0.25
            yield Option("group replaced", lambda p: _swapped(p, of), fits + bonus, 1)
        if before.is_listing and before.replacing:
            yield Option("columns replaced", lambda p: edits.with_dims(p, (of,)), fits + 0.2, 1)

    def _of_number(self, number: str, before: Before, text: str, start: int) -> Iterator[Option]:
        operator = compared(text, start)
        plan = before.plan
        if not operator:
            if plan.limit is not None:
                yield Option("top", lambda p: edits.top(p, number, None), -0.3, 5)
            return
        for measure in edits.measures(plan):
            if edits.dims(plan):
                pred = Compare(operator, measure, number)
                yield Option("having", partial(_having, pred=pred), 0.8, 3)
        if before.is_listing and before.root:
            yield from self._compared(operator, number, before, text)

    def _compared(self, operator: str, number: str, before: Before, text: str) -> Iterator[Option]:
        """Rows of a list by one of their amounts: one that is named, else one that is shown."""
        said = set(stems(text))
        for column in self._tables[before.root].columns:
            if column.kind is not Kind.NUMBER or column.role in _KEYS:
                continue
            of = Col(before.root, column.name)
            item = self._index.items[self._index.place[f"c:{of.table}.{of.column}"]]
            named = any(said & set(stems(phrase)) for phrase in item.phrases)
            fits = 0.8 if named else 0.5 if of in before.plan.select else 0.1
            row = Compare(operator, of, number)
            yield Option("filter added", partial(edits.with_pred, pred=row), fits)

    def _kind(self, of: Col) -> Kind:
        return self._tables[of.table].column(of.column).kind


def _worth(quality: float) -> float:
    """How much a name speaks for what it may name: faint likeness against it."""
    return 2.5 * (quality - 0.5) if quality >= 0.8 else 4.0 * (quality - 0.75)


_LET_IN = re.compile(
    r"\b(?:(?:ones|stuff|things) (?:too|as well|included)|includ(?:e|ing)|back in|"
    r"(?:put|bring|take|let|count)\b.*\bin)\b",
    re.I,
)
_PART_OF = re.compile(
    r"(?:\b(?:shares?|percent(?:age)?s?|per cent|pct|proportions?|fractions?|part|ratio)|%) "
    r"(?:of|to) (?:the |our |their |its |that )?$",
    re.I,
)
_ALL = re.compile(r"^(?:all|any|every)\b", re.I)


def _swapped(plan: Plan, new: Dim) -> Plan:
    """``new`` in the place of the group that is no period, else of the last one."""
    old = edits.dims(plan)
    if new in old or not old:
        return edits.with_dims(plan, (new,))
    others = tuple(d for d in old if not isinstance(d, Bucket))
    return edits.replace_dim(plan, (others or old)[-1], new)


def _without(plan: Plan, measure: Measure) -> Plan:
    left = tuple(e for e in plan.select if e != measure)
    order = None if plan.order and plan.order.by == measure else plan.order
    return Plan(left, plan.where, plan.having, order, plan.limit if order else None)


def _having(plan: Plan, pred: Compare) -> Plan:
    kept = tuple(p for p in plan.having if not (isinstance(p, Compare) and p.left == pred.left))
    return Plan(
        plan.select, plan.where, (*kept, pred), plan.order, plan.limit, plan.per, plan.distinct
    )


def _let_in(chunk: Chunk, plan: Plan, text: str) -> Iterator[Option]:
    """What was left out counts again: "put the discontinued ones back in"."""
    if not _LET_IN.search(text):
        return
    said = set(stems(chunk.text))
    for pred in plan.where:
        names = {each for name in edits.named(pred) for each in stems(name)}
        if isinstance(pred, Not | Null) and said & names:
            yield Option("filter dropped", partial(edits.without, is_gone=partial(eq, pred)), 3.5)
