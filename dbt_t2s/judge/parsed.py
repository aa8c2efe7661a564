"""Parse trees that all of a judgement share: reading a statement takes longer than judging it."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Sequence

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


def read_by(golds: Sequence[str], dialect: str) -> Iterator[str]:
    """What golds read: people may use tables that the model does not, such as a calendar."""
    for gold in golds:
        try:
            yield from language.references(gold, dialect)
        except language.SqlError:
            continue  # it will fail in the sandbox, and be named there
