"""Plans that a conversation may go back to, and those one step from the last one."""

from __future__ import annotations

import pytest

from dbt_t2s.model.neighbours import neighbours
from dbt_t2s.model.reverting import reverted
from dbt_t2s.query.linear import from_tokens, to_tokens
from dbt_t2s.query.plan import Col, Plan, Value
from tests.model.shop_schema import shop_schema

TABLES = {table.name: table for table in shop_schema().tables}
NAMES = Col("customers", "customer_name")


def plan(text: str) -> Plan:
    found = from_tokens(tuple(text.split()))
    assert found is not None
    return found


def told(plans: tuple[Plan, ...]) -> set[str]:
    return {" ".join(to_tokens(each)) for each in plans}


WEB = "c:customers.country m:revenue WHERE v:orders.channel=web END"
ALL = "c:customers.country m:revenue END"


@pytest.mark.parametrize(
    ("history", "wanted"),
    [
        ((ALL, WEB), ALL),
        ((WEB, "c:customers.segment m:revenue WHERE v:orders.channel=web END"), WEB),
        ((WEB,), ALL),
        ((WEB,), "m:revenue WHERE v:orders.channel=web END"),
        (("c:customers.country SHARE m:revenue END",), ALL),
        (("c:customers.country m:revenue DESC m:revenue LIMIT n:5 END",), ALL),
        (("c:customers.country m:revenue COUNT t:orders END",), ALL),
        (
            ("c:customers.country RATE v:orders.status=returned END",),
            "c:customers.country COUNT t:orders WHERE v:orders.status=returned END",
        ),
        (
            ("m:revenue WHERE d:2024-01-01/2025-01-01 END", "m:revenue WHERE d:2025-01-01/ END"),
            "m:revenue WHERE d:2024-01-01/2025-01-01 END",
        ),
        (  # what was dropped on the way comes back beside what is there now
            (WEB, ALL, "c:customers.segment m:revenue END"),
            "c:customers.segment m:revenue WHERE v:orders.channel=web END",
        ),
    ],
)
def test_what_was_there_comes_back(history: tuple[str, ...], wanted: str) -> None:
    assert wanted in told(reverted([plan(each) for each in history], "orders"))


def test_the_last_plan_itself_is_nothing_to_go_back_to() -> None:
    assert WEB not in told(reverted([plan(WEB), plan(ALL), plan(WEB)], "orders"))


@pytest.mark.parametrize(
    ("last", "wanted"),
    [
        (WEB, "c:customers.country m:revenue WHERE NOT v:orders.channel=web END"),
        (WEB, "c:customers.customer_name WHERE v:orders.channel=web END"),
        (ALL, "c:customers.country m:revenue ASC m:revenue END"),
        (ALL, "c:customers.country SHARE m:revenue END"),
        (ALL, "c:customers.country m:revenue WHERE NOT v:orders.status=returned END"),
        ("MONTH TIME m:revenue END", "MONTH TIME RUNNING m:revenue END"),
        ("MONTH TIME m:revenue END", "MONTH TIME CHANGE m:revenue END"),
        (
            "c:customers.country m:revenue COUNT t:orders END",
            "c:customers.country DIV m:revenue COUNT t:orders END",
        ),
        ("c:products.product_name c:products.list_price END", "SUM c:products.list_price END"),
        (
            "c:products.product_name c:products.list_price END",
            "c:products.product_name c:products.list_price DESC c:products.list_price END",
        ),
        (
            "c:customers.country m:revenue DESC m:revenue LIMIT n:5 END",
            "c:customers.country m:revenue ASC m:revenue LIMIT n:5 END",
        ),
    ],
)
def test_plans_one_step_away(last: str, wanted: str) -> None:
    said = [Value("orders", "status", "returned")]
    found = told(neighbours(plan(last), "orders", NAMES, TABLES, said))
    assert wanted in found and last not in found


def test_keys_are_neither_summed_nor_ordered_by() -> None:
    found = told(neighbours(plan("c:orders.order_id END"), "orders", None, TABLES, []))
    assert found == {"COUNT t:orders END"}
