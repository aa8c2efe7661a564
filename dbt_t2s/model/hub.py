"""Hub models: a language model taught one project through LoRA or in full.

Training needs torch, transformers, peft and safetensors alone, so that it runs on a bare GPU
machine to which only this package's code and a dataset are copied. Import this file lazily.
"""

from __future__ import annotations

import hashlib
import json
import math
import shutil
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import torch

from dbt_t2s.errors import ModelError
from dbt_t2s.model.generate import Agree
from dbt_t2s.model.hub_base import Base, Say, load_to_train, with_adapter
from dbt_t2s.model.hub_calibration import Calibration, fitted
from dbt_t2s.model.hub_checkpoint import drop_checkpoint
from dbt_t2s.model.hub_crew import Crew
from dbt_t2s.model.hub_encoder import Encoded, Encoder
from dbt_t2s.model.hub_found import ADAPTER, RECORD, TOKENIZER, WEIGHTS
from dbt_t2s.model.hub_generate import BEAMS, Answerer, HubGenerator
from dbt_t2s.model.hub_loss import mean_loss
from dbt_t2s.model.hub_reporting import Reporter
from dbt_t2s.model.hub_schedule import Curriculum
from dbt_t2s.model.hub_settings import HubSettings, checked
from dbt_t2s.model.hub_shard import gathered, state_of
from dbt_t2s.model.hub_trainer import Bounds, Dev, Progress, Trainer
from dbt_t2s.model.record import FILE
from dbt_t2s.project.schema import ProjectSchema

__all__ = ["HubGenerator", "HubSettings", "Progress", "Right", "train_hub"]

Row = Mapping[str, str]
Right = Callable[[str, str], bool]
"""(gold, answer), both SQL and empty where refused → whether the answer is right."""


@dataclass(frozen=True)
class _Rows:
    """Rows of one split as they are taught, and how many were too long."""

    rows: tuple[Row, ...]
    encoded: tuple[Encoded, ...]
    skipped: int

    @property
    def phases(self) -> tuple[str, ...]:
        return tuple(str(row.get("phase", "1")) for row in self.rows)


def train_hub(
    rows: Sequence[Row],
    schema: ProjectSchema,
    base: str,
    model_dir: Path,
    *,
    seed: int = 0,
    minutes: float | None = None,
    max_steps: int | None = None,
    progress: Progress | None = None,
    settings: HubSettings | None = None,
    say: Say | None = None,
    right: Right | None = None,
    agree: Agree | None = None,
) -> dict[str, Any]:
    """Teach ``base`` the rows whose split is ``train`` and save what was learned in ``model_dir``.

    A row has ``question``, ``sql`` (empty: a refusal, with what is missing in ``refusal``),
    ``split`` and, for the curriculum, ``phase``. One with ``wrong_sql`` and ``message`` has that
    SQL mended; of one with ``reads``, SQL in any form, the question is the answer. A run that was
    killed goes on where its last checkpoint stood when it is called again with the same rows and
    settings. ``minutes`` bounds the training itself, ``max_steps`` the steps (by default
    ``settings.passes`` over the rows). ``right`` judges the answers to dev rows, by default by
    their words; ``agree`` tells which of them say the same, where that can be known when the model
    is asked, too. Several processes that were launched together train one model.
    """
    crew = Crew()
    say = (say or _quiet) if crew.leads else _quiet
    asked = checked(settings or HubSettings())
    loaded, chosen = load_to_train(base, asked, say, crew.parts)
    encoder = Encoder(loaded, schema, chosen)
    train = _taught(rows, encoder)
    torch.manual_seed(seed)
    model = with_adapter(loaded, chosen)
    torch.manual_seed(seed + crew.rank)
    asking = [row for row in rows if not row.get("reads") and not row.get("wrong_sql")]
    dev = _encode(asking, "dev", encoder, limit=chosen.dev_rows)
    planned = max_steps or math.ceil(chosen.passes * len(train.rows) / chosen.batch)
    run = _run_id(train, dev, loaded, seed, planned, asked)
    judged = _Judged(loaded, model, encoder, chosen, dev, right or same_words, minutes, agree)
    trainer = Trainer(
        loaded,
        model,
        train.encoded,
        [row["question"] for row in train.rows],
        Curriculum(train.phases, seed),
        chosen,
        crew,
        say,
        judged.share_right if dev.rows else None,
    )
    judged.loss = partial(mean_loss, model, dev.encoded, trainer.loss, chosen.micro_tokens)
    reporter = Reporter(chosen.report_to if crew.leads else (), model_dir, model)
    place = trainer.run(model_dir, run, Bounds(planned, minutes), progress, reporter)
    reporter.close()
    metrics: dict[str, Any] = {
        "base": loaded.name,
        "device": loaded.device.type,
        "rows": len(train.rows),
        "skipped": train.skipped,
        "steps": place.step,
        "planned_steps": planned,
        "seconds": round(place.elapsed, 3),
        "train_loss": place.loss,
        "dev_rows": len(dev.rows),
        "trained_parameters": sum(value.numel() for value in trainer.weights.values()),
        "processes": crew.size,
    }
    found: list[tuple[float, bool]] = []
    with trainer.whole():
        if crew.leads and dev.rows:
            found = judged.last(BEAMS)
            metrics["dev_loss"] = judged.loss()
            metrics["dev_right"] = sum(ok for _, ok in found) / len(found)
        crew.said(None)  # the others wait with their parts
    whole = _whole(model, trainer, chosen, crew)
    if crew.leads:
        _save(model_dir, loaded, model, chosen, metrics, fitted(found), whole)
        drop_checkpoint(model_dir)
    crew.said(None)  # the others wait until all is on disk
    return metrics


