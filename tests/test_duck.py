"""The one door to DuckDB: opening, copying, running."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from dbt_t2s import duck
from dbt_t2s.duck import QueryError, Rows
from dbt_t2s.errors import WarehouseError

WRITER = """
import sys, duckdb
connection = duckdb.connect(sys.argv[1])
connection.execute("create table more as select 1")
print("ready", flush=True)
sys.stdin.readline()
"""


@pytest.fixture
def warehouse(tmp_path: Path) -> Path:
    path = tmp_path / "shop.duckdb"
    with duck.open_writable(path) as connection:
        connection.execute("create schema marts; create table marts.orders as select 1 as id")
        connection.execute("create view marts.v as select * from marts.orders")
    return path


def test_a_copy_keeps_the_name_and_so_the_catalog(warehouse: Path, tmp_path: Path) -> None:
    copy = duck.copy_warehouse(warehouse, tmp_path / "copies" / "one")
    assert copy.name == "shop.duckdb"
    assert list(copy.parent.iterdir()) == [copy]
    connection = duck.open_read_only(copy)
    found = duck.run(connection, "select id from shop.marts.orders", 10)
    connection.close()
    assert isinstance(found, Rows)
    assert (found.rows, found.columns, found.types) == (((1,),), ("id",), ("INTEGER",))
    assert duck.tables_of(copy) == ('"shop"."marts"."orders"', '"shop"."marts"."v"')
    assert duck.copy_warehouse(warehouse, tmp_path / "copies" / "one") == copy


def test_what_is_not_yet_in_the_file_is_copied_too(warehouse: Path, tmp_path: Path) -> None:
    """A process that dies leaves its last writes in the log beside the file."""
    script = (
        "import sys, os, duckdb\n"
        "c = duckdb.connect(sys.argv[1]); c.execute('create table late as select 7 as n')\n"
        "os._exit(0)"
    )
    subprocess.run([sys.executable, "-c", script, str(warehouse)], check=True)
    assert warehouse.with_name("shop.duckdb.wal").exists()
    copy = duck.copy_warehouse(warehouse, tmp_path / "copies")
    assert '"shop"."main"."late"' in duck.tables_of(copy)


def test_a_connection_of_this_process_does_not_stop_a_copy(warehouse: Path, tmp_path: Path) -> None:
    """dbt, run inside this process, keeps its connection open."""
    with duck.open_writable(warehouse) as connection:
        connection.execute("create table late as select 7 as n")
        copy = duck.copy_warehouse(warehouse, tmp_path / "copies")
    assert '"shop"."main"."late"' in duck.tables_of(copy)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(WarehouseError, match=r"(?s)no DuckDB file.*gone\.duckdb.*dbt build"):
        duck.copy_warehouse(tmp_path / "gone.duckdb", tmp_path / "copies")


def test_a_file_of_another_kind_is_named(tmp_path: Path) -> None:
    path = tmp_path / "notes.duckdb"
    path.write_text("hello " * 1000)
    with pytest.raises(WarehouseError, match=r"(?s)not a DuckDB file.*notes\.duckdb.*dbt build"):
        duck.copy_warehouse(path, tmp_path / "copies")


def test_a_warehouse_without_tables_is_named(tmp_path: Path) -> None:
    path = tmp_path / "empty.duckdb"
    with duck.open_writable(path):
        pass
    with pytest.raises(WarehouseError, match=r"(?s)no tables.*empty\.duckdb.*dbt build"):
        duck.copy_warehouse(path, tmp_path / "copies")


def test_a_writer_elsewhere_is_named(warehouse: Path, tmp_path: Path) -> None:
    writer = subprocess.Popen(
        [sys.executable, "-c", WRITER, str(warehouse)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    try:
        assert writer.stdout is not None
        assert writer.stdout.readline() == b"ready\n"
        with pytest.raises(WarehouseError, match=r"(?s)another process.*shop\.duckdb.*dbt build"):
            duck.copy_warehouse(warehouse, tmp_path / "copies")
    finally:
        writer.communicate(b"\n")


def test_a_copy_onto_itself_is_refused(warehouse: Path) -> None:
    with pytest.raises(WarehouseError, match="onto itself"):
        duck.copy_warehouse(warehouse, warehouse.parent)


@pytest.mark.parametrize(
    ("sql", "kind"),
    [
        ("selec 1", "parse"),
        ("select nope from marts.orders", "bind"),
        ("select * from nope", "bind"),
        ("select 'a'::int", "runtime"),
        ("delete from marts.orders", "forbidden"),
        ("select * from read_text('/etc/passwd')", "forbidden"),
        ("set threads = 8", "forbidden"),
        ("select list(n) from range(50000000) t(n)", "memory"),
        (
            "with recursive r as (select 1 n union all select n + 1 from r) select max(n) from r",
            "timeout",
        ),
    ],
)
def test_errors_have_kinds(warehouse: Path, sql: str, kind: str) -> None:
    connection = duck.open_read_only(warehouse, memory_mb=100, timeout_s=1.0)
    found = duck.run(connection, sql, 10)
    connection.close()
    assert isinstance(found, QueryError)
    assert found.kind == kind


def test_rows_are_cut(warehouse: Path) -> None:
    connection = duck.open_read_only(warehouse)
    found = duck.run(connection, "select * from range(11)", 10)
    connection.close()
    assert isinstance(found, Rows)
    assert (len(found.rows), found.truncated) == (10, True)


def test_names_are_quoted() -> None:
    assert duck.quoted("a", 'b"c') == '"a"."b""c"'
