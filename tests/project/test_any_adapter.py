"""A project on another warehouse is trained on made-up rows and answered by its own warehouse."""

from __future__ import annotations

import json
import shutil
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from dbt_t2s import duck, store
from dbt_t2s.corpus.examples import Example
from dbt_t2s.duck import QueryError, Rows
from dbt_t2s.instances import Instances
from dbt_t2s.project import dbt
from dbt_t2s.project.dbt import DbtProject
from dbt_t2s.project.operations import Operations
from tests.conftest import t2s
from tests.project.postgres import PORT, Server, needs_postgres

SMALL = ("--target", "pg", "--minutes", "0.1", "--max-examples", "250")
QUESTION = "How many visits?"


@pytest.fixture(scope="module")
def trained(clinic: DbtProject) -> DbtProject:
    """The clinic on PostgreSQL, with a model trained for seconds."""
    done = t2s("train", *SMALL, cwd=clinic.root)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "postgres is asked for answers alone" in done.stderr
    assert "generated: execution accuracy" in done.stdout
    return clinic


def ask(project: DbtProject, **environment: str) -> dict[str, Any]:
    done = t2s("ask", QUESTION, "--json", "--target", "pg", cwd=project.root, env=environment)
    assert done.returncode == 0, done.stdout + done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@needs_postgres
def test_an_answer_s_rows_are_the_warehouse_s(trained: DbtProject) -> None:
    folder = trained.target_path / "t2s"
    instances = store.read_json(folder / "warehouse" / "instances.json", Instances)
    assert set(instances.made_up) == {"pets", "visits"}
    first = folder / "warehouse" / instances.files[0]
    connection = duck.open_read_only(first)
    try:
        counted = duck.run(connection, 'select count(*) from "Vet".visits')
    finally:
        connection.close()
    assert isinstance(counted, Rows)
    assert counted.rows[0][0] != 6
    found = ask(trained)
    assert (found["status"], found["rows"], found["reason"]) == ("ok", [[6]], "")
    assert '"postgres"."Vet"."visits"' in found["sql"]


@needs_postgres
def test_an_answer_has_as_many_rows_as_the_limit_says(trained: DbtProject) -> None:
    done = t2s(
        "ask", "List all visits", "--json", "--target", "pg", cwd=trained.root,
        env={"DBT_T2S_ROW_LIMIT": "2"},
    )  # fmt: skip
    found = json.loads(done.stdout)
    assert found["status"] == "ok", found
    assert len(found["rows"]) == 2
    assert found["reason"] == "only the first 2 rows are shown"


@needs_postgres
def test_without_the_warehouse_the_sql_comes_without_rows(
    trained: DbtProject, server: Server
) -> None:
    server.stop()
    try:
        found = ask(trained)
    finally:
        server.start()
    assert (found["status"], found["columns"], found["rows"]) == ("ok", ["visits_count"], [])
    assert found["reason"] == "the SQL alone: the warehouse was not asked"


@needs_postgres
def test_gold_sql_runs_on_the_warehouse_that_it_is_written_for(
    trained: DbtProject, server: Server
) -> None:
    examples = store.read_rows(trained.target_path / "t2s" / "examples.parquet", Example)
    golds = tuple(dict.fromkeys(each.sql for each in examples if each.sql))
    assert len(golds) > 100
    driver = import_module("psycopg2")
    connection = driver.connect(host=str(server.socket), port=PORT, user="t2s", dbname="postgres")
    connection.autocommit = True
    failed = []
    with connection.cursor() as cursor:
        for gold in golds:
            try:
                cursor.execute(gold)
            except driver.Error as error:
                failed.append((gold, str(error)))
    connection.close()
    assert failed == []


@needs_postgres
def test_training_again_makes_nothing_up_anew(trained: DbtProject) -> None:
    folder = trained.target_path / "t2s"
    files = {path: path.stat().st_mtime_ns for path in folder.glob("warehouse/**/*.duckdb")}
    done = t2s("train", *SMALL, cwd=trained.root)
    assert done.returncode == 0, done.stderr
    assert "model: up to date" in done.stderr
    assert "making up rows" not in done.stderr
    assert {p: p.stat().st_mtime_ns for p in folder.glob("warehouse/**/*.duckdb")} == files


@needs_postgres
def test_a_change_is_checked_on_the_made_up_rows(
    trained: DbtProject, server: Server, tmp_path: Path
) -> None:
    """The last test here, for it changes the project."""
    state = Path(shutil.copytree(trained.target_path, tmp_path / "state"))
    asked = {"question": "Paid?", "sql": 'select sum(paid) from "Vet".visits'}
    with Operations(trained) as operations:
        for macro, arguments in (("t2s_setup", {}), ("t2s_log", asked)):
            assert not isinstance(operations.call(macro, **arguments), QueryError)
    model = trained.root / "models/visits.sql"
    model.write_text(f"select * from (\n{model.read_text()}\n) as every where not is_urgent\n")
    assert dbt.run(trained, "docs", "generate").success

    def check() -> dict[str, Any]:
        done = t2s(
            "check", "--state", str(state), "--target", "pg", "--json", cwd=trained.root
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        found: dict[str, Any] = json.loads(done.stdout)
        assert [c["what"] for c in found["changes"] if c["code"] == "T2S105"] == ["visits"]
        assert any(q["source"] == "example" for q in found["questions"])
        return found

    found = check()
    assert found["not_compared"] == []
    people = {(q["question"], q["harm"]) for q in found["questions"] if q["source"] != "example"}
    assert people == {("Paid?", "changed")}
    server.stop()
    try:
        found = check()
    finally:
        server.start()
    (reason,) = found["not_compared"]
    assert reason.startswith("the logged questions could not be read")
