"""Near misses: made on the parse tree, proven equal only by a law."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dbt_t2s import duck
from dbt_t2s import sql as language
from dbt_t2s.judge.instances import make_instances
from dbt_t2s.judge.mutants import mutants
from dbt_t2s.judge.truth import same_logic
from dbt_t2s.project.schema import Rule, RuleKind
from dbt_t2s.sql import exp
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
        ("select net from marts.orders where channel = 'a' or channel is null", "and/or", False),
        # The keys of the lines, counted from the other end of the join.
        (
            "select count(l.line_id) from marts.orders as o"
            " join marts.order_lines as l on l.order_id = o.order_id",
            "count distinct",
            True,
        ),
        (
            "select count(case when net > 5 then null else order_id end) from marts.orders",
            "count distinct",
            True,
        ),
        (
            "select sum(l.quantity) from marts.orders as o"
            " join marts.order_lines as l on l.order_id = o.order_id",
            "join side",
            True,
        ),
        (
            "select o.channel, sum(l.quantity) from marts.orders as o"
            " join marts.order_lines as l on l.order_id = o.order_id group by 1",
            "join side",
            False,
        ),
        (
            "select o.order_id from marts.orders as o join marts.order_lines as l"
            " on l.order_id = o.order_id group by o.order_id having count(*) >= 2",
            "join side",
            True,
        ),
        (
            "select o.order_id from marts.orders as o join marts.order_lines as l"
            " on l.order_id = o.order_id group by o.order_id having count(*) >= 1",
            "join side",
            False,
        ),
    ],
)
def test_a_law_is_claimed_where_it_holds_alone(sql: str, kind: str, proven: bool) -> None:
    found = [each for each in mutants(sql, SHOP) if each.kind == kind]
    assert found
    assert all(bool(each.law) is proven for each in found), found


def test_a_limit_above_all_groups_takes_them_all() -> None:
    """Two channels and none, by a test: LIMIT 3 takes what LIMIT 4 does, LIMIT 2 may not."""
    test = ("test.shop.accepted_values_orders_channel",)
    rule = Rule("channel", "", "orders", "channel IN ('a', 'b')", test, kind=RuleKind.VALUE)
    listed = replace(ORDERS.columns[-1], values=("a", "b"), values_complete=True)
    orders = replace(ORDERS, columns=(*ORDERS.columns[:-1], listed))
    known = replace(schema(CUSTOMERS, orders, LINES), rules=(rule,))
    sql = "select channel, count(*) from marts.orders group by 1 order by 2 limit "
    for count, proven in ((3, [True, False]), (2, [False, False]), (4, [True, True])):
        found = [each for each in mutants(f"{sql}{count}", known) if each.kind == "limit"]
        assert [bool(each.law) for each in found] == proven
    assert not any(each.law for each in mutants(f"{sql}9", SHOP) if each.kind == "limit")


def test_not_null_follows_from_what_compares_it() -> None:
    """``NOT IN`` what finds nothing is true of NULL, so it says nothing of it."""
    known = "select net from marts.orders where not channel is null and "
    others = (
        ("channel = 'a'", True),
        ("net > 5", False),
        ("not channel in (select name from marts.customers)", False),
    )
    for other, proven in others:
        found = [each for each in mutants(known + other, SHOP) if each.kind == "filter"]
        lost = [each for each in found if "IS NULL" not in each.sql]
        assert [bool(each.law) for each in lost] == [proven], other
    joined = (
        "select o.net from marts.orders as o {} join marts.customers as c"
        " on c.customer_id = o.customer_id where not o.customer_id is null"
    )
    for side, proven in (("", True), ("left", False)):
        found = [each for each in mutants(joined.format(side), SHOP) if each.kind == "filter"]
        assert [bool(each.law) for each in found] == [proven], side


def test_which_of_equal_rows_a_number_is_given_is_no_law() -> None:
    sql = (
        "select order_id, channel from marts.orders group by 1, 2"
        " qualify row_number() over (partition by channel order by count(*)) <= 3"
    )
    found = [each for each in mutants(sql, SHOP) if each.kind == "grouping"]
    assert found and not any(each.law for each in found)


_NAMES = ("a", "b", "c", "a = false", "b = true", "not c", "a <> b")
conditions = st.recursive(
    st.sampled_from(_NAMES),
    lambda inner: st.one_of(
        st.builds("({} and {})".format, inner, inner),
        st.builds("({} or {})".format, inner, inner),
        st.builds("not ({})".format, inner),
    ),
    max_leaves=5,
)


@pytest.fixture(scope="module")
def every_truth(tmp_path_factory: pytest.TempPathFactory) -> Iterator[duck.Connection]:
    """All ways in which three conditions may be true, false or unknown."""
    path = tmp_path_factory.mktemp("truth") / "x.duckdb"
    three = "(values (true), (false), (null))"
    with duck.open_writable(path) as connection:
        connection.execute(
            f"create table t as select * from {three} as x(a), {three} as y(b), {three} as z(c)"
        )
        yield connection


@given(conditions, conditions)
@settings(max_examples=150, deadline=None)
def test_logic_that_is_called_the_same_finds_the_same_rows(
    every_truth: duck.Connection, one: str, other: str
) -> None:
    if same_logic(conjuncts(one), conjuncts(other)):
        found = [
            every_truth.execute(f"select a, b, c from t where {each} order by all").fetchall()
            for each in (one, other)
        ]
        assert found[0] == found[1]


def conjuncts(condition: str) -> list[exp.Expr]:
    tree = language.parse_one(f"select 1 from t where {condition}", "duckdb")
    return language.all_of(tree.args["where"].this)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("(a = false or b <> 1) and not a and b <> 1", "not a and b <> 1", True),
        ("(a or b) and a", "a", True),
        ("not (x < 3)", "x >= 3", True),
        ("x < 3", "x <= 3", False),
        ("a or b", "a", False),
        ("a or not a", "true", False),  # not of NULL
    ],
)
def test_logic_alone(one: str, other: str, same: bool) -> None:
    assert same_logic(conjuncts(one), conjuncts(other)) is same


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


def test_one_group_has_no_order_and_any_limit_takes_it() -> None:
    sql = (
        "select channel, count(*) from marts.orders where {} group by channel"
        " order by count(*) desc limit 3"
    )
    one = mutants(sql.format("channel = 'web'"), SHOP)
    assert all(each.law for each in one if each.kind in ("limit", "order"))
    assert any(each.kind == "limit" for each in one)
    for open_ in ("channel <> 'web'", "channel = 'web' or net > 5", "net = 5"):
        several = mutants(sql.format(open_), SHOP)
        assert not any(each.law for each in several if each.kind in ("limit", "order"))
