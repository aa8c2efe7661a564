"""From a test set to a report, with scripted predictions on real instances."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from xml.etree import ElementTree

import pytest

from dbt_t2s.duck import Execute, QueryError, Rows
from dbt_t2s.errors import JudgeError
from dbt_t2s.judge.anatomy import difference, question_type
from dbt_t2s.judge.html import to_html
from dbt_t2s.judge.instances import make_instances
from dbt_t2s.judge.junit import to_junit
from dbt_t2s.judge.lines import to_lines
from dbt_t2s.judge.outcomes import Prediction, SuiteReport
from dbt_t2s.judge.report import Report, to_json
from dbt_t2s.judge.sandbox import Sandbox
from dbt_t2s.judge.share import Share, percentile
from dbt_t2s.judge.suite import TestItem, read_suite
from dbt_t2s.judge.validate import validate
from dbt_t2s.project.schema import Level
from tests.judge.shop import RELATIONS
from tests.judge.test_instances import CUSTOMERS, LINES, ORDERS, schema


@pytest.fixture(scope="module")
def executes(warehouse: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Execute]]:
    paths = make_instances(
        warehouse, tmp_path_factory.mktemp("instances"), schema(CUSTOMERS, ORDERS, LINES)
    )
    with Sandbox(paths[0], RELATIONS) as first, Sandbox(paths[1], RELATIONS) as second:
        yield [first.execute, second.execute]


def suite_file(folder: Path, *lines: object) -> Path:
    path = folder / "questions.jsonl"
    texts = [line if isinstance(line, str) else json.dumps(line) for line in lines]
    path.write_text("\n".join(texts) + "\n", encoding="utf-8")
    return path


def item(question: str, *golds: str, type: str = "join") -> TestItem:
    return TestItem(question[:3], question, golds, type, where="questions.jsonl:1")


def run(
    items: Sequence[TestItem], answers: dict[str, Prediction], executes: list[Execute]
) -> SuiteReport:
    return validate(
        items,
        lambda questions: [answers[each] for each in questions],
        lambda sql: [execute(sql) for execute in executes],
        len(executes),
        "duckdb",
    )


def ok(sql: str, latency_ms: float = 5.0) -> Prediction:
    return Prediction("ok", sql, 0.9, latency_ms)


COUNT = "select count(*) from marts.orders"
WITH_LINES = (
    "select count(distinct order_id) from marts.orders join marts.order_lines using (order_id)"
)


def test_a_suite_is_read(tmp_path: Path) -> None:
    path = suite_file(
        tmp_path,
        {"id": "a", "question": "How many orders?", "sql": COUNT, "type": "single table"},
        "",
        {"question": "Weather?", "sql": None, "type": "refusal", "answerable": False},
        {"question": "Both?", "sql": [COUNT, WITH_LINES], "note": "either"},
        {
            "question": "Net by channel?",
            "sql": "select channel, sum(net) from marts.orders group by 1",
        },
    )
    items, issues = read_suite(path, "duckdb")
    assert issues == ()
    assert [each.id for each in items] == ["a", "3", "4", "5"]
    assert [each.answerable for each in items] == [True, False, True, True]
    assert [each.type for each in items] == ["single table", "refusal", "single table", "grouping"]
    assert items[2].where == "questions.jsonl:4"
    assert len(items[2].golds) == 2


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("{nope", "not JSON"),
        ("[1]", "not a JSON object"),
        ({"sql": COUNT}, '"question" is missing'),
        ({"question": " ", "sql": COUNT}, '"question" is missing'),
        ({"question": 3.5, "sql": COUNT}, "not text"),
        ({"question": "x y"}, '"sql" is missing'),
        ({"question": "x y", "sql": ""}, "neither text"),
        ({"question": "x y", "sql": []}, "empty list"),
        ({"question": "x y", "sql": 5}, "neither text"),
        ({"question": "x y", "sql": "select from where"}, "cannot be read"),
        ({"question": "x y", "sql": "delete from marts.orders"}, "not a SELECT"),
        ({"question": "x y", "sql": None, "answerable": True}, "answerable"),
        ({"question": "x y", "sql": COUNT, "answerable": False}, "answerable"),
        ({"question": "how many ORDERS", "sql": COUNT}, "same question as in questions.jsonl:1"),
        ({"question": "How many orders?", "sql": WITH_LINES}, "with another answer"),
    ],
)
def test_an_unusable_line_is_named(tmp_path: Path, line: object, words: str) -> None:
    path = suite_file(tmp_path, {"question": "How many orders?", "sql": COUNT}, line)
    items, issues = read_suite(path, "duckdb")
    assert len(items) == 1
    assert [(each.level, each.where) for each in issues] == [(Level.ERROR, "questions.jsonl:2")]
    assert words in issues[0].message


def test_an_unknown_field_is_a_warning(tmp_path: Path) -> None:
    path = suite_file(tmp_path, {"question": "How many?", "sql": COUNT, "anwerable": True})
    items, issues = read_suite(path, "duckdb")
    assert len(items) == 1
    assert "anwerable" in issues[0].message


def test_a_useless_file_is_an_error(tmp_path: Path) -> None:
    for content in (b"", b"\n\n", b'{"question": "x"}', b"\xff\xfe"):
        path = tmp_path / "questions.jsonl"
        path.write_bytes(content)
        with pytest.raises(JudgeError, match=r"questions\.jsonl"):
            read_suite(path, "duckdb")
    with pytest.raises(JudgeError, match=r"gone\.jsonl"):
        read_suite(tmp_path / "gone.jsonl", "duckdb")


def test_outcomes(executes: list[Execute]) -> None:
    unanswerable = item("Weather?", type="refusal")
    items = [
        item("right", COUNT),
        item("lucky", COUNT),
        item("second gold", WITH_LINES, COUNT),
        item("refused", COUNT),
        item("broken", COUNT),
        item("forbidden", COUNT),
        item("no sql", COUNT),
        unanswerable,
        TestItem("w2", "Rain?", (), "refusal"),
        TestItem("w3", "Snow?", (), "refusal"),
    ]
    answers = {
        "right": ok("select count(order_id) as n from shop.marts.orders"),
        "lucky": ok(WITH_LINES),
        "second gold": ok(COUNT),
        "refused": Prediction("refused", "", reason="no orders"),
        "broken": ok("select nope from marts.orders"),
        "forbidden": ok("drop table marts.orders"),
        "no sql": Prediction("error", "", reason="the model gave no SQL"),
        "Weather?": Prediction("refused", ""),
        "Rain?": ok(COUNT),
        "Snow?": Prediction("error", "selec"),
    }
    report = run(items, answers, executes)
    found = {each.item.question: each for each in report.outcomes}
    assert [name for name, each in found.items() if each.correct] == [
        "right",
        "second gold",
        "Weather?",
    ]
    assert found["lucky"].detail.endswith("(on instance 2)")
    assert found["lucky"].cause == "wrong table"
    assert found["refused"].cause == "refused"
    assert (found["broken"].cause, found["broken"].parses) == ("error", True)
    assert found["broken"].detail.startswith("bind: ")
    assert found["forbidden"].detail.startswith("forbidden: ")
    assert found["no sql"].detail == "the model gave no SQL"
    assert (found["Rain?"].cause, found["Snow?"].cause) == ("answered", "error")
    assert (report.ex.correct, report.ex.n) == (2, 7)


def test_a_failing_gold_is_an_issue_and_not_a_wrong_answer(executes: list[Execute]) -> None:
    items = [item("good", COUNT), item("bad", "select nope from marts.orders")]
    report = run(items, {"good": ok(COUNT)}, executes)
    assert (report.ex.correct, report.ex.n) == (1, 1)
    assert report.issues[0].level == Level.ERROR
    assert "questions.jsonl:1" in report.issues[0].where
    with pytest.raises(JudgeError, match="the gold SQL fails"):
        run(items[1:], {}, executes)


def test_golds_that_prove_little_are_warned_of(executes: list[Execute]) -> None:
    items = [
        item("none", f"{COUNT} having count(*) < 0"),
        item("many", "select line_id from marts.order_lines"),
    ]
    answers = {"none": ok(COUNT), "many": ok("select line_id from marts.order_lines")}
    report = run(items, answers, executes)
    assert ["no rows" in each.message or "more than" in each.message for each in report.issues] == [
        True,
        True,
    ]


def test_of_equals_at_a_golds_limit_any_will_do(executes: list[Execute]) -> None:
    top = "select channel from marts.orders order by channel is null, 1 = 1 limit 1"
    other = "select max(channel) from marts.orders where channel is not null"
    none = "select min(nullif(channel, channel)) from marts.orders"
    found = run([item("Any channel?", top)], {"Any channel?": ok(other)}, executes)
    assert found.outcomes[0].correct
    found = run([item("Any channel?", top)], {"Any channel?": ok(none)}, executes)
    assert not found.outcomes[0].correct


def test_a_gold_with_too_many_rows_to_compare_is_left_out(executes: list[Execute]) -> None:
    many = "select a.order_id from marts.orders a, marts.orders b, marts.orders c"
    few = item("How many orders?", COUNT)
    found = run([few, item("Pairs?", many)], {"How many orders?": ok(COUNT)}, executes)
    assert [each.item.question for each in found.outcomes] == ["How many orders?"]
    assert "in no order" in found.issues[0].message
    assert found.issues[0].level is Level.ERROR


def test_golds_without_rows_are_counted_apart_where_proof_is_wanted(
    executes: list[Execute],
) -> None:
    items = [item("none", f"{COUNT} having count(*) < 0"), item("some", COUNT)]

    def judge(*, rows_needed: bool) -> SuiteReport:
        return validate(
            items,
            lambda questions: [ok(COUNT) for _ in questions],
            lambda sql: [execute(sql) for execute in executes],
            len(executes),
            "duckdb",
            rows_needed=rows_needed,
        )

    assert judge(rows_needed=False).ex.n == 2
    report = judge(rows_needed=True)
    assert (report.ex.correct, report.ex.n) == (1, 1)
    assert "1 of 2 questions are not counted" in report.issues[0].message


def test_the_gold_itself_is_not_run_again(executes: list[Execute]) -> None:
    asked: list[str] = []

    def everywhere(sql: str) -> list[Rows | QueryError]:
        asked.append(sql)
        return [execute(sql) for execute in executes]

    items = [item("same", COUNT), item("other", COUNT)]
    answers = {"same": ok(COUNT), "other": ok(f"{COUNT} where true")}
    report = validate(
        items, lambda questions: [answers[each] for each in questions], everywhere, 2, "duckdb"
    )
    assert [each.correct for each in report.outcomes] == [True, True]
    assert asked == [COUNT, COUNT, f"{COUNT} where true"]


def test_a_model_must_answer_every_question(executes: list[Execute]) -> None:
    with pytest.raises(JudgeError, match="0 answers to 1 questions"):
        validate([item("x", COUNT)], lambda _: [], lambda sql: [executes[0](sql)], 1, "duckdb")


@pytest.mark.parametrize(
    ("sql", "cause"),
    [
        (
            "select o.channel, sum(net) from marts.big_orders o where net > 5 group by 1",
            "wrong table",
        ),
        ("select kind, sum(net) from marts.orders where net > 5 group by kind", "wrong grouping"),
        ("select channel, avg(net) from marts.orders where net > 5 group by 1", "wrong aggregate"),
        ("select channel, sum(net) from marts.orders where net >= 5 group by 1", "wrong filter"),
        (
            "select channel, sum(net) from marts.orders where net > 6 group by 1",
            "wrong filter value",
        ),
        ("select channel, sum(net) from marts.orders o where 5 < 6 group by all", "wrong grouping"),
        ("select sum(net) from marts.orders where net > 5 group by channel", "other"),
        (
            "select channel, order_id, sum(net) from marts.orders where net > 5 group by 1",
            "wrong column",
        ),
        (
            "select channel as c, sum(o.net) from shop.marts.orders o where (o.net > 5) group by c"
            " order by 1",
            "wrong order",
        ),
    ],
)
def test_causes(sql: str, cause: str) -> None:
    gold = "select channel, sum(net) from marts.orders where net > 5 group by channel"
    assert difference([gold], sql, "duckdb") == cause


@pytest.mark.parametrize(
    ("sql", "cause"),
    [
        ("select count(*) from a left join b on a.k = b.k", "wrong join"),
        ("select count(*) from a join b on a.k = b.other", "wrong join"),
        ("select count(*) from a join b using (k)", "other"),
        ("select count(*) from a as x join b as y on y.k = x.k", "other"),
    ],
)
def test_joins_are_told_apart_by_side_and_columns(sql: str, cause: str) -> None:
    assert difference(["select count(*) from a join b on a.k = b.k"], sql, "duckdb") == cause


@pytest.mark.parametrize(
    ("sql", "kind"),
    [
        ("select count(*) from a", "single table"),
        ("select count(*) from a where b = 1", "filter"),
        ("select b, count(*) from a group by b", "grouping"),
        ("select count(*) from a join b using (c)", "join"),
        ("select b from a order by c desc limit 3", "top-k"),
        ("select count(*) from a where b is null", "NULL handling"),
        ("select count(*) from a where b >= '2024-01-01'", "date range"),
        ("select count(*) from a where b >= current_date - interval 7 day", "date range"),
        ("select count(*) from (select b from a)", "nested"),
    ],
)
def test_types_are_told_from_the_gold(sql: str, kind: str) -> None:
    assert question_type([sql], "duckdb") == kind


def test_wilson_intervals() -> None:
    low, high = Share(8, 10).interval or (0, 0)
    assert (round(low, 4), round(high, 4)) == (0.4902, 0.9433)
    low, high = Share(0, 20).interval or (1, 1)
    assert (low, round(high, 4)) == (0.0, 0.1611)
    assert Share(0, 0).interval is None
    assert Share(0, 0).value is None
    assert percentile([3, 1, 2], 0.5) == 2
    assert percentile(list(range(1, 101)), 0.95) == 95
    assert percentile([], 0.5) is None


def some_report(executes: list[Execute]) -> Report:
    items = [
        item("How many <b>orders</b> & lines?", COUNT),
        item("Wrong \x07one", COUNT, type="</script>"),
        item("Weather?", type="refusal"),
    ]
    answers = {
        items[0].question: ok(COUNT, 10),
        items[1].question: ok("select 1 -- </pre><script>alert(1)</script>", 20),
        items[2].question: Prediction("refused", "", latency_ms=30),
    }
    suite = run(items, answers, executes)
    return Report((suite,), "shop", "embedded", "abc123", "duckdb", "2025-01-01T00:00:00")


def test_the_json_report(executes: list[Execute]) -> None:
    found = json.loads(json.dumps(to_json(some_report(executes))))
    suite = found["suites"]["business"]
    assert suite["answerable"]["n"] == 2
    assert suite["answerable"]["ex"] == 0.5
    assert len(suite["answerable"]["interval"]) == 2
    assert suite["answerable"]["refused"] == 0
    assert suite["unanswerable"] == {"n": 1, "refused": 1}
    assert suite["by_type"]["join"]["ex"] == 1.0
    assert found["latency_ms"] == {"p50": 20, "p95": 30}
    assert (found["model"], found["schema"]) == ("embedded", "abc123")
    assert [each["correct"] for each in suite["outcomes"]] == [True, False, True]


def test_the_junit_report(executes: list[Execute]) -> None:
    root = ElementTree.fromstring(to_junit(some_report(executes)).encode())
    cases = root.findall("testsuite/testcase")
    assert len(cases) == 3
    assert [case.find("failure") is not None for case in cases] == [False, True, False]


def test_the_html_report_is_escaped_and_self_contained(executes: list[Execute]) -> None:
    page = to_html(some_report(executes))
    assert "How many" not in page  # right answers are not listed
    assert page.count("<script>") == 1
    assert "alert(1)" not in page.replace("&lt;script&gt;alert(1)", "")
    for outside in ("http://", "https://", "src=", "@import", "url("):
        assert outside not in page


def test_the_lines(executes: list[Execute]) -> None:
    lines = to_lines(some_report(executes))
    assert lines[0].startswith("business: execution accuracy 50.0%")
    assert any(line.split()[2:3] == ["1"] and "Wrong" in line for line in lines)
