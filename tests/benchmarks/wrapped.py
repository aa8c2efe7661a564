"""A database of the question sets as a dbt project with rows, and the questions it can be asked.

Tables are models over sources of the same name. Keys become unique, not_null and relationships
tests (declared ones alone), and a column or table whose words say more than its name is described
by them. dbt itself makes the artifacts; the one short cut is that tables are written where
``dbt run`` would put them.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Any

import yaml

from dbt_t2s.duck import QueryError, Rows, open_read_only, open_writable, run
from dbt_t2s.judge.anatomy import question_type
from dbt_t2s.judge.compare import compare
from dbt_t2s.judge.gold_order import is_ordered, sort_keys
from dbt_t2s.project.schema import Column, Join, Kind, ProjectSchema, Table
from dbt_t2s.query.sql_source import NotConvertedError
from dbt_t2s.sql import SqlError
from tests.benchmarks.wrapped_rows import rows_of, wishes_of
from tests.tools.pretrain.check import duck_sql
from tests.tools.pretrain.names import canonical
from tests.tools.pretrain.rows import read_jsonl

# A question is judged on the first three of these instances on which it has one answer.
FILLS, INSTANCES = 6, 3
AS_OF = "2020-01-01"
# Words of people, and the same with synonyms for the schema's.
WORDINGS = {"own": "spider_train.jsonl", "synonyms": "spider_syn_train.jsonl"}


@dataclass(frozen=True)
class Question:
    """``instances`` are the numbers of those that it is judged on."""

    id: str
    wording: str
    question: str
    gold: str
    type: str
    instances: tuple[int, ...]


@dataclass(frozen=True)
class Wrapped:
    """A project folder, its instances' files (the first is the project's own) and questions.

    ``left_out`` counts questions that cannot be judged, by reason.
    """

    name: str
    folder: Path
    files: tuple[Path, ...]
    questions: tuple[Question, ...]
    left_out: Mapping[str, int]


def wrap(schema: ProjectSchema, data: Path, work: Path) -> Wrapped:
    """The project under ``work``; one that is there already is read and not made again."""
    name = schema.project
    folder, listed = work / name, work / name / "questions.json"
    files = tuple(
        (folder / f"instances/{n}" if n else folder) / f"{name}.duckdb" for n in range(FILLS)
    )
    if not listed.is_file():
        shutil.rmtree(folder, ignore_errors=True)
        asked = {
            wording: [r for r in read_jsonl(data / file) if r["db_id"] == name and _is_new(r)]
            for wording, file in WORDINGS.items()
        }
        golds = sorted({row["sql"] for rows in asked.values() for row in rows})
        for path, text in project_files(schema).items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_text(text, encoding="utf-8")
        found = _fill(schema, golds, files)
        questions, left_out = _questions(asked, found)
        told = {"questions": [asdict(q) for q in questions], "left_out": left_out}
        listed.write_text(json.dumps(told, indent=1), encoding="utf-8")
    read = json.loads(listed.read_text("utf-8"))
    made = (Question(**{**q, "instances": tuple(q["instances"])}) for q in read["questions"])
    return Wrapped(name, folder, files, tuple(made), read["left_out"])


def _is_new(row: Mapping[str, Any]) -> bool:
    """A third of the questions with synonyms are the people's own, word for word."""
    said, original = (
        " ".join(str(row.get(name, "")).lower().split())
        for name in ("question", "original_question")
    )
    return said != original


# ---- the project


def project_files(schema: ProjectSchema) -> dict[str, str]:
    """The text of each file of the project, by its path."""
    name = schema.project
    settings = {"as_of": AS_OF}
    project = {
        "name": name, "profile": name, "version": "1.0", "vars": {"t2s": settings},
        "models": {"+materialized": "table"},
    }  # fmt: skip
    output = {"type": "duckdb", "path": f"{name}.duckdb", "threads": 1}
    profile = {name: {"target": "dev", "outputs": {"dev": output}}}
    tables = [{"name": t.name} for t in schema.tables]
    sources = {"version": 2, "sources": [{"name": "source", "schema": "source", "tables": tables}]}
    models = {"version": 2, "models": [_model(t, schema.joins) for t in schema.tables]}
    files = {
        "dbt_project.yml": project,
        "profiles.yml": profile,
        "models/sources.yml": sources,
        "models/models.yml": models,
    }
    written = {path: yaml.safe_dump(each, sort_keys=False) for path, each in files.items()}
    for table in schema.tables:
        text = f"select * from {{{{ source('source', '{table.name}') }}}}\n"
        written[f"models/{table.name}.sql"] = text
    return written


def _model(table: Table, joins: Sequence[Join]) -> dict[str, Any]:
    columns = [_column(table, column, joins) for column in table.columns]
    return {"name": table.name, **_described(table.name, table.label), "columns": columns}


