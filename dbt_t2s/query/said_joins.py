"""Which of several edges between two tables a question means: the one whose words it says.

A trip starts at one station and ends at another, a player has a home and an away team. Plans name
no edges; without a word of the question the first is taken.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from dbt_t2s.project.schema import Join, ProjectSchema, Table
from dbt_t2s.query.text import name_words, places, stem, stems

_SHORTEST = 3  # letters that say something alone; the "b" of `store_b_id` does after "store"
# Words of dates and orders as well: "last month" does not mean a trip's last station.
_COMMON = frozenset("first last top new next previous prior current latest earliest best".split())


@dataclass(frozen=True)
class Role:
    """An edge among others of the same two tables, and the words that tell it from them.

    A word may be two: a letter, which says nothing alone, after the word before it ("store b").
    """

    join: Join
    words: tuple[str, ...]


class SaidJoins:
    """The edges of a schema that only words tell apart, and the tables that ways part at: lessons
    lead to families by their pupil and by their package."""

    def __init__(self, schema: ProjectSchema) -> None:
        groups: dict[tuple[str, str, bool], list[Join]] = {}
        for join in schema.joins:
            groups.setdefault((join.table, join.to_table, join.proven), []).append(join)
        self.groups = tuple(_roles(group) for group in groups.values() if len(group) > 1)
        self._between = {
            table.name: _names(table)
            for table in schema.tables
            if table.name in _tables_between(schema.joins)
        }

    def through(self, question: str) -> frozenset[str]:
        """The tables at which ways part that the question names."""
        if not self._between:
            return frozenset()
        said = stems(question)
        return frozenset(
            table
            for table, names in self._between.items()
            if any(any(places(name, said)) for name in names)
        )

    def passed_over(self, question: str) -> frozenset[Join]:
        """The edges that are not meant where another of the same tables is, by its words alone."""
        if not self.groups:
            return frozenset()
        said = stems(question)
        found: set[Join] = set()
        for roles in self.groups:
            meant = [
                role for role in roles if any(_is_said(w, role.join, said) for w in role.words)
            ]
            if len(meant) == 1:
                found.update(role.join for role in roles if role is not meant[0])
        return frozenset(found)

    def role(self, join: Join) -> tuple[str, ...]:
        """The words that tell the edge from others of its tables; none where it is alone."""
        roles = (role for group in self.groups for role in group if role.join == join)
        return next((role.words for role in roles), ())


def _names(table: Table) -> tuple[tuple[str, ...], ...]:
    """What the table and one row of it are called, in stems."""
    names = (table.name, table.entity, *table.synonyms)
    return tuple(dict.fromkeys(made for name in names if (made := stems(name))))


def _tables_between(joins: Sequence[Join]) -> frozenset[str]:
    """Tables on one of several ways of two edges between the same tables."""
    ways: dict[tuple[str, str], set[str]] = {}
    for first in joins:
        for second in joins:
            if first.to_table == second.table and first.table != second.to_table:
                ways.setdefault((first.table, second.to_table), set()).add(first.to_table)
    return frozenset(table for found in ways.values() if len(found) > 1 for table in found)


def _is_said(word: str, join: Join, said: tuple[str, ...]) -> bool:
    """Whether the word is said; a common one counts before a word of what is joined alone."""
    first, _, letter = word.partition(" ")
    if letter:
        return any(one == stem(first) and other == letter for one, other in pairwise(said))
    if word not in _COMMON:
        return stem(word) in said
    names = (join.to_table, *join.columns)
    joined = {stem(each) for name in names for each in name_words(name)} - {stem(word)}
    return any(one == stem(word) and other in joined for one, other in pairwise(said))


def _roles(group: list[Join]) -> tuple[Role, ...]:
    """Each edge with the words of its columns that no other has, nor the tables' names."""
    spoken = [[w for column in join.columns for w in name_words(column)] for join in group]
    named = {stem(w) for w in (*name_words(group[0].table), *name_words(group[0].to_table))}
    found = []
    for at, join in enumerate(group):
        others = {stem(w) for place, ws in enumerate(spoken) if place != at for w in ws} | named
        own = [w for w in spoken[at] if stem(w) not in others and len(w) >= _SHORTEST]
        own += [
            f"{before} {letter}"
            for before, letter in pairwise(spoken[at])
            if len(letter) == 1 and letter not in others
        ]
        found.append(Role(join, tuple(dict.fromkeys(own))))
    return tuple(found)
