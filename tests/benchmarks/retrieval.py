"""Prints how much of what a question needs its slice of the schema holds, on a project's corpus.

    python -m tests.benchmarks.retrieval PROJECT/target/t2s --budget 4000

The questions are those of the corpus's dev and test splits; what they need is what their gold SQL
reads. ``--budget`` is in characters, some four to a token. Nothing is asserted here.
"""

from __future__ import annotations

import argparse
import json
import random
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from dbt_t2s import store
from dbt_t2s.corpus.examples import Example
from dbt_t2s.model.schema_reader import SchemaReader
from dbt_t2s.project.schema import ProjectSchema
from dbt_t2s.sql import references


@dataclass(frozen=True)
class Asked:
    """A question with the relations of its gold and the (relation, column) pairs of its plan."""

    question: str
    tables: frozenset[str]
    columns: frozenset[tuple[str, str]]


def asked_of(schema: ProjectSchema, rows: Sequence[Example]) -> list[Asked]:
    """What the rows with SQL need."""
    relations = {table.name: table.relation for table in schema.tables}
    known = {relation.replace('"', "").lower(): relation for relation in relations.values()}
    found: list[Asked] = []
    for row in rows:
        read = [name.replace('"', "").lower() for name in references(row.sql, schema.dialect)]
        columns: set[tuple[str, str]] = set()
        for token in json.loads(row.plan or "[]"):
            sort, _, body = token.partition(":")
            table, _, column = body.partition("=")[0].partition(".")
            if sort in ("c", "v") and table in relations:
                columns.add((relations[table], column))
        tables = frozenset(known[name] for name in read if name in known)
        found.append(Asked(row.question, tables, frozenset(columns)))
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--budget", type=int, nargs="+", default=[2000, 4000, 8000])
    parser.add_argument("--most", type=int, default=1000)
    parser.add_argument("--skip", type=int, default=0)
    options = parser.parse_args()
    schema = store.read_json(options.folder / "schema.json", ProjectSchema)
    rows = [
        row
        for split in ("dev", "test")
        for row in store.read_rows(options.folder / "dataset" / f"{split}.parquet", Example)
        if row.sql
    ]
    random.Random(0).shuffle(rows)
    asked = asked_of(schema, rows[options.skip : options.skip + options.most])
    reader = SchemaReader(schema)
    columns = sum(len(table.columns) for table in schema.tables)
    print(f"{len(schema.tables)} tables, {columns} columns, {len(asked)} of {len(rows)} questions")
    for budget in options.budget:
        print(line(reader, asked, budget))


def line(reader: SchemaReader, asked: Sequence[Asked], budget: int) -> str:
    """One row of the table: a budget, and what was found in it."""
    tables = columns = wanted_tables = wanted_columns = whole = characters = shown = 0
    began = time.process_time()
    for each in asked:
        lines = reader.slice(each.question, budget)
        told = {text.split()[1].rstrip(":"): text for text in lines if text.startswith("table ")}
        wanted_tables += len(each.tables)
        tables += len(each.tables & set(told))
        whole += each.tables <= set(told)
        wanted_columns += len(each.columns)
        columns += sum(name in told.get(relation, "") for relation, name in each.columns)
        characters += sum(map(len, lines))
        shown += len(told)
    milliseconds = (time.process_time() - began) / len(asked) * 1000
    return (
        f"budget {budget}: {tables / wanted_tables:.1%} of gold tables, "
        f"{whole / len(asked):.1%} of questions with all of theirs, "
        f"{columns / max(wanted_columns, 1):.1%} of gold columns; "
        f"{shown / len(asked):.1f} tables in {characters / len(asked):.0f} characters, "
        f"{milliseconds:.1f} ms of CPU"
    )


if __name__ == "__main__":
    main()
