"""Abbreviations in names, written out where the project itself shows what they stand for.

``cust_id`` is also called "customer id" because its label says so, because it is passed on from
``customer_id``, or because it points at customers. What no one shows is left as it is.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from dbt_t2s.project.identifiers import SUFFIXES, folded
from dbt_t2s.project.schema import Column, Join, Table

_SHORTEST = 3

# What makes a longer form of an English word, not a word of which it is short.
_ENDINGS = ("es", "ed", "ing", "ly", "ies", "able", "ish", "ness")

# Words of names, camelCase apart and letters of any script together.
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_NAME_WORD = re.compile(r"[^\W_]+")
_PROSE_WORD = re.compile(r"[^\W\d_]+")


@dataclass(frozen=True)
class Abbreviation:
    """``short`` stands for ``long`` (lower-case words) as the project shows at ``where``.

    ``where`` is a table or a ``table.column``; ``evidence`` is one of label, description, source,
    join and key.
    """

    short: str
    long: str
    where: str
    evidence: str


def written_out(tables: Sequence[Table], joins: Sequence[Join]) -> tuple[Table, ...]:
    """The tables, with names in full words as further synonyms of tables and columns."""
    found = abbreviations(tables, joins)
    anywhere = _sure(found, tables)
    by_place: dict[str, dict[str, set[str]]] = {}
    for each in found:
        by_place.setdefault(each.where, {}).setdefault(each.short, set()).add(each.long)

    def full(name: str, place: str) -> str:
        here = {short: _one(longs) for short, longs in by_place.get(place, {}).items()}
        known = anywhere | {short: long for short, long in here.items() if long}
        spoken = words(name)
        longer = tuple(known.get(word, word) for word in spoken)
        return " ".join(longer) if longer != spoken else ""

    return tuple(
        replace(
            table,
            synonyms=_with(table, full(table.entity, table.name)),
            columns=tuple(
                replace(each, synonyms=_with(each, full(each.name, f"{table.name}.{each.name}")))
                for each in table.columns
            ),
        )
        for table in tables
    )


def abbreviations(tables: Sequence[Table], joins: Sequence[Join]) -> tuple[Abbreviation, ...]:
    """Every short word of a name with the long word that the project shows it to stand for."""
    said = _said(tables)
    found: list[Abbreviation] = []
    for table in tables:
        found += _documented(table.entity, table, table.name, said)
        found += _of_key(table)
        for column in table.columns:
            place = f"{table.name}.{column.name}"
            found += _documented(column.name, column, place, said)
            found += _of_source(column, place)
    entities = {table.name: table.entity for table in tables}
    for join in joins:
        if join.proven and len(join.columns) == 1:
            place, entity = f"{join.table}.{join.columns[0]}", entities[join.to_table]
            found += _aligned(join.columns[0], entity, (place, join.to_table), "join")
    return tuple(dict.fromkeys(found))


@lru_cache(maxsize=65536)
def words(name: str) -> tuple[str, ...]:
    """The lower-case words of an identifier: ``netAmt_eur`` → (net, amt, eur)."""
    return tuple(word.lower() for word in _NAME_WORD.findall(_CAMEL.sub("_", name)))


@lru_cache(maxsize=65536)
def abbreviates(short: str, long: str) -> bool:
    """Whether ``short`` may stand for ``long``: it begins it, or has its letters in order.

    Letters in order hold no vowel but the first (``amt``, ``qty``, ``avg``), or begin the word but
    for the last (``dept``); first and last are shared, a silent e aside. So ``last`` is not short
    for latest, nor ``order`` for ordered, which is a form of it.
    """
    usable = short.isascii() and short.isalpha() and _SHORTEST <= len(short) <= len(long) - 2
    if not usable or folded(short) == folded(long):
        return False
    if long.startswith(short):
        return not long.removeprefix(short).endswith(_ENDINGS)
    cut = len(short) > _SHORTEST and long.startswith(short[:-1])
    ends = short[0] == long[0] and long.removesuffix("e")[-1] == short[-1]
    rest = iter(long)
    return ends and (cut or _no_word(short)) and all(letter in rest for letter in short)


def _documented(
    name: str, thing: Table | Column, place: str, said: frozenset[str]
) -> Iterator[Abbreviation]:
    """What the label, the synonyms and the description say of the words of ``name``.

    A label names the thing as ``name`` does, so that one fitting word suffices. Prose speaks of
    other things too: there the word beside must fit as well, or the short one must look like no
    word and stand nowhere in prose.
    """
    named = words(name)
    label = tuple(word for text in (thing.label, *thing.synonyms) for word in _prose(text))
    prose = _prose(thing.description)
    for at, short in enumerate(named):
        fitting = {word for word in label if abbreviates(short, word)}
        if short not in label and _one(fitting):
            yield Abbreviation(short, _one(fitting), place, "label")
        fitting = {
            long
            for index, long in enumerate(prose)
            if abbreviates(short, long)
            and (_beside(named, at, prose, index) or (short not in said and _no_word(short)))
        }
        if short not in prose and _one(fitting):
            yield Abbreviation(short, _one(fitting), place, "description")


def _beside(named: Sequence[str], at: int, prose: Sequence[str], index: int) -> bool:
    """Whether the word before or after says the same in the name and in the prose."""
    return any(
        0 <= at + step < len(named)
        and 0 <= index + step < len(prose)
        and _same(named[at + step], prose[index + step])
        for step in (-1, 1)
    )


def _same(one: str, other: str) -> bool:
    return one == other or folded(one) == folded(other) or abbreviates(one, other)


def _no_word(short: str) -> bool:
    """Whether no vowel follows the first letter, as hardly in any word of a language."""
    return not set(short[1:]) & set("aeiou")


def _of_source(column: Column, place: str) -> Iterator[Abbreviation]:
    """What a renamed column was called before, word for word."""
    if len(column.sources) != 1 or column.expression:
        return
    now, before = words(column.name), words(column.sources[0].rpartition(".")[2])
    if len(now) != len(before):
        return
    pairs = [(a, b) for a, b in zip(now, before, strict=True) if a != b]
    if all(abbreviates(a, b) or abbreviates(b, a) for a, b in pairs):
        for a, b in pairs:
            yield Abbreviation(min(a, b, key=len), max(a, b, key=len), place, "source")


def _of_key(table: Table) -> Iterator[Abbreviation]:
    if len(table.primary_key) == 1:
        key = table.primary_key[0]
        yield from _aligned(key, table.entity, (f"{table.name}.{key}", table.name), "key")


def _aligned(
    key: str, entity: str, places: tuple[str, str], evidence: str
) -> Iterator[Abbreviation]:
    """What a key's name and that of the rows it tells apart say of each other, from their ends.

    ``places`` are the key's and the table's; the one with the short word is where it is shown.
    """
    ours, theirs = _stem(key), _stem(entity)
    pairs = list(zip(reversed(ours), reversed(theirs), strict=False))
    if not all(_same(a, b) or abbreviates(b, a) for a, b in pairs):
        return
    for a, b in pairs:
        if abbreviates(a, b):
            yield Abbreviation(a, b, places[0], evidence)
        elif abbreviates(b, a):
            yield Abbreviation(b, a, places[1], evidence)


def _stem(name: str) -> tuple[str, ...]:
    found = words(name)
    while len(found) > 1 and found[-1] in SUFFIXES:
        found = found[:-1]
    return found


def _sure(found: Sequence[Abbreviation], tables: Sequence[Table]) -> dict[str, str]:
    """The abbreviations that mean the same wherever they stand.

    Nobody writes the short word as one of the language, nothing shows another meaning, and no
    other word in the names of the project could be meant (``inv`` beside invoices and inventory).
    """
    said = _said(tables)
    shown: dict[str, set[str]] = {}
    for each in found:
        shown.setdefault(each.short, set()).add(each.long)
    by_initial: dict[str, set[str]] = {}
    for word in _named(tables):
        by_initial.setdefault(word[:1], set()).add(word)
    sure: dict[str, str] = {}
    for short, longs in shown.items():
        others = {word for word in by_initial.get(short[0], ()) if abbreviates(short, word)}
        if short not in said and _one(longs | others):
            sure[short] = _one(longs)
    return sure


def _said(tables: Sequence[Table]) -> frozenset[str]:
    """The words of the project's prose."""
    columns = (each.description for table in tables for each in table.columns)
    texts = (*(table.description for table in tables), *columns)
    return frozenset(word for text in texts for word in _prose(text))


def _named(tables: Sequence[Table]) -> Iterator[str]:
    for table in tables:
        for name in (table.name, table.entity, table.label):
            yield from words(name)
        for column in table.columns:
            yield from words(column.name)
            yield from words(column.label)


def _one(longs: set[str]) -> str:
    """The one word that these are, the shortest of its forms; empty where they are several."""
    if len({folded(each) for each in longs}) != 1:
        return ""
    return min(longs, key=lambda each: (len(each), each))


def _with(thing: Table | Column, full: str) -> tuple[str, ...]:
    known = {each.replace("_", " ").strip().lower() for each in (thing.label, *thing.synonyms)}
    known |= {"", thing.name.replace("_", " ").lower()}
    return thing.synonyms if full in known else (*thing.synonyms, full)


def _prose(text: str) -> tuple[str, ...]:
    return tuple(word.lower() for word in _PROSE_WORD.findall(text))
