"""How well a column's name fits a key: the scale, what may be a key, and where on it they stand."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from functools import cached_property

from dbt_t2s.project.identifiers import (
    entity_words,
    folded,
    glued_entity,
    glued_stem,
    head,
    is_plural,
    is_reference,
    joined,
    short_for,
    stem,
    words,
)
from dbt_t2s.project.kindred import is_role, kin
from dbt_t2s.project.schema import Column, Kind, Table

# Types whose equality says nothing about rows; a day does where a table has one row for each.
_NO_KEYS = (Kind.DATE, Kind.TIMESTAMP, Kind.BOOLEAN, Kind.OTHER)
_CALENDAR = frozenset(map(folded, ("calendar", "date", "day")))
_FRACTION = re.compile(r"^(float|double|real|money)|,\s*[1-9]\d*\)", re.IGNORECASE)
# Columns that tell a person which row it is.
_LABELS = frozenset(map(folded, ("name", "title", "label")))
# First or last words of tables that only link the rows of others.
_BRIDGES = frozenset(map(folded, ("bridge", "link", "map", "mapping", "xref", "crosswalk")))
# What they come before is an attribute: an email address is no row of addresses.
_ATTRIBUTES = frozenset(("email", "mail", "ip", "mac", "web"))


class Fit(IntEnum):
    """How well a column's name fits a key, the best last."""

    NONE = 0
    DAY = 5  # any date, and the day of a calendar
    KIN = 10  # manager_id, and employees: a noun that may name the same rows
    LAST = 12  # maker, and car_makers
    HEAD = 15  # member_in_charge_id, and members; home_city, and cities, where no id is said
    SHORT_END = 20  # main_cust_id, and customers
    SHORT = 30  # cust_id, and customers
    KEY_END = 35  # billing_cust_no, and a key cust_no that is not called after its table
    OWN_KEY_END = 40  # the same, and it is
    END = 45  # billing_customer_id, and customers
    NOUN = 50  # customer, and customers
    SAME_NAME = 70  # a key of the same name, not called after its table
    SAME_START = 80  # the same, but beginning like it
    SAME_PART = 85  # a key of the same name, called after the last words of its table
    ENTITY = 88  # customer_id, and customers
    EXACT = 90  # the same name as the key, which is called after its table


@dataclass(frozen=True)
class Key:
    """A column that may tell the rows of ``table`` apart; ``is_known`` if somebody says so."""

    table: Table
    column: Column
    is_known: bool

    @cached_property
    def entity(self) -> tuple[str, ...]:
        return entity_words(self.table.name)

    @cached_property
    def glued_entity(self) -> str:
        return glued_entity(self.table.name)

    @cached_property
    def stem(self) -> tuple[str, ...]:
        return stem(self.column.name)

    @cached_property
    def names_entity(self) -> bool:
        """Whether it is called after its table's rows: ``id``, ``customer_id``, ``cust_no``."""
        return _names(self.stem, self.entity)

    @cached_property
    def describes(self) -> bool:
        """Whether its table says to a person which row is which: it has a name or a title."""
        labels = any(_LABELS & {*stem(each.name)[-1:]} for each in self.table.columns)
        return labels and (self.is_known or self.names_entity)


@dataclass(frozen=True)
class Said:
    """What the names of all tables say: ``entities`` have a table, ``references`` (a stem and a
    kind) have a column that is called like a key of them."""

    entities: frozenset[tuple[str, ...]]
    references: frozenset[tuple[tuple[str, ...], Kind]]

    def refers(self, column: Column) -> bool:
        """Whether it is called like a key, or another column is that says the same (``band``)."""
        if is_reference(column.name):
            return True
        own = stem(column.name)
        return bool(own) and (own, column.kind) in self.references and not _counts(column)


def keys(table: Table) -> tuple[Key, ...]:
    """The columns that may be the table's key: those said to be, else those called like one.

    A text called like the table's rows (``countries.country``) may be a key of its own, and so
    may the day of a calendar.
    """
    entity = entity_words(table.name)
    is_calendar = bool(entity) and _CALENDAR.issuperset(entity)
    days = [each for each in table.columns if each.kind is Kind.DATE][:is_calendar]
    usable = [each for each in table.columns if may_be_key(each)]
    known = [each for each in usable if each.unique or table.primary_key == (each.name,)]
    natural = [each for each in usable if _is_natural_key(each, entity)]
    if _BRIDGES & {*entity[:1], *entity[-1:]}:
        usable = known  # what a bridge holds are others' keys
    # Beside a surrogate key there may be the one that the business uses.
    called = [each for each in usable if is_reference(each.name) and stem(each.name) == entity]
    if not known and not table.primary_key:
        called = [*_called_keys(usable, entity), *called]
    unknown = dict.fromkeys(each for each in (*called, *natural, *days) if each not in known)
    return (
        *(Key(table, each, True) for each in known),
        *(Key(table, each, False) for each in unknown),
    )


def may_be_key(column: Column) -> bool:
    return column.kind not in _NO_KEYS and not _FRACTION.search(column.type)


def _is_natural_key(column: Column, entity: tuple[str, ...]) -> bool:
    own = stem(column.name)
    called = len(own) == len(entity) and _alike(own, entity) and not _LABELS & {*own}
    return called and column.kind is Kind.TEXT and not is_reference(column.name)


