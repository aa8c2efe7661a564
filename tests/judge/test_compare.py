"""Equality of results: what counts and what does not."""

from __future__ import annotations

import math
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from dbt_t2s.duck import Rows
from dbt_t2s.judge.compare import Uncut, compare
from dbt_t2s.judge.gold_order import is_ordered, sort_keys, uncut


def rows(*found: tuple[object, ...], truncated: bool = False) -> Rows:
    width = len(found[0]) if found else 1
    return Rows(tuple(f"c{n}" for n in range(width)), ("?",) * width, found, truncated)


@pytest.mark.parametrize(
    ("gold", "got"),
    [
        (1, 1.0),
        (1, Decimal("1.000")),
        (0.1 + 0.2, Decimal("0.3")),
        (1_000_000.0, 1_000_000.5),
        (0.0, 1e-10),
        (0.0, -0.0),
        (math.nan, math.nan),
        (math.inf, math.inf),
        (None, None),
        (date(2024, 1, 1), datetime(2024, 1, 1)),
        (date(2024, 1, 1), datetime(2024, 1, 1, tzinfo=UTC)),
        ([1, 2.0], (1, 2)),
        ({"b": 1, "a": 2}, {"a": 2, "b": 1}),
        (2**80, Decimal(2**80)),
    ],
)
def test_equal_by_value(gold: object, got: object) -> None:
    assert compare(rows((gold,)), rows((got,)), ordered=True).equal
    assert compare(rows((got,)), rows((gold,)), ordered=False).equal


@pytest.mark.parametrize(
    ("gold", "got"),
    [
        (5_000_001, 5_000_002),
        (Decimal("10000000.01"), Decimal("10000000.02")),
        (1.0, 1.00001),
        (0.0, 1e-6),
        (None, 0),
        (None, ""),
        (None, math.nan),
        ("1", 1),
        ("a", "A"),
        (True, 1),
        (date(2024, 1, 1), datetime(2024, 1, 1, 0, 0, 1)),
        (date(2024, 1, 1), "2024-01-01"),
        (math.inf, -math.inf),
        ([1, 2], [2, 1]),
    ],
)
def test_unequal(gold: object, got: object) -> None:
    assert not compare(rows((gold,)), rows((got,)), ordered=False).equal
    assert not compare(rows((got,)), rows((gold,)), ordered=True).equal


def test_duplicates_count() -> None:
    verdict = compare(rows((1,), (1,), (2,)), rows((1,), (2,), (2,)), ordered=False)
    assert not verdict.equal
    assert verdict.reason == "1 of 3 rows differ"


def test_column_counts_matter() -> None:
    verdict = compare(rows((1, 2)), rows((1,)), ordered=False)
    assert (verdict.equal, verdict.reason) == (False, "1 columns instead of 2")
    assert not compare(rows((1, 1)), rows((1, 1, 1)), ordered=False).equal


def test_column_order_does_not_matter_but_pairs_do() -> None:
    gold = rows((1, 2), (2, 1), (3, 3))
    assert compare(gold, rows((2, 1), (1, 2), (3, 3)), ordered=False).equal
    assert not compare(gold, rows((1, 1), (2, 2), (3, 3)), ordered=False).equal


def test_order_is_checked_under_every_way_to_line_up_columns() -> None:
    gold = rows((1, 2), (2, 1))
    assert compare(gold, rows((2, 1), (1, 2)), ordered=True).equal  # columns swapped
    verdict = compare(rows((1, "a"), (2, "b")), rows((2, "b"), (1, "a")), ordered=True)
    assert verdict.reason == "the rows are in another order"


def test_ties_in_the_sort_keys_may_stand_in_any_order() -> None:
    gold = rows(("a", 5), ("b", 5), ("c", 1))
    got = rows(("b", 5), ("a", 5), ("c", 1))
    assert not compare(gold, got, ordered=True).equal
    assert compare(gold, got, ordered=True, keys=(1,)).equal
    assert not compare(gold, rows(("c", 1), ("a", 5), ("b", 5)), ordered=True, keys=(1,)).equal


TOP = rows(("a", 9), ("b", 5), ("c", 5), ("d", 5), ("e", 1))


