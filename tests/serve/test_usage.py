"""The report on a model's use: what it counts, what it names, and what it says where it cannot."""

from __future__ import annotations

import json
import math
import re
from collections import Counter
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from dbt_t2s import duck, reporting, store
from dbt_t2s.cli import app
from dbt_t2s.corpus.examples import Example
from dbt_t2s.errors import ServeError, UsageError
from dbt_t2s.judge.share import Share
from dbt_t2s.learning import versions
from dbt_t2s.serve.cases import Case, Window, cases_of
from dbt_t2s.serve.drift import Reference, drift, stems_of
from dbt_t2s.serve.figures import figures_of, grain_of, periods
from dbt_t2s.serve.log import Asked, QuestionLog, Said
from dbt_t2s.serve.readings import Read, read_all, read_one, shape_of
from dbt_t2s.serve.unanswered import unanswered
from dbt_t2s.serve.usage import to_json, usage
from dbt_t2s.serve.usage_lines import to_lines
from dbt_t2s.serve.usage_page import to_html
from dbt_t2s.workspace import Workspace, file_stamp
from tests.benchmarks.use import history
from tests.serve.test_log import ASKED, SAID

COUNT = "select count(*) from orders"
PAID = "select count(*) from orders where status = 'paid'"


def asked(number: int, question: str = "How many orders?", **more: object) -> Asked:
    moment = datetime(2025, 1, 1, tzinfo=UTC) + timedelta(days=number)
    entry = replace(ASKED, id=f"{number:04}", logged_at=moment.isoformat(), question=question)
    return replace(entry, **more)  # type: ignore[arg-type]


def refused(number: int, question: str, *missing: str) -> Asked:
    named = ", ".join(map(repr, missing))
    reason = f"nothing in this project is known as {named}"
    return asked(number, question, status="refused", sql_text="", reason=reason, execution_ms=0.0)


def said(number: int, verdict: str, corrected: str = "", at: str = "2025-02-01") -> Said:
    return replace(
        SAID, log_id=f"{number:04}", verdict=verdict, corrected_sql=corrected, recorded_at=at
    )


def test_the_last_verdict_counts_and_a_refusal_can_be_right() -> None:
    cases = cases_of(
        [refused(2, "And the weather?", "weather"), asked(1), asked(0), refused(3, "Rain?", "rain"),
         asked(4)],
        [said(0, "right", at="2025-02-03"), said(0, "wrong", at="2025-02-02"),
         said(1, "wrong", PAID), said(2, "should_refuse"), said(3, "wrong", COUNT),
         said(4, "should_refuse")],
    )  # fmt: skip
    assert [case.right for case in cases] == [True, False, True, False, False]
    assert [case.meant for case in cases] == [ASKED.sql_text, PAID, "", COUNT, ASKED.sql_text]
    found = figures_of(cases)
    assert (found.asked, found.answered, found.refused, found.failed) == (5, 3, 2, 0)
    assert (found.right, found.refused_rightly) == (Share(2, 5), Share(1, 2))
    assert (found.corrected, found.latency.median, found.execution.p95) == (2, 12.5, 2.5)


def test_windows_have_both_their_days_and_models_by_their_beginning() -> None:
    cases = cases_of([asked(n, model=f"m{n}") for n in range(5)], [])
    since, until = date(2025, 1, 2), date(2025, 1, 4)
    held = [case.day for case in cases if Window(since, until).holds(case)]
    assert held == [date(2025, 1, 2), date(2025, 1, 3), date(2025, 1, 4)]
    assert [case.asked.model for case in cases if Window(model="m3").holds(case)] == ["m3"]


@given(st.sets(st.integers(0, 400), min_size=1, max_size=40))
@example({188, 188 + 26 * 7 - 1})  # 182 days that touch 27 weeks
def test_periods_hold_each_question_once_and_leave_no_gap(days: set[int]) -> None:
    cases = cases_of([asked(n) for n in days], [])
    found = periods(cases)
    assert sum(each.figures.asked for each in found) == len(days)
    grain = grain_of(cases[0].day, cases[-1].day)
    steps = {(b.start - a.start).days for a, b in pairwise(found)}
    assert steps <= {"day": {1}, "week": {7}, "month": {28, 29, 30, 31}}[grain]
    assert found[0].start <= cases[0].day and len(found) <= 26