def _called_keys(columns: Sequence[Column], entity: tuple[str, ...]) -> list[Column]:
    """The first column called like a key of ``entity``; else the first of all if it is one's."""
    references = [each for each in columns if is_reference(each.name)]
    likely = [each for each in references if not stem(each.name) or _alike(stem(each.name), entity)]
    initial = [each for each in references if _names(stem(each.name), entity)]
    return (likely or initial or list(columns))[:1]


def _names(own: tuple[str, ...], entity: tuple[str, ...]) -> bool:
    """Whether a key's stem names the entity: not at all (``id``), by its initial or its words."""
    if len(own) == len(entity) == 1 and len(own[0]) == 1:
        return entity[0].startswith(own[0])
    return not own or _alike(own, entity)


def _counts(column: Column) -> bool:
    """Whether a number in the plural counts rows: ``customers``, ``total_customers``."""
    return column.kind is Kind.NUMBER and is_plural(words(column.name)[-1])


def fit(column: Column, key: Key, said: Said) -> Fit:
    own = stem(column.name)
    if column.kind is Kind.DATE:
        return Fit.DAY
    if own and glued_stem(column.name) == key.glued_entity:
        own = key.entity
    if joined(column.name) == joined(key.column.name) and own:
        return _same_named(column, key)
    if not own or (not key.is_known and not key.names_entity and own != key.entity):
        return Fit.NONE
    if said.refers(column):
        return _referring(own, key, said.entities)
    # A rate (``fee_per_ticket``, ``seconds_on_page``) is of something else than it ends with.
    is_attribute = _counts(column) or head(own) != own or _ATTRIBUTES & {*own[:-1]}
    if is_attribute or _is_foreign(key, said.entities):
        return Fit.NONE
    if column.kind is Kind.TEXT and _plays_a_role(own, key):
        return Fit.KEY_END
    if own == key.entity:
        return Fit.NOUN
    if _ends(own, key.entity):
        return Fit.HEAD
    if key.is_known and own == key.entity[-1:]:
        return Fit.LAST
    # Under a person's role without an id, a text is a name.
    return Fit.KIN if column.kind is Kind.NUMBER and _is_kin(own, key, role=True) else Fit.NONE


def _same_named(column: Column, key: Key) -> Fit:
    own = stem(column.name)
    if column.kind is Kind.NUMBER and not key.is_known and not is_reference(column.name):
        return Fit.NONE  # a measure that two tables have, as ``store_count``
    if key.names_entity:
        return Fit.EXACT if own == key.entity or len(key.entity) == 1 else Fit.SAME_PART
    # What is one table's text key (``tail_no``, ``carrier``) is elsewhere no common attribute.
    special = key.is_known and key.column.kind is Kind.TEXT
    special = special and (len(own) > 1 or own[0] not in _LABELS)
    if not special and not is_reference(column.name):
        return Fit.NONE
    if own[: len(key.entity)] == key.entity:
        return Fit.SAME_START
    return Fit.SAME_NAME if key.is_known else Fit.KEY_END


def _referring(own: tuple[str, ...], key: Key, entities: frozenset[tuple[str, ...]]) -> Fit:
    """How ``own``, what a reference says, fits a key of another name."""
    foreign = _is_foreign(key, entities)
    if own == key.entity and not foreign:
        return Fit.ENTITY
    if key.names_entity and _ends(own, key.entity):
        return Fit.END
    if key.stem and _ends(own, key.stem):
        return Fit.OWN_KEY_END if key.names_entity else Fit.KEY_END
    if foreign:
        return Fit.NONE
    if own[-1:] not in entities and _alike(own, key.entity):
        return Fit.SHORT if len(own) == len(key.entity) else Fit.SHORT_END
    if own[-1:] not in entities and short_for(own[-1], key.entity[-1]):
        return Fit.SHORT_END
    if _ends(own, key.entity) or _ends(head(own), key.entity):
        return Fit.HEAD
    return Fit.KIN if _is_kin(own, key) else Fit.NONE


def _is_foreign(key: Key, entities: frozenset[tuple[str, ...]]) -> bool:
    """Whether it names the rows of another table than its own."""
    return not key.names_entity and key.stem in entities


def _is_kin(own: tuple[str, ...], key: Key, role: bool = False) -> bool:
    last = own[-1]
    return (
        key.entity[-1:] != (last,)
        and len(key.entity) == 1
        and (key.entity[0] in kin(last) and (is_role(last) or not role))
    )


def _plays_a_role(own: tuple[str, ...], key: Key) -> bool:
    """Whether ``own`` is a known key's name with a word before it: reporter_iso3, and iso3."""
    is_natural = key.is_known and not is_reference(key.column.name) and key.stem
    longer = len(own) > len(key.stem) and _ends(own, key.stem)
    return bool(is_natural) and longer and not _LABELS & {key.stem[-1]}


def _ends(own: tuple[str, ...], with_words: tuple[str, ...]) -> bool:
    return own[-len(with_words) :] == with_words


def _alike(one: tuple[str, ...], other: tuple[str, ...]) -> bool:
    """Whether ``one`` is ``other`` or its end, word for word, abbreviations included."""
    if not one or len(one) > len(other):
        return False
    pairs = zip(one, other[-len(one) :], strict=True)
    return all(a == b or short_for(a, b) or short_for(b, a) for a, b in pairs)
