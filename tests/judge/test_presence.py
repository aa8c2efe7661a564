"""What is filled beside what: measured on rows, and kept in copies and perturbed instances."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dbt_t2s import duck
from dbt_t2s.judge.instances import make_instances
from dbt_t2s.judge.presence import Presence, presences
from dbt_t2s.judge.witnesses import plant
from dbt_t2s.project.schema import Column, Join, Kind, ProjectSchema, Role, Table
from tests.judge.test_instances import column, one

# Refunds have a day; three in four of the accepted have a note, the others none.
ORDERS = (
    "create table orders as select i as order_id, 2 + i % 40 as amount from range(200) as r(i)",
    "create table refunds as select i as refund_id, i % 200 as order_id,"
    " ['paid', 'asked', 'turned down'][1 + i % 3] as status,"
    " case when i % 3 = 0 then date '2026-01-01' + (i // 3)::integer end as paid_on,"
    " case when i % 3 = 0 then i % 9 + 1 end as days,"
    " case when i % 3 < 2 and i % 4 > 0 then 'note ' || i end as note,"
    " case when i % 5 > 0 then 'tag' end as tag"
    " from range(150) as r(i)",
)


def table(name: str, *columns: Column) -> Table:
    key = columns[0].name
    return Table(name, f"main.{name}", f"model.x.{name}", "", columns, primary_key=(key,))


SCHEMA = ProjectSchema(
    "x",
    "duckdb",
    (
        table(
            "orders",
            column("order_id", Role.KEY, Kind.NUMBER, "BIGINT"),
            column("amount", Role.MEASURE, Kind.NUMBER, "BIGINT"),
        ),
        table(
            "refunds",
            column("refund_id", Role.KEY, Kind.NUMBER, "BIGINT"),
            column("order_id", Role.FOREIGN_KEY, Kind.NUMBER, "BIGINT"),
            column("status", Role.CATEGORY, Kind.TEXT, "VARCHAR", nullable=True),
            column("paid_on", Role.TIME, Kind.DATE, "DATE", nullable=True),
            column("days", Role.MEASURE, Kind.NUMBER, "BIGINT", nullable=True),
            column("note", Role.TEXT, Kind.TEXT, "VARCHAR", nullable=True),
            column("tag", Role.CATEGORY, Kind.TEXT, "VARCHAR", nullable=True),
        ),
    ),
    (Join("refunds", ("order_id",), "orders", ("order_id",)),),
)


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    path = tmp_path / "shop" / "x.duckdb"
    path.parent.mkdir()
    with duck.open_writable(path) as connection:
        for statement in ORDERS:
            connection.execute(statement)
    return path


@pytest.fixture
def found(shop: Path) -> Iterator[dict[tuple[str, str], Presence]]:
    connection = duck.open_read_only(shop)
    described = connection.execute("describe refunds").fetchall()
    columns = [(str(row[0]), str(row[1])) for row in described]
    yield {(p.column, p.other): p for p in presences(connection, "refunds", columns)}
    connection.close()


def test_a_value_says_whether_another_column_is_filled(
    found: dict[tuple[str, str], Presence],
) -> None:
    paid = found["status", "paid_on"]
    assert paid.by_value and paid.says("paid") is True
    assert paid.says("asked") is False and paid.says("turned down") is False
    # What no row shows is taken to be like most: being paid is what is special.
    assert paid.says("lost in the post") is False


def test_null_says_so_too_where_a_column_has_many_values(
    found: dict[tuple[str, str], Presence],
) -> None:
    assert ("note", "paid_on") not in found  # it is filled for the paid and for the asked
    days = found["paid_on", "days"]
    assert not days.by_value
    assert days.says(None) is False and days.says("2026-01-04") is True


def test_what_only_some_values_say_is_said_of_them_alone(
    found: dict[tuple[str, str], Presence],
) -> None:
    note = found["status", "note"]
    assert note.empty == ("turned down",) and note.filled == ()
    assert note.says("paid") is None and note.says("lost in the post") is None


def test_what_may_be_chance_says_nothing(found: dict[tuple[str, str], Presence]) -> None:
    assert ("status", "tag") not in found and ("tag", "paid_on") not in found


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from(["a", "b", "c", None]), st.one_of(st.none(), st.integers(0, 3))),
        max_size=60,
    )
)
def test_all_that_is_said_holds_in_all_rows(cells: list[tuple[str | None, int | None]]) -> None:
    with duck.open_memory() as connection:
        connection.execute("create table t (x varchar, y integer)")
        if cells:
            connection.executemany("insert into t values (?, ?)", cells)
        for each in presences(connection, "t", (("x", "VARCHAR"), ("y", "INTEGER"))):
            for x, y in cells:
                row = {"x": x, "y": y}
                assert each.says(row[each.column]) in (None, row[each.other] is not None)


BROKEN = (
    "select count(*) from refunds where (status = 'paid') is distinct from (paid_on is not null)"
    " or (paid_on is null) <> (days is null) or (status = 'turned down' and note is not null)"
)


def test_perturbed_instances_keep_it(shop: Path, tmp_path: Path) -> None:
    first, *others = make_instances(shop, tmp_path / "instances", SCHEMA, n=4)
    assert one(first, BROKEN) == 0
    for path in others:
        assert one(path, BROKEN) == 0
        # Nothing that is said of it: it still loses some.
        assert one(path, "select count(tag) from refunds") < one(
            path, "select count(*) from refunds where refund_id % 5 > 0"
        )


GOLDS = (
    "select count(*) from refunds where status = 'paid' and paid_on >= date '2026-01-20'",
    "select count(*) from refunds where status = 'asked' and note is not null",
    "select status, count(days) from refunds group by status",
)


def test_made_rows_keep_it(shop: Path) -> None:
    before = one(shop, "select count(*) from refunds")
    assert plant(shop, SCHEMA, GOLDS).rows > 0
    assert one(shop, "select count(*) from refunds") > before
    assert one(shop, BROKEN) == 0