@pytest.mark.parametrize(
    ("got", "equal"),
    [
        ((("a", 9), ("b", 5)), True),
        ((("a", 9), ("d", 5)), True),  # another of the three that share the second place
        (((5, "c"), (9, "a")), False),  # not in the gold's order
        (((9, "a"), (5, "c")), True),  # the columns the other way round
        ((("a", 9), ("e", 1)), False),
        ((("b", 5), ("c", 5)), False),  # without the first
        ((("a", 9), ("a", 9)), False),
        ((("a", 9), ("d", 6)), False),
        ((("a", 9),), False),
        ((("a", 9), ("b", 5), ("c", 5)), False),
    ],
)
def test_of_equals_at_the_limit_any_will_do(
    got: tuple[tuple[object, ...], ...], equal: bool
) -> None:
    gold = rows(("a", 9), ("b", 5))
    assert compare(gold, rows(*got), True, (1,), uncut=Uncut(TOP, (1,))).equal is equal


def test_keys_that_are_not_shown_decide_which_rows_are_equals() -> None:
    every = Uncut(rows(("a", 9), ("b", 5), ("c", 5), ("d", 1)), (1,))
    gold = rows(("a",), ("b",), ("c",), ("d",))
    assert compare(gold, rows(("a",), ("c",), ("b",), ("d",)), True, uncut=every).equal
    assert not compare(gold, rows(("b",), ("a",), ("c",), ("d",)), True, uncut=every).equal


def test_without_an_order_a_limit_takes_any_rows() -> None:
    every = Uncut(rows((1,), (2,), (2,), (3,)), ())
    assert compare(rows((1,), (2,)), rows((2,), (3,)), False, uncut=every).equal
    assert compare(rows((1,), (2,)), rows((2,), (2,)), False, uncut=every).equal
    assert not compare(rows((1,), (2,)), rows((3,), (3,)), False, uncut=every).equal


@pytest.mark.parametrize(
    ("sql", "whole", "keys"),
    [
        ("select a, b from t order by b desc limit 5", "SELECT a, b FROM t ORDER BY b DESC", (1,)),
        (
            "select a from t order by b",
            "SELECT a, b AS sort_key_0 FROM t ORDER BY b",
            (1,),
        ),
        (
            "select a, count(*) as n from t group by a order by sum(x), n limit 1",
            "SELECT a, COUNT(*) AS n, SUM(x) AS sort_key_0, COUNT(*) AS sort_key_1 FROM t "
            "GROUP BY a ORDER BY SUM(x), n",
            (2, 3),
        ),
        ("select a from t limit 5", "SELECT a FROM t", ()),
        (
            "select a from t union all select b from u order by 1 limit 3",
            "SELECT a FROM t UNION ALL SELECT b FROM u ORDER BY 1",
            (0,),
        ),
    ],
)
def test_uncut(sql: str, whole: str, keys: tuple[int, ...]) -> None:
    found = uncut(sql, "duckdb")
    assert found is not None
    assert found.sql == whole
    assert found.keys == keys


@pytest.mark.parametrize(
    "sql",
    [
        "select a from t",
        "select a, b from t order by b",
        "select a from t order by a limit 5 offset 5",
        "select * from t order by lower(a) limit 5",
    ],
)
def test_nothing_to_choose_or_nothing_to_tell(sql: str) -> None:
    assert uncut(sql, "duckdb") is None


def test_noise_does_not_mislead_the_matching() -> None:
    gold = rows((0.1 + 0.2, 5.5), (0.3, 7.5))
    assert compare(gold, rows((0.3, 5.5), (0.1 + 0.2, 7.5)), ordered=False).equal


def test_large_keys_stay_exact_beside_floating_point() -> None:
    gold = rows((5_000_001, 0.5), (5_000_003, 0.5))
    assert not compare(gold, rows((5_000_001, 0.5), (5_000_004, 0.5)), ordered=False).equal


def test_empty_results() -> None:
    empty = Rows(("a",), ("INTEGER",), ())
    assert compare(empty, Rows(("b",), ("VARCHAR",), ()), ordered=True).equal
    assert not compare(empty, rows((None,)), ordered=False).equal


def test_cut_results_are_not_called_equal() -> None:
    cut = rows((1,), (2,), truncated=True)
    assert not compare(cut, cut, ordered=False).equal
    assert not compare(cut, rows((1,), (2,)), ordered=False).equal
    assert compare(cut, cut, ordered=True).equal


def test_many_equal_columns_end_soon() -> None:
    gold = rows(*((None,) * 12 + (n,) for n in range(50)))
    assert compare(gold, rows(*((n,) + (None,) * 12 for n in range(50))), ordered=True).equal
    other = rows(*((n + 1,) + (None,) * 12 for n in range(50)))
    assert not compare(gold, other, ordered=True).equal


