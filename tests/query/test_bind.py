"""Plans to SQL over the shop: the SQL is the golden file's, its rows are computed by hand.

After a change that is meant, ``T2S_GOLDEN=write pytest tests/query/test_bind.py`` writes the files.
"""

from __future__ import annotations

import os
from collections import Counter
from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from dbt_t2s.duck import Execute, Rows
from dbt_t2s.errors import QueryPlanError
from dbt_t2s.project.schema import CompiledMetric, Measure, Metric, MetricFilter
from dbt_t2s.query.bind import Binder
from dbt_t2s.query.linear import from_tokens
from tests.query.shop import shop_schema, with_gaps

GOLDEN = Path(__file__).parent / "golden"
PLAIN = Binder(shop_schema())
ALWAYS = Binder(shop_schema(always=True))
JAN, FEB, MAR = date(2025, 1, 1), date(2025, 2, 1), date(2025, 3, 1)
APR = date(2025, 4, 1)
_NAME = "c:customers.customer_name"
_COUNTRY = "c:customers.country"
_RETURNED = "v:orders.status=returned"
_CANCELLED = "v:orders.status=cancelled"

Row = tuple[object, ...]
CASES: dict[str, tuple[str, list[Row]]] = {
    "metric": ("m:revenue END", [(580,)]),
    "metric_filter_hoisted": ("m:completed_revenue END", [(200,)]),
    "metric_filter_as_case": ("m:revenue m:completed_revenue END", [(580, 200)]),
    "metric_filter_joined": ("m:german_revenue END", [(450,)]),
    "metric_ratio": ("m:average_order_value END", [(580 / 6,)]),
    "metric_derived": ("m:open_revenue END", [(380,)]),
    "metric_of_flags": ("m:gifts END", [(1,)]),
    "metric_of_two_tables": ("m:units_per_order END", [(16 / 6,)]),
    "metric_compiled": ("m:cumulative_revenue END", [(580,)]),
    "metric_compiled_by_month": (
        "m:cumulative_revenue MONTH TIME WHERE d:2025-02-01/ END",
        [(470, FEB), (580, MAR)],
    ),
    "metric_compiled_in_a_month": (
        "m:cumulative_revenue WHERE d:2025-02-01/2025-03-01 END",
        [(470,)],
    ),
    "difference": ("SUB m:revenue m:open_revenue END", [(200,)]),
    "quotient": ("DIV m:open_revenue COUNT t:orders END", [(380 / 6,)]),
    "join": (
        f"{_COUNTRY} m:revenue DESC m:revenue END",
        [("DE", 450), ("FR", 100)],
    ),
    "join_of_two_steps": (f"{_COUNTRY} m:units END", [("DE", 12), ("FR", 1)]),
    "search_in": (f"{_NAME} WHERE {_RETURNED} END", [("Ben",)]),
    "has": (
        f"{_NAME} WHERE HAS t:orders v:orders.status=completed CLOSE END",
        [("Ada",), ("Cleo",)],
    ),
    "has_not": (f"{_NAME} WHERE NOT HAS t:orders CLOSE END", [("Dan",)]),
    "has_deeper": (
        f"{_NAME} WHERE HAS t:order_items v:products.category=tents CLOSE END",
        [("Ben",)],
    ),
    "count_of_many": (f"{_NAME} WHERE GE COUNT t:orders n:2 END", [("Ada",), ("Cleo",)]),
    "count_of_many_not": (
        f"{_NAME} WHERE NOT LE COUNT t:orders n:1 END",
        [("Ada",), ("Cleo",), ("Dan",)],
    ),
    "or_over_tables": (
        f"COUNT t:customers WHERE OR v:customers.country=GB {_RETURNED} END",
        [(2,)],
    ),
    "not_in": (f"COUNT t:orders WHERE NOT OR {_CANCELLED} {_RETURNED} END", [(4,)]),
    "flag_not": ("COUNT t:orders WHERE NOT c:orders.is_gift END", [(5,)]),
    "null": ("COUNT t:orders WHERE NULL c:orders.store_id END", [(2,)]),
    "like": (
        "c:products.product_name WHERE LIKE c:products.product_name s:TENT END",
        [("Larch Tent",)],
    ),
    "rule": ("COUNT t:orders WHERE r:large END", [(3,)]),
    "above_average": ("c:orders.order_id WHERE GT c:orders.amount AVERAGE END", [(1,), (3,)]),
    "below_average_not": (
        "c:orders.order_id WHERE NOT GT c:orders.amount AVERAGE END",
        [(2,), (4,), (5,), (6,)],
    ),
    "above_average_of_a_partner": (
        # The average is over products, not over the items sold of them: 110, and not 61.67.
        "c:order_items.item_id WHERE LT c:products.price AVERAGE END",
        [(1,), (2,), (3,), (5,), (6,)],
    ),
    "above_average_of_its_kind": (
        "c:products.product_name WHERE GT c:products.price AVG_EACH c:products.category END",
        [("Night Hike",)],
    ),
    "above_average_of_a_partners_kind_not": (
        "c:order_items.item_id WHERE NOT GT c:products.price AVG_EACH c:products.category END",
        [(1,), (3,), (4,), (6,)],
    ),
    "above_average_days": (
        "c:orders.order_id WHERE GT DIFF c:orders.paid_on c:orders.due_on AVERAGE END",
        [(2,)],
    ),
    "distinct_through_bridge": (
        "c:products.category COUNT t:customers END",
        [("coffee beans", 2), ("tents", 1)],
    ),
    "count_distinct": ("COUNT_DISTINCT c:orders.customer_id END", [(3,)]),
    "two_tables_by_group": (
        f"{_COUNTRY} m:revenue m:units ASC {_COUNTRY} END",
        [("DE", 450, 12), ("FR", 100, 1)],
    ),
    "two_tables_by_month": (
        "MONTH TIME m:revenue m:units END",
        [(JAN, 150, 6), (FEB, 320, 7), (MAR, 110, None), (None, None, 3)],
    ),
    "share": (
        "c:orders.status SHARE COUNT t:orders END",
        [("completed", 4 / 6), ("returned", 1 / 6), ("cancelled", 1 / 6)],
    ),
    "share_of_difference": (
        f"{_COUNTRY} SHARE m:open_revenue END",
        [("DE", 300 / 380), ("FR", 80 / 380)],
    ),
    "change": (
        "MONTH TIME m:revenue CHANGE m:revenue END",
        [(JAN, 150, None), (FEB, 320, 170 / 150), (MAR, 110, -210 / 320)],
    ),
    "change_from_before": (
        "MONTH TIME CHANGE m:revenue WHERE d:2025-03-01/2025-04-01 END",
        [(MAR, -210 / 320)],
    ),
    "change_over_months": (
        "MONTH TIME CHANGE_OVER n:2 m:revenue WHERE d:2025-03-01/ END",
        [(MAR, -40 / 150)],
    ),
    "rolling_average": (
        "MONTH TIME ROLLING_AVG n:2 m:revenue END",
        [(JAN, 150), (FEB, 235), (MAR, 215)],
    ),
    "rolling_sum_from_before": (
        "MONTH TIME ROLLING_SUM n:2 m:revenue WHERE d:2025-02-01/2025-04-01 END",
        [(FEB, 470), (MAR, 430)],
    ),
    "weekends": ("WEEKEND TIME COUNT t:orders END", [("weekday", 6)]),
    "days_of_the_week": ("COUNT t:orders WHERE WEEKDAYS TIME s:Monday,Friday END", [(3,)]),
    "second_best": (f"{_COUNTRY} m:revenue DESC m:revenue LIMIT ONE SKIP n:1 END", [("FR", 100)]),
    "share_of_the_first": (
        f"{_NAME} m:revenue DESC m:revenue LIMIT ONE OF_TOTAL END",
        [(300 / 580,)],
    ),
    "share_of_the_first_rows": (
        "c:products.product_name DESC c:products.price LIMIT n:2 OF_TOTAL END",
        [(320 / 330,)],
    ),
    "under_the_whole": (f"{_COUNTRY} HAVING LT m:average_order_value OVERALL END", [("FR",)]),
    "share_over": (f"{_COUNTRY} HAVING GT SHARE m:revenue n:0.5 END", [("DE",)]),
    "running": ("MONTH TIME RUNNING m:revenue END", [(JAN, 150), (FEB, 470), (MAR, 580)]),
    "running_by_group": (
        "c:orders.is_gift MONTH TIME RUNNING m:revenue END",
        [(True, JAN, 50), (False, JAN, 100), (False, FEB, 420), (False, MAR, 530)],
    ),
    "top_per_group": (
        f"c:stores.city {_NAME} m:revenue DESC m:revenue LIMIT ONE PER c:stores.city END",
        [("Berlin", "Ben", 300), ("York", "Cleo", 20)],
    ),
    "top_rows": (
        f"c:orders.order_id {_NAME} DESC c:orders.amount LIMIT n:2 END",
        [(3, "Ben"), (1, "Ada")],
    ),
    "pairs": (f"{_COUNTRY} c:stores.city END", [("DE", "Berlin"), ("FR", "York")]),
    "or_of_a_partner": (
        "COUNT t:orders WHERE OR v:customers.country=DE v:orders.status=completed END",
        [(5,)],
    ),
    "partner_unknown": ("COUNT t:orders WHERE NULL c:customers.country END", [(1,)]),
    "tables_with_gaps": (
        "c:customers.is_member m:revenue COUNT t:customers END",
        [(True, 250, 2), (False, 300, 1), (None, None, 1)],
    ),
    "average_of_groups": ("AVG_EACH m:revenue MONTH TIME END", [(580 / 3,)]),
    "having_average": (f"{_COUNTRY} m:revenue HAVING GT m:revenue AVERAGE END", [("DE", 450)]),
    "having_number": (f"{_NAME} HAVING GT COUNT t:orders n:1 END", [("Ada",), ("Cleo",)]),
    "dates_of_timestamps": ("m:revenue WHERE d:2025-01-01/2025-02-01 END", [(150,)]),
    "dates_of_another_table": (
        "COUNT t:orders WHERE ON c:customers.signed_up_on d:2025-01-01/ END",
        [(2,)],
    ),
    "weekdays": (
        "DOW TIME COUNT t:orders END",
        [("Wednesday", 2), ("Friday", 1), ("Monday", 2), ("Thursday", 1)],
    ),
    "rate": (f"RATE {_CANCELLED} END", [(1 / 6,)]),
    "part_of_a_count": (f"COUNT t:orders ONLY COUNT t:orders {_RETURNED} END", [(6, 1)]),
    "part_by_group": (
        f"{_COUNTRY} m:revenue ONLY m:revenue c:orders.is_gift END",
        [("DE", 450, 50), ("FR", 100, None)],
    ),
    "part_as_share": (
        "DIV ONLY m:revenue v:customers.country=DE m:revenue END",
        [(450 / 580,)],
    ),
    "parts_in_time": (
        "SUB ONLY m:revenue d:2025-02-01/2025-03-01 ONLY m:revenue d:2025-01-01/2025-02-01 END",
        [(170,)],
    ),
    "column_against_column": (
        "c:orders.order_id WHERE GT c:orders.paid_on c:orders.due_on END",
        [(2,)],
    ),
    "column_not_against_column": (
        "c:orders.order_id WHERE NOT GE c:orders.refund c:orders.amount END",
        [(1,), (2,), (4,), (6,)],
    ),
    "days_between": ("AVG DIFF c:orders.paid_on c:orders.due_on END", [(0.5,)]),
    "difference_of_columns": (
        "c:orders.order_id DIFF c:orders.amount c:orders.refund "
        "DESC DIFF c:orders.amount c:orders.refund LIMIT ONE END",
        [(1, 100)],
    ),
    "difference_compared": (
        "COUNT t:orders WHERE GT DIFF c:orders.paid_on c:orders.due_on n:0 END",
        [(1,)],
    ),
    "count_of_many_in_time": (
        f"{_NAME} WHERE GE ONLY COUNT t:orders d:2025-02-01/ n:2 END",
        [("Cleo",)],
    ),
    "day_before_having": (
        "c:stores.store_name WHERE d:2025-02-01/ HAVING GT COUNT t:orders n:1 END",
        [("Soho",)],
    ),
    "always_gives_way_to_part": (f"COUNT t:orders ONLY COUNT t:orders {_CANCELLED} END", [(5, 1)]),
    "always": ("COUNT t:orders END", [(5,)]),
    "always_by_group": ("c:orders.status COUNT t:orders END", [("completed", 4), ("returned", 1)]),
    "always_gives_way": (f"COUNT t:orders WHERE {_CANCELLED} END", [(1,)]),
    "always_gives_way_to_rate": (f"RATE {_CANCELLED} END", [(1 / 6,)]),
    # The average of the orders that count is 100; over all of them it would be 96.67.
    "always_in_the_average": ("c:orders.order_id WHERE GT c:orders.amount AVERAGE END", [(3,)]),
    # Above the 50 of the completed ones; the cancelled one is no peer of its own average.
    "always_in_the_average_of_its_kind": (
        "c:orders.order_id WHERE GT c:orders.amount AVG_EACH c:orders.status END",
        [(1,)],
    ),
    "always_gives_way_to_its_opposite": (f"RATE NOT {_CANCELLED} END", [(5 / 6,)]),
    "always_gives_way_to_its_own_rate": ("RATE r:valid END", [(5 / 6,)]),
    "always_beside_a_rate": ("RATE c:orders.is_gift END", [(1 / 5,)]),
    "always_beside_metric": ("m:revenue AVG c:orders.amount END", [(580, 100)]),
}


