"""Conditions that a business rule of the project states, found in SQL."""

from __future__ import annotations

from collections.abc import Sequence

from dbt_t2s.project.schema import ProjectSchema, Rule
from dbt_t2s.query.plan import Pred, RuleRef
from dbt_t2s.query.sql_source import NotConvertedError, Source
from dbt_t2s.sql import SqlError, all_of, bare, conjuncts, exp, parse_one, to_sql


class Rules:
    """Finds the rules of one schema among the conditions of a SELECT.

    Only rules of several columns or that always hold are looked for: one comparison is said by its
    column as well.
    """

    def __init__(self, schema: ProjectSchema) -> None:
        self._dialect = schema.dialect
        found: list[tuple[Rule, frozenset[str]]] = []
        for rule in schema.askable_rules:
            try:
                parts = conjuncts(rule.predicate, schema.dialect)
                spelled = frozenset(
                    self._spelled(part)
                    for text in parts
                    for part in all_of(parse_one(text, schema.dialect))
                )
            except SqlError:
                continue  # nothing that is written can be matched with what cannot be read
            if len(spelled) > 1 or any(" OR " in part for part in spelled):
                found.append((rule, spelled))
        self._rules = sorted(found, key=lambda each: -len(each[1]))

    def stated(
        self, conditions: Sequence[exp.Expr], source: Source
    ) -> tuple[tuple[Pred, ...], list[exp.Expr]]:
        """The rules among ``conditions``, and those that are left; rules of most parts first."""
        left = [(part, self._place(part, source)) for part in conditions]
        said: list[Pred] = []
        for rule, wanted in self._rules:
            keys = {(rule.table, text) for text in wanted}
            if keys <= {key for _, key in left}:
                said.append(RuleRef(rule.name))
                left = [(part, key) for part, key in left if key not in keys]
        return tuple(said), [part for part, _ in left]

    def _place(self, node: exp.Expr, source: Source) -> tuple[str, str]:
        """The one table that a condition is about, and what it says of its columns."""
        try:
            tables = {source.column(c).table for c in node.find_all(exp.Column)}
        except NotConvertedError:
            return "", ""
        if len(tables) != 1 or node.find(exp.Select):
            return "", ""
        return tables.pop(), self._spelled(parse_one(bare(node, self._dialect), self._dialect))

    def _spelled(self, node: exp.Expr) -> str:
        """One text for a condition, whatever the case of its names and the order of its ORs."""
        tree = node.unnest().copy()
        for name in tree.find_all(exp.Identifier):
            name.set("this", name.name.lower())
            name.set("quoted", False)
        for flag in list(tree.find_all(exp.EQ)):
            if isinstance(flag.expression, exp.Boolean) and flag is not tree:
                flag.replace(flag.this if flag.expression.this else exp.not_(flag.this))
        if isinstance(tree, exp.Or):
            return " OR ".join(sorted(self._spelled(part) for part in tree.flatten()))
        if isinstance(tree, exp.And):
            return " AND ".join(sorted(self._spelled(part) for part in all_of(tree)))
        return to_sql(tree, self._dialect)
