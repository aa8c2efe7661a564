"""One warm dbt process runs macros: what goes in comes out, and it ends when it should."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from dbt_t2s.duck import QueryError
from dbt_t2s.project.dbt import environment, open_project
from dbt_t2s.project.operations import Operations, as_yaml

SLOW = "select count(*) as n from range(100000000000) as a"

TEXTS = st.text(st.characters(exclude_categories=["Cs"]))
# Names of arguments and fields: YAML reads no key of over 1,024 characters, and some take six.
KEYS = st.text(st.characters(exclude_categories=["Cs"]), max_size=150)


@pytest.fixture(scope="module")
def operations(
    clinic_folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Operations]:
    copy = tmp_path_factory.mktemp("operations") / "clinic"
    subprocess.run(["cp", "-a", clinic_folder, copy], check=True)
    noisy = copy / "models" / "pets.sql"
    noisy.write_text("{% do print('noise') %}" + noisy.read_text())
    with Operations(open_project(copy), call_s=20) as opened:
        yield opened


def query(operations: Operations, sql: str) -> list[list[object]] | QueryError:
    answers = operations.call("t2s_query", sql=sql)
    if isinstance(answers, QueryError):
        return answers
    rows: list[list[object]] = answers[0]["rows"]
    return rows


@given(st.recursive(TEXTS | st.integers() | st.booleans() | st.none(),
                    lambda inner: st.lists(inner) | st.dictionaries(KEYS, inner)))  # fmt: skip
def test_arguments_reach_dbt_as_they_are(value: object) -> None:
    for loader in (yaml.SafeLoader, getattr(yaml, "CSafeLoader", yaml.SafeLoader)):
        assert yaml.load(as_yaml({"value": value}), loader) == {"value": value}


@pytest.mark.parametrize(
    "value",
    [
        "plain",
        "O'Neil -- /* ; drop table pets",
        "{{ target.name }} {% do x %}",
        'é 😀 \u2028 \x85 \t \n \\ " ` $$',
        "--full-refresh",
    ],
)
def test_a_hostile_value_is_a_value(operations: Operations, value: str) -> None:
    literal = "'" + value.replace("'", "''") + "'"
    assert query(operations, f"select {literal} as x") == [[value]]


def test_values_keep_what_json_has(operations: Operations) -> None:
    sql = "select 1 as a, 1.5 as b, null as c, true as d, date '2024-01-05' as e, 'x' as f"
    assert query(operations, sql) == [[1, 1.5, None, True, "2024-01-05", "x"]]


@pytest.mark.parametrize(
    ("sql", "told"),
    [
        ("select nothing_here from main.pets", "nothing_here"),
        ("drop table main.pets", "it is not a SELECT"),
        ("select 1; drop table main.pets", "more than one statement"),
        ("with a as (delete from main.pets returning *) select * from a", "it holds DELETE"),
        ("select 1 -- hidden", "comment"),
        ("select * from 'seeds/raw_pets.csv'", "outside the warehouse"),
        ("select * from read_csv('seeds/raw_pets.csv')", "outside the warehouse"),
        ("select", ""),
    ],
)
def test_an_error_is_a_value_and_the_next_call_works(
    operations: Operations, sql: str, told: str
) -> None:
    failed = query(operations, sql)
    assert isinstance(failed, QueryError)
    assert told in failed.message
    assert "Encountered an error" not in failed.message
    assert query(operations, "select count(*) as n from main.pets") == [[4]]


def test_an_unknown_macro_is_an_error(operations: Operations) -> None:
    failed = operations.call("t2s_nothing")
    assert isinstance(failed, QueryError)
    assert "t2s_nothing" in failed.message


def test_a_call_over_the_time_limit_ends_and_the_next_one_works(clinic_copy: Path) -> None:
    with Operations(open_project(clinic_copy), call_s=4) as operations:
        started = time.monotonic()
        failed = query(operations, SLOW)
        assert isinstance(failed, QueryError)
        assert failed.kind == "timeout"
        assert time.monotonic() - started < 10
        assert query(operations, "select 1 as x") == [[1]]


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_it_is_killed_with_its_parent(clinic_copy: Path) -> None:
    code = f"""
from pathlib import Path
from dbt_t2s.project.dbt import open_project
from dbt_t2s.project.operations import Operations
with Operations(open_project(Path({str(clinic_copy)!r}))) as operations:
    print(operations._process._process.pid, flush=True)
    operations.call("t2s_query", sql={SLOW!r})
"""
    parent = subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, env=environment()
    )
    assert parent.stdout is not None
    child = int(parent.stdout.readline())
    os.kill(child, 0)  # it is there
    parent.send_signal(signal.SIGKILL)
    parent.wait()
    deadline = time.monotonic() + 20
    while _runs(child) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not _runs(child)


def _runs(pid: int) -> bool:
    """A process that has ended but that nobody waited for does not run."""
    try:
        status = Path(f"/proc/{pid}/stat").read_text()
    except FileNotFoundError:
        return False
    return status.rpartition(")")[2].split()[0] != "Z"


def test_no_artifact_and_no_log_is_written(operations: Operations) -> None:
    root = operations.project.root
    before = (root / "target" / "manifest.json").read_bytes()
    results = json.loads((root / "target" / "run_results.json").read_text())
    assert query(operations, "select 'a-very-rare-value' as x") == [["a-very-rare-value"]]
    assert (root / "target" / "manifest.json").read_bytes() == before
    assert json.loads((root / "target" / "run_results.json").read_text()) == results
    logs = [path for path in root.rglob("*.log*") if path.is_file()]
    assert not any(b"a-very-rare-value" in path.read_bytes() for path in logs)
