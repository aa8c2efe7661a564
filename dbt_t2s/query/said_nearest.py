"""A column that several tables have is that of the nearest one.

"Quantity by currency" asks for the orders' currency, one join from the order lines, and not for the
stores', two joins away. Of 65 written questions that divide by such a column and say no table, all
mean the nearest; "region of the practice" says whose.
"""

from __future__ import annotations

from collections.abc import Sequence

from dbt_t2s.project.schema import Column, ProjectSchema, Table
from dbt_t2s.query.bind import Binder
from dbt_t2s.query.linear import from_tokens, table_of, to_tokens
from dbt_t2s.query.plan import Col, Plan
from dbt_t2s.query.text import places, stems, words

_OF = "of"


def of_the_nearest(plan: Plan, text: str, schema: ProjectSchema, binder: Binder) -> Plan:
    """``plan`` divided by columns of the tables nearest to what it measures, where ``text`` says
    such a column's name and not its table's."""
    dims = [each for each in plan.select if isinstance(each, Col)]
    meant = {f"c:{d.table}.{d.column}": found for d in dims if (found := _also(d, schema))}
    root = binder.root(plan) if meant else None
    if root is None:
        return plan
    spoken = [word.stem for word in words(text)]
    nearer = {
        token: f"c:{table.name}.{column.name}"
        for token, found in meant.items()
        if (best := _nearest(token, found, root, binder)) is not None
        for table, column in [best]
        if _is_said(column, spoken) and not _is_told(schema.table(table_of(token)), spoken)
    }
    made = from_tokens([nearer.get(token, token) for token in to_tokens(plan)]) if nearer else None
    return plan if made is None else made


def _also(dim: Col, schema: ProjectSchema) -> list[tuple[Table, Column]]:
    """The columns of that name in other tables; none where it is a key of any."""
    having = [table for table in schema.tables if any(c.name == dim.column for c in table.columns)]
    if any(dim.column in table.primary_key for table in having):
        return []
    return [(table, table.column(dim.column)) for table in having if table.name != dim.table]


def _nearest(
    token: str, others: Sequence[tuple[Table, Column]], root: str, binder: Binder
) -> tuple[Table, Column] | None:
    """The one that is nearer than all others and than what ``token`` names."""
    far = _distance(table_of(token), root, binder)
    near = [(d, *other) for other in others if (d := _distance(other[0].name, root, binder)) < far]
    least = min((d for d, _, _ in near), default=far)
    best = [(table, column) for d, table, column in near if d == least]
    return best[0] if len(best) == 1 else None


def _distance(table: str, root: str, binder: Binder) -> float:
    path = binder.graph.path(root, table)
    return float("inf") if path is None else len(path)


def _is_said(column: Column, spoken: Sequence[str]) -> bool:
    """Whether the column's name is said, and not "of" what after it."""
    ends = {
        end for name in (column.name, *column.synonyms) for _, end in places(stems(name), spoken)
    }
    return bool(ends) and all(spoken[end : end + 1] != [_OF] for end in ends)


def _is_told(table: Table, spoken: Sequence[str]) -> bool:
    """Whether any word of the table's name is said."""
    names = {word for name in (table.name, *table.synonyms) for word in stems(name)}
    return not names.isdisjoint(spoken)