def sql_of(binder: Binder, text: str) -> str:
    plan = from_tokens(text.split())
    assert plan is not None
    return binder.sql(plan)


def plain(value: object) -> object:
    """Numbers of any type to six digits, so that they compare by value."""
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        return value
    return round(float(value), 6)


@pytest.mark.parametrize("name", CASES)
def test_a_plan_becomes_its_golden_sql_and_rows(name: str, execute: Execute) -> None:
    text, rows = CASES[name]
    sql = sql_of(ALWAYS if name.startswith("always") else PLAIN, text)
    golden = GOLDEN / f"{name}.sql"
    if os.environ.get("T2S_GOLDEN") == "write":
        golden.write_text(f"{sql}\n", encoding="utf-8")
    assert f"{sql}\n" == golden.read_text(encoding="utf-8")
    result = execute(sql)
    assert isinstance(result, Rows), result.message
    found = [tuple(map(plain, row)) for row in result.rows]
    wanted = [tuple(map(plain, row)) for row in rows]
    if "order by" in sql.splitlines()[-1] or "limit" in sql.splitlines()[-1]:
        assert found == wanted
    assert Counter(found) == Counter(wanted)


def test_every_golden_file_has_its_plan() -> None:
    assert {path.stem for path in GOLDEN.glob("*.sql")} == set(CASES)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("COUNT t:nowhere END", "no table"),
        ("c:nowhere.x END", "no table"),
        ("c:orders.nothing END", "no column"),
        ("m:nothing END", "no metric"),
        ("COUNT t:orders WHERE r:nothing END", "no rule"),
        ("COUNT t:orders WHERE v:orders.amount=1;drop END", "no value"),
        ("COUNT t:orders WHERE v:orders.is_gift=maybe END", "no value"),
        ("COUNT t:orders WHERE GT c:orders.amount n:1) END", "no number"),
        ("COUNT t:orders WHERE d:yesterday/ END", "no range of days"),
        ("COUNT t:orders WHERE d:/ END", "neither start nor end"),
        ("c:orders.order_id DESC c:orders.amount LIMIT n:x END", "no number of rows"),
        (f"{_COUNTRY} m:revenue LIMIT ONE SKIP n:x END", "no number of rows before"),
        (f"{_COUNTRY} m:revenue OF_TOTAL END", "the first few"),
        ("MONTH TIME m:revenue DESC MONTH TIME LIMIT ONE OF_TOTAL END", "what adds up"),
        (f"{_COUNTRY} DESC m:average_order_value LIMIT ONE OF_TOTAL END", "what adds up"),
        ("MONTH TIME ROLLING_AVG n:1 m:revenue END", "no number of periods"),
        ("COUNT t:orders WHERE WEEKDAYS TIME s:Someday END", "no days of the week"),
        ("COUNT t:orders WHERE GT c:orders.amount OVERALL END", "no share in a whole"),
        ("SUM c:orders.status END", "no number"),
        ("m:revenue AVG_EACH m:revenue MONTH TIME END", "stands alone"),
        ("AVG_EACH m:revenue MONTH TIME LIMIT ONE END", "stands alone"),
        ("RUNNING m:revenue END", "needs a time"),
        ("MONTH TIME c:stores.city END", "which time"),
        ("c:products.category m:revenue END", "finer table"),
        (f"{_COUNTRY} m:revenue m:units DESC m:units LIMIT ONE PER {_COUNTRY} END", "one table"),
        (f"{_COUNTRY} m:revenue DESC m:revenue LIMIT ONE PER c:stores.city END", "selects"),
        (f"{_COUNTRY} m:revenue ASC c:stores.city END", "selects"),
        (f"DISTINCT {_COUNTRY} ASC {_NAME} END", "selected"),
        (f"{_COUNTRY} m:cumulative_revenue END", "MetricFlow does not give"),
        ("m:cumulative_revenue m:revenue END", "one dimension"),
        ("m:cumulative_revenue WHERE d:2025-02-01/2025-02-05 END", "no period of that length"),
        ("m:cumulative_revenue WHERE d:2025-02-01/2025-03-01 r:large END", "alone"),
        ("m:cumulative_revenue WHERE r:large END", "in time alone"),
        ("c:products.category WHERE HAS t:customers CLOSE END", "does not lead"),
        ("RATE d:2025-01-01/ END", "of what"),
        ("AVG DIFF c:orders.paid_on c:orders.amount END", "cannot be compared"),
        ("AVG DIFF c:orders.ordered_at c:order_items.shipped_on END", "cannot be compared"),
        ("COUNT t:orders WHERE GT c:orders.paid_on c:orders.amount END", "cannot be compared"),
        (f"{_COUNTRY} HAVING GT m:revenue c:orders.amount END", "with numbers only"),
        ("c:orders.status SHARE m:average_order_value END", "no total"),
        ("c:orders.status SHARE AVG c:orders.amount END", "no total"),
        ("MONTH TIME RUNNING RATE c:orders.is_gift END", "no total"),
    ],
)
def test_what_makes_no_sense_is_refused_by_name(text: str, reason: str) -> None:
    with pytest.raises(QueryPlanError, match=reason):
        sql_of(PLAIN, text)


