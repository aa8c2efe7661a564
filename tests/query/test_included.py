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
    "closed": "shops.closed_on",
}
_NOUNS = {
    "orders": frozenset(("order", "purchas")),
    "customers": frozenset(("custom", "buyer")),
    "shops": frozenset(("shop", "store")),
}


def _is_flag(column: str) -> bool:
    return ".is_" in column or column.endswith("_on")


def hidden(text: str) -> list[str]:
    """The words of ``text`` that are said to need no condition."""
    spoken = words(text)
    said = []
    for name, column in _NAMED.items():
        if name in text:
            start = text.index(name)
            at = [i for i, w in enumerate(spoken) if start <= w.start < start + len(name)]
            said.append(Said(column, at[0], at[-1], _is_flag(column), _NOUNS[column.split(".")[0]]))
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
        ("area per store, closed shops included", ["closed"]),
        ("area per shop, even closed ones", ["closed"]),
        ("purchases per shop, cancelled orders included", ["cancelled"]),
        ("which shops have orders, counting the cancelled stuff too?", ["cancelled"]),
        ("customers per city, counting in the blocked ones as well", ["blocked"]),
        ("customers, blocked ones too, with more than one order", ["blocked"]),
        ("orders (cancelled ones included) per shop", ["cancelled"]),
        ("orders including cancelled and returned ones, per shop", ["cancelled", "returned"]),
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
        "counting cancelled ones too",
        "area per store, closed on Monday too",
        "shops counting cancelled orders",
        "orders per shop, cancelled gifts too",
        "customers with Austria or not",
        "orders, cancelled ones too, and open ones per shop",
        "orders, returned ones, too many of them, per shop",
        "average limit per customer, blocked or not",
        "customers per city, cancelled orders too",
    ],
)
def test_what_may_be_a_condition_stays_one(text: str) -> None:
    assert hidden(text) == []
