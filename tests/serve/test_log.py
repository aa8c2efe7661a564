"""The log of questions: several processes, kills, a locked file, a full disk, another version."""

from __future__ import annotations

import json
import os
import resource
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from dbt_t2s import duck
from dbt_t2s.errors import LockedWarehouseError, ServeError, StoreError
from dbt_t2s.serve import spool
from dbt_t2s.serve.log import Asked, QuestionLog, Said

ASKED = Asked(
    id="a0",
    logged_at="2025-01-01T00:00:00.000000+00:00",
    question="How many orders?",
    status="ok",
    sql_text="select count(*) from orders",
    reason="",
    row_count=1,
    latency_ms=12.5,
    execution_ms=2.5,
    confidence=0.9,
    model="m1",
    target_name="dev",
)
SAID = Said("f0", "2025-01-02", "a0", ASKED.question, "right", ASKED.sql_text, "", "", "ada", "dev")

WRITER = """
import sys
from dataclasses import replace
from pathlib import Path
from dbt_t2s.serve.log import QuestionLog
from tests.serve.test_log import ASKED
log, name = QuestionLog(Path(sys.argv[1])), sys.argv[2]
for number in range(int(sys.argv[3])):
    log.add(replace(ASKED, id=f"{name}-{number}"))
    print(number, flush=True)
    if number % 20 == 19:
        log.fold_if_free()
"""


def writer(folder: Path, name: str, questions: int) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", WRITER, str(folder), name, str(questions)],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
    )


def numbered(number: int) -> Asked:
    return replace(ASKED, id=f"{number:04}", logged_at=f"2025-01-01T00:00:00.{number:06}+00:00")


def test_what_is_asked_and_said_comes_back(tmp_path: Path) -> None:
    log = QuestionLog(tmp_path)
    log.add(ASKED)
    log.add(SAID)
    assert (log.asked(), log.said()) == ((ASKED,), (SAID,))
    assert log.find("a") == (ASKED,) and log.find("b") == ()
    assert log.last_asked("how MANY orders?") == ASKED
    assert log.last_asked("how many?") is None
    # Questions are nobody else's business.
    assert (tmp_path / ".t2s" / ".gitignore").read_text() == "*\n"


def test_several_processes_at_once_and_one_that_is_killed(tmp_path: Path) -> None:
    ends = [writer(tmp_path, name, 60) for name in "ab"]
    killed = writer(tmp_path, "k", 100_000)
    assert killed.stdout is not None
    seen = [next(killed.stdout) for _ in range(30)]
    killed.send_signal(signal.SIGKILL)
    seen += list(killed.stdout)
    killed.wait()
    for each in ends:
        each.communicate()
        assert each.returncode == 0
    found = [each.id for each in QuestionLog(tmp_path).asked(100_000)]
    assert len(found) == len(set(found))
    wanted = {f"{name}-{n}" for name in "ab" for n in range(60)}
    wanted |= {f"k-{line.strip()}" for line in seen if line.endswith("\n")}
    # The killed one may have written a line that it did not come to print.
    assert wanted <= set(found) and len(found) <= len(wanted) + 1


def test_a_line_that_was_cut_short_costs_only_itself(tmp_path: Path) -> None:
    log = QuestionLog(tmp_path)
    log.add(numbered(1))
    with (log.folder / spool.FILE).open("a") as file:
        file.write('{"format": 1, "table": "t2s_log", "row": {"id"')
    log.add(numbered(2))
    assert [each.id for each in log.asked()] == ["0002", "0001"]


def test_a_taker_that_died_before_it_was_done_loses_and_doubles_nothing(tmp_path: Path) -> None:
    log = QuestionLog(tmp_path)
    log.add(numbered(1))
    line = (log.folder / spool.FILE).read_bytes()
    log.fold()
    # It died after the commit, and before the lines were gone.
    (log.folder / "taken-1-1.jsonl").write_bytes(line)
    log.add(numbered(2))
    assert [each.id for each in log.asked()] == ["0002", "0001"]
    assert list(log.folder.glob("taken-*")) == []


def test_a_locked_file_keeps_nobody_waiting_and_loses_nothing(tmp_path: Path) -> None:
    log = QuestionLog(tmp_path)
    log.add(numbered(1))
    log.fold()
    code = "import sys, duckdb; c = duckdb.connect(sys.argv[1]); print('in', flush=True); input()"
    holder = subprocess.Popen(
        [sys.executable, "-c", code, str(log.path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert holder.stdout is not None and holder.stdout.readline() == "in\n"
    log.add(numbered(2))
    log.fold_if_free()
    with pytest.raises(LockedWarehouseError, match="nothing is lost"):
        log.fold(wait_s=0.1)
    holder.communicate("\n")
    assert [each.id for each in log.asked()] == ["0002", "0001"]


def test_a_full_disk_is_told_and_what_was_there_stays(tmp_path: Path) -> None:
    log = QuestionLog(tmp_path)
    log.add(numbered(1))
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    full = (log.folder / spool.FILE).stat().st_size + 100
    resource.setrlimit(resource.RLIMIT_FSIZE, (full, limits[1]))
    try:
        with pytest.raises(StoreError, match="no room on the disk"):
            log.add(SAID)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    log.add(SAID)
    assert (log.asked(), log.said()) == ((numbered(1),), (SAID,))


def test_it_is_bounded_and_keeps_what_people_spoke_of(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = QuestionLog(tmp_path, most=5)
    log.add(replace(SAID, log_id="0000"))
    for number in range(12):
        log.add(numbered(number))
    kept = [each.id for each in log.asked()]
    assert kept == ["0011", "0010", "0009", "0008", "0007", "0000"]
    monkeypatch.setattr(spool, "FULL", 1_000)
    log.add(replace(ASKED, id="b", question="x" * 600))
    with pytest.raises(ServeError, match="too many questions wait"):
        log.add(replace(ASKED, id="c"))
    log.add(replace(SAID, id="f1"))  # what people say is always kept
    assert [each.id for each in log.said()] == ["f1", "f0"]


def test_another_versions_log_is_told_and_not_touched(tmp_path: Path) -> None:
    log = QuestionLog(tmp_path)
    log.add(numbered(1))
    log.fold()
    with duck.open_writable(log.path) as connection:
        connection.execute("update t2s_about set format = 2")
    log.add(numbered(2))
    with pytest.raises(ServeError, match=r"another version of dbt-t2s \(format 2"):
        log.asked()
    with duck.open_writable(log.path) as connection:
        connection.execute("update t2s_about set format = 1")
    assert len(log.asked()) == 2
    line = {"format": 3, "table": "t2s_log", "row": {}}
    (log.folder / spool.FILE).write_text(json.dumps(line) + "\n")
    with pytest.raises(ServeError, match="format 3"):
        log.asked()


def test_a_file_that_is_no_database_is_told(tmp_path: Path) -> None:
    log = QuestionLog(tmp_path)
    log.add(numbered(1))
    log.path.write_bytes(b"not a database, " * 1000)
    with pytest.raises(ServeError, match="not a DuckDB file") as failure:
        log.asked()
    assert "mv " in failure.value.hint