def _column(table: Table, column: Column, joins: Sequence[Join]) -> dict[str, Any]:
    tests: list[object] = []
    if table.primary_key == (column.name,):
        tests += ["unique", "not_null"]
    for join in joins:
        stated = join.table == table.name and join.evidence == ("constraint",)
        if stated and join.columns == (column.name,):
            to = {"to": f"ref('{join.to_table}')", "field": join.to_columns[0]}
            tests.append({"relationships": {"arguments": to}})
    described = _described(column.name, column.label)
    return {"name": column.name, **described, **({"data_tests": tests} if tests else {})}


def _described(name: str, words: str) -> dict[str, str]:
    return {} if canonical(name) == canonical(words) else {"description": words}


# ---- rows and golds


def _fill(
    schema: ProjectSchema, golds: Sequence[str], files: Sequence[Path]
) -> dict[str, tuple[str, tuple[int, ...]] | str]:
    """Writes the instances. For each gold its DuckDB SQL and the instances on which it has rows,
    and the same ones when the tables' rows stand in reverse; or why it cannot be judged."""
    wishes = wishes_of(golds, schema)
    found: dict[str, tuple[str, tuple[int, ...]] | str] = {}
    translated: dict[str, str] = {}
    for gold in golds:
        try:
            translated[gold] = duck_sql(gold, schema)
        except (NotConvertedError, SqlError):
            found[gold] = "the gold cannot be translated"
    seen: dict[str, list[str | int]] = {gold: [] for gold in translated}
    for number, file in enumerate(files):
        rows = rows_of(schema, wishes, number)
        mirror = file.with_name("mirror.duckdb")
        file.parent.mkdir(parents=True, exist_ok=True)
        _write(file, schema, rows)
        _write(mirror, schema, {name: each[::-1] for name, each in rows.items()})
        with closing(open_read_only(file)) as one, closing(open_read_only(mirror)) as other:
            for gold, sql in translated.items():
                reason = _unusable(sql, run(one, sql), run(other, sql))
                seen[gold].append(reason or number)
        mirror.unlink()
    for gold, said in seen.items():
        usable = tuple(each for each in said if isinstance(each, int))[:INSTANCES]
        reasons = Counter(each for each in said if isinstance(each, str))
        found[gold] = (translated[gold], usable) if usable else reasons.most_common(1)[0][0]
    return found


def _unusable(sql: str, given: Rows | QueryError, mirrored: Rows | QueryError) -> str:
    """Why a gold cannot be judged on an instance; empty where it can."""
    if isinstance(given, QueryError) or isinstance(mirrored, QueryError):
        return "the gold does not run"
    if not any(value is not None for row in given.rows for value in row):
        return "the gold finds nothing"
    same = compare(given, mirrored, is_ordered(sql, "duckdb"), sort_keys(sql, "duckdb"))
    return "" if same.equal else "the gold's answer hangs on the order of rows"


def _write(
    path: Path, schema: ProjectSchema, rows: Mapping[str, Sequence[tuple[object, ...]]]
) -> None:
    path.unlink(missing_ok=True)
    with open_writable(path) as connection:
        for table in schema.tables:
            own = rows[table.name]
            columns = [f'"{c.name}" {_type(c, own, n)}' for n, c in enumerate(table.columns)]
            connection.execute(f'create table "{table.name}" ({", ".join(columns)})')
            values = ", ".join(f"({', '.join(map(_literal, row))})" for row in own)
            connection.execute(f'insert into "{table.name}" values {values}')


def _literal(value: object) -> str:
    return "'" + value.replace("'", "''") + "'" if isinstance(value, str) else str(value)


def _type(column: Column, rows: Sequence[tuple[object, ...]], at: int) -> str:
    whole = column.kind is Kind.NUMBER and all(isinstance(row[at], int) for row in rows)
    return "BIGINT" if whole else column.type


def _questions(
    asked: Mapping[str, Sequence[Mapping[str, str]]],
    found: Mapping[str, tuple[str, tuple[int, ...]] | str],
) -> tuple[list[Question], dict[str, int]]:
    left_out: Counter[str] = Counter()
    questions: dict[tuple[str, str], Question] = {}
    pairs = chain.from_iterable(map(partial(_worded), asked.items()))
    for wording, row in pairs:
        usable = found[row["sql"]]
        question = " ".join(row["question"].split())
        if isinstance(usable, str):
            left_out[f"{wording}: {usable}"] += 1
            continue
        gold, instances = usable
        key = hashlib.sha256(f"{question}\n{gold}".encode()).hexdigest()[:12]
        kind = question_type((gold,), "duckdb")
        made = Question(key, wording, question, gold, kind, instances)
        questions.setdefault((wording, question), made)
    return list(questions.values()), dict(left_out)


def _worded(
    given: tuple[str, Sequence[Mapping[str, str]]],
) -> Iterator[tuple[str, Mapping[str, str]]]:
    return ((given[0], row) for row in given[1])
