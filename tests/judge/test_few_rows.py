"""Files of few rows: drawn from a file, whole in what refers to what, and the same each time."""

from __future__ import annotations

import math
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from dbt_t2s import duck
from dbt_t2s.duck import Rows
from dbt_t2s.judge.few_rows import FEWEST, MOST, make_few, without_nothing
from dbt_t2s.judge.sandbox import Sandbox
from dbt_t2s.judge.validate import House, validate
from dbt_t2s.project.schema import Join, ProjectSchema
from tests.judge.pairs import Pair, told_apart
from tests.judge.test_instances import CUSTOMERS, LINES, ORDERS, rows, schema
from tests.judge.test_validate import item, ok

SCHEMA = schema(CUSTOMERS, ORDERS, LINES)
RELATIONS = ("shop.marts.customers", "marts.orders", '"shop"."marts"."order_lines"')
FILES = 6
REPEATED = ("ordered_on", "net", "channel")


@pytest.fixture(scope="module")
def few(warehouse: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, ...]:
    return make_few(warehouse, tmp_path_factory.mktemp("few"), SCHEMA, RELATIONS, FILES)


def test_tables_have_few_rows_and_those_they_refer_to(
    few: tuple[Path, ...], warehouse: Path
) -> None:
    assert len(few) == FILES
    orphans = (
        "select count(*) from marts.order_lines as l anti join marts.orders as o using (order_id)"
    )
    assert rows(warehouse, orphans) == ((0,),)
    for path in few:
        ((lines, orders),) = rows(
            path,
            "select (select count(*) from marts.order_lines), (select count(*) from marts.orders)",
        )
        assert isinstance(lines, int) and FEWEST <= lines <= MOST
        assert isinstance(orders, int) and FEWEST <= orders <= 2 * MOST
        assert rows(path, orphans) == ((0,),)


def test_values_stay_as_they_are(few: tuple[Path, ...], warehouse: Path) -> None:
    every = "select * from marts.orders"
    there = set(rows(warehouse, every))
    assert all(set(rows(path, every)) <= there for path in few)


def test_the_same_seed_draws_the_same_rows(
    few: tuple[Path, ...], warehouse: Path, tmp_path: Path
) -> None:
    every = "select * from marts.orders order by all"
    again = make_few(warehouse, tmp_path / "again", SCHEMA, RELATIONS, FILES)
    other = make_few(warehouse, tmp_path / "other", SCHEMA, RELATIONS, FILES, seed=1)
    assert [rows(path, every) for path in again] == [rows(path, every) for path in few]
    assert [rows(path, every) for path in other] != [rows(path, every) for path in few]


def test_what_is_no_table_of_the_schema_stays_whole_and_what_is_not_read_is_left_out(
    warehouse: Path, tmp_path: Path
) -> None:
    (path,) = make_few(warehouse, tmp_path, schema(ORDERS, joins=()), RELATIONS[:2], 1)
    every = "select count(*) from marts.customers"
    assert rows(path, every) == rows(warehouse, every)
    assert {name for _, _, name, _ in duck.relations_of(path)} == {"customers", "orders"}


def test_a_wide_mart_has_the_rows_of_the_table_that_it_repeats(
    warehouse: Path, tmp_path: Path
) -> None:
    """A gold may read either: so may an answer."""
    path = tmp_path / warehouse.name
    shutil.copy(warehouse, path)
    with duck.open_writable(path) as connection:
        connection.execute(
            "create table marts.line_details as select l.line_id, l.order_id, l.quantity,"
            " o.ordered_on, o.net, o.channel from marts.order_lines as l"
            " join marts.orders as o using (order_id)"
        )
    details = replace(
        LINES,
        name="line_details",
        relation="marts.line_details",
        columns=(*LINES.columns, *(c for c in ORDERS.columns if c.name in REPEATED)),
    )
    repeating = schema(
        CUSTOMERS, ORDERS, LINES, details,
        joins=(*SCHEMA.joins, Join("line_details", ("line_id",), "order_lines", ("line_id",))),
    )  # fmt: skip
    few = make_few(path, tmp_path / "few", repeating, (*RELATIONS, "marts.line_details"), FILES)
    for each in few:
        drawn = rows(each, "select line_id, quantity from marts.order_lines order by all")
        assert drawn == rows(each, "select line_id, quantity from marts.line_details order by all")
        assert len(drawn) <= 2 * MOST


