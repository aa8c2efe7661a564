"""Measures the judge: equal queries that it calls wrong, near misses that it calls right.

``python -m tests.benchmarks.judge PROJECT… --data FOLDER [--golds N] [--skip N] [--schemas N]``:
the projects have been trained (their generated corpus gives the golds, evenly, from the ``skip``-th
on), the folder holds ``schemas.jsonl`` and
``spider_train.jsonl``, whose schemas are filled with made-up rows. A pair is judged on three files:
the warehouse, a perturbed copy, and a copy with rows made for the golds; one whose two sides read
other tables of a project, on the warehouse and its rebuilt files. Near misses that a law proves
equal are counted apart: none of them may be told apart.
"""

from __future__ import annotations

import argparse
import random
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from dbt_t2s import duck, store
from dbt_t2s.corpus.examples import Example
from dbt_t2s.errors import WarehouseError
from dbt_t2s.instances import Instances
from dbt_t2s.judge.few_rows import make_few
from dbt_t2s.judge.instances import make_instances
from dbt_t2s.judge.mutants import mutants
from dbt_t2s.judge.parsed import read_by
from dbt_t2s.judge.read_tables import read_tables
from dbt_t2s.judge.rebuilt import above, make_rebuilt
from dbt_t2s.judge.rewrites import rewrites
from dbt_t2s.judge.verdicts import Rebuilding
from dbt_t2s.judge.witnesses import plant
from dbt_t2s.project import artifacts
from dbt_t2s.project.schema import ProjectSchema
from dbt_t2s.query.sql_source import NotConvertedError
from dbt_t2s.sql import SqlError
from tests.judge.pairs import Pair, told_apart
from tests.tools.pretrain.check import duck_sql, statements
from tests.tools.pretrain.rows import read_schemas

# Near misses of one gold that are judged, spread evenly, so that long golds do not weigh most.
_MOST_MISSES = 12


@dataclass
class Tally:
    """Counts by kind; ``wrong`` are equal pairs that were told apart, with how.

    ``plain`` counts the near misses that three instances without made rows tell apart, ``few``
    those that files of few rows alone do, ``other`` the pairs whose two sides read other tables.
    """

    asked: Counter[str] = field(default_factory=Counter)
    killed: Counter[str] = field(default_factory=Counter)
    plain: Counter[str] = field(default_factory=Counter)
    few: Counter[str] = field(default_factory=Counter)
    other: Counter[str] = field(default_factory=Counter)
    wrong: list[tuple[Pair, str]] = field(default_factory=list)
    alive: list[Pair] = field(default_factory=list)

    def add(self, other: Tally) -> None:
        self.asked.update(other.asked)
        self.killed.update(other.killed)
        self.plain.update(other.plain)
        self.few.update(other.few)
        self.other.update(other.other)
        self.wrong += other.wrong
        self.alive += other.alive


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("projects", nargs="*", type=Path)
    parser.add_argument("--data", type=Path)
    parser.add_argument("--golds", type=int, default=60, help="of each project")
    parser.add_argument("--skip", type=int, default=0, help="golds before the first that is taken")
    parser.add_argument("--schemas", type=int, default=20)
    parser.add_argument("--alive", action="store_true", help="print what was not told apart")
    given = parser.parse_args()
    whole = Tally()
    for project in given.projects:
        with tempfile.TemporaryDirectory() as folder:
            found = _of_project(project, given.golds, given.skip, Path(folder))
            _report(str(project.name), found, whole)
    if given.data is not None:
        begun = Tally()
        for schema, golds in _schemas(given.data, given.schemas):
            with tempfile.TemporaryDirectory() as folder:
                found = _of_schema(schema, golds, Path(folder))
            begun.add(found)
        _report(f"{given.schemas} schemas", begun, whole)
    _table(whole)
    for pair, how in whole.wrong:
        print(f"WRONG {pair.kind} ({pair.law}): {how}\n  {pair.gold}\n  {pair.sql}")
    for pair in whole.alive if given.alive else ():
        print(f"ALIVE {pair.kind}\n  {pair.gold}\n  {pair.sql}")


def _of_project(project: Path, most: int, skip: int, folder: Path) -> Tally:
    made = project / "target" / "t2s"
    schema = store.read_json(made / "schema.json", ProjectSchema)
    examples = store.read_rows(made / "examples.parquet", Example)
    golds = tuple(dict.fromkeys(each.sql for each in examples if each.sql))
    step = max(1.0, len(golds) / most)
    places = range(min(most, len(golds)))
    chosen = [golds[(int(at * step) + skip) % len(golds)] for at in places]
    # As it is judged on: with made-up rows where the project's own file lacks tables.
    instances = store.read_json(made / "warehouse" / "instances.json", Instances)
    warehouse = made / "warehouse" / instances.files[0]
    read = artifacts.read(project / "target")
    started = time.perf_counter()
    rebuilt = make_rebuilt(warehouse, folder, schema, read)
    print(f"  {len(rebuilt.files)} rebuilt files in {time.perf_counter() - started:.1f} s")
    rebuilding = Rebuilding(lambda: None, above(schema, read) if rebuilt.files else {})
    return _judged(
        warehouse, schema, chosen, folder, instances.calendars, rebuilt.files, rebuilding
    )


def _schemas(data: Path, most: int) -> Iterator[tuple[ProjectSchema, list[str]]]:
    found, questions = read_schemas(data)
    names = random.Random(3).sample(sorted(found), len(found))
    for name in names[:most]:
        golds = dict.fromkeys(row["sql"] for row in questions if row["db_id"] == name)
        yield found[name], list(golds)[:8]


