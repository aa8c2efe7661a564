"""Everything that a network is pretrained on: schemas told in several ways, with questions.

    python -m tests.tools.pretrain DATA WORK                       # human questions → plans, once
    python -m tests.tools.pretrain.retell DATA WORK PROJECTS OUT --variants 3 --wide

Every schema is told as it is and, but for those held out, several times under other names; each
telling has its human or written questions and some made by machine. With ``--wide`` most of them
are asked of a wider schema (``widen``). ``pack`` reads the file.
"""

from __future__ import annotations

import argparse
import json
import zlib
from collections import defaultdict
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from random import Random

from dbt_t2s import store
from dbt_t2s.errors import CorpusError
from dbt_t2s.project.schema import ProjectSchema
from dbt_t2s.query.linear import from_tokens, to_tokens
from dbt_t2s.query.plan import canonical
from tests.tools.pretrain.invented import Asked, Checker, read_project, read_questions
from tests.tools.pretrain.machine import believed, machine_rows
from tests.tools.pretrain.rows import read_jsonl
from tests.tools.pretrain.sources import Others, human_others, written_others
from tests.tools.pretrain.split import HELD_OUT, HELD_OUT_PROJECTS, LATER_PROJECTS
from tests.tools.pretrain.synonyms import Pairs, pairs_by_database, replaced, with_synonyms
from tests.tools.pretrain.talks import made_talks, written_talks
from tests.tools.pretrain.tellings import TODAY, Question, Telling, write
from tests.tools.pretrain.variants import Names, variant
from tests.tools.pretrain.widen import divided

PEOPLE, MACHINE = 3, 1
QUESTION_SETS = ("spider_train", "spider_syn_train")


@dataclass(frozen=True)
class Sizes:
    """How much is told of a schema: ``variants`` under other names, ``machine`` questions and
    ``talks`` conversations made for it (half of them for each variant), and which share of the
    written questions that lean on nothing (``alone``); ``wide`` whether most are asked of it beside
    more."""

    variants: int
    machine: int
    talks: int = 0
    alone: float = 1.0
    wide: bool = False


def question(text: str, tokens: Sequence[str], weight: int, before: Sequence[str] = ()) -> Question:
    return Question(text, _canonical(tokens), weight, _canonical(before) if before else ())


def _canonical(tokens: Sequence[str]) -> tuple[str, ...]:
    plan = from_tokens(tuple(tokens))
    return tuple(tokens) if plan is None else to_tokens(canonical(plan))


def _retold(questions: Sequence[Question], names: Names) -> list[Question]:
    return [
        question(q.text, _renamed(q.tokens, names), q.weight, _renamed(q.before, names))
        for q in questions
    ]


def _renamed(tokens: Sequence[str], names: Names) -> tuple[str, ...]:
    return tuple(names.token(token) for token in tokens)


