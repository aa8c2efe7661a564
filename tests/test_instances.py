"""The DuckDB files that SQL is checked on: copied, made up or both, and made again when needed."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dbt_t2s import duck, store
from dbt_t2s.console import Console
from dbt_t2s.duck import QueryError, Rows
from dbt_t2s.freshness import content_of, is_fresh, usable
from dbt_t2s.instances import Instances, instances_of, readable, rebuilt
from dbt_t2s.judge.sandbox import Sandbox
from dbt_t2s.project.distill import distill
from dbt_t2s.project.schema import Issue, Level
from dbt_t2s.workspace import Workspace, open_workspace

Edit = Callable[[dict[str, Any]], None]


def workspace(root: Path, **flags: object) -> Workspace:
    console = Console(quiet=True, out=io.StringIO(), err=io.StringIO())
    return open_workspace(console, project_dir=root, profiles_dir=root, flags=flags)


def made(root: Path, **flags: object) -> tuple[Instances, Path]:
    """The instances and the first of their files."""
    opened = workspace(root, **flags)
    schema = distill(opened.project, as_of="2025-06-30")
    found = instances_of(opened, schema)
    return found, opened.warehouse_dir / found.files[0]


def edit(path: Path, change: Edit) -> None:
    read = json.loads(path.read_text())
    change(read)
    path.write_text(json.dumps(read))


def values(file: Path, sql: str) -> list[object]:
    connection = duck.open_read_only(file)
    try:
        found = duck.run(connection, sql, 10_000)
    finally:
        connection.close()
    assert isinstance(found, Rows), found
    return [row[0] for row in found.rows]


@pytest.fixture
def unbuilt(shop: Path) -> Path:
    """A project with artifacts and no DuckDB file."""
    (shop / "shop.duckdb").unlink()
    return shop


def test_a_built_project_is_copied_and_nothing_is_made_up(shop: Path) -> None:
    found, first = made(shop)
    assert (found.made_up, found.made_from, found.issues) == ((), "", ())
    assert len(found.files) == 3
    assert values(first, "select count(*) from main.orders") == [120]


def test_without_a_file_all_is_made_up_and_said(unbuilt: Path) -> None:
    found, first = made(unbuilt)
    assert set(found.made_up) == {"orders", "customers"}
    assert any("all tables are made up" in each.message for each in found.issues)
    assert found.own == ""
    assert set(values(first, "select distinct status from main.orders")) <= {
        "paid", "open", "cancelled",
    }  # fmt: skip
    orphans = "select count(*) from main.orders anti join main.customers using (customer_id)"
    assert values(first, orphans) == [0]


@pytest.mark.parametrize("gone", ["drop view main.customers", "drop view main.orders"])
def test_a_missing_table_is_made_of_the_rows_that_are_there(shop: Path, gone: str) -> None:
    with duck.open_writable(shop / "shop.duckdb") as connection:
        connection.execute(gone)
    found, first = made(shop)
    name = gone.rpartition(".")[2]
    assert found.made_up == (name,)
    (issue,) = (each for each in found.issues if "made up" in each.message)
    assert (issue.level, issue.where, issue.hint) == (Level.WARNING, "shop.duckdb", "dbt build")
    assert issue.message.endswith(f": {name}")
    # The model's own SQL ran over the project's own seeds.
    assert values(first, "select count(*) from main.orders") == [120]
    assert values(first, "select count(*) from main.customers") == [7]
    own = workspace(shop).warehouse_dir / found.own
    assert f'"shop"."main"."{name}"' not in duck.tables_of(own)


def test_an_empty_table_is_filled_and_the_project_s_file_is_not_touched(shop: Path) -> None:
    with duck.open_writable(shop / "shop.duckdb") as connection:
        connection.execute("delete from main.raw_orders")
    before = (shop / "shop.duckdb").read_bytes()
    found, first = made(shop)
    assert found.made_up == ("orders",)
    assert values(first, "select count(*) > 0 from main.orders") == [True]
    assert values(first, "select name from main.customers where customer_id = 1") == ["Customer 1"]
    # What is made up points at what is there.
    orphans = "select count(*) from main.orders anti join main.customers using (customer_id)"
    assert values(first, orphans) == [0]
    assert (shop / "shop.duckdb").read_bytes() == before


def passing(manifest: dict[str, Any]) -> None:
    """What dbt writes anew each time."""
    manifest["metadata"]["invocation_id"] = "another"
    for node in manifest["nodes"].values():
        node["created_at"] = 1.0


def accepted_values(manifest: dict[str, Any]) -> None:
    (test,) = (
        each
        for each in manifest["nodes"].values()
        if (each.get("test_metadata") or {}).get("name") == "accepted_values"
    )
    test["test_metadata"]["kwargs"]["values"].append("lost")


def sql(manifest: dict[str, Any]) -> None:
    manifest["nodes"]["model.shop.orders"]["compiled_code"] += " where amount > 0"


def unit_test(manifest: dict[str, Any]) -> None:
    manifest["unit_tests"]["unit_test.shop.orders.new"] = {"name": "new"}


@pytest.mark.parametrize(
    ("change", "again"),
    [(passing, False), (accepted_values, True), (sql, True), (unit_test, True)],
)
def test_made_up_rows_are_made_again_when_what_they_are_made_from_changes(
    unbuilt: Path, change: Edit, again: bool
) -> None:
    _, first = made(unbuilt)
    stamp = first.stat().st_mtime_ns
    made(unbuilt)
    assert first.stat().st_mtime_ns == stamp
    edit(unbuilt / "target" / "manifest.json", change)
    made(unbuilt)
    assert (first.stat().st_mtime_ns != stamp) is again


def test_a_changed_seed_file_and_another_seed_of_chance_make_them_again(unbuilt: Path) -> None:
    def moved(manifest: dict[str, Any]) -> None:
        for node in manifest["nodes"].values():
            node.pop("root_path", None)  # where the project was before it was copied

    edit(unbuilt / "target" / "manifest.json", moved)
    before, first = made(unbuilt)
    with (unbuilt / "seeds" / "raw_customers.csv").open("a") as file:
        file.write("\n8,Customer 8,BE")
    after, _ = made(unbuilt)
    assert after.content != before.content
    assert values(first, "select count(*) from main.customers") == [8]
    stamp = first.stat().st_mtime_ns
    made(unbuilt, seed=1)
    assert first.stat().st_mtime_ns != stamp


def test_the_same_seed_makes_the_same_rows(unbuilt: Path) -> None:
    before, first = made(unbuilt)
    first.unlink()
    after, _ = made(unbuilt)
    assert after == before


def remade(root: Path, **flags: object) -> tuple[list[int], str]:
    """When each rebuilt file was made, and why there is none."""
    opened = workspace(root, **flags)
    schema = distill(opened.project, as_of="2025-06-30")
    found = rebuilt(opened, schema, instances_of(opened, schema))
    files = [opened.warehouse_dir / file for file in found.files]
    return [file.stat().st_mtime_ns for file in files], found.problem


def test_rebuilt_files_stay_while_what_they_are_made_from_does(shop: Path) -> None:
    before = (shop / "shop.duckdb").read_bytes()
    files, problem = remade(shop)
    assert (len(files), problem) == (4, "")
    edit(shop / "target" / "manifest.json", passing)
    assert remade(shop) == (files, "")
    edit(shop / "target" / "manifest.json", sql)
    again, _ = remade(shop)
    assert not set(again) & set(files)
    assert not set(remade(shop, seed=1)[0]) & set(again)
    assert (shop / "shop.duckdb").read_bytes() == before


def test_why_there_are_no_rebuilt_files_is_said_and_known(shop: Path) -> None:
    def uncompiled(manifest: dict[str, Any]) -> None:
        del manifest["nodes"]["model.shop.orders"]["compiled_code"]

    edit(shop / "target" / "manifest.json", uncompiled)
    why = "model.shop.orders cannot be run again: its compiled SQL is not in the manifest"
    assert remade(shop) == ([], why)
    console = Console(out=io.StringIO(), err=io.StringIO())
    opened = open_workspace(console, project_dir=shop, profiles_dir=shop)
    schema = distill(opened.project, as_of="2025-06-30")
    found = instances_of(opened, schema)
    (opened.warehouse_dir / "rebuilt.json").unlink()
    for _ in range(2):
        assert rebuilt(opened, schema, found).problem == why
    assert isinstance(console.err, io.StringIO)
    assert console.err.getvalue().count(why) == 1


def test_made_up_rows_are_rebuilt_too(unbuilt: Path) -> None:
    files, problem = remade(unbuilt)
    assert (len(files), problem) == (4, "")


def test_what_is_fresh(tmp_path: Path) -> None:
    path = tmp_path / "issue.json"
    inputs = {"source": "a"}
    issue = Issue(Level.INFO, "here", "so it is")
    assert content_of(path) == ""
    assert not is_fresh(path, Issue, inputs)
    header = store.write_json(path, issue, inputs)
    assert content_of(path) == header.fingerprint
    assert usable(path, Issue, inputs) == issue
    assert usable(path, Issue, {"source": "b"}) is None
    assert usable(path, Instances, inputs) is None
    path.write_text(path.read_text().replace("so it is", "so it was"))
    assert usable(path, Issue, inputs) is None


def test_the_calendar_of_metrics_may_be_read(shop: Path) -> None:
    relation = '"shop"."main"."metricflow_time_spine"'

    def spine(manifest: dict[str, Any]) -> None:
        name = "metricflow_time_spine"
        node = {**manifest["nodes"]["model.shop.orders"], "name": name, "relation_name": relation}
        manifest["nodes"][f"model.shop.{name}"] = {**node, "unique_id": f"model.shop.{name}"}

    with duck.open_writable(shop / "shop.duckdb") as connection:
        connection.execute(f"create table {relation} as select date '2025-01-01' as date_day")
    edit(shop / "target" / "manifest.json", spine)
    opened = workspace(shop)
    schema = distill(opened.project, as_of="2025-06-30")
    assert {table.name for table in schema.tables} == {"orders", "customers"}
    found = instances_of(opened, schema)
    relations = readable(schema, found)
    assert relations[2:] == (relation,)
    with Sandbox(opened.warehouse_dir / found.files[0], relations) as sandbox:
        read = sandbox.execute(f"select count(*) as days from {relation}")
        assert isinstance(read, Rows), read
        assert isinstance(sandbox.execute("select * from shop.main.raw_orders"), QueryError)
