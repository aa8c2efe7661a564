"""Questions read in other processes: the same answers, whoever of them is killed."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from dbt_t2s.errors import ModelError
from dbt_t2s.model.generate import Candidate
from dbt_t2s.web.readers import readers_for, reading

pytestmark = pytest.mark.skipif(not Path("/proc/self").is_dir(), reason="looks at Linux' /proc")


def by_whom(questions: Sequence[str]) -> list[tuple[Candidate, ...]]:
    """Says which process reads."""
    if "slow" in questions[0]:
        time.sleep(0.3)
    if "fall over" in questions[0]:
        raise ModelError("the question is too hard", hint="ask another")
    return [(Candidate(f"{each} {os.getpid()}", 1.0),) for each in questions]


def read_by(given: Sequence[Sequence[Candidate]]) -> int:
    return int(given[0][0].sql.split()[-1])


def children(pid: int) -> list[int]:
    return [int(each) for each in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def test_two_read_at_once_and_neither_is_the_server() -> None:
    with reading(by_whom, 2) as readers, ThreadPoolExecutor(2) as pool:
        pids = {read_by(each) for each in pool.map(readers, [["slow 1"], ["slow 2"]])}
        assert len(pids) == 2 and os.getpid() not in pids


def test_a_killed_reader_costs_no_question_and_another_takes_its_place() -> None:
    with reading(by_whom, 1) as readers, ThreadPoolExecutor(1) as pool:
        first = read_by(readers(["how many?"]))
        asked = pool.submit(readers, ["slow"])
        time.sleep(0.1)
        os.kill(first, signal.SIGKILL)
        assert read_by(asked.result()) == os.getpid()
        assert read_by(readers(["how many?"])) not in (first, os.getpid())


def test_without_the_process_that_makes_readers_the_server_reads() -> None:
    before = children(os.getpid())
    with reading(by_whom, 1) as readers:
        (nursery,) = set(children(os.getpid())) - set(before)
        reader = read_by(readers(["how many?"]))
        for each in (nursery, reader):
            os.kill(each, signal.SIGKILL)
        time.sleep(0.1)
        assert {read_by(readers(["how many?"])) for _ in range(3)} == {os.getpid()}


def test_what_goes_wrong_is_told_here() -> None:
    with reading(by_whom, 1) as readers:
        with pytest.raises(ModelError, match="too hard"):
            readers(["fall over"])
        assert read_by(readers(["how many?"])) != os.getpid()


def test_all_end_with_the_server_and_hold_nothing_of_it_open() -> None:
    before = children(os.getpid())
    inner, outer = os.pipe()
    with reading(by_whom, 1) as readers:
        reader = read_by(readers(["how many?"]))
        os.close(outer)
        assert os.read(inner, 1) == b""  # nobody else has the other end
    os.close(inner)
    until = time.monotonic() + 5
    while Path(f"/proc/{reader}").exists() and time.monotonic() < until:
        time.sleep(0.02)
    assert not Path(f"/proc/{reader}").exists() and children(os.getpid()) == before


def test_no_others_where_they_cannot_be_had() -> None:
    assert readers_for("hub") == 0
    with reading(by_whom, readers_for("hub")) as readers, ThreadPoolExecutor(4) as pool:
        assert {read_by(each) for each in pool.map(readers, [["x"]] * 4)} == {os.getpid()}
