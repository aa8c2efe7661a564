"""Test conversations: read from a file, held after right answers or the model's own."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from dbt_t2s.dialogue_suites import GoldHistory, Talks, items_of, own_history
from dbt_t2s.duck import Rows
from dbt_t2s.errors import JudgeError
from dbt_t2s.judge.dialogues import read_dialogues
from dbt_t2s.model.generate import Candidate, Followed
from dbt_t2s.model.turns import Turn
from dbt_t2s.serve.ask import Answer

TURNS = [
    {"question": "all", "sql": ["select 1", "select 2"]},
    {"question": "and by x?", "sql": "select 3", "type": "grouping added"},
    {"question": "why?", "sql": [], "answerable": False},
]


def write(path: Path, *dialogues: object) -> Path:
    path.write_text("\n".join(d if isinstance(d, str) else json.dumps(d) for d in dialogues))
    return path


def test_what_is_judged_are_the_turns_after_the_first(tmp_path: Path) -> None:
    path = write(tmp_path / "d.jsonl", {"id": "f1", "turns": TURNS})
    found, issues = read_dialogues(path, "duckdb")
    assert not issues
    items = items_of(found)
    assert [i.question for i in items] == ["all → and by x?", "all → and by x? → why?"]
    assert [i.id for i in items] == ["f1.2", "f1.3"]
    assert items[0].type == "grouping added" and not items[1].answerable


@pytest.mark.parametrize(
    "line",
    ["{", "[]", '{"turns": []}', '{"turns": [{"question": "a"}, {"sql": "select 1"}]}',
     '{"turns": [{"question": "a"}, {"question": "b", "sql": "drop table x"}]}',
     '{"turns": [{"question": "a"}, {"question": "b", "sql": [3]}]}'],
)  # fmt: skip
def test_a_line_that_is_no_conversation_is_an_issue(tmp_path: Path, line: str) -> None:
    found, issues = read_dialogues(write(tmp_path / "d.jsonl", line), "duckdb")
    assert not found and issues[0].where == "d.jsonl:1"


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(JudgeError, match="could not be read"):
        read_dialogues(tmp_path / "none.jsonl", "duckdb")


def test_conversations_are_held_with_either_history(tmp_path: Path) -> None:
    (dialogue,), _ = read_dialogues(write(tmp_path / "d", {"turns": TURNS}), "duckdb")
    heard: list[tuple[str, ...]] = []

    def ask(question: str, before: Sequence[Turn]) -> Answer:
        heard.append(tuple(turn.sql for turn in before))
        return Answer(question, "ok", f"select 10 -- {question}", read_as=question, latency_ms=7.0)

    def run(sql: str) -> Sequence[Rows]:
        return [Rows(("n",), ("INTEGER",), ((sql.split()[1],),))]

    def generate(questions: Sequence[str]) -> list[tuple[Candidate, ...]]:
        return [(Candidate("select 9", 0.9, plan="p"), Candidate("select 2", 0.5, plan="q"))]

    asked = [i.question for i in items_of([dialogue])]
    own = Talks([dialogue], ask, own_history, timed=False).predict(asked)
    assert {p.latency_ms for p in own} == {None}  # what is remembered tells none
    assert [p.sql for p in own] == ["select 10 -- and by x?", "select 10 -- why?"]
    assert heard == [(), ("select 10 -- all",), ("select 10 -- all", "select 10 -- and by x?")]
    heard.clear()
    follow = lambda question, before: Followed("whole", (Candidate("select 8", 1.0, plan="r"),))  # noqa: E731
    gold = GoldHistory(generate, follow, run, "duckdb")
    right = Talks([dialogue], ask, gold).predict(asked)
    assert {p.latency_ms for p in right} == {7.0}
    # The proposal with a gold's rows is the history; where none has, the gold itself.
    assert heard == [(), ("select 2",), ("select 2", "select 3")]
