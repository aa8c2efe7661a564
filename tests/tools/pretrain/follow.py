"""Fits the choice among the readings of follow-ups, and when to doubt that any is meant.

    python -m tests.tools.pretrain.follow WEIGHTS PROJECTS OUT --processes 2

Follow-ups are those of held-out projects (``split``) in PROJECTS, heard with the network in the
folder WEIGHTS after the right plans before them; a reading is right where its SQL is the gold's.
After each dialogue comes a question of the project that leans on nothing.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from random import Random
from unittest.mock import patch

import numpy as np
import torch
from safetensors.numpy import save_file

from dbt_t2s import store
from dbt_t2s.model import recipe, shipped
from dbt_t2s.model.choosing import Heard, doubt_features, ordered, reading_features
from dbt_t2s.model.embedded import EmbeddedGenerator
from dbt_t2s.model.encoder import READER, Encoder
from dbt_t2s.model.following import settled
from dbt_t2s.model.leaning import anew, unanswerable
from dbt_t2s.model.record import NETWORK, ModelRecord, write_record
from dbt_t2s.model.whole import conversation
from dbt_t2s.project.schema import ProjectSchema
from dbt_t2s.query.bind import Binder
from dbt_t2s.query.items import schema_items
from dbt_t2s.query.linear import from_tokens, to_tokens
from dbt_t2s.query.plan import Plan, canonical
from tests.tools.pretrain.invented import Asked, read_project, read_questions
from tests.tools.pretrain.ranking import fit, logistic
from tests.tools.pretrain.split import HELD_OUT_PROJECTS, LATER_PROJECTS
from tests.tools.pretrain.talks import Turn, read_talks

_FOLDS = 5
_WRONGLY_DOUBTED = 0.03


@dataclass(frozen=True)
class Tried:
    """A follow-up as it was heard: which readings are right; None where nothing answers it."""

    project: str
    heard: Heard
    right: tuple[bool, ...] | None


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("weights", type=Path)
    parser.add_argument("projects", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--processes", type=int, default=2)
    given = parser.parse_args()
    with ProcessPoolExecutor(given.processes) as pool:
        found = pool.map(partial(_of_project, weights=given.weights), _held_out(given.projects))
        tried = [each for part in found for each in part]
    rows = [(t.project, reading_features(t.heard)) for t in tried]
    able = [
        (name, features, np.array(t.right))
        for t, (name, features) in zip(tried, rows, strict=True)
        if t.right is not None
    ]
    print(f"{len(tried)} follow-ups, {len(able)} with an answer", flush=True)
    print(f"right among the readings: {sum(r.any() for _, _, r in able)}")
    names = sorted({t.project for t in tried})
    fold = {name: at % _FOLDS for at, name in enumerate(names)}
    first = 0
    scores: dict[int, np.ndarray] = {}
    for held in range(_FOLDS):
        fitted = fit([(f, r) for name, f, r in able if fold[name] != held and r.any()])
        first += sum(bool(r[(f @ fitted).argmax()]) for n, f, r in able if fold[n] == held)
        scores |= {at: f @ fitted for at, (n, f) in enumerate(rows) if fold[n] == held}
    print(f"right first, {_FOLDS} folds by project: {first}", flush=True)
    chosen = fit([(f, r) for _, f, r in able if r.any()])
    doubt = fit_doubt(tried, scores)
    save_file({"weights": chosen, "doubt": doubt}, given.out)


def _held_out(projects: Path) -> Iterator[Path]:
    for name in sorted(HELD_OUT_PROJECTS | LATER_PROJECTS):
        path = projects / f"{name}.talks"
        if path.is_file():
            yield path


def _of_project(path: Path, weights: Path) -> list[Tried]:
    torch.set_num_threads(1)
    schema = read_project(path.with_suffix(".yml"))
    made: list[Tried] = []
    with tempfile.TemporaryDirectory() as folder:
        model = untrained(schema, weights, Path(folder))
        asked = [a for a in read_questions(path.with_suffix(".txt")) if isinstance(a, Asked)]
        rng = Random(path.stem)
        for turns in read_talks(path):
            other = rng.choice(asked)
            anew_asked: Turn = (">>", other.question, other.tokens)
            made += _of_dialogue(path.stem, (*turns, anew_asked), model)
    print(path.stem, flush=True)
    return made


def untrained(schema: ProjectSchema, weights: Path, folder: Path) -> EmbeddedGenerator:
    """The model of a project whose network and reader are those of ``weights``."""
    reading = partial(Encoder, reader=weights / READER.name)
    items = len(schema_items(schema, Binder(schema)))
    network = recipe.new_network(items, 0, weights / "model.safetensors")
    network.save_pretrained(folder / NETWORK)
    kept, stamp = store.fingerprint(schema), shipped.stamp(shipped.READER)
    write_record(folder, ModelRecord("embedded", "embedded", kept, "", 0, 0, 0, 0.0, reader=stamp))
    with patch("dbt_t2s.model.embedded.Encoder", reading):
        return EmbeddedGenerator(folder, schema)


def _of_dialogue(name: str, turns: Sequence[Turn], model: EmbeddedGenerator) -> Iterator[Tried]:
    history: list[Plan] = []
    so_far = ""
    for marks, question, tokens in turns:
        told = conversation(so_far, question) if so_far else question
        if marks and history and not anew(question) and not unanswerable(question):
            heard = model.hear(question, told, tuple(history))
            yield Tried(name, heard, _right(heard, told, tokens, model))
        if tokens[0] == "REFUSE":
            continue
        plan = from_tokens(tokens)
        assert plan is not None
        history.append(canonical(plan))
        so_far = told if marks != ">>" else question


def _right(
    heard: Heard, told: str, gold: Sequence[str], model: EmbeddedGenerator
) -> tuple[bool, ...] | None:
    if gold[0] == "REFUSE":
        return None
    wanted = _settled_sql(gold, told, model)
    return tuple(_settled_sql(each.tokens, told, model) == wanted for each in heard.readings)


def _settled_sql(tokens: Sequence[str], told: str, model: EmbeddedGenerator) -> str:
    """The plan's SQL with its conditions and columns in one order, which no judge goes by."""
    plan = from_tokens(tokens)
    if plan is None:
        return ""
    select = tuple(sorted(plan.select, key=lambda each: to_tokens(Plan((each,)))))
    return model.sql(to_tokens(settled(replace(plan, select=select))), told)


def fit_doubt(tried: Sequence[Tried], scores: dict[int, np.ndarray]) -> np.ndarray:
    """Weights of doubt, shifted so that few follow-ups that have an answer are refused.

    ``scores`` are those of weights that did not see the follow-up's project.
    """
    x = np.stack(
        [doubt_features(t.heard, ordered(t.heard, scores[at])) for at, t in enumerate(tried)]
    )
    y = np.array([t.right is None for t in tried])
    made = logistic(x, y)
    found = x @ made
    threshold = float(np.quantile(found[~y], 1 - _WRONGLY_DOUBTED))
    print(f"doubted: {(found[y] > threshold).mean():.3f} of {y.sum()} that nothing answers")
    made[-1] -= threshold  # the last feature is constant
    return made


if __name__ == "__main__":
    main()
