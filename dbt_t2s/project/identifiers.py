"""What the words of an identifier say: which rows it names, and whether it refers to them."""

from __future__ import annotations

import re
from functools import lru_cache

# Last words that make a column a reference to rows; first words that say what layer a table is of.
SUFFIXES = frozenset("id ids key code cd no num number nr uuid guid sk fk pk".split())
_LAYERS = frozenset(("dim", "fct", "fact", "mart", "tbl", "table", "ref", "raw", "stg", "int", "v"))
_KINDS = frozenset(("dim", "fct", "fact"))
# Last words of a table's name that say nothing of its rows.
_FILLERS = frozenset(
    ("header", "master", "info", "information", "data", "profile", "record", "list")
)
# Words of keys that name no rows: ``row_id``.
_ROWS = frozenset(("row", "surrogate"))
# Words that make a column a reference wherever they stand: ``id_customer``, ``club_id_winner``.
_PREFIXES = frozenset(("id", "fk", "sk", "pk", "uuid", "guid"))
_IRREGULAR = {"people": "person", "children": "child", "men": "man", "women": "woman"}

# camelCase, snake_case and digits apart; a run of capitals is a word (``StuID``).
_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[^\W\d_a-zA-Z]+|\d+")
# A suffix written onto its word: ``custid``, ``dno``.
_GLUED = re.compile(r"(?<=.)(id|no|num|number|key|code)$")
_SHORTEST_ABBREVIATION = 3

# The noun stands before these: the member of ``member_in_charge``, the city of ``city_of_birth``.
_PREPOSITIONS = frozenset(("in", "of", "at", "from", "for", "on", "per", "to", "with"))


@lru_cache(maxsize=65536)
def words(name: str) -> tuple[str, ...]:
    """The lower-case words of an identifier: ``StuID`` and ``stu_id`` → (stu, id)."""
    return tuple(word.lower() for word in _WORD.findall(name))


def joined(name: str) -> str:
    """The words of an identifier as one: ``StuID`` and ``stu_id`` → stuid."""
    return "".join(words(name))


@lru_cache(maxsize=65536)
def folded(word: str) -> str:
    """What singular and plural of an English word share: city, cities → citi; not for reading."""
    word = _IRREGULAR.get(word, word)
    for ending, instead in (("ies", "i"), ("ie", "i"), ("y", "i"), ("es", ""), ("e", "")):
        if word.endswith(ending) and len(word) > len(ending) + 1:
            return word.removesuffix(ending) + instead
    if word.endswith("s") and not word.endswith(("ss", "us", "is")) and len(word) > 2:
        word = word[:-1]
        return word[:-1] + "i" if word.endswith("y") else word
    return word


def is_plural(word: str) -> bool:
    """Whether the word looks like an English plural."""
    return word.endswith("s") and folded(word) != word


@lru_cache(maxsize=65536)
def stem(name: str) -> tuple[str, ...]:
    """What a key's name names: its words, folded, without ``id`` and the like."""
    return tuple(folded(word) for word in _stem(name))


def _stem(name: str) -> tuple[str, ...]:
    whole = _referring(words(name))
    found = whole
    while found and (found[-1] in SUFFIXES or (found != whole and found[-1] in _ROWS)):
        found = found[:-1]
    if len(found) == len(whole) and found:
        found = (*found[:-1], _GLUED.sub("", found[-1]))
    return found


@lru_cache(maxsize=65536)
def glued_stem(name: str) -> str:
    """The words of a key's stem as one: ``sales_order_id`` and ``salesorderid`` → salesorder."""
    return folded("".join(_stem(name)))


def head(found: tuple[str, ...]) -> tuple[str, ...]:
    """The words of a stem that name its noun: (member, in, charge) → (member,)."""
    for index, word in enumerate(found[1:], start=1):
        if word in _PREPOSITIONS:
            return found[:index]
    return found


def _referring(found: tuple[str, ...]) -> tuple[str, ...]:
    """With the word that makes it a reference at its end, and what tells references apart cut:
    ``id_customer`` → (customer, id), ``club_id_1`` and ``club_id_winner`` → (club, id)."""
    if len(found) > 1 and found[0] in _PREFIXES and found[-1] not in SUFFIXES:
        return (*found[1:], found[0])
    if len(found) > 2 and found[-2] in (SUFFIXES if found[-1].isdecimal() else _PREFIXES):
        return found[:-1] if found[-1] not in SUFFIXES else found
    return found


def spoken(name: str) -> str:
    """A key's name as a person says it: ``billing_address_id`` → billing address."""
    found = words(name)
    while len(found) > 1 and found[-1] in SUFFIXES:
        found = found[:-1]
    return " ".join(found)


@lru_cache(maxsize=65536)
def is_reference(name: str) -> bool:
    """Whether the name ends as keys do: ``customer_id``, ``CRS_CODE``, ``custid``."""
    last = _referring(words(name))[-1:]
    return bool(last) and (last[0] in SUFFIXES or bool(_GLUED.search(last[0])))


@lru_cache(maxsize=65536)
def entity_words(table_name: str) -> tuple[str, ...]:
    """What one row is, in folded words: ``dim_customers`` → (customer,)."""
    return tuple(folded(word) for word in _entity(table_name))


def _entity(table_name: str) -> tuple[str, ...]:
    found = words(table_name)
    while len(found) > 1 and found[0] in _LAYERS:
        found = found[1:]
    while len(found) > 1 and (
        found[-1] in SUFFIXES | _KINDS or found[-1].removesuffix("s") in _FILLERS
    ):
        found = found[:-1]
    return found


@lru_cache(maxsize=65536)
def glued_entity(table_name: str) -> str:
    """The words of a table's entity as one: ``sales_orders`` → salesorder."""
    return folded("".join(_entity(table_name)))


def short_for(short: str, long: str) -> bool:
    """Whether ``short`` abbreviates ``long``: its letters in order, the first one shared."""
    if len(short) < _SHORTEST_ABBREVIATION or len(short) >= len(long) or short[0] != long[0]:
        return False
    rest = iter(long)
    return all(letter in rest for letter in short)
