"""What people said becomes lessons, plans and examples; a new model is taken only if it holds."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dbt_t2s import lessons, store
from dbt_t2s.answers import open_trained, read_instances
from dbt_t2s.console import Console
from dbt_t2s.corpus.examples import Corpus, Coverage, Example
from dbt_t2s.corpus.review import SQL_ONLY
from dbt_t2s.errors import LearnError, ModelError, StoreError
from dbt_t2s.hearing import all_instances
from dbt_t2s.judge.baseline import Baseline, Before, compared
from dbt_t2s.judge.outcomes import Outcome, Prediction, SuiteReport
from dbt_t2s.judge.suite import TestItem
from dbt_t2s.learning import improving, trial, versions
from dbt_t2s.learning.heard import CORRECTION, KEPT, REFUSAL, lessons_of
from dbt_t2s.learning.plans import Planner
from dbt_t2s.learning.trial import CORRECTIONS, Held, Trial
from dbt_t2s.learning.wordings import Wordings
from dbt_t2s.model import remembered
from dbt_t2s.project.secrets import MASK
from dbt_t2s.query.linear import REFUSAL as REFUSED
from dbt_t2s.query.sql_source import NotConvertedError
from dbt_t2s.serve.log import QuestionLog, Said
from dbt_t2s.workspace import Workspace, open_workspace
from tests.query.shop import shop_schema

TODAY = date(2025, 6, 30)


def said(question: str, verdict: str, sql: str = "", answer: str = "", at: str = "1") -> Said:
    return Said(f"{question} {at}", at, "", question, verdict, answer, sql, "", "ann", "dev")


# ---- what was heard


def test_each_verdict_is_the_lesson_that_it_says() -> None:
    found, left = lessons_of(
        (
            said("no sql?", "wrong"),
            said("who are we?", "should_refuse"),
            said("how many?", "right", answer="select 1"),
            said("what?", "wrong", "select 2", "select 1"),
        )
    )
    assert [(each.kind, each.sql) for each in found] == [
        (CORRECTION, "select 2"),
        (KEPT, "select 1"),
        (REFUSAL, ""),
    ]
    assert [(each.question, each.why) for each in left] == [
        ("no sql?", "nobody said what would be right")
    ]


def test_the_last_word_counts_and_what_contradicts_it_is_left_out() -> None:
    newest_first = (
        said("What?", "wrong", "select 3", at="3"),
        said("what", "wrong", "select 2", at="2"),
        said("what?", "wrong", at="1"),
    )
    found, left = lessons_of(newest_first)
    assert [each.sql for each in found] == ["select 3"]
    assert [each.why for each in left] == ["contradicts what was said later: select 3"]


def test_what_is_masked_teaches_nothing() -> None:
    hidden = said(f"orders of {MASK}", "wrong", "select 1")
    within = said("orders of that one", "wrong", f"select {MASK}")
    found, left = lessons_of((hidden, within))
    assert not found
    assert {each.why for each in left} == {"personal data is masked in it"}


@given(st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from(("right", "wrong")))))
def test_no_question_has_two_lessons_and_none_is_lost(log: list[tuple[str, str]]) -> None:
    found, left = lessons_of(
        [said(name, verdict, answer="select 1", at=str(n)) for n, (name, verdict) in enumerate(log)]
    )
    asked = [each.question for each in found]
    assert len(set(asked)) == len(asked)
    assert {*asked, *(each.question for each in left)} == {name for name, _ in log}


# ---- in other words


def test_wordings_say_all_that_the_plan_needs_and_neighbours_something_else() -> None:
    words = Wordings(shop_schema(), TODAY, 0)
    question = "How many returned orders were there in 2024?"
    plan = ("m:order_count", "WHERE", "v:orders.status=returned", "d:2024-01-01/2025-01-01", "END")
    made = words.examples(question, plan, CORRECTION)
    assert made[0].question == question and json.loads(made[0].plan) == list(plan)
    assert all(words.says(each.question, tuple(json.loads(each.plan))) for each in made)
    same = [each for each in made if json.loads(each.plan) == list(plan)]
    assert len(same) >= 5 and len(made) - len(same) >= 3
    assert len({each.question.lower() for each in made}) == len(made)
    assert made == words.examples(question, plan, CORRECTION)
    assert made != Wordings(shop_schema(), TODAY, 1).examples(question, plan, CORRECTION)


def test_a_refusal_stays_one_in_other_words() -> None:
    made = Wordings(shop_schema(), TODAY, 0).examples("what is the weather?", REFUSED, REFUSAL)
    assert len(made) > 3 and {each.plan for each in made} == {json.dumps(REFUSED)}


@pytest.mark.parametrize(
    ("question", "plan", "others"),
    [
        ("revenue by month", ("MONTH", "TIME", "m:revenue", "END"), {"WEEK", "QUARTER", "YEAR"}),
        ("customers with more than 5 orders", ("c:customers.customer_name", "WHERE", "GT", "COUNT",
         "t:orders", "n:5", "END"), {"n:4", "n:6"}),
    ],
)  # fmt: skip
def test_grains_and_numbers_have_neighbours(
    question: str, plan: tuple[str, ...], others: set[str]
) -> None:
    made = Wordings(shop_schema(), TODAY, 0).examples(question, plan, CORRECTION)
    assert others & {token for each in made for token in json.loads(each.plan)}


# ---- whether it may take the place of the one in use


def held(name: str, lost: int, gained: int, same: int = 3) -> Held:
    turns = [(True, False)] * lost + [(False, True)] * gained + [(True, True)] * same
    before = tuple(Before(name, f"q{n}", was) for n, (was, _) in enumerate(turns))
    outcomes = tuple(
        Outcome(TestItem(f"q{n}", f"q{n}", ("select 1",), "x"), Prediction("ok", ""), now)
        for n, (_, now) in enumerate(turns)
    )
    return Held(name, compared(Baseline("", "", before), [SuiteReport(name, outcomes)]))


def test_a_significant_loss_anywhere_keeps_the_old_model() -> None:
    assert not Trial((held("business", 3, 0), held(CORRECTIONS, 0, 9))).against
    lost = Trial((held("business", 9, 1), held(CORRECTIONS, 0, 9))).against
    assert len(lost) == 1 and "business: 9 lost, 1 gained" in lost[0] and "McNemar" in lost[0]
    assert (
        "right answers" in Trial((held(CORRECTIONS, 0, 9), held("right answers", 5, 0))).against[0]
    )


def test_a_model_that_learned_nothing_is_not_taken() -> None:
    assert "no more of the corrections" in Trial((held(CORRECTIONS, 2, 2),)).against[0]
    told = trial.as_json(Trial((held(CORRECTIONS, 1, 2),)))
    assert told["learned"] == 1 and told["against"] == []


# ---- the whole of it, on a trained project


@pytest.fixture
def workspace(trained_shop_copy: Path) -> Iterator[Workspace]:
    console = Console(out=io.StringIO(), err=io.StringIO())
    yield open_workspace(console, project_dir=trained_shop_copy)


def test_answers_in_sql_become_plans_that_their_questions_can_bring(workspace: Workspace) -> None:
    schema, _ = open_trained(workspace)
    with all_instances(workspace, schema, read_instances(workspace)) as sandbox:
        planner = Planner(schema, sandbox.execute_each, TODAY)
        plans = planner.plans(
            "how many orders have the status open?",
            "select count(*) from main.orders where status = 'open'",
        )
        assert any("v:orders.status=open" in plan for plan in plans)
        with pytest.raises(NotConvertedError, match="does not say open"):
            planner.plans("how many?", "select count(*) from main.orders where status = 'open'")
        with pytest.raises(NotConvertedError, match="a CTE"):
            planner.plans("how many?", "with a as (select 1 as n) select n from a")


def test_with_nothing_said_there_is_nothing_to_learn(workspace: Workspace) -> None:
    found = improving.improve(workspace, 0.1)
    improving.fail(found)
    assert found.why_not == ("there is nothing to learn",) and not found.version
    workspace.trained_path.unlink()
    with pytest.raises(ModelError, match="no trained model"):
        improving.improve(workspace, 0.1)


def test_corrections_are_learned_beside_the_model_in_use_and_kept_when_it_holds(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = QuestionLog(workspace.project.root)
    right = "select count(*) as n from main.orders where status = 'cancelled'"
    log.add(said("how many did we lose, status cancelled?", "wrong", right, "select 1"))
    log.add(said("what do our competitors charge?", "should_refuse", answer="select 1"))
    log.add(said("gone", "wrong", "select count(*) from main.no_such_table"))
    log.add(said("odd", "wrong", "with a as (select 1 as n) select n from a"))
    first = versions.keep_current(workspace)
    found = improving.improve(workspace, 0.15)
    assert found.trial is not None and found.examples > 10
    whys = {each.question: each.why for each in found.lessons.left}
    assert "does not run any more" in whys["gone"] and "hub models: a CTE" in whys["odd"]
    assert not (workspace.versions_dir / improving.TRIAL).exists()
    if found.version:
        now = versions.find(workspace, "current")
        assert (now.id, now.parent, now.how) == (found.version, first, "improve")
    else:
        assert versions.current_id(workspace) == first
    kept = store.read_rows(workspace.dataset_dir / "learned.parquet", Example)
    assert {"odd"} == {each.question for each in kept if each.plan == SQL_ONLY}
    assert len(kept) > 10 and all(each.sql for each in kept if each.template != REFUSAL)
    # `dbt clean` empties the target folder: the next training finds what was said beside the log.
    for name in ("learned.parquet", remembered.FILE):
        (workspace.dataset_dir / name).unlink()
    schema, _ = open_trained(workspace)
    covered = store.read_json(workspace.coverage_path, Coverage)
    lessons.write(workspace, schema, Corpus((), covered))
    assert store.read_rows(workspace.dataset_dir / "learned.parquet", Example) == kept
    by_heart = {each.question: each for each in remembered.read(workspace.dataset_dir)}
    assert by_heart["odd"].sql and by_heart["what do our competitors charge?"].plan == REFUSED
    # A new model that does worse, or is stopped midway, leaves the one in use where it is.
    in_use = versions.current_id(workspace)
    worse = Trial((held("business", 9, 0),))
    monkeypatch.setattr(improving, "_train", lambda *_: None)
    monkeypatch.setattr(improving, "_tried", lambda *_: (worse, None))
    lost = improving.improve(workspace, 0.01)
    assert not lost.version and versions.current_id(workspace) == in_use
    with pytest.raises(LearnError, match="business: 9 lost") as raised:
        improving.fail(lost)
    assert "lost: q0" in raised.value.what

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(improving, "_train", killed)
    planned = improving.improve(workspace, 0.01, dry_run=True)
    assert planned.trial is None and planned.examples == found.examples
    with pytest.raises(KeyboardInterrupt):
        improving.improve(workspace, 0.01)
    assert versions.current_id(workspace) == in_use
    assert not (workspace.versions_dir / improving.TRIAL).exists()


def test_a_second_improver_is_told_of_the_first(workspace: Workspace) -> None:
    with (
        store.lock(workspace.folder, "improve"),
        pytest.raises(StoreError, match="another dbt-t2s is writing here: dbt-t2s improve"),
    ):
        improving.improve(workspace, 0.1)
