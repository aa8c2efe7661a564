"""The macros that keep a log, explain statements and test answers, on DuckDB and PostgreSQL."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from dbt_t2s.duck import QueryError
from dbt_t2s.errors import ServeError
from dbt_t2s.project import dbt
from dbt_t2s.project.dbt import DbtProject, open_project
from dbt_t2s.project.operations import Operations
from dbt_t2s.serve import outbox as outbox_module
from dbt_t2s.serve.outbox import Outbox, read_kept
from tests.project import postgres
from tests.project.postgres import needs_postgres
from tests.serve.test_log import ASKED, SAID

# What would end a literal, a comment, a template or a statement somewhere.
HOSTILE = "it's \\' \" -- /* ${x} {{ 1 }} %s $$ \n\r\t; drop table t2s_log; é 😀"

BILLS = """
models:
  - name: bills
    description: What visits cost.
    columns:
      - name: paid
        description: Euros.
        config: {meta: {synonyms: [price]}}
      - name: price_class
        description: Dear or cheap.
      - name: seen_on
        description: The day.
    data_tests:
      - dbt_t2s.t2s_documented:
          name: documented
          arguments: {descriptions: 1, synonyms: 0.3}
      - dbt_t2s.t2s_documented:
          name: too_few_words
          arguments: {synonyms: 0.5}
      - dbt_t2s.t2s_documented:
          name: asked_words
          arguments: {synonyms: 1, asked: true}
      - dbt_t2s.t2s_answerable:
          name: answerable
          arguments:
            questions:
              - question: How many visits of each class?
                sql: "select price_class, count(*) from {{ ref('bills') }} group by 1;"
                rows: [[dear, 3], [cheap, 2], [null, 1]]
              - question: What was paid on the last two days?
                sql: >
                  with a as (select * from {{ ref('bills') }})
                  select seen_on, paid, paid > 1 from a order by seen_on desc limit 2
                rows: [[2024-03-09, 0.0, false], [2024-03-01, 80, true]]
              - question: Any bill of a hundred?
                sql: "select 1 from {{ ref('bills') }} where paid > 100"
                at_least: 1
      - dbt_t2s.t2s_answerable:
          name: not_answerable
          arguments:
            questions:
              - {question: Another value?, sql: "select 'it''s' as x", rows: [[it]]}
              - {question: A row too many?, sql: "select 1 union all select 2", rows: [[1]]}
              - {question: Twice?, sql: "select 1 union all select 2", rows: [[1], [1]]}
              - {question: None?, sql: "select 1 as x where 1 = 0", rows: [[1]]}
              - {question: A whole number?, sql: "select 100000001 as x", rows: [[100000000]]}
              - {question: Few?, sql: "select 1 as x", count: 2}
      - dbt_t2s.t2s_answerable:
          name: as_logged
          arguments:
            questions:
              - question: "How many 'bills'?"
                rows: [[6]]
