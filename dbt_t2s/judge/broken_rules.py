"""Which of the project's rules a statement does not respect."""

from __future__ import annotations

import functools
from collections.abc import Iterable

from dbt_t2s import sql as language
from dbt_t2s.judge.parsed import parsed
from dbt_t2s.project.schema import Rule
from dbt_t2s.sql import exp


def broken_rules(sql: str, rules: Iterable[Rule], tables: Iterable[str], dialect: str) -> set[str]:
    """The names of the rules on ``tables`` of whose conditions ``sql`` leaves one out.

    Rules that do not always hold are not looked at. A condition counts as kept where it stands
    anywhere in the statement: in a WHERE, in a CASE, in a FILTER. SqlError if ``sql`` or a rule
    cannot be read.
    """
    named = set(tables)
    asked = [rule for rule in rules if rule.always and rule.predicate and rule.table in named]
    if not asked:
        return set()
    kept = conditions(sql, dialect)
    return {rule.name for rule in asked if not set(spelled(rule.predicate, dialect)).issubset(kept)}


def conditions(sql: str, dialect: str) -> set[str]:
    """Every condition of the statement, each as ``spelled`` writes it; SqlError if it is none."""
    found: set[str] = set()
    node = parsed(sql, dialect)
    for part in node.find_all(exp.Predicate, exp.Not, exp.Column):
        if not isinstance(part, exp.Column) or _is_condition(part):
            found.update(spelled(_plain(part, dialect), dialect))
    return found


def _is_condition(column: exp.Column) -> bool:
    """A column of truth values stands where a condition may stand."""
    return isinstance(column.parent, exp.Where | exp.Having | exp.Connector | exp.Not | exp.Paren)


@functools.lru_cache(maxsize=4_096)
def spelled(predicate: str, dialect: str) -> tuple[str, ...]:
    """The conditions that must all hold, each without tables, quotes and capitals."""
    return language.conjuncts(_plain(language.parse_one(predicate, dialect), dialect), dialect)


def _plain(condition: exp.Expr, dialect: str) -> str:
    """The condition without tables, quotes, brackets around one part, and case of names."""

    def plain(node: exp.Expr) -> exp.Expr:
        if isinstance(node, exp.Column) and isinstance(node.this, exp.Identifier):
            return exp.column(node.name.lower())
        inner = node.this if isinstance(node, exp.Paren) else node
        return node if isinstance(inner, exp.Connector) else inner

    return language.to_sql(condition.copy().transform(plain), dialect)
