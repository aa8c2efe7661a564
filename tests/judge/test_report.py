"""What a report says, from outcomes built by hand; and what is kept when judging breaks off."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

import pytest

from dbt_t2s.duck import Execute, QueryError, Rows
from dbt_t2s.errors import WarehouseError
from dbt_t2s.judge.baseline import baseline_of
from dbt_t2s.judge.calibration import calibration
from dbt_t2s.judge.html import to_html
from dbt_t2s.judge.lines import table, to_lines
from dbt_t2s.judge.markdown import text, to_markdown
from dbt_t2s.judge.outcomes import Outcome, Prediction, SuiteReport
from dbt_t2s.judge.report import Report, Section, to_json
from dbt_t2s.judge.sandbox import Sandbox, execute_all
from dbt_t2s.judge.suite import TestItem
from dbt_t2s.judge.validate import House, NothingToJudge, Stopped, validate
from dbt_t2s.project.schema import Rule, Table
from tests.judge.shop import RELATIONS

COUNT = "select count(*) from marts.orders"
ORDERS = Table("orders", "marts.orders", "model.shop.orders", "orders.sql", ())


def outcome(question: str, correct: bool, confidence: float = 0.9, type: str = "join") -> Outcome:
    item = TestItem(question, question, (COUNT,), type, phase=2, metrics=("revenue",))
    cause = "" if correct else "wrong filter"
    return Outcome(
        item, Prediction("ok", COUNT, confidence, 5.0), correct, cause=cause, models=("orders",)
    )


def report(*outcomes: Outcome, name: str = "business", **more: object) -> Report:
    return Report((SuiteReport(name, outcomes),), "shop", **more)  # type: ignore[arg-type]


def test_risk_rises_with_coverage_and_the_threshold_is_the_lowest_that_fits() -> None:
    answers = [
        *(outcome(f"sure {n}", True, 0.9) for n in range(19)),
        outcome("sure but wrong", False, 0.9),
        outcome("unsure", False, 0.5),
        outcome("unsure too", True, 0.3),
    ]
    found = calibration(answers)
    assert [point.confidence for point in found.curve] == [0.9, 0.5, 0.3]
    assert found.curve[0].risk == pytest.approx(1 / 20)
    assert found.curve[-1].coverage == 1.0
    assert found.threshold is not None
    assert (found.threshold.confidence, found.threshold.coverage) == (0.9, 20 / 22)
    assert calibration(answers, wanted=0.96).threshold is None


def test_refusals_are_no_answers_to_be_sure_of() -> None:
    refused = Outcome(TestItem("a", "a", (), "refusal"), Prediction("refused", ""), True)
    assert calibration([refused]).curve == ()


def test_the_last_model_is_compared_question_by_question() -> None:
    before = report(outcome("How many?", True), outcome("b", False), outcome("gone", True))
    now = report(
        outcome("how many", False),
        outcome("b", True),
        outcome("new", True),
        baseline=baseline_of(before.suites, "embedded", "2025-01-01T00:00:00"),
    )
    found = now.comparison
    assert found is not None
    assert (found.before.correct, found.now.correct, found.now.n) == (1, 1, 2)
    assert [each.now.item.question for each in found.regressions] == ["how many"]
    assert [each.now.item.question for each in found.gains] == ["b"]
    assert any("lost: how many" in line for line in to_lines(now))
    assert "Lost (1)" in to_markdown(now)
    assert "Lost since the last model" in to_html(now)
    other = report(outcome("b", True), name="metrics", baseline=now.baseline)
    assert other.comparison is None


def test_the_json_report_breaks_the_accuracy_down() -> None:
    wrong = [outcome(f"wrong {n}", False) for n in range(5)]
    found = json.loads(json.dumps(to_json(report(outcome("a", True), *wrong))))
    for part, name in (("by_phase", "2"), ("by_model", "orders"), ("by_metric", "revenue")):
        assert found[part][name]["n"] == 6
        assert found[part][name]["correct"] == 1
    assert found["causes"]["wrong filter"]["n"] == 5
    assert len(found["causes"]["wrong filter"]["examples"]) == 3
    assert "outcomes" not in to_json(report(*wrong), outcomes=False)["suites"]["business"]  # type: ignore[index]


def test_another_judges_findings_have_a_place_in_every_form() -> None:
    units = Section("unit_tests", ("7 of 8 unit tests pass",), '{"passed": 7}')
    found = report(outcome("a", True), sections=(units,))
    assert to_json(found)["unit_tests"] == {"passed": 7}
    for form in ("\n".join(to_lines(found)), to_markdown(found), to_html(found)):
        assert "7 of 8 unit tests pass" in form


def test_markdown_cannot_be_broken_out_of() -> None:
    found = report(outcome("a | b\n<script> @everyone *", False))
    page = to_markdown(found)
    assert "<script>" not in page
    assert "@everyone" not in page
    assert text("a|b") == "a\\|b"


def test_tables_are_aligned() -> None:
    assert table([("a", "1 of 2"), ("longer", "10 of 20")]) == [
        "a         1 of 2",
        "longer  10 of 20",
    ]


@pytest.fixture
def sandbox(warehouse: Path, tmp_path: Path) -> Iterator[Sandbox]:
    copy = tmp_path / "shop.duckdb"
    copy.write_bytes(warehouse.read_bytes())
    with Sandbox(copy, RELATIONS) as found:
        yield found


def items(count: int) -> list[TestItem]:
    return [TestItem(str(n), f"question {n}", (COUNT,), "join") for n in range(count)]


def right(questions: Sequence[str]) -> list[Prediction]:
    return [Prediction("ok", COUNT, 0.9) for _ in questions]


@pytest.mark.parametrize("way", ["interrupt", "vanished"])
def test_what_was_judged_is_kept_when_judging_breaks_off(sandbox: Sandbox, way: str) -> None:
    again = f"{COUNT} -- again"  # the gold's very text would not be run again
    asked, ran = 0, 0

    def predict(questions: Sequence[str]) -> list[Prediction]:
        nonlocal asked
        asked += len(questions)
        if asked > 8 and way == "interrupt":
            raise KeyboardInterrupt
        return [Prediction("ok", again, 0.9) for _ in questions]

    def execute(sql: str) -> tuple[Rows | QueryError, ...]:
        nonlocal ran
        ran += sql == again
        if ran > 8:
            sandbox.close()
            sandbox.warehouse.unlink(missing_ok=True)
        return execute_all([sandbox], sql)

    with pytest.raises(Stopped) as stopped:
        validate(items(20), predict, execute, 1, "duckdb")
    found = stopped.value.report
    assert len(found.outcomes) == 8
    assert found.partial.startswith("8 of 20 questions")
    wanted = KeyboardInterrupt if way == "interrupt" else WarehouseError
    assert isinstance(stopped.value.reason, wanted)
    assert "PARTIAL" in to_lines(Report((found,)))[0]
    assert "Not all was judged" in to_html(Report((found,)))
    assert to_json(Report((found,)))["partial"]


def test_nothing_to_judge_says_why(sandbox: Sandbox) -> None:
    broken = [TestItem("a", "a", ("select nope from marts.orders",), "join", where="q.jsonl:1")]
    with pytest.raises(NothingToJudge) as nothing:
        validate(broken, right, partial(execute_all, [sandbox]), 1, "duckdb")
    assert nothing.value.issues[0].where == "q.jsonl:1"


def explained(sandbox: Sandbox) -> Execute:
    def explain(sql: str) -> Rows | QueryError:
        return sandbox.execute_trusted(f"explain (format json) {sql}")

    return explain


def test_an_answer_is_held_against_rules_style_and_the_golds_cost(sandbox: Sandbox) -> None:
    rule = Rule("large ones", "", "orders", "net > 5", always=True)
    house = House((ORDERS,), (rule,), explain=explained(sandbox))
    gold = "select count(*) as n from marts.orders where net > 5"
    item = TestItem("a", "a", (gold,), "filter")

    def judged(sql: str) -> Outcome:
        def predict(_: Sequence[str]) -> list[Prediction]:
            return [Prediction("ok", sql)]

        return validate(
            [item], predict, partial(execute_all, [sandbox]), 1, "duckdb", house=house
        ).outcomes[0]

    same = judged(gold)
    assert (same.correct, same.equal, same.broken_rules, same.style) == (True, (True,), (), ())
    assert same.models == ("orders",)
    assert same.cost is not None
    assert same.gold_cost is not None
    assert same.cost.rows == same.gold_cost.rows > 0
    lost = judged('select count(*) as "N" from marts.orders')
    assert (lost.cause, lost.told_apart, lost.broken_rules) == ("broken rule", 1, ("large ones",))
    assert lost.style == ("the column N is not in snake_case",)
    unbound = judged("select nope from marts.orders")
    assert (unbound.parses, unbound.binds, unbound.executes) == (True, False, False)
