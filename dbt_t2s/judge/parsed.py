"""Parse trees that all of a judgement share: reading a statement takes longer than judging it."""

from __future__ import annotations

import functools

from dbt_t2s import sql as language
from dbt_t2s.sql import exp

# Statements of a few questions: each is looked at again at once or never.
_REMEMBERED = 64


@functools.lru_cache(maxsize=_REMEMBERED)
def parsed(sql: str, dialect: str) -> exp.Expr:
    """The tree of one statement, to look at and not to change; SqlError if there is none."""
    return language.parse_one(sql, dialect)


@functools.lru_cache(maxsize=_REMEMBERED)
def relations_read(sql: str, dialect: str) -> tuple[str, ...]:
    """The relations that a statement reads, as ``sql.references`` gives them."""
    return language.references(sql, dialect)
