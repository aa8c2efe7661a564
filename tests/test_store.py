"""Artefacts come back as they were written, or say in one message why they cannot."""

from __future__ import annotations

import json
import math
import os
import resource
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dbt_t2s import store
from dbt_t2s.errors import StoreError
from dbt_t2s.project.schema import Column, Kind, Metric, MetricInput, ProjectSchema, Role, Table
from dbt_t2s.query.plan import Agg, Col, Count, Order, Plan, Rate, Value


class Colour(StrEnum):
    RED = "red"
    BLUE = "blue"


@dataclass(frozen=True)
class Row:
    name: str
    number: int | None = None
    share: float = 0.0
    flag: bool = False
    colour: Colour = Colour.RED
    words: tuple[str, ...] = ()
    pairs: tuple[tuple[str, int], ...] = ()


ROWS = st.builds(
    Row,
    name=st.text(st.characters(exclude_categories=["Cs"])),
    number=st.none() | st.integers(-(2**63), 2**63 - 1),
    share=st.floats(allow_nan=False),
    flag=st.booleans(),
    colour=st.sampled_from(Colour),
    words=st.lists(st.text(st.characters(exclude_categories=["Cs"])), max_size=3).map(tuple),
    pairs=st.lists(st.tuples(st.text("ab"), st.integers(-9, 9)), max_size=2).map(tuple),
)


@dataclass(frozen=True)
class Book:
    rows: tuple[Row, ...] = ()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("store")


@given(rows=st.lists(ROWS, max_size=5).map(tuple))
def test_rows_come_back_from_parquet_and_json(folder: Path, rows: tuple[Row, ...]) -> None:
    store.write_rows(folder / "rows.parquet", rows, Row)
    assert store.read_rows(folder / "rows.parquet", Row) == rows
    store.write_json(folder / "book.json", Book(rows))
    assert store.read_json(folder / "book.json", Book) == Book(rows)


@given(row=ROWS)
def test_equal_values_have_equal_fingerprints(row: Row) -> None:
    twin = Row(**{name: getattr(row, name) for name in Row.__dataclass_fields__})
    assert store.fingerprint(row) == store.fingerprint(twin)
    assert store.fingerprint(row) != store.fingerprint(Row(row.name + "x"))


def test_a_schema_and_a_plan_come_back(tmp_path: Path) -> None:
    column = Column("id", "INTEGER", Kind.NUMBER, Role.KEY, minimum="1", null_share=0.5)
    table = Table("orders", "main.orders", "model.x.orders", "models/orders.sql", (column,))
    metric = Metric("aov", "ratio", inputs=(MetricInput("a", "revenue"),))
    schema = ProjectSchema(
        "x", "duckdb", (table,), metrics=(metric,), statements=(("a", "b", "c"),)
    )
    store.write_json(tmp_path / "schema.json", schema)
    assert store.read_json(tmp_path / "schema.json", ProjectSchema) == schema

    plan = Plan(
        select=(Col("orders", "status"), Agg("SUM", Col("orders", "amount"))),
        where=(Value("orders", "status", "paid"),),
        order=Order(Rate(Value("orders", "status", "paid")), True),
        having=(),
    )
    store.write_json(tmp_path / "plan.json", plan)
    assert store.read_json(tmp_path / "plan.json", Plan) == plan
    assert store.fingerprint(plan) != store.fingerprint(Plan(select=(Count("orders"),)))


def test_the_header_is_read_without_the_content(tmp_path: Path) -> None:
    for path in (tmp_path / "a.json", tmp_path / "a.parquet"):
        if path.suffix == ".json":
            written = store.write_json(path, Book((Row("x"),)), {"schema": "123"})
        else:
            written = store.write_rows(path, [Row("x")], Row, {"schema": "123"})
        assert store.read_header(path) == written
        assert written.matches({"schema": "123"})
        assert not written.matches({"schema": "124"})
    assert store.read_header(tmp_path / "none.json") is None
    (tmp_path / "torn.json").write_text('{"t2s": {"kind"')
    assert store.read_header(tmp_path / "torn.json") is None


def test_content_stays_at_the_top_level(tmp_path: Path) -> None:
    store.write_json(tmp_path / "row.json", Row("x", number=3))
    assert json.loads((tmp_path / "row.json").read_text())["number"] == 3


def test_infinities_are_kept(tmp_path: Path) -> None:
    store.write_json(tmp_path / "row.json", Row("x", share=math.inf))
    assert store.read_json(tmp_path / "row.json", Row).share == math.inf
    store.write_json(tmp_path / "row.json", Row("x", share=math.nan))
    assert math.isnan(store.read_json(tmp_path / "row.json", Row).share)


