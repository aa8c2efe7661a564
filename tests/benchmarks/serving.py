"""How a server holds up: many at once, its processes killed, its log locked, its disk full.

    python -m tests.benchmarks.serving PROJECT [SECONDS]

PROJECT is a trained dbt project, of which a copy is served. Questions are those of its corpus, each
asked once by each client in its own order. Prints latencies, what was lost, and memory.
"""

from __future__ import annotations

import http.client
import json
import os
import random
import resource
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from dbt_t2s import store
from dbt_t2s.corpus.examples import Example
from dbt_t2s.serve.log import QuestionLog

AT_ONCE, QUESTIONS = 50, 100
ASKING = tuple(f"{polite} {way}" for polite in ("please", "kindly", "now", "well,", "so,", "hi,")
               for way in ("tell me", "show me", "give me", "say", "list", "find"))  # fmt: skip


def post(port: int, path: str, content: object) -> tuple[int, dict[str, object]]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    connection.request("POST", path, json.dumps(content), {"content-type": "application/json"})
    response = connection.getresponse()
    found = json.loads(response.read())
    connection.close()
    return response.status, found


def ask(port: int, question: str) -> tuple[float, int, dict[str, object]]:
    started = time.perf_counter()
    status, found = post(port, "/api/ask", {"question": question})
    return time.perf_counter() - started, status, found