def _whole(
    model: Any, trainer: Trainer, settings: HubSettings, crew: Crew
) -> dict[str, torch.Tensor] | None:
    """What is to be saved of a model that lies in parts; None where it is whole anyway."""
    if not crew.shards:
        return None
    state = trainer.weights if settings.trains_adapter else state_of(model)
    return gathered(state, keep=crew.leads)


class _Judged:
    """The dev rows, answered and judged."""

    def __init__(
        self,
        base: Base,
        model: Any,
        encoder: Encoder,
        settings: HubSettings,
        dev: _Rows,
        right: Right,
        minutes: float | None,
        agree: Agree | None,
    ) -> None:
        self._agree: Agree = agree or tuple
        self._base, self._model, self._encoder = base, model, encoder
        self._settings, self._dev, self._right = settings, dev, right
        each = settings.dev_share / (settings.evaluations + 1)
        self._seconds = minutes * 60 * each if minutes else math.inf
        self.loss: Callable[[], float] = lambda: math.nan

    def share_right(self) -> Dev:
        """How the model as it is does, by its likeliest answers."""
        found = self.last(beams=1)
        return Dev(sum(ok for _, ok in found) / len(found), self.loss())

    def last(self, beams: int) -> list[tuple[float, bool]]:
        """(probability, whether it was right) of the best answers, to as many rows as there is
        time for; at least one batch."""
        answerer = Answerer(self._base, self._model, self._encoder, self._settings, beams)
        began = time.monotonic()
        found: list[tuple[float, bool]] = []
        rows = self._dev.rows
        for start in range(0, len(rows), answerer.batch):
            part = rows[start : start + answerer.batch]
            answers = answerer.generate([row["question"] for row in part])
            for row, given in zip(part, answers, strict=True):
                best = self._agree(given)[0]
                found.append((best.confidence, self._right(row.get("sql", ""), best.sql)))
            if time.monotonic() - began > self._seconds:
                break
        return found


def same_words(gold: str, answer: str) -> bool:
    """Whether two statements are the same but for case and white space."""
    return gold.lower().split() == answer.lower().split()


def _quiet(_text: str) -> None:
    """Says nothing."""


def _encode(rows: Sequence[Row], split: str, encoder: Encoder, limit: int | None = None) -> _Rows:
    chosen = [row for row in rows if row["split"] == split][:limit]
    pairs = [(row, encoder.example(row)) for row in chosen]
    kept = [(row, made) for row, made in pairs if made is not None]
    return _Rows(
        tuple(row for row, _ in kept), tuple(made for _, made in kept), len(chosen) - len(kept)
    )


def _taught(rows: Sequence[Row], encoder: Encoder) -> _Rows:
    """The rows to train on; ModelError where there are none."""
    train = _encode(rows, "train", encoder)
    if not train.rows:
        too_long = f"; {train.skipped} are too long for the model" if train.skipped else ""
        raise ModelError(
            f"no row to train on{too_long}",
            where="split=train",
            hint="dbt-t2s generate, or a base model that reads longer prompts",
        )
    return train


def _run_id(
    train: _Rows, dev: _Rows, base: Base, seed: int, steps: int, settings: HubSettings
) -> str:
    """Two runs with this id are the same run, so one may go on from the other's checkpoint."""
    digest = hashlib.sha256()
    # How much fits into memory differs from day to day and changes nothing but rounding.
    told = replace(settings, report_to=())
    digest.update(repr((base.name, base.stamp, base.adapter, seed, steps, told)).encode())
    for part in (train, dev):
        for row, phase in zip(part.encoded, part.phases, strict=True):
            digest.update(repr((row.prompt, row.answer, phase)).encode())
    return digest.hexdigest()


def _save(
    model_dir: Path,
    base: Base,
    model: Any,
    settings: HubSettings,
    metrics: Mapping[str, Any],
    calibration: Calibration,
    state: Mapping[str, torch.Tensor] | None,
) -> None:
    """Weights and tokenizer first, the record last: without it the folder is no model.

    A model that is there already stays whole until then: a training that fails takes nothing away.
    ``state`` are the weights where the model itself holds but its part of them.
    """
    model_dir.mkdir(parents=True, exist_ok=True)
    waiting = model_dir / ".hub.tmp"
    shutil.rmtree(waiting, ignore_errors=True)
    kept = ADAPTER if settings.trains_adapter else WEIGHTS
    # The base's embeddings are not trained; asking peft to guess would ask the network.
    options: dict[str, Any] = {"save_embedding_layers": False} if settings.trains_adapter else {}
    if state is not None:
        options["state_dict"] = dict(state)
    model.save_pretrained(str(waiting / kept), **options)
    base.tokenizer.save_pretrained(str(waiting / TOKENIZER))
    content = {
        "base": base.name,
        "revision": base.revision,
        "stamp": base.stamp,
        "settings": asdict(settings),
        "calibration": [calibration.slope, calibration.shift],
        "metrics": dict(metrics),
    }
    (waiting / RECORD).write_text(json.dumps(content, indent=2), "utf-8")
    for name in (FILE, RECORD):
        (model_dir / name).unlink(missing_ok=True)
    for name in (ADAPTER, WEIGHTS, TOKENIZER, RECORD):
        target = model_dir / name
        if target.is_dir():
            shutil.rmtree(target)
        if (waiting / name).exists():
            (waiting / name).rename(target)
    waiting.rmdir()
