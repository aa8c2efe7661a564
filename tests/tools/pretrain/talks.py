"""Follow-up questions for pretraining: each with the plan of the question before it.

Written ones lie beside a project as ``NAME.talks``: dialogues divided by empty lines, each line
``question => plan`` with ``>`` before what follows up and ``>>`` before what leans on nothing.
Others are made of a schema's questions by ``dbt_t2s.corpus.dialogues``.
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path
from random import Random

from dbt_t2s.corpus.dialogues import Dialogues
from dbt_t2s.corpus.examples import Example
from dbt_t2s.project.schema import ProjectSchema
from tests.tools.pretrain.tellings import TODAY, Question

_EDITED, _TWICE, _ANEW = 0.6, 0.15, 0.25
_FEWEST = 10
Turn = tuple[str, str, tuple[str, ...]]  # the marks before it, the question, its plan


def read_talks(path: Path) -> Iterator[tuple[Turn, ...]]:
    """The dialogues of a file."""
    for block in path.read_text("utf-8").split("\n\n"):
        lines = [line for line in block.splitlines() if line.strip() and line[0] != "#"]
        turns = tuple(map(_turn, lines))
        if turns:
            yield turns


def _turn(line: str) -> Turn:
    asked, _, plan = line.rpartition("=>")
    question = asked.strip().lstrip("> ").strip()
    marks = asked.strip()[: len(asked.strip()) - len(asked.strip().lstrip(">"))]
    tokens = tuple(shlex.split(plan.strip()))
    return marks, question, tokens if tokens[-1:] == ("END",) else (*tokens, "END")


def written_talks(path: Path, weight: int) -> Iterator[Question]:
    """Every line that follows another, after the plan before it; not those that go further back,
    which that plan does not tell."""
    for turns in read_talks(path):
        told: list[tuple[str, ...]] = [()]
        for marks, question, tokens in turns:
            if marks and sorted(tokens) not in map(sorted, told[:-1]):
                yield Question(question, tokens, weight, told[-1])
            if tokens[0] != "REFUSE":  # nothing changes by what has no answer
                told.append(tokens)


def made_talks(
    schema: ProjectSchema, asked: Sequence[Question], count: int, seed: int, weight: int = 1
) -> list[Question]:
    """Some ``count`` follow-ups of people's questions: edits, two in turn, and other questions in
    between. No steps back: the plan before does not tell what they lead to."""
    able = [each for each in asked if each.tokens[0] != "REFUSE"]
    if len(able) < _FEWEST:
        return []
    rng = Random(f"talks {seed}")
    maker = Dialogues(schema, date.fromisoformat(schema.as_of or TODAY))
    once = _edited(maker, able, round(count * _EDITED), seed)
    twice = _edited(maker, [q for _, q in once], round(count * _TWICE), seed + 1)
    anew = [
        (one, replace(other, before=one.tokens))
        for one, other in (rng.sample(able, 2) for _ in range(round(count * _ANEW)))
    ]
    return [replace(q, weight=weight) for _, q in (*once, *twice, *anew)]


def _edited(
    maker: Dialogues, asked: Sequence[Question], count: int, seed: int
) -> list[tuple[Question, Question]]:
    """Questions, each with what it becomes by an edit; a refusal changes nothing after it."""
    examples = [_example(n, q) for n, q in enumerate(asked) if q.tokens[0] != "REFUSE"]
    made = maker.make(examples, seed, count)
    return [
        (
            asked[int(each.origin)],
            Question(
                each.question,
                tuple(json.loads(each.plan)),
                before=asked[int(each.origin)].tokens,
            ),
        )
        for each in made
    ]


def _example(number: int, asked: Question) -> Example:
    plan = json.dumps(asked.tokens)
    return Example(str(number), "train", 2, "", asked.text, "select 1", plan, "", "")
