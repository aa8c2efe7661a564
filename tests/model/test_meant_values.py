"""Values that a question means in words of its own are candidates, marked as meant, not said."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from dbt_t2s.model.linking import Linked, Linker
from dbt_t2s.model.meant_values import MOST_MEANT, told_values
from dbt_t2s.model.schema_index import SchemaIndex
from dbt_t2s.query.text import words
from tests.model.shop_schema import COUNTRIES, category, key, one_table, shop_schema

MENTION, MEANING = 2, 3


@pytest.fixture(scope="module")
def linker(index: SchemaIndex) -> Linker:
    return Linker(index)


def values_of(linked: Linked) -> list[str]:
    return [item.token for item in linked.items if item.sort == "v"]


@pytest.mark.parametrize(
    ("question", "meant"),
    [
        ("how many purchases were sent back", "v:orders.status=returned"),
        ("how many purchases arrived at the client's door", "v:orders.status=delivered"),
        ("how many purchases were made online", "v:orders.channel=web"),
        ("how many clients are there in Deutschland", "v:customers.country=Germany"),
    ],
)
def test_a_value_that_no_word_names_is_a_candidate(
    linker: Linker, question: str, meant: str
) -> None:
    (linked,) = linker.link([question])
    assert meant in values_of(linked)
    assert len(values_of(linked)) <= MOST_MEANT
    at = [item.token for item in linked.items].index(meant)
    assert linked.word_item[:, at, MEANING].max() > 0.2
    assert linked.word_item[:, at, MENTION].max() == 0


def test_words_that_name_a_value_mean_no_other(linker: Linker) -> None:
    (linked,) = linker.link(["how many purchases were returned"])
    spoken = [word.text for word in words(linked.text)]
    tokens = [item.token for item in linked.items]
    named = tokens.index("v:orders.status=returned")
    assert linked.word_item[spoken.index("returned"), named, MENTION] == 1
    others = [tokens.index(token) for token in values_of(linked) if tokens.index(token) != named]
    assert others and linked.word_item[spoken.index("returned"), others, MEANING].max() == 0


def test_a_value_that_the_plan_needs_is_a_candidate_however_far(linker: Linker) -> None:
    gold = ("v:customers.country=New Zealand",)
    question = "how many purchases were sent back"
    without, with_it = (linker.link([question], [gold_of])[0] for gold_of in ((), gold))
    assert gold[0] not in values_of(without) and gold[0] in values_of(with_it)


def test_a_question_without_words_of_content_means_no_value(linker: Linker) -> None:
    (linked,) = linker.link(["what is it"])
    assert values_of(linked) == []


def test_kinds_are_told_and_names_are_not() -> None:
    shop = one_table(
        key("order_id"),
        replace(category("state", ("on_its_way", "sent_back")), description="Where it is. More."),
        category("city", tuple(f"town {n}" for n in range(41))),
        category("only", ("one",)),
    )
    told = {
        each.token.rpartition("=")[2]: (each.name, each.described) for each in told_values(shop)
    }
    assert told == {
        "on_its_way": ("on its way", "Where it is: on its way"),
        "sent_back": ("sent back", "Where it is: sent back"),
    }


def test_nothing_is_told_twice_by_a_table_that_repeats_another(index: SchemaIndex) -> None:
    tokens = [each.token for each in told_values(shop_schema())]
    assert len(tokens) == len(set(tokens))
    assert [t for t in tokens if "country" in t] == [f"v:customers.country={c}" for c in COUNTRIES]
    assert index.meant_values.tokens == tuple(tokens)


def test_of_no_run_of_words_nothing_is_meant(index: SchemaIndex) -> None:
    nothing = torch.zeros((0, 384))
    assert index.meant_values.nearest([], nothing, torch.zeros(384), set(), set()) == []
