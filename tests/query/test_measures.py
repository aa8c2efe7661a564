"""Measures as atoms: what a rule that always holds does to each, and how atoms become one SQL."""

from __future__ import annotations

from dataclasses import replace

import pytest

from dbt_t2s.errors import QueryPlanError
from dbt_t2s.project.schema import Metric, MetricInput, ProjectSchema, Rule
from dbt_t2s.query.measures import Atom, Lowered, Measures, operand
from dbt_t2s.query.plan import Agg, Arithmetic, Col, Count, Diff, MetricRef, Rate, Value
from tests.query.shop import shop_schema

ORDERS = "t2s__orders__t2s."
VALID = f"{ORDERS}status <> 'cancelled'"
ALWAYS = Measures(shop_schema(always=True))
PLAIN = Measures(shop_schema())


def with_rule(predicate: str) -> ProjectSchema:
    schema = shop_schema()
    rule = Rule("kept", "What is kept.", "orders", predicate, always=True)
    return replace(schema, rules=(*schema.rules, rule))


@pytest.mark.parametrize(
    ("condition", "holds"),
    [
        (f"{ORDERS}is_gift", True),  # nothing is said about the rule's column
        (f"{ORDERS}status = 'cancelled'", False),
        (f"{ORDERS}status = 'returned'", False),
        (VALID, False),  # else all rows would fulfil it
        (f"{VALID} and {ORDERS}amount > 60", True),  # of the valid ones, which are large?
        (f"{ORDERS}amount > 60 and {VALID}", True),
        (f"({VALID} or {ORDERS}is_gift) and {ORDERS}amount > 60", False),
        (f"{VALID} or {ORDERS}is_gift", False),
        (f"{ORDERS}status <> 'cancelled by us' and {ORDERS}is_gift", False),
    ],
)
def test_a_rule_holds_for_a_rate_unless_the_condition_speaks_of_it(
    condition: str, holds: bool
) -> None:
    (atom,) = ALWAYS.rate("orders", condition).atoms
    assert atom.implied == ((VALID,) if holds else ())
    assert atom.argument == f"case when {condition} then 1.0 else 0.0 end"
    assert (atom.root, atom.function, atom.name) == ("orders", "avg", "share_of_orders")
    assert atom.time == Col("orders", "ordered_at")


def test_a_rule_that_ends_alike_is_another() -> None:
    measures = Measures(with_rule("amount > 6"))
    (atom,) = measures.rate("orders", f"{ORDERS}amount > 60 and {ORDERS}is_gift").atoms
    assert atom.implied == ()


def test_a_rate_of_no_table_is_refused() -> None:
    with pytest.raises(QueryPlanError, match="no table is called 'nowhere'"):
        PLAIN.rate("nowhere", "true")


def test_each_part_of_a_rule_gives_way_alone() -> None:
    measures = Measures(with_rule("status <> 'cancelled' and not is_gift"))
    assert measures.always("orders", ()) == (VALID, f"NOT {ORDERS}is_gift")
    assert measures.always("orders", [f"{ORDERS}is_gift"]) == (VALID,)
    assert measures.always("orders", [f"{ORDERS}is_gift_wrapped"]) == (
        VALID,
        f"NOT {ORDERS}is_gift",
    )
    assert measures.always("customers", ()) == ()


def test_an_atom_takes_on_the_rules_that_are_not_spoken_of() -> None:
    atom = ALWAYS.lower(Count("orders")).atoms[0]
    assert atom.filters == () and atom.implied == (VALID,)
    assert atom.under(()).filters == (VALID,)
    assert atom.under([f"{ORDERS}status = 'returned'"]).filters == ()
    assert atom.under(()).implied == ()


@pytest.mark.parametrize(
    ("function", "argument", "filters", "hoisted", "sql"),
    [
        ("count", "*", (), (), "count(*)"),
        ("count", "*", ("a",), (), "count(case when a then 1 end)"),
        ("sum", "x", ("a", "b"), (), "sum(case when a and b then x end)"),
        ("sum", "x", ("a", "b"), ("a",), "sum(case when b then x end)"),
        ("sum", "x", ("a", "b"), ("a", "b"), "sum(x)"),
        ("avg", "x", ("a or b", "c"), (), "avg(case when (a or b) and c then x end)"),
        ("avg", "x", ("colour = 1",), (), "avg(case when colour = 1 then x end)"),
        ("count_distinct", "x", ("a",), (), "count(distinct case when a then x end)"),
    ],
)
def test_what_no_where_applies_becomes_a_case(
    function: str,
    argument: str,
    filters: tuple[str, ...],
    hoisted: tuple[str, ...],
    sql: str,
) -> None:
    assert Atom("t", function, argument, "name", filters).sql(frozenset(hoisted)) == sql


