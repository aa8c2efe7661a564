"""When fiscal years begin: as the project says, or as its calendar shows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import duckdb
import pytest

from dbt_t2s.duck import Execute, QueryError, Rows, run
from dbt_t2s.project.artifacts import Artifacts
from dbt_t2s.project.fiscal_years import find
from dbt_t2s.project.schema import FiscalYear, Level, ProjectSchema

SPINE = "model.shop.days"


def artifacts(meta: Mapping[str, Any], *, spine: bool = True) -> Artifacts:
    """A project with one model, as dbt's manifest has it."""
    node = {
        "unique_id": SPINE,
        "name": "days",
        "resource_type": "model",
        "relation_name": '"memory"."main"."days"',
        "columns": {"day": {"name": "day"}},
        "config": {"meta": dict(meta)},
    }
    if spine:
        granularity = {"name": "fiscal_year", "column_name": "fy"}
        node["time_spine"] = {
            "standard_granularity_column": "day",
            "custom_granularities": [granularity],
        }
    return Artifacts({"nodes": {SPINE: node}})


def asking(label: str, first: str = "2020-01-01") -> Execute:
    """A warehouse whose days have the fiscal year that the SQL ``label`` gives."""
    connection = duckdb.connect()
    connection.execute(
        f"create table days as select day::date as day, {label} as fy"
        f" from generate_series(date '{first}', date '2025-08-17', interval 1 day) as t (day)"
    )

    def execute(sql: str) -> Rows | QueryError:
        return run(connection, sql)

    return execute


def test_a_real_projects_time_spine_shows_it(schema: ProjectSchema) -> None:
    assert schema.fiscal_year == FiscalYear(4, "end", "model.kennel.days")


@pytest.mark.parametrize(
    ("label", "month", "named"),
    [
        ("year(day + interval 6 month)", 7, "end"),
        ("year(day - interval 1 month)", 2, "start"),
        ("'FY' || year(day + interval 3 month)", 10, "end"),
        ("'FY' || strftime(day - interval 6 month, '%y')", 7, "start"),
        ("date_trunc('year', day - interval 6 month) + interval 6 month", 7, "end"),
        ("year(day)", 1, "end"),
    ],
)
def test_a_calendar_shows_the_month_and_the_name(label: str, month: int, named: str) -> None:
    found, issues = find(artifacts({}), (), {}, "duckdb", asking(label))
    assert (found, issues) == (FiscalYear(month, named, SPINE), ())


@pytest.mark.parametrize(
    ("label", "first"),
    [
        ("year(day + interval 10 day)", "2020-01-01"),  # a retailer's year begins on some 22nd
        ("year(day + interval 6 month)", "2024-09-01"),  # not one whole year
        ("year(day + interval 30 month)", "2020-01-01"),  # no way of naming years
    ],
)
def test_a_calendar_that_shows_no_month_says_so(label: str, first: str) -> None:
    found, (issue,) = find(artifacts({}), (), {}, "duckdb", asking(label, first))
    assert found is None
    assert (issue.level, issue.where) == (Level.INFO, SPINE)
    assert "fiscal_year_start" in issue.hint


def test_without_data_nothing_is_guessed() -> None:
    found, (issue,) = find(artifacts({}), (), {}, "duckdb", None)
    assert found is None and "not looked at" in issue.message


@pytest.mark.parametrize(
    ("meta", "variables", "wanted"),
    [
        ({"fiscal_year_start": 2}, {}, FiscalYear(2, "end", SPINE)),
        ({"t2s": {"fiscal_year_start": "October"}}, {}, FiscalYear(10, "end", SPINE)),
        (
            {"fiscal_year_start": "feb", "fiscal_year_named": "start"},
            {},
            FiscalYear(2, "start", SPINE),
        ),
        ({}, {"fiscal_year_start": 7}, FiscalYear(7, "end", "vars in dbt_project.yml")),
        ({}, {}, None),
    ],
)
def test_what_people_wrote(
    meta: dict[str, Any], variables: dict[str, Any], wanted: FiscalYear | None
) -> None:
    assert find(artifacts(meta, spine=False), (), variables, "duckdb", None) == (wanted, ())


@pytest.mark.parametrize(
    ("meta", "variables", "message"),
    [
        ({"fiscal_year_start": 13}, {}, "should be a month"),
        ({"fiscal_year_start": True}, {}, "should be a month"),
        ({"fiscal_year_start": 2, "fiscal_year_named": "both"}, {}, "neither end nor start"),
        ({"fiscal_year_start": 2}, {"fiscal_year_start": 7}, "more than one month"),
    ],
)
def test_what_cannot_be_meant_is_an_issue(
    meta: dict[str, Any], variables: dict[str, Any], message: str
) -> None:
    found, (issue,) = find(artifacts(meta, spine=False), (), variables, "duckdb", None)
    assert found is None
    assert issue.level is Level.WARNING and message in issue.message and issue.hint