@pytest.mark.parametrize("name", ["row.json", "row.parquet"])
def test_a_truncated_artefact_is_one_message(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    if path.suffix == ".json":
        store.write_json(path, Row("x" * 500))
    else:
        store.write_rows(path, [Row("x" * 500)], Row)
    path.write_bytes(path.read_bytes()[:-40])
    with pytest.raises(StoreError, match="cut short") as caught:
        if path.suffix == ".json":
            store.read_json(path, Row, hint="`dbt-t2s train`")
        else:
            store.read_rows(path, Row, hint="`dbt-t2s train`")
    assert caught.value.where == str(path)
    assert caught.value.hint == "`dbt-t2s train`"


def test_an_edited_or_foreign_or_older_artefact_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "row.json"
    store.write_json(path, Row("before"))
    path.write_text(path.read_text().replace("before", "after"))
    with pytest.raises(StoreError, match="changed after"):
        store.read_json(path, Row)

    store.write_json(path, Book())
    with pytest.raises(StoreError, match="holds Book"):
        store.read_json(path, Row)

    store.write_json(path, Row("x"))
    path.write_text(path.read_text().replace('"format": 1', '"format": 0'))
    assert store.read_header(path) is None
    with pytest.raises(StoreError, match="another version"):
        store.read_json(path, Row)

    path.write_text('{"name": "x"}')
    with pytest.raises(StoreError, match="not an artefact"):
        store.read_json(path, Row)


def test_a_missing_artefact_names_the_next_command(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=r"no schema\.json yet") as caught:
        store.read_json(tmp_path / "schema.json", Row, hint="run `dbt-t2s distill`")
    assert "dbt-t2s distill" in str(caught.value)


THREADS = """
import os, sys
from pathlib import Path
import pyarrow.parquet
from dbt_t2s import store
from tests.test_store import Row
before = set(os.listdir("/proc/self/task"))
assert store.read_rows(Path(sys.argv[1]), Row)
print(len(set(os.listdir("/proc/self/task")) - before), "more")
"""


@pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="threads are listed in /proc")
def test_reading_rows_leaves_no_thread_that_could_abort_the_exit(tmp_path: Path) -> None:
    path = tmp_path / "rows.parquet"
    store.write_rows(path, [Row("one"), Row("two")], Row)
    command = [sys.executable, "-c", THREADS, str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout == "0 more\n"


def test_a_full_disk_leaves_the_old_artefact(tmp_path: Path) -> None:
    path = tmp_path / "row.json"
    store.write_json(path, Row("old"))
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1_000, limits[1]))
    try:
        with pytest.raises(StoreError, match="no room on the disk"):
            store.write_json(path, Row("new" * 1_000))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert store.read_json(path, Row) == Row("old")
    assert [each.name for each in tmp_path.iterdir()] == ["row.json"]


def test_a_path_that_cannot_be_a_folder_is_one_message(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="cannot write"):
        store.write_json(tmp_path / "file" / "row.json", Row("x"))


def test_a_directory_is_replaced_whole_or_not_at_all(tmp_path: Path) -> None:
    model = tmp_path / "model"
    for text in ("first", "second"):
        with store.replace_directory(model) as fresh:
            (fresh / "weights").write_text(text)
        assert (model / "weights").read_text() == text
    with pytest.raises(KeyError), store.replace_directory(model) as fresh:
        (fresh / "weights").write_text("third")
        raise KeyError
    assert (model / "weights").read_text() == "second"
    assert [each.name for each in tmp_path.iterdir()] == ["model"]


HOLD = """
import sys, time
from pathlib import Path
from dbt_t2s import store
with store.lock(Path(sys.argv[1]), "train"):
    (Path(sys.argv[1]) / f".half.1{store.TEMPORARY}").write_text("half")
    old = Path(sys.argv[1]) / f".model.1{store.OLD}{store.TEMPORARY}"
    old.mkdir()
    (old / "weights").write_text("kept")
    print("held", flush=True)
    time.sleep(60)
"""


def test_one_writer_at_a_time_and_a_kill_lets_go(tmp_path: Path) -> None:
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path)], stdout=subprocess.PIPE, text=True
    )
    try:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        message = f"dbt-t2s train, process {holder.pid}"
        with pytest.raises(StoreError, match=message), store.lock(tmp_path, "mine"):
            raise AssertionError("two writers")
    finally:
        os.kill(holder.pid, signal.SIGKILL)
        holder.wait()
        assert holder.stdout is not None
        holder.stdout.close()
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline:
        try:
            with store.lock(tmp_path, "mine"):
                break
        except StoreError:
            time.sleep(0.05)
    # What the killed writer left half done is gone, and the model it had moved aside is back.
    assert sorted(each.name for each in tmp_path.iterdir()) == [".lock", "model"]
    assert (tmp_path / "model" / "weights").read_text() == "kept"
