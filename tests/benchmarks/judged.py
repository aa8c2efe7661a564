"""Prints how many answers a second are judged: checked, run on every instance and compared.

    python tests/benchmarks/judged.py PROJECT/target/t2s --statements 400

Golds are the project's own generated SQL, their results known beforehand; the answers are the same
statements, run again. A lane is one process with all instances. ``--few`` asks the files of few
rows of the last validation instead, as is done with answers that agree on all instances. Also
prints where CPU time goes: to the processes that run SQL, and to this one. Nothing is asserted
here.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from queue import SimpleQueue

from dbt_t2s import store
from dbt_t2s.corpus.examples import Example
from dbt_t2s.duck import QueryError, Rows
from dbt_t2s.instances import Instances, Witnesses, readable
from dbt_t2s.judge.compare import compare
from dbt_t2s.judge.gold_order import is_ordered, sort_keys
from dbt_t2s.judge.sandbox import Limits, Sandbox
from dbt_t2s.project.schema import ProjectSchema


def statements(folder: Path, most: int) -> list[str]:
    """Different statements of the corpus, evenly over it."""
    rows = store.read_rows(folder / "examples.parquet", Example)
    found = list(dict.fromkeys(row.sql for row in rows if row.sql))
    return found[:: max(1, len(found) // most)][:most]


def judge(
    folder: Path, golds: Sequence[str], lanes: int, *, few: bool
) -> tuple[float, float, float, int]:
    """Answers a second; CPU milliseconds an answer of the workers and of this process; how many
    were called right.
    """
    schema = store.read_json(folder / "schema.json", ProjectSchema)
    instances = store.read_json(folder / "warehouse" / "instances.json", Instances)
    names = instances.files
    if few:
        names = store.read_json(folder / "warehouse" / "witnesses.json", Witnesses).few
    files = [folder / "warehouse" / name for name in names]
    relations = readable(schema, instances)
    limits = Limits(max_rows=10_000)
    with ExitStack() as held:
        free: SimpleQueue[Sandbox] = SimpleQueue()
        for _ in range(lanes):
            box = Sandbox(files[0], relations, schema.dialect, limits, others=files[1:])
            free.put(held.enter_context(box))

        def run(sql: str) -> tuple[Rows | QueryError, ...]:
            lane = free.get()
            try:
                return lane.execute_each(sql)
            finally:
                free.put(lane)

        with ThreadPoolExecutor(lanes) as pool:
            wanted = list(pool.map(run, golds))
            orders = [(is_ordered(s, schema.dialect), sort_keys(s, schema.dialect)) for s in golds]

            def verdict(at: int) -> bool:
                ordered, keys = orders[at]
                found = zip(wanted[at], run(golds[at]), strict=True)
                return all(
                    isinstance(one, Rows)
                    and isinstance(other, Rows)
                    and compare(one, other, ordered, keys).equal
                    for one, other in found
                )

            before, own, started = _children(), time.process_time(), time.perf_counter()
            right = sum(pool.map(verdict, range(len(golds))))
            took = time.perf_counter() - started
            each = 1000 / len(golds)
            spent = (_children() - before) * each, (time.process_time() - own) * each
    return len(golds) / took, *spent, right


def _children() -> float:
    """CPU seconds of this process's living children; 0 where the system does not tell."""
    total, ticks = 0.0, os.sysconf("SC_CLK_TCK")
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:  # it ended meanwhile
            continue
        if int(fields[1]) == os.getpid():
            total += (int(fields[11]) + int(fields[12])) / ticks
    return total


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="a trained project's target/t2s")
    parser.add_argument("--statements", type=int, default=400)
    parser.add_argument("--lanes", type=int, nargs="*", default=[1, 2, 3])
    parser.add_argument("--few", action="store_true")
    options = parser.parse_args()
    golds = statements(options.folder, options.statements)
    print(f"load average {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    for lanes in options.lanes:
        speed, workers, own, right = judge(options.folder, golds, lanes, few=options.few)
        print(
            f"{lanes} lanes: {speed:6.0f} answers a second, {workers:.1f} ms CPU of the workers "
            f"and {own:.1f} ms here for each; {right} of {len(golds)} right"
        )


if __name__ == "__main__":
    main()
