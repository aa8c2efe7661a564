"""Prints how many answers a second are judged on all instances, and where the CPU goes.

    python tests/benchmarks/judged.py PROJECT/target/t2s --queries 300

The folder is that of a trained project. The golds are statements of its corpus; every second answer
is the gold itself, the others are the golds of other questions, each with a comment of its own, so
that no two texts are alike. Times are of this machine on this day. Nothing is asserted here.
"""

from __future__ import annotations

import argparse
import os
import random
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from dbt_t2s import duck, store
from dbt_t2s.corpus.examples import Example
from dbt_t2s.duck import Rows
from dbt_t2s.instances import Instances, readable
from dbt_t2s.judge.compare import compare, is_ordered, sort_keys
from dbt_t2s.judge.outcomes import Prediction
from dbt_t2s.judge.relations import allowed_relations
from dbt_t2s.judge.sandbox import Limits, Sandbox, execute_all
from dbt_t2s.judge.suite import TestItem
from dbt_t2s.judge.tree import check_tree
from dbt_t2s.judge.validate import House, validate
from dbt_t2s.pipeline import COMPARED_ROWS
from dbt_t2s.project.schema import ProjectSchema, Rule


def stage(name: str, count: int, action: Callable[[], object]) -> None:
    cpu, wall = time.process_time(), time.perf_counter()
    action()
    cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    print(f"{name:44} {cpu / count * 1000:7.2f} ms CPU  {wall / count * 1000:7.2f} ms")


def stages(golds: Sequence[str], paths: Sequence[Path], relations: Sequence[str]) -> None:
    """What each step costs in this process, a statement."""
    connections = [duck.open_read_only(path) for path in paths]
    allowed = allowed_relations(relations, paths[0].stem)
    results: list[Rows] = []

    def check() -> None:
        for sql in golds:
            tree = duck.parse_tree(connections[0], sql)
            assert isinstance(tree, tuple) and check_tree(tree, allowed) is None

    def run(connection: duck.Connection) -> None:
        found = [duck.run(connection, sql, COMPARED_ROWS) for sql in golds]
        results[:] = [each for each in found if isinstance(each, Rows)]

    for path, connection in zip(paths, connections, strict=True):
        run(connection)  # the first run reads from the disk
        stage(f"DuckDB alone, {path.parent.name}", len(golds), partial(run, connection))
    stage("DuckDB's parse tree and its check", len(golds), check)
    stage("compare", len(golds), lambda: [compare(each, each, False) for each in results])
    stage("the gold's order", len(golds), partial(orders, golds))
    for connection in connections:
        connection.close()


def orders(golds: Sequence[str]) -> None:
    for sql in golds:
        is_ordered(sql, "duckdb")
        sort_keys(sql, "duckdb")


def workers_cpu(sandboxes: Sequence[Sandbox]) -> float:
    """Seconds; Linux alone says it."""
    total = 0.0
    for each in sandboxes:
        fields = Path(f"/proc/{each._ready()._process.pid}/stat").read_text().split()
        total += (int(fields[13]) + int(fields[14])) / os.sysconf("SC_CLK_TCK")
    return total


def judged(
    name: str, count: int, sandboxes: Sequence[Sandbox], action: Callable[[], object]
) -> None:
    workers, cpu, wall = workers_cpu(sandboxes), time.process_time(), time.perf_counter()
    action()
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    workers = workers_cpu(sandboxes) - workers
    busy = cpu + workers
    print(
        f"{name:44} {count / wall:7.1f} a second; {cpu / count * 1000:.2f} ms CPU here and"
        f" {workers / count * 1000:.2f} in the workers: {os.cpu_count()} free cores would give"
        f" {count / busy * (os.cpu_count() or 1):.0f}"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--queries", type=int, default=300)
    options = parser.parse_args()
    folder: Path = options.folder
    schema = store.read_json(folder / "schema.json", ProjectSchema)
    instances = store.read_json(folder / "warehouse" / "instances.json", Instances)
    rules = tuple(rule for rule in schema.rules if isinstance(rule, Rule))
    paths = [folder / "warehouse" / file for file in instances.files]
    relations = readable(schema, instances)
    examples = store.read_rows(folder / "examples.parquet", Example)
    golds = sorted({each.sql for each in examples if each.sql})
    random.Random(0).shuffle(golds)
    golds = golds[: options.queries]
    answers = [
        f"{golds[number if number % 2 else number - 1]}\n-- {number}"
        for number in range(len(golds))
    ]
    print(f"load average {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores, {len(golds)} queries")
    stages(golds, paths, relations)
    limits = Limits(max_rows=COMPARED_ROWS)
    sandboxes = [Sandbox(path, relations, schema.dialect, limits) for path in paths]
    wanted = [execute_all(sandboxes, gold) for gold in golds]  # also warms the workers up

    def verdicts() -> None:
        for gold, answer in zip(wanted, answers, strict=True):
            for one, other in zip(gold, execute_all(sandboxes, answer), strict=True):
                if isinstance(one, Rows) and isinstance(other, Rows):
                    compare(one, other, False)

    judged("checked, executed, compared", len(golds), sandboxes, verdicts)
    items = [TestItem(str(n), str(n), (gold,), "other") for n, gold in enumerate(golds)]
    house = House(schema.tables, rules, explain=lambda sql: explained(sandboxes[0], sql))
    given = dict(zip([item.question for item in items], answers, strict=True))

    def predict(questions: Sequence[str]) -> list[Prediction]:
        return [Prediction("ok", given[each]) for each in questions]

    run = partial(execute_all, sandboxes)
    whole = partial(validate, items, predict, run, len(paths), schema.dialect, house=house)
    judged("validate, golds and all that it reports", len(golds), sandboxes, whole)
    for each in sandboxes:
        each.close()


def explained(sandbox: Sandbox, sql: str) -> Rows | duck.QueryError:
    return sandbox.execute_trusted(f"explain (format json) {sql}")


if __name__ == "__main__":
    main()
