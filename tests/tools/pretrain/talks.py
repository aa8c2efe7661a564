"""Follow-up questions for pretraining: a conversation so far as one text, with the plan it ends in.

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
from dbt_t2s.model.whole import conversation
from dbt_t2s.project.schema import ProjectSchema
from tests.tools.pretrain.tellings import TODAY, Question

_EDITED, _TWICE, _TAKEN_BACK, _ANEW = 0.55, 0.15, 0.12, 0.18
_FEWEST = 10
_BACK = (
    "no, back to what we had", "undo that", "scrap that", "as before", "the previous one again",
    "forget that last bit", "go back", "never mind, like before", "take that back", "back please",
    "hm no, the one before", "revert", "drop that again", "no, not that", "without that after all",
    "what we had before", "ok forget it, the old one", "return to the previous result",
    "that was wrong, back", "leave it as it was",
)  # fmt: skip
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
    """Every line that follows another, in what was said until then."""
    for turns in read_talks(path):
        so_far = ""
        last: tuple[str, ...] = ()
        for marks, question, tokens in turns:
            told = conversation(so_far, question) if so_far else question
            if marks:
                yield Question(told, tokens, weight, last)
            if tokens[0] == "REFUSE":
                continue  # nothing changes by what has no answer
            so_far, last = (told if marks != ">>" else question), tokens


def made_talks(
    schema: ProjectSchema, asked: Sequence[Question], count: int, seed: int, weight: int = 1
) -> list[Question]:
    """Some ``count`` conversations about people's questions: edits, two in turn, steps taken back,
    and other questions in between."""
    able = [each for each in asked if each.tokens[0] != "REFUSE"]
    if len(able) < _FEWEST:
        return []
    rng = Random(f"talks {seed}")
    maker = Dialogues(schema, date.fromisoformat(schema.as_of or TODAY))
    once = _edited(maker, able, round(count * _EDITED), seed)
    twice = _edited(maker, [q for _, q in once], round(count * _TWICE), seed + 1)
    back = [
        (
            first,
            replace(first, text=conversation(told.text, rng.choice(_BACK)), before=told.tokens),
        )
        for first, told in rng.sample(once, min(len(once), round(count * _TAKEN_BACK)))
    ]
    anew = [
        (one, replace(other, text=conversation(one.text, other.text), before=one.tokens))
        for one, other in (rng.sample(able, 2) for _ in range(round(count * _ANEW)))
    ]
    return [replace(q, weight=weight) for _, q in (*once, *twice, *back, *anew)]


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
                conversation(each.first, each.question),
                tuple(json.loads(each.plan)),
                before=asked[int(each.origin)].tokens,
            ),
        )
        for each in made
    ]


def _example(number: int, asked: Question) -> Example:
    plan = json.dumps(asked.tokens)
    return Example(str(number), "train", 2, "", asked.text, "select 1", plan, "", "")
