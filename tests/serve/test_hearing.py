"""Feedback on a trained project: for the last question, by id, from a file; all or nothing."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from dbt_t2s.answers import Answerer
from dbt_t2s.errors import ServeError, UsageError
from dbt_t2s.hearing import given, hear, hear_lines, question_of
from dbt_t2s.serve.feedback import Statement
from dbt_t2s.serve.log import QuestionLog
from dbt_t2s.workspace import Workspace
from tests.conftest import t2s


def test_nothing_was_asked_yet(tmp_path: Path) -> None:
    with pytest.raises(ServeError, match="no question was asked here yet"):
        question_of(QuestionLog(tmp_path), Statement("right"))


def test_of_the_last_question_by_id_and_by_its_words(
    workspace: Workspace, answerer: Answerer
) -> None:
    first = answerer.ask("How many orders are there?")
    last = answerer.ask("How many customers are there?")
    assert first.status == last.status == "ok"
    (of_last,) = hear(workspace, [Statement("right", note="yes")], person="ada", instead=False)
    assert (of_last.log_id, of_last.sql_text, of_last.note) == (last.id, last.sql, "yes")
    sql = "select count(*) from orders where status <> 'cancelled'"
    statement = Statement("wrong", log_id=first.id[:10], corrected=sql)
    (of_first,) = hear(workspace, [statement], person="bob", instead=False)
    assert of_first.log_id == first.id and "'cancelled'" in of_first.corrected_sql
    by_words = Statement("should_refuse", question="how many ORDERS are there?")
    with pytest.raises(ServeError, match=r"contradicts what was said on .* by bob"):
        hear(workspace, [by_words], person=None, instead=False)
    (decided,) = hear(workspace, [by_words], person=None, instead=True)
    kept = QuestionLog(workspace.project.root).said()
    assert kept[:3] == (decided, of_first, of_last)


def test_of_a_question_that_was_never_asked(workspace: Workspace, answerer: Answerer) -> None:
    answerer.ask("How many orders are open?")
    for statement, told in (
        (Statement("right", log_id="zz"), "no question has the id zz"),
        (Statement("right", question="How many?"), "'How many\\?' was never asked here"),
        (Statement("right", log_id="", question="x", where="f, line 3"), "never asked"),
    ):
        with pytest.raises(ServeError, match=told) as failure:
            hear(workspace, [statement], person="", instead=False)
        assert failure.value.where in ("dbt-t2s feedback", "f, line 3")
        assert "--list" in failure.value.hint


def test_a_file_is_kept_whole_or_not_at_all(
    workspace: Workspace, answerer: Answerer, tmp_path: Path
) -> None:
    asked = answerer.ask("How many paid orders are there?")
    log = QuestionLog(workspace.project.root)
    before = log.said()
    path = tmp_path / "said.jsonl"
    good = {"id": asked.id, "verdict": "right"}
    for bad, told in (
        ({"id": asked.id, "sql": "delete from orders"}, "only a SELECT may run"),
        ({"id": asked.id, "sql": "select 1 as n"}, "contradicts"),  # the line before it
    ):
        path.write_text("".join(json.dumps(each) + "\n" for each in (good, bad)))
        statements = given(None, sql=None, log_id=None, question=None, note=None, file=path)
        with pytest.raises(ServeError, match=told) as failure:
            hear(workspace, statements, person="ada", instead=False)
        assert failure.value.where == f"{path}, line 2"
        assert log.said() == before
    assert len(hear(workspace, statements[:1], person="ada", instead=False)) == 1


def test_a_file_names_every_line_that_cannot_be_kept_and_may_skip_them(
    workspace: Workspace, answerer: Answerer, tmp_path: Path
) -> None:
    asked = answerer.ask("How many shipped orders are there?")
    log = QuestionLog(workspace.project.root)
    before = log.said()
    path = tmp_path / "said.jsonl"
    said = (
        {"id": "zz", "verdict": "right"},
        {"id": asked.id, "verdict": "right"},
        {"id": asked.id, "sql": "drop table orders"},
    )
    path.write_text("".join(json.dumps(each) + "\n" for each in said))
    statements = given(None, sql=None, log_id=None, question=None, note=None, file=path)
    none = hear_lines(workspace, statements, person="ada", instead=False, skip=False)
    assert (none.kept, none.count) == ((), 3)
    assert [each.where for each in none.refused] == [f"{path}, line 1", f"{path}, line 3"]
    assert log.said() == before
    root = workspace.project.root
    whole = t2s("feedback", "--file", str(path), cwd=root)
    assert whole.returncode == 1 and log.said() == before
    for told in ("line 1", "line 3", "2 of 3 lines cannot be kept, so none is", "--skip-refused"):
        assert told in whole.stderr
    some = t2s("feedback", "--file", str(path), "--skip-refused", cwd=root)
    assert some.returncode == 0, some.stderr
    assert some.stdout.startswith("kept: right") and some.stdout.count("\n") == 1
    assert "2 of 3 lines cannot be kept; the others are" in some.stderr
    (kept,) = log.said()[: len(log.said()) - len(before)]
    assert (kept.log_id, kept.verdict) == (asked.id, "right")


def test_the_command_line(workspace: Workspace, answerer: Answerer) -> None:
    asked = answerer.ask("How many orders are there in 2025?")
    root = workspace.project.root
    done = t2s("feedback", "wrong", "--person", "ada", "--note", "no 2024", cwd=root)
    assert done.returncode == 0, done.stderr
    assert done.stdout == f"kept: wrong by ada, of {asked.question!r} ({asked.id[:8]})\n"
    done = t2s("feedback", "--list", "1", "--json", cwd=root)
    assert json.loads(done.stdout) | {"id": asked.id, "verdict": "wrong"} == json.loads(done.stdout)


def test_the_command_line_says_one_thing() -> None:
    def said(verdict: str | None, **others: str | Path | bool | None) -> tuple[Statement, ...]:
        nothing = dict.fromkeys(("sql", "log_id", "question", "note", "file"))
        return given(verdict, **{**nothing, **others})  # type: ignore[arg-type]

    assert said("should-refuse") == (Statement("should_refuse"),)
    assert said(None, sql=" select 1 ") == (Statement("wrong", corrected="select 1"),)
    for verdict, others in (
        (None, {}),
        ("right", {"file": Path("x")}),
        ("right", {"skip": True}),
    ):
        with pytest.raises(UsageError):
            said(verdict, **others)
    with pytest.raises(ServeError, match="'meh' instead of"):
        said("meh")
