"""Several edges between two tables: the one that is meant is the one whose words are said."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from dbt_t2s import duck
from dbt_t2s.duck import Rows
from dbt_t2s.project.schema import Column, Join, Kind, ProjectSchema, Role, Table
from dbt_t2s.query.bind import Binder
from dbt_t2s.query.linear import from_tokens
from dbt_t2s.query.plan import Col, Count, Plan, Value
from dbt_t2s.query.said_joins import SaidJoins


def column(name: str, role: Role = Role.CATEGORY) -> Column:
    return Column(name, "VARCHAR", Kind.TEXT, role)


def table(name: str, *columns: Column) -> Table:
    keys = tuple(c.name for c in columns if c.role is Role.KEY)
    return Table(name, f"bikes.main.{name}", f"model.bikes.{name}", "", columns, primary_key=keys)


STATIONS = table("stations", column("station_id", Role.KEY), column("city"))
TRIPS = table(
    "trips",
    column("trip_id", Role.KEY),
    column("start_station_id", Role.FOREIGN_KEY),
    column("end_station_id", Role.FOREIGN_KEY),
    column("station_id", Role.FOREIGN_KEY),
)
START, END, OWNER = (
    Join("trips", (each,), "stations", ("station_id",), proven=True)
    for each in ("start_station_id", "end_station_id", "station_id")
)
SCHEMA = ProjectSchema("bikes", "duckdb", (STATIONS, TRIPS), (START, END, OWNER))
ROWS = """
create table stations as select * from (values ('s', 'Berlin'), ('e', 'Paris'), ('o', 'Rome'))
as t(station_id, city);
create table trips as select '1' as trip_id, 's' as start_station_id, 'e' as end_station_id,
'o' as station_id
"""


@pytest.mark.parametrize(
    ("question", "city"),
    [
        ("cities of the stations where trips start", "Berlin"),
        ("trips by the city of the ending station", "Paris"),
        ("where did the trips end?", "Paris"),
        # Nothing is said, or both: the first edge, as ever.
        ("trips by city", "Berlin"),
        ("trips by the city of their start and their end", "Berlin"),
    ],
)
def test_the_edge_whose_words_are_said_is_taken(question: str, city: str, tmp_path: Path) -> None:
    path = tmp_path / "bikes.duckdb"
    with duck.open_writable(path) as connection:
        connection.execute(ROWS)
        sql = Binder(SCHEMA).asked(question).sql(Plan((Col("stations", "city"), Count("trips"))))
        found = duck.run(connection, sql)
    assert isinstance(found, Rows) and found.rows == ((city, 1),)


def test_a_search_takes_the_edge_too() -> None:
    plan = Plan((Count("trips"),), where=(Value("stations", "city", "Paris"),))
    binder = Binder(SCHEMA)
    assert "end_station_id" in binder.asked("how many trips ended in Paris").sql(plan)
    assert "start_station_id" in binder.sql(plan)  # and the binder itself is as it was


def test_edges_that_are_alone_or_unproven_beside_proven_ones_are_left() -> None:
    alone = ProjectSchema("bikes", "duckdb", (STATIONS, TRIPS), (START,))
    assert SaidJoins(alone).passed_over("where did the trips end?") == frozenset()
    guessed = Join("trips", ("end_station_id",), "stations", ("station_id",), proven=False)
    mixed = ProjectSchema("bikes", "duckdb", (STATIONS, TRIPS), (START, guessed))
    assert SaidJoins(mixed).passed_over("where did the trips end?") == frozenset()


def test_the_words_of_an_edge_are_those_that_no_other_and_no_table_has() -> None:
    said = SaidJoins(SCHEMA)
    assert [said.role(each) for each in (START, END, OWNER)] == [("start",), ("end",), ()]


def test_a_letter_is_said_after_the_word_before_it_alone() -> None:
    first, second = (replace(START, columns=(f"{each}_id",)) for each in ("stop_a", "stop_b"))
    said = SaidJoins(ProjectSchema("bikes", "duckdb", (STATIONS, TRIPS), (first, second)))
    assert [said.role(each) for each in (first, second)] == [("stop a",), ("stop b",)]
    assert said.passed_over("trips by the city of stop B") == {first}
    assert said.passed_over("trips of plan b by city, each stop") == frozenset()
    assert said.passed_over("stop a and stop b of all trips") == frozenset()


def test_common_words_are_said_of_what_is_joined_alone() -> None:
    first, last = (replace(START, columns=(f"{each}_station_id",)) for each in ("first", "last"))
    said = SaidJoins(ProjectSchema("bikes", "duckdb", (STATIONS, TRIPS), (first, last)))
    assert said.passed_over("trips by city last month") == frozenset()
    assert said.passed_over("trips by their last station's city") == {first}


def test_of_two_ways_the_one_is_taken_that_the_question_names() -> None:
    """Lessons lead to families by their pupil and, where they have one, by their package."""
    schema = diamond()
    binder = Binder(schema)
    plan = from_tokens("COUNT t:lessons WHERE v:families.town=York END".split())
    assert plan is not None
    assert "main.pupils" in binder.sql(plan).lower()  # fewer rows lack one
    for question, way in (
        ("lessons of pupils from York", "pupils"),
        ("lessons in a package of families from York", "packages"),
        ("lessons of families from York", "pupils"),
    ):
        assert f"main.{way}" in binder.asked(question).sql(plan).lower(), question
    assert SaidJoins(schema).through("lessons of families from York") == frozenset()


def diamond() -> ProjectSchema:
    package = replace(column("package_id", Role.FOREIGN_KEY), null_share=0.2)
    to_family = column("family_id", Role.FOREIGN_KEY)
    lessons = table("lessons", column("lesson_id", Role.KEY), package, column("pupil_id"))
    tables = (
        lessons,
        table("packages", column("package_id", Role.KEY), to_family),
        table("pupils", column("pupil_id", Role.KEY), to_family),
        table("families", column("family_id", Role.KEY), column("town")),
    )
    edges = (
        ("lessons", "package_id", "packages"), ("lessons", "pupil_id", "pupils"),
        ("packages", "family_id", "families"), ("pupils", "family_id", "families"),
    )  # fmt: skip
    joins = tuple(Join(one, (key,), other, (key,)) for one, key, other in edges)
    return ProjectSchema("x", "duckdb", tables, joins)
