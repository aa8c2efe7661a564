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
from dbt_t2s.model.generate import Candidate, Followed
from dbt_t2s.model.turns import Turn
from dbt_t2s.web.readers import Readers, readers_for, reading

pytestmark = pytest.mark.skipif(not Path("/proc/self").is_dir(), reason="looks at Linux' /proc")


def by_whom(questions: Sequence[str]) -> list[tuple[Candidate, ...]]:
    """Says which process reads."""
    if "slow" in questions[0]:
        time.sleep(0.3)
    if "fall over" in questions[0]:
        raise ModelError("the question is too hard", hint="ask another")
    return [(Candidate(f"{each} {os.getpid()}", 1.0),) for each in questions]


def after(question: str, before: Sequence[Turn]) -> Followed:
    """Says which process reads, and after what."""
    if "fall over" in question:
        raise ModelError("the question is too hard", hint="ask another")
    return Followed(f"{before[-1].question}; {question}", (Candidate(str(os.getpid()), 1.0),))


def together(questions: Sequence[str]) -> list[tuple[Candidate, ...]]:
    """Says how many are read at once; the first takes so long that others wait."""
    if "slow" in questions[0]:
        time.sleep(0.5)
    if len(questions) > 1 and any("fall over" in each for each in questions):
        raise ModelError("one of them is too hard", hint="ask another")
    return [(Candidate(f"{each} {len(questions)}", 1.0),) for each in questions]


def read_by(given: Sequence[Sequence[Candidate]]) -> int:
    return int(given[0][0].sql.split()[-1])


def children(pid: int) -> list[int]:
    return [int(each) for each in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def test_two_read_at_once_and_neither_is_the_server() -> None:
    with reading(by_whom, None, 2) as readers, ThreadPoolExecutor(2) as pool:
        pids = {read_by(each) for each in pool.map(readers.generate, [["slow 1"], ["slow 2"]])}
        assert len(pids) == 2 and os.getpid() not in pids


def test_a_killed_reader_costs_no_question_and_another_takes_its_place() -> None:
    with reading(by_whom, None, 1) as readers, ThreadPoolExecutor(1) as pool:
        first = read_by(readers.generate(["how many?"]))
        asked = pool.submit(readers.generate, ["slow"])
        time.sleep(0.1)
        os.kill(first, signal.SIGKILL)
        assert read_by(asked.result()) == os.getpid()
        assert read_by(readers.generate(["how many?"])) not in (first, os.getpid())


def test_without_the_process_that_makes_readers_the_server_reads() -> None:
    before = children(os.getpid())
    with reading(by_whom, None, 1) as readers:
        (nursery,) = set(children(os.getpid())) - set(before)
        reader = read_by(readers.generate(["how many?"]))
        for each in (nursery, reader):
            os.kill(each, signal.SIGKILL)
        time.sleep(0.1)
        assert {read_by(readers.generate(["how many?"])) for _ in range(3)} == {os.getpid()}


def asked_behind_a_slow_one(readers: Readers, questions: Sequence[str]) -> list[int]:
    """How many were read together with each."""
    with ThreadPoolExecutor(len(questions) + 1) as pool:
        slow = pool.submit(readers.generate, ["slow"])
        time.sleep(0.2)
        given = list(pool.map(lambda each: readers.generate([each]), questions))
        assert read_by(slow.result()) == 1
    assert [each[0][0].sql.rpartition(" ")[0] for each in given] == list(questions)
    return [read_by(each) for each in given]


@pytest.mark.parametrize("count", [0, 1])
def test_questions_that_wait_are_read_together(count: int) -> None:
    with reading(together, None, count) as readers:
        at_once = asked_behind_a_slow_one(readers, [f"question {n}" for n in range(12)])
        assert sorted(at_once) == ([1] * 12 if count == 0 else [4] * 4 + [8] * 8)


def test_one_that_cannot_be_read_costs_those_beside_it_nothing() -> None:
    with reading(together, None, 1) as readers:
        assert asked_behind_a_slow_one(readers, ["how many?", "fall over", "why?"]) == [1, 1, 1]


def test_several_readers_share_what_waits() -> None:
    with reading(together, None, 2) as readers, ThreadPoolExecutor(8) as pool:
        slow = [pool.submit(readers.generate, [f"slow {n}"]) for n in range(2)]
        time.sleep(0.2)
        rest = [pool.submit(readers.generate, [f"question {n}"]) for n in range(6)]
        assert max(read_by(each.result()) for each in (*slow, *rest)) == 3


def test_follow_ups_are_read_by_them_too() -> None:
    before = (Turn("how many orders?", "select 1"),)
    with reading(by_whom, after, 1) as readers:
        found = readers.follow("by month", before)
        assert found.read_as == "how many orders?; by month"
        assert int(found.candidates[0].sql) == read_by(readers.generate(["x"])) != os.getpid()
        with pytest.raises(ModelError, match="too hard"):
            readers.follow("fall over", before)


def test_nothing_is_read_once_they_are_closed() -> None:
    with reading(by_whom, None, 1) as readers:
        pass
    with pytest.raises(RuntimeError, match="nobody reads"):
        readers.generate(["how many?"])


def test_each_reader_warms_up_before_it_is_asked(tmp_path: Path) -> None:
    def noted(questions: Sequence[str]) -> list[tuple[Candidate, ...]]:
        with (tmp_path / str(os.getpid())).open("a") as file:
            file.write(f"{len(questions)} ")
        return by_whom(questions)

    warm = [f"warm {number}" for number in range(10)]
    with reading(noted, None, 1, warm) as readers:
        pid = read_by(readers.generate(["asked"]))
    assert (tmp_path / str(os.getpid())).read_text() == "1 " * 10 + "8 2 "
    assert (tmp_path / str(pid)).read_text() == "8 1 "


def test_what_goes_wrong_is_told_here() -> None:
    with reading(by_whom, None, 1) as readers:
        with pytest.raises(ModelError, match="too hard"):
            readers.generate(["fall over"])
        assert read_by(readers.generate(["how many?"])) != os.getpid()


def test_all_end_with_the_server_and_hold_nothing_of_it_open() -> None:
    before = children(os.getpid())
    inner, outer = os.pipe()
    with reading(by_whom, None, 1) as readers:
        reader = read_by(readers.generate(["how many?"]))
        os.close(outer)
        assert os.read(inner, 1) == b""  # nobody else has the other end
    os.close(inner)
    until = time.monotonic() + 5
    while Path(f"/proc/{reader}").exists() and time.monotonic() < until:
        time.sleep(0.02)
    assert not Path(f"/proc/{reader}").exists() and children(os.getpid()) == before


def test_no_others_where_they_cannot_be_had() -> None:
    assert readers_for("hub") == 0
    with reading(by_whom, None, readers_for("hub")) as readers, ThreadPoolExecutor(4) as pool:
        assert {read_by(each) for each in pool.map(readers.generate, [["x"]] * 4)} == {os.getpid()}
