"""Rows that unit tests expect, written over real ones."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from dbt_t2s import duck
from dbt_t2s.judge.expected_rows import plant
from dbt_t2s.judge.unit_tests import Fixture, UnitTest
from dbt_t2s.project.schema import Column, Kind, Role, Table

PETS = Table(
    "pets",
    "clinic.main.pets",
    "model.clinic.pets",
    "models/pets.sql",
    (
        Column("pet_id", "INTEGER", Kind.NUMBER, Role.KEY, unique=True),
        Column("species", "VARCHAR", Kind.TEXT, Role.CATEGORY),
        Column("born_on", "DATE", Kind.DATE, Role.TIME),
        Column("is_insured", "BOOLEAN", Kind.BOOLEAN, Role.FLAG),
    ),
    primary_key=("pet_id",),
)
OWNERS = replace(
    PETS, name="owners", relation="clinic.main.owners", unique_id="model.clinic.owners"
)


@pytest.fixture
def clinic(tmp_path: Path) -> Path:
    file = tmp_path / "clinic.duckdb"
    with duck.open_writable(file) as connection:
        for name in ("pets", "owners"):
            made = duck.run(
                connection,
                f"create table {name} as select i::integer as pet_id, 'cat' as species,"
                " date '2024-01-01' + i::integer as born_on, false as is_insured"
                " from range(1, 4) t(i)",
            )
            assert isinstance(made, duck.Rows)
    return file


def unit_test(*rows: dict[str, object], name: str = "t") -> UnitTest:
    expect = Fixture(tuple(tuple(row.items()) for row in rows))
    return UnitTest(f"unit_test.clinic.{name}", name, PETS.unique_id, (), expect)


def rows_of(file: Path, table: str) -> list[tuple[object, ...]]:
    connection = duck.open_read_only(file)
    try:
        found = duck.run(connection, f"select pet_id, species, is_insured from {table} order by 1")
    finally:
        connection.close()
    assert isinstance(found, duck.Rows)
    return list(found.rows)


def test_expected_columns_are_written_over_a_real_row(clinic: Path) -> None:
    tests = [unit_test({"pet_id": 7, "species": "dog"}, {"pet_id": "8", "is_insured": "true"})]
    made = plant(clinic, tests, [PETS, OWNERS])
    assert (made.tables, made.rows, made.issues) == (("pets",), 2, ())
    assert rows_of(clinic, "pets") == [(7, "dog", False), (8, "cat", True)]
    assert len(rows_of(clinic, "owners")) == 3


def test_a_row_that_cannot_be_held_is_named_and_the_others_stay(clinic: Path) -> None:
    tests = [unit_test({"pet_id": 7, "born_on": "soon"}, {"pet_id": 8, "wings": 2}, {"pet_id": 9})]
    made = plant(clinic, tests, [PETS])
    assert [row[0] for row in rows_of(clinic, "pets")] == [9]
    assert [issue.where for issue in made.issues] == ["unit_test.clinic.t"] * 2
    assert "wings" in made.issues[0].message + made.issues[1].message


def test_a_table_that_could_hold_none_keeps_its_own(clinic: Path) -> None:
    made = plant(clinic, [unit_test({"born_on": "soon"})], [PETS])
    assert made.tables == ()
    assert len(rows_of(clinic, "pets")) == 3


def test_without_unit_tests_nothing_changes(clinic: Path) -> None:
    empty = replace(unit_test(), expect=Fixture(sql="select 1 as pet_id"))
    assert plant(clinic, [empty], [PETS]).tables == ()
    assert len(rows_of(clinic, "pets")) == 3


def test_more_rows_than_there_are_real_ones_are_left_out(clinic: Path) -> None:
    rows: list[dict[str, object]] = [{"pet_id": n} for n in range(10, 20)]
    assert plant(clinic, [unit_test(*rows)], [PETS]).rows == 3
