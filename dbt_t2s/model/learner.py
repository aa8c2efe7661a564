"""A trained model taught a few questions more: what people corrected, beside what it knew.

It goes on from its own weights, learns each lesson in several wordings among as many examples of
its corpus.
"""

from __future__ import annotations

import json
import random
import time
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path

from dbt_t2s import store
from dbt_t2s.corpus.examples import Example
from dbt_t2s.errors import ModelError
from dbt_t2s.model import recipe
from dbt_t2s.model.encoder import Encoder
from dbt_t2s.model.going_on import read_model
from dbt_t2s.model.record import (
    ModelRecord,
    write_record,
)
from dbt_t2s.model.rows import Progress, prepare
from dbt_t2s.project.schema import ProjectSchema

Tokens = tuple[str, ...]
# Beside each lesson's example so many of the corpus are learned again, and never fewer than these.
_REPLAYED, _FEWEST = 1.0, 400
# How much of the old weights is mixed in at the end. Lessons wear off a little with it, others
# far more without it; what was corrected is known by heart besides.
KEPT = 0.6


class Learner:
    """The embedded model in ``last`` over ``schema``; ModelError where there is none to teach."""

    def __init__(self, last: Path, schema: ProjectSchema) -> None:
        found = read_model(last)
        if found is None:
            raise ModelError(
                "only an embedded model of this version learns from corrections",
                where=str(last),
                hint="dbt-t2s train",
            )
        self._record, self._network, known = found
        self._schema = schema
        self._index = recipe.index_of(schema, Encoder())
        if [item.token for item in self._index.items] != list(known):
            raise ModelError(
                "the model was trained on another schema", where=str(last), hint="dbt-t2s train"
            )

    def likeliest(self, question: str, plans: Sequence[Tokens]) -> Tokens | None:
        """Of plans that answer a question alike the one that the model would sooner write.

        None where it can write none of them for this question.
        """
        best: tuple[float, Tokens] | None = None
        for plan in plans:
            row = {"question": question, "plan": json.dumps(plan), "phase": 3}
            rows, _ = prepare([row], self._index, None, "")
            if rows:
                cost = recipe.mean_loss(self._network, rows) * len(plan)
                best = min(best, (cost, plan)) if best else (cost, plan)
        return best[1] if best else None

    def learn(
        self,
        lessons: Sequence[Example],
        corpus: Sequence[Example],
        model_dir: Path,
        *,
        seed: int,
        minutes: float,
        progress: Progress | None = None,
    ) -> ModelRecord:
        """The model taught ``lessons`` beside examples of ``corpus``, into ``model_dir``.

        The same model, lessons, corpus and seed give the same weights.
        """
        began = time.monotonic()
        replayed = beside(lessons, corpus, seed)
        # Lessons ask for answers: what is to be refused is replayed in full beside them.
        settings = recipe.Recipe(minutes=minutes, warmup=10, kept=KEPT, epochs=8.0, refusals=1.0)
        taught = [asdict(each) for each in (*lessons, *replayed)]
        rows, dropped = prepare(
            recipe.fewer_refusals(taught, settings), self._index, progress, "reading questions"
        )
        if not rows:
            raise ModelError("no row to train on", where="feedback", hint="dbt-t2s generate")
        model_dir.mkdir(parents=True, exist_ok=True)
        run = recipe.run_on(self._network, rows, settings, seed, progress)
        recipe.save(run, self._index, model_dir)
        record = replace(
            self._record,
            schema=store.fingerprint(self._schema),
            dataset=store.fingerprint([each["id"] for each in taught]),
            seed=seed,
            steps=self._record.steps + run.steps,
            examples=len(rows),
            seconds=round(time.monotonic() - began, 1),
            metrics=(("examples_dropped", float(dropped)),),
        )
        write_record(model_dir, record)
        return record


def beside(lessons: Sequence[Example], corpus: Sequence[Example], seed: int) -> tuple[Example, ...]:
    """The examples to learn again: half of them about what the lessons are about, too.

    They stay in their order.
    """
    about = {token for each in lessons for token in json.loads(each.plan) if token[1:2] == ":"}
    near = [n for n, each in enumerate(corpus) if about & set(json.loads(each.plan))]
    chance = random.Random(seed)
    wanted = min(len(corpus), max(round(_REPLAYED * len(lessons)), _FEWEST))
    taken = set(chance.sample(near, min(len(near), wanted // 2)))
    others = sorted(set(range(len(corpus))) - taken)
    taken.update(chance.sample(others, wanted - len(taken)))
    return tuple(corpus[n] for n in sorted(taken))
