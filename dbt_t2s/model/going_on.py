"""Going on from the last model after a change of the project, in seconds rather than minutes.

What a model knows of an item it keeps under the item's new name. It learns from the questions
about what is new to it, and from as many others, so that it forgets nothing.
"""

from __future__ import annotations

import json
import random
import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path

import torch
from safetensors import SafetensorError

from dbt_t2s import store
from dbt_t2s.corpus.examples import Example
from dbt_t2s.errors import ModelError, StoreError
from dbt_t2s.model import recipe
from dbt_t2s.model.encoder import Encoder
from dbt_t2s.model.network import PlanConfig, PlanNetwork
from dbt_t2s.model.record import (
    ITEMS_FILE,
    NETWORK,
    ModelRecord,
    read_record,
    write_record,
)
from dbt_t2s.model.remembered import carry
from dbt_t2s.model.rows import Progress, prepare
from dbt_t2s.model.schema_index import SchemaIndex
from dbt_t2s.project.schema import ProjectSchema

MINUTES = 0.5
_MOST_ABOUT, _FEWEST_OTHERS = 700, 400
# Columns, metrics, tables and rules; values, dates and numbers come from the question.
_ITEM = re.compile(r"[cmtr]:")


def go_on(
    dataset_dir: Path,
    schema: ProjectSchema,
    model_dir: Path,
    *,
    last: Path,
    renamed: Mapping[str, str],
    seed: int,
    minutes: float = MINUTES,
    progress: Progress | None = None,
) -> ModelRecord | None:
    """The model in ``last``, taught what is new in ``schema``, into ``model_dir``; None if there is
    none to go on from: another kind of model, or one of another version. ``minutes`` is the budget.

    ``renamed`` are new names of tables and columns (``orders.status``) by their old ones. The same
    model, dataset and seed give the same weights.
    """
    began = time.monotonic()
    found = read_model(last)
    if found is None:
        return None
    record, network, known = found
    index = recipe.index_of(schema, Encoder())
    moved = carried(network, [renamed_token(each, renamed) for each in known], index, seed)
    examples = store.read_rows(dataset_dir / "train.parquet", Example)
    settings = recipe.Recipe(minutes=minutes, warmup=10)
    chosen = chosen_rows(examples, frozenset(known), seed)
    rows, dropped = prepare(
        recipe.fewer_refusals([asdict(each) for each in chosen], settings),
        index, progress, "reading questions",
    )  # fmt: skip
    if not rows:
        raise ModelError("no row to train on", where="split=train", hint="dbt-t2s generate")
    model_dir.mkdir(parents=True, exist_ok=True)
    run = recipe.run_on(moved, rows, settings, seed, progress)
    recipe.save(run, index, model_dir)
    carry(dataset_dir, model_dir, lambda token: renamed_token(token, renamed))
    record = replace(
        record,
        schema=store.fingerprint(schema),
        seed=seed,
        steps=record.steps + run.steps,
        examples=len(rows),
        seconds=round(time.monotonic() - began, 1),
        metrics=(("examples_dropped", float(dropped)),),
    )
    write_record(model_dir, record)
    return record


def read_model(model_dir: Path) -> tuple[ModelRecord, PlanNetwork, tuple[str, ...]] | None:
    """The embedded model in a folder and the tokens of its items; None where it is none to go on
    from."""
    try:
        record = read_record(model_dir)
        if record.kind != "embedded":
            return None
        known = tuple(str(each) for each in json.loads((model_dir / ITEMS_FILE).read_text()))
        network = PlanNetwork.from_pretrained(model_dir / NETWORK, local_files_only=True)
    except (ModelError, StoreError, OSError, ValueError, RuntimeError, SafetensorError):
        return None  # what is not whole or of another version is made anew
    assert isinstance(network, PlanNetwork)
    return (record, network, known) if network.config.schema_items == len(known) else None


def renamed_token(token: str, renamed: Mapping[str, str]) -> str:
    """An item's token with the tables and columns in it as they are called now."""
    for old, new in renamed.items():
        token = new.join(re.split(rf"(?<![\w.]){re.escape(old)}(?!\w)", token))
    return token


def carried(
    network: PlanNetwork, known: Sequence[str], index: SchemaIndex, seed: int
) -> PlanNetwork:
    """The network over the items of ``index``; ``known`` are the tokens of its own.

    An item's residual vector stays with its token; one of a new item starts as in any training.
    """
    assert isinstance(network.config, PlanConfig)
    moved = recipe.new_network(len(index.items), seed, None, network.config)
    weights = {k: v for k, v in network.state_dict().items() if "residual" not in k}
    moved.load_state_dict(weights, strict=False)
    with torch.no_grad():
        for place, token in enumerate(known):
            if token in index.place:
                row = network.residual.weight[place + 1]
                moved.residual.weight[index.place[token] + 1] = row
    return moved


def chosen_rows(
    examples: Sequence[Example], known: frozenset[str], seed: int
) -> tuple[Example, ...]:
    """The examples about what the model does not know, and as many others, at least 400.

    Both are drawn by ``seed``; they stay in their order.
    """
    tokens = [tuple(json.loads(each.plan)) for each in examples]
    about = [
        n
        for n, plan in enumerate(tokens)
        if any(_ITEM.match(token) and token not in known for token in plan)
    ]
    chance = random.Random(seed)
    taken = set(chance.sample(about, min(len(about), _MOST_ABOUT)))
    others = sorted(set(range(len(examples))) - set(about))
    number = min(len(others), max(len(taken), _FEWEST_OTHERS))
    taken.update(chance.sample(others, number))
    return tuple(examples[n] for n in sorted(taken))
