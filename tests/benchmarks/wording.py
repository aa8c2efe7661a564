"""Compares how a corpus words its questions with how people word theirs.

    python -m tests.benchmarks.wording CORPUS DATA [--phrases 40]

CORPUS is a dbt project's ``target/t2s`` folder, or ``drawn``: questions drawn from the invented
projects that are held out (``pretrain.split``), whose hand-written questions are then of the same
schemas. DATA is the folder of human questions (``spider_train.jsonl``, ``schemas.jsonl``).

A schema's own words and values are replaced by ``_``. Distances are Jensen–Shannon divergences in
bits: 0 for the same shares, 1 where nothing is shared.
"""

from __future__ import annotations

import argparse
import json
import math
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from functools import partial
from pathlib import Path

from dbt_t2s import store
from dbt_t2s.corpus.examples import Example
from dbt_t2s.corpus.variety import divergence, register
from dbt_t2s.project.schema import ProjectSchema
from dbt_t2s.query.bind import Binder
from dbt_t2s.query.items import schema_items
from dbt_t2s.query.link import Mention, ValueIndex, mentions
from dbt_t2s.query.text import STOP_WORDS, stem, stems, words
from tests.tools.pretrain.invented import Asked, Checker, read_project, read_questions
from tests.tools.pretrain.machine import believed
from tests.tools.pretrain.split import HELD_OUT_PROJECTS

PROJECTS = Path("tests/tools/pretrain/projects")
DRAWN = 600  # questions of each held-out project
_BREAKDOWNS = frozenset(("by", "per", "each", "every", "across"))


@dataclass(frozen=True)
class Asking:
    """A question, with the words of its schema replaced, and what is known of its plan.

    ``places`` says where in the question (0 to 1) its conditions' values, dates and numbers stand,
    ``before`` the words in front of them, ``named`` how each table, column and metric is named.
    """

    text: str
    masked: tuple[str, ...]
    places: tuple[float, ...] = ()
    before: tuple[str, ...] = ()
    named: tuple[str, ...] = ()


class Reader:
    """Reads questions about one schema."""

    def __init__(self, schema: ProjectSchema) -> None:
        self._values = ValueIndex(schema)
        self._today = date.fromisoformat(schema.as_of)
        self._phrases = {
            i.token: tuple(stems(p) for p in i.phrases)
            for i in schema_items(schema, Binder(schema))
        }
        self._known = {s for many in self._phrases.values() for phrase in many for s in phrase}

    def read(self, text: str, tokens: Sequence[str]) -> Asking:
        spoken = words(text)
        found = mentions(text, self._values, self._today)
        at = {i for m in found if m.quality > 0.6 for i in range(m.first, m.last + 1)}
        masked = tuple(
            "_" if i in at or (w.stem in self._known and w.text.lower() not in STOP_WORDS)
            else w.text.lower() for i, w in enumerate(spoken)
        )  # fmt: skip
        meant = [m for m in found if m.token in tokens]
        said = tuple(w.stem for w in spoken)
        things = [self._phrases[t] for t in dict.fromkeys(tokens) if t in self._phrases]
        return Asking(
            text,
            _closed(masked),
            tuple(m.first / max(len(spoken) - 1, 1) for m in meant),
            tuple(_in_front(masked, m) for m in meant),
            tuple(_named(phrases, said) for phrases in things),
        )


def _in_front(masked: Sequence[str], mention: Mention) -> str:
    return masked[mention.first - 1] if mention.first else "^"


def _closed(masked: Sequence[str]) -> tuple[str, ...]:
    """One ``_`` for a run of them."""
    return tuple(w for i, w in enumerate(masked) if w != "_" or i == 0 or masked[i - 1] != "_")


def _named(phrases: Sequence[Sequence[str]], said: Sequence[str]) -> str:
    """How a thing with these names (best first) is named in a question."""

    def whole(phrase: Sequence[str]) -> bool:
        return any(tuple(said[i : i + len(phrase)]) == tuple(phrase) for i in range(len(said)))

    found = [whole(p) for p in phrases]
    if any(found):
        return "by its name" if found[0] else "by another name"
    parts = {s for p in phrases for s in p} - STOP_WORDS
    return "by a part" if parts & set(said) else "not at all"