def _of(
    schema: ProjectSchema,
    people: Sequence[Question],
    sizes: Sizes,
    seed: int,
    others: Others = (),
    first: int = 0,
) -> Iterator[Telling]:
    """The schema as it is (unless the ``first`` is 1), and others of it under other names; all of
    them beside ``others``, if there are any."""
    rng = Random(f"alone {seed}")
    for time in range(first, sizes.variants + 1):
        of_all = 1 if time == 0 else 2
        if time == 0:
            told, asked = schema, list(people)
        else:
            told, names = variant(schema, Random(seed + 7919 * time))
            asked = _retold(people, names)
        talked = made_talks(told, asked, sizes.talks // of_all, seed + time)
        told, made = _machine(told, sizes.machine // of_all, seed + time)
        kept = (q for q in asked if q.before or rng.random() < sizes.alone)
        telling = Telling(told, (*kept, *talked, *made))
        yield from divided(telling, others, Random(f"wide {seed + time}")) if others else [telling]


def _machine(schema: ProjectSchema, count: int, seed: int) -> tuple[ProjectSchema, list[Question]]:
    """Machine-made questions; a schema without metrics gets some half of the times."""
    if not count:
        return schema, []
    try:
        if schema.as_of:
            drawn = believed(schema, count, seed)
        elif seed % 2:
            schema, drawn = machine_rows(schema, count, seed)
        else:
            drawn = believed(replace(schema, as_of=TODAY), count, seed)
    except CorpusError:
        return schema, []
    return schema, [question(text, tokens, MACHINE) for text, tokens, _ in drawn]


@dataclass(frozen=True)
class Database:
    """A human-asked schema, and other words for its names."""

    schema: ProjectSchema
    asked: tuple[Question, ...]
    synonyms: Pairs


def human_tellings(database: Database, sizes: Sizes, work: Path) -> list[Telling]:
    schema, asked = database.schema, database.asked
    name = schema.project
    if name in HELD_OUT:
        return [Telling(schema, asked, "human")]
    seed = zlib.crc32(name.encode())
    beside = human_others(work) if sizes.wide else ()
    made = list(_of(schema, asked, replace(sizes, variants=0), seed, beside))
    renamed = with_synonyms(schema, database.synonyms)
    return [*made, *_of(renamed, asked, sizes, seed, beside, first=1)]


def invented_tellings(path: Path, sizes: Sizes) -> list[Telling]:
    schema = read_project(path)
    beside = written_others(path.parent) if sizes.wide else ()
    checker = Checker(schema)
    asked = _asked(path.with_suffix(".txt"), checker)
    meant = _asked(path.with_suffix(".meant"), checker)
    written = path.with_suffix(".talks")
    said = list(written_talks(written, PEOPLE)) if written.is_file() else []
    checked = [
        question(q.text, q.tokens, q.weight, q.before)
        for n, q in enumerate(said)
        if not checker.problem(Asked(n, q.text, q.tokens), before=q.before)
    ]
    for kept, name in ((HELD_OUT_PROJECTS, "invented"), (LATER_PROJECTS, "later")):
        if path.stem in kept:
            held = [Telling(schema, tuple(asked), name)]
            others = ((checked, "talks"), (meant, "meant"))
            held += [Telling(schema, tuple(rows), of) for rows, of in others if rows]
            return [*held, *_held_wide(held[0], beside)] if beside else held
    seed = zlib.crc32(path.stem.encode())
    return list(_of(schema, [*asked, *meant, *checked], sizes, seed, beside))


def _held_wide(telling: Telling, beside: Others) -> list[Telling]:
    """What a held-out project is asked when it is wider."""
    found = divided(telling, beside, Random(telling.schema.project))
    return [replace(each, held="wide") for each in found if each.schema is not telling.schema]


def _asked(path: Path, checker: Checker) -> list[Question]:
    """The sound questions of a file, none where there is none."""
    if not path.is_file():
        return []
    meant = path.suffix == ".meant"
    lines = [a for a in read_questions(path) if isinstance(a, Asked)]
    return [question(a.question, a.tokens, PEOPLE) for a in lines if not checker.problem(a, meant)]


def databases(data: Path, work: Path) -> list[Database]:
    """The human-asked schemas with their questions; WORK is what ``__main__`` wrote."""
    asked: dict[str, list[Question]] = defaultdict(list)
    for line in (work / "rows.jsonl").read_text("utf-8").splitlines():
        row = json.loads(line)
        asked[row["db_id"]].append(question(row["question"], row["plan"], PEOPLE))
    twice = pairs_by_database(*(read_jsonl(data / f"{n}.jsonl") for n in QUESTION_SETS))
    schemas = (
        store.read_json(path, ProjectSchema) for path in sorted((work / "schemas").glob("*.json"))
    )
    return [
        Database(s, tuple(asked[s.project]), replaced(twice.get(s.project, ()))) for s in schemas
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("work", type=Path)
    parser.add_argument("projects", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--variants", type=int, default=3)
    parser.add_argument("--machine", type=int, default=120, help="questions made a schema")
    parser.add_argument("--talks", type=int, default=60, help="conversations made a schema")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--alone", type=float, default=1.0, help="share of single questions")
    parser.add_argument("--wide", action="store_true", help="ask most beside more")
    given = parser.parse_args()
    found = databases(given.data, given.work)
    paths = sorted(given.projects.glob("*.yml"))
    with ProcessPoolExecutor(given.processes) as pool:
        sizes = Sizes(given.variants, given.machine, given.talks, given.alone, given.wide)
        human = pool.map(partial(human_tellings, sizes=sizes, work=given.work), found)
        invented = pool.map(partial(invented_tellings, sizes=sizes), paths)
        tellings = [t for part in (*human, *invented) for t in part]
    write(given.out, tellings)
    count = sum(len(t.questions) for t in tellings)
    print(f"{len(tellings)} tellings, {count} questions, {given.out.stat().st_size >> 10} KiB")


if __name__ == "__main__":
    main()
