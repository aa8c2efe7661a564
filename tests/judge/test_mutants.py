"""Near misses: made on the parse tree, proven equal only by a law."""

from __future__ import annotations

from pathlib import Path

import pytest

from dbt_t2s.judge.instances import make_instances
from dbt_t2s.judge.mutants import mutants
from dbt_t2s.project.schema import Rule
from tests.judge.pairs import Pair, told_apart
from tests.judge.test_instances import CUSTOMERS, LINES, ORDERS, schema

SHOP = schema(CUSTOMERS, ORDERS, LINES)


def of(sql: str, kind: str) -> tuple[str, ...]:
    return tuple(each.sql for each in mutants(sql, SHOP) if each.kind == kind)


@pytest.mark.parametrize(
    ("sql", "kind", "expected"),
    [
        ("SELECT SUM(net) FROM marts.orders", "aggregate", "SELECT AVG(net) FROM marts.orders"),
        (
            "SELECT COUNT(DISTINCT channel) FROM marts.orders",
            "count distinct",
            "SELECT COUNT(channel) FROM marts.orders",
        ),
        (
            "SELECT net FROM marts.orders WHERE net > 5 AND gross < 9",
            "filter",
            "SELECT net FROM marts.orders WHERE gross < 9",
        ),
        (
            "SELECT net FROM marts.orders WHERE ordered_on < '2024-03-31'",
            "date boundary",
            "SELECT net FROM marts.orders WHERE ordered_on <= '2024-03-31'",
        ),
        (
            "SELECT net FROM marts.orders WHERE ordered_on < '2024-03-31'",
            "date",
            "SELECT net FROM marts.orders WHERE ordered_on < '2024-02-29'",
        ),
        (
            "SELECT net FROM marts.orders WHERE net > 5 AND gross < 9",
            "and/or",
            "SELECT net FROM marts.orders WHERE (net > 5 OR gross < 9)",
        ),
        (
            "SELECT channel, SUM(net) FROM marts.orders GROUP BY channel",
            "grouping",
            "SELECT MIN(channel) AS channel, SUM(net) FROM marts.orders",
        ),
        (
            "SELECT DISTINCT channel FROM marts.orders",
            "distinct",
            "SELECT channel FROM marts.orders",
        ),
        (
            "SELECT net FROM marts.orders ORDER BY net LIMIT 3",
            "limit",
            "SELECT net FROM marts.orders ORDER BY net LIMIT 4",
        ),
        (
            "SELECT net FROM marts.orders WHERE NOT channel IS NULL",
            "not",
            "SELECT net FROM marts.orders WHERE channel IS NULL",
        ),
    ],
)
def test_each_mistake_is_made(sql: str, kind: str, expected: str) -> None:
    assert expected in of(sql, kind)


def test_the_query_itself_is_no_mutant_and_none_comes_twice() -> None:
    sql = "SELECT SUM(net) FROM marts.orders WHERE channel = 'a' OR channel = 'b'"
    found = [each.sql for each in mutants(sql, SHOP)]
    assert sql not in found
    assert len(found) == len(set(found))
    assert mutants(sql, SHOP) == mutants(sql, SHOP)


def test_a_rule_that_always_holds_is_lost_as_one() -> None:
    rule = Rule("real", "", "orders", "net > 0 and channel <> 'test'", always=True)
    known = type(SHOP)("shop", "duckdb", SHOP.tables, SHOP.joins, rules=(rule,))
    sql = "SELECT SUM(net) FROM marts.orders WHERE net > 0 AND channel <> 'test' AND gross < 9"
    found = [each.sql for each in mutants(sql, known) if each.kind == "rule"]
    assert found == ["SELECT SUM(net) FROM marts.orders WHERE gross < 9"]


@pytest.mark.parametrize(
    ("sql", "kind", "proven"),
    [
        ("select count(order_id) from marts.orders", "count distinct", True),
        ("select count(customer_id) from marts.orders", "count distinct", False),
        (
            "select count(o.order_id) from marts.orders as o"
            " join marts.order_lines as l on l.order_id = o.order_id",
            "count distinct",
            False,
        ),
        ("select distinct order_id from marts.orders", "distinct", True),
        ("select distinct channel from marts.orders", "distinct", False),
        ("select net from marts.orders where net > 1 and net > 1", "filter", True),
        ("select net from marts.orders where not ordered_on is null", "filter", True),
        ("select net from marts.orders where not channel is null", "filter", False),
    ],
)
def test_a_law_is_claimed_where_it_holds_alone(sql: str, kind: str, proven: bool) -> None:
    found = [each for each in mutants(sql, SHOP) if each.kind == kind]
    assert found
    assert all(bool(each.law) is proven for each in found), found


def test_spans_that_meet_may_overlap() -> None:
    sql = (
        "select net from marts.orders where net > 5 and (ordered_on < '2024-02-01'"
        " or ordered_on >= '2024-02-01' and ordered_on < '2024-03-01')"
    )
    laws = {each.sql: each.law for each in mutants(sql, SHOP) if each.kind == "date"}
    longer = [law for text, law in laws.items() if "ordered_on < '2024-03-01' OR" in text]
    assert longer == ["the condition holds of the same values"]
    assert [bool(law) for law in laws.values()].count(False) == 4


def test_what_a_law_proves_no_instance_tells_apart(warehouse: Path, tmp_path: Path) -> None:
    golds = (
        "select count(order_id) from marts.orders",
        "select distinct order_id from marts.orders where net > 80",
        "select sum(o.net) from marts.orders as o join marts.customers as c"
        " on c.customer_id = o.customer_id where c.kind = 'new'",
    )
    found = [(gold, each) for gold in golds for each in mutants(gold, SHOP)]
    proven = [Pair(gold, each.kind, each.sql, each.law) for gold, each in found if each.law]
    assert len(proven) >= 3
    for path in make_instances(warehouse, tmp_path, SHOP, n=3):
        assert told_apart(path, proven) == ()


@pytest.mark.parametrize(
    ("sql", "lost", "proven"),
    [
        ("select order_id, channel from marts.orders group by 1, 2", "channel", True),
        ("select order_id, channel from marts.orders group by 1, 2", "order_id", False),
        ("select customer_id, channel from marts.orders group by 1, 2", "channel", False),
        (
            "select l.order_id, o.channel from marts.orders as o"
            " join marts.order_lines as l on l.order_id = o.order_id group by 1, 2",
            "o.channel",
            True,
        ),
        (
            "select l.order_id, o.channel from marts.orders as o"
            " full join marts.order_lines as l on l.order_id = o.order_id group by 1, 2",
            "o.channel",
            False,
        ),
        (
            "select order_id, channel from marts.orders group by 1, 2 having channel <> 'a'",
            "channel",
            False,
        ),
    ],
)
def test_a_rows_key_settles_what_else_it_is_grouped_by(sql: str, lost: str, proven: bool) -> None:
    found = [each for each in mutants(sql, SHOP) if f"MIN({lost})" in each.sql]
    assert [bool(each.law) for each in found] == [proven]