def test_a_cycle_of_references_ends(tmp_path: Path) -> None:
    path = tmp_path / "x.duckdb"
    with duck.open_writable(path) as connection:
        connection.execute(
            "create table staff as select i as order_id, (i + 1) % 40 as customer_id from range(40)"
            " as r(i)"
        )
    boss = replace(ORDERS, name="staff", relation="staff", columns=ORDERS.columns[:2])
    joins = (replace(SCHEMA.joins[0], table="staff", to_table="staff", to_columns=("order_id",)),)
    found = make_few(
        path, tmp_path / "few", ProjectSchema("x", "duckdb", (boss,), joins), ("staff",)
    )
    assert rows(found[0], "select count(*) from staff") == ((40,),)


def test_they_tell_what_much_data_hides(warehouse: Path, tmp_path: Path) -> None:
    """Every channel has an order over 50 there; among a few orders some have none."""
    gold = "select distinct channel from marts.orders where gross > 50"
    near = Pair(gold, "filter", "select distinct channel from marts.orders")
    assert not told_apart(warehouse, [near])
    few = make_few(warehouse, tmp_path, SCHEMA, RELATIONS)
    assert any(told_apart(path, [near], of_few=True) for path in few)
    limited = "select channel from marts.orders order by gross desc limit 1"
    same = Pair(limited, "order", limited.replace("gross desc", "gross desc, order_id"))
    assert not any(told_apart(path, [same], of_few=True) for path in few)


def test_an_answer_is_wrong_where_a_file_of_few_rows_says_so(
    warehouse: Path, tmp_path: Path
) -> None:
    gold = "select distinct channel from marts.orders where gross > 50"
    other = "select distinct channel from marts.orders"
    first, *others = make_few(warehouse, tmp_path, SCHEMA, RELATIONS[1:2])
    question = item("Which channels had an order over 50?", gold)
    customers = (
        "select distinct o.channel from marts.orders as o"
        " join marts.customers using (customer_id) where gross > 50"
    )
    with (
        Sandbox(warehouse, RELATIONS) as whole,
        Sandbox(first, RELATIONS, others=others) as few,
    ):

        def judged(sql: str, *, looked: bool = True) -> tuple[bool, str, str | None]:
            report = validate(
                [question],
                lambda _: [ok(sql)],
                whole.execute_each,
                1,
                "duckdb",
                house=House((CUSTOMERS, ORDERS)),
                few=few.execute_each if looked else None,
            )
            (outcome,) = report.outcomes
            return outcome.correct, outcome.detail, outcome.cause

        assert judged(other, looked=False)[0]
        correct, detail, cause = judged(other)
        assert not correct
        assert detail.endswith("(on few rows)")
        assert cause == "wrong filter"
        assert judged(gold.upper())[0]
        # It reads the customers, too: of those the few files may have other rows, or none.
        assert judged(customers)[0] == judged(customers, looked=False)[0]


@pytest.mark.parametrize(
    ("types", "values", "expected"),
    [
        (("BIGINT",), ((None,),), ((0,),)),
        (("DOUBLE",), ((math.nan,), (math.inf,)), ((0,), (0,))),
        (("VARCHAR", "BIGINT"), (("a", None), ("b", 0), (None, 2)), (("b", 0), (0, 2))),
        (("VARCHAR",), ((None,), ("a",)), ((0,), ("a",))),
        (("VARCHAR", "DECIMAL(9,2)", "INTEGER"), (("a", None, 0),), (("a", 0, 0),)),
    ],
)
def test_nothing_is_nothing_however_it_is_written(
    types: tuple[str, ...],
    values: tuple[tuple[object, ...], ...],
    expected: tuple[tuple[object, ...], ...],
) -> None:
    names = tuple("abc"[: len(types)])
    assert without_nothing(Rows(names, types, values)).rows == expected
