"""Joins that names alone suggest: the last resort, where nobody states how two tables join."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from dbt_t2s.project import name_fits
from dbt_t2s.project.identifiers import (
    entity_words,
    folded,
    glued_stem,
    head,
    is_reference,
    joined,
    short_for,
    stem,
    words,
)
from dbt_t2s.project.kindred import kin
from dbt_t2s.project.name_fits import Fit, Key, Said
from dbt_t2s.project.schema import Column, Kind, Table

# A letter or two before every column's name: ``c_custkey``.
_MARK = re.compile(r"[a-zA-Z]{1,2}_(?=.)")
_PERSON = folded("person")
# More keys than these that a name fits alike are not asked for their values.
_MOST_CHOICES = 4


@dataclass(frozen=True)
class Guess:
    """``table.column`` seems to point at ``to_table.to_column``; a higher ``rank`` fits better."""

    table: str
    column: str
    to_table: str
    to_column: str
    rank: tuple[int, ...] = ()


def find(tables: Sequence[Table]) -> Iterator[Guess]:
    """At most one guess for each column: the key that its name fits best, if one fits best."""
    return (best for choice in choices(tables) if (best := clearest(choice)) is not None)


def clearest(choice: Sequence[Guess]) -> Guess | None:
    """The first of ``choice``, best first; None where the second fits as well, or there is none."""
    if not choice or (len(choice) > 1 and choice[0].rank == choice[1].rank):
        return None
    return choice[0]


def choices(tables: Sequence[Table]) -> Iterator[tuple[Guess, ...]]:
    """For each column the keys that its name fits alike and no other better, the best first.

    Names cannot tell more of these than their rank, but values may.
    """
    common = _common(tables)
    unmarked = [_unmarked(table, common) for table in tables]
    index = _Index(unmarked)
    by_id = {table.unique_id: table for table in tables}
    for table in unmarked:
        for number, column in enumerate(table.columns):
            if name_fits.may_be_key(column) or column.kind is Kind.DATE:
                here = by_id[table.unique_id]
                found: list[Guess] = []
                for each in _best(table, column, index):
                    there = by_id[each.key.table.unique_id]
                    to_column = there.columns[each.key.table.columns.index(each.key.column)].name
                    name = here.columns[number].name
                    found.append(Guess(here.name, name, there.name, to_column, each.rank))
                if found:
                    yield tuple(found)


def _common(tables: Sequence[Table]) -> str:
    """The first word of most tables' names (``wp``), where no table is called by it alone."""
    counts = Counter(word for table in tables for word in words(table.name)[:1])
    for word, count in counts.most_common(1):
        alone = any(entity_words(table.name) == (folded(word),) for table in tables)
        if count > max(2, len(tables) / 2) and not alone:
            return word
    return ""


def _unmarked(table: Table, common: str) -> Table:
    """Without the word that most tables' names begin with, nor the letter or two (``c_``) that
    all names of its columns do."""
    starts = {_MARK.match(column.name) for column in table.columns}
    found = {start[0] if start else "" for start in starts}
    mark = found.pop() if len(found) == 1 and len(table.columns) > 1 else ""
    said = words(table.name)
    name = "_".join(said[1:]) if len(said) > 1 and said[0] == common else table.name
    columns = tuple(replace(c, name=c.name.removeprefix(mark)) for c in table.columns)
    key = tuple(each.removeprefix(mark) for each in table.primary_key)
    return replace(table, name=name, columns=columns, primary_key=key)