CELL = st.one_of(
    st.none(),
    st.integers(-3, 3),
    st.sampled_from(["a", "b", ""]),
    st.floats(-2, 2, width=16),
    st.decimals(-2, 2, places=2),
    st.dates(date(2024, 1, 1), date(2024, 1, 3)),
)


@st.composite
def results(draw: st.DrawFn) -> Rows:
    width = draw(st.integers(1, 4))
    return rows(*draw(st.lists(st.tuples(*[CELL] * width), min_size=1, max_size=12)))


# Neighbours about the tolerance, and values that are like no other number.
NUMBERS = (1.0, 1 + 9e-7, 1 + 1.1e-6, 1 + 2e-6, 0.0, -0.0, 9e-10, 2e-9, Decimal("1.0000005"), 1)
OTHERS = (math.nan, math.inf, -math.inf, True, None, timedelta(days=1), [1.0], {"a": [math.nan]})
EDGES = st.sampled_from((*NUMBERS, *OTHERS))


@st.composite
def odd_pairs(draw: st.DrawFn) -> tuple[Rows, Rows]:
    width = draw(st.integers(1, 3))
    table = st.lists(st.tuples(*[EDGES] * width), min_size=1, max_size=6)
    return rows(*draw(table)), rows(*draw(table))


@given(odd_pairs())
@settings(max_examples=200, deadline=None)
def test_equality_is_reflexive_and_symmetric(pair: tuple[Rows, Rows]) -> None:
    one, other = pair
    assert compare(one, one, ordered=False).equal
    assert compare(one, one, ordered=True).equal
    assert compare(one, other, ordered=False).equal == compare(other, one, ordered=False).equal


@given(results(), st.randoms(use_true_random=False))
@settings(max_examples=300, deadline=None)
def test_shuffled_rows_and_columns_are_equal(gold: Rows, random: object) -> None:
    import random as library

    assert isinstance(random, library.Random)
    order = list(range(len(gold.columns)))
    random.shuffle(order)
    moved = [tuple(row[position] for position in order) for row in gold.rows]
    assert compare(gold, rows(*moved), ordered=True).equal
    random.shuffle(moved)
    noisy = [
        tuple(cell * (1 + 1e-9) if isinstance(cell, float) else cell for cell in row)
        for row in moved
    ]
    assert compare(gold, rows(*noisy), ordered=False).equal
    assert compare(rows(*noisy), gold, ordered=False).equal


@given(results(), st.data())
@settings(max_examples=300, deadline=None)
def test_one_changed_cell_is_unequal(gold: Rows, data: st.DataObject) -> None:
    row = data.draw(st.integers(0, len(gold.rows) - 1))
    column = data.draw(st.integers(0, len(gold.columns) - 1))
    changed = [list(each) for each in gold.rows]
    changed[row][column] = "something else"
    assume(gold.rows[row][column] != "something else")
    assert not compare(gold, rows(*(tuple(each) for each in changed)), ordered=False).equal


@given(results())
@settings(max_examples=100, deadline=None)
def test_a_repeated_row_is_unequal(gold: Rows) -> None:
    assert not compare(gold, rows(*gold.rows, gold.rows[0]), ordered=False).equal


@pytest.mark.parametrize(
    ("sql", "ordered"),
    [
        ("select a from t order by a", True),
        ("(select a from t order by a)", True),
        ("with x as (select a from t order by a) select * from x", False),
        ("with x as (select a from t) select * from x order by 1 limit 3", True),
        ("select a, row_number() over (order by a) from t", False),
        ("select * from (select a from t order by a)", False),
        ("select a from t union all select a from u order by a", True),
    ],
)
def test_is_ordered(sql: str, ordered: bool) -> None:
    assert is_ordered(sql, "duckdb") is ordered


@pytest.mark.parametrize(
    ("sql", "keys"),
    [
        ("select a, sum(b) as s from t group by a order by s desc, 1", (1, 0)),
        ("select a, sum(b) from t group by a order by sum(b)", (1,)),
        ("select t.a from t order by t.a", (0,)),
        ("select a from t order by b", ()),
        ("select a from t", ()),
        ("select * from t order by a", ()),
    ],
)
def test_sort_keys(sql: str, keys: tuple[int, ...]) -> None:
    assert sort_keys(sql, "duckdb") == keys