def _of_schema(schema: ProjectSchema, golds: Sequence[str], folder: Path) -> Tally:
    path = folder / "made.duckdb"
    written: list[str] = []
    for gold in golds:
        try:
            written.append(duck_sql(gold, schema))
        except (NotConvertedError, SqlError):
            continue
    try:
        with duck.open_writable(path) as connection:
            for statement in statements(schema, random.Random(11)):
                connection.execute(statement)
    except WarehouseError:
        # A foreign key of another type than its key: no rows can be made for it.
        return Tally()
    return _judged(path, schema, written, folder / "instances")


def _judged(
    warehouse: Path,
    schema: ProjectSchema,
    golds: Sequence[str],
    folder: Path,
    calendars: Sequence[str] = (),
    rebuilt: Sequence[Path] = (),
    rebuilding: Rebuilding | None = None,
) -> Tally:
    first, second, third = make_instances(warehouse, folder, schema, n=3)
    witnesses = duck.copy_warehouse(first, folder / "witnesses")
    started = time.perf_counter()
    today = date.fromisoformat(schema.as_of) if schema.as_of else date.today()
    planted = plant(witnesses, schema, golds, today, calendars)
    print(f"  {planted} in {time.perf_counter() - started:.1f} s", flush=True)
    pairs = [pair for gold in golds for pair in _pairs(gold, schema)]
    left = dict.fromkeys(pairs)
    tally = Tally(Counter(each.kind for each in pairs))
    others = [each for each in left if rebuilding and _reads_others(each, schema, rebuilding)]
    tally.other.update(pair.kind for pair in others)
    for file in (first, *rebuilt):
        for pair, how in told_apart(file, [each for each in others if each in left]):
            del left[pair]
            tally.wrong += [(pair, how)] if pair.law else []
            tally.killed[pair.kind] += not pair.law
    survived = [each for each in others if left.pop(each, each) is None]
    for file in (first, second):
        for pair, how in told_apart(file, list(left)):
            del left[pair]
            tally.wrong += [(pair, how)] if pair.law else []
            tally.killed[pair.kind] += not pair.law
    tally.plain.update(tally.killed)
    tally.plain.update(pair.kind for pair, _ in told_apart(third, list(left)) if not pair.law)
    for pair, how in told_apart(witnesses, list(left)):
        del left[pair]
        tally.wrong += [(pair, how)] if pair.law else []
        tally.killed[pair.kind] += not pair.law
    read = tuple(dict.fromkeys(read_by(golds, schema.dialect)))
    started = time.perf_counter()
    files = make_few(witnesses, folder / "few", schema, read)
    print(f"  {len(files)} files of few rows in {time.perf_counter() - started:.1f} s", flush=True)
    for file in files:
        for pair, how in told_apart(file, list(left), of_few=True):
            del left[pair]
            tally.wrong += [(pair, how)] if pair.law else []
            tally.few[pair.kind] += not pair.law
    tally.killed.update(tally.few)
    tally.alive += [pair for pair in (*survived, *left) if not pair.law]
    return tally


def _reads_others(pair: Pair, schema: ProjectSchema, rebuilding: Rebuilding) -> bool:
    """Whether rebuilt files decide of the pair, as ``validate`` has it."""
    gold, answer = (
        frozenset(table.name for table in read_tables(sql, schema.tables, schema.dialect))
        for sql in (pair.gold, pair.sql)
    )
    return rebuilding.decides(gold, answer)


def _pairs(gold: str, schema: ProjectSchema) -> Iterator[Pair]:
    """``=`` before the kind of what is equal, ``=≠`` before near misses proven equal."""
    for rewrite in rewrites(gold, schema):
        yield Pair(gold, f"= {rewrite.kind}", rewrite.sql, rewrite.law)
    found = mutants(gold, schema)
    step = max(1.0, len(found) / _MOST_MISSES)
    for at in range(min(_MOST_MISSES, len(found))):
        mutant = found[int(at * step)]
        kind = f"=≠ {mutant.kind}" if mutant.law else mutant.kind
        yield Pair(gold, kind, mutant.sql, mutant.law)


def _report(name: str, found: Tally, whole: Tally) -> None:
    equal = sum(count for kind, count in found.asked.items() if kind.startswith("="))
    real = sum(found.asked.values()) - equal
    print(
        f"{name}: {equal} equal pairs, {len(found.wrong)} called wrong;"
        f" {real} near misses, {found.killed.total()} called wrong"
        f" ({found.killed.total() / max(1, real):.1%};"
        f" {(found.killed - found.few).total() / max(1, real):.1%} without files of few rows,"
        f" {found.plain.total() / max(1, real):.1%} without made rows);"
        f" {found.other.total()} pairs read other tables",
        flush=True,
    )
    whole.add(found)


def _table(found: Tally) -> None:
    wrong = Counter(pair.kind for pair, _ in found.wrong)
    print("| kind | pairs | called wrong | without made rows |\n|---|---:|---:|---:|")
    for kind in sorted(found.asked):
        told = wrong[kind] if kind.startswith("=") else found.killed[kind]
        plain = "" if kind.startswith("=") else str(found.plain[kind])
        print(f"| {kind} | {found.asked[kind]} | {told} | {plain} |")


if __name__ == "__main__":
    main()