def test_what_adds_up_is_told_as_it_stood_at_the_end(execute: Execute) -> None:
    schema = shop_schema()
    *others, cumulative = schema.metrics
    month = cumulative.compiled[1]
    day = CompiledMetric(
        "metric_time__day",
        month.sql.replace("month", "day"),
        month.metric_alias,
        "metric_time__day",
        grain="DAY",
    )
    daily = replace(cumulative, compiled=(*cumulative.compiled, day))
    binder = Binder(replace(schema, metrics=(*others, daily)))
    result = execute(sql_of(binder, "m:cumulative_revenue WHERE d:2025-02-01/2025-02-20 END"))
    assert isinstance(result, Rows), result.message
    assert [tuple(map(plain, row)) for row in result.rows] == [(450,)]


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        ("SUB m:placed m:due WHERE d:2025-02-01/2025-03-01 END", [(2 - 3,)]),
        ("MONTH TIME m:placed m:due END", [(JAN, 2, 1), (FEB, 2, 3), (MAR, 2, 1), (APR, None, 1)]),
        ("SUB m:placed m:due END", [(0,)]),
        ("SUB m:placed m:due WHERE ON c:orders.due_on d:2025-02-01/2025-03-01 END", [(0,)]),
    ],
)
def test_each_metric_has_its_own_time(text: str, rows: list[Row], execute: Execute) -> None:
    schema = shop_schema()
    metrics = tuple(
        Metric(name, "simple", measure=Measure(name, "orders", "count", "1", time))
        for name, time in (("placed", "ordered_at"), ("due", "due_on"))
    )
    binder = Binder(replace(schema, metrics=(*schema.metrics, *metrics)))
    result = execute(sql_of(binder, text))
    assert isinstance(result, Rows), result.message
    assert [tuple(map(plain, row)) for row in result.rows] == rows