def test_what_is_missing_is_grouped_by_what_most_questions_lack() -> None:
    cases = cases_of(
        [
            refused(0, "footfall and weather?", "footfall", "weather"),
            refused(1, "footfall by store", "footfall"),
            refused(2, "FOOTFALL by store?", "Footfall"),
            refused(3, "is the weather good", "weather"),
            refused(4, "suppliers that were late", "suppliers"),
            refused(5, "any supplier", "supplier"),
            refused(6, "sums of orders", "sums"),  # answered on day 7
            asked(7, "Sums of orders?"),
            asked(8, "How is *** doing?", status="refused", sql_text="",
                  reason="nothing in this project is known as '***'"),
            asked(9, "Profit?", status="error", reason="timeout: over 3 seconds"),
            asked(10, "Bestellungen?", status="refused", sql_text="",
                  reason="questions are read in English; this one is in German"),
            asked(11, "Who is nice?"),
            refused(12, "all the orders", "all"),
        ],
        [said(11, "should_refuse"), said(12, "wrong", COUNT)],
    )  # fmt: skip
    found = unanswered(cases)
    assert (found.asked, found.answered_later) == (12, 2)
    assert [(g.kind, g.what, g.asked, g.questions) for g in found.groups] == [
        ("missing", "footfall", 3, 2),
        ("missing", "suppliers", 2, 2),
        ("failed", "no SQL that runs: timeout", 1, 1),
        ("unnamed", "people say that the data does not hold it", 1, 1),
        ("language", "questions in other languages", 1, 1),
        ("missing", "weather", 1, 1),
        ("unnamed", "what they ask together is not in the data", 1, 1),
    ]
    assert found.groups[0].examples == ("FOOTFALL by store?", "footfall and weather?")
    assert sum(group.asked for group in found.groups) == found.asked - found.answered_later
    # What somebody says, and what models that write their refusals say, names it too.
    told = cases_of(
        [asked(0), asked(1, "Rain?", status="refused", reason="there is no table of rainfall")],
        [replace(said(0, "should_refuse"), note="we keep no orders of shops")],
    )
    assert {g.what for g in unanswered(told).groups} == {
        "we keep no orders of shops",
        "there is no table of rainfall",
    }


def test_shapes_name_clauses() -> None:
    assert shape_of("select * from orders") == "rows as they are"
    sql = "select a, sum(b) from t join u using (k) where c = 1 group by a order by 2 limit 3"
    assert shape_of(sql) == "sum, join, where, group by, order by, limit"
    assert shape_of("select count(distinct a) from (select 1) having 1") == (
        "count, distinct, having, subquery"
    )


@pytest.mark.parametrize("sql", ["no sql at all", "select ((", "", "drop table orders"])
def test_what_is_no_statement_of_the_project_is_read_as_nothing(sql: str) -> None:
    assert read_one(sql, None, "duckdb").things == frozenset()


def test_no_more_statements_are_read_than_asked_for() -> None:
    cases = cases_of([asked(n, sql_text=f"select {n}") for n in range(9)], [])
    assert list(read_all(cases, None, "duckdb", 2)) == ["select 8", "select 7"]


def reference(*questions: str) -> Reference:
    return Reference(
        tuple(map(stems_of, questions)), Counter(filter=9, join=1), Counter({"count": 100}),
        {"t:orders": 100, "c:orders.status": 1}, stems_of("paid"),
    )  # fmt: skip


