"""What never counts, as descriptions and metrics say."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import pytest

from dbt_t2s.project import left_out
from dbt_t2s.project.schema import Column, Kind, Role, Rule, RuleKind, Table

IS_TEST = Column("is_test_order", "BOOLEAN", Kind.BOOLEAN, Role.FLAG)
STATUS = Column(
    "status", "VARCHAR", Kind.TEXT, Role.CATEGORY, values=("paid", "void", "spam", "in transit")
)
ORDERS = Table(
    "orders",
    "main.orders",
    "model.shop.orders",
    "orders.sql",
    (Column("order_id", "INTEGER", Kind.NUMBER, Role.KEY), IS_TEST, STATUS),
    entity="order",
)
NONE: Mapping[str, Sequence[frozenset[str]]] = {}
LEAVES_OUT_SPAM = {"orders": [frozenset({"status <> 'spam'"})]}


def told(table: Table, conditions: Mapping[str, Sequence[frozenset[str]]] = NONE) -> list[str]:
    rules = list(left_out.documented([table], conditions, "duckdb"))
    assert all(rule.always and rule.kind is RuleKind.LEFT_OUT for rule in rules)
    assert all(rule.evidence == ("model.shop.orders",) for rule in rules)
    return [rule.predicate for rule in rules]


@pytest.mark.parametrize(
    ("description", "predicates"),
    [
        ("One row per order. Test orders never count.", ["NOT is_test_order"]),
        ("Orders; those of test accounts do not count", ["NOT is_test_order"]),
        ("Void orders are always excluded.", ["status <> 'void'"]),
        ("Void ones are left out of every count.", ["status <> 'void'"]),
        ("Spam is kept but is no order.", ["status <> 'spam'"]),
        ("Void orders and those of tests never count.", ["status <> 'void'", "NOT is_test_order"]),
        ("Orders in transit are not counted.", []),
        ("In transit orders are not counted.", ["status <> 'in transit'"]),
        ("One row per order, test orders included.", []),
        ("Test orders are flagged.", []),
        ("Void orders never count towards the target.", []),
        ("Void orders are excluded from the forecast.", []),
        ("Refunds never count.", []),
        ("A void order is no refund.", []),
        ("Counts never include tests.", []),
        ("", []),
    ],
)
def test_a_table_says_what_never_counts(description: str, predicates: list[str]) -> None:
    assert told(replace(ORDERS, description=description)) == predicates


@pytest.mark.parametrize(
    ("column", "description", "predicates"),
    [
        (IS_TEST, "True for our own orders, which never count.", ["NOT is_test_order"]),
        (IS_TEST, "Excluded from shipping.", []),
        (IS_TEST, "False rows never count.", []),
        (IS_TEST, "True for our own orders.", []),
        (STATUS, "Paid, in transit, void (these never count).", []),
        (STATUS, "Paid is settled, void was taken back and never counts.", ["status <> 'void'"]),
    ],
)
def test_a_column_says_what_never_counts(
    column: Column, description: str, predicates: list[str]
) -> None:
    columns = tuple(
        replace(c, description=description) if c == column else c for c in ORDERS.columns
    )
    assert told(replace(ORDERS, columns=columns)) == predicates


def test_what_does_not_count_as_something_is_left_out_where_a_metric_leaves_it_out() -> None:
    table = replace(ORDERS, description="Spam never counts as a sale.")
    assert told(table) == []
    assert told(table, LEAVES_OUT_SPAM) == ["status <> 'spam'"]


def test_a_value_of_two_columns_is_left_alone() -> None:
    twice = (*ORDERS.columns, replace(STATUS, name="status_before"))
    table = replace(ORDERS, columns=twice, description="Void orders never count.")
    assert told(table) == []


@pytest.mark.parametrize(
    ("metrics", "predicates"),
    [
        (["NOT is_test, kind = 'web'", "NOT is_test, amount > 5"], ["NOT is_test"]),
        (["status <> 'spam'", "status = 'won'"], ["status <> 'spam'"]),
        (["status <> 'spam'", "status = 'spam'"], []),
        (["NOT is_test", "amount > 5"], []),
        (["NOT is_test"], []),
        (["kind = 'web'", "kind = 'web'"], []),
        (["is_paid", "is_paid"], []),
    ],
)
def test_all_metrics_over_a_table_leave_something_out(
    metrics: list[str], predicates: list[str]
) -> None:
    conditions = {"orders": [frozenset(each.split(", ")) for each in metrics]}
    found = list(left_out.shared(conditions, (), "duckdb"))
    assert [rule.predicate for rule in found] == predicates
    known = [Rule("known", "", "orders", each, always=True) for each in predicates]
    assert not list(left_out.shared(conditions, known, "duckdb"))
