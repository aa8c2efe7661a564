"""Rules that a question names in full."""

from __future__ import annotations

from dataclasses import replace

import pytest

from dbt_t2s.project.schema import ProjectSchema, Rule
from dbt_t2s.query.linear import from_tokens, to_tokens
from dbt_t2s.query.said_rules import by_rule
from tests.query.shop import shop_schema

_DONE = "v:orders.status=completed"


def schema_with(predicate: str, name: str = "good_order") -> ProjectSchema:
    schema = shop_schema()
    rule = Rule(name, "A good order.", "orders", predicate, synonyms=("order that counts",))
    return replace(schema, rules=(*schema.rules, rule))


def put_right(tokens: str, text: str, schema: ProjectSchema) -> str:
    plan = from_tokens(tokens.split())
    assert plan is not None
    return " ".join(to_tokens(by_rule(plan, text, schema)))


@pytest.mark.parametrize(
    ("tokens", "text"),
    [
        (f"COUNT t:orders WHERE {_DONE} END", "how many good orders"),
        (f"COUNT t:orders WHERE {_DONE} END", "number of orders that count"),
        (f"COUNT t:customers WHERE HAS t:orders {_DONE} CLOSE END", "customers with a good order"),
        (f"COUNT t:customers WHERE NOT HAS t:orders {_DONE} CLOSE END", "without good orders"),
    ],
)
def test_the_rule_is_meant(tokens: str, text: str) -> None:
    schema = schema_with("status = 'completed' and amount > 10")
    assert put_right(tokens, text, schema) == tokens.replace(_DONE, "r:good_order")
    wanted = schema_with("status in ('completed', 'returned')")
    assert put_right(tokens, text, wanted) == tokens.replace(_DONE, "r:good_order")


@pytest.mark.parametrize(
    ("predicate", "text"),
    [
        ("status = 'completed' and amount > 10", "how many completed orders"),
        ("status = 'completed' and amount > 10", "orders, good ones"),
        ("status <> 'completed'", "how many good orders"),
        ("status not in ('completed')", "how many good orders"),
        ("amount > 10", "how many good orders"),
        ("status = ", "how many good orders"),
    ],
)
def test_all_else_stays(predicate: str, text: str) -> None:
    tokens = f"COUNT t:orders WHERE {_DONE} END"
    assert put_right(tokens, text, schema_with(predicate)) == tokens
