"""Candidates are written when they are looked at."""

from __future__ import annotations

import pickle

import pytest

from dbt_t2s import sql
from dbt_t2s.model.generate import Candidate
from dbt_t2s.model.written import Draft, Written

DRAFTS = [Draft(f"select {n} as n limit 1", 1 / n, (f"m:{n}",)) for n in (1, 2, 3)]


def test_only_what_is_looked_at_is_written(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    transpile = sql.transpile

    def counted(text: str, read: str, write: str, *, pretty: bool = False) -> str:
        asked.append(text)
        return transpile(text, read, write, pretty=pretty)

    monkeypatch.setattr(sql, "transpile", counted)
    found = Written(DRAFTS, "duckdb")
    assert len(found) == 3 and not asked
    assert found[0] == found[0] == Candidate("SELECT\n  1 AS n\nLIMIT 1", 1.0, items=("m:1",))
    assert asked == [DRAFTS[0].made]
    assert found[-1].confidence == pytest.approx(1 / 3) and found[1:] == tuple(found)[1:]
    assert len(asked) == 3
    with pytest.raises(IndexError):
        found[3]


def test_it_is_written_in_the_projects_dialect_and_travels() -> None:
    found = pickle.loads(pickle.dumps(Written(DRAFTS, "tsql")))
    assert found[0].sql == "SELECT\nTOP 1\n  1 AS n"


def test_what_cannot_be_written_fails_when_it_is_run() -> None:
    assert Written([Draft("select (", 0.5, ())], "duckdb")[0].sql == "select ("
