"""What statements of the log are about: their query type, their shape, and what they use."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from dbt_t2s.corpus.mined import parts_of_sql
from dbt_t2s.judge.anatomy import question_type
from dbt_t2s.project.schema import ProjectSchema
from dbt_t2s.serve.cases import Case
from dbt_t2s.serve.evidence import metrics_in, read
from dbt_t2s.sql import exp

# Different statements that are read; 4 ms each. The newest come first.
MOST = 2_000
_MORE = (
    ("having", re.compile(r"\bhaving\b")),
    ("subquery", re.compile(r"\(\s*(with|select)\b")),
    ("order by", re.compile(r"\border by\b")),
    ("limit", re.compile(r"\blimit \d")),
    ("distinct", re.compile(r"\bdistinct\b")),
    ("case", re.compile(r"\bcase\b")),
    ("set operation", re.compile(r"\b(union|except|intersect)\b")),
)
_ORDER = (
    *("sum", "count", "avg", "min", "max", "median", "distinct", "case", "join", "where"),
    *("group", "having", "window", "subquery", "set operation", "order by", "limit"),
)


@dataclass(frozen=True)
class Read:
    """One statement: ``things`` are its tables (``t:orders``), columns (``c:orders.status``) and,
    as far as SQL shows them, metrics (``m:revenue``)."""

    type: str
    shape: str
    things: frozenset[str]


def read_all(
    cases: Iterable[Case], schema: ProjectSchema | None, dialect: str, most: int = MOST
) -> dict[str, Read]:
    """The statements that questions want, by the text of the SQL; at most so many, newest first."""
    wanted = dict.fromkeys(case.meant for case in reversed(tuple(cases)) if case.meant)
    return {sql: read_one(sql, schema, dialect) for sql in tuple(wanted)[:most]}


def read_one(sql: str, schema: ProjectSchema | None, dialect: str) -> Read:
    """The statement read; nothing is found in what cannot be."""
    things = _things(sql, schema) if schema is not None else frozenset()
    return Read(question_type((sql,), dialect), shape_of(sql), things)


def shape_of(sql: str) -> str:
    """The clauses and functions of a statement in words: ``sum, join, group by, limit``."""
    text = " ".join(sql.lower().split())
    parts = {*parts_of_sql(sql), *(name for name, form in _MORE if form.search(text))}
    named = [_said(part) for part in _ORDER if part in parts]
    return ", ".join(named) or "rows as they are"


def _said(part: str) -> str:
    return {"group": "group by", "window": "window function"}.get(part, part)


def _things(sql: str, schema: ProjectSchema) -> frozenset[str]:
    statement = read(sql, schema)
    if statement is None:
        return frozenset()
    found = {f"t:{table.name}" for table in statement.tables}
    found |= {f"m:{metric.name}" for metric in metrics_in(sql, schema)}
    for column in statement.tree.find_all(exp.Column):
        table = statement.table_of(column)
        columns = table.columns if table else ()
        known = next((c for c in columns if c.name.lower() == column.name.lower()), None)
        if table and known:
            found.add(f"c:{table.name}.{known.name}")
    return frozenset(found)