"""


@dataclass(frozen=True)
class Place:
    """A built project, and how each of its nodes ended: its status and its failures."""

    project: DbtProject
    ended: dict[str, tuple[str, int | None]]

    @property
    def schema(self) -> str:
        return "main" if self.project.target == "duck" else "Vet"


def results(project: DbtProject) -> dict[str, tuple[str, int | None]]:
    found = json.loads((project.target_path / "run_results.json").read_text())["results"]
    return {e["unique_id"].split(".")[2]: (e["status"], e["failures"]) for e in found}


@pytest.fixture(scope="module", params=["duck", pytest.param("pg", marks=needs_postgres)])
def place(
    request: pytest.FixtureRequest, clinic_folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Place]:
    """The clinic with the hook and the generic tests, built; `t2s_setup` was not called yet."""
    root = tmp_path_factory.mktemp(request.param) / "clinic"
    kept_out = shutil.ignore_patterns("target", "logs", "*.duckdb*")
    shutil.copytree(clinic_folder, root, symlinks=True, ignore=kept_out)
    bills = "select visit_id, paid, price_class, \"Seen On\" as seen_on from {{ ref('visits') }}\n"
    (root / "models/bills.sql").write_text(bills)
    (root / "models/bills.yml").write_text(BILLS)
    settings = root / "dbt_project.yml"
    hook = 'on-run-end: ["{{ dbt_t2s.t2s_record_schema(results) }}", '
    told = settings.read_text().replace("on-run-end: ", hook)
    told = told.replace("'postgres' }}\"", "'postgres' }}\"]")
    settings.write_text(f"{told}vars: {{t2s: {{log_schema: Kept}}}}\n")
    if request.param == "duck":
        yield built(open_project(root, target="duck"))
        return
    with pytest.MonkeyPatch.context() as patch, postgres.server() as server:
        patch.setenv("CLINIC_HOST", str(server.socket))
        yield built(open_project(root, target="pg"))


def built(project: DbtProject) -> Place:
    done = dbt.run(project, "build", "--exclude", "relationships_visits_pet_id__pet_id__ref_pets_")
    ended = results(project)
    assert not done.success  # some tests are meant to fail
    assert ended["clinic-on-run-end-0"][0] == "success", done.messages
    return Place(project, ended)


@pytest.fixture(scope="module")
def operations(place: Place) -> Iterator[Operations]:
    with Operations(place.project) as opened:
        made = call(opened, "t2s_setup")[0]["tables"]
        # The hook has made its own.
        assert [each["made"] for each in made] == [True, True, False]
        assert all("Kept" in each["relation"] for each in made)
        yield opened


def call(operations: Operations, macro: str, **arguments: object) -> tuple[Any, ...]:
    answers = operations.call(macro, **arguments)
    assert not isinstance(answers, QueryError), answers
    return answers


def rows(operations: Operations, sql: str) -> list[list[Any]]:
    (answer,) = call(operations, "t2s_query", sql=sql)
    return [list(row) for row in answer["rows"]]


def test_generic_tests_pass_and_fail_as_they_should(place: Place) -> None:
    names = ("documented", "answerable", "not_answerable", "as_logged", "too_few_words")
    assert {name: place.ended[name] for name in names} == {
        "documented": ("pass", 0),
        "answerable": ("pass", 0),
        "not_answerable": ("fail", 6),
        "as_logged": ("fail", 1),  # nothing is logged yet
        "too_few_words": ("fail", 2),  # of three columns two have no synonyms
    }
    assert place.ended["asked_words"][0] == "error"  # there is no log


def test_the_hook_records_each_change_once(operations: Operations) -> None:
    first = rows(operations, 'select node, column_list from "Kept".t2s_schema_history')
    assert sorted(node.split(".")[2] for node, _ in first) == [
        *("bills", "pets", "raw_log", "raw_pets", "raw_visits", "visits")
    ]
    columns = {node: json.loads(listed) for node, listed in first}
    assert [name for name, _ in columns["model.clinic.bills"]] == [
        *("visit_id", "paid", "price_class", "seen_on")
    ]
    (again,) = call(operations, "t2s_record_schema")
    assert again["tables"] == 6
    assert again["changed"] == []
    (one,) = call(operations, "t2s_record_schema", tables="pets")
    assert one["fingerprint"] == again["fingerprint"]
    assert len(rows(operations, 'select node from "Kept".t2s_schema_history')) == 6


def test_what_is_logged_can_be_asked_for(operations: Operations) -> None:
    (logged,) = call(
        operations, "t2s_log", question=HOSTILE, sql="select 1", rows=1, latency_ms=2.5,
        confidence=0.75, model=HOSTILE,
    )  # fmt: skip
    call(operations, "t2s_log", question="what?", status="refused", reason="nobody knows")
    found = rows(
        operations,
        "select id, question, status, sql_text, row_count, latency_ms, confidence, model, reason"
        ' from "Kept".t2s_log order by logged_at',
    )
    assert found == [
        [logged["id"], HOSTILE, "ok", "select 1", 1, 2.5, 0.75, HOSTILE, None],
        [found[1][0], "what?", "refused", None, None, None, None, None, "nobody knows"],
    ]
    call(operations, "t2s_log", question=HOSTILE, sql="select 3")
    (asked,) = call(operations, "t2s_questions")
    assert asked == {"questions": [{"question": HOSTILE, "sql": "select 3"}]}
    call(operations, "t2s_feedback", question=HOSTILE, verdict="wrong", corrected="select 2;")
    call(operations, "t2s_feedback", question=HOSTILE, verdict="right", person="ada")
    assert rows(
        operations,
        'select question, verdict, corrected_sql, person from "Kept".t2s_feedback'
        " order by recorded_at",
    ) == [[HOSTILE, "wrong", "select 2", None], [HOSTILE, "right", None, "ada"]]


@pytest.mark.parametrize(
    ("macro", "arguments", "told"),
    [
        ("t2s_log", {"question": " ", "sql": "select 1"}, "question should be a text"),
        ("t2s_log", {"question": "a"}, "sql should be a text"),
        ("t2s_log", {"question": "a", "status": "fine"}, "status should be one of"),
        ("t2s_log", {"question": "a", "sql": "s", "rows": "1; drop"}, "row_count should be"),
        ("t2s_log", {"question": "a", "sql": "s", "latency_ms": "1"}, "latency_ms should be"),
        ("t2s_log", {"question": "a", "sql": {"b": 1}}, "sql should be a text"),
        ("t2s_log", {"question": "a" * 20_000, "sql": "s"}, "is too long"),
        ("t2s_feedback", {"question": "a", "verdict": "meh"}, "verdict should be one of"),
        (
            "t2s_feedback",
            {"question": "a", "verdict": "wrong", "corrected": "delete from x"},
            "not a SELECT",
        ),
        ("t2s_feedback", {"question": "a", "verdict": "right", "corrected": "x"}, "needs no"),
        ("t2s_validate", {"sql": "select 1; drop table bills"}, "more than one statement"),
        ("t2s_explain", {"sql": "analyze select 1"}, "not a SELECT"),
        ("t2s_record_schema", {"tables": "--full-refresh"}, "no name of a table"),
    ],
)
def test_bad_arguments_are_told_and_nothing_is_kept(
    operations: Operations, macro: str, arguments: dict[str, object], told: str
) -> None:
    before = rows(operations, 'select count(*) from "Kept".t2s_log')
    failed = operations.call(macro, **arguments)
    assert isinstance(failed, QueryError)
    assert told in failed.message
    assert rows(operations, 'select count(*) from "Kept".t2s_log') == before


def test_a_statement_is_explained_and_not_run(place: Place, operations: Operations) -> None:
    table = f'"{place.schema}".bills'
    asked = f"select price_class, count(*) from {table} group by 1 order by 2 limit 5"
    (valid,) = call(operations, "t2s_validate", sql=asked)
    assert valid["valid"] is True
    assert valid["rows"] >= 1
    assert (valid["cost"] is None) == (place.project.target == "duck")
    (explained,) = call(operations, "t2s_explain", sql=asked, timeout=5)
    assert {key: explained[key] for key in valid} == valid
    assert "bills" in json.dumps(explained["plan"])
    failed = operations.call("t2s_validate", sql=f"select nope from {table}")
    assert isinstance(failed, QueryError)
    assert "nope" in failed.message


def test_logged_answers_are_tested_by_dbt(place: Place, operations: Operations) -> None:
    for sql in ("select 1", f'select count(paid) from "{place.schema}".bills'):
        call(operations, "t2s_log", question="How many 'bills'?", sql=sql)
    operations.__exit__(None, None, None)  # a DuckDB file is one process's; it starts again
    done = dbt.run(place.project, "test", "--select", "as_logged", "asked_words")
    ended = results(place.project)
    assert [ended[name] for name in ("as_logged", "asked_words")] == [("pass", 0)] * 2, done


@pytest.fixture(scope="module")
def delivered(operations: Operations, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder whose outbox was handed over, in part twice."""
    root = tmp_path_factory.mktemp("outbox")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(outbox_module, "_BATCH", 10)
        hand_over(Outbox(root), operations)
    return root


