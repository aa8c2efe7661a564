"""Joins that names alone suggest: the last resort, where nobody states how two tables join."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache

from dbt_t2s.project.schema import Column, Kind, Table

# Last words that make a column a reference to rows; first words that say what layer a table is of.
SUFFIXES = frozenset(
    ("id", "ids", "key", "code", "no", "num", "number", "nr", "uuid", "guid", "sk", "fk", "pk")
)
_LAYERS = frozenset(("dim", "fct", "fact", "mart", "tbl", "table", "ref", "raw", "stg", "int", "v"))
# Last words of a table's name that say nothing of its rows.
_FILLERS = frozenset(("header", "master", "info", "information", "data", "profile", "record"))
_IRREGULAR = {"people": "person", "children": "child", "men": "man", "women": "woman"}

# camelCase, snake_case and digits apart; a run of capitals is a word (``StuID``).
_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[^\W\d_a-zA-Z]+|\d+")
# A suffix written onto its word: ``custid``, ``dno``.
_GLUED = re.compile(r"(?<=.)(id|no|num|key|code)$")
_SHORTEST_ABBREVIATION = 3

# Types whose equality says nothing about rows.
_NO_KEYS = (Kind.DATE, Kind.TIMESTAMP, Kind.BOOLEAN, Kind.OTHER)
_FRACTION = re.compile(r"^(float|double|real|money)|,\s*[1-9]\d*\)", re.IGNORECASE)


@lru_cache(maxsize=65536)
def words(name: str) -> tuple[str, ...]:
    """The lower-case words of an identifier: ``StuID`` and ``stu_id`` → (stu, id)."""
    return tuple(word.lower() for word in _WORD.findall(name))


@lru_cache(maxsize=65536)
def folded(word: str) -> str:
    """What singular and plural of an English word share: city, cities → citi; not for reading."""
    word = _IRREGULAR.get(word, word)
    for ending, instead in (("ies", "i"), ("ie", "i"), ("y", "i"), ("es", ""), ("e", "")):
        if word.endswith(ending) and len(word) > len(ending) + 1:
            return word.removesuffix(ending) + instead
    if word.endswith("s") and not word.endswith(("ss", "us", "is")) and len(word) > 2:
        return word[:-1]
    return word


def _is_plural(word: str) -> bool:
    return word.endswith("s") and folded(word) != word


@lru_cache(maxsize=65536)
def stem(name: str) -> tuple[str, ...]:
    """What a key's name names: its words, folded, without ``id`` and the like."""
    found = words(name)
    while found and found[-1] in SUFFIXES:
        found = found[:-1]
    if len(found) == len(words(name)) and found:
        found = (*found[:-1], _GLUED.sub("", found[-1]))
    return tuple(folded(word) for word in found)


def spoken(name: str) -> str:
    """A key's name as a person says it: ``billing_address_id`` → billing address."""
    found = words(name)
    while len(found) > 1 and found[-1] in SUFFIXES:
        found = found[:-1]
    return " ".join(found)


@lru_cache(maxsize=65536)
def is_reference(name: str) -> bool:
    """Whether the name ends as keys do: ``customer_id``, ``CRS_CODE``, ``custid``."""
    last = words(name)[-1:]
    return bool(last) and (last[0] in SUFFIXES or bool(_GLUED.search(last[0])))


@lru_cache(maxsize=65536)
def entity_words(table_name: str) -> tuple[str, ...]:
    """What one row is, in folded words: ``dim_customers`` → (customer,)."""
    found = words(table_name)
    while len(found) > 1 and found[0] in _LAYERS:
        found = found[1:]
    while len(found) > 1 and (found[-1] in SUFFIXES or found[-1].removesuffix("s") in _FILLERS):
        found = found[:-1]
    return tuple(folded(word) for word in found)


def short_for(short: str, long: str) -> bool:
    """Whether ``short`` abbreviates ``long``: its letters in order, the first one shared."""
    if len(short) < _SHORTEST_ABBREVIATION or len(short) >= len(long) or short[0] != long[0]:
        return False
    rest = iter(long)
    return all(letter in rest for letter in short)


@dataclass(frozen=True)
class Guess:
    """``table.column`` seems to point at ``to_table.to_column``."""

    table: str
    column: str
    to_table: str
    to_column: str


@dataclass(frozen=True)
class _Key:
    """A column that may tell the rows of ``table`` apart; ``is_known`` if somebody says so."""

    table: Table
    column: Column
    is_known: bool

    @cached_property
    def entity(self) -> tuple[str, ...]:
        return entity_words(self.table.name)

    @cached_property
    def stem(self) -> tuple[str, ...]:
        return stem(self.column.name)

    @property
    def is_generic(self) -> bool:
        """Whether its name says that it is a key, but not of what: ``id``, ``code``."""
        return not self.stem

    @property
    def names_entity(self) -> bool:
        """Whether it is called after its table's rows: ``id``, ``customer_id``, ``cust_no``."""
        initial = len(self.entity) == 1 and len(self.stem) == 1 and len(self.stem[0]) == 1
        if initial:
            return self.entity[0].startswith(self.stem[0])
        return self.is_generic or _alike(self.stem, self.entity)


def find(tables: Sequence[Table]) -> Iterator[Guess]:
    """At most one guess for each column: the key that its name fits best, if one fits best."""
    index = _Index([key for table in tables for key in keys(table)])
    for table in tables:
        for column in table.columns:
            if _may_be_key(column):
                best = _best(table, column, index)
                if best is not None:
                    yield Guess(table.name, column.name, best.table.name, best.column.name)