@pytest.mark.parametrize(
    ("template", "bracketed"),
    [
        ("{0}", "{0}"),
        ("({0} - {1})", "({0} - {1})"),
        ("{0} - {1}", "({0} - {1})"),
        ("({0}) - ({1})", "(({0}) - ({1}))"),
    ],
)
def test_an_operand_keeps_its_meaning_beside_an_operator(template: str, bracketed: str) -> None:
    assert operand(template) == bracketed


def test_atoms_are_numbered_on_when_measures_meet() -> None:
    gap = Arithmetic("SUB", MetricRef("revenue"), MetricRef("completed_revenue"))
    lowered = PLAIN.lower(Arithmetic("DIV", gap, Count("customers")))
    assert lowered.template == "({0} - {1}) * 1.0 / nullif({2}, 0)"
    assert [atom.root for atom in lowered.atoms] == ["orders", "orders", "customers"]
    filled = lowered.fill(("a", "b", "c"))
    assert filled == "(a - b) * 1.0 / nullif(c, 0)"


def test_more_than_ten_atoms_keep_their_places() -> None:
    atoms = PLAIN.lower(Count("orders")).atoms * 11
    lowered = Lowered("{10} - {1}", atoms, "name")
    assert lowered.fill(tuple("abcdefghijk")) == "k - b"


def test_a_metric_of_metrics_hands_its_filters_down() -> None:
    schema = shop_schema()
    (german,) = (m for m in schema.metrics if m.name == "german_revenue")
    made = Metric(
        "german_gap",
        "derived",
        expression="open_revenue - revenue",  # one input's name ends the other's
        inputs=(
            MetricInput("open_revenue", "open_revenue", german.filters),
            MetricInput("revenue", "revenue"),
        ),
        tables=("orders",),
    )
    lowered = Measures(replace(schema, metrics=(*schema.metrics, made))).lower(
        MetricRef("german_gap")
    )
    assert lowered.template == "({0} - {1}) - {2}"
    marked = "t2s__customers__t2s.country = 'DE'"
    assert [marked in atom.filters for atom in lowered.atoms] == [True, True, False]
    assert f"{ORDERS}status = 'completed'" in lowered.atoms[1].filters


def test_a_metric_divides_as_reals() -> None:
    lowered = PLAIN.lower(MetricRef("average_order_value"))
    assert lowered.template == "{0} * 1.0 / nullif({1}, 0)"
    assert [atom.sql() for atom in lowered.atoms] == [f"sum({ORDERS}amount)", "count(*)"]


@pytest.mark.parametrize(
    ("of", "sql"),
    [
        (Col("orders", "amount"), f"{ORDERS}amount"),
        (
            Diff(Col("orders", "paid_on"), Col("orders", "due_on")),
            f"date_diff('day', cast({ORDERS}due_on as date), cast({ORDERS}paid_on as date))",
        ),
        (
            Diff(Col("orders", "amount"), Col("orders", "refund")),
            f"({ORDERS}amount - {ORDERS}refund)",
        ),
    ],
)
def test_what_one_row_says(of: Col | Diff, sql: str) -> None:
    assert PLAIN.row(of) == sql
    assert PLAIN.lower(Agg("AVG", of)).atoms[0].argument == sql


def test_only_metrics_written_as_plain_sql_are_usable() -> None:
    assert PLAIN.usable("revenue") and PLAIN.usable("units_per_order")
    assert not PLAIN.usable("cumulative_revenue")
    with pytest.raises(QueryPlanError, match="MetricFlow's own SQL only"):
        PLAIN.lower(MetricRef("cumulative_revenue"))


def test_what_the_binder_lowers_is_refused_here() -> None:
    with pytest.raises(QueryPlanError, match="the binder's"):
        PLAIN.lower(Rate(Value("orders", "status", "returned")))
