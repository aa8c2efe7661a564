"""Three months of questions that nobody asked, to look at `dbt-t2s report` with.

    python -m tests.benchmarks.use PROJECT [--days 90] [--seed 0] [--a-day 25]

PROJECT is a dbt project with a corpus (`dbt-t2s generate`) and no log yet. Questions are the
corpus's own test split, said again and in part differently; from the middle on more and more are
about what the data does not hold. Four versions of a model answer, each better than the last and
the third one slower; people judge some of the answers and correct some of those that are wrong.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

from dbt_t2s import store
from dbt_t2s.corpus.examples import Example
from dbt_t2s.serve.log import Asked, QuestionLog, Said

# What such a project has no data for, as people would ask: (question, the words that are unknown).
MISSING = (
    ("how many visitors came into the stores yesterday", ("visitors",)),
    ("footfall by store last week", ("footfall",)),
    ("footfall in march compared with april", ("footfall",)),
    ("what was the carbon footprint of our deliveries", ("carbon", "footprint")),
    ("carbon per order last quarter", ("carbon",)),
    ("which suppliers were late most often", ("suppliers", "late")),
    ("open purchase orders per supplier", ("supplier",)),
    ("how many employees work in each store", ("employees",)),
    ("salary costs by department", ("salary", "department")),
    ("what does the weather do to our revenue", ("weather",)),
    ("net promoter score by month", ("promoter", "score")),
)
UNSAID = "this project's data does not seem to hold the answer"
OTHER = ("wie viele Bestellungen hatten wir im Mai?", "combien de clients avons-nous ?")
# What people say that no generator does.
SLANG = ("tot up {q}", "gimme the lowdown on {q}", "{q} ytd ballpark", "punters: {q}", "{q} innit")
PEOPLE = ("ada", "grace", "edsger", "")


@dataclass(frozen=True)
class Model:
    """A version: from which share of the time on it answers, how well and how fast."""

    name: str
    begins: float
    right: float
    slow_ms: float


MODELS = (
    Model("3f81c2a90b17", 0.0, 0.58, 130.0),
    Model("a04be6d5127c", 0.3, 0.66, 120.0),
    Model("77d0915fc3ee", 0.55, 0.74, 240.0),
    Model("c96e2b8840d1", 0.8, 0.81, 110.0),
)


def history(
    examples: Sequence[Example], *, days: int, a_day: int, seed: int, last: datetime
) -> tuple[tuple[Asked, ...], tuple[Said, ...]]:
    """What was asked in so many days, and what people said of it; the same for the same seed."""
    rng = Random(seed)
    asked: list[Asked] = []
    said: list[Said] = []
    for moment, share in _moments(rng, days, a_day, last):
        model = [each for each in MODELS if each.begins <= share][-1]
        entry, right, example = _asked(rng, moment, share, model, examples, len(asked))
        asked.append(entry)
        if rng.random() < 0.22:
            said.append(_said(rng, entry, right, example, moment, len(said)))
    return tuple(asked), tuple(said)


def _moments(
    rng: Random, days: int, a_day: int, last: datetime
) -> Iterator[tuple[datetime, float]]:
    for day in range(days):
        begun = last - timedelta(days=days - 1 - day)
        busy = 0.2 if begun.weekday() > 4 else 0.7 + 0.6 * day / days
        for at in sorted(rng.uniform(7, 19) for _ in range(round(a_day * busy))):
            yield begun.replace(hour=0, minute=0) + timedelta(hours=at), day / days


def _asked(
    rng: Random,
    moment: datetime,
    share: float,
    model: Model,
    examples: Sequence[Example],
    number: int,
) -> tuple[Asked, bool, Example]:
    example = rng.choice(examples)
    question, status, sql, reason = example.question, "ok", example.sql, ""
    right = rng.random() < model.right
    way = rng.random()
    if way < 0.05 + 0.12 * max(0.0, share - 0.4):
        question, words = rng.choice(MISSING)
        named = ", ".join(repr(word) for word in words)
        status, sql, reason = "refused", "", f"nothing in this project is known as {named}"
    elif way < 0.07 + 0.12 * max(0.0, share - 0.4):
        status, sql, reason, right = "refused", "", UNSAID, rng.random() < 0.5
    elif way < 0.08 + 0.12 * max(0.0, share - 0.4):
        question, status, sql = rng.choice(OTHER), "refused", ""
        reason = "questions are read in English; this one is in German"
    elif way > 0.99:
        status, reason = "error", "timeout: the statement took longer than 3 seconds"
    elif not right:
        sql = rng.choice(examples).sql
    if rng.random() < 0.02 + 0.1 * share:
        question = rng.choice(SLANG).format(q=question)
    execution = rng.lognormvariate(2.2, 0.6) if sql else 0.0
    return (
        Asked(
            id=f"{number:032x}",
            logged_at=moment.isoformat(timespec="microseconds"),
            question=question,
            status=status,
            sql_text=sql,
            reason=reason,
            row_count=rng.randint(1, 40) if status == "ok" else 0,
            latency_ms=round(model.slow_ms * rng.lognormvariate(0, 0.45) + execution, 1),
            execution_ms=round(execution, 1),
            confidence=round(rng.betavariate(6, 2), 4),
            model=model.name,
            target_name="dev",
        ),
        right,
        example,
    )


def _said(
    rng: Random, entry: Asked, right: bool, example: Example, moment: datetime, number: int
) -> Said:
    verdict, corrected = ("right" if right else "wrong"), ""
    if entry.status == "ok" and not right:
        verdict = "should_refuse" if rng.random() < 0.08 else "wrong"
        corrected = example.sql if verdict == "wrong" and rng.random() < 0.5 else ""
    elif entry.status != "ok" and entry.reason.startswith("nothing"):
        verdict = "right"
    elif entry.status == "error":
        verdict = "wrong"
    return Said(
        id=f"{number:032x}",
        recorded_at=(moment + timedelta(minutes=rng.randint(1, 300))).isoformat(),
        log_id=entry.id,
        question=entry.question,
        verdict=verdict,
        sql_text=entry.sql_text,
        corrected_sql=corrected,
        note="",
        person=rng.choice(PEOPLE),
        target_name="dev",
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("project", type=Path)
    parser.add_argument("--days", type=int, default=90)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--a-day", type=int, default=25)
    given = parser.parse_args()
    log = QuestionLog(given.project)
    if log.folder.exists():
        sys.exit(
            f"{log.folder} is there already: questions that were asked are not mixed with these"
        )
    rows = store.read_rows(given.project / "target/t2s/examples.parquet", Example)
    examples = [row for row in rows if row.split == "test" and row.sql]
    last = datetime.now(UTC)
    asked, said = history(examples, days=given.days, a_day=given.a_day, seed=given.seed, last=last)
    for entry in asked:
        log.add(entry)
    for each in said:
        log.add(each)
    log.fold()
    print(f"{len(asked):,} questions and {len(said):,} verdicts are in {log.path}")


if __name__ == "__main__":
    main()
