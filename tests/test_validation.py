"""The stage that proves a model, where it breaks off midway; a stub answers, all else is real."""

from __future__ import annotations

import io
import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from dbt_t2s import validation
from dbt_t2s.console import Console
from dbt_t2s.errors import JudgeError
from dbt_t2s.model.generate import Candidate
from dbt_t2s.workspace import Workspace, open_workspace

COUNT = "select count(*) as n from orders"


class Stub:
    """Answers every question alike until ``most`` were asked, then as if Ctrl-C was hit."""

    def __init__(self, most: int) -> None:
        self.left = most

    def generate(self, questions: Sequence[str]) -> list[tuple[Candidate, ...]]:
        self.left -= len(questions)
        if self.left < 0:
            raise KeyboardInterrupt
        return [(Candidate(COUNT, 0.9),) for _ in questions]


def workspace(folder: Path, rows: Sequence[object]) -> Workspace:
    path = folder / "mine.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return open_workspace(
        Console(out=io.StringIO(), err=io.StringIO()),
        project_dir=folder,
        profiles_dir=folder,
        flags={"questions": str(path), "suites": ["business"]},
    )


def test_ctrl_c_keeps_a_partial_report_that_the_next_run_replaces(
    trained_shop_copy: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = [{"question": f"how many orders, take {n}?", "sql": COUNT} for n in range(20)]
    space = workspace(trained_shop_copy, rows)
    monkeypatch.setattr(validation, "load_model", lambda *_: Stub(18))
    with pytest.raises(KeyboardInterrupt):
        validation.validate_model(space)
    kept = json.loads(space.report_path.read_text())
    assert len(kept["suites"]["business"]["outcomes"]) == 16
    assert kept["partial"].startswith("business: 16 of 20 questions: stopped by the user")
    assert "Not all was judged" in space.html_path.read_text()
    monkeypatch.setattr(validation, "load_model", lambda *_: Stub(20))
    assert validation.validate_model(space).partial == ""
    assert json.loads(space.report_path.read_text())["partial"] == ""


def test_an_empty_test_set_is_an_error_with_its_name(trained_shop_copy: Path) -> None:
    with pytest.raises(JudgeError, match=r"no usable test question"):
        validation.validate_model(workspace(trained_shop_copy, []))


def test_tables_are_rebuilt_when_an_answer_reads_others_than_the_gold(
    trained_shop_copy: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = frozenset({"model.shop.base"})
    monkeypatch.setattr(validation, "above", lambda *_: {"orders": one, "customers": one})
    made: list[bool] = []
    joined = COUNT.replace("orders", "orders join customers using (customer_id)")
    for gold in (COUNT, joined):
        space = workspace(trained_shop_copy, [{"question": "how many orders?", "sql": gold}])
        monkeypatch.setattr(validation, "load_model", lambda *_: Stub(20))
        (suite,) = validation.validate_model(space).suites
        assert suite.outcomes[0].detail == ""
        made.append((space.warehouse_dir / "rebuilt.json").exists())
    assert made == [False, True]
