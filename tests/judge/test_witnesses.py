"""Rows made for queries tell them from their near misses and keep what the data keeps."""

from __future__ import annotations

import shutil
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from dbt_t2s import duck
from dbt_t2s.judge.witnesses import Planted, plant
from dbt_t2s.project.schema import (
    Column,
    Join,
    Kind,
    ProjectSchema,
    Role,
    Rule,
    RuleKind,
    Table,
)
from tests.judge.pairs import Pair, told_apart
from tests.judge.test_instances import column, one, rows

KEY, REFERENCE, DAY = Role.KEY, Role.FOREIGN_KEY, Role.TIME
NUMBER, TEXT, DATE = Kind.NUMBER, Kind.TEXT, Kind.DATE


def table(name: str, *columns: Column) -> Table:
    return Table(name, f"main.{name}", f"model.x.{name}", "", columns, primary_key=(f"{name}_id",))


PERSON = table(
    "person",
    column("person_id", KEY, NUMBER, "INTEGER"),
    column("country", Role.CATEGORY, TEXT, "VARCHAR"),
)
SALE = table(
    "sale",
    column("sale_id", KEY, NUMBER, "INTEGER"),
    column("person_id", REFERENCE, NUMBER, "INTEGER"),
    column("country", Role.CATEGORY, TEXT, "VARCHAR"),
    column("sold_on", DAY, DATE, "DATE"),
    column("sold_in", DAY, DATE, "DATE"),
    column("price", Role.MEASURE, NUMBER, "DECIMAL(10,2)"),
    column("fee", Role.MEASURE, NUMBER, "DECIMAL(10,2)"),
    column("paid", Role.MEASURE, NUMBER, "DECIMAL(10,2)"),
    column("weight", Role.MEASURE, NUMBER, "INTEGER"),
    column("note", Role.TEXT, TEXT, "VARCHAR", nullable=True),
)
# The same sales, told otherwise: one row for each of them.
DETAIL = Table(
    "detail",
    "main.detail",
    "model.x.detail",
    "",
    (SALE.columns[0], SALE.columns[3], SALE.columns[8]),
    primary_key=("sale_id",),
)
SCHEMA = ProjectSchema(
    "x",
    "duckdb",
    (PERSON, SALE, DETAIL),
    (Join("sale", ("person_id",), "person", ("person_id",)),),
)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("made") / "x.duckdb"
    with duck.open_writable(path) as connection:
        connection.execute(
            "create table person as select i::integer as person_id,"
            " ['de', 'fr', 'nl'][i % 3 + 1] as country from range(12) as r(i)"
        )
        connection.execute(
            "create table sale as select i::integer as sale_id, person_id, country, sold_on,"
            " date_trunc('month', sold_on)::date as sold_in,"
            " (10 + i % 7)::decimal(10,2) as price, (i % 5)::decimal(10,2) as fee,"
            " (10 + i % 7 + i % 5)::decimal(10,2) as paid, (i % 11)::integer as weight,"
            " nullif('n' || i % 13 % 4, 'n0') as note"
            " from (select i, date '2024-01-01' + (i * 5)::integer as sold_on,"
            " (i % 12)::integer as person_id from range(120) as r(i)) join person using (person_id)"
            " order by i"
        )
        connection.execute("create table detail as select sale_id, sold_on, weight from sale")
    return path


def planted(made: Path, folder: Path, *golds: str) -> tuple[Path, Planted]:
    folder.mkdir(exist_ok=True)
    path = Path(shutil.copyfile(made, folder / made.name))
    return path, plant(path, SCHEMA, golds)


MARCH = (
    "select count(*) from main.sale where sold_on >= date '2024-03-01' and sold_on < '2024-04-01'"
)


