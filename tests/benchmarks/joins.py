"""Measures how many foreign keys of human databases are found, stated and by name alone.

``python -m tests.benchmarks.joins FOLDER [--misses]``: the folder holds ``schemas.jsonl`` and
``spider_train.jsonl``. The databases are split in two halves by name; the name matching was
written looking at the first half alone. The invented projects of ``tests/tools/pretrain`` come
last: their tables all have keys of their own, and no gold query is asked of them.
"""

from __future__ import annotations

import argparse
import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from dbt_t2s.project import evidence, joins, named_joins
from dbt_t2s.project.artifacts import Artifacts
from dbt_t2s.project.schema import Column, Kind, ProjectSchema, Role, Table
from dbt_t2s.query.plan import Col
from dbt_t2s.query.sql_source import Names, NotConvertedError, Source
from dbt_t2s.sql import exp
from tests.tools.pretrain.golds import names_of, parsed
from tests.tools.pretrain.invented import read_project
from tests.tools.pretrain.names import canonical

_INVENTED = Path(__file__).parents[1] / "tools" / "pretrain" / "projects"
_KINDS = {"number": Kind.NUMBER, "time": Kind.DATE, "boolean": Kind.BOOLEAN}
Pair = frozenset[Col]


@dataclass(frozen=True)
class Database:
    """One human database: ``stated`` foreign keys, those that gold queries join by ``used``."""

    tables: tuple[Table, ...]
    stated: frozenset[Pair]
    used: frozenset[Pair]


def read(row: Mapping[str, Any], gold: Iterable[str], with_keys: bool) -> Database:
    tables = _one_type([_table(each, with_keys) for each in row["tables"]], row)
    spelled = {
        (t.name.lower(), c.name.lower()): Col(t.name, c.name) for t in tables for c in t.columns
    }
    pairs = [
        frozenset(spelled[table.lower(), column.lower()] for table, column in key)
        for key in row["foreign_keys"]
    ]
    stated = frozenset(pair for pair in pairs if len({each.table for each in pair}) == 2)
    joined = _joined(ProjectSchema(row["db_id"], "duckdb", tables), gold)
    return Database(tables, stated, stated & joined)


def _table(given: Mapping[str, Any], with_keys: bool) -> Table:
    columns = tuple(
        Column(c["name"], c["type"], _KINDS.get(c["type"], Kind.TEXT), Role.TEXT)
        for c in given["columns"]
    )
    key = tuple(c["name"] for c in given["columns"] if c["primary_key"] and with_keys)
    return Table(given["name"], given["name"], given["name"], "", columns, primary_key=key)


def _one_type(tables: Sequence[Table], row: Mapping[str, Any]) -> tuple[Table, ...]:
    """Columns of one name get one type, the primary key's first: the sets mix number and text."""
    kinds: dict[str, Kind] = {}
    listed = [column for table in row["tables"] for column in table["columns"]]
    for column in sorted(listed, key=lambda each: not each["primary_key"]):
        kinds.setdefault(canonical(column["name"]), _KINDS.get(column["type"], Kind.TEXT))
    return tuple(
        replace(
            table,
            columns=tuple(replace(c, kind=kinds[canonical(c.name)]) for c in table.columns),
        )
        for table in tables
    )


def _joined(schema: ProjectSchema, gold: Iterable[str]) -> frozenset[Pair]:
    """The pairs of columns that the gold queries hold equal."""
    names = names_of(schema)
    found: set[Pair] = set()
    for text in gold:
        try:
            tree = parsed(text, names)
        except NotConvertedError:
            continue
        for select in tree.find_all(exp.Select):
            source = Source(names, dict(_aliases(select, names)))
            for equal in select.find_all(exp.EQ):
                try:
                    pair = (source.column(equal.this), source.column(equal.expression))
                except NotConvertedError:
                    continue
                found.add(frozenset(pair))
    return frozenset(found)


def _aliases(select: exp.Select, names: Names) -> Iterator[tuple[str, str]]:
    start = select.args.get("from_")
    for each in (start, *(select.args.get("joins") or ())):
        table = each.this if each is not None else None
        if isinstance(table, exp.Table) and canonical(table.name) in names.tables:
            yield table.alias_or_name.lower(), names.table(table.name)


def guessed(database: Database) -> frozenset[Pair]:
    return frozenset(
        frozenset((Col(g.table, g.column), Col(g.to_table, g.to_column)))
        for g in named_joins.find(database.tables)
    )


