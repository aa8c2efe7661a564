"""Clauses that say that no condition is wanted, and others that look like them."""

from __future__ import annotations

import pytest

from dbt_t2s.query.included import Said, included
from dbt_t2s.query.text import words

_NAMED = {
    "cancelled": "orders.status",
    "returned": "orders.status",
    "open": "orders.status",
    "French": "customers.country",
    "Austria": "customers.country",
    "blocked": "customers.is_blocked",
    "test orders": "orders.is_test",
}


def hidden(text: str) -> list[str]:
    """The words of ``text`` that are said to need no condition."""
    spoken = words(text)
    said = []
    for name, column in _NAMED.items():
        if name in text:
            start = text.index(name)
            at = [i for i, w in enumerate(spoken) if start <= w.start < start + len(name)]
            said.append(Said(column, at[0], at[-1], ".is_" in column))
    found = included(text, spoken, said)
    return sorted(text[spoken[each.first].start : spoken[each.last].end] for each in found)


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("orders per shop, cancelled ones included", ["cancelled"]),
        ("orders per shop, cancelled ones too?", ["cancelled"]),
        ("orders per shop - cancelled ones as well", ["cancelled"]),
        ("orders per shop (cancelled ones incl.)", ["cancelled"]),
        ("orders per shop, cancelled and returned ones too", ["cancelled", "returned"]),
        ("orders per shop, even the cancelled", ["cancelled"]),
        ("orders per shop including cancelled", ["cancelled"]),
        ("orders per shop incl. cancelled orders", ["cancelled"]),
        ("orders per shop, returned as well", ["returned"]),
        ("orders per shop, cancelled or not", ["cancelled"]),
        ("orders per shop, whether cancelled or not", ["cancelled"]),
        ("customers per city, blocked ones included", ["blocked"]),
        ("customers per city, French ones included", ["French"]),
        ("orders per shop, even test orders", ["test orders"]),
    ],
)
def test_what_is_included_needs_no_condition(text: str, names: list[str]) -> None:
    assert hidden(text) == names


@pytest.mark.parametrize(
    "text",
    [
        "cancelled ones too",
        "open orders, cancelled ones too",
        "orders per shop, cancelled ones not included",
        "orders per shop, not even cancelled ones",
        "orders that aren't even cancelled",
        "sales in Germany, Austria too",
        "sales including Austria",
        "orders including a gift, cancelled",
        "cancelled orders including VAT",
        "cancelled orders, names too",
        "counting cancelled orders",
        "customers with Austria or not",
        "average limit per customer, blocked or not",
        "customers per city, cancelled orders too",
    ],
)
def test_what_may_be_a_condition_stays_one(text: str) -> None:
    assert hidden(text) == []