@pytest.mark.parametrize(
    ("gold", "miss"),
    [
        (MARCH, MARCH.replace("< ", "<= ")),
        (MARCH, MARCH.replace(">= ", "> ")),
        (MARCH + " and weight > 8", MARCH + " and weight >= 8"),
        (
            "select sum(price) from main.sale where country = 'de' and note is null",
            "select sum(price) from main.sale where note is null",
        ),
        (
            "select count(*) from main.sale where weight = 4 and (note = 'n1' or paid > 400)",
            "select count(*) from main.sale where weight = 4 and (note = 'n1' or paid > 300)",
        ),
        (
            "select p.country from main.person as p join main.sale as s"
            " on s.person_id = p.person_id where s.weight < 0",
            "select p.country from main.person as p join main.sale as s"
            " on s.person_id = p.person_id where s.weight < 1 and s.weight > 3",
        ),
        (
            "select count(*) from main.person where person_id in"
            " (select person_id from main.sale where sold_in = date '2024-02-01' and weight > 8)",
            "select count(*) from main.person where person_id in"
            " (select person_id from main.sale where sold_in = date '2024-02-01' and weight > 9)",
        ),
        (
            "select distinct country from main.person where person_id in"
            " (select person_id from main.sale where weight < 3)",
            "select distinct country from main.person",
        ),
        (
            "select country from main.sale group by country having count(*) >= 2",
            "select country from main.sale group by country having count(*) >= 3",
        ),
        (
            "select country, count(*) as n from main.sale group by country order by n desc limit 5",
            "select country, count(*) as n from main.sale group by country order by n desc limit 6",
        ),
        (
            "select count(distinct note) from main.sale where weight > 8",
            "select count(distinct note) from main.sale where weight > 7",
        ),
        # Before the first day there is.
        (
            "select count(*) from main.sale where sold_on between '2023-06-01' and '2023-08-01'",
            "select count(*) from main.sale where sold_on between '2023-07-01' and '2023-08-01'",
        ),
        # A row that the filter leaves out has the greatest weight.
        (
            "select max(weight) from main.sale where sold_on < '2024-03-01'",
            "select max(weight) from main.sale",
        ),
        (
            "select note, sum(weight) as w from main.sale group by 1 having sum(weight) >= 500",
            "select note, sum(weight) as w from main.sale group by 1 having sum(weight) > 500",
        ),
        (
            "select note, sum(weight) as w from main.sale group by 1 having sum(weight) > 500",
            "select note, sum(weight) as w from main.sale group by 1 having avg(weight) > 500",
        ),
        (
            "select count(*) from main.sale where weight > (select avg(weight) from main.sale)",
            "select count(*) from main.sale where weight >= (select avg(weight) from main.sale)",
        ),
        (
            "select date_trunc('year', sold_on) as y, sum(fee) as f from main.sale group by 1"
            " order by y limit 3",
            "select date_trunc('year', sold_on) as y, sum(fee) as f from main.sale group by 1"
            " order by y limit 4",
        ),
        # No test says that the person is always found.
        (
            "select p.country, count(*) as n from main.sale as s join main.person as p"
            " on s.person_id = p.person_id group by 1",
            "select p.country, count(*) as n from main.sale as s left join main.person as p"
            " on s.person_id = p.person_id group by 1",
        ),
    ],
)
def test_a_near_miss_is_told_apart(made: Path, tmp_path: Path, gold: str, miss: str) -> None:
    pair = Pair(gold, "", miss)
    path, found = planted(made, tmp_path, gold)
    assert found.rows > 0
    if "paid >" in gold:
        # An amount that is the sum of two others is not moved alone.
        assert not told_apart(path, [pair])
        return
    assert told_apart(path, [pair])


def test_what_the_data_holds_still_holds(made: Path, tmp_path: Path) -> None:
    path, found = planted(
        made,
        tmp_path,
        MARCH,
        "select count(*) from main.sale where country = 'fr' and sold_in = date '2024-05-01'",
        "select count(*) from main.sale where paid > 12 and weight = 3 and sale_id = 5",
        "select count(*) from main.detail where sold_on < date '2024-03-09' and weight = 2",
    )
    assert found.rows >= 8
    assert one(path, "select count(*) - count(distinct sale_id) from sale") == 0
    assert one(path, "select count(*) - count(distinct person_id) from person") == 0
    assert one(path, "select count(*) from sale where sold_in <> date_trunc('month', sold_on)") == 0
    assert one(path, "select count(*) from sale where price + fee <> paid") == 0
    assert one(path, "select count(*) from sale anti join person using (person_id)") == 0
    other = "select count(*) from sale as s join person as p using (person_id)"
    assert one(path, f"{other} where s.country <> p.country") == 0
    assert one(path, "select count(*) from sale anti join detail using (sale_id)") == 0
    same = "(s.sold_on, s.weight) = (d.sold_on, d.weight)"
    assert (
        one(
            path,
            f"select count(*) from sale as s join detail as d using (sale_id) where not {same}",
        )
        == 0
    )
    last = "select max(sold_on) from sale"
    assert rows(path, last) == rows(made, last)


LATE = "select count(*) from main.sale where sold_on >= '2027-01-01' and sold_on < '2027-03-01'"


def test_rows_end_today_and_where_the_calendar_does(made: Path, tmp_path: Path) -> None:
    pair = Pair(LATE, "", LATE.replace("2027-01", "2027-02"))
    days = (None, date(2027, 6, 30)), (None, date(2026, 6, 30)), ("2027-06-30", date(2028, 1, 1))
    for number, (ends, today) in enumerate(days):
        path = Path(shutil.copytree(made.parent, tmp_path / str(number))) / made.name
        calendars = []
        if ends is not None:
            calendars = ["main.days"]
            with duck.open_writable(path) as connection:
                connection.execute(
                    "create table days as select unnest(range(date '2020-01-01',"
                    f" date '{ends}', interval 1 day))::date as day"
                )
        plant(path, SCHEMA, (LATE,), today, calendars)
        last = rows(path, "select max(sold_on) from sale")[0][0]
        assert isinstance(last, date)
        assert today is not None and last <= today
        assert bool(told_apart(path, [pair])) is (today.year > 2026)
        if ends is not None:
            assert str(last) < ends


