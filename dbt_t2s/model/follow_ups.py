"""Follow-ups that a project's model learns, made of its corpus: plans one edit apart."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import Any

from dbt_t2s.corpus.dialogues import Dialogues
from dbt_t2s.corpus.examples import Example
from dbt_t2s.model.schema_index import today_of
from dbt_t2s.project.schema import ProjectSchema

_SHARE = 0.1  # of the examples: with a quarter no more was learned
_NAMES = tuple(field.name for field in fields(Example))


def follow_ups(
    rows: Sequence[Mapping[str, Any]], schema: ProjectSchema, seed: int
) -> list[Mapping[str, object]]:
    """Training rows: the follow-up's words, its plan, and the plan ``before`` it."""
    examples = [Example(**{n: row[n] for n in _NAMES if n in row}) for row in rows]
    made = Dialogues(schema, today_of(schema)).make(examples, seed, round(_SHARE * len(rows)))
    return [
        {
            "id": each.id, "type": "follow-up", "phase": 3, "question": each.question,
            "plan": each.plan, "before": each.first_plan,
        }
        for each in made
    ]  # fmt: skip
