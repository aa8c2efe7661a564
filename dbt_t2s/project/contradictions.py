"""Rules that cannot both be meant."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations

from dbt_t2s import sql
from dbt_t2s.project.schema import Issue, Level, Metric, Rule, RuleKind


def find(rules: Sequence[Rule], metrics: Sequence[Metric], dialect: str) -> Iterator[Issue]:
    """A warning for each contradiction."""
    by_table: dict[str, list[Rule]] = {}
    for rule in rules:
        by_table.setdefault(rule.table, []).append(rule)
    for listed in by_table.values():
        for one, other in combinations([rule for rule in listed if rule.always], 2):
            yield from _excluding(one, other, dialect)
    by_name = {metric.name.lower(): metric for metric in metrics}
    for rule in rules:
        if rule.kind is RuleKind.WRITTEN and rule.name.lower() in by_name:
            yield from _filtered_otherwise(rule, by_name[rule.name.lower()], dialect)


def _excluding(one: Rule, other: Rule, dialect: str) -> Iterator[Issue]:
    for first in sql.conjuncts(one.predicate, dialect):
        for second in sql.conjuncts(other.predicate, dialect):
            if excludes(first, second, dialect):
                yield Issue(
                    Level.WARNING,
                    one.evidence[0],
                    f"no row of {one.table} can satisfy both {one.name} ({first}) and "
                    f"{other.name} ({second}), which both always hold",
                    "take applies: always off one of them",
                )


def _filtered_otherwise(rule: Rule, metric: Metric, dialect: str) -> Iterator[Issue]:
    """A metric that a rule is named after must take the rows that the rule says."""
    if metric.measure is None or metric.measure.table != rule.table:
        return
    taken = [
        part
        for each in metric.filters
        for part in sql.conjuncts(sql.unqualify(each.predicate, dialect, rule.table), dialect)
    ]
    wanted = sql.conjuncts(rule.predicate, dialect)
    clash = [(a, b) for a in wanted for b in taken if excludes(a, b, dialect)]
    missing = [part for part in wanted if part not in taken]
    # A measure that is no plain column may hold the condition itself.
    if clash or (missing and taken):
        what = clash[0][0] if clash else missing[0]
        yield Issue(
            Level.WARNING,
            metric.unique_id or f"metric {metric.name}",
            f"the metric {metric.name} takes {rule.table} where {' AND '.join(taken)}, but the "
            f"rule of that name says {rule.predicate} (so {what})",
            f"make the metric's filter and {rule.evidence[0]} agree; the written rule is kept",
        )


@dataclass(frozen=True)
class _Allowed:
    """Which values a condition lets through: these, or all but these. NULL is a value here."""

    column: str
    values: frozenset[str]
    but: bool = False

    def excludes(self, other: _Allowed) -> bool:
        if self.column != other.column or (self.but and other.but):
            return False
        if self.but:
            return other.excludes(self)
        return not (self.values - other.values if other.but else self.values & other.values)


def excludes(one: str, other: str, dialect: str) -> bool:
    """Whether no row can satisfy both conditions, as far as equality with values can tell."""
    first, second = (_allowed(sql.parse_one(each, dialect)) for each in (one, other))
    return first is not None and second is not None and first.excludes(second)


_NULL = "NULL"


def _allowed(node: sql.exp.Expr) -> _Allowed | None:
    """What a condition on one column lets through; None where it is not of that form."""
    node = node.unnest()
    if isinstance(node, sql.exp.Not):
        inner = _allowed(node.this)
        if inner is None:
            return None
        # NOT of NULL is NULL: a comparison lets no NULL through either way.
        if inner.but:
            return _Allowed(inner.column, inner.values - {_NULL})
        return _Allowed(inner.column, inner.values | {_NULL}, but=True)
    if isinstance(node, sql.exp.Column):
        return _Allowed(node.name.lower(), frozenset({"TRUE"}))
    if not isinstance(node, sql.exp.Predicate) or not isinstance(node.this, sql.exp.Column):
        return None
    name = node.this.name.lower()
    if isinstance(node, sql.exp.In):
        values = node.expressions
        literal = bool(values) and all(isinstance(each, sql.exp.Literal) for each in values)
        return _Allowed(name, frozenset(each.sql() for each in values)) if literal else None
    if isinstance(node, sql.exp.Is) and isinstance(node.expression, sql.exp.Null):
        return _Allowed(name, frozenset({_NULL}))
    value = node.args.get("expression")
    if not isinstance(value, sql.exp.Literal | sql.exp.Boolean):
        return None
    if isinstance(node, sql.exp.EQ):
        return _Allowed(name, frozenset({value.sql()}))
    if isinstance(node, sql.exp.NEQ):
        return _Allowed(name, frozenset({value.sql(), _NULL}), but=True)
    return None
