"""Answers come from the rows that the project has now."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from contextlib import closing
from pathlib import Path

from dbt_t2s import duck
from dbt_t2s.answers import read_instances
from dbt_t2s.console import Console
from dbt_t2s.current import current_data
from dbt_t2s.explaining import Explainer
from dbt_t2s.project.schema import ProjectSchema
from dbt_t2s.serve.ask import Answer
from dbt_t2s.workspace import open_workspace


def orders_in(path: Path) -> object:
    with closing(duck.open_read_only(path)) as connection:
        found = duck.run(connection, "select count(*) from orders")
        assert isinstance(found, duck.Rows)
        return found.rows[0][0]


def test_a_build_after_the_training_is_seen(trained_shop_copy: Path) -> None:
    err = io.StringIO()
    workspace = open_workspace(Console(err=err), project_dir=trained_shop_copy)
    instances = read_instances(workspace)
    trained = workspace.warehouse_dir / instances.own
    assert current_data(workspace, instances) == trained
    database = workspace.project.database
    assert database is not None
    with duck.open_writable(database) as connection:
        connection.execute("delete from raw_orders where id > 100")
    now = current_data(workspace, instances)
    assert now is not None and now != trained and now.name == database.name
    assert (orders_in(trained), orders_in(now)) == (120, 100)
    assert current_data(workspace, instances) == now
    written = now.stat().st_mtime_ns
    built = Explainer(workspace, ProjectSchema("shop", "duckdb", ()), now).built
    assert built and err.getvalue() == ""

    # While a build goes on, the rows from before answer.
    os.utime(database)
    code = "import sys, duckdb; c = duckdb.connect(sys.argv[1]); print('in', flush=True); input()"
    holder = subprocess.Popen(
        [sys.executable, "-c", code, str(database)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert holder.stdout is not None and holder.stdout.readline() == "in\n"
    assert current_data(workspace, instances) == now
    assert "answers are of older data: another process is writing" in err.getvalue()
    holder.communicate("\n")
    assert current_data(workspace, instances) == now and now.stat().st_mtime_ns > written
    # A file that is gone is no reason to have no answers.
    database.unlink()
    assert current_data(workspace, instances) == now


def test_small_talk_that_was_not_read_is_told(trained_shop_copy: Path) -> None:
    workspace = open_workspace(Console(err=io.StringIO()), project_dir=trained_shop_copy)
    explainer = Explainer(workspace, ProjectSchema("shop", "duckdb", ()), None)
    question = "how many customers do we have in Austria?"

    def told(asked: str, read_as: str = "") -> tuple[str, ...]:
        return explainer.explain(Answer(asked, "ok", "select 1 as n", read_as=read_as)).assumed

    assert told(question) == ()
    (left,) = told(f"A Vienna paper is asking, so: {question}")
    assert left == "“A Vienna paper is asking, so:” is no part of the question."
    # A follow-up is read whole.
    assert (
        told(f"A Vienna paper is asking, so: {question}", read_as="orders; those customers") == ()
    )