def hand_over(outbox: Outbox, operations: Operations) -> None:
    target = operations.project.target
    asked = [
        replace(ASKED, id=f"q{n}", question=f"{n} {HOSTILE}", model="m1", target_name=target,
                logged_at=f"2025-01-01T00:{n // 60:02}:{n % 60:02}.5+00:00")
        for n in range(23)
    ]  # fmt: skip
    for entry in asked:
        outbox.add(entry)
    outbox.add(replace(SAID, log_id="q1", note=HOSTILE, target_name=target))
    calls = 0

    def breaks_off(macro: str, **arguments: Any) -> tuple[Any, ...] | QueryError:
        nonlocal calls
        calls += 1
        return QueryError("runtime", "gone") if calls == 2 else operations.call(macro, **arguments)

    assert not outbox.is_empty()
    with pytest.raises(ServeError, match="did not take questions and verdicts"):
        outbox.deliver(breaks_off)
    assert not outbox.is_empty()
    assert outbox.deliver(operations.call) == 24
    assert outbox.is_empty()


def test_the_outbox_loses_nothing_and_doubles_nothing(
    operations: Operations, delivered: Path
) -> None:
    found, said = read_kept(operations.call, 1_000)
    ours = [each for each in found if each.id.startswith("q")]
    assert [each.id for each in ours] == [f"q{n}" for n in reversed(range(23))]
    assert ours[-1] == replace(
        ASKED,
        id="q0",
        question=f"0 {HOSTILE}",
        model="m1",
        target_name=operations.project.target,
        logged_at=ours[-1].logged_at,
    )
    assert ours[-1].logged_at.startswith("2025-01-01T00:00:00.5")
    (one,) = [each for each in said if each.log_id == "q1"]
    assert (one.verdict, one.note, one.person) == ("right", HOSTILE, "ada")
    # Pages come one after another.
    assert len(read_kept(operations.call, 7)[0]) == 7


def test_an_older_table_gets_the_columns_that_it_lacks(operations: Operations) -> None:
    table = '"Kept".t2s_log'
    ((before,),) = rows(operations, f"select count(*) from {table}")
    with_columns = rows(operations, f"select execution_ms from {table} where id = 'q3'")
    assert with_columns == [[2.5]]
    dropped = operations.call("t2s_write", sql=f"alter table {table} drop column execution_ms")
    assert dropped == ()
    call(operations, "t2s_keep", asked=[{"id": "late", "question": "?", "status": "ok",
                                         "execution_ms": 7.5}])  # fmt: skip
    assert rows(operations, f"select execution_ms from {table} where id = 'late'") == [[7.5]]
    assert rows(operations, f"select count(*) from {table}") == [[before + 1]]