def keys(table: Table) -> tuple[_Key, ...]:
    """The columns that may be the table's key: those said to be, else those called like one.

    A text called like the table's rows (``countries.country``) may be a key of its own.
    """
    entity = entity_words(table.name)
    usable = [each for each in table.columns if _may_be_key(each)]
    known = [each for each in usable if each.unique or table.primary_key == (each.name,)]
    natural = [
        each
        for each in usable
        if each.kind is Kind.TEXT and stem(each.name) == entity and not is_reference(each.name)
    ]
    called = [] if known or table.primary_key else _called_keys(usable, entity)
    found = [_Key(table, each, True) for each in known]
    found += [_Key(table, each, False) for each in (*called, *natural) if each not in known]
    return tuple(found)


def _may_be_key(column: Column) -> bool:
    return column.kind not in _NO_KEYS and not _FRACTION.search(column.type)


def _called_keys(columns: Sequence[Column], entity: tuple[str, ...]) -> list[Column]:
    """The first column called like a key of ``entity``; else the first of all if it is one's."""
    likely = [
        each
        for each in columns
        if is_reference(each.name) and (not stem(each.name) or _alike(stem(each.name), entity))
    ]
    first = [each for each in columns[:1] if is_reference(each.name)]
    return (likely or first)[:1]


class _Index:
    """Keys under the words they may be found by, so that no column is held against all keys."""

    def __init__(self, keys: Sequence[_Key]) -> None:
        self.entities = frozenset(key.entity for key in keys)
        self._scored: dict[tuple[str, Kind], Sequence[tuple[int, _Key]]] = {}
        self._by_word: dict[str, list[_Key]] = {}
        for key in keys:
            for word in {_joined(key.column.name), *key.stem[-1:], *key.entity[-1:]}:
                self._by_word.setdefault(word, []).append(key)
        self._by_initial: dict[str, list[str]] = {}
        for word in self._by_word:
            self._by_initial.setdefault(word[:1], []).append(word)

    def scored(self, column: Column) -> Sequence[tuple[int, _Key]]:
        """The keys that the column's name fits, best first."""
        place = (column.name, column.kind)
        if place not in self._scored:
            near = [key for key in self._near(column.name) if key.column.kind is column.kind]
            scores = [(_score(column, key, self.entities), key) for key in near]
            fitting = [each for each in scores if each[0]]
            self._scored[place] = sorted(fitting, key=lambda each: -each[0])
        return self._scored[place]

    def _near(self, name: str) -> Sequence[_Key]:
        wanted = {_joined(name), *stem(name)[-1:]}
        for last in stem(name)[-1:] if is_reference(name) else ():
            others = self._by_initial.get(last[:1], ())
            wanted.update(w for w in others if short_for(last, w) or short_for(w, last))
        found = {id(key): key for word in wanted for key in self._by_word.get(word, ())}
        return list(found.values())


def _joined(name: str) -> str:
    return "".join(words(name))


def _best(table: Table, column: Column, index: _Index) -> _Key | None:
    """The key that fits best; None where none fits, several do as well, or it is the table's own"""
    others = (each for each in index.scored(column) if each[1].table is not table)
    first = next(others, None)
    second = next(others, None)
    if first is None or (second is not None and second[0] == first[0]):
        return None
    own = stem(column.name) == entity_words(table.name) and is_reference(column.name)
    return None if own and first[0] < _EXACT else first[1]


# The same name as the key, which is called after its table's rows.
_EXACT = 90


def _score(column: Column, key: _Key, entities: frozenset[tuple[str, ...]]) -> int:
    """How well the column's name fits the key (0 to 90); 0 where it does not."""
    own, refers = stem(column.name), is_reference(column.name)
    if _joined(column.name) == _joined(key.column.name) and own:
        if key.names_entity:
            return _EXACT if own == key.entity or len(key.entity) == 1 else _EXACT - 5
        begins = own[: len(key.entity)] == key.entity
        # A known text key of two words (``city_name``) is nobody's common attribute.
        special = refers or (key.is_known and key.column.kind is Kind.TEXT and len(own) > 1)
        return (80 if begins else 70) if special else 0
    if not own or (not key.is_known and not key.names_entity):
        return 0
    foreign = not key.names_entity and (key.stem in entities or not key.is_known)
    # Without an id, a number in the plural counts: ``customers``, ``total_customers``.
    counts = not refers and column.kind is Kind.NUMBER and _is_plural(words(column.name)[-1])
    if own == key.entity and not foreign and not counts:
        return 60 if refers else 50
    if refers and key.names_entity and own[-len(key.entity) :] == key.entity:
        return 45
    if refers and key.stem and own[-len(key.stem) :] == key.stem:
        return 40 if key.names_entity else 35
    if refers and not foreign and _alike(own, key.entity):
        return 30 if len(own) == len(key.entity) else 20
    if not foreign and not counts and own[-len(key.entity) :] == key.entity:
        return 15
    return 0


def _alike(one: tuple[str, ...], other: tuple[str, ...]) -> bool:
    """Whether ``one`` is ``other`` or its end, word for word, abbreviations included."""
    if not one or len(one) > len(other):
        return False
    pairs = zip(one, other[-len(one) :], strict=True)
    return all(a == b or short_for(a, b) or short_for(b, a) for a, b in pairs)