class _Index:
    """Keys under the words they may be found by, so that no column is held against all keys."""

    def __init__(self, tables: Sequence[Table]) -> None:
        found = [key for table in tables for key in name_fits.keys(table)]
        columns = [column for table in tables for column in table.columns]
        self.own = frozenset(
            (key.table.unique_id, key.column.name)
            for key in found
            if key.stem == key.entity or (key.is_known and key.names_entity)
        )
        references = _places(columns, refer=True) - frozenset(
            # ``month`` beside ``month_key``: they say different things.
            place
            for each in tables
            for place in _places(each.columns, refer=True) & _places(each.columns, refer=False)
        )
        self.said = Said(frozenset(key.entity for key in found), references)
        self._scored: dict[tuple[str, Kind], Sequence[_Scored]] = {}
        self._days = [key for key in found if key.column.kind is Kind.DATE]
        self._by_word: dict[str, list[Key]] = {}
        for key in found:
            glued = {joined(key.column.name), key.glued_entity}
            for word in {*glued, *key.stem[-1:], *key.entity[-1:]}:
                self._by_word.setdefault(word, []).append(key)
        self._by_initial: dict[str, list[str]] = {}
        for word in self._by_word:
            self._by_initial.setdefault(word[:1], []).append(word)

    def scored(self, column: Column) -> Sequence[_Scored]:
        """The keys that the column's name fits, best first."""
        place = (column.name, column.kind)
        if place not in self._scored:
            near = [key for key in self._near(column) if key.column.kind is column.kind]
            found = (_Scored.of(column, key, self.said) for key in near)
            fitting = (each for each in found if each.fit)
            self._scored[place] = sorted(fitting, key=lambda each: each.rank, reverse=True)
        return self._scored[place]

    def _near(self, column: Column) -> Sequence[Key]:
        if column.kind is Kind.DATE:
            return self._days
        own = stem(column.name)
        ends = {*own[-1:], *head(own)[-1:]}
        glued = {joined(column.name), glued_stem(column.name)}
        wanted = {*glued, *ends, *(other for end in ends for other in kin(end))}
        for last in own[-1:] if self.said.refers(column) else ():
            others = self._by_initial.get(last[:1], ())
            wanted.update(w for w in others if short_for(last, w) or short_for(w, last))
        found = {id(key): key for word in sorted(wanted) for key in self._by_word.get(word, ())}
        return list(found.values())


def _places(columns: Sequence[Column], *, refer: bool) -> frozenset[tuple[tuple[str, ...], Kind]]:
    """The stems and kinds of those columns that are called like keys, or of those that are not."""
    chosen = (each for each in columns if is_reference(each.name) is refer)
    return frozenset((stem(each.name), each.kind) for each in chosen)


@dataclass(frozen=True)
class _Scored:
    """How well a column fits a key: by its name, how near the nouns are where they are only kin,
    whether it ends like the key's (``_code``), and whether the key's table names its rows."""

    fit: Fit
    nearness: int
    ends_alike: bool
    key: Key

    @classmethod
    def of(cls, column: Column, key: Key, said: Said) -> _Scored:
        ends_alike = words(column.name)[-1:] == words(key.column.name)[-1:]
        fit = name_fits.fit(column, key, said)
        nearness = 0
        if fit is Fit.KIN:
            nearness = -kin(stem(column.name)[-1]).index(key.entity[-1])
        return cls(fit, nearness, ends_alike, key)

    @property
    def rank(self) -> tuple[Fit, int, bool, bool]:
        return (self.fit, self.nearness, self.ends_alike, self.key.describes)

    def is_of(self, table: Table, column: Column) -> bool:
        return self.key.table is table and self.key.column is column

    @property
    def is_of_people(self) -> bool:
        return self.fit is Fit.KIN and self.key.entity == (_PERSON,)


def _best(table: Table, column: Column, index: _Index) -> Sequence[_Scored]:
    """The keys that fit best; none where the best is a key of the table itself."""
    scored = [each for each in index.scored(column) if not each.is_of(table, column)]
    if is_reference(column.name) and (table.unique_id, column.name) in index.own:
        # The table's own key; but what it tells of may be a kind of person.
        scored = [each for each in scored if each.fit is Fit.EXACT or each.is_of_people]
    if not scored or scored[0].key.table is table:
        return ()
    alike = [each for each in scored if each.fit is scored[0].fit and each.key.table is not table]
    return alike[:_MOST_CHOICES]