def drawn(schema: ProjectSchema) -> Iterator[tuple[str, tuple[str, ...]]]:
    for question, tokens, _ in believed(schema, DRAWN, 5):
        yield question, tokens


def written(path: Path, schema: ProjectSchema) -> Iterator[tuple[str, tuple[str, ...]]]:
    checker = Checker(schema)
    for asked in read_questions(path.with_suffix(".txt")):
        if isinstance(asked, Asked) and not checker.problem(asked):
            yield asked.question, asked.tokens


def of_projects() -> tuple[list[Asking], list[Asking]]:
    """Drawn and hand-written questions of the held-out projects; refusals left out."""
    machine: list[Asking] = []
    people: list[Asking] = []
    for name in sorted(HELD_OUT_PROJECTS):
        path = PROJECTS / f"{name}.yml"
        schema = read_project(path)
        read = Reader(schema).read
        machine += (read(q, t) for q, t in drawn(schema) if t[0] != "REFUSE")
        people += (read(q, t) for q, t in written(path, schema) if t[0] != "REFUSE")
    return machine, people


def of_folder(folder: Path) -> list[Asking]:
    """The questions of a project's corpus; refusals left out."""
    read = Reader(store.read_json(folder / "schema.json", ProjectSchema)).read
    rows = store.read_rows(folder / "examples.parquet", Example)
    return [read(row.question, tuple(json.loads(row.plan))) for row in rows if row.sql]


def of_people(data: Path) -> list[Asking]:
    """The human questions of many databases; nothing is known of their plans."""
    known: dict[str, set[str]] = defaultdict(set)
    for line in (data / "schemas.jsonl").read_text("utf-8").splitlines():
        given = json.loads(line)
        for table in given["tables"]:
            for name in (table["words"], *(c["words"] for c in table["columns"])):
                known[given["db_id"]].update(stems(name))
    found = []
    for line in (data / "spider_train.jsonl").read_text("utf-8").splitlines():
        row = json.loads(line)
        if row["source"] != "spider-train":
            continue  # the older sets beside it are partly in other languages
        own = known[row["db_id"]] - {stem(w) for w in STOP_WORDS}
        literals = {s for quoted in re.findall(r"'([^']*)'|\"([^\"]*)\"", row["sql"])
                    for text in quoted for s in stems(text)} - STOP_WORDS  # fmt: skip
        masked = (
            "_" if w.stem in own or w.stem in literals or w.text.isdigit() else w.text.lower()
            for w in words(row["question"])
        )
        found.append(Asking(row["question"], _closed(tuple(masked))))
    return found


# ---- what is counted, of each question


