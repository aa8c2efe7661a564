"""Prints what the sandbox adds to plain DuckDB, and how many queries several instances answer.

    python -m tests.benchmarks.sandbox --queries 200 --seconds 5

The queries are those that the tests want answered, on their small warehouse; plain DuckDB and the
sandbox take turns, both warm. Times are of this machine on this day. Nothing is asserted here.
"""

from __future__ import annotations

import argparse
import itertools
import os
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from dbt_t2s import duck
from dbt_t2s.duck import Rows
from dbt_t2s.judge.sandbox import Limits, Sandbox, execute_all
from tests.judge.hostile.friendly import QUERIES
from tests.judge.shop import RELATIONS, make_shop

INSTANCES = 3


def mixed(count: int) -> list[str]:
    """``count`` texts, none like another."""
    queries = itertools.islice(itertools.cycle(QUERIES), count)
    return [f"{query.rstrip(';')}\n-- {number}" for number, query in enumerate(queries)]


def milliseconds(times: Sequence[float]) -> str:
    ordered = sorted(times)
    p95 = ordered[int(len(ordered) * 0.95)]
    return f"median {statistics.median(ordered) * 1000:6.2f} ms   p95 {p95 * 1000:6.2f} ms"


def latency(path: Path, queries: Sequence[str]) -> None:
    plain: list[float] = []
    boxed: list[float] = []
    with Sandbox(path, RELATIONS) as sandbox:
        connection = duck.open_read_only(path)
        for warm in (True, False):
            for query in queries:
                started = time.perf_counter()
                duck.run(connection, query)
                between = time.perf_counter()
                found = sandbox.execute(query)
                if not isinstance(found, Rows):
                    raise SystemExit(f"{query}\n{found}")
                if not warm:
                    plain.append(between - started)
                    boxed.append(time.perf_counter() - between)
        connection.close()
    print(f"plain DuckDB     {milliseconds(plain)}")
    print(f"sandbox          {milliseconds(boxed)}")
    added = [each - other for each, other in zip(boxed, plain, strict=True)]
    print(f"what it adds     {milliseconds(added)}")


def throughput(paths: Sequence[Path], queries: Sequence[str], seconds: float) -> None:
    sandboxes = [Sandbox(path, RELATIONS, limits=Limits()) for path in paths]
    for each in sandboxes:
        each.execute("select 1")
    ways: dict[str, Callable[[str], object]] = {
        "one by one": lambda query: [each.execute(query) for each in sandboxes],
        "execute_all": lambda query: execute_all(sandboxes, query),
    }
    for name, run in ways.items():
        done, started = 0, time.perf_counter()
        for query in itertools.cycle(queries):
            run(query)
            done += 1
            if time.perf_counter() - started > seconds:
                break
        rate = done / (time.perf_counter() - started)
        print(f"{name:16} {rate:7.1f} queries a second over {len(sandboxes)} instances")
    for each in sandboxes:
        each.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--queries", type=int, default=200)
    parser.add_argument("--seconds", type=float, default=5.0)
    options = parser.parse_args()
    queries = mixed(options.queries)
    print(f"load average {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    with tempfile.TemporaryDirectory() as folder:
        paths = [make_shop(Path(folder) / str(n) / "shop.duckdb") for n in range(INSTANCES)]
        latency(paths[0], queries)
        throughput(paths, queries, options.seconds)


if __name__ == "__main__":
    main()
