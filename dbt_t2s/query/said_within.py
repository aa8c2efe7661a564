"""What is said within a name is no condition.

In "customer acquisition cost" nobody asks for what was acquired; in "subscriptions" nobody asks for
the team of that name. Of 46,479 values that questions written about invented projects hold, two
stand in the plan though they are said within the longer name of something else in it, and three
though they are said in the name of another table or metric of it alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from dbt_t2s.project.schema import ProjectSchema
from dbt_t2s.query.linear import table_of, to_tokens
from dbt_t2s.query.plan import Plan, Pred, RuleRef, Value
from dbt_t2s.query.text import places, stems, words

Span = tuple[int, int]
Stems = Sequence[str]


def without_parts(plan: Plan, text: str, schema: ProjectSchema) -> Plan:
    """``plan`` without the values and rules that ``text`` speaks of in the names of its other items
    alone."""
    if not any(isinstance(each, Value | RuleRef) for each in plan.where):
        return plan
    spoken = tuple(word.stem for word in words(text))
    kept = tuple(each for each in plan.where if not _is_part(each, plan, spoken, schema))
    return plan if kept == plan.where else replace(plan, where=kept)


def _is_part(pred: Pred, plan: Plan, spoken: Stems, schema: ProjectSchema) -> bool:
    said = [span for name in _told(pred, schema) for span in places(stems(name), spoken)]
    if not said:
        return False
    rest = replace(plan, where=tuple(each for each in plan.where if each != pred))
    items = [token for token in to_tokens(rest) if token[1:2] == ":"]
    named = [name for item in items for name in _names(item, schema)]
    longer = {span for name in named for span in _runs(name, spoken)}
    if all(any(_holds(run, span) and run != span for run in longer) for span in said):
        return True
    whole = {*(span for name in named for span in places(name, spoken))}
    whole.update(_tables(items, spoken, schema))
    return _table(pred, schema) not in {table_of(item) for item in items} and all(
        span in whole for span in said
    )


def _told(pred: Pred, schema: ProjectSchema) -> Iterator[str]:
    """The words of a value, the names of a rule."""
    match pred:
        case Value(_, _, value):
            yield value
        case RuleRef(name):
            for rule in schema.rules:
                if rule.name == name:
                    yield from (rule.name, *rule.synonyms)


def _table(pred: Pred, schema: ProjectSchema) -> str:
    match pred:
        case Value(table, _, _):
            return table
        case RuleRef(name):
            return next((rule.table for rule in schema.rules if rule.name == name), "")
    return ""


def _names(item: str, schema: ProjectSchema) -> Iterator[Stems]:
    """What a metric or a column is called."""
    name = item[2:]
    if item[0] == "m":
        metric = next(each for each in schema.metrics if each.name == name)
        yield from map(stems, (metric.name, metric.label, *metric.synonyms))
    elif item[0] == "c":
        table, _, called = name.partition(".")
        column = schema.table(table).column(called)
        yield from map(stems, (column.name, *column.synonyms))


def _runs(name: Stems, spoken: Stems) -> list[Span]:
    """Where the name is said, or else the longest part of it that is two words or more."""
    for size in range(len(name), 1, -1):
        parts = (name[first : first + size] for first in range(len(name) - size + 1))
        if found := [span for part in parts for span in places(part, spoken)]:
            return found
    return []


def _tables(items: Sequence[str], spoken: Stems, schema: ProjectSchema) -> Iterator[Span]:
    """Where the name of a table that the items are of is said."""
    for name in {table_of(item) for item in items if item[0] in "tc"}:
        table = schema.table(name)
        for each in (table.name, *table.synonyms):
            yield from places(stems(each), spoken)


def _holds(name: Span, span: Span) -> bool:
    return name[0] <= span[0] and span[1] <= name[1]
