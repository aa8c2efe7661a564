"""Joins that nobody states: what names suggest and values bear out, and what values alone say."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from dbt_t2s.duck import Execute
from dbt_t2s.project import identifiers, named_joins, valued_joins
from dbt_t2s.project.join_checks import Uniqueness, with_orphans
from dbt_t2s.project.named_joins import Guess
from dbt_t2s.project.schema import Cardinality, Issue, Join, Table

# More rows than this that find nothing, and a name alone is no reason to join.
_MOST_ORPHANS = 0.05


@dataclass(frozen=True)
class Guessed:
    """The joins found, and those (``unfit``) that names suggest but values do not bear out."""

    joins: tuple[Join, ...]
    unfit: tuple[Join, ...]
    issues: tuple[Issue, ...]


def find(
    proven: Sequence[Join],
    tables: Sequence[Table],
    unique: Uniqueness,
    execute: Execute | None,
    dialect: str,
) -> Guessed:
    """Joins of columns that point nowhere yet (``proven``), none of them marked as proven.

    Of keys that a name fits alike those are left whose values hold the column's, as far as they
    can be asked; a column that then fits two keys as well points nowhere.
    """
    by_name = {table.name: table for table in tables}
    asked = [tuple(choice) for choice in _asked(proven, tables, unique) if choice]
    guesses = [guess for choice in asked for guess in choice]
    measured, issues = with_orphans([_join(each) for each in guesses], by_name, execute, dialect)
    joins = dict(zip(guesses, measured, strict=True))
    unreadable = {issue.where for issue in issues}
    kept: list[Join] = []
    unfit: list[Join] = []
    for choice in asked:
        fitting = [each for each in choice if _fits(joins[each], unreadable)]
        best = named_joins.clearest(fitting)
        if best is not None:
            kept.append(joins[best])
        elif not fitting and (joins[choice[0]].orphan_share or 0.0) > _MOST_ORPHANS:
            unfit.append(joins[choice[0]])
    named = tuple(_without_copies(tuple(_without_pairs(kept))))
    taken = {(join.table, name) for join in (*proven, *named) for name in join.columns}
    valued, found = valued_joins.find(tables, taken, unique, execute, dialect)
    return Guessed((*named, *_beside(named, proven, valued)), tuple(unfit), (*issues, *found))


def _beside(
    named: Sequence[Join], proven: Sequence[Join], valued: Sequence[Join]
) -> Iterator[Join]:
    """Those of ``valued`` between tables that nothing else joins: else they may be copies."""
    pairs = {frozenset((join.table, join.to_table)) for join in (*proven, *named)}
    return (join for join in valued if frozenset((join.table, join.to_table)) not in pairs)


def _asked(
    proven: Sequence[Join], tables: Sequence[Table], unique: Uniqueness
) -> Iterator[list[Guess]]:
    """The choices of columns that point nowhere yet, without keys that the data shows to be none"""
    by_name = {table.name: table for table in tables}
    placed = {(join.table, name) for join in proven for name in join.columns}
    placed |= {
        (join.to_table, name)
        for join in proven
        if join.cardinality is Cardinality.ONE_TO_ONE
        for name in join.to_columns
    }
    pairs = {(join.table, join.to_table) for join in proven}
    for choice in named_joins.choices(tables):
        if (choice[0].table, choice[0].column) in placed:
            continue
        is_reference = identifiers.is_reference(choice[0].column)
        yield [
            each
            for each in choice
            if (is_reference or (each.table, each.to_table) not in pairs)
            and unique.measured(by_name[each.to_table], (each.to_column,)) is not False
        ]


def _join(guess: Guess) -> Join:
    names = f"{guess.table}.{guess.column} ~ {guess.to_table}.{guess.to_column}"
    return Join(
        guess.table,
        (guess.column,),
        guess.to_table,
        (guess.to_column,),
        evidence=(f"names: {names}",),
        proven=False,
    )


def _fits(join: Join, unreadable: Collection[str]) -> bool:
    where = f"{join.table} -> {join.to_table}"
    return (join.orphan_share or 0.0) <= _MOST_ORPHANS and where not in unreadable


def _without_pairs(joins: Sequence[Join]) -> Iterator[Join]:
    """One direction of two keys that each seem to point at the other."""
    seen: set[tuple[object, ...]] = set()
    for join in joins:
        if (join.to_table, join.to_columns, join.table, join.columns) not in seen:
            seen.add((join.table, join.columns, join.to_table, join.to_columns))
            yield join


def _without_copies(joins: Sequence[Join]) -> Iterator[Join]:
    """Beside a reference to a table, no other column of it that was copied along with it."""
    referring = {
        (join.table, join.to_table) for join in joins if identifiers.is_reference(join.columns[0])
    }
    for join in joins:
        is_reference = identifiers.is_reference(join.columns[0])
        if is_reference or (join.table, join.to_table) not in referring:
            yield join
