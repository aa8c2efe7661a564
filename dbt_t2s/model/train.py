"""Training through one door: a dataset folder in, a model folder out, whatever the base."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from dbt_t2s import store
from dbt_t2s.corpus.examples import Example
from dbt_t2s.corpus.lessons import Recovery, Variation
from dbt_t2s.errors import ModelError
from dbt_t2s.model import shipped
from dbt_t2s.model.generate import Agree
from dbt_t2s.model.hub_quiet import quiet
from dbt_t2s.model.record import ModelRecord, write_record
from dbt_t2s.model.remembered import carry
from dbt_t2s.project.schema import ProjectSchema

Progress = Callable[[str, int, int], None]
Row = Mapping[str, object]
CHECKPOINT = "checkpoint.safetensors"
# The loss of held-out rows is told, not trained on: about this many tell it.
_DEV = 128


@dataclass(frozen=True)
class HubOptions:
    """Choices for a hub model (see ``HubSettings``); ``right`` judges (gold, answer) to a dev
    question, ``agree`` tells which of its answers say the same, ``say`` is told what a person
    should know meanwhile."""

    method: str = "lora"
    schema_context: str = "retrieved"
    answers: str = "sql"
    right: Callable[[str, str], bool] | None = None
    say: Callable[[str], None] | None = None
    agree: Agree | None = None


def train(
    dataset_dir: Path,
    schema: ProjectSchema,
    model_dir: Path,
    *,
    base: str,
    seed: int,
    minutes: float,
    resume: bool = True,
    progress: Progress | None = None,
    hub: HubOptions | None = None,
) -> ModelRecord:
    """Train ``base`` ("embedded", a hub id or a path) on a dataset; ModelError where it cannot."""
    splits = {split: _rows(dataset_dir / f"{split}.parquet") for split in ("train", "dev")}
    # What a teacher proposed has no plan, which the embedded model learns from.
    taught = [row for row in _if_there(dataset_dir, "taught", Example) if row["plan"]]
    if base != "embedded":
        taught = [*_if_there(dataset_dir, "taught", Example), *_lessons(dataset_dir)]
    splits["train"] = [*splits["train"], *taught, *_if_there(dataset_dir, "learned", Example)]
    began = time.monotonic()
    model_dir.mkdir(parents=True, exist_ok=True)
    identity = _identity(splits["train"], store.fingerprint(schema), base, seed)
    if not resume:
        (model_dir / CHECKPOINT).unlink(missing_ok=True)
    if base == "embedded":
        record = _embedded(splits, schema, model_dir, seed, minutes, identity, resume, progress)
        carry(dataset_dir, model_dir)
    else:
        record = _hub(splits, schema, model_dir, base, seed, minutes, progress, hub)
    record = ModelRecord(
        **{
            **asdict(record),
            "schema": store.fingerprint(schema),
            "dataset": identity,
            "seconds": round(time.monotonic() - began, 1),
            "metrics": record.metrics,
        }
    )
    write_record(model_dir, record)
    (model_dir / CHECKPOINT).unlink(missing_ok=True)
    return record


def _rows(path: Path) -> list[Row]:
    return [asdict(example) for example in store.read_rows(path, Example)]


def _if_there(dataset_dir: Path, name: str, cls: type) -> list[Row]:
    path = dataset_dir / f"{name}.parquet"
    rows: Sequence[Any] = store.read_rows(path, cls) if path.exists() else ()
    return [asdict(row) for row in rows]


def _lessons(dataset_dir: Path) -> list[Row]:
    """Wrong SQL to mend and SQL to read, as rows for hub models."""
    mend = _if_there(dataset_dir, "recovery", Recovery)
    read = _if_there(dataset_dir, "variations", Variation)
    return [
        *({**row, "phase": "3"} for row in mend),
        *({**row, "phase": "2", "reads": row["sql"]} for row in read),
    ]


def _identity(rows: Sequence[Row], schema: str, base: str, seed: int) -> str:
    """What a checkpoint must have been made from to go on with."""
    digest = hashlib.sha256(f"{schema} {base} {seed}".encode())
    for row in rows:
        digest.update(str(row["id"]).encode())
    return digest.hexdigest()


def _embedded(
    splits: Mapping[str, Sequence[Row]],
    schema: ProjectSchema,
    model_dir: Path,
    seed: int,
    minutes: float,
    identity: str,
    resume: bool,
    progress: Progress | None,
) -> ModelRecord:
    from dbt_t2s.model import recipe
    from dbt_t2s.model.encoder import Encoder
    from dbt_t2s.model.follow_ups import follow_ups
    from dbt_t2s.model.freed import keep_few_products
    from dbt_t2s.model.rows import prepare

    keep_few_products()
    index = recipe.index_of(schema, Encoder())
    settings = recipe.Recipe(minutes=minutes)
    learned = recipe.fewer_refusals(splits["train"], settings)
    if recipe.reads_before():
        learned += follow_ups(splits["train"], schema, seed)
    taught = recipe.evenly(learned, settings.afforded)
    rows, dropped = prepare(taught, index, progress, "reading questions")
    held_out = splits["dev"][:: max(len(splits["dev"]) // _DEV, 1)]
    dev, _ = prepare(held_out, index, None, "")
    if not rows:
        raise ModelError("no row to train on", where="split=train", hint="dbt-t2s generate")
    weights = shipped.stamp(shipped.LEARNED_FROM)
    run, seconds = recipe.train_network(
        rows,
        index,
        recipe=settings,
        seed=seed,
        checkpoint=model_dir / CHECKPOINT,
        identity=f"{identity} {json.dumps(asdict(settings))} {weights}",
        resume=resume,
        progress=progress,
    )
    recipe.save(run, index, model_dir)
    metrics = (
        ("dev_loss", round(recipe.mean_loss(run.network, dev), 4)),
        ("examples_dropped", float(dropped)),
        ("examples_per_second", round(run.steps * settings.batch / max(seconds, 1e-9), 1)),
    )
    reader = shipped.stamp(shipped.READER)
    made = ModelRecord("embedded", "embedded", "", "", seed, run.steps, len(rows), seconds, metrics)
    return replace(made, reader=reader)


def _hub(
    splits: Mapping[str, Sequence[Row]],
    schema: ProjectSchema,
    model_dir: Path,
    base: str,
    seed: int,
    minutes: float,
    progress: Progress | None,
    hub: HubOptions | None,
) -> ModelRecord:
    quiet()
    from dbt_t2s.model.hub import train_hub
    from dbt_t2s.model.hub_crew import call
    from dbt_t2s.model.hub_settings import HubSettings

    rows = [{k: str(v) for k, v in row.items()} for split in splits.values() for row in split]

    def step(done: int, planned: int, loss: float) -> None:
        if progress:
            progress(f"train (loss {loss:.2f})", done, planned)

    chosen = hub or HubOptions()
    task: dict[str, Any] = {
        "rows": rows,
        "schema": schema,
        "base": base,
        "model_dir": model_dir,
        "seed": seed,
        "minutes": minutes,
        "settings": HubSettings(
            method=chosen.method, schema_context=chosen.schema_context, answers=chosen.answers
        ),
    }
    call(task)
    made = train_hub(**task, progress=step, say=chosen.say, right=chosen.right, agree=chosen.agree)
    metrics = tuple((k, float(v)) for k, v in made.items() if isinstance(v, int | float))
    steps = int(dict(metrics).get("steps", 0))
    return ModelRecord("hub", base, "", "", seed, steps, len(splits["train"]), 0.0, metrics)


def check_base(base: str, method: str) -> None:
    """ModelError where a hub model cannot be found, read or trained so here."""
    quiet()
    from dbt_t2s.model.hub_base import check_base as check
    from dbt_t2s.model.hub_settings import HubSettings

    check(base, HubSettings(method=method))


def help_train() -> bool:
    """Trains what the first of several processes trains, once it says what; False for nothing."""
    quiet()
    from dbt_t2s.model.hub import train_hub
    from dbt_t2s.model.hub_crew import called

    task = called()
    if task is not None:
        train_hub(**task)
    return task is not None


def dismiss() -> None:
    """The processes launched beside this one are needed no more."""
    from dbt_t2s.model.hub_crew import dismiss as let_go

    let_go()
