"""The edits that a phrase of a follow-up may mean: "as a share", "per month", "the top three"."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from functools import partial

from dbt_t2s.model.edit_option import Before, Edit, Option
from dbt_t2s.model.leaning import Phrase
from dbt_t2s.model.schema_index import SchemaIndex
from dbt_t2s.project.schema import Kind
from dbt_t2s.query import edits
from dbt_t2s.query.naming import display_column
from dbt_t2s.query.plan import (
    GRAINS,
    AvgEach,
    Bucket,
    Col,
    Dim,
    During,
    Plan,
    Pred,
    Rate,
    Time,
)

# How much a phrase speaks for its edit, and what comes first: measures (0), groups (1),
# conditions (2), HAVING (3), order (4), limits (5), shares (6), averages over groups (7).
_SAID = 1.2
_OF_ALL = re.compile(r"\b(?:total|whole|sum)\b", re.I)
_TIMES = (Kind.DATE, Kind.TIMESTAMP)
# What an adjective is said of, by words of columns' names.
_ADJECTIVES = {
    r"light|heav": r"weight|mass",
    r"cheap|expensive|pric": r"price|cost|amount",
    r"long|short": r"days|hours|minutes|length|duration|tenure|months",
    r"fast|slow": r"days|hours|minutes|speed|duration",
}


class PhraseOptions:
    """What phrases mean over one schema."""

    def __init__(self, index: SchemaIndex) -> None:
        self._today = index.today
        self._tables = {t.name: t for t in index.schema.tables}

    def of(self, phrase: Phrase, before: Before, history: tuple[Plan, ...]) -> list[Option]:
        """The edits that a phrase stands for; ``history`` are the plans so far."""
        kind = phrase.kind
        if kind.startswith("shift:"):
            return [Option("period", partial(self._shifted, phrase=phrase), _SAID)]
        if kind == "undo":
            last = history[-2:-1]
            return [Option("undo", lambda _: last[0], 2.0, -1)] if last else []
        if kind in ("share", "grain", "count", "list"):
            made: dict[str, Callable[[Phrase, Before], list[Option]]] = {
                "share": self._shares,
                "grain": _grains,
                "count": self._counts,
                "list": self._lists,
            }
            return made[kind](phrase, before)
        name, edit, turn = self._single(phrase)
        return [Option(name, edit, _SAID, turn)]

    def _single(self, phrase: Phrase) -> tuple[str, Edit, int]:
        """Phrases that mean one thing: the edit's name, the edit, its turn."""
        match phrase.kind:
            case "all_time":
                return "period dropped", edits.without_period, 2
            case "total":
                return "ungrouped", edits.ungrouped, 1
            case "running":
                return "running", partial(edits.wrapped, function="RUNNING"), 6
            case "change":
                return "change", lambda p: edits.wrapped(_monthly(p), "CHANGE"), 6
            case "absolute":
                return "absolute", edits.without_wrappers, 6
            case "trend":
                return "group added", _monthly, 1
            case "average_each":
                return "average of each", partial(_average_of, grain=phrase.grain), 7
            case "top":
                return "top", partial(edits.top, count=phrase.count, descending=_way(phrase)), 5
            case "top_one":
                return "top", partial(edits.top, count="1", descending=not phrase.low), 5
            case "sort_flip":
                return "order", edits.flipped, 5
            case "sort_name":
                return "order", lambda p: edits.ordered(p, p.select[0], False), 5
            case "sort_asc" | "sort_desc":
                return "order", partial(self._sorted, phrase=phrase), 5
        return "known", lambda p: p, 5  # "sort by": what it is by is said next

    def _shifted(self, plan: Plan, phrase: Phrase) -> Plan:
        """The plan for another period; "the same months" has no days that have not been yet."""
        _, by, unit = phrase.kind.split(":")
        if re.search(r"\bsame\b", phrase.text, re.I):
            plan = edits.up_to(plan, self._today + timedelta(days=1))
        return edits.shifted(plan, unit, int(by))

    def _sorted(self, plan: Plan, phrase: Phrase) -> Plan:
        """Ordered as the words say: by a date for "oldest", by a number for "lightest"."""
        descending = phrase.kind == "sort_desc"
        groups = [d for d in edits.dims(plan) if isinstance(d, Col)]
        if re.search(r"old|new|late|recent|earl|young|chrono", phrase.text, re.I):
            dated: list[Dim] = [d for d in edits.dims(plan) if isinstance(d, Bucket)]
            dated += [d for d in groups if self._kind(d) in _TIMES]
            if dated:
                return edits.ordered(plan, dated[0], descending)
        for said, name in _ADJECTIVES.items():
            named = [d for d in groups if re.search(name, d.column)]
            if re.search(said, phrase.text, re.I) and named:
                return edits.ordered(plan, named[0], descending)
        if plan.order is not None:
            return edits.ordered(plan, plan.order.by, descending)
        numbers = [d for d in groups if self._kind(d) is Kind.NUMBER]
        by = (*edits.measures(plan), *numbers, *edits.dims(plan))
        return edits.ordered(plan, by[0], descending) if by else plan

    def _kind(self, of: Col) -> Kind:
        return self._tables[of.table].column(of.column).kind

    def _shares(self, phrase: Phrase, before: Before) -> list[Option]:
        """Of the total, where there are groups; else of the rows without one of the conditions."""
        plan = before.plan
        preds = [p for p in plan.where if not isinstance(p, During)]
        rates = [Option("share", partial(_rate, of=pred), 1.0, 6) for pred in reversed(preds)]
        if edits.dims(plan) and edits.measures(plan):
            share = Option("share", partial(edits.wrapped, function="SHARE"), _SAID, 6)
            # "Of the total" is that of all groups; of what is left out, nothing is said.
            return [share] if _OF_ALL.search(phrase.text) else [share, *rates]
        return rates

    def _counts(self, _: Phrase, before: Before) -> list[Option]:
        if not before.root:
            return []
        return [Option("counted", partial(edits.counted, table=before.root), _SAID, 0)]

    def _lists(self, _: Phrase, before: Before) -> list[Option]:
        shown = self.display(before.root) if before.root else None
        if before.is_listing or shown is None:
            return [Option("known", lambda p: p, 0.2)]
        return [Option("listed", partial(edits.listed, columns=(shown,)), _SAID, 0)]

    def display(self, table: str) -> Col | None:
        """The column that names a table's rows to a person; their key where none does."""
        found = display_column(self._tables[table])
        if found is not None:
            return Col(table, found.name)
        key = self._tables[table].primary_key
        return Col(table, key[0]) if key else None