def memory_mb(pid: int) -> float:
    """What the server and all below it hold; what they share counts once."""
    total = 0
    for each in (pid, *below(pid)):
        with suppress(OSError):
            lines = Path(f"/proc/{each}/smaps_rollup").read_text().splitlines()
            total += next(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
    return total / 1024


def cpu_s(pid: int) -> float:
    """What the server and all processes below it have used."""
    total = 0.0
    for each in (pid, *below(pid)):
        fields = Path(f"/proc/{each}/stat").read_text().rpartition(")")[2].split()
        total += (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    return total


def below(pid: int) -> list[int]:
    """All processes below one: those that run SQL and those that read questions."""
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except OSError:
        return []  # it has just ended
    return [each for child in children for each in (int(child), *below(int(child)))]


def say(label: str, took: list[float], codes: Counter[str]) -> None:
    took = sorted(took)
    p95 = took[int(len(took) * 0.95)]
    print(f"{label}: {len(took)} answers, median {statistics.median(took):.2f} s,"
          f" p95 {p95:.2f} s, most {took[-1]:.2f} s; {dict(codes)}")  # fmt: skip


def at_once(port: int, questions: list[str], label: str) -> dict[str, object]:
    with ThreadPoolExecutor(AT_ONCE) as pool:
        found = list(pool.map(lambda each: ask(port, each), questions))
    say(label, [took for took, _, _ in found],
        Counter(f"{code} {each.get('status')}" for _, code, each in found))  # fmt: skip
    answered = [each for _, _, each in found if each.get("status") == "ok"]
    return {str(each["question"]): each["rows"] for each in answered}


class Clients:
    """Eight that ask and say what they think, until the time is over."""

    def __init__(self, port: int, questions: list[str], right: dict[str, object], until: float):
        self._port, self._questions, self._right, self._until = port, questions, right, until
        self._lock = threading.Lock()
        self._threads = [threading.Thread(target=self._client, args=(n,)) for n in range(8)]
        self.took: list[float] = []
        self.codes: Counter[str] = Counter()
        self.said: list[str] = []
        self.wrong = 0

    def __enter__(self) -> Clients:
        for each in self._threads:
            each.start()
        return self

    def __exit__(self, *_: object) -> None:
        for each in self._threads:
            each.join()

    def _client(self, seed: int) -> None:
        drawn = random.Random(seed)
        while time.monotonic() < self._until:
            # Half of them were not asked before: a word in front makes another question of one.
            known = drawn.choice(self._questions)
            fresh = f"{drawn.choice(ASKING)} {known}" if drawn.random() < 0.5 else known
            spent, code, found = ask(self._port, fresh)
            kept: tuple[int, dict[str, object]] = (0, {})
            if code == 200 and found["status"] == "ok" and found["id"] and drawn.random() < 0.2:
                said = {"id": found["id"], "verdict": "wrong"}
                kept = post(self._port, "/api/feedback", said)
            with self._lock:
                self.took.append(spent)
                self.codes[f"{code} {found.get('status')}"] += 1
                right = self._right.get(str(found.get("question")))
                if found.get("status") == "ok" and right is not None and found["rows"] != right:
                    self.wrong += 1
                    print("other rows:", found["question"], found["sql"], found["attempts"])
                if kept[0]:
                    self.codes[f"feedback {kept[0]}"] += 1
                if kept[0] == 200:
                    self.said.append(str(kept[1]["id"]))


def mixed(running: Running, questions: list[str], right: dict[str, object], seconds: float) -> None:
    """In turns all workers are killed, the log is held open, and its disk is full."""
    until = time.monotonic() + seconds
    holding = "import sys, time, duckdb; c = duckdb.connect(sys.argv[1]); time.sleep(2)"
    memory = []
    makers = makers_of(running.pid)
    with Clients(running.port, questions, right, until) as clients:
        half = time.monotonic() + seconds / 2
        while time.monotonic() < until:
            time.sleep(2)
            memory.append(memory_mb(running.pid))
            for each in below(running.pid):
                # What makes readers is killed once: from then on the server reads alone.
                if each not in makers or time.monotonic() > half:
                    kill(each)
            held = [sys.executable, "-c", holding, str(running.log)]
            subprocess.run(held, capture_output=True, check=False)
            resource.prlimit(running.pid, resource.RLIMIT_FSIZE, (4_096, resource.RLIM_INFINITY))
            time.sleep(2)
            unlimited = (resource.RLIM_INFINITY, resource.RLIM_INFINITY)
            resource.prlimit(running.pid, resource.RLIMIT_FSIZE, unlimited)
    say("mixed, with kills, a locked log and a full disk", clients.took, clients.codes)
    tenth = max(len(memory) // 10, 1)
    first, last = (statistics.mean(part) for part in (memory[:tenth], memory[-tenth:]))
    print(f"other rows than before: {clients.wrong}")
    print(f"memory {first:.0f} MB at first, {last:.0f} in the end, {max(memory):.0f} at most")
    kept_ids = {each.id for each in QuestionLog(running.log.parents[1]).said()}
    lost = set(clients.said) - kept_ids
    print(f"feedback acknowledged {len(clients.said)}, lost {len(lost)}")


def makers_of(pid: int) -> set[int]:
    """The server's copies of itself right below it: what readers are forked off."""
    own = Path(f"/proc/{pid}/cmdline").read_bytes()
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return {int(each) for each in children if Path(f"/proc/{each}/cmdline").read_bytes() == own}


def kill(pid: int) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


@dataclass(frozen=True)
class Running:
    """A server that answers; ``log`` is its project's."""

    port: int
    pid: int
    project: Path

    @property
    def log(self) -> Path:
        return self.project / ".t2s" / "log.duckdb"


@contextmanager
def served(trained: str, folder: Path) -> Iterator[Running]:
    """A server of a copy, in ``folder``, of a trained project."""
    project = Path(shutil.copytree(trained, folder / "project", symlinks=True,
                                   ignore=shutil.ignore_patterns(".t2s")))  # fmt: skip
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    running = subprocess.Popen(
        [sys.executable, "-m", "dbt_t2s", "serve", "--port", str(port), "--rate", "10000"],
        cwd=project, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert running.stderr is not None
    print(next(each for each in running.stderr if "serving" in each).strip(), flush=True)
    threading.Thread(target=lambda: list(running.stderr or ()), daemon=True).start()
    time.sleep(2)
    try:
        yield Running(port, running.pid, project)
    finally:
        running.send_signal(signal.SIGTERM)
        print("exit code", running.wait())


def main() -> None:
    seconds = float(sys.argv[2]) if len(sys.argv) > 2 else 60.0
    rows = store.read_rows(Path(sys.argv[1]) / "target" / "t2s" / "examples.parquet", Example)
    texts = sorted({row.question for row in rows if row.sql})
    questions = random.Random(0).sample(texts, min(QUESTIONS, len(texts)))
    with tempfile.TemporaryDirectory() as folder, served(sys.argv[1], Path(folder)) as running:
        before = cpu_s(running.pid)
        right = at_once(running.port, questions, f"{AT_ONCE} in flight, never asked before")
        spent = (cpu_s(running.pid) - before) / len(questions)
        print(f"CPU for each: {spent * 1000:.0f} ms; load {os.getloadavg()[0]:.1f}", flush=True)
        at_once(running.port, questions, f"{AT_ONCE} in flight, asked before")
        mixed(running, questions, right, seconds)


if __name__ == "__main__":
    main()