@pytest.mark.parametrize(
    ("text", "known"),
    [
        ("c:orders.status COUNT t:orders DESC COUNT t:orders LIMIT ONE END", True),
        ("DISTINCT c:orders.status END", True),
        ("c:orders.status COUNT t:orders END", False),
        ("c:orders.order_id c:orders.status DESC c:orders.amount LIMIT n:3 END", False),
    ],
)
def test_nothing_is_no_answer_to_which(text: str, known: bool) -> None:
    assert ("status is not null" in sql_of(Binder(with_gaps("status")), text)) is known


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        ("AVG_EACH COUNT t:orders c:orders.customer_id END", [(5 / 3,)]),
        (
            "c:orders.customer_id COUNT t:orders HAVING LT COUNT t:orders AVERAGE END",
            [(2, 1)],  # and not those of no customer
        ),
    ],
)
def test_rows_without_a_value_are_no_group_to_average(
    execute: Execute, text: str, rows: list[tuple[object, ...]]
) -> None:
    result = execute(sql_of(Binder(with_gaps("customer_id")), text))
    assert isinstance(result, Rows), result.message
    assert [tuple(map(plain, row)) for row in result.rows] == [tuple(map(plain, r)) for r in rows]


@pytest.mark.parametrize(
    ("text", "counted"),
    [
        ("c:orders.order_id DESC c:orders.amount LIMIT n:2 END", True),
        ("c:orders.order_id c:orders.amount WHERE EQ c:orders.order_id n:5 END", False),
        (f"c:orders.order_id WHERE {_CANCELLED} END", False),
        (f"{_NAME} WHERE HAS t:orders CLOSE END", True),
        (f"{_NAME} WHERE HAS t:orders {_CANCELLED} CLOSE END", False),
    ],
)
def test_rules_that_always_hold_do_so_in_lists(text: str, counted: bool) -> None:
    """Except for a row asked for by its key, and where the question speaks of the column itself."""
    assert ("status <> 'cancelled'" in sql_of(ALWAYS, text)) is counted


def test_filters_of_metrics_in_another_order_share_a_where() -> None:
    shop = shop_schema()
    revenue = next(m for m in shop.metrics if m.name == "revenue")
    tables = ("orders",)

    def filtered(name: str, predicate: str) -> Metric:
        return replace(revenue, name=name, filters=(MetricFilter(predicate, tables),))

    one, other = "orders.status <> 'cancelled'", "orders.channel = 'web'"
    both = (filtered("kept", f"{one} AND {other}"), filtered("left", f"{other} and {one}"))
    schema = replace(shop, metrics=(*shop.metrics, *both))
    plan = from_tokens(("m:kept", "m:left", "END"))
    assert plan is not None
    made = Binder(schema).sql(plan).lower()
    assert "case" not in made
    assert made.count("cancelled") == 1