def _rate(plan: Plan, of: Pred) -> Plan:
    """The share of the rows for which ``of`` holds, under the other conditions."""
    select = (*edits.dims(plan), Rate(of))
    return Plan(select, tuple(p for p in plan.where if p != of))


def _way(phrase: Phrase) -> bool | None:
    """The end that comes first; None leaves it as it is."""
    if phrase.low:
        return False
    return None if re.match(r"(?:only|just|limit|cut|make|keep|show)", phrase.text, re.I) else True


def _dated(plan: Plan) -> Col | Time:
    """The date that the plan's period is of."""
    return next((p.of for p in plan.where if isinstance(p, During)), Time())


def _monthly(plan: Plan) -> Plan:
    """By month, where the plan is not by a period already."""
    if any(isinstance(d, Bucket) and d.grain in GRAINS for d in edits.dims(plan)):
        return plan
    return edits.with_dims(plan, (Bucket("MONTH", _dated(plan)), *edits.dims(plan)))


def _grains(phrase: Phrase, before: Before) -> list[Option]:
    """By a period: in the place of another one, or beside other groups."""
    if before.is_listing:
        return []
    old = [d for d in edits.dims(before.plan) if isinstance(d, Bucket)]
    if old:
        new = Bucket(phrase.grain, old[0].of)
        return [
            Option("group replaced", lambda p: edits.replace_dim(p, old[0], new), 1.3, 1),
            Option("group added", partial(edits.add_dim, dim=new), 0.2, 1),
        ]
    new = Bucket(phrase.grain, _dated(before.plan))
    swap = 0.4 if before.replacing else -0.2
    return [
        Option("group added", lambda p: edits.with_dims(p, (new, *edits.dims(p))), 1.0, 1),
        Option("group replaced", partial(edits.with_dims, wanted=(new,)), 1.0 + swap, 1),
    ]


def _average_of(plan: Plan, grain: str) -> Plan:
    """The average of what is measured over periods."""
    found = edits.measures(plan)
    if not found:
        return plan
    return Plan((AvgEach(edits.unwrapped(found[0]), Bucket(grain, _dated(plan))),), plan.where)
