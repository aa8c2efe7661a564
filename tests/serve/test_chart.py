"""Which results are drawn, how, and which names complete what is typed."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dbt_t2s.serve.chart import Chart, bars, chart_of
from dbt_t2s.serve.completion import completions, names_of
from tests.model.shop_schema import shop_schema


@pytest.mark.parametrize(
    ("rows", "chart"),
    [
        ([(date(2025, 1, 1), 3), (date(2025, 2, 1), None)], Chart("series", 0, 1)),
        ([("2025-01-01", 3.5), ("2025-02-01", 2)], Chart("series", 0, 1)),
        ([(2024, Decimal("3.5")), (2025, Decimal(2))], Chart("series", 0, 1)),
        ([(4, "web"), (2, None)], Chart("split", 1, 0)),
        ([("web", 4)], None),
        ([("web", 4), ("app", "x")], None),
        ([(1, 4), (1, 5)], None),
        ([("a", float("nan")), ("b", 1)], None),
        ([(True, 4), (False, 5)], Chart("split", 0, 1)),
        ([("a", None), ("b", None)], None),
        ([(str(n), n) for n in range(50)], None),
    ],
)
def test_what_is_drawn(rows: list[tuple[object, ...]], chart: Chart | None) -> None:
    assert chart_of(("a", "b"), rows) == chart
    assert chart_of(("a", "b", "c"), [(*row, 1) for row in rows]) is None


def test_bars_are_as_long_as_their_numbers() -> None:
    rows = [(datetime(2025, 1, 1), 8), (datetime(2025, 2, 1), -4), (None, None)]
    assert bars(("month", "n"), rows, width=4) == (
        "2025-01-01  ████",
        "2025-02-01  ░░",
        "NULL        ",
    )
    assert bars(("n",), [(1,), (2,)]) == ()


VALUES = st.none() | st.integers() | st.floats() | st.text() | st.dates() | st.decimals()


@given(st.lists(st.tuples(VALUES, VALUES), max_size=6))
def test_any_result_is_drawn_or_not(rows: list[tuple[object, ...]]) -> None:
    assert len(bars(("a", "b"), rows)) in (0, len(rows))


def test_names_go_on_from_what_is_typed() -> None:
    names = names_of(shop_schema())
    assert {"revenue", "order count", "clients", "product name"} <= set(names)
    assert names.index("revenue") < names.index("customers") < names.index("country")
    assert ("basket value", 6) in completions("show basket", names)
    assert ("order count", 7) in completions("How many Order c", names)
    # The longer match comes first.
    assert completions("the net", names)[0] == ("net amount", 3)
    assert completions("", names) == completions("revenue ", names) == ()
    assert completions("/sa", ("/sql", "/save")) == (("/save", 3),)
