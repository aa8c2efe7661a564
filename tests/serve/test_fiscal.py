"""A question about a fiscal year that nobody knows is refused, and not answered for another."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from dbt_t2s.answers import candidates
from dbt_t2s.config import Settings
from dbt_t2s.console import Console
from dbt_t2s.model.generate import Candidate
from dbt_t2s.project.dbt import DbtProject
from dbt_t2s.project.schema import Column, FiscalYear, Kind, ProjectSchema, Role
from dbt_t2s.query.fiscal import is_undated
from dbt_t2s.workspace import Workspace
from tests.query.shop import shop_schema

SCHEMA = shop_schema()


def with_column(name: str) -> ProjectSchema:
    table = SCHEMA.tables[0]
    column = Column(name, "INTEGER", Kind.NUMBER, Role.CATEGORY)
    wider = replace(table, columns=(*table.columns, column))
    return replace(SCHEMA, tables=(wider, *SCHEMA.tables[1:]))


@pytest.mark.parametrize(
    "question",
    ["revenue in FY24", "orders last fiscal year", "Q1 FY2024 by country", "sales in fiscal 2024"],
)
def test_a_fiscal_year_needs_a_calendar(question: str) -> None:
    assert is_undated(question, SCHEMA)
    assert not is_undated(question, replace(SCHEMA, fiscal_year=FiscalYear(2)))
    assert not is_undated(question, with_column("fiscal_year"))


@pytest.mark.parametrize(
    "question",
    ["revenue in 2024", "orders by fiscal representative", "last 5 financial statements", "notify"],
)
def test_other_questions_are_none_of_its_business(question: str) -> None:
    assert not is_undated(question, SCHEMA)


class _Counting:
    """Answers whatever it is asked."""

    def generate(self, questions: Sequence[str]) -> list[tuple[Candidate, ...]]:
        return [(Candidate(f"select {len(each)}", 1.0),) for each in questions]


def test_the_model_is_not_asked_what_no_calendar_tells(tmp_path: Path) -> None:
    project = DbtProject("shop", tmp_path, tmp_path, tmp_path, "shop", "dev", "duckdb", "duckdb")
    workspace = Workspace(project, Settings(), Console(quiet=True))
    questions = ("revenue in FY24", "revenue in 2024")
    (fiscal,), (plain,) = candidates(workspace, _Counting(), SCHEMA)(questions)
    assert not fiscal.sql and "fiscal_year_start in vars.t2s" in fiscal.refusal
    assert plain.sql
    known = candidates(workspace, _Counting(), replace(SCHEMA, fiscal_year=FiscalYear(2)))
    assert all(each.sql for (each,) in known(questions))
