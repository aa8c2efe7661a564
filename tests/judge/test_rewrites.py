"""Rewrites are made where their law holds alone, and no instance tells one from its query."""

from __future__ import annotations

from pathlib import Path

import pytest

from dbt_t2s import sql as language
from dbt_t2s.judge.instances import make_instances
from dbt_t2s.judge.rewrites import rewrites
from dbt_t2s.judge.truth import same_truth
from dbt_t2s.judge.witnesses import plant
from tests.judge.pairs import Pair, told_apart
from tests.judge.test_instances import CUSTOMERS, LINES, ORDERS, schema

SHOP = schema(CUSTOMERS, ORDERS, LINES)
NEW = "select count(*) as n, sum(o.net) as total from marts.orders as o"
JOINED = (
    f"{NEW} join marts.customers as c on c.customer_id = o.customer_id"
    " where c.kind = 'new' and o.net > 5 and (o.channel is null or o.gross < 40)"
)


@pytest.mark.parametrize(
    ("sql", "kind", "part"),
    [
        (JOINED, "conjuncts", "(o.channel IS NULL OR o.gross < 40) AND o.net > 5"),
        (JOINED, "sides", "o.customer_id = c.customer_id"),
        (JOINED, "denial", "NOT (c.customer_id <> o.customer_id)"),
        (JOINED, "double denial", "WHERE NOT (NOT (c.kind = 'new'"),
        (JOINED, "join order", "FROM marts.customers AS c JOIN marts.orders AS o"),
        (JOINED, "count", "COUNT(1)"),
        (JOINED, "CTE", "SELECT * FROM q"),
        (JOINED, "subquery", "AS q"),
        (JOINED, "aliases", "r0.net > 5"),
        ("select net from marts.orders where net between 1 and 5", "between", "net >= 1"),
        ("select net from marts.orders where net >= 1 and net <= 5", "between", "BETWEEN 1 AND 5"),
        ("select net from marts.orders where channel in ('a', 'b')", "list", "OR channel = 'b'"),
        ("select net from marts.orders where net = 1 or net = 2", "list", "net IN (1, 2)"),
        ("select count(order_id) as n from marts.orders", "count", "COUNT(*)"),
        (
            "select channel, count(*) as n from marts.orders group by 1 having count(*) > 3",
            "having",
            'WHERE "n" > 3',
        ),
        (
            "select count(*) as n from marts.orders where orders.order_id in"
            " (select order_id from marts.order_lines where quantity > 1)",
            "exists",
            '"order_lines"."order_id" = orders.order_id',
        ),
    ],
)
def test_a_query_is_written_otherwise(sql: str, kind: str, part: str) -> None:
    found = [each.sql for each in rewrites(sql, SHOP) if each.kind == kind]
    assert any(part in each for each in found), found


@pytest.mark.parametrize(
    ("sql", "kind"),
    [
        # NULLs: a customer may be missing, a channel too.
        ("select count(channel) as n from marts.orders", "count"),
        (
            "select 1 as n from marts.customers where customers.customer_id in"
            " (select customer_id from marts.orders)",
            "exists",
        ),
        ("select net from marts.orders order by net", "subquery"),
        ("select net, net from marts.orders", "CTE"),
        ("select net * 2 + gross as s from marts.orders", "terms"),
        (
            "select o.net from marts.orders as o left join marts.customers as c"
            " on c.customer_id = o.customer_id",
            "join order",
        ),
    ],
)
def test_none_where_the_law_does_not_hold(sql: str, kind: str) -> None:
    assert kind not in {each.kind for each in rewrites(sql, SHOP)}


def test_no_instance_tells_a_rewrite_from_its_query(warehouse: Path, tmp_path: Path) -> None:
    golds = (
        JOINED,
        "select channel, sum(net) as s from marts.orders where net between 10 and 60"
        " and channel in ('web', 'channel 1') group by 1 having sum(net) > 20",
        "select count(*) as n from marts.orders where orders.order_id not in"
        " (select order_id from marts.order_lines where quantity > 1)",
    )
    pairs = [
        Pair(gold, each.kind, each.sql, each.law) for gold in golds for each in rewrites(gold, SHOP)
    ]
    assert len(pairs) >= 20
    files = make_instances(warehouse, tmp_path, SHOP, n=2)
    plant(files[1], SHOP, golds)
    for file in files:
        assert told_apart(file, pairs) == ()


@pytest.mark.parametrize(
    ("before", "after", "same"),
    [
        ("x < 3 or x >= 3 and x < 9", "x < 5 or x >= 3 and x < 9", True),
        ("x < 3 or x >= 3 and x < 9", "x < 3 or x > 3 and x < 9", False),
        ("d >= '2024-01-01' and d < '2024-02-01'", "d >= '2024-01-01' and d < '2024-03-01'", False),
        ("not x is null and x > 2", "x > 2", True),
        ("not x > 2", "x <= 2", True),
        ("x in (1, 2)", "x between 1 and 2", False),
        ("x <> 1 or x = 1", "not x is null", True),
        ("x > 2", "y > 2", False),
        ("t = 'a'", "t = 'b'", False),
    ],
)
def test_conditions_are_compared_by_their_truth(before: str, after: str, same: bool) -> None:
    parts = [language.all_of(language.parse_one(each, "duckdb")) for each in (before, after)]
    assert same_truth(parts[0], parts[1]) is same
