"""How a server holds up: many requests at once, its worker killed, its log open elsewhere.

    python -m tests.benchmarks.serving PROJECT [SECONDS]

PROJECT is a trained dbt project, of which a copy is served. Questions are those of its corpus, each
asked once by each client in its own order. Prints latencies, what was lost, and memory.
"""

from __future__ import annotations

import http.client
import json
import os
import random
import re
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
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from dbt_t2s import store
from dbt_t2s.corpus.examples import Example
from dbt_t2s.serve.log import QuestionLog

AT_ONCE, QUESTIONS = 50, 100


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
    status = Path(f"/proc/{pid}/status").read_text()
    found = re.search(r"VmRSS:\s+(\d+)", status)
    return int(found[1]) / 1024 if found else 0.0


def cpu_s(pid: int) -> float:
    """What the server and all processes below it have used."""
    total = 0.0
    for each in (pid, *below(pid)):
        fields = Path(f"/proc/{each}/stat").read_text().rpartition(")")[2].split()
        total += (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    return total


def below(pid: int) -> list[int]:
    """All processes below one: those that run SQL and those that read questions."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
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


def mixed(port: int, pid: int, log: Path, questions: list[str], right: dict[str, object],
          seconds: float) -> None:  # fmt: skip
    """Eight clients; meanwhile workers are killed and the log is held open."""
    until, codes, wrong = time.monotonic() + seconds, Counter[str](), [0]
    took: list[float] = []
    said: list[str] = []
    lock = threading.Lock()

    def client(seed: int) -> None:
        drawn = random.Random(seed)
        while time.monotonic() < until:
            spent, code, found = ask(port, drawn.choice(questions))
            kept: tuple[int, dict[str, object]] = (0, {})
            if code == 200 and found["status"] == "ok" and drawn.random() < 0.2:
                kept = post(port, "/api/feedback", {"id": found["id"], "verdict": "wrong"})
            with lock:
                took.append(spent)
                codes[f"{code} {found.get('status')}"] += 1
                known = right.get(str(found.get("question")))
                if found.get("status") == "ok" and known is not None and found["rows"] != known:
                    wrong[0] += 1
                    print("other rows:", found["question"], found["sql"], found["attempts"])
                if kept[0]:
                    codes[f"feedback {kept[0]}"] += 1
                if kept[0] == 200:
                    said.append(str(kept[1]["id"]))

    threads = [threading.Thread(target=client, args=(seed,)) for seed in range(8)]
    for each in threads:
        each.start()
    holding = "import sys, time, duckdb; c = duckdb.connect(sys.argv[1]); time.sleep(2)"
    memory = []
    while time.monotonic() < until:
        time.sleep(3)
        memory.append(memory_mb(pid))
        for worker in below(pid):
            os.kill(worker, signal.SIGKILL)
        subprocess.run([sys.executable, "-c", holding, str(log)], capture_output=True, check=False)
    for each in threads:
        each.join()
    say("mixed, with kills and a locked log", took, codes)
    print(f"other rows than before: {wrong[0]}; memory {memory[0]:.0f} to {memory[-1]:.0f} MB")
    kept_ids = {each.id for each in QuestionLog(log.parents[1]).said()}
    print(f"feedback acknowledged {len(said)}, in the log {len(kept_ids & set(said))}")


def main() -> None:
    seconds = float(sys.argv[2]) if len(sys.argv) > 2 else 60.0
    with tempfile.TemporaryDirectory() as folder:
        project = Path(shutil.copytree(sys.argv[1], Path(folder, "project"), symlinks=True,
                                       ignore=shutil.ignore_patterns(".t2s")))  # fmt: skip
        rows = store.read_rows(project / "target" / "t2s" / "examples.parquet", Example)
        texts = sorted({row.question for row in rows if row.sql})
        questions = random.Random(0).sample(texts, min(QUESTIONS, len(texts)))
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        running = subprocess.Popen(
            [sys.executable, "-m", "dbt_t2s", "serve", "--port", str(port), "--rate", "10000"],
            cwd=project, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        assert running.stderr is not None
        print(next(each for each in running.stderr if "serving" in each).strip())
        threading.Thread(target=lambda: list(running.stderr or ()), daemon=True).start()
        time.sleep(2)
        try:
            before = cpu_s(running.pid)
            right = at_once(port, questions, f"{AT_ONCE} in flight, never asked before")
            spent = (cpu_s(running.pid) - before) / len(questions)
            print(f"CPU for each: {spent * 1000:.0f} ms; load {os.getloadavg()[0]:.1f}")
            at_once(port, questions, f"{AT_ONCE} in flight, asked before")
            log = project / ".t2s" / "log.duckdb"
            mixed(port, running.pid, log, questions, right, seconds)
        finally:
            running.send_signal(signal.SIGTERM)
            print("exit code", running.wait())


if __name__ == "__main__":
    main()