def proven(database: Database) -> frozenset[Pair]:
    """The joins found where each foreign key is a relationships test and its target is unique."""
    nodes: dict[str, Mapping[str, Any]] = {}
    for number, pair in enumerate(_ordered(database.stated)):
        for index, (one, other) in enumerate((pair, pair[::-1])):
            nodes[f"r{number}.{index}"] = _test("relationships", one, other)
            nodes[f"u{number}.{index}"] = _test("unique", one, one)
    proof = evidence.gather(Artifacts({"nodes": nodes}))
    found, _ = joins.find(database.tables, proof, (), None, "duckdb")
    return frozenset(
        frozenset((Col(join.table, join.columns[0]), Col(join.to_table, join.to_columns[0])))
        for join in found
        if join.proven
    )


def _ordered(pairs: Iterable[Pair]) -> list[list[Col]]:
    listed = [sorted(pair, key=_spelled) for pair in pairs]
    return sorted(listed, key=lambda pair: [_spelled(each) for each in pair])


def _spelled(column: Col) -> tuple[str, str]:
    return (column.table, column.column)


def _test(name: str, column: Col, target: Col) -> Mapping[str, Any]:
    return {
        "resource_type": "test",
        "unique_id": f"test.{name}.{column}.{target}",
        "attached_node": column.table,
        "depends_on": {"nodes": [target.table, column.table]},
        "test_metadata": {
            "name": name,
            "kwargs": {"column_name": column.column, "arguments": {"field": target.column}},
        },
    }


def report(title: str, databases: Mapping[str, Database], misses: bool) -> None:
    used = found = stated = stated_found = proposed = tested = 0
    for name, database in databases.items():
        guesses = guessed(database)
        used += len(database.used)
        tested += len(database.used & proven(database))
        found += len(database.used & guesses)
        stated += len(database.stated)
        stated_found += len(database.stated & guesses)
        proposed += len(guesses)
        if misses:
            _show(name, "missed", database.used - guesses)
            _show(name, "extra", guesses - database.stated)
    print(
        f"{title}: {len(databases)} databases;"
        f" by name: used by gold {found}/{used} = {found / used:.1%};"
        f" where a test states them {tested}/{used};"
        f" all stated {stated_found}/{stated} = {stated_found / stated:.1%};"
        f" precision {stated_found}/{proposed} = {stated_found / proposed:.1%}"
    )


def report_invented(with_keys: bool) -> None:
    """The references of the invented projects, with or without their primary keys."""
    stated = found = proposed = 0
    projects = sorted(_INVENTED.glob("*.yml"))
    for path in projects:
        schema = read_project(path)
        tables = schema.tables if with_keys else tuple(_keyless(each) for each in schema.tables)
        known = frozenset(
            frozenset((Col(j.table, j.columns[0]), Col(j.to_table, j.to_columns[0])))
            for j in schema.joins
            if j.table != j.to_table
        )
        guesses = guessed(Database(tables, known, known))
        stated += len(known)
        found += len(known & guesses)
        proposed += len(guesses)
    print(
        f"{_hint(with_keys)}, {len(projects)} invented projects: all stated"
        f" {found}/{stated} = {found / stated:.1%}; precision {found / proposed:.1%}"
    )


def _keyless(table: Table) -> Table:
    columns = tuple(replace(column, unique=False) for column in table.columns)
    return replace(table, primary_key=(), columns=columns)


def _hint(with_keys: bool) -> str:
    return "primary keys known" if with_keys else "no key known"


def _show(name: str, what: str, pairs: Iterable[Pair]) -> None:
    for pair in sorted(sorted(f"{c.table}.{c.column}" for c in pair) for pair in pairs):
        print(f"  {what} {name}: {' = '.join(pair)}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--misses", action="store_true", help="list them, first half alone")
    options = parser.parse_args()
    rows = sorted(_lines(options.folder / "schemas.jsonl"), key=lambda row: str(row["db_id"]))
    gold: dict[str, set[str]] = defaultdict(set)
    for question in _lines(options.folder / "spider_train.jsonl"):
        gold[question["db_id"]].add(question["sql"])
    for with_keys in (True, False):
        for half, title in enumerate(("first half", "second half")):
            databases = {
                row["db_id"]: read(row, sorted(gold[row["db_id"]]), with_keys)
                for row in rows[half::2]
            }
            report(f"{_hint(with_keys)}, {title}", databases, options.misses and half == 0)
        report_invented(with_keys)


def _lines(path: Path) -> Sequence[Mapping[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


if __name__ == "__main__":
    main()