def test_drift_names_words_things_and_forms_that_the_corpus_lacks() -> None:
    corpus = reference(*(f"How many orders in area {n}?" for n in "abcdefghij" * 10))
    plain = [asked(n // 30, f"orders in area {chr(97 + n % 26)}") for n in range(30)]
    odd = [
        asked(20 + n % 2, f"Footfalls of paid shops {chr(97 + n)}?", sql_text=PAID)
        for n in range(25)
    ]
    read = {
        COUNT: Read("single table", "count", frozenset({"t:orders"})),
        PAID: Read("filter", "count, where", frozenset({"t:orders", "c:orders.status"})),
    }
    found = drift(cases_of([*plain, *odd], []), read, corpus)
    assert found.words[0].name in ("footfalls", "shops") and found.words[0].people == 25
    assert "paid" not in [each.name for each in found.words]
    assert [each.name for each in found.things] == ["c:orders.status"]
    assert [(each.name, each.corpus) for each in found.shapes] == [("count, where", 0)]
    assert [kind for kind, _, _ in found.types] == ["filter", "join", "single table"]
    near, far = found.over_time[0], found.over_time[-1]
    assert near.distance < far.distance <= 1.0 and far.new_words == 1.0
    # Questions of the corpus are as far from it as is expected of so many.
    own = [asked(0, f"How many orders in area {n}?") for n in "abcdefghij" * 10]
    (same,) = drift(cases_of(own, []), {}, replace(corpus, known=frozenset())).over_time or (None,)
    assert same is None or math.isclose(same.distance, 0.0, abs_tol=0.05)


EXAMPLES = [
    Example(f"e{n}", "test", 2, "filter", f"How many {what} in {n}?", sql, "[]", "t", "s")
    for n in range(40)
    for what, sql in (("orders", COUNT), ("paid orders", PAID))
]


@pytest.fixture(scope="module")
def months() -> tuple[Case, ...]:
    """Three months of a log that was made up."""
    last = datetime(2025, 6, 30, tzinfo=UTC)
    return cases_of(*history(EXAMPLES, days=91, a_day=8, seed=3, last=last))


def test_three_months_are_told_on_the_terminal_as_json_and_as_a_page(
    months: tuple[Case, ...],
) -> None:
    read = read_all(months, None, "duckdb")
    corpus = reference(*(each.question for each in EXAMPLES))
    validated = {months[-1].asked.model: (("business", Share(8, 10)),)}
    found = usage(months, Window(), read, corpus, validated, project="shop", source="here")
    assert [each.model for each in found.versions] == list(
        dict.fromkeys(case.asked.model for case in months)
    )
    assert len(found.versions) == 4 and found.grain == "week"
    lines = "\n".join(to_lines(found))
    for told in ("right by query type", "80.0% business", "“footfall”", "against the corpus"):
        assert told in lines
    content = json.loads(json.dumps(to_json(found), allow_nan=False))
    figures = content["figures"]
    assert figures["asked"] == sum(p["figures"]["asked"] for p in content["over_time"])
    assert figures["asked"] == sum(v["figures"]["asked"] for v in content["versions"])
    assert content["versions"][-1]["validated"]["business"]["value"] == 0.8
    assert set(content["by_type"]) >= {"filter", "single table", "refusal"}
    assert content["drift"]["over_time"][-1]["new_words"] > 0
    check_page(to_html(found))


class Tags(HTMLParser):
    """Whether what is opened is closed, and that nothing is loaded."""

    VOID = ("meta", "input", "br", "rect", "line", "path")

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: Counter[str] = Counter()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert not {"src", "href", "onclick"} & {name for name, _ in attrs}
        self.seen[tag] += 1
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag in self.VOID

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def check_page(page: str) -> Tags:
    tags = Tags()
    tags.feed(page)
    assert tags.open == [] and "default-src 'none'" in page and "NaN" not in page
    for drawing in re.findall(r'<path class="[^"]*" d="([^"]*)"', page):
        assert re.fullmatch(r"([ML][-\d.]+ [-\d.]+ ?)*", drawing), drawing
    return tags


HOSTILE = "</script><script>alert(1)</script><img src=x onerror=y> \x1b[31m \"'&"


def test_what_people_wrote_is_text_on_the_page_and_obeyed_by_no_terminal() -> None:
    entry = asked(0, HOSTILE, status="refused", sql_text="", reason=HOSTILE)
    spoken = replace(said(1, "wrong", f"select '{HOSTILE}'"), note=HOSTILE, person=HOSTILE)
    cases = cases_of([entry, asked(1, HOSTILE, model=HOSTILE)], [spoken])
    found = usage(cases, Window(), {}, "none is here", {}, project=HOSTILE)
    tags = check_page(to_html(found))
    assert not tags.seen["img"] and not tags.seen["script"]
    assert "\x1b" not in "".join(to_lines(found))


def test_one_question_is_enough(months: tuple[Case, ...]) -> None:
    for case in (months[0], months[-1], Case(asked(0, status="error", sql_text="", reason="x"))):
        found = usage([case], Window(), {}, reference("How many?"), {})
        check_page(to_html(found))
        assert to_lines(found)


# ---- the verb, on a project


@pytest.fixture
def own(workspace: Workspace, tmp_path: Path) -> Workspace:
    """The trained shop with a log of its own."""
    return replace(workspace, project=replace(workspace.project, root=tmp_path))


def test_the_verb_reads_log_corpus_and_validation(own: Workspace, tmp_path: Path) -> None:
    log = QuestionLog(tmp_path)
    model = file_stamp(own.model_dir / "record.json")[:12]
    for number in range(4):
        log.add(asked(number, f"How many orders by status {number}?", sql_text=PAID, model=model))
    log.add(replace(said(1, "wrong", COUNT), id="f1"))
    found = reporting.report(own, Window(until=date(2025, 1, 3)))
    assert found.figures.asked == 3 and found.source == ".t2s/log.duckdb"
    assert found.by_type == (("single table", Share(0, 1)),)
    assert found.drift is not None and found.drift.examples > 100
    assert dict(found.versions[0].validated)["generated"].n > 0
    # Without corpus and schema it says so, and the rest.
    bare = replace(own, project=replace(own.project, target_path=tmp_path / "none"))
    assert reporting.report(bare, Window()).no_drift.startswith("there is no")


def test_what_cannot_be_told_is_said(own: Workspace, tmp_path: Path) -> None:
    def told(window: Window = Window()) -> ServeError:  # noqa: B008
        with pytest.raises(ServeError) as failure:
            reporting.report(own, window)
        return failure.value

    assert "no question was asked here yet" in told().what
    silent = replace(own, settings=replace(own.settings, log=""))
    with pytest.raises(ServeError) as failure:
        reporting.report(silent, Window())
    assert "log: false" in failure.value.hint
    log = QuestionLog(tmp_path)
    log.fold()
    assert "no question was kept yet" in told().what
    log.add(asked(0))
    failed = told(Window(since=date(2026, 1, 1)))
    assert "1 questions from 2025-01-01" in failed.what and "m1" in failed.hint
    with duck.open_writable(log.path) as connection:
        connection.execute("update t2s_about set format = 7")
    assert "another version of dbt-t2s (format 7" in told().what


@pytest.mark.parametrize(
    ("flags", "told"),
    [
        (("2025-02-30", None), "--since should be a day"),
        ((None, "yesterday"), "--until should be a day"),
        (("2025-03-01", "2025-02-01"), "is after --until"),
    ],
)
def test_windows_that_are_none_are_told(flags: tuple[str | None, str | None], told: str) -> None:
    with pytest.raises(UsageError, match=told):
        reporting.window_of(*flags, None)


def test_versions_that_are_kept_bring_their_validation(own: Workspace, tmp_path: Path) -> None:
    target = replace(own, project=replace(own.project, target_path=tmp_path))
    judged = versions.Version(
        "a1", "2025-01-01", "train", "embedded", "", "s", "d", "m", 0, 9, 9, 1.0,
        (versions.Figures("business", 3, 4, 0, 1),),
    )  # fmt: skip
    for each in (judged, replace(judged, id="b2", figures=())):
        store.write_json(versions.folder_of(target, each.id) / versions.FILE, each)
    assert reporting.validated(target) == {"a1": (("business", Share(3, 4)),)}


@pytest.mark.parametrize("text", ["{", "[]", '{"suites": 3}'])
def test_a_report_that_is_none_is_gone_without(own: Workspace, tmp_path: Path, text: str) -> None:
    """The model in use may have a report of another version, or half a one."""
    target = replace(own, project=replace(own.project, target_path=tmp_path))
    target.model_dir.mkdir(parents=True)
    (target.model_dir / "record.json").write_text("{}")
    target.report_path.write_text(text)
    assert reporting.validated(target) == {}
    suites = {"business": {"answerable": {"correct": 3, "n": 4}}}
    target.report_path.write_text(json.dumps({"suites": suites}))
    assert list(reporting.validated(target).values()) == [(("business", Share(3, 4)),)]


def test_the_command_line_prints_writes_and_says_where(
    shop_in_use: Path, tmp_path: Path, months: tuple[Case, ...]
) -> None:
    from typer.testing import CliRunner

    project = tmp_path / "shop"
    project.mkdir()
    for name in ("dbt_project.yml", "profiles.yml"):
        (project / name).write_text((shop_in_use / name).read_text())
    common = ["report", "--project-dir", str(project), "--profiles-dir", str(project)]
    empty = CliRunner().invoke(app, common)
    assert empty.exit_code == 1 and "no question was asked here yet" in empty.output
    log = QuestionLog(project)
    for case in months[:50]:
        log.add(case.asked)
    page = tmp_path / "report.html"
    done = CliRunner().invoke(app, [*common, "--json", "--quiet", "--html", str(page)])
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout)["figures"]["asked"] == 50
    check_page(page.read_text())
