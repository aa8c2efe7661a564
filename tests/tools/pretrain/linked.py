"""All rows that a network is pretrained on, linked; each source is kept: linking is slow."""

from __future__ import annotations

import json
import pickle
import zlib
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from datetime import date
from itertools import repeat
from pathlib import Path
from random import Random

import torch

from dbt_t2s import store
from dbt_t2s.errors import CorpusError
from dbt_t2s.model.encoder import Encoder
from dbt_t2s.model.linking import Linked, SchemaIndex
from dbt_t2s.model.recipe import Row, prepare
from dbt_t2s.project.schema import ProjectSchema
from dbt_t2s.query.linear import from_tokens, to_tokens
from dbt_t2s.query.plan import canonical
from tests.tools.pretrain.invented import Asked, Checker, read_project, read_questions
from tests.tools.pretrain.machine import believed, machine_rows
from tests.tools.pretrain.reading import ReadRow, RememberingEncoder, read_rows
from tests.tools.pretrain.split import HELD_OUT, HELD_OUT_PROJECTS
from tests.tools.pretrain.variants import variant

TODAY = date(2020, 1, 1)
_PROCESSES = 2
HUMAN_TIMES = 2
WRITTEN_TIMES = 2  # how often a written question counts for one made by machine
Rows = list[dict[str, object]]
Linked2 = tuple[list[ReadRow], list[ReadRow]]
Held = dict[str, list[ReadRow]]


def link_all(work: Path, projects: Path, per_schema: int) -> tuple[list[ReadRow], Held]:
    """All rows linked, (training, held out); each source kept in WORK: linking takes minutes."""
    encoder = RememberingEncoder()
    human, held_human = _kept(work / "linked_human.pickle", lambda: _human(work, encoder))
    human = human * HUMAN_TIMES
    made = work / f"linked_machine_{per_schema}.pickle"
    machine, _ = _kept(made, lambda: _machines(work, per_schema, encoder))
    train, held_written = [*human, *machine], list[ReadRow]()
    paths = sorted(projects.glob("*.yml"))
    with ProcessPoolExecutor(_PROCESSES, initializer=torch.set_num_threads, initargs=(1,)) as pool:
        ready = list(pool.map(link_invented, paths, repeat(work), repeat(per_schema * 2)))
    for path in (path for parts in ready for path in parts):
        written, held = _kept(path, lambda: ([], []))
        train += written
        held_written += held
    return train, {"human": held_human, "invented": held_written}


def link_invented(path: Path, work: Path, machine: int) -> list[Path]:
    """Where the project's linked rows lie, those of lines added since in a part of their own."""
    parts = sorted(work.glob(f"linked_invented_{path.stem}.*.pickle"))
    said = path.with_suffix(".txt").read_text("utf-8").splitlines()
    done = {line for part in parts for line in part.with_suffix(".lines").read_text().splitlines()}
    new = [line for line in said if line not in done]
    if new:
        ready = work / f"linked_invented_{path.stem}.{len(parts)}.pickle"
        count = 0 if parts else machine
        _kept(ready, lambda: _invented(path, frozenset(new), count, RememberingEncoder()))
        ready.with_suffix(".lines").write_text("\n".join(new))
        parts.append(ready)
    return parts


def _kept(ready: Path, make: Callable[[], Linked2]) -> Linked2:
    if ready.is_file():
        # Our own file from an earlier piece of this run, never one from elsewhere.
        found: Linked2 = pickle.loads(ready.read_bytes())
        return found
    made = make()
    ready.write_bytes(pickle.dumps(made))
    return made


def _human(work: Path, encoder: Encoder) -> Linked2:
    """Human questions, (training, held out)."""
    asked: dict[str, Rows] = {}
    for line in (work / "rows.jsonl").read_text("utf-8").splitlines():
        row = json.loads(line)
        made = _given(row["question"], tuple(row["plan"]), 2)
        asked.setdefault(row["db_id"], []).append(made)
    train, held = list[ReadRow](), list[ReadRow]()
    for number, (name, schema) in enumerate(_schemas(work)):
        rows = _linked(asked.get(name, []), SchemaIndex(schema, encoder, TODAY))
        (held if name in HELD_OUT else train).extend(rows)
        print(f"human {number} {name}: {len(train)} rows", flush=True)
    return train, held


def _machines(work: Path, per_schema: int, encoder: Encoder) -> Linked2:
    """Machine-made questions over the schemas of the human ones."""
    train = list[ReadRow]()
    for number, (name, schema) in enumerate(_schemas(work)):
        if name not in HELD_OUT:
            try:
                made, rows = machine_rows(schema, per_schema, number)
            except CorpusError:
                continue
            given = [_given(q, p, f) for q, p, f in rows]
            train += _linked(given, SchemaIndex(made, encoder, TODAY))
            print(f"machine {number} {name}: {len(train)} rows", flush=True)
    return train, []


def _invented(path: Path, lines: frozenset[str], machine: int, encoder: Encoder) -> Linked2:
    """Questions written for an invented project, and ``machine`` ones over the same, if any.

    With those the written ones are also asked of the project under other names.
    """
    seed = zlib.crc32(path.stem.encode())
    schema = read_project(path)
    checker = Checker(schema)
    index = SchemaIndex(schema, encoder, date.fromisoformat(schema.as_of))
    said = path.with_suffix(".txt").read_text("utf-8").splitlines()
    asked = [a for a in read_questions(path.with_suffix(".txt")) if isinstance(a, Asked)]
    asked = [a for a in asked if said[a.line - 1] in lines]
    good = [a for a in asked if not checker.problem(a)]
    rows = _linked([_given(a.question, a.tokens, 3) for a in good], index)
    print(f"invented {path.stem}: {len(rows)} rows", flush=True)
    if path.stem in HELD_OUT_PROJECTS:
        return [], rows
    if not machine:
        return rows * WRITTEN_TIMES, []
    drawn = believed(schema, machine, seed)
    made = _linked([_given(q, p, f) for q, p, f in drawn], index)
    return rows * WRITTEN_TIMES + _retold(schema, good, seed, encoder) + made, []


def _retold(
    schema: ProjectSchema, asked: Sequence[Asked], seed: int, encoder: Encoder
) -> list[ReadRow]:
    """The same questions over the schema under other names."""
    other, names = variant(schema, Random(seed))
    given = [_given(a.question, tuple(map(names.token, a.tokens)), 3) for a in asked]
    return _linked(given, SchemaIndex(other, encoder, date.fromisoformat(schema.as_of)))


def _schemas(work: Path) -> Iterator[tuple[str, ProjectSchema]]:
    for path in sorted((work / "schemas").glob("*.json")):
        yield path.stem, store.read_json(path, ProjectSchema)


def _given(question: str, tokens: tuple[str, ...], phase: int) -> dict[str, object]:
    plan = from_tokens(tokens)
    written = tokens if plan is None else to_tokens(canonical(plan))
    return {"question": question, "plan": json.dumps(written), "phase": phase}


def _linked(rows: Rows, index: SchemaIndex) -> list[ReadRow]:
    """Rows without the schema's residuals: what is learned must hold for other schemas."""
    made, _ = prepare(rows, index, None, "")
    plain = [
        Row(Linked(**{**vars(r.linked), "ids": r.linked.ids * 0}), r.target, r.phase) for r in made
    ]
    return read_rows(plain, index.encoder)
