"""Near misses of a query: what a model gets wrong, one mistake at a time, made on the parse tree.

A judge is as good as the share of these that it tells from the query they come from. Some cannot
be told apart on any data that the project's tests allow: those carry the law that says so.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from dbt_t2s import sql as language
from dbt_t2s.judge import laws, mutated_clauses, mutated_terms
from dbt_t2s.judge.sources import Sources
from dbt_t2s.project.schema import ProjectSchema
from dbt_t2s.sql import exp

# (kind, what stands in the node's place): None takes the node out.
Change = tuple[str, exp.Expr | None]
Operator = Callable[[exp.Expr, Sources], Iterator[Change]]

OPERATORS: tuple[Operator, ...] = (*mutated_terms.OPERATORS, *mutated_clauses.OPERATORS)


@dataclass(frozen=True)
class Mutant:
    """``law`` is empty, or says why no allowed data tells the mutant from its query."""

    kind: str
    sql: str
    law: str = ""


def mutants(sql: str, schema: ProjectSchema) -> tuple[Mutant, ...]:
    """Every near miss of ``sql`` in the order of its parts; SqlError if it cannot be read.

    What prints as the query itself does is left out, and of two that print alike the second.
    """
    tree = language.parse_one(sql, schema.dialect)
    sources = Sources(tree, schema)
    seen = {language.to_sql(tree, schema.dialect)}
    found: list[Mutant] = []
    for place, node in enumerate(list(language.walk(tree))):
        for operator in OPERATORS:
            for kind, new in operator(node, sources):
                text = language.to_sql(_changed(tree, place, new), schema.dialect, used_up=True)
                if text not in seen:
                    seen.add(text)
                    found.append(Mutant(kind, text, laws.law_of(kind, node, new, sources)))
    for old, renamed in mutated_terms.other_columns(tree, sources):
        text = language.to_sql(renamed, schema.dialect, used_up=True)
        if text not in seen:
            seen.add(text)
            found.append(Mutant("column", text, laws.law_of("column", old, None, sources)))
    return tuple(found)


def _changed(tree: exp.Expr, place: int, new: exp.Expr | None) -> exp.Expr:
    """A copy of ``tree`` in which its ``place``-th node (in walking order) is another."""
    copy = tree.copy()
    target = next(node for at, node in enumerate(language.walk(copy)) if at == place)
    if new is None:
        target.pop()
        return copy
    if target.parent is None:
        return new
    target.replace(new)
    return copy
