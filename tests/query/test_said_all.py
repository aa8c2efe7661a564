"""All of something lifts what it was narrowed to before."""

from __future__ import annotations

import pytest

from dbt_t2s.query.linear import from_tokens, to_tokens
from dbt_t2s.query.plan import Plan
from dbt_t2s.query.said_all import all_of
from tests.query.shop import shop_schema


def plan(tokens: str) -> Plan:
    made = from_tokens(tokens.split())
    assert made is not None
    return made


def lifted(tokens: str, text: str, last: str = "") -> str:
    made = plan(tokens)
    before = plan(last) if last else made
    return " ".join(to_tokens(all_of(made, before, text, shop_schema())))


def test_a_value_is_lifted_by_its_columns_name() -> None:
    narrowed = "COUNT t:orders WHERE v:orders.status=completed d:2026-01-01/2026-02-01 END"
    freed = "COUNT t:orders WHERE d:2026-01-01/2026-02-01 END"
    assert lifted(narrowed, "all statuses again") == freed
    assert lifted(narrowed, "every status, please") == freed
    assert lifted(narrowed, "all countries again") == narrowed


def test_a_value_is_lifted_by_its_tables_name_where_that_is_not_shown() -> None:
    narrowed = "m:revenue WHERE v:customers.country=DE END"
    assert lifted(narrowed, "put all the customers side by side") == "m:revenue END"
    shown = "c:customers.customer_name m:revenue WHERE v:customers.country=DE END"
    assert lifted(shown, "all the customers there") == shown


def test_what_is_new_stays() -> None:
    last = "COUNT t:orders END"
    new = "COUNT t:orders WHERE v:orders.status=completed END"
    assert lifted(new, "completed, of all statuses", last) == new


@pytest.mark.parametrize("text", ["now all the customers", "every customer name"])
def test_the_limit_is_lifted_where_groups_are_asked_for(text: str) -> None:
    best = "c:customers.customer_name m:revenue DESC m:revenue LIMIT n:3 END"
    assert lifted(best, text) == "c:customers.customer_name m:revenue DESC m:revenue END"


@pytest.mark.parametrize("text", ["all statuses", "top 3 of all customers", "how many orders"])
def test_the_limit_stays_otherwise(text: str) -> None:
    best = "c:customers.customer_name m:revenue DESC m:revenue LIMIT n:3 END"
    assert lifted(best, text) == best
    per = "c:customers.customer_name m:revenue DESC m:revenue LIMIT ONE PER c:customers.country END"
    assert lifted(per, "in all customers") == per
