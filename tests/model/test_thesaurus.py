"""Items meant by words that are not in their names."""

from __future__ import annotations

from dbt_t2s.model.linking import Linker
from dbt_t2s.model.schema_index import SchemaIndex
from dbt_t2s.model.wants import asks_for
from dbt_t2s.query.text import words


def meant(index: SchemaIndex, question: str, word: str, token: str) -> float:
    spoken = words(question)
    at = [w.text for w in spoken].index(word)
    return float(index.thesaurus.meant(spoken)[at, index.place[token]])


def test_everyday_words_point_at_names(index: SchemaIndex) -> None:
    assert meant(index, "which nation buys most", "nation", "c:customers.country") > 0.6
    assert meant(index, "which nation buys most", "nation", "c:orders.channel") == 0


def test_what_the_schema_calls_so_is_said_for_nothing_else(index: SchemaIndex) -> None:
    """The customers are called clients here."""
    assert not index.thesaurus.meant(words("clients")).any()


def test_the_network_sees_them_as_meanings(index: SchemaIndex) -> None:
    (linked,) = Linker(index).link(["which nation buys most"])
    place = [item.token for item in linked.items].index("c:customers.country")
    assert linked.word_item[1, place, 3] > 0.6


def test_the_same_is_asked_for_in_everyday_words(index: SchemaIndex) -> None:
    linker = Linker(index)

    def wants_the_same(one: str, other: str) -> bool:
        first, second = map(asks_for, linker.link([one, other]))
        return first.is_same(second)

    assert wants_the_same("revenue by country", "revenue by nation")
    assert not wants_the_same("revenue by country", "revenue by segment")
    assert not wants_the_same("revenue by country", "revenue by country, sorted")
    assert not wants_the_same("customers from France", "orders from France")
