"""Follow-ups read as edits: the plan before, changed as the words say."""

from __future__ import annotations

import pytest

from dbt_t2s.model.following import Following
from dbt_t2s.model.linking import Linker
from dbt_t2s.model.schema_index import SchemaIndex
from dbt_t2s.query.linear import from_tokens


def likeliest(index: SchemaIndex, before: str, question: str) -> tuple[str, ...]:
    """The plan of the best reading of ``question`` after the plan ``before``."""
    return readings(index, before, question)[0]


def readings(index: SchemaIndex, before: str, question: str) -> list[tuple[str, ...]]:
    """The plans of all readings, the best first."""
    tokens = (*before.split(), "END")
    plan = from_tokens(tokens)
    assert plan is not None
    linked = Linker(index).link([question], before=[tokens])[0]
    return [each.tokens[:-1] for each in Following(index).read(linked, (plan,))]


@pytest.mark.parametrize(
    ("question", "plan"),
    [
        ("as a share of the revenue", "c:orders.status DIV m:order_count m:revenue"),
        ("in % of our revenue", "c:orders.status DIV m:order_count m:revenue"),
        ("as a share of the total", "c:orders.status SHARE m:order_count"),
        ("in percent", "c:orders.status SHARE m:order_count"),
    ],
)
def test_a_share_is_of_what_is_named_or_of_the_total(
    index: SchemaIndex, question: str, plan: str
) -> None:
    assert " ".join(likeliest(index, "c:orders.status m:order_count", question)) == plan


def test_an_order_by_what_was_measured_is_by_its_share(index: SchemaIndex) -> None:
    before = "c:orders.status m:order_count DESC m:order_count"
    found = likeliest(index, before, "as a percentage of revenue")
    assert (
        " ".join(found)
        == "c:orders.status DIV m:order_count m:revenue DESC DIV m:order_count m:revenue"
    )


@pytest.mark.parametrize("said", ["in place of", "instead of", "rather than"])
def test_a_column_gives_way_to_another(index: SchemaIndex, said: str) -> None:
    before = "c:customers.customer_name c:customers.segment"
    found = readings(index, before, f"the country {said} the segment")
    assert ("c:customers.customer_name", "c:customers.country") in found[:3]
    assert not any("c:customers.segment" in each for each in found[:2])


def test_what_gives_way_is_not_asked_for(index: SchemaIndex) -> None:
    found = readings(index, "c:orders.status m:revenue", "the order count rather than Germany")
    assert found[0] == ("c:orders.status", "m:order_count")
    assert not any("Germany" in " ".join(each) for each in found)


@pytest.mark.parametrize(
    ("question", "values"),
    [
        ("only Germany", ["Germany"]),
        ("only Germany and France", ["France", "Germany"]),
        ("just France, Germany and New Zealand please", ["France", "Germany", "New Zealand"]),
    ],
)
def test_rows_may_have_any_of_several_values(
    index: SchemaIndex, question: str, values: list[str]
) -> None:
    found = likeliest(index, "m:order_count WHERE v:customers.country=Netherlands", question)
    assert found.count("OR") == len(values) - 1
    assert sorted(token.partition("=")[2] for token in found if token[:2] == "v:") == values