def test_a_list_that_a_test_closes_stays_closed(made: Path, tmp_path: Path) -> None:
    """What a test allows and no row has makes a group; what no test allows does not."""
    listed = ("de", "fr", "nl", "pl")
    rule = Rule(
        "countries", "", "person", "country IN ('de')", ("test.x.listed",), kind=RuleKind.VALUE
    )
    person = replace(
        PERSON,
        columns=(
            PERSON.columns[0],
            replace(PERSON.columns[1], values=listed, values_complete=True),
        ),
    )
    closed = replace(SCHEMA, tables=(person, SALE, DETAIL), rules=(rule,))
    gold = "select country, count(*) as n from main.person group by 1 order by n desc limit 3"
    miss = gold.replace("limit 3", "limit 4")
    path = Path(shutil.copyfile(made, tmp_path / made.name))
    plant(path, closed, (gold,))
    assert told_apart(path, [Pair(gold, "", miss)])
    found = {row[0] for row in rows(path, "select country from person")}
    assert found == set(listed)


def test_a_reference_that_a_test_proves_is_found(made: Path, tmp_path: Path) -> None:
    proven = replace(SCHEMA, joins=(replace(SCHEMA.joins[0], evidence=("test.x.found",)),))
    gold = (
        "select p.country, count(*) from main.sale as s"
        " join main.person as p on s.person_id = p.person_id group by 1"
    )
    path = Path(shutil.copyfile(made, tmp_path / made.name))
    plant(path, proven, (gold,))
    assert one(path, "select count(*) from sale anti join person using (person_id)") == 0


def test_tables_whose_keys_are_called_id_are_no_twins(tmp_path: Path) -> None:
    path = tmp_path / "x.duckdb"
    with duck.open_writable(path) as connection:
        connection.execute("create table a as select range as id from range(9)")
        connection.execute("create table b as select range as id, 'x' as name from range(9)")
    key = column("id", KEY, NUMBER, "BIGINT")
    a = Table("a", "main.a", "model.x.a", "", (key,), primary_key=("id",))
    b = Table(
        "b",
        "main.b",
        "model.x.b",
        "",
        (key, column("name", Role.CATEGORY, TEXT, "VARCHAR")),
        primary_key=("id",),
    )
    plant(path, ProjectSchema("x", "duckdb", (a, b)), ("select name from main.b where name = 'y'",))
    assert one(path, "select count(*) from b") > 9
    assert one(path, "select count(*) from a") == 9


def test_the_same_golds_give_the_same_rows(made: Path, tmp_path: Path) -> None:
    golds = (MARCH, "select country, max(price) from main.sale where weight <= 3 group by 1")
    first, found = planted(made, tmp_path / "a", *golds)
    second, again = planted(made, tmp_path / "b", *golds)
    assert found == again
    for name in ("sale", "person", "detail"):
        assert rows(first, f"select * from {name}") == rows(second, f"select * from {name}")


def test_what_cannot_be_read_plants_nothing(made: Path, tmp_path: Path) -> None:
    golds = (
        "select from where",
        "select x from main.unknown where x = 1",
        "select count(*) from main.sale where sale_id = 'no number'",
        "select count(*) from main.sale where person_id = 'no number'",
    )
    path, found = planted(made, tmp_path, *golds)
    assert one(path, "select count(*) from person") == 12
    assert found.rows <= 4


def test_the_files_own_constraints_leave_single_rows_out(tmp_path: Path) -> None:
    path = tmp_path / "x.duckdb"
    with duck.open_writable(path) as connection:
        connection.execute(
            "create table person (person_id integer, country varchar check (country <> 'nl'))"
        )
        connection.execute("insert into person values (1, 'de'), (2, 'fr')")
    only = ProjectSchema("x", "duckdb", (PERSON,), ())
    found = plant(path, only, ("select person_id from main.person where country = 'nl'",))
    assert found.torn == 1
    assert rows(path, "select count(*) from person where country = 'nl'") == ((0,),)


def test_days_that_stand_for_ever_stay(made: Path, tmp_path: Path) -> None:
    """The last day of the calendar has no day after it, whatever another date is moved by."""
    path = Path(shutil.copyfile(made, tmp_path / made.name))
    with duck.open_writable(path) as connection:
        connection.execute("update sale set sold_in = date '9999-12-31' where sale_id % 3 = 0")
        connection.execute("update sale set sold_in = date '0001-01-01' where sale_id % 10 = 1")
    golds = [
        MARCH,
        MARCH.replace("sold_on >= date '2024-03-01'", "year(sold_in) = 9999"),
        "select count(*) from main.sale where sold_in = date '9999-12-31' and weight > 8",
        "select count(*) from main.sale where sold_in > date '0001-01-01' and country = 'de'",
        "select count(*) from main.sale where date_trunc('month', sold_in) = date '9999-12-01'",
    ]
    assert plant(path, SCHEMA, golds).rows > 0
    ((latest,),) = rows(path, "select max(sold_in)::varchar from sale")
    assert latest == "9999-12-31"
