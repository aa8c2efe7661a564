"""Conditions that recur in compiled SQL over the same table.

A condition recurs when two statements at least, and a third of those that read the table, carry
it. Join keys, windows of dates and anything with a subquery (incremental filters) are no rules.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from dbt_t2s import sql
from dbt_t2s.project.asked import Asked, Condition
from dbt_t2s.project.schema import Issue, Kind, Level, Rule, RuleKind, Table

MIN_CARRIERS = 2
MIN_SHARE = 1 / 3

# What nearly all queries over a table carry is offered as a rule that always holds.
ALWAYS_CARRIERS = 3
ALWAYS_SHARE = 0.8

_WORDS = ((r"<>|!=", " not "), (r">=", " at least "), (r"<=", " at most "), (r">", " over "))


@dataclass(frozen=True)
class Usage:
    """Who reads a table (node ids), and under which conditions over its bare columns."""

    table: Table
    readers: tuple[str, ...]
    carriers: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def carrying(self, conditions: Sequence[str]) -> tuple[str, ...]:
        """The readers that carry all of ``conditions``."""
        held = [set(self.carriers.get(each, ())) for each in conditions]
        return tuple(r for r in self.readers if held and all(r in each for each in held))


def usages(
    asked: Sequence[tuple[str, Asked]], tables: Sequence[Table]
) -> tuple[tuple[Usage, ...], tuple[Issue, ...]]:
    """For each table that statements read, how they do; an issue for each that cannot be read."""
    by_name = {table.name: table for table in tables}
    readers: dict[str, dict[str, None]] = {}
    carriers: dict[str, dict[str, dict[str, None]]] = {}
    issues: list[Issue] = []
    for node, each in asked:
        if each.problem:
            message = f"its SQL cannot be read for rules: {each.problem}"
            issues.append(Issue(Level.INFO, node, message))
        for name in each.tables:
            readers.setdefault(name, {})[node] = None
        for condition in each.conditions:
            if not _is_window(condition, by_name[condition.table]):
                of_table = carriers.setdefault(condition.table, {})
                of_table.setdefault(condition.text, {})[node] = None
    return tuple(
        Usage(
            by_name[name],
            tuple(nodes),
            {text: tuple(each) for text, each in carriers.get(name, {}).items()},
        )
        for name, nodes in readers.items()
    ), tuple(issues)


def rules(usage: Usage) -> Iterator[Rule]:
    """The conditions that recur over one table, the most frequent first."""
    total = len(usage.readers)
    for condition, nodes in sorted(usage.carriers.items(), key=lambda each: -len(each[1])):
        if len(nodes) >= max(MIN_CARRIERS, MIN_SHARE * total):
            yield Rule(
                name=f"{usage.table.name}_{_slug(condition)}",
                sentence=f"{len(nodes)} of {total} queries over {usage.table.name} take only rows "
                f"where {condition}.",
                table=usage.table.name,
                predicate=condition,
                evidence=nodes,
                support=len(nodes),
                kind=RuleKind.CONDITION,
            )


def suggestions(usage: Usage, known: Sequence[Rule], dialect: str) -> Iterator[Issue]:
    """The conditions of nearly all queries over a table that no rule applies always."""
    always = {
        part
        for rule in known
        if rule.always and rule.table == usage.table.name
        for part in sql.conjuncts(rule.predicate, dialect)
    }
    total = len(usage.readers)
    for condition, nodes in sorted(usage.carriers.items(), key=lambda each: -len(each[1])):
        habit = len(nodes) >= max(ALWAYS_CARRIERS, ALWAYS_SHARE * total)
        if habit and condition not in always:
            yield Issue(
                Level.INFO,
                usage.table.unique_id,
                f"{len(nodes)} of {total} queries over {usage.table.name} take only rows where "
                f"{condition}",
                "if that always holds, write it in meta.t2s.rules with applies: always",
            )


def _is_window(condition: Condition, table: Table) -> bool:
    """Whether a condition asks for a stretch of time, which is no rule."""
    kinds = (table.column(name).kind for name in condition.columns)
    return not condition.tests_null and any(k in (Kind.DATE, Kind.TIMESTAMP) for k in kinds)


def _slug(condition: str) -> str:
    """A name made of a condition: ``status <> 'x'`` → status_not_x."""
    text = condition.lower()
    for pattern, words in _WORDS:
        text = re.sub(pattern, words, text)
    return re.sub(r"[^a-z0-9]+", "_", text.replace("<", " under ")).strip("_")[:60]