def length(asking: Asking) -> Iterator[str]:
    yield str(min(len(words(asking.text)) // 2 * 2, 30))


def opening(asking: Asking) -> Iterator[str]:
    yield " ".join(asking.masked[:2])


def kind(asking: Asking) -> Iterator[str]:
    yield register(asking.text)


def ending(asking: Asking) -> Iterator[str]:
    last = asking.text.rstrip()[-1:]
    yield last if last in "?.!" else "none"


def inside(asking: Asking) -> Iterator[str]:
    marks = sorted(set(re.findall(r"[,:;()\-–'\"&/+=<>%]", asking.text[:-1])))
    yield " ".join(marks) or "none"


def case(asking: Asking) -> Iterator[str]:
    yield (
        "lower"
        if asking.text == asking.text.lower()
        else "upper first"
        if asking.text[:1].isupper()
        else "mixed"
    )


def breakdown(asking: Asking) -> Iterator[str]:
    at = [i / max(len(asking.masked), 1) for i, w in enumerate(asking.masked) if w in _BREAKDOWNS]
    yield "none" if not at else "first" if at[0] < 0.15 else "middle" if at[-1] < 0.6 else "last"


def filters(asking: Asking) -> Iterator[str]:
    yield from (str(round(place * 4)) for place in asking.places)


def introduced(asking: Asking) -> Iterator[str]:
    yield from asking.before


def naming(asking: Asking) -> Iterator[str]:
    yield from asking.named


def general(asking: Asking) -> Iterator[str]:
    yield from (w for w in asking.masked if w != "_" and not w.isdigit())


def phrases(asking: Asking, size: int = 3) -> Iterator[str]:
    padded = ("^", *asking.masked, "$")
    for i in range(len(padded) - size + 1):
        yield " ".join(padded[i : i + size])


MEASURES: tuple[Callable[[Asking], Iterable[str]], ...] = (
    length, opening, kind, ending, inside, case, breakdown, filters, introduced, naming, general,
)  # fmt: skip


def counted(askings: Iterable[Asking], of: Callable[[Asking], Iterable[str]]) -> Counter[str]:
    return Counter(each for asking in askings for each in of(asking))


def unseen(people: Counter[str], corpus: Counter[str]) -> float:
    """The share of people's words that the corpus never says."""
    return sum(n for word, n in people.items() if word not in corpus) / max(people.total(), 1)


def leaning(one: Counter[str], two: Counter[str], most: int) -> list[str]:
    """What ``one`` says more of than ``two``, by its share of the divergence, with both rates."""
    left, right = one.total(), two.total()

    def weight(each: str) -> float:
        p, q = one[each] / left, two[each] / right
        return p * math.log2(2 * p / (p + q)) if p > q else 0.0

    best = sorted(one, key=weight, reverse=True)[:most]
    rate = 10_000
    return [f"{e} ({rate * one[e] / left:.0f}, {rate * two[e] / right:.0f})" for e in best]


def report(corpus: Sequence[Asking], people: Sequence[Asking], name: str, most: int) -> None:
    print(f"\n## corpus ({len(corpus)}) against {name} ({len(people)})")
    for of in MEASURES:
        one, two = counted(corpus, of), counted(people, of)
        if one and two:
            print(f"{of.__name__:12} {divergence(one, two):.3f}", end="  ")
            if len({*one, *two}) <= 12:
                print(_shares(one, two), end="")
            print()
    for size in (2, 3):
        pairs = [counted(each, partial(phrases, size=size)) for each in (corpus, people)]
        print(f"{size} words      {divergence(*pairs):.3f}")
    one, two = counted(corpus, general), counted(people, general)
    print(f"beyond the schema: {_beyond(corpus):.1%} of the corpus' words, {_beyond(people):.1%} "
          f"of people's; of people's, {unseen(two, one):.1%} never said by the corpus")  # fmt: skip
    if not most:
        return
    listed: list[tuple[str, Callable[[Asking], Iterable[str]]]] = [
        ("words", general), ("openings", opening), ("before a value", introduced),
        *((f"{n} words", partial(phrases, size=n)) for n in (2, 3)),
    ]  # fmt: skip
    for what, of in listed:
        one, two = counted(corpus, of), counted(people, of)
        if not one or not two:
            continue
        print(f"\nunder-used {what} (per 10,000: people, corpus):", end=" ")
        print("; ".join(leaning(two, one, most)))
        print(f"\nover-used {what} (corpus, people):", "; ".join(leaning(one, two, most)))


def _beyond(askings: Sequence[Asking]) -> float:
    return sum(1 for a in askings for _ in general(a)) / sum(len(words(a.text)) for a in askings)


def _shares(one: Counter[str], two: Counter[str]) -> str:
    return ", ".join(
        f"{each} {one[each] / one.total():.0%}/{two[each] / two.total():.0%}"
        for each in sorted({*one, *two}, key=lambda e: (-two[e], e))
    )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("corpus")
    parser.add_argument("data", type=Path)
    parser.add_argument("--phrases", type=int, default=0, help="how many phrases to list")
    given = parser.parse_args()
    machine, people = of_projects()
    corpus = machine if given.corpus == "drawn" else of_folder(Path(given.corpus))
    report(corpus, people, "the held-out projects' hand-written questions", given.phrases)
    report(corpus, of_people(given.data), "human questions of databases", given.phrases)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
